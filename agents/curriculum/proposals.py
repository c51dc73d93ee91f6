"""Choosing the next goal: by progress, novelty and horizon, among tasks that the world has here and now.

Tasks of every number of predicates up to the horizon (`CurriculumState.horizon`) are drawn from the world. Then the number
is drawn in proportion to score / number, and of its task families (`tasks.family_of`) one in proportion to its score:

    score = floor + w_p * progress + w_n * novelty

Progress is the learning progress (`progress.py`) of all goals of that number, or of that family. Novelty is the mean of
1 / sqrt(1 + attempts) over the tasks drawn, attempts being those of the same abstract task in any house: 1 where nothing
was tried yet (the count-based bonus of Strehl and Littman 2008). A goal of n predicates takes about n times the
steps of one, so with score / number it is steps, not episodes, that are shared out by score. Of the family's tasks that
one is taken whose abstract task was solved least, and of those one that was tried least.

A proposal is repeated if the same goal (`Goal.key`, so whatever its wording) was asked in the same start (the same
things in the same places). No proposal is, but for retries of failures; and none holds at the start. Episodes of one round
know nothing of each other: their goals differ because their houses do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, TypeVar

from worldschool.agents.curriculum.config import CurriculumConfig
from worldschool.agents.curriculum.progress import Progress, novelty
from worldschool.agents.curriculum.state import CurriculumState
from worldschool.agents.curriculum.tasks import (
    TaskGenerator,
    abstract_predicates,
    draw_like,
    draw_task,
    family_of,
    proposal_digest,
    task_digest,
)
from worldschool.records import Goal

KeyT = TypeVar("KeyT", int, str)


def propose_goal(state: CurriculumState, tasks: TaskGenerator, start: str, rng: Random) -> Goal | None:
    """Return the next goal for a start, or None where nothing is left that was not asked before.

    Args:
        state: what is known at the start of the round.
        tasks: of the world now.
        start: its digest (`tasks.start_digest`).
        rng: draws, from the episode's seed.
    """
    config = state.config
    if config.goals == "world":
        return None
    if config.goals != "curriculum":
        return _uniform(config, tasks, rng)
    if state.failures and rng.random() < config.retry_share:
        (failure,) = rng.choices(state.failures, [1 / one.attempts for one in state.failures])
        goal = draw_like(tasks, failure.task, rng)
        if goal is not None and not is_repeated(state, start, goal):
            return goal
    drawn = [_drawn(state, tasks, goal) for goal in _candidates(state, tasks, rng)]
    fresh = [one for one in drawn if not is_repeated(state, start, one.goal)]
    if not fresh:
        return None
    sizes = _grouped(fresh, lambda one: len(one.goal.predicates))
    weights = [score(config, state.sizes.get(size), sizes[size]) / size for size in sizes]
    (size,) = rng.choices(list(sizes), weights)
    families = _grouped(sizes[size], lambda one: family_of(one.goal))
    weights = [score(config, state.families.get(name), families[name]) for name in families]
    (family,) = rng.choices(list(families), weights)
    return min(families[family], key=lambda one: (one.solved, one.tried)).goal


class Drawn(NamedTuple):
    """A task of this house, and how often the same abstract task was tried and solved in any."""

    goal: Goal
    tried: int
    solved: int


def score(config: CurriculumConfig, known: Progress | None, drawn: Sequence[Drawn]) -> float:
    """Return the score (the module's formula) of a number of predicates or of a family; above 0.

    Args:
        config: its weights.
        known: its progress; None: never tried.
        drawn: its tasks; at least one.
    """
    progress = 0.0 if known is None else known.progress(config.rate)
    mean_novelty = sum(novelty(one.tried) for one in drawn) / len(drawn)
    return config.floor + config.progress * progress + config.novelty * mean_novelty


def is_repeated(state: CurriculumState, start: str, goal: Goal) -> bool:
    """Return whether a goal was asked in this start before and was solved; a failure may be tried again."""
    return state.proposals.get(proposal_digest(start, goal), False)


def _uniform(config: CurriculumConfig, tasks: TaskGenerator, rng: Random) -> Goal | None:
    """Draw a task of any size up to the horizon; a smaller one where the house has not so many."""
    sizes = range(1, config.horizon + 1)
    (most,) = rng.choices(sizes, [1.0 if config.goals == "uniform" else 1 / size for size in sizes])
    for size in range(most, 0, -1):
        goal = draw_task(tasks, size, rng)
        if goal is not None:
            return goal
    return None


def _candidates(state: CurriculumState, tasks: TaskGenerator, rng: Random) -> list[Goal]:
    """Draw tasks of every size up to the horizon, and the world's own activities of these sizes."""
    found = {
        goal.key: goal
        for size in range(1, state.horizon + 1)
        for goal in (draw_task(tasks, size, rng) for _ in range(state.config.candidates))
        if goal is not None
    }
    for goal in tasks.activities(rng):
        if len(goal.predicates) <= state.horizon:
            found.setdefault(goal.key, goal)
    return list(found.values())


def _drawn(state: CurriculumState, tasks: TaskGenerator, goal: Goal) -> Drawn:
    digest = task_digest(abstract_predicates(tasks, goal.predicates))
    return Drawn(goal, *state.tasks.get(digest, (0, 0)))


def _grouped(drawn: Sequence[Drawn], key: Callable[[Drawn], KeyT]) -> dict[KeyT, list[Drawn]]:
    """Return tasks by a key, keys sorted."""
    found: dict[KeyT, list[Drawn]] = {}
    for one in sorted(drawn, key=key):
        found.setdefault(key(one), []).append(one)
    return found
