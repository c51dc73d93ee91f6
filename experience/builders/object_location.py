"""Object location: where is a thing now, where was it before or after a room?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, make_example, question
from worldschool.experience.builders.story import path_dials, room_paths, rooms_of, tell
from worldschool.records import Episode, Example


class ObjectLocationSettings(BuilderSettings):
    """Settings of the object location builder."""

    options: int = Field(default=4, ge=2)
    """Rooms to choose from (fewer where the house has fewer)."""


def build(
    episode: Episode, settings: ObjectLocationSettings, story_seed: int, rng: Random
) -> Iterator[Example]:
    """Ask for one room of a thing's path, as a multiple choice among the house's rooms in random order."""
    story = tell(episode, settings.style, Random(story_seed))
    if story is None:
        return
    paths = {thing: path for thing, path in room_paths(episode, story.events).items() if len(path) > 1}
    things = sorted(paths)
    rng.shuffle(things)
    phrase = world_class(episode.world).phrase
    for thing in things[: settings.per_episode]:
        path = paths[thing]
        kind, landmark, answer = rng.choice(_questions(path))
        if kind == "now":
            asked = f"Where is {phrase(thing)} now?"
        else:
            asked = f"Where was {phrase(thing)} {kind} {phrase(landmark)}?"
        others = [room for room in rooms_of(episode) if room not in (answer, landmark)]
        options = [answer, *rng.sample(others, min(len(others), settings.options - 1))]
        rng.shuffle(options)
        if len(options) < 2:
            continue
        yield make_example(
            "object_location",
            episode,
            story_seed,
            question(story.text, asked),
            answer,
            options=tuple(options),
            dials=path_dials(episode, story, path, len(paths)),
            meta={"thing": thing, "kind": kind, "story": story.text, "rooms": rooms_of(episode)},
        )


def _questions(path: list[str]) -> list[tuple[str, str, str]]:
    """Return (kind, room named in the question, answer); a room that was visited twice names no single moment."""
    found = [("now", "", path[-1])]
    for before, after in pairwise(path):
        if path.count(after) == 1:
            found.append(("before", after, before))
        if path.count(before) == 1:
            found.append(("after", before, after))
    return found
