"""Plan generation: a task and the things it concerns, answered by the steps that did it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from random import Random
from typing import NamedTuple

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.activities import OTHER_SPLIT, of_another_split
from worldschool.experience.builders.base import NOT_REACHED, TOO_LONG, BuilderSettings, Skipped, make_example
from worldschool.experience.builders.describing import describe, movable, touched, where_is
from worldschool.experience.builders.plans import SEVERAL, LivedPlan, lived_plans, start_of
from worldschool.experience.builders.story import characters_of
from worldschool.records import Episode, Example

MOST_SUBGOALS = 4


class PlanGenerationSettings(BuilderSettings):
    """Settings of the plan generation builder."""

    distractors: int = Field(default=1, ge=0)
    """Things described that the plan does not touch."""
    maximum: int = Field(default=10, ge=1)
    """Longest plan, in steps."""
    subgoals: int = Field(default=0, ge=0, le=MOST_SUBGOALS)
    """At most this many plans an episode for what else was brought about; these are lived again and shortened."""


def build(
    episode: Episode, settings: PlanGenerationSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask for the plan of a successful episode; the answer is its steps as imperative sentences."""
    yield from _of_goal(episode, settings, story_seed, rng)
    if settings.subgoals:
        plans = lived_plans(episode, MOST_SUBGOALS)
        if isinstance(plans, Skipped):
            yield plans
            return
        fitting = [one for one in plans if one.kind == "subgoal" and len(one.actions) <= settings.maximum]
        for plan in fitting[: settings.subgoals]:
            distractors = drawn(episode, plan.names, settings.distractors, rng)
            yield plan_example("plan_generation", episode, plan, distractors, story_seed, rng)


def _of_goal(
    episode: Episode, settings: PlanGenerationSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask for the plan as it was lived, whatever in it was needed."""
    # What could not be done changed nothing, and is no part of the plan.
    actions = [step.action for step in episode.steps if step.events and step.events[0].succeeded]
    if not episode.success:
        yield NOT_REACHED
    elif not 1 <= len(actions) <= settings.maximum:
        yield TOO_LONG
    elif len(characters_of(episode)) > 1 and len({len(step.events) for step in episode.steps[:-1]}) > 1:
        # A text that is no action leaves the events of the others alone: which step was whose cannot be told.
        yield SEVERAL
    elif of_another_split(episode):
        yield OTHER_SPLIT
    else:
        names = touched(episode, episode.events)
        distractors = drawn(episode, names, settings.distractors, rng)
        task = _Task(episode.goal, episode.goal_predicates, actions, names, distractors)
        meta = {"goal_predicates": json.loads(episode.goal_predicates)}
        yield _example("plan_generation", episode, story_seed, task, rng, meta)


def plan_example(
    builder: str,
    episode: Episode,
    plan: LivedPlan,
    distractors: Collection[str],
    story_seed: int,
    rng: Random,
    *,
    listed: bool = False,
) -> Example:
    """Return a lived plan as an example.

    Args:
        builder: whose example it is.
        episode: whose plan it is.
        plan: what is asked for.
        distractors: things described that the plan does not touch.
        story_seed: stored with the example.
        rng: decides the order in which things are described.
        listed: whether all things are listed before they are described.
    """
    task = _Task(plan.task, plan.goal.key, plan.actions, plan.names, distractors)
    meta = {"goal_predicates": [list(one) for one in plan.goal.predicates], "kind": plan.kind}
    return _example(builder, episode, story_seed, task, rng, meta, listed=listed)


def task_and_things(
    episode: Episode, plan: LivedPlan, distractors: Collection[str], rng: Random, *, listed: bool = False
) -> str:
    """Return the task, and where its character and the things are at the start, in random order."""
    task = _Task(plan.task, plan.goal.key, plan.actions, plan.names, distractors)
    return _told_task(episode, task, rng, listed=listed)


def told_steps(episode: Episode, actions: Collection[str]) -> list[str]:
    """Return actions as imperative sentences."""
    return [world_class(episode.world).narrate_action(action) for action in actions]


def drawn(episode: Episode, names: Collection[str], count: int, rng: Random) -> list[str]:
    """Return `count` things that are not among `names`, as far as there are so many."""
    others = [name for name in movable(episode) if name not in names]
    return rng.sample(others, min(len(others), count))


class _Task(NamedTuple):
    """What is told of a task, and what did it."""

    text: str
    goal: str
    actions: Collection[str]
    names: Collection[str]
    distractors: Collection[str]


def _told_task(episode: Episode, task: _Task, rng: Random, *, listed: bool) -> str:
    names = sorted({*task.names, *task.distractors})
    rng.shuffle(names)
    first = episode.steps[0].events
    actor = first[0].actor if first else characters_of(episode)[0]
    dirt = "STATE:clean" in task.goal
    told = [
        where_is(episode, episode.initial_facts, actor),
        *describe(episode, episode.initial_facts, names, dirt),
    ]
    lines = [f"Task: {task.text}", " ".join(filter(None, told))]
    if listed:
        phrase = world_class(episode.world).phrase
        lines.insert(1, f"Things: {', '.join(map(phrase, names))}.")
    return "\n".join(lines)


def _example(
    builder: str,
    episode: Episode,
    story_seed: int,
    task: _Task,
    rng: Random,
    meta: Mapping[str, object],
    *,
    listed: bool = False,
) -> Example:
    told = _told_task(episode, task, rng, listed=listed)
    # What is asked is the task; how things are is the story, without which nobody should know the plan.
    story = told.partition("\n")[2]
    return make_example(
        builder,
        episode,
        story_seed,
        f"{told}\nPlan:",
        " ".join(told_steps(episode, task.actions)),
        dials={"length": len(task.actions), "distractors": len(task.distractors)},
        meta={**meta, "story": story, "start": start_of(episode)},
    )
