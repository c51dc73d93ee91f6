"""The external memory: experience is added once and found again by meaning.

A memory is a directory: `memory.sqlite`, the source of truth, and `index/`, which is rebuilt whenever it is missing,
stale or of another embedder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from worldschool.errors import MemoryStoreError, OutputError, nearest
from worldschool.learners.memory.consolidation import Consolidated, Consolidation, consolidate
from worldschool.learners.memory.entries import (
    KINDS,
    Change,
    Entry,
    Filter,
    Recalled,
    trajectory_entries,
)
from worldschool.learners.memory.index import INDEX_KINDS, IndexKind
from worldschool.learners.memory.keeper import ENTRIES_PER_COMMIT, IndexKeeper, batched, embed_distinct
from worldschool.learners.memory.ranking import Ranking
from worldschool.learners.memory.store import MemoryStore
from worldschool.locking import WriterLock, lock_directory
from worldschool.models.embedders import Embedder, make_embedder
from worldschool.progress import Advance, silent
from worldschool.records import Episode

DEFAULT_EMBEDDER = "hashing"
BY_SIMILARITY = Ranking()
CANDIDATES = 64
"""How many of the most similar are put in another order, at least."""


@dataclass(frozen=True)
class MemoryStats:
    """Counts over a memory: entries by kind, by world and by success (None: not applicable), and the counters' sums."""

    entries: int
    kinds: dict[str, int]
    worlds: dict[str, int]
    success: dict[bool | None, int]
    retrieved: int
    used: int
    succeeded: int
    faded: int
    embedder: str


