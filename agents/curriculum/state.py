"""What the curriculum knows at the start of a round: progress, what was proposed, failed and solved, and skills."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from worldschool.agents.curriculum.config import CurriculumConfig, load_model
from worldschool.agents.curriculum.progress import Progress
from worldschool.agents.curriculum.tasks import (
    AbstractTask,
    abstract_predicates,
    family_of,
    proposal_digest,
    start_digest,
    task_digest,
    task_generator,
)
from worldschool.agents.mcts.priors import language_model_priors
from worldschool.agents.skills.learning import goal_of, relive, skills_of
from worldschool.agents.skills.library import SkillLibrary
from worldschool.agents.skills.order import Order
from worldschool.envs import World, make
from worldschool.errors import DatasetError
from worldschool.files import read_json
from worldschool.records import Episode

STATE_SCHEMA = "worldschool.curriculum/1"
FAILURES_KEPT = 64
TEXTS_KEPT = 12


class Failure(NamedTuple):
    """An abstract task that failed when it was last tried.

    Attributes:
        task: the task.
        failed: which of its predicates did not hold at the end.
        attempts: how often it failed since it was last solved.
    """

    task: AbstractTask
    failed: AbstractTask
    attempts: int


@dataclass(frozen=True)
class CurriculumState:
    """A `RoundState`. Bounded: `CurriculumConfig.remembered` proposals and tasks, `skill_limit` skills, 64 failures.

    Attributes:
        config: the settings that it goes by.
        episodes: how many it has seen.
        rounds: how many rounds it has seen.
        families: task family to its progress.
        sizes: number of predicates to the progress of all goals of that size.
        tasks: digest of an abstract task to (attempts, successes), the latest last.
        proposals: digests of (start, goal) to whether it was solved, the latest last.
        failures: the latest last.
        solved, failed: goals in words, the latest last; what a language model is shown.
        library: the skills.
        order: in which order the parts of goals were reached.
    """

    config: CurriculumConfig
    episodes: int = 0
    rounds: int = 0
    families: Mapping[str, Progress] = field(default_factory=dict)
    sizes: Mapping[int, Progress] = field(default_factory=dict)
    tasks: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    proposals: Mapping[str, bool] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    solved: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    library: SkillLibrary = field(default_factory=SkillLibrary)
    order: Order = field(default_factory=Order)

    @classmethod
    def begin(cls, config: CurriculumConfig) -> CurriculumState:
        """Return what is known before the first round: nothing, or what the settings' file says.

        Raises:
            ModelError: a language model that the settings name cannot be loaded; a run says so here, before it begins.
            DatasetError: the file is missing, damaged, or no state of a curriculum.
        """
        if config.words is not None:
            load_model(config.words)
        if config.search is not None and config.search.prior_model is not None:
            language_model_priors(config.search.prior_model)
        if config.known is not None:
            return cls.from_json(config, read_json(Path(config.known), what="a curriculum's state"))
        return cls(config, library=SkillLibrary(limit=config.skill_limit))

    def after(self, episodes: Sequence[Episode]) -> CurriculumState:
        """Return what is known after a round.

        Every episode is lived again from its seed, to see what it reached and what its parts need. Whether it succeeded
        is what the world said when it was recorded.
        """
        worlds: dict[tuple[str, str], World] = {}
        state = replace(self, rounds=self.rounds + 1)
        for episode in episodes:
            kind = episode.world, episode.world_config
            if kind not in worlds:
                worlds[kind] = make(episode.world, **json.loads(episode.world_config))
            state = state._after_one(worlds[kind], episode)
        return state

    def _after_one(self, world: World, episode: Episode) -> CurriculumState:
        goal = goal_of(episode)
        counted = replace(self, episodes=self.episodes + 1)
        if episode.error is not None or not goal.predicates:
            return counted  # says nothing about what can be done
        solved, rate = episode.success, self.config.rate
        lived = relive(world, episode)
        tasks = task_generator(world)
        task = abstract_predicates(tasks, goal.predicates)
        digest, family, size = task_digest(task), family_of(goal), len(goal.predicates)
        attempts, successes = self.tasks.get(digest, (0, 0))
        start = start_digest(episode.world, episode.entities, episode.initial_facts)
        library, order = self.library, self.order
        if solved and self.config.skills and not lived.missing:
            order = order.after(lived.order(), tasks.kind)
            library = library.with_skills(skills_of(world, lived, library, tasks.kind, episode.episode_id))
        failed = abstract_predicates(tasks, lived.missing)
        return replace(
            counted,
            families={**self.families, family: self.families.get(family, Progress()).after(solved, rate)},
            sizes={**self.sizes, size: self.sizes.get(size, Progress()).after(solved, rate)},
            tasks=self._remember(self.tasks, digest, (attempts + 1, successes + solved)),
            proposals=self._remember(self.proposals, proposal_digest(start, goal), solved),
            failures=self._failures_after(task, failed, solved),
            solved=_latest((*self.solved, goal.text)) if solved else self.solved,
            failed=self.failed if solved else _latest((*self.failed, goal.text)),
            library=library,
            order=order,
        )

    def _remember(self, known: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
        """Return `known` with one more as the latest, without the oldest beyond what is remembered."""
        found = {**{one: what for one, what in known.items() if one != key}, key: value}
        while len(found) > self.config.remembered:
            del found[next(iter(found))]
        return found

    def _failures_after(self, task: AbstractTask, failed: AbstractTask, solved: bool) -> tuple[Failure, ...]:
        known = self.failure_of(task)
        others = tuple(one for one in self.failures if one.task != task)
        if solved:
            return others
        return (*others, Failure(task, failed, 1 + (known.attempts if known else 0)))[-FAILURES_KEPT:]

    # -- what is known ------------------------------------------------------------------------------------------------

    def failure_of(self, task: AbstractTask) -> Failure | None:
        """Return the last failure of an abstract task, or None if it was solved since or never tried."""
        return next((one for one in self.failures if one.task == task), None)

    @property
    def horizon(self) -> int:
        """The most predicates that a proposed goal has now: one more than the longest that succeed often enough."""
        config = self.config
        size = 1
        while size < config.horizon:
            known = self.sizes.get(size, Progress())
            if known.attempts < config.unlock_attempts or known.success(config.rate) < config.unlock_success:
                break
            size += 1
        return size

    # -- plain values ---------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Return everything but the settings as plain JSON values; what has an order is a list."""
        return {
            "schema": STATE_SCHEMA,
            "episodes": self.episodes,
            "rounds": self.rounds,
            "families": {name: self.families[name].to_json() for name in sorted(self.families)},
            "sizes": [[size, *self.sizes[size].to_json()] for size in sorted(self.sizes)],
            "tasks": [[digest, *counts] for digest, counts in self.tasks.items()],
            "proposals": [[digest, solved] for digest, solved in self.proposals.items()],
            "failures": [
                {"task": _rows(one.task), "failed": _rows(one.failed), "attempts": one.attempts}
                for one in self.failures
            ],
            "solved": list(self.solved),
            "failed": list(self.failed),
            "library": self.library.to_json(),
            "order": self.order.to_json(),
        }

    @classmethod
    def from_json(cls, config: CurriculumConfig, values: dict[str, Any]) -> CurriculumState:
        """Read what `to_json` gave.

        Raises:
            DatasetError: the values are not such a state, or of another version.
        """
        schema = values.get("schema") if isinstance(values, dict) else None
        if schema != STATE_SCHEMA:
            raise DatasetError(
                f"found {schema!r}",
                where="curriculum state: schema",
                mend=f"This release reads {STATE_SCHEMA!r}.",
            )
        try:
            return cls(
                config,
                int(values["episodes"]),
                int(values["rounds"]),
                {str(name): Progress.from_json(row) for name, row in values["families"].items()},
                {int(size): Progress.from_json(row) for size, *row in values["sizes"]},
                {str(digest): (int(tried), int(won)) for digest, tried, won in values["tasks"]},
                {str(digest): bool(solved) for digest, solved in values["proposals"]},
                tuple(
                    Failure(_task(row["task"]), _task(row["failed"]), int(row["attempts"]))
                    for row in values["failures"]
                ),
                tuple(map(str, values["solved"])),
                tuple(map(str, values["failed"])),
                SkillLibrary.from_json(values["library"], config.skill_limit),
                Order.from_json(values["order"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DatasetError(
                f"this is no state of a curriculum ({error!r})",
                where="curriculum state",
                mend="Collect again into a new directory.",
            ) from None


def _latest(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts[-TEXTS_KEPT:])


def _rows(task: AbstractTask) -> list[list[str | None]]:
    return [list(row) for row in task]


def _task(rows: Sequence[Sequence[Any]]) -> AbstractTask:
    return tuple(
        (str(name), str(subject), None if target is None else str(target)) for name, subject, target in rows
    )
