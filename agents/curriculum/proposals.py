"""Choosing the next goal: by progress, novelty and horizon, among tasks that the world has here and now.

First the number of predicates is drawn, up to the horizon (`CurriculumState.horizon`), then a task family of that number
(`tasks.family_of`), each with probability in proportion to its score

    score = floor + w_p * progress + w_n * novelty

with the learning progress and the novelty of `progress.py`, known for every number and for every family. There are many
more families of long goals than of short ones; were they drawn at once, goals would be long whatever is learned. Of the
family's candidates that one is taken whose abstract task was solved least, and of those one that was tried least.

A proposal is repeated if the same goal (`Goal.key`, so whatever its wording) was asked in the same start (the same
things in the same places). No proposal is, but for retries of failures; and none holds at the start. Episodes of one round
know nothing of each other: their goals differ because their houses do.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

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
    if config.goals == "uniform":
        return _uniform(config, tasks, rng)
    if state.failures and rng.random() < config.retry_share:
        (failure,) = rng.choices(state.failures, [1 / one.attempts for one in state.failures])
        goal = draw_like(tasks, failure.task, rng)
        if goal is not None and not is_repeated(state, start, goal):
            return goal
    candidates = [goal for goal in _candidates(state, tasks, rng) if not is_repeated(state, start, goal)]
    if not candidates:
        return None
    by_family: dict[int, dict[str, list[Goal]]] = {}
    for goal in candidates:
        by_family.setdefault(len(goal.predicates), {}).setdefault(family_of(goal), []).append(goal)
    sizes = sorted(by_family)
    (size,) = rng.choices(sizes, [score(config, state.sizes.get(one)) for one in sizes])
    families = sorted(by_family[size])
    (family,) = rng.choices(families, [score(config, state.families.get(one)) for one in families])
    return _freshest(state, tasks, by_family[size][family])


def score(config: CurriculumConfig, known: Progress | None) -> float:
    """Return the score (the module's formula) of what is known; None: it was never tried. Above 0."""
    known = known or Progress()
    return (
        config.floor
        + config.progress * known.progress(config.rate)
        + config.novelty * novelty(known.attempts)
    )


def is_repeated(state: CurriculumState, start: str, goal: Goal) -> bool:
    """Return whether a goal was asked in this start before and was solved; a failure may be tried again."""
    return state.proposals.get(proposal_digest(start, goal), False)


def _uniform(config: CurriculumConfig, tasks: TaskGenerator, rng: Random) -> Goal | None:
    """Draw a task of any size up to the horizon, sizes alike; a smaller one where the house has not so many."""
    for size in range(rng.randint(1, config.horizon), 0, -1):
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


def _freshest(state: CurriculumState, tasks: TaskGenerator, goals: Sequence[Goal]) -> Goal:
    """Return the goal whose abstract task was solved least and then tried least; of equals the first drawn."""

    def known(goal: Goal) -> tuple[int, int]:
        tried, solved = state.tasks.get(task_digest(abstract_predicates(tasks, goal.predicates)), (0, 0))
        return solved, tried

    return min(goals, key=known)
