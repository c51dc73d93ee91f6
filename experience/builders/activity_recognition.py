"""Activity recognition: what was somebody doing?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.activities import OTHER_SPLIT, draw_others, of_another_split
from worldschool.experience.builders.base import (
    BuilderSettings,
    Skipped,
    choose_from,
    make_example,
    question,
)
from worldschool.experience.builders.story import NO_STORY, characters_of, tell
from worldschool.records import Episode, Example
from worldschool.splits import split_of_activity

NO_ACTIVITY = Skipped("its goal is not drawn from an activity")
NOT_DONE = Skipped("its activity was not carried out")
FEW_OTHERS = Skipped("there are too few other activities of its split to choose from")


class ActivitySettings(BuilderSettings):
    """What the builders about activities share."""

    options: int = Field(default=4, ge=2)
    """Activities to choose from."""
    activities: tuple[str, ...] = ()
    """Other activities to draw the wrong options from; empty: those of the datasets (`worldschool examples` looks)."""
    frequencies: dict[str, int] = Field(default_factory=dict)
    """How many episodes have each activity: what is often right is then offered as a wrong option as much more often. Empty:
    as the datasets have them, where `activities` are theirs; otherwise all alike."""


class ActivityRecognitionSettings(ActivitySettings):
    """Settings of the activity recognition builder."""


def build(
    episode: Episode, settings: ActivityRecognitionSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Tell how an activity was carried out, from the first step to the last, and ask which one it was."""
    problem = cannot_be_asked(episode)
    story = tell(episode, settings.style, story_seed)
    if problem is None and story is None:
        problem = NO_STORY
    options = activity_options(episode, settings, rng)
    if problem is not None or story is None or options is None:
        yield problem or FEW_OTHERS
        return
    phrase = world_class(episode.world).phrase
    doers = " and ".join(phrase(name) for name in characters_of(episode)) or "somebody"
    asked = f"What did {doers} do? {choose_from(options)}"
    yield make_example(
        "activity_recognition",
        episode,
        story_seed,
        question(story.text, asked),
        str(episode.activity),
        options=options,
        dials={"length": len(story.events), "sentences": story.sentences},
        meta={"story": story.text},
    )


def cannot_be_asked(episode: Episode) -> Skipped | None:
    """Return why an episode is of no use for questions about its activity, or None."""
    if episode.activity is None:
        return NO_ACTIVITY
    if of_another_split(episode):
        return OTHER_SPLIT
    return None if episode.success else NOT_DONE


def activity_options(episode: Episode, settings: ActivitySettings, rng: Random) -> tuple[str, ...] | None:
    """Return the episode's activity among others of its split, in random order; None if there are too few."""
    counts = tuple(
        (one, settings.frequencies.get(one, 1))
        for one in sorted({*settings.activities, *settings.frequencies})
        if split_of_activity(one) == episode.split
    )
    if (
        episode.activity is None
        or len({one for one, _ in counts} - {episode.activity}) < settings.options - 1
    ):
        return None
    options = [episode.activity, *draw_others(episode.activity, counts, settings.options - 1, rng)]
    rng.shuffle(options)
    return tuple(options)
