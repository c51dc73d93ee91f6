"""The index of an open memory, brought up to what any process has committed, and saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

from worldschool.errors import MemoryStoreError
from worldschool.learners.memory.entries import Filter
from worldschool.learners.memory.index import Allowed, IndexKind, VectorIndex, kind_for
from worldschool.learners.memory.store import EMPTY, Commit, MemoryStore
from worldschool.models.embedders import Embedder, Vectors
from worldschool.progress import Advance, silent

INDEX = "index"
ENTRIES_PER_COMMIT = 256
VECTORS_AT_ONCE = 8192
BEHIND = 200
"""An index is saved when more than one entry in so many is not in the saved one."""

T = TypeVar("T")


class IndexKeeper:
    """Keeps one memory's index.

    Args:
        store: the entries.
        embedder: what makes their vectors.
        kind: which index is wanted.
        on_progress: told of entries that are embedded anew.
    """

    def __init__(
        self, store: MemoryStore, embedder: Embedder, kind: IndexKind, on_progress: Advance = silent
    ) -> None:
        self._store, self._embedder, self._kind = store, embedder, kind
        self._where = store.directory / INDEX
        self._on_progress = on_progress
        self._index: VectorIndex | None = None
        self._digest = EMPTY
        self._saved = -1
        self._allowed: dict[Filter, Allowed | None] = {}
        self._allowed_of: tuple[int, ...] | None = None

    def current(self) -> VectorIndex:
        """Return the index with all that is committed; a lost, damaged or foreign one is built anew.

        Raises:
            MemoryStoreError: the memory cannot be read, or vectors are missing.
        """
        commit = self._store.last_commit()
        kind = kind_for(self._kind, commit.last + 1)
        if self._index is None:
            self._load(kind, commit)
        if self._index is None or self._index.kind != kind:
            self._index = VectorIndex(self._embedder.fingerprint, self._embedder.dimension, kind)
            self._saved = -1
        if len(self._index) <= commit.last:
            self._extend(self._index, commit)
        self._digest = commit.digest
        return self._index

    def _load(self, kind: str, commit: Commit) -> None:
        """Take the saved index if it is one of this memory's entries, all of them or the first ones."""
        fingerprint, dimension = self._embedder.fingerprint, self._embedder.dimension
        found = VectorIndex.load(self._where, fingerprint, dimension)
        if found is None or found[0].kind != kind or len(found[0]) > commit.last + 1:
            return
        if self._store.digest_at(len(found[0]) - 1) == found[1]:
            self._index, self._saved = found[0], len(found[0])

    def _extend(self, index: VectorIndex, commit: Commit) -> None:
        self._embed_missing(len(index) - 1)
        while len(index) <= commit.last:
            some = min(VECTORS_AT_ONCE, commit.last + 1 - len(index))
            vectors = self._store.vectors(
                self._embedder.fingerprint, self._embedder.dimension, len(index) - 1, some
            )
            if len(vectors) != some:
                raise MemoryStoreError(
                    f"{some - len(vectors)} of {some} vectors are missing",
                    where=str(self._store.directory),
                    mend="Restore memory.sqlite from a copy, or fill the memory anew.",
                )
            index.extend(vectors)

    def _embed_missing(self, after: int) -> None:
        fingerprint = self._embedder.fingerprint
        for batch in batched(self._store.keys_without_vector(fingerprint, after), ENTRIES_PER_COMMIT):
            vectors = embed_distinct(self._embedder, [key for _, key in batch])
            self._store.put_vectors([id_ for id_, _ in batch], fingerprint, vectors)
            self._on_progress(len(batch))

    def allowed(self, wanted: Filter) -> Allowed | None:
        """Return what a search of the current index may return; kept until an entry is added, replaced or fades."""
        entries = 0 if self._index is None else len(self._index)
        # With what the index holds: others may have been added since it was brought up, and are left out until it is again.
        version = (entries, *self._store.version())
        if version != self._allowed_of:
            self._allowed.clear()
            self._allowed_of = version
        if wanted not in self._allowed:
            places = self._store.findable(wanted)
            if places is not None:
                places = places[: np.searchsorted(places, entries)]
            self._allowed[wanted] = None if places is None else Allowed(places, entries)
        return self._allowed[wanted]

    @property
    def behind(self) -> bool:
        """Whether what is saved is so far behind that the next one to open would wait for it."""
        entries = 0 if self._index is None else len(self._index)
        return entries > 0 and (entries - max(self._saved, 0)) * BEHIND > entries

    def save(self) -> None:
        """Save the index as it is."""
        if self._index is not None:
            self._index.save(self._where, self._digest)
            self._saved = len(self._index)


def embed_distinct(embedder: Embedder, keys: Sequence[str]) -> Vectors:
    """Return the keys' vectors; many episodes share a goal, and each distinct key is embedded once."""
    distinct = list(dict.fromkeys(keys))
    vectors = embedder.embed(distinct)
    place = {key: i for i, key in enumerate(distinct)}
    chosen: Vectors = vectors[np.array([place[key] for key in keys], dtype=np.intp)]
    return chosen


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
