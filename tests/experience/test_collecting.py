from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worldschool.envs import make
from worldschool.experience.running.collecting import Collection, Extent, Tally
from worldschool.experience.running.lives import Lives
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Episode


class Shuffling:
    """An executor whose results come in any order, some items ahead of the slowest; `dies_after` results it stops."""

    def __init__(self, lives: Lives, seed: int, ahead: int, dies_after: int | None = None) -> None:
        self.live, self.random, self.ahead, self.dies_after = lives.begin(), Random(seed), ahead, dies_after
        self.asked: list[int] = []

    def run(
        self, items: Iterable[int], count: int, shared: str | None, stop: Callable[[], bool]
    ) -> Generator[tuple[int, Episode]]:
        waiting, held = iter(items), []
        while True:
            while len(held) < self.ahead and (item := next(waiting, None)) is not None:
                self.asked.append(item)
                held.append(item)
            if not held or len(self.asked) - len(held) == self.dies_after:
                return
            item = held.pop(self.random.randrange(len(held)))
            yield item, self.live(item, shared)

    def close(self) -> None:
        """Do nothing."""


class Noting(EpisodeStore):
    """Notes the order of commits."""

    order: list[int]

    def commit_shard(self, k: int, episodes: Any) -> None:
        self.order.append(k)
        super().commit_shard(k, episodes)


@pytest.fixture
def lives(registered_fake: str, no_fsync: None) -> Lives:
    config = make(registered_fake, max_steps=3).config
    return Lives(registered_fake, config, "random", {}, "train", 3, "01234567", strict=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    episodes=st.integers(1, 17),
    size=st.integers(1, 5),
    ahead=st.integers(1, 9),
    dies_after=st.integers(0, 17),
    seed=st.integers(0, 99),
)
def test_shards_are_committed_whole_and_in_order_whatever_comes_first(
    tmp_path_factory: pytest.TempPathFactory,
    lives: Lives,
    episodes: int,
    size: int,
    ahead: int,
    dies_after: int,
    seed: int,
) -> None:
    out = tmp_path_factory.mktemp("run") / "out"
    store = Noting.create(out, {}, 3, size)
    store.order = []
    first = Shuffling(lives, seed, ahead, dies_after)
    collect(store, first, episodes)
    committed = store.committed_shards()
    assert committed == store.order == list(range(len(committed)))
    second = Shuffling(lives, seed + 1, ahead)
    collect(store, second, episodes)
    assert [episode.index for episode in store] == list(range(episodes)) and store.verify() == []
    assert store.order == sorted(store.order)
    assert not [item for item in second.asked if item // size in committed], (
        "what is committed is not lived again"
    )
    store.close()


def collect(store: EpisodeStore, executor: Shuffling, episodes: int) -> Tally:
    tally = Tally(episodes, silent, lambda text: None, lambda text: None)
    Collection(store, executor, Extent(episodes, None), None, tally, lambda: False).run()
    return tally


def test_the_tally_counts_and_tells(tmp_path: Path, lives: Lives) -> None:
    notes: list[str] = []
    tally = Tally(4, lambda n=1, note="": notes.append(note), lambda text: None, notes.append)
    with EpisodeStore.create(tmp_path, {}, 3, 2) as store:
        Collection(store, Shuffling(lives, 0, 1), Extent(4, None), None, tally, lambda: False).run()
        totals = store.totals()
    assert (tally.episodes, tally.steps, tally.successes) == (4, totals.steps, totals.successes)
    assert notes[-1] == f"{totals.successes / 4:.0%} succeeded, {totals.steps} steps"


def test_a_stop_is_an_interrupt(tmp_path: Path, lives: Lives) -> None:
    tally = Tally(6, silent, lambda text: None, lambda text: None)
    with EpisodeStore.create(tmp_path, {}, 3, 2) as store:
        executor = Shuffling(lives, 0, 1, dies_after=3)
        with pytest.raises(KeyboardInterrupt):
            Collection(store, executor, Extent(6, None), None, tally, lambda: tally.episodes >= 3).run()
        assert store.committed_shards() == [0]
