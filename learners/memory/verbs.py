"""What the command line does with a memory: fill it, and ask it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from worldschool.errors import MemoryStoreError
from worldschool.learners.memory.entries import Recalled
from worldschool.learners.memory.index import IndexKind
from worldschool.learners.memory.memory import BY_SIMILARITY, DEFAULT_EMBEDDER, Memory
from worldschool.learners.memory.ranking import Ranking
from worldschool.learners.memory.store import MemoryStore
from worldschool.models.embedders import Embedder
from worldschool.progress import Advance, silent
from worldschool.records import Episode


class Remembered(NamedTuple):
    """What `remember` did: episodes new and known already, and the memory's entries then."""

    added: int
    known: int
    entries: int


def remember(
    episodes: Iterable[Episode],
    out: Path | str,
    embedder: Embedder | str | None = None,
    on_progress: Advance = silent,
    *,
    index: IndexKind | None = None,
    window: int | None = None,
) -> Remembered:
    """Add episodes to the memory in `out`, which is made if it is missing; running it again adds nothing twice.

    Args:
        episodes: read once, in order.
        out: the memory's directory.
        embedder: the memory's own if None, `DEFAULT_EMBEDDER` for a new one.
        on_progress: told of each episode.
        index: the memory's own if None, "auto" for a new one (`Memory.create`).
        window: see `Memory.add_episodes`; entries are counted then, not episodes.

    Raises:
        MemoryStoreError: the memory cannot be opened or made, or no episodes were given.
        ModelError: there is no such embedder.
    """
    iterator = iter(episodes)
    first = next(iterator, None)
    if first is None:
        raise MemoryStoreError(
            "no episodes were given to remember", where=str(out), mend="Collect some first."
        )
    seen = 0

    def count(n: int = 1, note: str = "") -> None:
        nonlocal seen
        seen += n
        on_progress(n, note)

    with _open_or_create(Path(out), embedder, index) as memory:
        added = memory.add_episodes(chain([first], iterator), count, window)
        return Remembered(added, seen - added, memory.count)


def _open_or_create(directory: Path, embedder: Embedder | str | None, index: IndexKind | None) -> Memory:
    if MemoryStore.exists(directory):
        return Memory.open(directory, embedder, index=index)
    return Memory.create(directory, embedder or DEFAULT_EMBEDDER, index=index or "auto")


def recall(
    directory: Path | str,
    query: str,
    k: int = 5,
    kind: str | None = None,
    *,
    world: str | None = None,
    success: bool | None = None,
    ranking: Ranking = BY_SIMILARITY,
    least: float = -1.0,
) -> list[Recalled]:
    """Search the memory in `directory` once; see `Memory.search`.

    Raises:
        MemoryStoreError: there is no memory here, or nothing in it.
    """
    with Memory.open(directory) as memory:
        if not memory.count:
            raise MemoryStoreError(
                "the memory is empty", where=str(directory), mend="Fill it with `worldschool remember`."
            )
        return memory.search(query, k, kind, world=world, success=success, ranking=ranking, least=least)
