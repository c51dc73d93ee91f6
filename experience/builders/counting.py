"""Counting: how many items are on the desk?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, make_example, question
from worldschool.experience.builders.story import characters_of, rooms_of, tell
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Example

NUMBERS = ("0", "1", "2", "3", "4")


class CountingSettings(BuilderSettings):
    """Settings of the counting builder."""

    maximum: int = Field(default=4, ge=1, le=4)
    """Largest count asked about."""


def build(episode: Episode, settings: CountingSettings, story_seed: int, rng: Random) -> Iterator[Example]:
    """Ask how many items are on or in a place at the end; the options are 0 to 4.

    Only places are asked about on which something was put. What was there at the start is said in the question, so
    that story and question together say all there is to know.
    """
    story = tell(episode, settings.style, Random(story_seed))
    if story is None:
        return
    start = Tracker(episode.initial_facts)
    end = Tracker(episode.initial_facts)
    for event in story.events:
        end.apply(event)
    places = _used_places(story.events)
    rng.shuffle(places)
    phrase = world_class(episode.world).phrase
    yielded = 0
    for relation, place in places:
        items = end.contents(place, relation)
        if len(items) > settings.maximum or yielded == settings.per_episode:
            continue
        yielded += 1
        yield make_example(
            "counting",
            episode,
            story_seed,
            question(
                story.text,
                _asked(relation, phrase(place), [phrase(n) for n in start.contents(place, relation)]),
            ),
            str(len(items)),
            options=NUMBERS,
            dials={
                "length": len(items),
                "sentences": story.sentences,
                "distractors": len(places) - 1,
                "characters": len(characters_of(episode)),
            },
            meta={"place": place, "items": items, "story": story.text, "rooms": rooms_of(episode)},
        )


def _asked(relation: str, place: str, first: list[str]) -> str:
    where = f"{'on' if relation == 'ON' else 'in'} {place}"
    if not first:
        return f"How many items are {where}?"
    items = " and ".join(filter(None, [", ".join(first[:-1]), first[-1]]))
    told = f"{items[0].upper()}{items[1:]} {'were' if len(first) > 1 else 'was'} {where} at first."
    return f"{told} How many items are {where} now?"


def _used_places(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    found = {(event.relation, event.target) for event in events if event.verb == "put"}
    return sorted((str(relation), str(place)) for relation, place in found)
