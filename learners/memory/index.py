"""The FAISS indexes of a memory: derived from the store, so they can be deleted at any time.

An entry's place in an index is its `created_index`. What an index holds depends on the vectors alone, not on how they came to it nor
on what was saved between: the same vectors give the same bytes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from worldschool.files import sha256_file, write_json
from worldschool.models.embedders import Vectors

INDEX_SCHEMA = "worldschool.memory-index/2"
MAIN, TAIL, DESCRIPTION = "vectors.faiss", "tail.faiss", "index.json"

Built: TypeAlias = Literal["flat", "hnsw"]
IndexKind: TypeAlias = Literal["auto", "flat", "hnsw"]
INDEX_KINDS: tuple[IndexKind, ...] = get_args(IndexKind)

HNSW_FROM = 20_000
"""Entries from which "auto" is a graph: comparing with every vector takes 2.5 ms there."""
LINKS, BUILD_BREADTH, BREADTH = 32, 40, 48
"""Of the graph (M, efConstruction and efSearch of Malkov and Yashunin 2018, arXiv:1603.09320)."""
MOST_BREADTH = 2048
CHUNK = 1024
"""Vectors that enter the graph together; those behind the last whole chunk are compared one by one."""
FEW = 20_000
"""Allowed entries up to which a filtered search compares with each of them."""

Places: TypeAlias = NDArray[np.int64]


def kind_for(asked: IndexKind, entries: int) -> Built:
    """Return which index a memory of this size has."""
    if asked != "auto":
        return asked
    return "hnsw" if entries >= HNSW_FROM else "flat"


@dataclass(frozen=True)
class Allowed:
    """The entries that a search may return.

    Attributes:
        places: ascending.
        entries: how many there are in all.
    """

    places: Places
    entries: int

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        """One bit an entry, the lowest of a byte first."""
        allowed = np.zeros(self.entries, dtype=bool)
        allowed[self.places] = True
        return np.packbits(allowed, bitorder="little")


class VectorIndex:
    """Nearest vectors by inner product: exact ("flat"), or by a graph of neighbours that finds nearly all of them ("hnsw").

    Args:
        embedder: the fingerprint of what made the vectors.
        dimension: of a vector.
        kind: see above.
    """

    def __init__(self, embedder: str, dimension: int, kind: Built = "flat") -> None:
        import faiss

        self.embedder, self.dimension, self.kind = embedder, dimension, kind
        self._flat: Any = faiss.IndexFlatIP(dimension)
        self._graph: Any = None
        if kind == "hnsw":
            self._graph = faiss.IndexHNSWFlat(dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
            self._graph.hnsw.efConstruction = BUILD_BREADTH

    def __len__(self) -> int:
        return int(self._flat.ntotal) + self._in_graph

    @property
    def _in_graph(self) -> int:
        return 0 if self._graph is None else int(self._graph.ntotal)

    def extend(self, vectors: Vectors) -> None:
        """Add the vectors, float32 [n, dimension], of the entries that follow those in it."""
        if not len(vectors):
            return
        if self._graph is None:
            self._flat.add(np.ascontiguousarray(vectors))
            return
        waiting = np.concatenate([self._flat.reconstruct_n(0, self._flat.ntotal), vectors])
        whole = len(waiting) // CHUNK * CHUNK
        for start in range(0, whole, CHUNK):
            self._add_chunk(waiting[start : start + CHUNK])
        self._flat.reset()
        self._flat.add(np.ascontiguousarray(waiting[whole:]))

    def _add_chunk(self, vectors: Vectors) -> None:
        faiss: Any = importlib.import_module("faiss")  # its stubs do not know the generator
        # The levels of new nodes are drawn from a generator that is not saved, and several threads link them in any order: with
        # a seed for each chunk, and one thread, a graph that was saved, loaded and gone on with is the one that was built at once.
        self._graph.hnsw.rng = faiss.RandomGenerator(1 + self._in_graph // CHUNK)
        with _one_thread(faiss):
            self._graph.add(np.ascontiguousarray(vectors))

    def search(
        self, queries: Vectors, k: int, allowed: Allowed | None = None
    ) -> list[list[tuple[int, float]]]:
        """Return for each query up to `k` places with their inner products, best first; of equals the older first.

        Args:
            queries: float32 [n, dimension], of unit length.
            k: at least 1.
            allowed: what may be returned; everything if None.
        """
        count = len(self) if allowed is None else len(allowed.places)
        k, asked = min(k, count), min(k + 1, count)
        if not k:
            return [[] for _ in queries]
        while True:
            found = self._nearest(np.ascontiguousarray(queries), asked, allowed)
            # Many entries have the same key: of those as near as the last one, all are looked at, so that the oldest are returned.
            cut = any(len(row) == asked and row[k - 1][1] == row[-1][1] for row in found)
            if not cut or asked >= min(count, MOST_BREADTH):
                return [row[:k] for row in found]
            asked = min(4 * asked, count)

    def _nearest(self, queries: Vectors, k: int, allowed: Allowed | None) -> list[list[tuple[int, float]]]:
        found: list[list[tuple[int, float]]] = [[] for _ in queries]
        for scores, places in self._parts(queries, k, allowed):
            for row, score, place in zip(found, scores.tolist(), places.tolist(), strict=True):
                row += [(p, s) for p, s in zip(place, score, strict=True) if p >= 0]
        return [sorted(row, key=lambda pair: (-pair[1], pair[0]))[:k] for row in found]

    def vectors(self, places: Sequence[int]) -> Vectors:
        """Return the vectors in these places, float32 [n, dimension]."""
        start = self._in_graph
        found = np.empty((len(places), self.dimension), dtype=np.float32)
        for row, place in zip(found, places, strict=True):
            row[:] = (
                self._graph.reconstruct(place) if place < start else self._flat.reconstruct(place - start)
            )
        return found

    def _parts(
        self, queries: Vectors, k: int, allowed: Allowed | None
    ) -> Iterator[tuple[NDArray[np.float32], Places]]:
        """Yield scores and places [n, k] (-1: none) from the graph and from what is beside it."""
        import faiss

        start = self._in_graph
        with _one_thread(faiss):
            if allowed is None:
                if start:
                    yield self._graph.search(queries, k, params=_breadth(faiss, k, 1.0))
                scores, places = self._flat.search(queries, k)
                yield scores, np.where(places < 0, places, places + start)
                return
            beside = allowed.places[np.searchsorted(allowed.places, start) :] - start
            within = len(allowed.places) - len(beside)
            if within:
                yield self._from_graph(faiss, queries, k, allowed, within)
            if len(beside):
                scores, places = _among(faiss, self._flat, queries, k, beside)
                yield scores, np.where(places < 0, places, places + start)

    def _from_graph(
        self, faiss: Any, queries: Vectors, k: int, allowed: Allowed, within: int
    ) -> tuple[NDArray[np.float32], Places]:
        if within <= FEW:
            return _among(
                faiss, faiss.downcast_index(self._graph.storage), queries, k, allowed.places[:within]
            )
        parameters = _breadth(faiss, k, within / self._in_graph)
        bits = allowed.bits
        selector = faiss.IDSelectorBitmap(bits)  # a name of its own: FAISS keeps only a pointer to it
        parameters.sel = selector
        found: tuple[NDArray[np.float32], Places] = self._graph.search(queries, k, params=parameters)
        return found

    # -- on disk -----------------------------------------------------------------------------------------------------

    def save(self, directory: Path, digest: str) -> None:
        """Write the index into `directory`: beside what is there first, the description last.

        Args:
            directory: made if it is missing.
            digest: of the entries that are in it (`store.digest_at`).

        Raises:
            OSError: the disk is full or fails.
        """
        import faiss

        directory.mkdir(parents=True, exist_ok=True)
        files = {MAIN: self._flat} if self._graph is None else {MAIN: self._graph, TAIL: self._flat}
        for name, index in files.items():
            new = directory / f".{name}.new"
            try:
                faiss.write_index(index, str(new))
            except RuntimeError as error:  # what FAISS raises of a full disk
                new.unlink(missing_ok=True)
                raise OSError(f"{new}: FAISS cannot write it") from error
        # A kill between these lines leaves files that the description is not of.
        for name in files:
            (directory / f".{name}.new").replace(directory / name)
        for name in {MAIN, TAIL} - set(files):
            (directory / name).unlink(missing_ok=True)
        write_json(directory / DESCRIPTION, self._description(digest) | {"sha256": _hashes(directory)})

    @classmethod
    def load(cls, directory: Path, embedder: str, dimension: int) -> tuple[VectorIndex, str] | None:
        """Return the saved index and the digest of the entries in it, or None if there is none of this embedder, or it is damaged."""
        import faiss

        try:
            description = json.loads((directory / DESCRIPTION).read_text(encoding="utf-8"))
            hashes = _hashes(directory)
        except (OSError, ValueError):
            return None
        if not isinstance(description, dict) or description.get("sha256") != hashes:
            return None
        kind: Built = "hnsw" if description.get("kind") == "hnsw" else "flat"
        index = cls(embedder, dimension, kind)
        with suppress(RuntimeError):  # what FAISS raises of a file that is not its own
            main = faiss.read_index(str(directory / MAIN))
            if kind == "flat":
                index._flat = main
            else:
                index._graph, index._flat = main, faiss.read_index(str(directory / TAIL))
            digest = str(description.get("digest"))
            if description == index._description(digest) | {"sha256": hashes}:
                return index, digest
        return None

    def _description(self, digest: str) -> dict[str, object]:
        return {
            "schema": INDEX_SCHEMA,
            "kind": self.kind,
            "embedder": self.embedder,
            "dimension": self.dimension,
            "entries": len(self),
            "digest": digest,
        }


def _breadth(faiss: Any, k: int, share: float) -> Any:
    """Return parameters of a search in a graph of which only this share may be returned."""
    wanted = max(BREADTH, 2 * k) / share
    return faiss.SearchParametersHNSW(efSearch=int(min(wanted, max(MOST_BREADTH, 2 * k))))


def _among(
    faiss: Any, flat: Any, queries: Vectors, k: int, places: Places
) -> tuple[NDArray[np.float32], Places]:
    """Compare with the vectors in these places only."""
    wanted = np.ascontiguousarray(places)
    selector = faiss.IDSelectorArray(wanted)  # as above
    found: tuple[NDArray[np.float32], Places] = flat.search(
        queries, min(k, len(wanted)), params=faiss.SearchParameters(sel=selector)
    )
    return found


def _hashes(directory: Path) -> dict[str, str]:
    return {name: sha256_file(directory / name) for name in (MAIN, TAIL) if (directory / name).exists()}


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
