"""Holding: who holds a thing, and what does somebody hold, in the end or when something else happened?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import (
    BuilderSettings,
    Skipped,
    choose_from,
    make_example,
    question,
)
from worldschool.experience.builders.story import NO_STORY, Story, characters_of, say, tell, told_once
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Example

Kind: TypeAlias = Literal["what", "who"]
FULL_HANDS = Skipped("somebody held something at first, which no story tells")
EMPTY_HANDS = Skipped("nobody held anything that could be asked about")


class HoldingSettings(BuilderSettings):
    """Settings of the holding builder."""

    options: int = Field(default=4, ge=2)
    """Things or characters to choose from; fewer where fewer are told of, at least two."""
    kinds: tuple[Kind, ...] = Field(default=("what", "who"), min_length=1)
    """"what": what somebody holds; "who": who holds something."""


class _Asked(NamedTuple):
    """A question: what holds, who or what could, at which moment (None: the end), and how often it changed hands."""

    kind: Kind
    holder: str
    thing: str
    others: tuple[str, ...]
    moment: Event | None
    changes: int


def build(
    episode: Episode, settings: HoldingSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask about hands. What can be chosen is told of; the moment, if any, is told once and is no change of these hands."""
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    if any(fact.relation == "HOLDS" for fact in episode.initial_facts):
        yield FULL_HANDS
        return
    asked = [one for one in _questions(episode, story) if one.kind in settings.kinds and one.others]
    if not asked:
        yield EMPTY_HANDS
        return
    rng.shuffle(asked)
    # In turns, what is held at most moments does not crowd out the rest.
    by_pair: dict[tuple[str, str, str, bool], list[_Asked]] = {}
    for one in asked:
        by_pair.setdefault((one.kind, one.holder, one.thing, one.moment is None), []).append(one)
    turns = [
        queue[turn]
        for turn in range(max(map(len, by_pair.values())))
        for queue in by_pair.values()
        if turn < len(queue)
    ]
    for one in turns[: settings.per_episode]:
        yield _example(episode, settings, story, one, story_seed, rng)


def _questions(episode: Episode, story: Story) -> Iterator[_Asked]:
    """Yield what could be asked of every moment that is told once, and of the end."""
    once = {id(event) for event in told_once(story.events)}
    people = characters_of(episode)
    active = sorted({event.actor for event in story.events})
    carried = sorted({str(event.object) for event in story.events if event.relation == "HOLDS"})
    hands = Tracker(())
    changes: dict[str, int] = {}
    for event in (*story.events, None):
        if event is not None and event.relation == "HOLDS":
            changes[str(event.object)] = changes.get(str(event.object), 0) + 1
        if event is not None:
            hands.apply(event)
        if event is not None and id(event) not in once:
            continue
        holds = {
            thing: place[1] for thing in carried if (place := hands.place(thing)) and place[0] == "HOLDS"
        }
        for thing, holder in sorted(holds.items()):
            if holder not in people or (event is not None and event.object == thing):
                continue
            count = changes.get(thing, 0)
            if event is not None:  # in the end it is always the last who took it
                yield _Asked(
                    "who", holder, thing, tuple(one for one in active if one != holder), event, count
                )
            if event is None or event.actor != holder or event.verb == "walk":
                wrong = tuple(one for one in carried if holder not in hands.chain(one))
                yield _Asked("what", holder, thing, wrong, event, count)


def _example(
    episode: Episode, settings: HoldingSettings, story: Story, asked: _Asked, story_seed: int, rng: Random
) -> Example:
    phrase = world_class(episode.world).phrase
    answer = phrase(asked.thing if asked.kind == "what" else asked.holder)
    wrong = rng.sample(asked.others, min(len(asked.others), settings.options - 1))
    options = [answer, *map(phrase, wrong)]
    rng.shuffle(options)
    when = "in the end"
    if asked.moment is not None:
        when = f"when {say(episode, asked.moment, settings.style, rng)}"
    is_was = "is" if asked.moment is None else "was"
    if asked.kind == "what":
        text = f"Which of these {is_was} {phrase(asked.holder)} holding {when}? {choose_from(options)}"
    else:
        text = f"Who {is_was} holding {phrase(asked.thing)} {when}? {choose_from(options)}"
    about = asked.holder if asked.kind == "what" else asked.thing
    return make_example(
        "holding",
        episode,
        story_seed,
        question(story.text, text),
        answer,
        options=tuple(options),
        dials={
            "length": len(options),
            "sentences": story.sentences,
            "revisits": asked.changes - 1,
            "distractors": len({event.object for event in story.events if event.relation == "HOLDS"}) - 1,
            "characters": len(characters_of(episode)),
        },
        meta={
            "story": story.text,
            "kind": asked.kind,
            "cue": f"{asked.kind}, {'end' if asked.moment is None else 'then'}",
            "about": [phrase(about)],
        },
    )
