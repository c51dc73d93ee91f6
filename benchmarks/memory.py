"""The external memory: adding, recalling, opening, with 100,000 and 1,000,000 entries; and what survives SIGKILLs.

    python -m benchmarks.memory --vectors minilm.npy [--kills 200] [--json OUT]

The keys are product titles of the generated shop, cut to 16 tokens, in MiniLM's embedding (made once, about ten minutes on two cores,
and kept in --vectors); 1,000 others are the queries. The million are these 100,000 and nine seeded perturbations of each, in the 32
directions in which they vary most. What the tables count:

    add         entries a second until they are committed, their vectors given (256 entries a commit)
    build       seconds until the first search can be answered: the index is built, on one core
    recall p50  milliseconds of `Memory.search` for one query, k 5, its vector given; one thread
    recall@5    share of the five returned that are as near as the fifth nearest, or nearer, by exact search (ties count)
    filter 1%   the same where one entry in a hundred is of the wanted world
    open        seconds from opening a closed memory to the first answer
    peer        an exact FAISS index built for every query, from vectors in memory, as ExpeL's agent does at every step
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.harness import Figure, Peer, arguments, report
from benchmarks.memory_kills import killed
from worldschool.envs.shop.generated.products import generate
from worldschool.learners.memory import Entry, Memory
from worldschool.models.embedders import HashingEmbedder, Vectors, make_embedder

TITLES, QUERIES, TOKENS = 100_000, 1_000, 16
COPIES, RANK, SPREAD = 10, 32, 0.35
K = 5
WORLDS = 100


class Given:
    """An embedder whose vectors are made already: key "n" is row n, and a query the row behind the keys'."""

    def __init__(self, keys: Vectors, queries: Vectors) -> None:
        self.name, self.dimension = "given", int(keys.shape[1])
        self.fingerprint = f"given/{len(keys)}"
        self._rows = {"key": keys, "query": queries}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the rows that the texts name."""
        named = [text.split() for text in texts]
        found: Vectors = np.stack([self._rows[kind][int(row)] for kind, row in named])
        return found


def main() -> None:
    """Measure and report."""
    options = _options()
    titles, queries = _vectors(options)
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for name, keys in _sizes(titles, options):
            figures |= _measured(Path(folder) / name, name, keys, queries)
        figures |= killed(Path(folder), options.kills, options.seed)
    report(figures, options.seed, options.json)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument("--vectors", type=Path, default=Path("minilm.npy"), help="where embeddings are kept")
    parser.add_argument(
        "--scratch", type=Path, help="a folder with 6 GB to spare; the system's own unless given"
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--copies", type=int, default=COPIES, help="1: no million")
    options = parser.parse_args()
    if options.quick:
        options.kills, options.copies = 4, 2
    return options


def _vectors(options: argparse.Namespace) -> tuple[Vectors, Vectors]:
    """Return the vectors of titles and queries; of nothing but spelling where it has to be quick."""
    if options.quick:
        found = HashingEmbedder().embed(list(_titles(600, 100, str.split)))
        return found[:600], found[600:]
    if not options.vectors.exists():
        embedder: Any = make_embedder("minilm")
        texts = list(_titles(TITLES, QUERIES, embedder._tokenizer.tokenize))
        np.save(options.vectors, embedder.embed(texts))
    found = np.load(options.vectors)
    return found[:TITLES], found[TITLES:]


def _titles(count: int, more: int, tokens_of: Any) -> Iterator[str]:
    """Yield distinct titles of at most `TOKENS` tokens, two of which are the model's own."""
    seen: set[str] = set()
    for product in generate(20 * (count + more), seed=7):
        words = product.title.split()
        while len(tokens_of(" ".join(words))) > TOKENS - 2:
            words.pop()
        text = " ".join(words)
        if text not in seen:
            seen.add(text)
            yield text
        if len(seen) == count + more:
            return


