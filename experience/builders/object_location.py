"""Object location: where is a thing now, where was it before or after a room?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import TypeAlias

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example, question
from worldschool.experience.builders.story import NO_STORY, path_dials, room_paths, rooms_of, tell
from worldschool.records import Episode, Example

_Moment: TypeAlias = tuple[str, str, str]
"""A kind of question, the room that it names, and its answer."""


class ObjectLocationSettings(BuilderSettings):
    """Settings of the object location builder."""

    options: int = Field(default=4, ge=2)
    """Rooms to choose from (fewer where the house has fewer)."""
    every_moment: bool = False
    """Whether a thing may be asked about more than once, at different moments of its path."""


def build(
    episode: Episode, settings: ObjectLocationSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask for one room of a thing's path, as a multiple choice among the house's rooms in random order."""
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    paths = {thing: path for thing, path in room_paths(episode, story.events).items() if len(path) > 1}
    phrase = world_class(episode.world).phrase
    for thing, (kind, landmark, answer) in _drawn(paths, settings, rng):
        path = paths[thing]
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
            meta={"thing": thing, "kind": kind, "cue": kind, "story": story.text, "rooms": rooms_of(episode)},
        )


def _drawn(
    paths: dict[str, list[str]], settings: ObjectLocationSettings, rng: Random
) -> Iterator[tuple[str, _Moment]]:
    things = sorted(paths)
    rng.shuffle(things)
    if not settings.every_moment:
        for thing in things[: settings.per_episode]:
            yield thing, rng.choice(_questions(paths[thing]))
        return
    asked = [(thing, moment) for thing in things for moment in _questions(paths[thing])]
    yield from rng.sample(asked, min(len(asked), settings.per_episode))


def _questions(path: list[str]) -> list[_Moment]:
    """Return (kind, room named in the question, answer); a room that was visited twice names no single moment."""
    found = [("now", "", path[-1])]
    for before, after in pairwise(path):
        if path.count(after) == 1:
            found.append(("before", after, before))
        if path.count(before) == 1:
            found.append(("after", before, after))
    return found
