"""What a command leaves beside its output: the resolved configuration, versions and seeds.

An output directory belongs to the configuration that began it. The same configuration continues; another is
refused, and the difference is shown. Nothing is overwritten.
"""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worldschool.canonical import canonical_json
from worldschool.errors import OutputError, UserError
from worldschool.files import read_json, write_json
from worldschool.locking import LOCK_FILE
from worldschool.version import __version__

RUN_SCHEMA = "worldschool.run/1"
RECORD = "run.json"
RECORDED_PACKAGES = (
    "gymnasium",
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "gguf",
    "peft",
    "faiss-cpu",
    "numpy",
    "pyarrow",
    "pydantic",
)


def package_versions() -> dict[str, str]:
    """Return the versions of worldschool, Python and the packages that results depend on."""
    versions = {"worldschool": __version__, "python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def source_commit() -> str | None:
    """Return the commit of the source tree this package runs from, or None for an installed copy."""
    here = Path(__file__).resolve().parent.parent
    if not (here / "pyproject.toml").exists():
        return None
    try:
        result = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"],
            check=False,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() or None


def claim_output(directory: Path, command: str, config: dict[str, Any], seed: int | None = None) -> bool:
    """Make `directory` this run's own and write `run.json` into it.

    Args:
        directory: created if it is missing.
        command: the verb ("collect").
        config: the resolved configuration, plain JSON values.
        seed: the run's seed, if the command has one.

    Returns:
        True if the same command and configuration began this directory before (so: continue), False if it is new.

    Raises:
        OutputError: the directory holds something else, or another configuration's run, or cannot be read or written.
    """
    try:
        return _claim(directory, command, config, seed)
    except OSError as error:
        raise OutputError(
            f"this directory cannot be written: {error.strerror or error}",
            where=str(directory),
            mend="Give another --out.",
        ) from None


def _claim(directory: Path, command: str, config: dict[str, Any], seed: int | None) -> bool:
    record = directory / RECORD
    if record.exists():
        _check_record(record, command, config)
        return True
    if directory.exists() and not directory.is_dir():
        raise OutputError("this is a file, not a directory", where=str(directory), mend="Give another --out.")
    # A kill between making the directory and renaming the record leaves only the record's temporary file; a run that gave
    # the directory back, its lock.
    if directory.exists() and any(
        not entry.name.startswith(f".{RECORD}.") and entry.name != LOCK_FILE for entry in directory.iterdir()
    ):
        raise OutputError(
            "this directory is not empty and was not made by worldschool",
            where=str(directory),
            mend="Give another --out.",
        )
    write_json(
        record,
        {
            "schema": RUN_SCHEMA,
            "command": command,
            "config": config,
            "seed": seed,
            "versions": package_versions(),
            "commit": source_commit(),
        },
    )
    return False


def _check_record(record: Path, command: str, config: dict[str, Any]) -> None:
    """Check that a record is of this command and configuration."""
    before, directory = read_json(record, what="a run record"), str(record.parent)
    if not isinstance(before, dict):
        raise OutputError(
            f"a mapping is expected, found {type(before).__name__}",
            where=str(record),
            mend="Give another --out.",
        )
    if before.get("command") != command:
        raise OutputError(
            f"this directory was made by `worldschool {before.get('command')}`",
            where=directory,
            mend="Give another --out.",
        )
    if canonical_json(before.get("config")) != canonical_json(config):
        shown = "; ".join(differences(before.get("config"), config)[:5])
        raise OutputError(
            f"this directory belongs to a run with another configuration ({shown})",
            where=directory,
            mend="Give another --out, or the same configuration to continue.",
        )


@contextmanager
def giving_back(directory: Path) -> Iterator[None]:
    """Give a directory that this run claimed back where an error ends it before anything else was written there.

    The mended command, whose configuration is another, can then have it.
    """
    try:
        yield
    except UserError:
        record = directory / RECORD
        if _files(directory) == [record]:
            record.unlink()
            for folder in sorted((path for path in directory.rglob("*") if path.is_dir()), reverse=True):
                (folder / LOCK_FILE).unlink(missing_ok=True)
                folder.rmdir()
        raise


def _files(directory: Path) -> list[Path]:
    """Return the files in a directory and below, those that keep other writers away not among them."""
    return [path for path in directory.rglob("*") if not path.is_dir() and path.name != LOCK_FILE]


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """List where two JSON values differ, each as "key: old -> new"."""
    if isinstance(before, dict) and isinstance(after, dict):
        lines: list[str] = []
        for key in sorted({*before, *after}):
            lines += differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        return lines
    return [] if before == after else [f"{path or 'value'}: {before!r} -> {after!r}"]
