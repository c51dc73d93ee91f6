"""What of a shard's file is provably what was written, whatever happened to the file or to its manifest line."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from worldschool.errors import DatasetError
from worldschool.experience.storage.manifest import Shard
from worldschool.experience.storage.schema import faults
from worldschool.experience.storage.shards import encode_shard, open_parquet, read_group


def sound_row_groups(path: Path, shard: Shard) -> pa.Table | None:
    """Return the episodes of a damaged shard whose bytes are provably those that were written, or None.

    The footer tells where the row groups are and how they are encoded, so without it nothing is.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    cuts = [0, *(end for end, _ in shard.parts)]
    if len(cuts) < 2 or cuts[-1] != len(data):
        return None
    sound = [
        hashlib.sha256(data[begin:end]).hexdigest() == digest
        for (begin, end), (_, digest) in zip(pairwise(cuts), shard.parts, strict=True)
    ]
    if not sound[-1]:
        return None
    try:
        file, reader = open_parquet(path, checksums=True)
        with file:
            tables = [
                read_group(file, reader, group, None, path)
                for group, whole in enumerate(sound[:-1])
                if whole and group < file.num_row_groups
            ]
    except DatasetError:
        return None
    tables = [table for table in tables if not faults(table)]
    return pa.concat_tables(tables).combine_chunks() if tables else None


def decoded(path: Path) -> pa.Table | None:
    """Return everything in a Parquet file if every page has its checksum, or None."""
    try:
        file, reader = open_parquet(path, checksums=True)
        with file:
            tables = [read_group(file, reader, group, None, path) for group in range(file.num_row_groups)]
    except DatasetError:
        return None
    return pa.concat_tables(tables).combine_chunks() if tables else None


def parts_of(table: pa.Table, digest: str) -> tuple[tuple[int, str], ...]:
    """Return where the row groups of a file end, if it is what this release writes for its episodes."""
    encoded = encode_shard(table)
    return encoded.parts if encoded.sha256 == digest else ()
