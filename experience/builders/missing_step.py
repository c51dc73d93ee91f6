"""Missing-step infilling: which step was left out of a plan?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
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

TRIED = 12
"""Wrong steps that are tried for one question, at most."""
FEW_WRONG = Skipped("too few steps were found that fail in its place")


class MissingStepSettings(BuilderSettings):
    """Settings of the missing step builder."""

    options: int = Field(default=4, ge=2)
    """Steps to choose from."""
    distractors: int = Field(default=3, ge=0)
    """Things described that the plan does not touch; wrong steps may be about them."""
    minimum: int = Field(default=3, ge=2)
    """Shortest plan, in steps."""
    maximum: int = Field(default=10, ge=2)
    """Longest plan, in steps."""


def build(
    episode: Episode, settings: MissingStepSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show a plan with one step left out, and ask which.

    The wrong options are other actions about the things that are described, possible somewhere along the plan; each was
    tried in place of the step and fails: then a step cannot be done, or the goal is missed.
    """
    plans = lived_plans(episode, MOST_SUBGOALS)
    if isinstance(plans, Skipped):
        yield plans
        return
    relived = relive(episode)
    if relived is None:
        yield CHANGED
        return
    gaps = [
        (plan, gap)
        for plan in plans
        if settings.minimum <= len(plan.actions) <= settings.maximum
        for gap in range(len(plan.actions) - 1)  # the last step is what the task asks for
    ]
    if not gaps:
        yield NO_PLAN
    rng.shuffle(gaps)
    for plan, gap in gaps[: settings.per_episode]:
        others = drawn(episode, plan.names, settings.distractors, rng)
        wrong = _wrong(relived, plan, gap, {*plan.names, *others}, settings.options - 1, rng)
        if len(wrong) < settings.options - 1:
            yield FEW_WRONG
            continue
        yield _example(episode, plan, gap, wrong, others, story_seed, rng)


def _example(
    episode: Episode,
    plan: LivedPlan,
    gap: int,
    wrong: list[str],
    others: list[str],
    story_seed: int,
    rng: Random,
) -> Example:
    steps = told_steps(episode, plan.actions)
    options = [one.removesuffix(".") for one in (steps[gap], *told_steps(episode, wrong))]
    answer = options[0]
    rng.shuffle(options)
    shown = " ".join(
        f"{number}. {'...' if number == gap + 1 else step}" for number, step in enumerate(steps, start=1)
    )
    prompt = (
        f"{task_and_things(episode, plan, others, rng)}\nPlan: {shown}\n"
        f"Question: Which is step {gap + 1}? {choose_from(options)}\nAnswer:"
    )
    return make_example(
        "missing_step",
        episode,
        story_seed,
        prompt,
        answer,
        options=tuple(options),
        dials={"length": len(steps), "distractors": len(others)},
        meta={"story": f"{prompt.partition(chr(10) + 'Question')[0]}", "kind": plan.kind, "gap": gap},
    )


def _wrong(
    relived: Relived, plan: LivedPlan, gap: int, described: Collection[str], count: int, rng: Random
) -> list[str]:
    """Return actions about what is described, possible somewhere along the plan, that fail in place of a step."""
    world = relived.world
    world.restore(relived.start)
    found = {*world.legal_actions()}
    for action in plan.actions[:-1]:
        world.step(action)
        found.update(world.legal_actions())
    # A step that the plan shows elsewhere would be known for wrong at sight, and so would one about anything else.
    found -= {*plan.actions}
    about = [action for action in sorted(found) if any(name in action for name in described)]
    rng.shuffle(about)
    # Kinds of steps that are never left out would be known for wrong too: they are the last to be taken.
    verbs = {verb_of(action) for action in plan.actions[:-1]}
    about.sort(key=lambda action: verb_of(action) not in verbs)
    wrong: list[str] = []
    for action in about[:TRIED]:
        if len(wrong) == count:
            break
        if not relived.succeeds([*plan.actions[:gap], action, *plan.actions[gap + 1 :]], plan.goal):
            wrong.append(action)
    return wrong
