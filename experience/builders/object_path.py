"""Object path tracking: through which rooms did a thing go?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Self

from pydantic import Field, model_validator

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example, question
from worldschool.experience.builders.story import (
    NO_STORY,
    carried_inside,
    path_dials,
    room_paths,
    rooms_of,
    tell,
)
from worldschool.records import Episode, Example


class ObjectPathSettings(BuilderSettings):
    """Settings of the object path builder."""

    minimum: int = Field(default=2, ge=1)
    """Rooms in the shortest path asked about."""
    maximum: int = Field(default=5, ge=1)
    """Rooms in the longest path asked about."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum ({self.minimum}) is greater than maximum ({self.maximum})")
        return self


def build(
    episode: Episode, settings: ObjectPathSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask for the rooms a thing was in, in order; the answer lists them, separated by commas."""
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    paths = room_paths(episode, story.events)
    fitting = [thing for thing in sorted(paths) if settings.minimum <= len(paths[thing]) <= settings.maximum]
    rng.shuffle(fitting)
    phrase = world_class(episode.world).phrase
    for thing in fitting[: settings.per_episode]:
        path = paths[thing]
        yield make_example(
            "object_path",
            episode,
            story_seed,
            question(story.text, f"What is the order of the rooms where {phrase(thing)} appeared?"),
            ", ".join(path),
            dials=path_dials(episode, story, path, len(paths))
            | {"indirection": int(carried_inside(episode, story.events, thing))},
            meta={"thing": thing, "story": story.text, "rooms": rooms_of(episode)},
        )
