"""Reading a dataset's shards: row group by row group, some columns, some episodes, one episode by its id."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from worldschool.errors import DatasetError, nearest
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.manifest import Manifest, Shard
from worldschool.experience.storage.schema import EPISODE
from worldschool.experience.storage.shards import ShardFile, open_parquet
from worldschool.experience.storage.writing import beside

SHARDS_REMEMBERED = 256
"""Shards whose episode ids are kept in memory for reading by id."""


class ShardReader:
    """Reads the committed shards of a dataset. The bytes of each file are compared with their checksum once.

    Args:
        directory: the dataset directory.
        manifest: tells which shards there are.
        release: the release that wrote the dataset, if known.
    """

    def __init__(self, directory: Path, manifest: Manifest, release: str | None) -> None:
        self.directory, self._manifest, self._release = directory, manifest, release
        self._shards = manifest.shards
        self._compared: dict[Path, tuple[int, ...]] = {}  # files whose checksum was found right
        self._places: OrderedDict[Shard, dict[str, tuple[int, int]]] = OrderedDict()

    def open(self, k: int) -> ShardFile:
        """Open a committed shard; one that was written longer since the manifest was read is taken as it is now.

        Raises:
            DatasetError: it is missing or damaged.
        """
        try:
            return self._open_as(self._shards[k])
        except DatasetError:
            newer = Manifest(self._manifest.path).shards.get(k)
            if newer is None or newer == self._shards[k]:
                raise
            self._shards[k] = newer
            return self._open_as(newer)

    def check_schema(self, k: int) -> None:
        """Check that a shard has a schema that this release reads; its bytes are not compared.

        Raises:
            DatasetError: it has not, or is no Parquet file.
        """
        open_parquet(self.directory / "shards" / self._shards[k].shard, self._release)[0].close()

    def whole(self, k: int, columns: Sequence[str] | None) -> pa.Table:
        """Return columns (None: all) of a whole shard.

        Raises:
            DatasetError: it is missing or damaged.
        """
        with self.open(k) as file:
            return pa.concat_tables([file.read(group, columns) for group in range(file.groups)])

    def tables(self, columns: Sequence[str] | None, where: EpisodeFilter | None) -> Iterator[pa.Table]:
        """Yield row groups; see `EpisodeStore.tables`."""
        for name in columns or ():
            if name.partition(".")[0] not in EPISODE.names:
                raise DatasetError(
                    f"episodes have no column {name!r}",
                    where=str(self.directory),
                    mend=f"Columns are {', '.join(EPISODE.names)}.{nearest(name, EPISODE.names)}",
                )
        where = None if where is None or where.empty else where
        for k in sorted(self._shards):
            if where is not None and not _overlaps(self._shards[k], where):
                continue
            with self.open(k) as file:
                for group in range(file.groups):
                    mask = None if where is None else where.mask(file.read(group, where.columns))
                    if mask is None or pc.any(mask).as_py():
                        table = file.read(group, columns)
                        yield table if mask is None else table.filter(mask)

    def episode(self, episode_id: str) -> pa.Table | None:
        """Return the row of one episode, or None if there is none; only ids and one row group are read.

        Raises:
            DatasetError: a shard is missing or damaged.
        """
        for k in self._likely_first(episode_id):
            if episode_id not in self._places.get(self._shards[k], {episode_id: None}):
                continue
            with self.open(k) as file:
                place = self._ids(file).get(episode_id)
                if place is not None:
                    group, row = place
                    return file.read(group).slice(row, 1)
        return None

    def _open_as(self, shard: Shard) -> ShardFile:
        path = self.directory / "shards" / shard.shard
        if beside(path).exists():
            with suppress(DatasetError):  # its line was never written, or it has just been put in its place
                return ShardFile(beside(path), shard, self._compared, self._release)
        return ShardFile(path, shard, self._compared, self._release)

    def _ids(self, file: ShardFile) -> dict[str, tuple[int, int]]:
        """Return a shard's episode ids and where they are: (row group, row)."""
        if file.shard not in self._places:
            self._places[file.shard] = {
                episode_id: (group, row)
                for group in range(file.groups)
                for row, episode_id in enumerate(file.read(group, ["episode_id"]).column(0).to_pylist())
            }
            while len(self._places) > SHARDS_REMEMBERED:
                self._places.popitem(last=False)
        return self._places[file.shard]

    def _likely_first(self, episode_id: str) -> list[int]:
        """Return the shards' numbers, first those where the index in the id's last part lies."""
        last = episode_id.rpartition("-")[2]
        index = int(last) if last.isascii() and last.isdecimal() else -1

        def unlikely(k: int) -> tuple[bool, int]:
            return not self._shards[k].first <= index <= self._shards[k].last, k

        return sorted(self._shards, key=unlikely)


def _overlaps(shard: Shard, where: EpisodeFilter) -> bool:
    """Return whether a shard can hold an index that the filter asks for."""
    return (where.first is None or shard.last >= where.first) and (
        where.last is None or shard.first <= where.last
    )