class Memory:
    """An open memory; use it in a `with` statement, or call `close`, so that its index is saved.

    Several processes may have one memory open; each sees what the others committed. One of them may add and change entries: it has
    the right from its first such call until it closes the memory, and others are refused. All may search and `credit`. Make it
    with `create` or `open`.
    """

    def __init__(self, store: MemoryStore, embedder: Embedder | None, on_progress: Advance = silent) -> None:
        self.directory = store.directory
        self._store = store
        self._embedder = embedder
        self._on_progress = on_progress
        self._lock: WriterLock | None = None
        self._closed = False

    @classmethod
    def create(
        cls,
        directory: Path | str,
        embedder: Embedder | str = DEFAULT_EMBEDDER,
        *,
        index: IndexKind = "auto",
    ) -> Memory:
        """Make an empty memory.

        Args:
            directory: made if it is missing.
            embedder: what turns keys and queries into vectors, or its name (`make_embedder`).
            index: "flat" compares with every entry, "hnsw" is faster where there are many and misses few; "auto" goes by size.

        Raises:
            MemoryStoreError: there is one here already, or the directory cannot be written.
            ModelError: there is no such embedder.
        """
        made = make_embedder(embedder) if isinstance(embedder, str) else embedder
        _check_index(index)
        return cls(MemoryStore.create(Path(directory), {"embedder": made.name, "index": index}), made)

    @classmethod
    def open(
        cls,
        directory: Path | str,
        embedder: Embedder | str | None = None,
        *,
        index: IndexKind | None = None,
        on_progress: Advance = silent,
    ) -> Memory:
        """Open a memory.

        Args:
            directory: where it is.
            embedder: the memory's own if None (loaded when first needed). Another one becomes its own: entries it
                made no vectors of are embedded again, at the first search or addition.
            index: the memory's own if None; another one becomes its own.
            on_progress: told of entries embedded again.

        Raises:
            MemoryStoreError: there is no memory here, it is damaged or of an unknown version, or embedder or index are to be
                changed while another process is writing.
            ModelError: there is no such embedder.
        """
        store = MemoryStore.open(Path(directory))
        made = make_embedder(embedder) if isinstance(embedder, str) else embedder
        found = cls(store, made, on_progress)
        if index is not None:
            _check_index(index)
        for key, value in (("embedder", None if made is None else made.name), ("index", index)):
            if value is not None and value != store.get_meta(key):
                found._hold()
                store.set_meta(key, value)
        return found

    @property
    def embedder(self) -> Embedder:
        """What makes this memory's vectors."""
        if self._embedder is None:
            self._embedder = make_embedder(self._store.get_meta("embedder") or DEFAULT_EMBEDDER)
        return self._embedder

    @cached_property
    def _index(self) -> IndexKeeper:
        kind = cast(IndexKind, self._store.get_meta("index") or "auto")
        return IndexKeeper(self._store, self.embedder, kind, self._on_progress)

    @property
    def count(self) -> int:
        """How many entries there are, replaced ones included."""
        return self._store.count()

    @property
    def stats(self) -> MemoryStats:
        """Counts over all entries."""
        store = self._store
        return MemoryStats(
            entries=store.count(),
            kinds=store.tally("kind"),
            worlds=store.tally("world"),
            success={None if key is None else bool(key): n for key, n in store.tally("success").items()},
            retrieved=store.total("retrieved"),
            used=store.total("used"),
            succeeded=store.total("succeeded"),
            faded=store.faded_count(),
            embedder=store.get_meta("embedder") or DEFAULT_EMBEDDER,
        )

    def add_episodes(
        self, episodes: Iterable[Episode], on_progress: Advance = silent, window: int | None = None
    ) -> int:
        """Remember episodes as trajectories; one that is known already (by its episode_id) is passed over.

        Args:
            episodes: read once, in order; committed every `ENTRIES_PER_COMMIT`.
            on_progress: told of each entry, new or known.
            window: actions of an entry, whose windows overlap by half; an episode is one entry if None.

        Returns:
            How many entries were new.
        """
        told = (entry for episode in episodes for entry in trajectory_entries(episode, window))
        return self.add(told, on_progress)

    def add(self, entries: Iterable[Entry], on_progress: Advance = silent) -> int:
        """Remember entries of any kind; see `add_episodes`. An id that is known already is passed over."""
        added = 0
        self._hold()
        for batch in batched(entries, ENTRIES_PER_COMMIT):
            known = self._store.known_ids([entry.id for entry in batch])
            fresh = [entry for entry in batch if entry.id not in known]
            if fresh:
                vectors = embed_distinct(self.embedder, [entry.key for entry in fresh])
                added += self._store.add(fresh, self.embedder.fingerprint, vectors)
            on_progress(len(batch))
        return added

    def search(
        self,
        query: str,
        k: int = 5,
        kind: str | None = None,
        *,
        world: str | None = None,
        success: bool | None = None,
        ranking: Ranking = BY_SIMILARITY,
        least: float = -1.0,
    ) -> list[Recalled]:
        """Find the entries whose keys are nearest to `query`, and count each as retrieved.

        Args:
            query: any text, such as the goal at hand.
            k: how many at most, at least 1.
            kind: only entries of this kind.
            world: only entries of this world.
            success: only entries that tell of a success (True) or of a failure (False: warnings).
            ranking: what the order goes by.
            least: only entries whose key has at least this cosine with the query, from -1 to 1; what is near depends on the embedder.

        Returns:
            Best first, of equals the older first; entries that were replaced or have faded are left out. Nothing from an empty
            memory.

        Raises:
            MemoryStoreError: `k`, `kind` or `least` is not accepted, or the memory cannot be read.
        """
        return self.search_many([query], k, kind, world=world, success=success, ranking=ranking, least=least)[
            0
        ]

    def search_many(
        self,
        queries: Sequence[str],
        k: int = 5,
        kind: str | None = None,
        *,
        world: str | None = None,
        success: bool | None = None,
        ranking: Ranking = BY_SIMILARITY,
        least: float = -1.0,
    ) -> list[list[Recalled]]:
        """Search for several queries together, which are embedded in batches; see `search`."""
        wanted = _filter(k, kind, world, success)
        if not -1.0 <= least <= 1.0:
            raise MemoryStoreError(f"a cosine from -1 to 1 is expected, found {least}", where="least")
        index = self._index.current()
        if not len(index) or not queries:
            return [[] for _ in queries]
        candidates = k if ranking.by_similarity else max(CANDIDATES, 4 * k)
        hits = index.search(self.embedder.embed(queries), candidates, self._index.allowed(wanted))
        entries = self._store.at({place for found in hits for place, _ in found})
        results = []
        for found in hits:
            pairs = [Recalled(entries[place], score) for place, score in found if score >= least]
            if not ranking.by_similarity:
                pairs.sort(key=lambda one: -ranking.score(one.entry, one.score, len(index) - 1))
            results.append(pairs[:k])
        retrieved = self._count_retrieved([one.entry.id for found in results for one in found])
        return [
            [
                Recalled(replace(one.entry, retrieved=one.entry.retrieved + retrieved), one.score)
                for one in found
            ]
            for found in results
        ]

    def credit(self, entry_id: str, success: bool) -> None:
        """Count that an entry was acted on, and whether that went well."""
        self._store.count_up([entry_id], *(["used", "succeeded"] if success else ["used"]))

    def supersede(self, old: str, new: str, reason: str) -> None:
        """Replace an entry by another, which contradicts it or says it better; it is kept, with a record (`history`).

        Raises:
            MemoryStoreError: there is no such entry, or another process is writing.
        """
        self._hold()
        self._expect(old, new)
        self._store.supersede(old, new, reason)

    def merge(self, kept: str, dropped: str, reason: str) -> None:
        """Have one entry stand for another, with both's counts; see `supersede`."""
        self._hold()
        self._expect(kept, dropped)
        self._store.merge(kept, dropped, reason)

    def fade(self, entry_id: str, reason: str) -> None:
        """Have an entry not found any more, until `restore`; see `supersede`."""
        self._hold()
        self._expect(entry_id)
        self._store.fade(entry_id, reason)

    def restore(self, entry_id: str, reason: str) -> None:
        """Have an entry that faded, or was replaced, found again; see `supersede`."""
        self._hold()
        self._expect(entry_id)
        self._store.restore(entry_id, reason)

    def revalue(self, entry_id: str, value: float, reason: str) -> None:
        """Give an entry another value, such as an insight's strength; see `supersede`."""
        self._hold()
        self._expect(entry_id)
        self._store.set_value(entry_id, value, reason)

    def listed(
        self, kind: str | None = None, *, world: str | None = None, success: bool | None = None
    ) -> list[Entry]:
        """Return all entries that a search with these filters could find, in the order of adding; counts nothing."""
        wanted = _filter(1, kind, world, success)
        places = self._store.findable(wanted)
        among = range(self._store.last_commit().last + 1) if places is None else places.tolist()
        return list(self._store.at(among).values())

    def history(self, entry_id: str) -> list[Change]:
        """Return what became of an entry, in order."""
        return self._store.history(entry_id)

    def consolidate(
        self, settings: Consolidation | None = None, on_progress: Advance = silent
    ) -> Consolidated:
        """Merge near-duplicates, and have entries fade that were acted on and went badly.

        Args:
            settings: what counts as either.
            on_progress: told of every entry.

        Raises:
            MemoryStoreError: another process is writing.
        """
        self._hold()
        return consolidate(self._store, self._index, settings or Consolidation(), on_progress)

    def close(self) -> None:
        """Save the index if it changed, and close the files; closing twice is no error."""
        if self._closed:
            return
        self._closed = True
        # The index is a cache: where it cannot be written, as beside another process that writes, the next one to open goes on with it.
        try:
            with contextlib.suppress(OSError, MemoryStoreError):
                if "_index" in self.__dict__ or self._lock is not None:
                    self._index.current()
                    if self._index.behind:
                        self._hold()
                        self._index.save()
        finally:
            self._store.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _count_retrieved(self, ids: Sequence[str]) -> int:
        """Count entries as retrieved; return 0 where that cannot be written, as for a reader of somebody else's memory."""
        try:
            self._store.count_up(ids, "retrieved")
        except MemoryStoreError:
            return 0
        return 1

    def _hold(self) -> None:
        """Take the right to write, until this memory is closed.

        Raises:
            MemoryStoreError: another process has it.
        """
        if self._lock is None or not self._lock.belongs_to(self):
            try:
                self._lock = lock_directory(self.directory, self, "memory")
            except OutputError as error:
                raise MemoryStoreError(error.problem, where=error.where, mend=error.mend) from None

    def _expect(self, *ids: str) -> None:
        for id_ in ids:
            if not self._store.known_ids([id_]):
                raise MemoryStoreError("there is no such entry", where=id_)


def _check_index(kind: str) -> None:
    if kind not in INDEX_KINDS:
        raise MemoryStoreError(
            f"there is no index {kind!r}",
            where="index",
            mend=f"Known: {', '.join(INDEX_KINDS)}.{nearest(kind, INDEX_KINDS)}",
        )


def _filter(k: int, kind: str | None, world: str | None, success: bool | None) -> Filter:
    if k < 1:
        raise MemoryStoreError(f"at least 1 is expected, found {k}", where="k")
    if kind is not None and kind not in KINDS:
        raise MemoryStoreError(
            f"there is no kind {kind!r}",
            where="kind",
            mend=f"Known: {', '.join(KINDS)}.{nearest(kind, KINDS)}",
        )
    return Filter(kind, world, success)
