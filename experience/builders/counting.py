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

    Only places are asked about that were empty at the start and at which something was put or taken: the story
    says all there is to know.
    """
    story = tell(episode, settings.style, Random(story_seed))
    if story is None:
        return
    start = Tracker(episode.initial_facts)
    end = Tracker(episode.initial_facts)
    for event in story.events:
        end.apply(event)
    places = [place for place in _used_places(story.events) if not start.contents(place[1], place[0])]
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
            question(story.text, f"How many items are {'on' if relation == 'ON' else 'in'} {phrase(place)}?"),
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


def _used_places(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    found = {(event.relation, event.target) for event in events if event.verb == "put"}
    return sorted((str(relation), str(place)) for relation, place in found)
