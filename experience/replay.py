"""Replay certification: stored episodes are executed again, and everything that was stored is compared.

An episode passes when the world, reset with its seed and given its goal and actions, shows the same observations,
rewards, events, state hashes and numbers of legal actions, and ends alike. What executing cannot show, another spelling
of an action that does the same, the row's digest does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from worldschool.envs import World, make
from worldschool.envs.world import world_class
from worldschool.errors import WorldError
from worldschool.experience.executing import Moment, executed
from worldschool.experience.recording import describe
from worldschool.experience.running.executors import Executor, Here
from worldschool.experience.running.interrupts import interruptible
from worldschool.experience.running.lives import episode_seeds
from worldschool.experience.running.processes import Processes
from worldschool.experience.store import EpisodeStore
from worldschool.progress import Advance, silent
from worldschool.records import Episode

EPISODE_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{16})-([0-9]{8,})")
MOST_TOLD = 20
"""Differences that are told in words."""
MOST_SHOWN = 120
"""Characters of a stored or replayed value that a sentence shows."""


@dataclass(frozen=True)
class Difference:
    """Something stored that executing does not give.

    Attributes:
        episode_id: of the episode.
        index: its place in the dataset.
        step: the step, counted from 0; None for the episode as a whole or its beginning.
        field: the field's name in the row.
        stored: what the row says.
        replayed: what was found.
        action: the stored action of the step; None where there is no step.
    """

    episode_id: str
    index: int
    step: int | None
    field: str
    stored: str
    replayed: str
    action: str | None = None

    def __str__(self) -> str:
        episode = f"episode {self.index} ({self.episode_id})"
        if self.field == "world_version":
            return (
                f"{episode}: it was made with version {self.stored} of the world's dynamics and this release has "
                f"{self.replayed}, so it was not executed."
            )
        where = "" if self.step is None else f", step {self.step} ({_excerpt(self.action or '', '')})"
        return (
            f"{episode}{where}: {self.field} is stored as {_excerpt(self.stored, self.replayed)}, replayed it is "
            f"{_excerpt(self.replayed, self.stored)}."
        )


@dataclass(frozen=True)
class ReplayReport:
    """What replaying a dataset showed.

    Attributes:
        damaged: what is wrong with the files, as `EpisodeStore.verify` says; nothing was executed then.
        episodes: how many episodes were executed again.
        steps: their steps.
        differences: in index order; an episode's are those of the first step that differs.
    """

    damaged: tuple[str, ...]
    episodes: int
    steps: int
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether files and episodes are as they were made."""
        return not self.damaged and not self.differences


def replay_episode(episode: Episode) -> list[Difference]:
    """Execute an episode again and return where it differs from what is stored; an empty list: nowhere.

    An episode that ended by an error is executed up to that: the failing action itself is not stored. An episode of
    another version of the dynamics is not executed; that it is of another is the difference.
    """
    return Replayer().replay(episode)


def replay_dataset(
    store: EpisodeStore, workers: int = 1, on_progress: Advance = silent, *, bytes_checked: bool = False
) -> ReplayReport:
    """Check a dataset's bytes, then execute all of its episodes again.

    Args:
        store: the dataset.
        workers: processes that execute.
        on_progress: told of every episode.
        bytes_checked: leave out the first part, because it was just done.

    Raises:
        KeyboardInterrupt: passed on.
    """
    damaged = () if bytes_checked else tuple(store.verify())
    if damaged:
        return ReplayReport(damaged, 0, 0, ())
    episodes = steps = 0
    found: list[Difference] = []
    differing = 0
    executor: Executor = Here(Replays()) if workers == 1 else Processes(Replays(), workers)
    with interruptible() as stop, closing(executor):
        for episode, differences in executor.run(store.scan(), len(store), None, stop):
            episodes, steps = episodes + 1, steps + episode.length
            differing += bool(differences)
            found += differences
            on_progress(1, f"{differing} differ")
        if stop() and episodes < len(store):
            raise KeyboardInterrupt
    return ReplayReport((), episodes, steps, tuple(sorted(found, key=lambda one: one.index)))


def replayed(report: ReplayReport) -> str:
    """Return what a report says, in words: some of the differences, and a verdict."""
    shown = [str(difference) for difference in report.differences[:MOST_TOLD]]
    if len(report.differences) > MOST_TOLD:
        shown.append(f"and {len(report.differences) - MOST_TOLD} more differences")
    if report.damaged:
        return "\n".join([*report.damaged, "nothing was executed, because files are damaged"])
    differing = len({difference.episode_id for difference in report.differences})
    verdict = f"{differing} are not as stored" if differing else "all as stored"
    return "\n".join(
        [*shown, f"{report.episodes:,} episodes, {report.steps:,} steps executed again: {verdict}"]
    )


@dataclass(frozen=True)
class Replays:
    """The task of a worker that executes episodes again."""

    def begin(self) -> Callable[[Episode, str | None], list[Difference]]:
        """Return what executes an episode and gives its differences."""
        replayer = Replayer()
        return lambda episode, shared: replayer.replay(episode)


