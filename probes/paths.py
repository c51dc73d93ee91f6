"""Paths in records of earlier runs: relative ones were written where the run was started."""

from __future__ import annotations

from pathlib import Path


def find_from(name: str, record: Path) -> Path | None:
    """Return where a path that a record names leads now: from here, else from a folder above the record; None if nowhere.

    Args:
        name: the path as it was written; relative to where the run was started then.
        record: the file that names it.
    """
    folders = (Path(), *record.resolve().parents)
    return next((folder / name for folder in folders if (folder / name).exists()), None)
