"""Order validity: do these steps, in this order, carry out the task?

Steps change places with steps of the same verb only. A plan that works and one that does not then have the same words, and
the same verbs in the same order: what tells them apart is what each step is done with.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.agents.random import verb_of
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
DRAWS = 12
"""Orders that are drawn for one plan; short ones have few that differ."""
ALL_WORK = Skipped("no two steps of one verb can be exchanged so that the plan fails")


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
    """Show a plan as it is, or with steps of the same verb exchanged, and ask whether it works.

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
        tried = [
            (plan.actions, True),
            *((order, relived.succeeds(order, plan.goal)) for order in _exchanged(plan, rng)),
        ]
        works, fails = ([one for one in tried if one[1] == valid] for valid in (True, False))
        if not fails:
            yield ALL_WORK
            continue
        # One that works, rather another than was lived, and one that does not: of a plan asked about once words would tell.
        asked = [rng.choice(works[1:] or works), rng.choice(fails)]
        rng.shuffle(asked)
        for actions, valid in asked[: settings.per_episode - yielded]:
            yielded += 1
            yield _example(episode, plan, actions, valid, settings, story_seed, rng)


def _exchanged(plan: LivedPlan, rng: Random) -> list[tuple[str, ...]]:
    """Return the plan with steps of one verb in other places among themselves, in several ways."""
    places: dict[str, list[int]] = {}
    for at, action in enumerate(plan.actions):
        places.setdefault(verb_of(action), []).append(at)
    found: dict[tuple[str, ...], None] = {}
    for _ in range(DRAWS):
        order = list(plan.actions)
        for same in places.values():
            for at, other in zip(same, rng.sample(same, len(same)), strict=True):
                order[at] = plan.actions[other]
        if tuple(order) != plan.actions:
            found[tuple(order)] = None
    return list(found)[:TRIED]


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
    return make_example(
        "order_validity",
        episode,
        story_seed,
        prompt,
        YES_NO[0] if valid else YES_NO[1],
        options=YES_NO,
        dials={"length": len(steps), "distractors": len(distractors)},
        meta={"kind": plan.kind, "exchanged": actions != plan.actions},
    )
