"""Witness: did somebody see what somebody else did?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example, question
from worldschool.experience.builders.story import NO_STORY, characters_of, say, tell, told_once
from worldschool.experience.questions.shortcuts import YES_NO
from worldschool.records import Episode, Event, Example

NOBODY = Skipped("nobody else is known to have been anywhere when something happened")


class WitnessSettings(BuilderSettings):
    """Settings of the witness builder."""


def build(
    episode: Episode, settings: WitnessSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask whether a character saw what another did: by the event's `seen_by`.

    The other must have been told of before, so that the story says in which room it was; walks, which are seen from two
    rooms, are not asked about.
    """
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    once = {id(event) for event in told_once(story.events)}
    questions: dict[bool, list[tuple[Event, str]]] = {True: [], False: []}
    met: set[str] = set()
    for event in story.events:
        if id(event) in once and event.verb != "walk":
            for other in sorted(met - {event.actor}):
                questions[other in event.seen_by].append((event, other))
        met.add(event.actor)
    for asked in questions.values():
        rng.shuffle(asked)
    turns = [seen for seen, asked in questions.items() if asked]
    if not turns:
        yield NOBODY
        return
    rng.shuffle(turns)
    phrase = world_class(episode.world).phrase
    for turn in range(settings.per_episode):
        seen = turns[turn % len(turns)]
        if turn // len(turns) >= len(questions[seen]):
            continue
        event, other = questions[seen][turn // len(turns)]
        happened = say(episode, event, settings.style, rng)
        yield make_example(
            "witness",
            episode,
            story_seed,
            question(story.text, f"Did {phrase(other)} see it when {happened}?"),
            YES_NO[0] if seen else YES_NO[1],
            options=YES_NO,
            dials={"sentences": story.sentences, "characters": len(characters_of(episode))},
            meta={"story": story.text, "about": [phrase(other), phrase(str(event.object or event.actor))]},
        )
