"""An instruction, answered by the steps that buy what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.agents.plans import shorten
from worldschool.experience.builders.base import TOO_LONG, BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping
from worldschool.records import Example


class ShoppingPlanSettings(BuilderSettings):
    """Settings of the shopping plan builder."""

    maximum: int = Field(default=10, ge=2)
    """Longest plan, in steps."""


@asks_of_shopping(reached=True)
def build(
    lived: Shopping, settings: ShoppingPlanSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask for the steps of an episode that ended with full reward; executed, and shortened until no step can be left out."""
    episode = lived.episode
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
