"""The manifest of a dataset: which shards are committed. A line counts once it is on disk with its newline."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from worldschool.errors import DatasetError
from worldschool.files import sync_directory


def shard_name(k: int) -> str:
    """Return the file name of shard `k`."""
    return f"{k:06d}.parquet"


@dataclass(frozen=True)
class Shard:
    """A committed shard, as its manifest line tells it: `first` and `last` are episode indices, both inside."""

    shard: str
    rows: int
    first: int
    last: int
    sha256: str

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


class Manifest:
    """The lines of `manifest.jsonl`, read once and then appended to.

    Attributes:
        shards: the committed shards by number. A shard that has two lines (two runs in one directory) has the later.

    Raises:
        DatasetError: a line other than the last is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shards: dict[int, Shard] = {}
        self._length = 0  # bytes of whole lines
        self._read()

    def append(self, shard: Shard) -> None:
        """Add a shard's line and flush it to disk, over whatever a crash left of a torn line."""
        line = json.dumps(asdict(shard)).encode() + b"\n"
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "r+b") as file:
            file.truncate(self._length)
            file.seek(self._length)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(self.path.parent)
        self._length += len(line)
        self.shards[shard.number] = shard

    def _read(self) -> None:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        lines = data.splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            del lines[-1]  # it was being written when the run was killed
        for number, line in enumerate(lines, start=1):
            try:
                shard = Shard(**json.loads(line))
                self.shards[shard.number] = shard
            except (ValueError, TypeError, AttributeError):
                if number == len(lines):
                    return  # a torn line can hold any bytes, a newline among them
                raise DatasetError(
                    "this line is damaged",
                    where=f"{self.path}, line {number}",
                    mend="Delete the line and run the same `worldschool collect` command again to mend the shard.",
                ) from None
            self._length += len(line)
