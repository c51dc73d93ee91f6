"""One shard: a Parquet file of episodes, in row groups of about STEPS_PER_ROW_GROUP steps, checked before it is read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from worldschool.errors import DatasetError
from worldschool.experience.storage.manifest import Shard
from worldschool.experience.storage.schema import ADDED_COLUMNS, EPISODE, Reader, reader_of
from worldschool.files import sha256_file

STEPS_PER_ROW_GROUP = 500
PARQUET = {
    "compression": "zstd",
    "write_page_checksum": True,
    # The smallest and largest value of a row group serve to find episodes; of texts they would only fill the footer.
    "write_statistics": ["episode_id", "index", "split", "success", "length"],
}


@dataclass(frozen=True)
class EncodedShard:
    """A shard's bytes, and where its row groups end in them (see `manifest.Shard.parts`)."""

    data: bytes
    parts: tuple[tuple[int, str], ...]
    sha256: str


def encode_shard(table: pa.Table) -> EncodedShard:
    """Return a table of episodes (of the schema EPISODE) as a Parquet file."""
    sink = io.BytesIO()
    ends = [0]
    with pq.ParquetWriter(sink, EPISODE, **PARQUET) as writer:
        for group in row_groups(table):
            writer.write_table(group)
            ends.append(sink.tell())
    data = sink.getvalue()
    ends.append(len(data))
    view = memoryview(data)
    parts = tuple((end, hashlib.sha256(view[begin:end]).hexdigest()) for begin, end in pairwise(ends))
    return EncodedShard(data, parts, hashlib.sha256(data).hexdigest())


def row_groups(table: pa.Table) -> Iterator[pa.Table]:
    """Cut a table of episodes into pieces of about STEPS_PER_ROW_GROUP steps, each of at least one episode."""
    begin = steps = 0
    for row, length in enumerate(table.column("length").to_pylist(), start=1):
        steps += length
        if steps >= STEPS_PER_ROW_GROUP:
            yield table.slice(begin, row - begin)
            begin, steps = row, 0
    if begin < table.num_rows:
        yield table.slice(begin)


class ShardFile:
    """An open shard whose bytes are those that the manifest tells.

    Args:
        path: the file.
        shard: its manifest line.
        known: files whose bytes were compared before, with their identity (see `identity`); this one is added.
        release: the release that wrote the dataset, named if its schema is newer than ours.

    Raises:
        DatasetError: the file is missing or damaged, or its schema is none that this release reads.
    """

    def __init__(
        self, path: Path, shard: Shard, known: dict[Path, tuple[int, ...]], release: str | None = None
    ) -> None:
        self.path, self.shard = path, shard
        self._check_bytes(known)
        self._file, self._reader = open_parquet(path, release)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    @property
    def groups(self) -> int:
        """How many row groups there are."""
        return int(self._file.num_row_groups)

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a row group as a table of today's columns (see `read_group`).

        Raises:
            DatasetError: it cannot be decoded.
        """
        return read_group(self._file, self._reader, group, columns, self.path)

    def column(self, name: str) -> list[Any]:
        """Return one column of the whole shard."""
        return [
            value for group in range(self.groups) for value in self.read(group, [name]).column(0).to_pylist()
        ]

    def _check_bytes(self, known: dict[Path, tuple[int, ...]]) -> None:
        try:
            now = identity(self.path)
            if known.get(self.path) == now:
                return
            found = sha256_file(self.path)
        except FileNotFoundError:
            raise DatasetError(
                "this committed shard is missing", where=str(self.path), mend=mend(self.path)
            ) from None
        except OSError as error:
            raise DatasetError(f"the shard cannot be read: {error}", where=str(self.path)) from None
        if found != self.shard.sha256:
            raise DatasetError(
                f"the file was changed or damaged: its sha256 is {found[:12]}..., manifest.jsonl says "
                f"{self.shard.sha256[:12]}...",
                where=str(self.path),
                mend=mend(self.path),
            )
        known[self.path] = now


def mend(path: Path) -> str:
    """Return what to do about a damaged shard."""
    return f"Run `worldschool repair {path.parent.parent}`: it keeps the rest."


def identity(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written or replaced: inode, size and time of the last write."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def open_parquet(path: Path, release: str | None = None, *, checksums: bool = False) -> tuple[Any, Reader]:
    """Open a shard's file as pyarrow's ParquetFile; returns it with the reader of its schema.

    Args:
        path: the file.
        release: the release that wrote the dataset, if known.
        checksums: compare the checksum of every page that is read.

    Raises:
        DatasetError: it is no Parquet file, or its schema is none that this release reads.
    """
    try:
        file = pq.ParquetFile(path, page_checksum_verification=checksums)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(
            f"this is no readable Parquet file: {error}", where=str(path), mend=mend(path)
        ) from None
    try:
        return file, reader_of(file.schema_arrow, str(path), release)
    except BaseException:
        file.close()
        raise


def read_group(file: Any, reader: Reader, group: int, columns: Sequence[str] | None, path: Path) -> pa.Table:
    """Return a row group as a table of today's columns.

    Args:
        file: pyarrow's ParquetFile.
        reader: of the file's schema.
        group: the row group's number.
        columns: names of columns, nested ones with dots ("steps.action"); None for all.
        path: names the file in the errors.

    Raises:
        DatasetError: it cannot be decoded.
    """
    wanted = list(columns) if columns is not None else EPISODE.names
    try:
        if reader.upgrade is not None:
            whole = reader.upgrade(file.read_row_group(group, use_threads=False))
            return whole.select(
                [name for name in EPISODE.names if name in {one.partition(".")[0] for one in wanted}]
            )
        names = set(file.schema_arrow.names)
        stored = [name for name in wanted if name.partition(".")[0] in names]
        # A row group is too small for threads to gain what they cost.
        table = file.read_row_group(group, columns=[_leaf(name) for name in stored], use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(
            f"row group {group} cannot be read: {error}", where=str(path), mend=mend(path)
        ) from None
    for name in ADDED_COLUMNS:
        if name in wanted and name not in stored:
            rows = file.metadata.row_group(group).num_rows
            table = table.append_column(EPISODE.field(name), pa.array([""] * rows, pa.string()))
    order = [name for name in EPISODE.names if name in table.column_names]
    return table.select(order)


def _leaf(name: str) -> str:
    """Return a column's path in the file: Parquet puts "list.element" between a list and what it holds."""
    first, *rest = name.split(".")
    return ".list.element.".join([first, *rest])
