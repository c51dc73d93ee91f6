"""What did this character do: which act was its own, or what came next of it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import NamedTuple

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import (
    BuilderSettings,
    Skipped,
    choose_from,
    make_example,
    question,
)
from worldschool.experience.builders.story import NO_STORY, Story, characters_of, did, say, tell, told_once
from worldschool.records import Episode, Event, Example

ALONE = Skipped("only one character did something")
FEW_ACTS = Skipped("the characters did too little to choose from")


class CharacterActionSettings(BuilderSettings):
    """Settings of the character action builder."""

    options: int = Field(default=4, ge=2)
    """Acts to choose from; fewer where fewer happened, at least two."""


class _Asked(NamedTuple):
    """A question about one character: what it did, what it did not, and what came before if that is asked."""

    actor: str
    right: Event
    wrong: list[Event]
    after: Event | None


def build(
    episode: Episode, settings: CharacterActionSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask which of several acts a character did, or did right after another; all options are told as its own.

    The wrong options really happened: by others (which one did it?), or by the same character at another time.
    """
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    actors = sorted({event.actor for event in story.events})
    if len(actors) < 2:
        yield ALONE
        return
    questions = [one for actor in actors for one in (*_which(story, actor), *_next(story, actor))]
    if not questions:
        yield FEW_ACTS
        return
    for asked in rng.sample(questions, min(len(questions), settings.per_episode)):
        yield _example(episode, settings, story, asked, story_seed, rng)


def _which(story: Story, actor: str) -> Iterator[_Asked]:
    """Yield a question for each act of a character that no other did: against the acts of others that it did not do."""
    mine = {did(event): event for event in story.events if event.actor == actor}
    theirs = {did(event): event for event in story.events if event.actor != actor}
    wrong = [event for act, event in theirs.items() if act not in mine]
    for act, right in mine.items():
        if act not in theirs and wrong:
            yield _Asked(actor, right, wrong, None)


def _next(story: Story, actor: str) -> Iterator[_Asked]:
    """Yield a question for each act that follows one of a character's that is told once."""
    acts = {did(event): event for event in story.events}
    once = {id(event) for event in told_once(story.events)}
    for before, right in pairwise(event for event in story.events if event.actor == actor):
        if id(before) in once:
            apart = (did(before), did(right))
            wrong = [event for act, event in acts.items() if act not in apart]
            if wrong:
                yield _Asked(actor, right, wrong, before)


def _example(
    episode: Episode,
    settings: CharacterActionSettings,
    story: Story,
    asked: _Asked,
    story_seed: int,
    rng: Random,
) -> Example:
    phrase = world_class(episode.world).phrase
    who = phrase(asked.actor)
    wrong = rng.sample(asked.wrong, min(len(asked.wrong), settings.options - 1))
    events = [asked.right, *(replace(event, actor=asked.actor) for event in wrong)]
    told = [(say(episode, event, settings.style, rng), phrase(_named(event))) for event in events]
    answer = told[0][0]
    told = list(dict(told).items())
    rng.shuffle(told)
    options = tuple(text for text, _ in told)
    about = [who]
    if asked.after is None:
        text = f"Which of these did {who} do? {choose_from(options)}"
    else:
        before = say(episode, asked.after, settings.style, rng)
        about = [phrase(_named(asked.after))]
        text = f"What did {who} do next after this: {before}? {choose_from(options)}"
    kind = "which" if asked.after is None else "next"
    return make_example(
        "character_action",
        episode,
        story_seed,
        question(story.text, text),
        answer,
        options=options,
        dials={
            "length": len(options),
            "sentences": story.sentences,
            "characters": len(characters_of(episode)),
        },
        meta={
            "story": story.text,
            "kind": kind,
            "cue": kind,
            "about": about,
            "keys": [key for _, key in told],
        },
    )


def _named(event: Event) -> str:
    """Return what an event is about: for a walk, where to."""
    return str(event.target if event.verb == "walk" else event.object or event.target or event.actor)
