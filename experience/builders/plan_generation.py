"""Plan generation: a task and the things it concerns, answered by the steps that did it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, make_example
from worldschool.experience.builders.story import characters_of
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Example


class PlanGenerationSettings(BuilderSettings):
    """Settings of the plan generation builder."""

    distractors: int = Field(default=1, ge=0)
    """Things described that the plan does not touch."""
    maximum: int = Field(default=10, ge=1)
    """Longest plan, in steps."""


def build(
    episode: Episode, settings: PlanGenerationSettings, story_seed: int, rng: Random
) -> Iterator[Example]:
    """Ask for the plan of a successful episode; the answer is its steps as imperative sentences."""
    # What could not be done changed nothing, and is no part of the plan.
    actions = [step.action for step in episode.steps if step.events and step.events[0].succeeded]
    if not episode.success or not 1 <= len(actions) <= settings.maximum:
        return
    # A text that is no action leaves the events of the others alone: then it cannot be told which step was whose.
    if len(characters_of(episode)) > 1 and len({len(step.events) for step in episode.steps[:-1]}) > 1:
        return
    world = world_class(episode.world)
    actor = episode.steps[0].events[0].actor if episode.steps[0].events else characters_of(episode)[0]
    touched = _touched(episode)
    others = [name for name in _movable(episode) if name not in touched]
    distractors = rng.sample(others, min(len(others), settings.distractors))
    names = sorted({*touched, *distractors})
    rng.shuffle(names)
    tracker = Tracker(episode.initial_facts)
    described = [sentence for name in names for sentence in _describe(episode, tracker, name)]
    start = f"{world.phrase(actor)} is in {world.phrase(tracker.room(actor))}."
    prompt = f"Task: {episode.goal}\n{' '.join([start, *dict.fromkeys(described)])}\nPlan:"
    yield make_example(
        "plan_generation",
        episode,
        story_seed,
        prompt,
        " ".join(world.narrate_action(action) for action in actions),
        dials={"length": len(actions), "distractors": len(distractors)},
        meta={"goal_predicates": json.loads(episode.goal_predicates)},
    )


def _movable(episode: Episode) -> list[str]:
    people = set(characters_of(episode))
    held = {fact.object for fact in episode.initial_facts if fact.relation == "HOLDS"}
    placed = {
        fact.subject
        for fact in episode.initial_facts
        if fact.relation in ("ON", "INSIDE") and fact.subject not in people
    }
    return sorted(held | placed)


def _touched(episode: Episode) -> set[str]:
    people = set(characters_of(episode))
    rooms = {entity.name for entity in episode.entities if entity.class_ == "room"}
    names = {name for event in episode.events for name in (event.object, event.source, event.target) if name}
    return names - people - rooms


def _describe(episode: Episode, tracker: Tracker, name: str) -> list[str]:
    """Say where a thing is, up to its room, and the states on the way."""
    phrase = world_class(episode.world).phrase
    told = _told_states(episode)
    sentences = []
    for link in [name, *tracker.chain(name)[:-1]]:
        place = tracker.place(link)
        if place is None or place[0] == "AT":
            continue
        subject = phrase(link)
        if place[0] == "HOLDS":
            sentences.append(f"{phrase(place[1])} holds {subject}.")
        else:
            where = "on" if place[0] == "ON" else "in"
            sentences.append(f"{subject[0].upper()}{subject[1:]} is {where} {phrase(place[1])}.")
        sentences += [
            f"{subject[0].upper()}{subject[1:]} is {told[fact.object]}."
            for fact in episode.initial_facts
            if fact.relation == "STATE" and fact.subject == link and fact.object in told
        ]
    return sentences


def _told_states(episode: Episode) -> dict[str, str]:
    """Return the states that matter to a plan, and how each is told; dirt matters where something is to be clean."""
    told = {"open": "open", "closed": "closed", "on": "on", "off": "off", "plugged_out": "unplugged"}
    return told | ({"dirty": "dirty"} if "STATE:clean" in episode.goal_predicates else {})
