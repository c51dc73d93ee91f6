"""Plan generation among confusing things: a list of things, most of which the plan does not need."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.experience.builders.base import TOO_LONG, BuilderSettings, Skipped
from worldschool.experience.builders.describing import movable
from worldschool.experience.builders.plan_generation import MOST_SUBGOALS, plan_example
from worldschool.experience.builders.plans import LivedPlan, lived_plans
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Example

NOT_ENOUGH = Skipped("there are too few other things to confuse with")


class ConfusingSettings(BuilderSettings):
    """Settings of the confusing plan generation builder."""

    distractors: int = Field(default=4, ge=1)
    """Things listed and described that the plan does not touch; fewer where there are fewer, at least one."""
    maximum: int = Field(default=10, ge=1)
    """Longest plan, in steps."""
    subgoals: int = Field(default=MOST_SUBGOALS, ge=0, le=MOST_SUBGOALS)
    """At most this many plans an episode for what else was brought about, beside the goal's."""


def build(
    episode: Episode, settings: ConfusingSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask for a plan, its things listed among others: first those of the same class or in the same place.

    The plans are those of the goal and of what else was brought about; lived again, none of their steps can be left out.
    """
    plans = lived_plans(episode, settings.subgoals)
    if isinstance(plans, Skipped):
        yield plans
        return
    yielded = 0
    for plan in plans:
        if len(plan.actions) > settings.maximum:
            yield TOO_LONG
            continue
        distractors = _confusing(episode, plan, rng)[: settings.distractors]
        if not distractors:
            yield NOT_ENOUGH
        elif yielded < settings.per_episode:
            yielded += 1
            yield plan_example(
                "plan_generation_confusing", episode, plan, distractors, story_seed, rng, listed=True
            )


def _confusing(episode: Episode, plan: LivedPlan, rng: Random) -> list[str]:
    """Return the things the plan does not touch, the most confusing first."""
    classes, start = episode.classes, Tracker(episode.initial_facts)
    needed = {classes[name] for name in plan.names if name in classes}
    places = {start.place(name) for name in plan.names} - {None}
    others = [name for name in movable(episode) if name not in plan.names]
    rng.shuffle(others)
    return sorted(
        others, key=lambda name: -(2 * (classes.get(name) in needed) + (start.place(name) in places))
    )
