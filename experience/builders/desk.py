"""The desk question and its family: how many items are on the desk, and which, among much that does not matter?

"Emily put a phone on the desk, then a lime next to it, and finally an apple" is one fixed question (`golden`). The
variants are acted out (`desk_story`): things are brought to several places, some are taken away again, others go elsewhere.
Each question has a story of its own. Of all that a story leaves open any answer is as likely as any other: how many are left on
the place that is asked about is drawn first, and of the things to choose from each is on another place, one of which is asked
about.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from random import Random
from typing import Literal, NamedTuple, Self, TypeAlias

from pydantic import Field, model_validator

from worldschool.envs import world_class
from worldschool.envs.household.errands import Contents, Errand, contents_of
from worldschool.experience.builders.acting import act_out
from worldschool.experience.builders.base import (
    BuilderSettings,
    Skipped,
    choose_from,
    make_example,
    question,
)
from worldschool.experience.builders.desk_story import (
    draw_errands,
    draw_numbers,
    empty_surfaces,
    loose_things,
    sentences_of,
    told_events,
    with_others,
)
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Example

NUMBERS = ("0", "1", "2", "3", "4")
TOO_LITTLE = Skipped("the house has too few empty surfaces, or too few things to put on them")
Kind: TypeAlias = Literal["how many", "which"]

GOLDEN_STORY = "Emily put a phone on the desk, then a lime next to it, and finally an apple"
GOLDEN = Example(
    example_id="desk-golden",
    task="desk",
    prompt=f"Question: {GOLDEN_STORY}; how many items are on the desk?\nAnswer:",
    completion=" 3\n",
    answer="3",
    split="heldout",
    episode_id="golden",
    builder="desk",
    builder_version=1,
    seed=0,
    options=NUMBERS,
    answer_index=3,
    dials='{"characters":1,"distractors":0,"length":3,"revisits":0,"sentences":1}',
    meta='{"about":["the desk"],"cue":"golden","kind":"how many"}',
)
"""The question with which worldschool began."""


class DeskSettings(BuilderSettings):
    """Settings of the desk builder."""

    places: int = Field(default=3, ge=1)
    """Surfaces that things are brought to, at most; any of them may be asked about. Two at least, unless this is 1."""
    items: tuple[int, int] = (0, 4)
    """Least and most items that are left on each."""
    brought: tuple[int, int] = (4, 5)
    """Least and most items that are brought to each, as many to all of one story; those that are not left are taken away."""
    others: tuple[int, int] = (1, 4)
    """Least and most errands that have nothing to do with these places."""
    options: int = Field(default=4, ge=2)
    """Things to choose from when it is asked which; fewer where fewer are told of, at least two."""
    kinds: tuple[Kind, ...] = Field(default=("how many", "which"), min_length=1)
    """What is asked."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("items", "brought", "others"):
            least, most = getattr(self, name)
            if not 0 <= least <= most:
                raise ValueError(f"{name} ({least}, {most}) is not a least and a most, from 0")
        if self.items[1] >= len(NUMBERS):
            raise ValueError(f"items: at most {len(NUMBERS) - 1} can be asked about, found {self.items[1]}")
        if self.brought[0] < max(1, self.items[1]):
            raise ValueError(
                f"brought {self.brought}: fewer than may be left ({self.items[1]}), or none at all"
            )
        return self


class _Story(NamedTuple):
    """A story that was acted out: its places, what is told of it, its sentences, and where things are in the end."""

    places: list[str]
    events: list[Event]
    sentences: list[str]
    end: Tracker


class _Question(NamedTuple):
    """A question about a place, and its answer."""

    place: str
    text: str
    answer: str
    options: tuple[str, ...]


