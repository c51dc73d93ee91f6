"""The FAISS index of a memory: derived from the store, so it can be deleted at any time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from worldschool.canonical import canonical_json
from worldschool.files import write_atomic, write_json
from worldschool.learners.memory.store import Rows
from worldschool.models.embedders import Vectors

INDEX_SCHEMA = "worldschool.memory-index/1"
INDEX_FILE = "vectors.faiss"
DESCRIPTION = "index.json"


class VectorIndex:
    """Exact search by inner product over the entries' vectors (FAISS IndexFlatIP).

    A search reads every vector: 2.5 ms for 20,000 entries, and linear from there. Results do not depend on how the
    index was built up.

    Attributes:
        embedder: the fingerprint of what made the vectors.
        last: the `created_index` of the newest entry in it, -1 when empty.
    """

    def __init__(self, embedder: str, dimension: int) -> None:
        import faiss

        self.embedder = embedder
        self.last = -1
        self._ids: list[str] = []
        self._built_from = hashlib.sha256()
        self._faiss: Any = faiss.IndexFlatIP(dimension)

    def __len__(self) -> int:
        return len(self._ids)

    def extend(self, rows: Rows, vectors: Vectors) -> None:
        """Add the entries that follow those already in it; `vectors` has shape (len(rows.ids), dimension)."""
        if rows.ids:
            self._faiss.add(np.ascontiguousarray(vectors))
            self._note(rows)

    def search(self, query: Vectors, k: int, only: set[str] | None = None) -> list[tuple[str, float]]:
        """Return up to `k` ids with their inner products, best first; of equals the older first.

        Args:
            query: shape (dimension,), of unit length.
            k: at least 1.
            only: the ids that may be returned; all if None.
        """
        import faiss

        parameters, allowed = None, len(self._ids)
        if only is not None:
            positions = np.array([i for i, id_ in enumerate(self._ids) if id_ in only], dtype=np.int64)
            selector = faiss.IDSelectorBatch(positions)  # a name of its own: FAISS keeps only a pointer to it
            parameters, allowed = faiss.SearchParameters(), len(positions)
            parameters.sel = selector
        if not allowed:
            return []
        with _one_thread(faiss):
            scores, found = self._faiss.search(query[None], min(k, allowed), params=parameters)
        pairs = sorted(zip(scores[0].tolist(), found[0].tolist(), strict=True), key=lambda p: (-p[0], p[1]))
        return [(self._ids[position], score) for score, position in pairs]

    def save(self, directory: Path) -> None:
        """Write the index and its description into `directory`.

        The description goes last and holds the index file's sha256: a kill between the two makes both stale.
        """
        import faiss

        data = faiss.serialize_index(self._faiss).tobytes()
        write_atomic(directory / INDEX_FILE, data)
        write_json(
            directory / DESCRIPTION, {**self._description(), "faiss_sha256": hashlib.sha256(data).hexdigest()}
        )

    @classmethod
    def load(cls, directory: Path, embedder: str, dimension: int, rows: Rows) -> VectorIndex | None:
        """Return the saved index if it is whole and was built from exactly these rows by this embedder, else None."""
        import faiss

        index = cls(embedder, dimension)
        index._note(rows)
        try:
            description = json.loads((directory / DESCRIPTION).read_text(encoding="utf-8"))
            data = (directory / INDEX_FILE).read_bytes()
        except (OSError, ValueError):
            return None
        expected = {**index._description(), "faiss_sha256": hashlib.sha256(data).hexdigest()}
        if description != expected:
            return None
        index._faiss = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        return index

    def _note(self, rows: Rows) -> None:
        self._ids += rows.ids
        self.last = rows.last
        for pair in zip(rows.ids, rows.keys, strict=True):
            self._built_from.update(f"{canonical_json(pair)}\n".encode())

    def _description(self) -> dict[str, object]:
        return {
            "schema": INDEX_SCHEMA,
            "embedder": self.embedder,
            "entries": len(self._ids),
            "built_from_sha256": self._built_from.hexdigest(),
        }


@contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    # FAISS shares queries out among threads; with one query the others only wait for each other, which made a search
    # of 20,000 entries take 25 ms instead of 2.5 on two busy cores.
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
