"""The external memory: experience is added once and found again by meaning.

A memory is a directory: `memory.sqlite`, the source of truth, and `index/`, which is rebuilt whenever it is missing,
stale or of another embedder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from worldschool.errors import MemoryStoreError, nearest
from worldschool.learners.memory.entries import KINDS, Entry, Recalled, trajectory_entry
from worldschool.learners.memory.index import VectorIndex
from worldschool.learners.memory.store import MemoryStore
from worldschool.models.embedders import Embedder, Vectors, make_embedder
from worldschool.progress import Advance, silent
from worldschool.records import Episode

DEFAULT_EMBEDDER = "hashing"
ENTRIES_PER_COMMIT = 256
INDEX = "index"

T = TypeVar("T")


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
    embedder: str


class Memory:
    """An open memory; use it in a `with` statement, or call `close`, so that its index is saved.

    Several processes may have one memory open; each sees what the others committed. Make it with `create` or `open`.
    """

    def __init__(self, store: MemoryStore, embedder: Embedder | None, on_progress: Advance = silent) -> None:
        self.directory = store.directory
        self._store = store
        self._embedder = embedder
        self._on_progress = on_progress
        self._index: VectorIndex | None = None
        self._index_changed = False

    @classmethod
    def create(cls, directory: Path | str, embedder: Embedder | str = DEFAULT_EMBEDDER) -> Memory:
        """Make an empty memory.

        Args:
            directory: made if it is missing.
            embedder: what turns keys and queries into vectors, or its name (`make_embedder`).

        Raises:
            MemoryStoreError: there is one here already, or the directory cannot be written.
            ModelError: there is no such embedder.
        """
        made = make_embedder(embedder) if isinstance(embedder, str) else embedder
        return cls(MemoryStore.create(Path(directory), {"embedder": made.name}), made)

    @classmethod
    def open(
        cls, directory: Path | str, embedder: Embedder | str | None = None, *, on_progress: Advance = silent
    ) -> Memory:
        """Open a memory.

        Args:
            directory: where it is.
            embedder: the memory's own if None (loaded when first needed). Another one becomes its own: entries it
                made no vectors of are embedded again, at the first search or addition.
            on_progress: told of entries embedded again.

        Raises:
            MemoryStoreError: there is no memory here, it is damaged or of an unknown version.
            ModelError: there is no such embedder.
        """
        store = MemoryStore.open(Path(directory))
        made = make_embedder(embedder) if isinstance(embedder, str) else embedder
        if made is not None and made.name != store.get_meta("embedder"):
            store.set_meta("embedder", made.name)
        return cls(store, made, on_progress)

    @property
    def embedder(self) -> Embedder:
        """What makes this memory's vectors."""
        if self._embedder is None:
            self._embedder = make_embedder(self._store.get_meta("embedder") or DEFAULT_EMBEDDER)
        return self._embedder

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
            embedder=store.get_meta("embedder") or DEFAULT_EMBEDDER,
        )

    def add_episodes(self, episodes: Iterable[Episode], on_progress: Advance = silent) -> int:
        """Remember episodes as trajectories; one that is known already (by its episode_id) is passed over.

        Args:
            episodes: read once, in order; committed every `ENTRIES_PER_COMMIT`.
            on_progress: told of each episode, new or known.

        Returns:
            How many were new.
        """
        return self.add((trajectory_entry(episode) for episode in episodes), on_progress)

    def add(self, entries: Iterable[Entry], on_progress: Advance = silent) -> int:
        """Remember entries of any kind; see `add_episodes`. An id that is known already is passed over."""
        added = 0
        for batch in _batches(entries, ENTRIES_PER_COMMIT):
            known = self._store.known_ids([entry.id for entry in batch])
            fresh = [entry for entry in batch if entry.id not in known]
            if fresh:
                vectors = self._embed([entry.key for entry in fresh])
                added += self._store.add(fresh, self.embedder.fingerprint, vectors)
            on_progress(len(batch))
        self._index_changed |= added > 0
        return added

    def search(self, query: str, k: int = 5, kind: str | None = None) -> list[Recalled]:
        """Find the entries whose keys are nearest to `query`, and count each as retrieved.

        Args:
            query: any text, such as the goal at hand.
            k: how many at most, at least 1.
            kind: only entries of this kind.

        Returns:
            Best first, of equals the older first; entries replaced by others are left out. Nothing from an empty
            memory.

        Raises:
            MemoryStoreError: `k` or `kind` is not accepted, or the memory cannot be read.
        """
        if k < 1:
            raise MemoryStoreError(f"at least 1 is expected, found {k}", where="k")
        if kind is not None and kind not in KINDS:
            raise MemoryStoreError(
                f"there is no kind {kind!r}",
                where="kind",
                mend=f"Known: {', '.join(KINDS)}.{nearest(kind, KINDS)}",
            )
        index = self._current_index()
        if not len(index):
            return []
        restricted = kind is not None or self._store.has_superseded()
        only = self._store.findable(kind) if restricted else None
        found = index.search(self.embedder.embed([query])[0], k, only)
        self._store.count_up([id_ for id_, _ in found], "retrieved")
        entries = {entry.id: entry for entry in self._store.entries([id_ for id_, _ in found])}
        return [Recalled(entries[id_], score) for id_, score in found if id_ in entries]

    def credit(self, entry_id: str, success: bool) -> None:
        """Count that an entry was acted on, and whether that went well."""
        self._store.count_up([entry_id], *(["used", "succeeded"] if success else ["used"]))

    def close(self) -> None:
        """Save the index if it changed, and close the files."""
        if self._index_changed:
            # The index is a cache: where it cannot be written the next one to open builds it again.
            with contextlib.suppress(OSError):
                self._current_index().save(self.directory / INDEX)
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _current_index(self) -> VectorIndex:
        """Return the index, brought up to what any process has committed."""
        embedder, store = self.embedder, self._store
        if self._index is None:
            where = self.directory / INDEX
            self._index = VectorIndex.load(where, embedder.fingerprint, embedder.dimension, store.rows())
        if self._index is None:
            self._index = VectorIndex(embedder.fingerprint, embedder.dimension)
            self._index_changed = True
        if self._index.last != store.last_index():
            after = self._index.last
            self._embed_missing(after)
            self._index.extend(*store.embedded_rows(embedder.fingerprint, embedder.dimension, after))
            self._index_changed = True
        return self._index

    def _embed_missing(self, after: int) -> None:
        fingerprint = self.embedder.fingerprint
        for batch in _batches(self._store.keys_without_vector(fingerprint, after), ENTRIES_PER_COMMIT):
            vectors = self._embed([key for _, key in batch])
            self._store.put_vectors([id_ for id_, _ in batch], fingerprint, vectors)
            self._on_progress(len(batch))

    def _embed(self, keys: Sequence[str]) -> Vectors:
        # Many episodes share a goal; each distinct key is embedded once.
        distinct = list(dict.fromkeys(keys))
        vectors = self.embedder.embed(distinct)
        place = {key: i for i, key in enumerate(distinct)}
        chosen: Vectors = vectors[np.array([place[key] for key in keys], dtype=np.intp)]
        return chosen


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