class Replayer:
    """Executes episodes again, and keeps the world between episodes of one configuration."""

    def __init__(self) -> None:
        self._made: tuple[tuple[str, str], World] | None = None

    def replay(self, episode: Episode) -> list[Difference]:
        """Return the differences of an episode (see `replay_episode`)."""
        found = [*_differences_of_row(episode)]
        world = self._world(episode)
        if isinstance(world, Difference):
            return [*found, world]
        found += _Execution(world, episode).differences()
        if found or episode.error is not None:
            self._made = None  # a world that failed may be left in any state
        return found

    def _world(self, episode: Episode) -> World | Difference:
        key = episode.world, episode.world_config
        if self._made is None or self._made[0] != key:
            try:
                cls = world_class(episode.world)
                if cls.version != episode.world_version:
                    return _difference(episode, None, "world_version", episode.world_version, cls.version)
                self._made = key, make(episode.world, **json.loads(episode.world_config))
            except (WorldError, ValueError, TypeError) as error:
                return _difference(episode, None, "world_config", episode.world_config, describe(error))
        world = self._made[1]
        if world.version != episode.world_version:
            return _difference(episode, None, "world_version", episode.world_version, world.version)
        return world


class _Execution:
    """One execution of an episode; differences are told up to the first step that has any."""

    def __init__(self, world: World, episode: Episode) -> None:
        self._world, self._episode = world, episode
        self._moments = executed(world, episode)
        self._last = Moment("", 0.0, False, False, {})

    def differences(self) -> list[Difference]:
        """Execute and compare."""
        found = self._begin()
        for t in range(len(self._episode.steps)):
            if found:
                return found
            found = self._step(t)
        return found or [*self._end()]

    def _begin(self) -> list[Difference]:
        episode, world = self._episode, self._world
        try:
            self._last = next(self._moments)
        except Exception as error:  # noqa: BLE001 (a difference, or the very error that is stored)
            failed_alike = describe(error) == episode.error and not episode.steps
            return [] if failed_alike else [self._differ(None, "error", episode.error, describe(error))]
        pairs = (
            ("initial_observation", episode.initial_observation, self._last.observation),
            ("initial_state_hash", episode.initial_state_hash, world.snapshot().position),
            ("entities", episode.entities, world.entities()),
            ("initial_facts", episode.initial_facts, world.facts()),
        )
        return [*self._compare(None, pairs)]

    def _step(self, t: int) -> list[Difference]:
        stored, world = self._episode.steps[t], self._world
        if self._last.terminated or self._last.truncated:
            return [self._differ(t, "steps", "one more step", "the end of the episode")]
        try:
            legal = len(world.legal_actions())
            self._last = next(self._moments)
        except Exception as error:  # noqa: BLE001 (that it fails is the difference)
            return [self._differ(t, "action", stored.action, describe(error))]
        pairs = (
            ("legal_actions", stored.legal_actions, legal),
            ("observation", stored.observation, self._last.observation),
            ("reward", stored.reward, self._last.reward),
            ("state_hash", stored.state_hash, world.snapshot().position),
            ("events", stored.events, world.events()),
        )
        return [*self._compare(t, pairs)]

    def _end(self) -> Iterator[Difference]:
        episode, last, failed = self._episode, self._last, self._episode.error is not None
        yield from self._compare(
            None,
            (
                ("terminated", episode.terminated, last.terminated and not failed),
                ("truncated", episode.truncated, last.truncated and not failed),
                ("success", episode.success, bool(last.info.get("success")) and not failed),
                ("return", episode.return_, float(sum(step.reward for step in episode.steps))),
                ("length", episode.length, len(episode.steps)),
            ),
        )

    def _compare(self, step: int | None, pairs: tuple[tuple[str, Any, Any], ...]) -> Iterator[Difference]:
        for field, stored, replayed in pairs:
            if stored != replayed:
                yield self._differ(step, field, stored, replayed)

    def _differ(self, step: int | None, field: str, stored: Any, replayed: Any) -> Difference:
        return _difference(self._episode, step, field, stored, replayed)


def _differences_of_row(episode: Episode) -> Iterator[Difference]:
    """Yield what the row alone shows: that its digest, or its seeds and its id, do not fit."""
    if episode.digest and episode.digest != (digest := episode.content_digest()):
        yield _difference(episode, None, "digest", episode.digest, digest)
    parts = EPISODE_ID.fullmatch(episode.episode_id)
    if parts is not None:
        run_seed, index = int(parts[1], 16), int(parts[2])
        if run_seed != episode.run_seed:
            yield _difference(episode, None, "run_seed", episode.run_seed, run_seed)
        elif episode.seed != (seed := episode_seeds(run_seed, index)[0]):
            yield _difference(episode, None, "seed", episode.seed, seed)


def _difference(episode: Episode, step: int | None, field: str, stored: Any, replayed: Any) -> Difference:
    action = None if step is None else episode.steps[step].action
    return Difference(episode.episode_id, episode.index, step, field, str(stored), str(replayed), action)


def _excerpt(text: str, other: str) -> str:
    """Return a text in quotes; of a long one, what is around the first place where it is not the other."""
    if len(text) <= MOST_SHOWN:
        return repr(text)
    same = next(
        (at for at, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other))
    )
    start = max(0, min(same - MOST_SHOWN // 4, len(text) - MOST_SHOWN))
    shown = text[start : start + MOST_SHOWN]
    return repr(("..." if start else "") + shown + ("..." if start + MOST_SHOWN < len(text) else ""))
