"""A stored episode executed again: its world is reset with its seed, given its goal and taken through its actions.

Certification (`replay.py`), the builders that ask a world what events do not say (`builders/reliving.py`) and the viewing
page (`viewing/relive.py`) each look at something else between the steps; what an execution is stands here alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from worldschool.envs import World
from worldschool.experience.recording import begin_with
from worldschool.records import Episode, Goal


class Moment(NamedTuple):
    """What a world gave at the start of an episode (reward 0, not ended) or after one of its steps."""

    observation: str
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


def executed(world: World, episode: Episode, goal: Goal | None = None) -> Iterator[Moment]:
    """Yield the start of an episode, then what followed each of its actions.

    A step is taken when its moment is asked for. Until the next one is, `world` stands where the moment was and may be
    asked anything, but not moved.

    Args:
        world: of the episode's id, version and configuration.
        episode: the one to execute.
        goal: instead of the episode's own, where that cannot be read.

    Raises:
        ValueError, TypeError: the stored goal cannot be read.
        Exception: whatever the world raises.
    """
    observation, info = world.reset(seed=episode.seed)
    wanted = episode.wanted if goal is None else goal
    if (wanted.text, wanted.key) != (world.goal.text, world.goal.key):  # given to the run, or the agent's own
        observation, info = begin_with(world, wanted)
    yield Moment(observation, 0.0, False, False, info)
    for step in episode.steps:
        observation, reward, terminated, truncated, info = world.step(step.action)
        yield Moment(observation, float(reward), terminated, truncated, info)
