"""Goals that a collecting run is given: checked before anything is lived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from worldschool.envs import World
from worldschool.errors import ConfigError, WorldError, nearest
from worldschool.experience.running.lives import episode_seeds
from worldschool.records import Goal, Relation

NAMES = get_args(Relation)
WORLDS_TRIED = 16
"""A goal that the worlds of the first so many episodes all refuse is taken for a mistake."""


def check_goals(world: World, goals: Sequence[Goal], run_seed: int) -> None:
    """Check that each goal is one that the world understands, and that some of the run's first episodes can have it.

    Raises:
        ConfigError: a predicate's name is unknown, or the goal names what none of these episodes has.
    """
    for place, goal in enumerate(goals):
        where = f"goals.{place}.predicates"
        for name, *_ in goal.predicates:
            if name not in NAMES and not name.startswith("STATE:"):
                raise ConfigError(
                    f"there is no predicate {name!r}",
                    where=where,
                    mend=f"Known: {', '.join(NAMES)}, STATE:open and so on.{nearest(name, NAMES)}",
                )
        refused = [_refusal(world, goal, run_seed, index) for index in range(WORLDS_TRIED)]
        if all(refused):
            raise ConfigError(
                f"none of the first {WORLDS_TRIED} episodes can have this goal; the last: {refused[-1]}",
                where=where,
                mend="Name what is there, or any of a class, like class:apple.",
            )


def _refusal(world: World, goal: Goal, run_seed: int, index: int) -> str | None:
    """Return why the world of an episode refuses a goal, or None."""
    world.reset(seed=episode_seeds(run_seed, index)[0])
    try:
        world.set_goal(goal)
    except WorldError as error:
        return error.problem
    return None
