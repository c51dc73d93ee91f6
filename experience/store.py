"""The episode store: a directory of Parquet shards that survives being killed at any moment.

    dataset.json            schema, resolved configuration, run seed, shard size, versions
    shards/NNNNNN.parquet   episodes with index in [N * shard_size, (N + 1) * shard_size)
    manifest.jsonl          one line a committed shard: name, rows, first and last index, sha256, parts

A shard counts when its manifest line does. The file is whole on disk before its line is written; a line torn by a
crash is dropped, and a shard file without a line is ignored and written again.

A dataset made from others (filtered, split, merged: `experience.datasets`) holds their rows unchanged, `index` and
`episode_id` included, so that an episode stays the one it was and its hash too. Such a dataset is made with `gaps`: its
rows are in order of (index, episode_id), some indices are missing or there more than once, and shard N is merely the
N-th in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from worldschool.errors import DatasetError, OutputError
from worldschool.experience.storage.description import (
    DESCRIPTION_FILE,
    describe,
    read_description,
    release_of,
)
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.manifest import Manifest
from worldschool.experience.storage.reading import ShardReader
from worldschool.experience.storage.schema import content_hash, to_episodes, to_rows, to_table
from worldschool.experience.storage.verification import verify
from worldschool.experience.storage.writing import Writer, writing
from worldschool.files import write_json
from worldschool.records import Episode, Split


@dataclass(frozen=True)
class Totals:
    """Counts over all committed episodes."""

    episodes: int
    successes: int
    steps: int
    errors: int


class EpisodeStore:
    """A dataset directory. Made by `create` or `open`; iterating gives the episodes in index order.

    One process writes at a time: the first write takes the directory's lock, and `close`, the end of a `with` block or
    the process's death gives it back. Reading needs no lock and goes on meanwhile.

    Attributes:
        directory: the dataset directory.
        description: what dataset.json holds.
        run_seed: the seed of the run; of datasets merged from several runs, that of the first.
        shard_size: episodes in a shard.
        gaps: whether indices may be missing, as in a dataset made from others.
    """

    def __init__(self, directory: Path, description: dict[str, Any]) -> None:
        self.directory = directory
        self.description = description
        self.run_seed: int = description["run_seed"]
        self.shard_size: int = description["shard_size"]
        self.gaps: bool = bool(description.get("gaps", False))
        self._manifest = Manifest(directory / "manifest.jsonl")
        self._shards = self._manifest.shards
        self._reader = ShardReader(directory, self._manifest, release_of(description))
        self._writer: Writer | None = None

    @classmethod
    def create(
        cls,
        directory: Path | str,
        config: dict[str, Any],
        run_seed: int,
        shard_size: int,
        dynamics: dict[str, str] | None = None,
        *,
        gaps: bool = False,
        sources: Sequence[dict[str, Any]] = (),
    ) -> EpisodeStore:
        """Begin a dataset, and hold the right to write into it.

        Args:
            directory: made if it is missing.
            config: the resolved configuration, plain JSON values.
            run_seed: the seed of the run, kept in the description.
            shard_size: episodes in a shard, the unit of commit; at least 1.
            dynamics: world id to version of its dynamics.
            gaps: indices need not follow one another (see the module).
            sources: what datasets it is made from, plain JSON values.

        Raises:
            OutputError: the directory already holds a dataset, another process writes to it, or it cannot be written.
        """
        directory = Path(directory)
        description = describe(config, run_seed, shard_size, dynamics or {}, gaps, list(sources))
        with writing(directory):
            (directory / "shards").mkdir(parents=True, exist_ok=True)
        store = cls(directory, description)
        store.hold()
        if (directory / DESCRIPTION_FILE).exists():
            raise OutputError(
                "this directory holds a dataset already", where=str(directory), mend="Give another directory."
            )
        with writing(directory):
            write_json(directory / DESCRIPTION_FILE, description)
        return store

    @classmethod
    def open(cls, directory: Path | str, *, empty_ok: bool = False) -> EpisodeStore:
        """Open a dataset.

        Args:
            directory: the dataset directory.
            empty_ok: accept one without a committed shard, as a run that is just beginning has.

        Raises:
            DatasetError: there is no dataset, it is empty or damaged, or a newer release made it.
        """
        directory = Path(directory)
        store = cls(directory, read_description(directory))
        if not store._shards and not empty_ok:
            lost = any((directory / "shards").glob("[0-9]*.parquet"))
            raise DatasetError(
                "the dataset is empty: no shard is committed",
                where=str(directory / "manifest.jsonl"),
                mend=f"If manifest.jsonl was lost, `worldschool repair {directory}` makes it again from the shards."
                if lost
                else "Run `worldschool collect` with this directory and let it finish a shard.",
            )
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Commit what was appended and let another process write. Reading goes on; writing takes the lock again.

        Raises:
            OutputError: what was appended cannot be written.
        """
        try:
            self.flush()
        finally:
            self._writer = None

    def hold(self) -> None:
        """Take the right to write now, instead of at the first write; a run does so before it begins its work.

        Whatever a killed writer left behind is cleared away, and what was committed meanwhile is seen.

        Raises:
            OutputError: another process is writing here, or another store of this process has begun to since.
            DatasetError: the manifest is damaged.
        """
        if self._writer is None:
            self._writer = Writer(
                self.directory, self._manifest, self.shard_size, self.gaps, self._reader.whole
            )
        self._writer.check()

    def commit_shard(self, k: int, episodes: Sequence[Episode]) -> None:
        """Write shard `k` and then its manifest line, each flushed to disk; after this it survives any crash.

        Args:
            k: the shard's number, not committed yet.
            episodes: those with index in [k * shard_size, (k + 1) * shard_size), in order; the last shard may be short.

        Raises:
            ValueError: the episodes are not those of the shard, or it is committed already.
            DatasetError: an episode holds a value that cannot be stored.
            OutputError: the disk is full or fails, or another process is writing here; nothing committed is lost.
        """
        writer = self._writing()
        if k in self._shards:
            raise ValueError(f"shard {k} is committed already")
        first = k * self.shard_size
        indices = [episode.index for episode in episodes]
        if (
            not indices
            or indices != list(range(first, first + len(indices)))
            or len(indices) > self.shard_size
        ):
            raise ValueError(f"shard {k} holds indices from {first} on in order, not {indices[:3]}...")
        writer.commit(k, to_table(episodes))

    def append(self, episodes: Iterable[Episode]) -> None:
        """Add episodes at the end. Whole shards are committed at once; the rest waits for `flush` or `close`.

        Args:
            episodes: in index order, each with the index that comes next (or, in a dataset with gaps, one that comes
                after the last in order of (index, episode_id)), and an id that is not there yet.

        Raises:
            DatasetError: an episode does not come next, its id is there already, or it holds what cannot be stored;
                those before it are kept.
            OutputError: as in `commit_shard`.
        """
        self._writing().append(episodes)

    def append_table(self, table: pa.Table) -> None:
        """Add rows at the end, as `append` does; `table` has the columns of `schema.EPISODE`."""
        self._writing().append_table(table)

    def flush(self) -> None:
        """Commit everything appended; the last shard may be short, and a later append fills it up.

        Raises:
            OutputError: as in `commit_shard`.
        """
        if self._writer is not None:
            self._writer.flush()

    @property
    def waiting(self) -> int:
        """How many appended episodes are not committed yet, as after a `flush` that a full disk refused."""
        return 0 if self._writer is None else self._writer.waiting

    def committed_shards(self) -> list[int]:
        """Return the numbers of the committed shards, sorted."""
        return sorted(self._shards)

    def __len__(self) -> int:
        return sum(shard.rows for shard in self._shards.values())

    def __iter__(self) -> Iterator[Episode]:
        return self.scan()

    def scan(self, split: Split | None = None, *, where: EpisodeFilter | None = None) -> Iterator[Episode]:
        """Yield the episodes (of one split, or that pass a filter) in index order; one row group is in memory at a time.

        Raises:
            DatasetError: a shard is missing or damaged, when it is reached.
        """
        if split is not None:
            where = (where or EpisodeFilter()).model_copy(update={"split": split})
        for table in self.tables(where=where):
            yield from to_episodes(table)

    def rows(
        self, columns: Sequence[str] | None = None, *, where: EpisodeFilter | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the stored rows (the form of `Episode.to_json`) in index order; `columns` and `where` as in `tables`.

        Raises:
            DatasetError: a shard is missing or damaged, when it is reached.
        """
        for table in self.tables(columns, where=where):
            yield from to_rows(table)

    def tables(
        self, columns: Sequence[str] | None = None, *, where: EpisodeFilter | None = None
    ) -> Iterator[pa.Table]:
        """Yield the episodes as Arrow tables of about 500 steps, in index order.

        Args:
            columns: which to read, nested ones with dots ("steps.action"); `schema.WITHOUT_STEPS` leaves out nearly
                all of the bytes. None reads all.
            where: which episodes; the other columns of row groups that hold none of them are not read.

        Raises:
            DatasetError: there is no such column, or a shard is missing or damaged, when it is reached.
        """
        return self._reader.tables(columns, where)

    def read(self, episode_id: str) -> Episode:
        """Return one episode; of its shard, only the ids and the episode's row group are read.

        Raises:
            DatasetError: there is none with this id.
        """
        table = self._reader.episode(episode_id)
        if table is None:
            raise DatasetError(f"there is no episode {episode_id!r}", where=str(self.directory))
        return to_episodes(table)[0]

    def totals(self) -> Totals:
        """Count episodes, successes, steps and errors; reads those columns only.

        Raises:
            DatasetError: a shard is missing or damaged.
        """
        episodes = successes = steps = errors = 0
        for table in self.tables(["success", "length", "error"]):
            episodes += table.num_rows
            successes += pc.sum(table.column("success")).as_py() or 0
            steps += pc.sum(table.column("length")).as_py() or 0
            errors += table.num_rows - table.column("error").null_count
        return Totals(episodes, successes, steps, errors)

    def content_hash(self) -> str:
        """Return the sha256 of all episodes in index order, whatever the shards (see `schema.content_hash`)."""
        return content_hash(self.rows())

    @property
    def complete(self) -> bool:
        """Whether every index from 0 to the last is there, each once: a run without gaps that is not interrupted."""
        return not self.gaps and self.committed_shards() == list(range(len(self._shards)))

    def shard_files(self) -> list[Path]:
        """Return the files of the committed shards, in order."""
        return [self.directory / "shards" / self._shards[k].shard for k in self.committed_shards()]

    def shard_digests(self) -> list[str]:
        """Return the sha256 of every committed shard, in order: what tells this state of the dataset from another."""
        return [self._shards[k].sha256 for k in self.committed_shards()]

    def check_schemas(self) -> None:
        """Check that every shard has a schema that this release reads; their bytes are not compared.

        Raises:
            DatasetError: one has not, or is no Parquet file.
        """
        for k in self.committed_shards():
            self._reader.check_schema(k)

    def verify(self) -> list[str]:
        """Check every shard against the manifest; returns the problems found, one sentence each, or an empty list.

        `verification.verify` tells more.
        """
        return [str(problem) for problem in verify(self.directory).problems]

    def _writing(self) -> Writer:
        self.hold()
        assert self._writer is not None
        return self._writer
