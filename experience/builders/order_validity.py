"""Order validity: do these steps, in this order, carry out the task?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from random import Random

from pydantic import Field

from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.plan_generation import (
    MOST_SUBGOALS,
    drawn,
    task_and_things,
    told_steps,
)
from worldschool.experience.builders.plans import NO_PLAN, LivedPlan, lived_plans
from worldschool.experience.builders.reliving import CHANGED, relive
from worldschool.experience.questions.shortcuts import YES_NO
from worldschool.records import Episode, Example

TRIED = 4
"""Other orders that are tried for one plan, at most."""


class OrderValiditySettings(BuilderSettings):
    """Settings of the order validity builder."""

    distractors: int = Field(default=1, ge=0)
    """Things described that the plan does not touch."""
    minimum: int = Field(default=3, ge=2)
    """Shortest plan, in steps."""
    maximum: int = Field(default=10, ge=2)
    """Longest plan, in steps."""


def build(
    episode: Episode, settings: OrderValiditySettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show a plan as it is, or with two steps exchanged, and ask whether it works.

    What is right is found by executing: from the start, every step can be done and at the end the goal holds. Steps that
    can be exchanged are therefore a valid order too.
    """
    plans = lived_plans(episode, MOST_SUBGOALS)
    if isinstance(plans, Skipped):
        yield plans
        return
    relived = relive(episode)
    if relived is None:
        yield CHANGED
        return
    fitting = [plan for plan in plans if settings.minimum <= len(plan.actions) <= settings.maximum]
    if not fitting:
        yield NO_PLAN
    rng.shuffle(fitting)
    yielded = 0
    for plan in fitting:
        others = _exchanged(plan, rng)
        tried = [(plan.actions, True), *((order, relived.succeeds(order, plan.goal)) for order in others)]
        # One that works and one that does not, in random order.
        asked = [
            rng.choice(same) for valid in (True, False) if (same := [one for one in tried if one[1] == valid])
        ]
        rng.shuffle(asked)
        for actions, valid in asked[: settings.per_episode - yielded]:
            yielded += 1
            yield _example(episode, plan, actions, valid, settings, story_seed, rng)


def _exchanged(plan: LivedPlan, rng: Random) -> list[tuple[str, ...]]:
    """Return the plan with two different steps exchanged, in several ways; first those that keep both ends."""
    pairs = [
        (a, b) for a, b in combinations(range(len(plan.actions)), 2) if plan.actions[a] != plan.actions[b]
    ]
    rng.shuffle(pairs)
    pairs.sort(key=lambda pair: pair[0] == 0 or pair[1] == len(plan.actions) - 1)
    found = []
    for a, b in pairs[:TRIED]:
        order = list(plan.actions)
        order[a], order[b] = order[b], order[a]
        found.append(tuple(order))
    return found


def _example(
    episode: Episode,
    plan: LivedPlan,
    actions: tuple[str, ...],
    valid: bool,
    settings: OrderValiditySettings,
    story_seed: int,
    rng: Random,
) -> Example:
    steps = told_steps(episode, actions)
    shown = " ".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))
    distractors = drawn(episode, plan.names, settings.distractors, rng)
    prompt = (
        f"{task_and_things(episode, plan, distractors, rng)}\nPlan: {shown}\n"
        "Question: Does this plan work, step by step in this order?\nAnswer:"
    )
    # What stands first and last must not tell: each combination is balanced by itself.
    ends = f"{steps[0].split()[0]} ... {steps[-1].split()[0]}"
    return make_example(
        "order_validity",
        episode,
        story_seed,
        prompt,
        YES_NO[0] if valid else YES_NO[1],
        options=YES_NO,
        dials={"length": len(steps), "distractors": len(distractors)},
        meta={"kind": plan.kind, "cue": ends, "exchanged": actions != plan.actions},
    )
