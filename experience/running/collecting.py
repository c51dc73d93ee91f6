"""The loop of a collecting run: which episodes are missing, in which order they are lived, when they are committed."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from worldschool.experience.running.executors import Executor, Say
from worldschool.experience.running.rounds import Rounds
from worldschool.experience.store import EpisodeStore
from worldschool.progress import Advance
from worldschool.records import Episode

SECONDS_BETWEEN_LOG_LINES = 10.0
FAILURES_TO_WARN = 20
"""A run whose first episodes all fail, so many of them, says so at once."""
FAILURES_LOGGED = 100
"""Failed episodes that the log names one by one."""


@dataclass(frozen=True)
class Extent:
    """How much is to be collected.

    Attributes:
        episodes: how many the dataset will hold; None where only the time budget ends the run.
        budget_s: seconds; the shard under way when they are spent is the last. None: no budget.
    """

    episodes: int | None
    budget_s: float | None

    def piece(self, k: int, size: int) -> range:
        """Return the indices of shard `k` of this size, or round `k`; none beyond the last episode."""
        end = (k + 1) * size
        return range(k * size, end if self.episodes is None else min(end, self.episodes))


class Tally:
    """Counts what happens in this run, shows it and writes it to the log.

    Args:
        total: episodes that this run will live; None where only time ends it.
        advance: shows progress.
        log: writes a line to the log.
        tell: writes to the log and shows to the user.
    """

    def __init__(self, total: int | None, advance: Advance, log: Say, tell: Say) -> None:
        self._total, self._advance, self._log, self._tell = total, advance, log, tell
        self.episodes = self.successes = self.steps = self.errors = 0
        self._logged = self._start = time.monotonic()

    def count(self, episode: Episode) -> None:
        """Take one finished episode into account."""
        self.episodes += 1
        self.successes += episode.success
        self.steps += episode.length
        if episode.error is not None:
            self._failed(episode)
        self._advance(1, self._summary())
        if time.monotonic() - self._logged >= SECONDS_BETWEEN_LOG_LINES:
            self.log_line()

    def log_line(self) -> None:
        """Write where the run is."""
        self._logged = time.monotonic()
        rate = self.episodes / max(self._logged - self._start, 1e-9)
        self._log(f"{self.episodes} episodes of this run, {rate:.3g}/s, {self._summary()}")

    def _failed(self, episode: Episode) -> None:
        self.errors += 1
        if self.errors <= FAILURES_LOGGED:
            self._log(f"episode {episode.index} (world seed {episode.seed}) failed: {episode.error}")
        most = FAILURES_TO_WARN if self._total is None else min(FAILURES_TO_WARN, self._total)
        if self.errors == self.episodes == most:
            self._tell(
                f"each of the first {most} episodes failed, the last with: {episode.error}. The errors are kept with the "
                "episodes; --strict stops at the first."
            )

    def _summary(self) -> str:
        failed = f", {self.errors} failed" if self.errors else ""
        return f"{self.successes / self.episodes:.0%} succeeded, {self.steps} steps{failed}"


class Collection:
    """Lives what a store lacks and commits it, shard by shard in index order.

    Args:
        store: where it is committed.
        executor: lives episodes by index.
        extent: how much is wanted.
        rounds: for an agent that learns, its states; None for any other.
        tally: told of every episode.
        stop: tells whether to stop now.
    """

    def __init__(
        self,
        store: EpisodeStore,
        executor: Executor,
        extent: Extent,
        rounds: Rounds | None,
        tally: Tally,
        stop: Callable[[], bool],
    ) -> None:
        self._store, self._executor, self._extent = store, executor, extent
        self._rounds, self._tally, self._stop = rounds, tally, stop
        self._size = store.shard_size
        self._deadline = None if extent.budget_s is None else time.monotonic() + extent.budget_s
        self._finished: dict[
            int, dict[int, Episode]
        ] = {}  # shards that are begun, in order: index to episode
        self._begun_one = False
        self.out_of_time = False

    def run(self) -> None:
        """Live and commit what is missing.

        Raises:
            KeyboardInterrupt: `stop()` became true; the whole shards before the first that is not are committed.
        """
        for number, shards in self._stretches():
            state = None if self._rounds is None else self._rounds.state(number)
            lived = self._live(shards, state)
            if self._stop():
                raise KeyboardInterrupt
            if self.out_of_time:
                return
            if (
                self._rounds is not None
                and len(self._extent.piece(number, self._rounds.size)) == self._rounds.size
            ):
                self._learn(self._rounds, number, lived)

    def _stretches(self) -> Iterator[tuple[int, Sequence[int]]]:
        """Yield (round, numbers of its shards) where something is missing; without rounds, everything as one."""
        end = sys.maxsize if self._extent.episodes is None else -(-self._extent.episodes // self._size)
        if self._rounds is None:
            yield 0, range(end)
            return
        step = self._rounds.size // self._size
        for number in itertools.count():
            shards = range(number * step, min((number + 1) * step, end))
            if not shards:
                return
            if not set(shards) <= set(self._store.committed_shards()):
                yield number, shards

    def _live(self, shards: Sequence[int], state: str | None) -> list[Episode]:
        """Live and commit those of the shards that are missing; returns their episodes if there is a state."""
        committed = set(self._store.committed_shards())
        missing = (k for k in shards if k not in committed)
        count = sys.maxsize
        if self._extent.episodes is not None:
            count = sum(len(self._extent.piece(k, self._size)) for k in shards if k not in committed)
        kept: list[Episode] = []
        with closing(self._executor.run(self._indices(missing), count, state, self._stop)) as results:
            for index, episode in results:
                self._finished[index // self._size][index] = episode
                self._tally.count(episode)
                for whole in self._commit():
                    kept += whole if state is not None else ()
        return kept

    def _indices(self, shards: Iterator[int]) -> Iterator[int]:
        """Yield the indices of the shards, until the time is spent; a shard that is begun is finished."""
        for k in shards:
            if self._begun_one and self._deadline is not None and time.monotonic() >= self._deadline:
                self.out_of_time = True
                return
            self._begun_one = True
            self._finished[k] = {}
            yield from self._extent.piece(k, self._size)

    def _commit(self) -> Iterator[list[Episode]]:
        """Commit the shards that are whole and have none before them that is not; yields their episodes."""
        while self._finished:
            k, found = next(iter(self._finished.items()))
            indices = self._extent.piece(k, self._size)
            if len(found) < len(indices):
                return
            episodes = [found[index] for index in indices]
            self._store.commit_shard(k, episodes)
            del self._finished[k]
            yield episodes

    def _learn(self, rounds: Rounds, number: int, lived: Sequence[Episode]) -> None:
        if len(lived) == rounds.size:
            rounds.learn(number, lived)
        else:
            rounds.state(number + 1)  # some of the round was stored by an earlier run
