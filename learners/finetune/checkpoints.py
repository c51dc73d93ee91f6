"""Which checkpoint an interrupted run goes on from: the newest that was written to its end."""

from __future__ import annotations

from pathlib import Path

from worldschool.files import write_atomic

MARK = "complete"
FOLDER = "checkpoints"


def mark_complete(checkpoint: Path) -> None:
    """Say that everything of a checkpoint is there; transformers writes one file by file, into its final place."""
    write_atomic(checkpoint / MARK, "")


def newest_complete(folder: Path) -> Path | None:
    """Return the checkpoint of the most steps that was marked complete, or None."""
    found = {}
    for path in folder.glob("checkpoint-*"):
        step = path.name.rpartition("-")[2]
        if step.isdigit() and (path / MARK).is_file():
            found[int(step)] = path
    return found[max(found)] if found else None