def build(
    episode: Episode, settings: DeskSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Act out a story for each question in the episode's house, and ask about one of the surfaces in it."""
    yielded = 0
    for number in range(settings.per_episode):
        kind = rng.choice(settings.kinds)
        story = _story(episode, settings, Random(f"{story_seed}:{number}"), rng)
        if isinstance(story, Skipped):
            yield story
            return
        asked = [_how_many(episode, story)] if kind == "how many" else _which(episode, story, settings, rng)
        for one in asked[: settings.per_episode - yielded]:
            yielded += 1
            yield _example(episode, story_seed, kind, story, one)
        if yielded == settings.per_episode:
            return


def golden() -> Iterator[Example]:
    """Yield the question that is always asked, where held-out questions are."""
    yield GOLDEN


def _story(episode: Episode, settings: DeskSettings, wording: Random, rng: Random) -> _Story | Skipped:
    """Draw a story and act it out; how many are left on the first of its places was drawn first."""
    house = contents_of(episode)
    free = empty_surfaces(episode, house)
    rng.shuffle(free)
    most = min(settings.places, len(free), len(house.surfaces) - 1)  # one surface is none of them
    for number in range(most, min(settings.places, 2) - 1, -1):
        places = free[:number]
        if (errands := _errands(episode, house, places, settings, rng)) is not None:
            break
    else:
        return TOO_LITTLE
    acted = act_out(episode, errands)
    if isinstance(acted, Skipped):
        return acted
    events = [event for event in acted[0].events if event.succeeded]
    end = Tracker(episode.initial_facts)
    for event in events:
        end.apply(event)
    told = told_events(events)
    return _Story(places, told, sentences_of(episode, told, settings.style, wording), end)


def _errands(
    episode: Episode, house: Contents, places: Sequence[str], settings: DeskSettings, rng: Random
) -> list[Errand] | None:
    """Return the errands of a story about these places, or None if the house has too few things."""
    outside = [name for name in house.surfaces if name not in places]
    things = loose_things(episode, house)
    rng.shuffle(things)
    numbers = draw_numbers(len(places), settings.items, rng.randint(*settings.brought), rng)
    errands = draw_errands(numbers, places, outside, things, rng)
    if errands is None:
        return None
    return with_others(errands, rng.randint(*settings.others), outside, house, things, rng)


def _how_many(episode: Episode, story: _Story) -> _Question:
    """Return a question about how many things are on the first place."""
    place = story.places[0]
    text = f"How many items are on {world_class(episode.world).phrase(place)}?"
    return _Question(place, text, str(len(story.end.contents(place, "ON"))), NUMBERS)


def _which(episode: Episode, story: _Story, settings: DeskSettings, rng: Random) -> list[_Question]:
    """Return questions about several places, on each of which one of the options is, in random order.

    Who looks for what is told beside the last mention of a place should find what was taken away again: that is an option
    where there is such a thing, and what came last and is still there is none where something else is there too.
    """
    phrase = world_class(episode.world).phrase
    latest: dict[str, str] = {}
    on: dict[str, list[str]] = {}
    for event in story.events:  # what came last is last
        if event.verb == "put" and event.relation == "ON":
            latest[str(event.target)] = str(event.object)
            if story.end.place(str(event.object)) == ("ON", event.target):
                on.setdefault(str(event.target), []).append(str(event.object))
    if len(on) < 2:
        return []
    places = rng.sample(sorted(on), min(len(on), settings.options))
    left = {latest[place] for place in places}
    options = tuple(phrase(_option(on[place], latest[place], left, rng)) for place in places)
    asked = [
        _Question(
            place,
            f"Which of these is on {phrase(place)} in the end? {choose_from(options)}",
            option,
            options,
        )
        for place, option in zip(places, options, strict=True)
    ]
    rng.shuffle(asked)
    return asked


def _option(things: Sequence[str], latest: str, left: Container[str], rng: Random) -> str:
    """Return one of the things on a place: the latest of another place rather than any, any rather than its own latest."""
    others = [thing for thing in things if thing != latest]
    return rng.choice([thing for thing in others if thing in left] or others or list(things))


def _example(episode: Episode, story_seed: int, kind: Kind, story: _Story, asked: _Question) -> Example:
    text = " ".join(story.sentences)
    on = story.end.contents(asked.place, "ON")
    came = sum(one.target == asked.place and one.relation == "ON" for one in story.events)
    return make_example(
        "desk",
        episode,
        story_seed,
        question(text, asked.text),
        asked.answer,
        options=asked.options,
        dials={
            "length": len(on),
            "revisits": max(0, came - len(on)),
            "distractors": sum(one.verb != "grab" and one.target != asked.place for one in story.events),
            "characters": len({one.actor for one in story.events}),
            "sentences": len(story.sentences),
        },
        meta={
            "story": text,
            "kind": kind,
            "cue": kind,
            "place": asked.place,
            "about": [world_class(episode.world).phrase(asked.place)],
        },
    )