def _sizes(titles: Vectors, options: argparse.Namespace) -> Iterator[tuple[str, Vectors]]:
    yield "100k", titles
    if options.copies > 1:
        centred = titles - titles.mean(0)
        directions = np.linalg.svd(centred[:: max(1, len(centred) // 10_000)], full_matrices=False)[2][:RANK]
        rng = np.random.default_rng(options.seed)
        parts = [titles]
        for _ in range(options.copies - 1):
            moved = rng.normal(size=(len(titles), RANK)).astype(np.float32) / np.sqrt(RANK)
            parts.append(titles + SPREAD * (moved @ directions).astype(np.float32))
        every = np.concatenate(parts)
        yield "1m", every / np.linalg.norm(every, axis=1, keepdims=True)


def _entries(count: int) -> Iterator[Entry]:
    for n in range(count):
        yield Entry(
            f"e{n}", "trajectory", f"key {n}", "1. walk to kitchen\n2. grab cup\n" * 4, f"world{n % WORLDS}"
        )


def _measured(directory: Path, name: str, keys: Vectors, queries: Vectors) -> dict[str, Figure]:
    import faiss

    faiss.omp_set_num_threads(1)
    embedder = Given(keys, queries)
    before = psutil.Process().memory_info().rss
    with Memory.create(directory, embedder) as memory:
        added, add_seconds = _timed(lambda: memory.add(_entries(len(keys))))
        assert added == len(keys)
        _, build_seconds = _timed(lambda: memory.search("query 0", K))
        _, close_seconds = _timed(memory.close)
    memory, open_seconds = _timed(lambda: _answering(directory, embedder))
    with memory:
        held = psutil.Process().memory_info().rss - before
        everyone = np.arange(len(keys))
        plain, near = _asked(memory, keys, queries, everyone, None)
        some, narrow = _asked(memory, keys, queries, everyone[::WORLDS], "world0")
    peer = Peer("index built for each query", 1e3 * _rebuilt(keys, queries))
    return {
        "add_per_s" if name == "1m" else f"add_per_s_{name}": Figure(
            len(keys) / add_seconds, "entries/s", True
        ),
        f"build_s_{name}": Figure(build_seconds, "s", False),
        f"save_s_{name}": Figure(close_seconds, "s", False),
        f"open_s_{name}": Figure(open_seconds, "s", False),
        f"recall_p50_ms_{name}": Figure(1e3 * float(np.median(plain)), "ms", False, peer),
        f"recall_p95_ms_{name}": Figure(1e3 * float(np.percentile(plain, 95)), "ms", False),
        f"recall_per_s_{name}": Figure(1 / float(np.mean(plain)), "queries/s", True),
        f"recall_at_5_{name}": Figure(near, "by distance, ties count", True),
        f"filter_1_percent_p50_ms_{name}": Figure(1e3 * float(np.median(some)), "ms", False),
        f"filter_1_percent_recall_at_5_{name}": Figure(narrow, "by distance, ties count", True),
        f"memory_mb_{name}": Figure(held / 1e6, "MB over the vectors given", False),
    }


def _answering(directory: Path, embedder: Given) -> Memory:
    memory = Memory.open(directory, embedder)
    memory.search("query 0", K)
    return memory


def _asked(
    memory: Memory, keys: Vectors, queries: Vectors, places: Any, world: str | None
) -> tuple[list[float], float]:
    """Return the seconds of each query, and recall@5 by distance."""
    among = keys[places]
    seconds, hits = [], 0
    for number, query in enumerate(queries):
        found, taken = _timed(lambda number=number: memory.search(f"query {number}", K, world=world))
        seconds.append(taken)
        fifth = np.partition(among @ query, -K)[-K]
        hits += sum(one.score >= fifth - 1e-6 for one in found)
    return seconds, hits / (K * len(queries))


def _rebuilt(keys: Vectors, queries: Vectors) -> float:
    """Return the median seconds of a search for which the index is built."""
    import faiss

    def once(query: Vectors) -> None:
        index = faiss.IndexFlatIP(keys.shape[1])
        index.add(keys)
        index.search(query[None], K)

    return float(np.median([_timed(lambda query=query: once(query))[1] for query in queries[:11]]))


def _timed(work: Any) -> tuple[Any, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


if __name__ == "__main__":
    main()
