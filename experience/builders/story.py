"""An episode told in words: the part of a prompt that every question about it shares."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from worldschool.envs import world_class
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event


@dataclass(frozen=True)
class Story:
    """What is told and what is true.

    Attributes:
        text: the sentences, joined by spaces.
        events: the succeeded events that are told, in order.
        sentences: how many there are.
    """

    text: str
    events: tuple[Event, ...]
    sentences: int


def tell(episode: Episode, style: str, rng: Random) -> Story | None:
    """Tell an episode's events; None if nothing worth telling happened.

    A character who does something before going anywhere is introduced with its room, without which no reader could
    know where that happened.
    """
    world = world_class(episode.world)
    events = tuple(event for event in episode.events if event.succeeded and not _goes_without_saying(event))
    if not events:
        return None
    start = Tracker(episode.initial_facts)
    sentences, known = [], set()
    for event in events:
        if event.actor not in known and event.verb != "walk":
            sentences.append(f"{world.phrase(event.actor)} was in {world.phrase(start.room(event.actor))}.")
        known.add(event.actor)
    sentences += world.narrate(events, style, rng)
    return Story(" ".join(sentences), events, len(sentences))


def _goes_without_saying(event: Event) -> bool:
    """Return whether nothing that a story is about changed: a look around, a few steps inside one room."""
    return event.verb == "look" or (event.verb == "walk" and event.source == event.target)


def rooms_of(episode: Episode) -> list[str]:
    """Return the names of the episode's rooms, sorted."""
    return sorted(entity.name for entity in episode.entities if entity.class_ == "room")


def characters_of(episode: Episode) -> list[str]:
    """Return the names of the episode's characters, sorted."""
    return sorted(entity.name for entity in episode.entities if entity.class_ == "character")


def room_paths(episode: Episode, events: tuple[Event, ...]) -> dict[str, list[str]]:
    """Return, for each thing somebody handled, the rooms it was in from then on, without immediate repeats.

    Things carried inside other things move with them.
    """
    tracker = Tracker(episode.initial_facts)
    paths: dict[str, list[str]] = {}
    for event in events:
        handled = event.object if event.verb != "walk" and event.relation is not None else None
        if handled is not None and handled not in paths:
            paths[handled] = [tracker.room(handled)]
        tracker.apply(event)
        for thing, path in paths.items():
            if path[-1] != tracker.room(thing):
                path.append(tracker.room(thing))
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
