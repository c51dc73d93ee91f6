"""Negation: which of these did somebody not touch, where was a thing never, is it true that it is not there?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import (
    BuilderSettings,
    Skipped,
    choose_from,
    make_example,
    question,
)
from worldschool.experience.builders.story import NO_STORY, Story, characters_of, room_paths, rooms_of, tell
from worldschool.experience.questions.shortcuts import YES_NO
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Example

Kind: TypeAlias = Literal["not touched", "never in", "is not", "is"]
NOTHING = Skipped("nothing was found to deny")


class NegationSettings(BuilderSettings):
    """Settings of the negation builder."""

    options: int = Field(default=4, ge=2)
    """Things or rooms to choose from; fewer where fewer are told of, at least two."""
    kinds: tuple[Kind, ...] = Field(default=("not touched", "never in", "is not", "is"), min_length=1)
    """What is asked; "is" has the same statements without a "not", so that the word alone decides nothing."""


class _Asked(NamedTuple):
    """One question: its text (without options), answer, options if they are to be drawn, and what it is about."""

    kind: Kind
    text: str
    answer: str
    others: list[str]
    about: list[str]
    cue: str = ""


def build(
    episode: Episode, settings: NegationSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask what is not so. Everything that can be chosen is told of: what the story does not name is never right."""
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    sources = {
        "not touched": _not_touched,
        "never in": _never_in,
        "is not": _statements,
        "is": _statements,
    }
    by_kind = {kind: list(sources[kind](episode, story, kind)) for kind in settings.kinds}
    for questions in by_kind.values():
        rng.shuffle(questions)
    kinds = [kind for kind, questions in by_kind.items() if questions]
    if not kinds:
        yield NOTHING
        return
    rng.shuffle(kinds)
    for turn in range(settings.per_episode):
        questions = by_kind[kinds[turn % len(kinds)]]
        if turn // len(kinds) < len(questions):
            yield _example(episode, settings, story, questions[turn // len(kinds)], story_seed, rng)


def _not_touched(episode: Episode, story: Story, kind: Kind) -> Iterator[_Asked]:
    """Yield, for each character, what only others touched among what it touched."""
    phrase = world_class(episode.world).phrase
    handled = [
        (event.actor, str(event.object)) for event in story.events if event.object and event.verb != "walk"
    ]
    things = sorted({thing for _, thing in handled})
    for actor in sorted({event.actor for event in story.events}):
        mine = [phrase(thing) for thing in things if (actor, thing) in handled]
        for thing in things:
            if (actor, thing) not in handled and mine:
                text = f"Which of these did {phrase(actor)} not touch?"
                yield _Asked(kind, text, phrase(thing), mine, [phrase(actor)])


def _never_in(episode: Episode, story: Story, kind: Kind) -> Iterator[_Asked]:
    """Yield, for each thing that was moved, the rooms that the story names and it was never in."""
    phrase = world_class(episode.world).phrase
    named = {str(room) for event in story.events if event.verb == "walk" for room in (event.target,)}
    for thing, path in sorted(room_paths(episode, story.events).items()):
        visited = [phrase(room) for room in sorted({*path} & named)]
        for room in sorted(named - {*path}):
            if visited:
                text = f"In which of these rooms was {phrase(thing)} never?"
                yield _Asked(kind, text, phrase(room), visited, [phrase(thing)])


def _statements(episode: Episode, story: Story, kind: Kind) -> Iterator[_Asked]:
    """Yield, for each thing that was put somewhere, whether it is (or is not) there, where others were put, in a room."""
    phrase = world_class(episode.world).phrase
    end = Tracker(episode.initial_facts)
    for event in story.events:
        end.apply(event)
    rooms, people = set(rooms_of(episode)), set(characters_of(episode))
    # What is worn is on somebody, and nobody would say so.
    puts = [
        event
        for event in story.events
        if event.object and event.relation in ("ON", "INSIDE") and event.target not in people
    ]
    places = {(str(event.relation), str(event.target)) for event in puts}
    places |= {("INSIDE", str(event.target)) for event in story.events if event.verb == "walk"}
    for thing in sorted({str(event.object) for event in puts}):
        chain = end.chain(thing)
        for relation, place in sorted(places):
            # Of what is in a bag on the desk, some would say that it is on the desk.
            if place == thing or (place in chain[1:] and place not in rooms):
                continue
            holds = place in chain if place in rooms else end.place(thing) == (relation, place)
            says = "is not" if kind == "is not" else "is"
            where = f"{'on' if relation == 'ON' else 'in'} {phrase(place)}"
            text = f"Is it true that in the end {phrase(thing)} {says} {where}?"
            answer = YES_NO[0] if holds == (kind == "is") else YES_NO[1]
            cue = f"{kind}, {'room' if place in rooms else 'place'}"
            yield _Asked(kind, text, answer, [], [phrase(thing), phrase(place)], cue)


def _example(
    episode: Episode,
    settings: NegationSettings,
    story: Story,
    asked: _Asked,
    story_seed: int,
    rng: Random,
) -> Example:
    options: tuple[str, ...] = YES_NO
    text = asked.text
    if asked.others:
        wrong = rng.sample(asked.others, min(len(asked.others), settings.options - 1))
        drawn = [asked.answer, *wrong]
        rng.shuffle(drawn)
        options, text = tuple(drawn), f"{asked.text} {choose_from(drawn)}"
    return make_example(
        "negation",
        episode,
        story_seed,
        question(story.text, text),
        asked.answer,
        options=options,
        dials={
            "length": len(options),
            "sentences": story.sentences,
            "characters": len(characters_of(episode)),
        },
        meta={
            "story": story.text,
            "kind": asked.kind,
            "cue": asked.cue or asked.kind,
            "about": asked.about,
            "denies": asked.kind == "is not",
        },
    )
