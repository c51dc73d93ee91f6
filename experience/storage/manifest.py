"""The manifest of a dataset: which shards are committed. A line counts once it is on disk with its newline."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from worldschool.errors import DatasetError
from worldschool.files import sync_directory, write_atomic


def shard_name(k: int) -> str:
    """Return the file name of shard `k`."""
    return f"{k:06d}.parquet"


@dataclass(frozen=True)
class Shard:
    """A committed shard, as its manifest line tells it: `first` and `last` are episode indices, both inside.

    Attributes:
        parts: the file cut at its row groups, each part as (the byte where it ends, its sha256): one part a row group,
            and at last the footer. It proves which row groups of a damaged file are whole. Empty in older lines.
    """

    shard: str
    rows: int
    first: int
    last: int
    sha256: str
    parts: tuple[tuple[int, str], ...] = ()

    @property
    def number(self) -> int:
        """The shard's number k.

        Raises:
            ValueError: the name is not that of a shard.
        """
        number = int(self.shard.removesuffix(".parquet"))
        if self.shard != shard_name(number):
            raise ValueError(f"{self.shard!r} is no shard's name")
        return number

    def line(self) -> bytes:
        """Return the manifest line, its newline included."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Shard:
        """Read a manifest line; keys that a later release added are left aside.

        Raises:
            ValueError: it is no such line.
        """
        values: Any = json.loads(line)
        if not isinstance(values, dict):
            raise ValueError("a JSON object is expected")  # noqa: TRY004 (one kind of error for a line)
        try:
            known = {item.name: values[item.name] for item in fields(cls) if item.name in values}
            known["parts"] = tuple((int(end), str(digest)) for end, digest in known.get("parts", ()))
            shard = cls(**known)
        except TypeError as error:
            raise ValueError(str(error)) from None
        if not all(isinstance(n, int) for n in (shard.rows, shard.first, shard.last)):
            raise ValueError("rows, first and last are whole numbers")
        if not isinstance(shard.shard, str) or not isinstance(shard.sha256, str) or shard.number < 0:
            raise ValueError("shard and sha256 are texts")
        return shard


@dataclass(frozen=True)
class DamagedLine:
    """A manifest line that cannot be read: its number from 1, the byte where it starts, and its bytes."""

    number: int
    start: int
    line: bytes


@dataclass(frozen=True)
class ManifestLines:
    """What stands in a manifest.

    Attributes:
        shards: by number; a shard that has two lines has the later.
        damaged: lines that cannot be read, without one that a crash tore.
        whole: bytes up to the end of the last line that can be read.
        torn: whether bytes follow the last newline: a line that was being written when its run was killed.
    """

    shards: dict[int, Shard]
    damaged: tuple[DamagedLine, ...]
    whole: int
    torn: bool


def read_lines(path: Path) -> ManifestLines:
    """Read a manifest as far as it goes; one that is missing has no lines.

    Raises:
        DatasetError: the file cannot be read at all.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as error:
        raise DatasetError(f"the manifest cannot be read: {error}", where=str(path)) from None
    shards: dict[int, Shard] = {}
    damaged = []
    whole = end = 0
    *lines, rest = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        start, end = end, end + len(line) + 1
        try:
            shard = Shard.from_line(line)
            shards[shard.number] = shard
            whole = end
        except ValueError:
            damaged.append(DamagedLine(number, start, line))
    return ManifestLines(shards, tuple(damaged), whole, bool(rest))


class Manifest:
    """The lines of `manifest.jsonl`, read once and then appended to.

    Attributes:
        shards: the committed shards by number. A shard that has two lines (it was extended) has the later.

    Raises:
        DatasetError: a line other than the last is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shards: dict[int, Shard] = {}
        self._length = 0  # bytes of whole lines
        self.reload()

    def reload(self) -> None:
        """Read the lines again: another process may have appended some.

        Raises:
            DatasetError: a line other than the last is damaged.
        """
        found = read_lines(self.path)
        # A line that is being torn can hold any bytes, a newline among them: after the last whole one all is dropped.
        before = [bad for bad in found.damaged if bad.start < found.whole]
        if before:
            raise DatasetError(
                "this line is damaged",
                where=f"{self.path}, line {before[0].number}",
                mend=f"Run `worldschool repair {self.path.parent}`: it keeps every shard that is whole.",
            )
        self.shards.clear()
        self.shards.update(found.shards)
        self._length = found.whole

    def append(self, shard: Shard) -> None:
        """Add a shard's line and flush it to disk, over whatever a crash left of a torn line.

        Raises:
            OSError: the disk is full or fails; the file is as it was, as far as the disk allows.
        """
        line = shard.line()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            file.truncate(self._length)
            file.seek(self._length)
            try:
                _write_all(file, line)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(self._length)
                raise
        sync_directory(self.path.parent)
        self._length += len(line)
        self.shards[shard.number] = shard


def write_manifest(path: Path, shards: Iterable[Shard]) -> None:
    """Write a manifest anew, atomically, in the shards' order."""
    write_atomic(path, b"".join(shard.line() for shard in sorted(shards, key=lambda shard: shard.number)))


def _write_all(file: Any, data: bytes) -> None:
    """Write everything: an unbuffered write may take a part only when the disk fills up, and the next tells why."""
    while data:
        data = data[file.write(data) :]
