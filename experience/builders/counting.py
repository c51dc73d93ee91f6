"""Counting: how many items are on the desk?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example, question
from worldschool.experience.builders.story import NO_STORY, Story, characters_of, rooms_of, tell
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Example

NUMBERS = ("0", "1", "2", "3", "4")
Counted: TypeAlias = Literal["place", "visits", "rooms", "held"]


class CountingSettings(BuilderSettings):
    """Settings of the counting builder."""

    maximum: int = Field(default=4, ge=1, le=4)
    """Largest count asked about."""
    of: tuple[Counted, ...] = Field(default=("place",), min_length=1)
    """What is counted: items on or in a "place", a character's "visits" to a room, the "rooms" it went into, what it has
    "held" at the end."""
    contrast: bool = False
    """Offer the numbers that other places, rooms or characters of the same story have, each asked about equally often, in
    place of 0 to 4: then nothing that a story tells makes one of them likelier. Asks nothing where all have one number."""


class _Asked(NamedTuple):
    """A question, its answer, and what it is about: names, what was there at first, what is counted."""

    text: str
    number: int
    about: list[str]
    first: list[str]
    meta: dict[str, object]


def build(
    episode: Episode, settings: CountingSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask how many there are at the end, or were in all; the options are 0 to 4, or with `contrast` some of them.

    Only places are asked about on which something was put. What was there at the start is said in the question, so
    that story and question together say all there is to know.
    """
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    places = _used_places(story.events)
    rng.shuffle(places)
    kinds: dict[str, list[_Asked]] = (
        {"place": list(_about_places(episode, story, places))} if "place" in settings.of else {}
    )
    for counted in settings.of:
        if counted != "place":
            kinds[counted] = list(_about_people(counted, episode, story))
            rng.shuffle(kinds[counted])
    offered: dict[str, tuple[str, ...]] = {kind: NUMBERS for kind in kinds}
    if settings.contrast:
        kinds = {kind: _contrasted(found, settings.maximum, rng) for kind, found in kinds.items()}
        offered = {kind: tuple(sorted(str(one.number) for one in found)) for kind, found in kinds.items()}
    yielded = 0
    for kind, asked in _in_turns(kinds, rng):
        if asked.number > settings.maximum:
            yield Skipped("the count is above the maximum")
            continue
        if yielded == settings.per_episode:
            return
        yielded += 1
        yield _example(episode, story, story_seed, asked, offered[kind], len(places))


def _example(
    episode: Episode, story: Story, story_seed: int, asked: _Asked, options: tuple[str, ...], places: int
) -> Example:
    return make_example(
        "counting",
        episode,
        story_seed,
        question(story.text, asked.text),
        str(asked.number),
        options=options,
        dials={
            "length": asked.number,
            "sentences": story.sentences,
            "distractors": max(0, places - 1),
            "characters": len(characters_of(episode)),
        },
        meta=asked.meta
        | {
            "about": asked.about,
            "first": len(asked.first),
            "cue": f"{asked.meta.get('kind', 'place')}, {len(asked.first)} at first",
            "story": story.text,
            "rooms": rooms_of(episode),
        },
    )


def _contrasted(asked: Sequence[_Asked], maximum: int, rng: Random) -> list[_Asked]:
    """Return one question of each number up to the maximum, in random order; none if there is one number only."""
    of: dict[int, list[_Asked]] = {}
    for one in asked:
        if one.number <= maximum:
            of.setdefault(one.number, []).append(one)
    found = [rng.choice(same) for _, same in sorted(of.items())] if len(of) > 1 else []
    rng.shuffle(found)
    return found


def _in_turns(kinds: dict[str, list[_Asked]], rng: Random) -> Iterator[tuple[str, _Asked]]:
    """Yield a kind and a question of it after another, the kinds in random order if there are several."""
    order = list(kinds)
    if len(order) > 1:
        rng.shuffle(order)
    for turn in range(max(map(len, kinds.values()), default=0)):
        for kind in order:
            if turn < len(kinds[kind]):
                yield kind, kinds[kind][turn]


def _about_places(episode: Episode, story: Story, places: Sequence[tuple[str, str]]) -> Iterator[_Asked]:
    start, end = _start_and_end(episode, story)
    phrase = world_class(episode.world).phrase
    for relation, place in places:
        items = end.contents(place, relation)
        first = [phrase(name) for name in start.contents(place, relation)]
        where = f"{'on' if relation == 'ON' else 'in'} {phrase(place)}"
        text = _with_first(first, where, f"How many items are {where}")
        yield _Asked(text, len(items), [phrase(place)], first, {"place": place, "items": items})


def _about_people(kind: Counted, episode: Episode, story: Story) -> Iterator[_Asked]:
    """Yield one kind of question about each character (and room) that the story names."""
    start, end = _start_and_end(episode, story)
    phrase = world_class(episode.world).phrase
    walks = [event for event in story.events if event.verb == "walk"]
    rooms = sorted({str(event.target) for event in walks})
    for actor in sorted({event.actor for event in story.events}):
        who = phrase(actor)
        entered = [str(event.target) for event in walks if event.actor == actor]
        if kind == "visits":
            for room in rooms:
                text = f"How many times did {who} go into {phrase(room)}?"
                yield _Asked(text, entered.count(room), [phrase(room)], [], {"kind": kind})
        elif kind == "rooms":
            text = f"How many different rooms did {who} go into?"
            yield _Asked(text, len(set(entered)), [], [], {"kind": kind})
        else:
            held = end.contents(actor, "HOLDS")
            first = [phrase(name) for name in start.contents(actor, "HOLDS")]
            text = _with_first(first, f"in {who}'s hands", f"How many items is {who} holding")
            yield _Asked(text, len(held), [], first, {"kind": kind, "items": held})


def _start_and_end(episode: Episode, story: Story) -> tuple[Tracker, Tracker]:
    end = Tracker(episode.initial_facts)
    for event in story.events:
        end.apply(event)
    return Tracker(episode.initial_facts), end


def _with_first(first: Sequence[str], where: str, asked: str) -> str:
    """Return the question, behind what was there at first if anything was."""
    if not first:
        return f"{asked}?"
    items = " and ".join(filter(None, [", ".join(first[:-1]), first[-1]]))
    told = f"{items[0].upper()}{items[1:]} {'were' if len(first) > 1 else 'was'} {where} at first."
    return f"{told} {asked} now?"


def _used_places(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    found = {(event.relation, event.target) for event in events if event.verb == "put"}
    return sorted((str(relation), str(place)) for relation, place in found)
