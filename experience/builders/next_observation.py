"""Next observation: what does somebody see after what was done?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.agents.random import ACTOR_MARK
from worldschool.envs import world_class
from worldschool.errors import WorldError
from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.records import Episode, Example

FEW_SEEN = Skipped("too few different observations to choose from")
PARTS = 3
"""Wrong options are drawn from the nearest of this many parts of what was seen otherwise."""


class NextObservationSettings(BuilderSettings):
    """Settings of the next observation builder."""

    options: int = Field(default=3, ge=2)
    """Observations to choose from, all of them real ones of the same character in the same episode."""


def build(
    episode: Episode, settings: NextObservationSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show what a character saw and what was done since, and ask what it sees then.

    Who sees is who acts next. Where characters take turns, everything done since it last acted is told. The wrong
    options are other observations of the episode, those most like the present one more often.
    """
    seen = [" ".join(episode.initial_observation.split())]
    seen += [" ".join(step.observation.split()) for step in episode.steps]
    actors = [_actor(step.action) for step in episode.steps]
    moments = list(range(1, len(episode.steps)))  # after the last step nobody is known to look
    rng.shuffle(moments)
    yielded = 0
    for moment in moments:
        if yielded == settings.per_episode:
            return
        before = max((at for at in range(moment) if actors[at] == actors[moment]), default=None)
        if before is None:
            continue
        told = _told(episode, before, moment)
        mine = {seen[at] for at in range(len(actors)) if actors[at] == actors[moment]}
        others = sorted(mine - {seen[moment]})
        if told is None or len(others) < settings.options - 1:
            continue
        options = [seen[moment], *_wrong(others, seen[before], settings.options - 1, rng)]
        rng.shuffle(options)
        yielded += 1
        yield make_example(
            "next_observation",
            episode,
            story_seed,
            f"Seen: {seen[before]}\nDone: {told}\nSeen next:",
            seen[moment],
            options=tuple(options),
            dials={"length": moment - before, "characters": len(set(actors))},
            meta={"story": seen[before], "cue": f"{moment - before} steps", "moment": moment},
        )
    if not yielded:
        yield FEW_SEEN


def _actor(action: str) -> str:
    """Return who an action is told to, where characters are told one by one ("Mary: grab apple"); else nobody."""
    name, mark, _ = action.partition(ACTOR_MARK)
    return name if mark else ""


def _told(episode: Episode, first: int, end: int) -> str | None:
    """Return the actions of steps `first` to `end` - 1 as sentences; None if one is no action of the world."""
    world = world_class(episode.world)
    try:
        return " ".join(world.narrate_action(step.action) for step in episode.steps[first:end])
    except WorldError:
        return None


def _wrong(others: list[str], present: str, count: int, rng: Random) -> list[str]:
    """Return `count` other observations; half of the time those most like the present one, which may be it."""
    if rng.random() < 0.5:
        return rng.sample(others, count)
    words = set(present.split())
    near = sorted(others, key=lambda one: -len(words.intersection(one.split())))
    return rng.sample(near[: max(count, len(near) // PARTS)], count)
