"""Datasets made from datasets: some of the episodes, parts without a world in common, several as one, fewer shards.

Rows are taken over unchanged, `index` and `episode_id` included: an episode stays the one it was, wherever it is kept.
The order is that of (index, episode_id) everywhere, so merging the parts of a split gives the content hash of what was
split, and the order in which datasets are merged does not matter. Interrupted, the same call continues.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from worldschool.errors import DatasetError
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.parts import by_column, by_world
from worldschool.experience.store import EpisodeStore
from worldschool.progress import Advance, silent
from worldschool.runs import claim_output


@dataclass(frozen=True)
class MadeDataset:
    """A dataset that was made from others.

    Attributes:
        directory: where it is.
        episodes: how many it holds.
        steps: steps of all of them.
        duplicates: episodes that several sources held alike, and that are there once.
        content_hash: of the dataset, where the verb promises something about it.
    """

    directory: str
    episodes: int
    steps: int
    duplicates: int = 0
    content_hash: str | None = None


def filter_dataset(
    source: EpisodeStore, out: Path | str, where: EpisodeFilter, advance: Advance = silent
) -> MadeDataset:
    """Keep the episodes that pass a filter.

    Raises:
        DatasetError: none does, or the source is damaged.
        OutputError: `out` belongs to something else or cannot be written.
    """
    count = sum(table.num_rows for table in source.tables(["index"], where=where))
    if not count:
        raise DatasetError(
            "no episode passes the filter",
            where=str(source.directory),
            mend="Ask for less, or of another dataset.",
        )
    made = _Making(Path(out), "dataset filter", {"where": where.to_json()}, [source], source.shard_size)
    return made.write(source.tables(where=where), advance)


def split_dataset(
    source: EpisodeStore,
    out: Path | str,
    shares: Mapping[str, float] | None = None,
    seed: int = 0,
    advance: Advance = silent,
) -> dict[str, MadeDataset]:
    """Cut a dataset into parts that share no world: `out/NAME` for each part that has episodes.

    Without shares the parts are those of the `split` column. With them, every world seed is given to a part by chance:
    episodes with the same world and seed stay together, and which part a world falls into depends on nothing but it and
    `seed`, so that a longer run of the same worlds is cut alike. The shares are met on average.

    Args:
        source: the dataset.
        out: the directory of the parts.
        shares: part name to its share; they sum to 1.
        seed: fixes which world goes where.
        advance: told of every episode.

    Raises:
        ConfigError: the shares are none, or a name cannot be a directory's.
        DatasetError, OutputError: as in `filter_dataset`.
    """
    settings: dict[str, Any] = {"by": "split"}
    if shares is not None:
        settings = {"by": "world seed", "shares": dict(shares), "seed": seed}
    part_of = by_column if shares is None else by_world(shares, seed)
    out = Path(out)
    parts: dict[str, _Making] = {}
    claim_output(out, "dataset split", {**settings, "sources": [described(source)]})
    for table in source.tables():
        given = pa.array(part_of(table))
        for name in pc.unique(given).to_pylist():
            if name not in parts:
                parts[name] = _Making(
                    out / name, "dataset split", {**settings, "part": name}, [source], source.shard_size
                )
            parts[name].take(table.filter(pc.equal(given, name)))
        advance(table.num_rows)
    return {name: parts[name].finish() for name in sorted(parts)}


def merge_datasets(
    sources: Sequence[EpisodeStore], out: Path | str, advance: Advance = silent
) -> MadeDataset:
    """Join datasets into one, in order of (index, episode_id), whatever the order they are given in.

    An episode that several hold alike is kept once.

    Raises:
        DatasetError: episodes differ and have one id, the sources have other versions of a world's dynamics or schemas
            that do not fit together, or one is damaged.
        OutputError: as in `filter_dataset`.
    """
    dynamics: dict[str, tuple[str, EpisodeStore]] = {}
    for store in sources:
        store.check_schemas()
        for world, version in store.description.get("dynamics", {}).items():
            known, other = dynamics.setdefault(world, (version, store))
            if known != version:
                raise DatasetError(
                    f"its episodes were lived by version {version!r} of {world}, those of {other.directory} by {known!r}",
                    where=str(store.directory),
                    mend="Merge datasets of one version, so that all of it can be lived again.",
                )
    size = max(store.shard_size for store in sources)
    merging = _Merging(sources)
    made = _Making(Path(out), "dataset merge", {}, sources, size).write(merging.tables(), advance)
    return MadeDataset(made.directory, made.episodes, made.steps, merging.duplicates)


def compact_dataset(
    source: EpisodeStore, out: Path | str, shard_size: int | None = None, advance: Advance = silent
) -> MadeDataset:
    """Write a dataset anew in full shards; the content hash stays.

    Args:
        source: the dataset.
        out: where to.
        shard_size: episodes in a shard; None keeps the source's.
        advance: told of every episode.

    Raises:
        DatasetError, OutputError: as in `filter_dataset`.
    """
    size = source.shard_size if shard_size is None else shard_size
    making = _Making(
        Path(out), "dataset compact", {"shard_size": size}, [source], size, gaps=not source.complete
    )
    made = making.write(source.tables(), advance)
    found, expected = EpisodeStore.open(out).content_hash(), source.content_hash()
    if found != expected:
        raise RuntimeError(f"compacting changed the content hash from {expected} to {found}")
    return MadeDataset(made.directory, made.episodes, made.steps, content_hash=found)


def described(store: EpisodeStore) -> dict[str, Any]:
    """Return what a dataset made from this one says of it."""
    digests = "".join(store.shard_digests())
    return {
        "directory": str(store.directory),
        "episodes": len(store),
        "shards_sha256": hashlib.sha256(digests.encode()).hexdigest(),
        "run_seed": store.run_seed,
        "config": store.description["config"],
    }


class _Making:
    """A dataset being made; one that an interrupted call began is continued after its last committed episode."""

    def __init__(
        self,
        out: Path,
        command: str,
        settings: dict[str, Any],
        sources: Sequence[EpisodeStore],
        shard_size: int,
        *,
        gaps: bool = True,
    ) -> None:
        told = [described(source) for source in sources]
        begun = claim_output(out, command, {**settings, "sources": told})
        if begun and (out / "dataset.json").exists():
            self._store = EpisodeStore.open(out, empty_ok=True)
            self._store.hold()
        else:
            dynamics = {k: v for one in sources for k, v in one.description.get("dynamics", {}).items()}
            config = {"command": command, **settings}
            self._store = EpisodeStore.create(
                out, config, sources[0].run_seed, shard_size, dynamics, gaps=gaps, sources=told
            )
        self._skip = len(self._store)

    def take(self, table: pa.Table) -> None:
        """Add rows; those that are committed already are passed over."""
        known = min(self._skip, table.num_rows)
        self._skip -= known
        if known < table.num_rows:
            self._store.append_table(table.slice(known))

    def finish(self) -> MadeDataset:
        """Commit what is left."""
        self._store.close()
        totals = self._store.totals()
        return MadeDataset(str(self._store.directory), totals.episodes, totals.steps)

    def write(self, tables: Iterable[pa.Table], advance: Advance) -> MadeDataset:
        """Add all of the tables and finish."""
        for table in tables:
            self.take(table)
            advance(table.num_rows)
        return self.finish()


class _Row(NamedTuple):
    """One row of a source, in the order in which rows are merged: by `place` (its index), then id."""

    place: int
    episode_id: str
    source: int
    row: int
    table: pa.Table


class _Merging:
    """Brings the rows of several datasets into one order; one row group of each is in memory."""

    def __init__(self, sources: Sequence[EpisodeStore]) -> None:
        self._sources = sources
        self.duplicates = 0

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows as slices of the sources' row groups."""
        begin = last = None  # the run of neighbouring rows that is to be yielded next
        for row in heapq.merge(*map(self._rows, range(len(self._sources))), key=lambda row: row[:3]):
            if begin is None or last is None:
                begin = row
            elif row[:2] == last[:2]:
                self._check_same(last, row)
                self.duplicates += 1
                continue
            elif row.table is not last.table:
                yield begin.table.slice(begin.row, last.row + 1 - begin.row)
                begin = row
            last = row
        if begin is not None and last is not None:
            yield begin.table.slice(begin.row, last.row + 1 - begin.row)

    def _rows(self, number: int) -> Iterator[_Row]:
        for table in self._sources[number].tables():
            keys = zip(table.column("index").to_pylist(), table.column("episode_id").to_pylist(), strict=True)
            for row, (index, episode_id) in enumerate(keys):
                yield _Row(index, episode_id, number, row, table)

    def _check_same(self, one: _Row, other: _Row) -> None:
        if not one.table.slice(one.row, 1).equals(other.table.slice(other.row, 1)):
            where = " and ".join(str(self._sources[row.source].directory) for row in (one, other))
            raise DatasetError(
                f"both hold an episode {one.episode_id!r}, and they differ",
                where=where,
                mend="Runs of one configuration give the same episodes; `worldschool verify --replay` tells which is right.",
            )
