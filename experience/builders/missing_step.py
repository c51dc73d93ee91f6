"""Missing-step infilling: which of the steps that were left out belongs here?

Several steps of one verb are left out and are the options; each of them is asked for. Whatever the words of a question
are, how often a thing is named or where, each option is right equally often: what tells is the plan's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from random import Random

from pydantic import Field

from worldschool.agents.random import verb_of
from worldschool.experience.builders.base import BuilderSettings, Skipped, choose_from, make_example
from worldschool.experience.builders.plan_generation import (
    MOST_SUBGOALS,
    drawn,
    task_and_things,
    told_steps,
)
from worldschool.experience.builders.plans import NO_PLAN, LivedPlan, lived_plans
from worldschool.experience.builders.reliving import CHANGED, Relived, relive
from worldschool.records import Episode, Example

NO_GAPS = Skipped("no two steps of one verb can be left out so that only one order of them works")


class MissingStepSettings(BuilderSettings):
    """Settings of the missing step builder."""

    options: int = Field(default=4, ge=2, le=5)
    """Most steps that are left out, and to choose from; as many as there are of a verb."""
    distractors: int = Field(default=3, ge=0)
    """Things described that the plan does not touch."""
    minimum: int = Field(default=3, ge=2)
    """Shortest plan, in steps."""
    maximum: int = Field(default=10, ge=2)
    """Longest plan, in steps."""


def build(
    episode: Episode, settings: MissingStepSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show a plan with steps of one verb left out, and ask which of them belongs at one of the gaps.

    That no other order of them would do is found by executing: then a step cannot be done, or the goal is missed.
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
        gaps = _gaps(plan, settings.options, rng)
        if not gaps or not _only_order(relived, plan, gaps):
            yield NO_GAPS
            continue
        others = drawn(episode, plan.names, settings.distractors, rng)
        for asked in rng.sample(gaps, min(len(gaps), settings.per_episode - yielded)):
            yielded += 1
            yield _example(episode, plan, gaps, asked, others, story_seed, rng)


def _gaps(plan: LivedPlan, most: int, rng: Random) -> list[int]:
    """Return places of steps of one verb, sorted; the last step is what the task asks for and stays."""
    places: dict[str, list[int]] = {}
    for at, action in enumerate(plan.actions[:-1]):
        if plan.actions.count(action) == 1:
            places.setdefault(verb_of(action), []).append(at)
    several = [same for same in places.values() if len(same) > 1]
    if not several:
        return []
    same = rng.choice(several)
    return sorted(rng.sample(same, min(len(same), most)))


def _only_order(relived: Relived, plan: LivedPlan, gaps: Sequence[int]) -> bool:
    """Return whether the plan works with the steps at their own places, and in no other order of them."""
    for order in permutations(gaps):
        actions = list(plan.actions)
        for at, other in zip(gaps, order, strict=True):
            actions[at] = plan.actions[other]
        if relived.succeeds(actions, plan.goal) != (list(order) == list(gaps)):
            return False
    return True


def _example(
    episode: Episode,
    plan: LivedPlan,
    gaps: Sequence[int],
    asked: int,
    others: list[str],
    story_seed: int,
    rng: Random,
) -> Example:
    steps = told_steps(episode, plan.actions)
    options = [steps[at].removesuffix(".") for at in gaps]
    rng.shuffle(options)
    # Both marks are in every plan shown: words do not tell which gap is asked about.
    shown = [("?" if at == asked else "...") if at in gaps else step for at, step in enumerate(steps)]
    story = (
        f"{task_and_things(episode, plan, others, rng)}\n"
        f"Plan: {' '.join(f'{number}. {step}' for number, step in enumerate(shown, start=1))}"
    )
    return make_example(
        "missing_step",
        episode,
        story_seed,
        f"{story}\nQuestion: Which step belongs at the question mark? {choose_from(options)}\nAnswer:",
        steps[asked].removesuffix("."),
        options=tuple(options),
        dials={"length": len(steps), "distractors": len(others)},
        meta={"story": story, "keys": [_thing(one) for one in options], "kind": plan.kind, "gap": asked},
    )


def _thing(step: str) -> str:
    """Return what a step is done with, as texts name it, for rules that look for it: all behind the verb's article."""
    return step.partition(" the ")[2] or step
