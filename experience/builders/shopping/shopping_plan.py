"""An instruction, answered by the steps that buy what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.agents.plans import shorten
from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.visits import shopping
from worldschool.records import Episode, Example

NOT_REACHED = Skipped("the goal was not reached")
TOO_LONG = Skipped("the plan is longer than the maximum")


class ShoppingPlanSettings(BuilderSettings):
    """Settings of the shopping plan builder."""

    maximum: int = Field(default=10, ge=2)
    """Longest plan, in steps."""


def build(
    episode: Episode, settings: ShoppingPlanSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask for the steps of an episode that ended with full reward; executed, and shortened until no step can be left out."""
    lived = shopping(episode)
    if isinstance(lived, Skipped):
        yield lived
        return
    if not episode.success:
        yield NOT_REACHED
        return
    world = lived.world
    world.reset(seed=episode.seed, options={"goal": episode.wanted})
    actions = shorten(world, episode.wanted, world.snapshot(), [step.action for step in episode.steps])
    if actions is None or len(actions) > settings.maximum:
        yield TOO_LONG
        return
    answer = " ".join(world.narrate_action(action) for action in actions)
    yield make_example(
        "shopping_plan",
        episode,
        story_seed,
        f"Instruction: {episode.goal}\nSteps:",
        answer,
        dials={"length": len(actions)},
        meta={"actions": list(actions)},
    )
