"""An episode told in words: the part of a prompt that every question about it shares."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from worldschool.envs import world_class
from worldschool.experience.builders.base import Skipped
from worldschool.experience.builders.latest import Latest
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event

ENGLISH_STYLES = ("plain", "varied", "brief")
"""Styles in which every world tells whole sentences; in another a character is introduced by a walk where it is."""
NO_STORY = Skipped("nothing happened that could be told")


@dataclass(frozen=True)
class Story:
    """What is told and what is true.

    Attributes:
        text: the sentences, joined by spaces (what are no sentences, by line breaks).
        events: the succeeded events that are told, in order.
        sentences: how many there are.
    """

    text: str
    events: tuple[Event, ...]
    sentences: int


_latest: Latest[Story | None] = Latest()


def tell(episode: Episode, style: str, story_seed: int) -> Story | None:
    """Tell an episode's events; None if nothing worth telling happened.

    A character who does something before going anywhere is introduced with its room, without which no reader could
    know where that happened.

    Args:
        episode: what to tell.
        style: a style of the world's `narrate`.
        story_seed: decides the wordings.
    """
    return _latest.get(episode, (style, story_seed), lambda: _tell(episode, style, Random(story_seed)))


def _tell(episode: Episode, style: str, rng: Random) -> Story | None:
    world = world_class(episode.world)
    events = tuple(event for event in episode.events if event.succeeded and not _goes_without_saying(event))
    if not events:
        return None
    met = [event for event in _introductions(episode, events) if event.target]
    if style in ENGLISH_STYLES:
        sentences = [f"{world.phrase(one.actor)} was in {world.phrase(str(one.target))}." for one in met]
        sentences += world.narrate(events, style, rng)
    else:  # in one go: a style may number its characters
        sentences = world.narrate([*met, *events], style, rng)
    link = " " if all(sentence.endswith(".") for sentence in sentences) else "\n"
    return Story(link.join(sentences), events, len(sentences))


def _introductions(episode: Episode, events: tuple[Event, ...]) -> list[Event]:
    """Return a walk on the spot for each character who acts before it goes anywhere."""
    start = Tracker(episode.initial_facts)
    known: set[str] = set()
    found = []
    for event in events:
        if event.actor not in known and event.verb != "walk":
            room = start.room(event.actor)
            found.append(Event(event.t, event.actor, "walk", None, room, room, "AT"))
        known.add(event.actor)
    return found


def say(episode: Episode, event: Event, style: str, rng: Random) -> str:
    """Return one event as a clause without its full stop: "Mary picked up the apple"."""
    return world_class(episode.world).narrate([event], style, rng)[0].removesuffix(".")


def _goes_without_saying(event: Event) -> bool:
    """Return whether nothing that a story is about changed: a look around, a few steps inside one room."""
    return event.verb == "look" or (event.verb == "walk" and event.source == event.target)


def rooms_of(episode: Episode) -> list[str]:
    """Return the names of the episode's rooms, sorted."""
    return sorted(entity.name for entity in episode.entities if entity.class_ == "room")


def characters_of(episode: Episode) -> list[str]:
    """Return the names of the episode's characters, sorted."""
    return sorted(entity.name for entity in episode.entities if entity.class_ == "character")


def did(event: Event) -> tuple[str | None, str | None]:
    """Return what was done, whoever did it: the verb and the thing, or the place that was walked to.

    Where to or where from is left out: not every telling says it, and two events that differ in nothing else can sound
    the same.
    """
    return event.verb, event.target if event.verb == "walk" else event.object


def told_once(events: tuple[Event, ...]) -> list[Event]:
    """Return the events that no other can be mistaken for: nothing else that this character did was the same."""
    counts = Counter((event.actor, *did(event)) for event in events)
    return [event for event in events if counts[event.actor, *did(event)] == 1]


def room_paths(episode: Episode, events: tuple[Event, ...]) -> dict[str, list[str]]:
    """Return, for each thing somebody handled, the rooms it was in from then on, without immediate repeats.

    Things carried inside other things move with them.
    """
    tracker = Tracker(episode.initial_facts)
    paths: dict[str, list[str]] = {}
    for event in events:
        handled = event.object if event.verb != "walk" and event.relation is not None else None
        if handled is not None and handled not in paths and (room := tracker.room(handled)) is not None:
            paths[handled] = [room]
        tracker.apply(event)
        for thing, path in paths.items():
            following = tracker.room(thing)
            if following is not None and path[-1] != following:
                path.append(following)
    return paths


def carried_inside(episode: Episode, events: tuple[Event, ...], thing: str) -> bool:
    """Return whether `thing` ever changed rooms in or on something that was carried."""
    people = characters_of(episode)
    tracker = Tracker(episode.initial_facts)
    for event in events:
        before = tracker.room(thing)
        tracker.apply(event)
        place = tracker.place(thing)
        if tracker.room(thing) != before and place is not None and place[1] not in people:
            return True
    return False


def path_dials(episode: Episode, story: Story, path: list[str], things: int) -> dict[str, int]:
    """Return how hard a question about one thing's path is, `things` being how many have a path in the story."""
    return {
        "length": len(path),
        "sentences": story.sentences,
        "revisits": len(path) - len(set(path)),
        "distractors": things - 1,
        "characters": len(characters_of(episode)),
    }
