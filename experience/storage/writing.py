"""Writing into a dataset: one writer at a time, whole shards, each committed by its manifest line.

A shard is written whole under a temporary name, flushed and renamed; then its line is appended and flushed. To make a
short last shard longer, the longer file is written beside it, committed by its line, and then put in its place: at any
instant one of the two files is the one that the last line tells.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from worldschool.errors import DatasetError, OutputError
from worldschool.experience.storage.description import DESCRIPTION_FILE
from worldschool.experience.storage.manifest import Manifest, Shard, shard_name
from worldschool.experience.storage.schema import EPISODE, faults, to_table
from worldschool.experience.storage.shards import STEPS_PER_ROW_GROUP, encode_shard
from worldschool.files import sha256_file, sync_directory, write_atomic
from worldschool.locking import WriterLock, lock_directory
from worldschool.records import Episode

ReadShard = Callable[[int, Sequence[str] | None], pa.Table]
"""Reads columns (None: all) of a committed shard."""


class Writer:
    """Commits shards to a dataset, and gathers appended episodes into them.

    Args:
        directory: the dataset directory.
        manifest: of the dataset; kept up to date here.
        shard_size: episodes in a shard.
        gaps: whether indices may be missing (see `experience.store`).
        read: reads a committed shard.

    Raises:
        OutputError: another process is writing there, or the directory cannot be written.
    """

    def __init__(
        self, directory: Path, manifest: Manifest, shard_size: int, gaps: bool, read: ReadShard
    ) -> None:
        self.directory, self._manifest, self._read = directory, manifest, read
        self._size, self._gaps = shard_size, gaps
        self._lock: WriterLock = lock_directory(directory, self)
        with self._lock.mutex:
            manifest.reload()
            self._clear_leftovers()
        self._tail: _Tail | None = None
        self._episodes: list[Episode] = []
        self._before: tuple[int, str] | None = None  # the last key before them
        self._tables: list[pa.Table] = []

    def check(self) -> None:
        """Check that this is still the writer.

        Raises:
            OutputError: another one of this process has taken its place.
        """
        if not self._lock.belongs_to(self):
            raise OutputError(
                "this dataset was opened a second time in this process and is being written there",
                where=str(self.directory),
                mend="Write with one EpisodeStore at a time.",
            )

    def commit(self, k: int, table: pa.Table) -> None:
        """Write shard `k`, or write it longer, and then its manifest line.

        Args:
            k: the shard's number.
            table: all of its episodes, in order.

        Raises:
            DatasetError: a value cannot be stored.
            OutputError: the disk is full or fails, or there is another writer; nothing committed is lost.
        """
        self.check()
        wrong = faults(table)
        if wrong:
            raise DatasetError(f"an episode cannot be stored: {wrong[0]}", where=f"shard {k}")
        encoded = encode_shard(table)
        indices = table.column("index")
        first, last = indices[0].as_py(), indices[-1].as_py()
        shard = Shard(shard_name(k), table.num_rows, first, last, encoded.sha256, encoded.parts)
        final = self.directory / "shards" / shard.shard
        longer = k in self._manifest.shards
        path = beside(final) if longer else final
        with self._lock.mutex, writing(self.directory, self._rows()):
            write_atomic(path, encoded.data)
            try:
                self._manifest.append(shard)
            except OSError:
                path.unlink(missing_ok=True)
                raise
            if longer:
                path.replace(final)
                sync_directory(final.parent)

    def append(self, episodes: Iterable[Episode]) -> None:
        """Take episodes at the end, and commit the shards that they fill."""
        self.check()
        tail = self._find_tail()
        steps = 0
        try:
            for episode in episodes:
                before = tail.last
                tail.take(episode.index, episode.episode_id)
                if not self._episodes:
                    self._before = before
                self._episodes.append(episode)
                steps += episode.length
                if steps >= STEPS_PER_ROW_GROUP:
                    self._gather()
                    self._commit_full()
                    steps = 0
        finally:
            self._gather()
            self._commit_full()

    def append_table(self, table: pa.Table) -> None:
        """Take rows (with the columns of `schema.EPISODE`) at the end, and commit the shards that they fill."""
        self.check()
        tail = self._find_tail()
        for index, episode_id in _keys(table):
            tail.take(index, episode_id)
        self._tables.append(table.select(EPISODE.names))
        self._commit_full()

    @property
    def waiting(self) -> int:
        """How many of the episodes taken are not committed."""
        return sum(table.num_rows for table in self._tables)

    def flush(self) -> None:
        """Commit everything taken; the last shard may be short. What cannot be written waits for the next call."""
        while self._tables:
            self._commit_next()

    def _gather(self) -> None:
        """Make the episodes taken a table; one that cannot be stored is dropped with those after it."""
        episodes, self._episodes = self._episodes, []
        if not episodes:
            return
        try:
            self._tables.append(_storable(episodes))
        except DatasetError:
            last = self._before
            for place, episode in enumerate(episodes):
                try:
                    self._tables.append(_storable([episode]))
                except DatasetError:
                    self._find_tail().forget(episodes[place:], last)
                    raise
                last = episode.index, episode.episode_id

    def _commit_full(self) -> None:
        while self.waiting >= self._place()[1]:
            self._commit_next()

    def _commit_next(self) -> None:
        """Commit the next shard, or fill up the last one, from what was taken."""
        k, room = self._place()
        taken = pa.concat_tables(self._tables)
        table = taken.slice(0, room)
        if k in self._manifest.shards:
            table = pa.concat_tables([self._read(k, None), table])
        self.commit(k, table.combine_chunks())
        self._tables = [taken.slice(room)] if taken.num_rows > room else []

    def _place(self) -> tuple[int, int]:
        """Return the number of the shard that comes next, and how many episodes it still takes."""
        shards = self._manifest.shards
        if not shards:
            return 0, self._size
        k = max(shards)
        room = self._size - shards[k].rows
        return (k, room) if room > 0 else (k + 1, self._size)

    def _find_tail(self) -> _Tail:
        if self._tail is None:
            shards = self._manifest.shards
            if not self._gaps and set(shards) != set(range(len(shards))):
                k = min(set(range(len(shards))) - set(shards))
                raise DatasetError(
                    f"shard {k} is not there yet, so nothing can be appended",
                    where=str(self.directory),
                    mend="Complete the dataset with the `worldschool collect` command that began it.",
                )
            self._tail = _Tail(self._gaps)
            for k in sorted(shards):
                self._tail.known(_keys(self._read(k, ["index", "episode_id"])))
        return self._tail

    def _rows(self) -> int:
        return sum(shard.rows for shard in self._manifest.shards.values())

    def _clear_leftovers(self) -> None:
        """Finish what a killed writer had committed but not put in its place, and remove its temporary files."""
        folder = self.directory / "shards"
        with writing(self.directory):
            for shard in self._manifest.shards.values():
                final = folder / shard.shard
                if beside(final).exists() and sha256_file(beside(final)) == shard.sha256:
                    beside(final).replace(final)
                    sync_directory(folder)
            for path in [*folder.glob(".*"), *self.directory.glob(f".{DESCRIPTION_FILE}.*")]:
                path.unlink(missing_ok=True)


class _Tail:
    """What is at the end of a dataset: which episode may come next, and which ids are there already."""

    def __init__(self, gaps: bool) -> None:
        self._gaps = gaps
        self.last: tuple[int, str] | None = None
        self._ids: set[str] = set()

    def known(self, keys: Iterable[tuple[int, str]]) -> None:
        """Take note of stored episodes, each as (index, episode_id), in order."""
        for key in keys:
            self.last = key
            self._ids.add(key[1])

    def take(self, index: int, episode_id: str) -> None:
        """Take note of a new episode at the end.

        Raises:
            DatasetError: it does not come next, or its id is there already.
        """
        where = f"episode {episode_id!r}"
        if episode_id in self._ids:
            raise DatasetError("an episode with this id is in the dataset already", where=where)
        following = 0 if self.last is None else self.last[0] + 1
        if not self._gaps and index != following:
            raise DatasetError(
                f"its index is {index}, and {following} comes next",
                where=where,
                mend=f"Number it with dataclasses.replace(episode, index={following}), or create the dataset with gaps=True.",
            )
        if self.last is not None and (index, episode_id) <= self.last:
            raise DatasetError(
                f"it comes before the last one (index {self.last[0]})",
                where=where,
                mend="Append in order of index, or merge datasets with `worldschool dataset merge`.",
            )
        self.last = index, episode_id
        self._ids.add(episode_id)

    def forget(self, episodes: Sequence[Episode], last: tuple[int, str] | None) -> None:
        """Take back the last episodes taken; `last` is what came before them."""
        self._ids.difference_update(episode.episode_id for episode in episodes)
        self.last = last


def beside(path: Path) -> Path:
    """Return where a shard is written that takes another's place."""
    return path.with_name(f".{path.name}.next")


@contextmanager
def writing(directory: Path, committed: int = 0) -> Iterator[None]:
    """Make an OutputError of what the disk refuses; `committed` episodes are told to be safe."""
    try:
        yield
    except OSError as error:
        safe = f" The {committed} committed episodes are safe." if committed else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        file = f" ({error.filename})" if error.filename else ""
        raise OutputError(
            "the disk is full"
            if full
            else f"this directory cannot be written: {error.strerror or error}{file}",
            where=str(directory),
            mend=f"{'Free some space' if full else 'Make it writable'} and run the same command again.{safe}",
        ) from None


def _storable(episodes: Sequence[Episode]) -> pa.Table:
    table = to_table(episodes)
    wrong = faults(table)
    if wrong:
        raise DatasetError(f"it cannot be stored: {wrong[0]}", where=f"episode {episodes[0].episode_id!r}")
    return table


def _keys(table: pa.Table) -> Iterable[tuple[int, str]]:
    """Return each row's (index, episode_id)."""
    return zip(table.column("index").to_pylist(), table.column("episode_id").to_pylist(), strict=True)
