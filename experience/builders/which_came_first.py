"""Which came first: of two things that happened, the earlier (or the later) one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from random import Random

from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example, question
from worldschool.experience.builders.story import NO_STORY, characters_of, say, tell, told_once
from worldschool.records import Episode, Event, Example

FEW_EVENTS = Skipped("too few different things happened")


class WhichCameFirstSettings(BuilderSettings):
    """Settings of the which-came-first builder."""


def build(
    episode: Episode, settings: WhichCameFirstSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Ask which of two events happened first, or later.

    Both are told only once, in words drawn anew, and are not about the same thing: then what usually follows what does
    not tell, and only the story does.
    """
    story = tell(episode, settings.style, story_seed)
    if story is None:
        yield NO_STORY
        return
    places = {id(event): place for place, event in enumerate(story.events)}
    pairs = [pair for pair in combinations(told_once(story.events), 2) if _apart(*pair)]
    if not pairs:
        yield FEW_EVENTS
        return
    for earlier, later in rng.sample(pairs, min(len(pairs), settings.per_episode)):
        order = rng.choice(("first", "later"))
        right = earlier if order == "first" else later
        events = [earlier, later]
        rng.shuffle(events)
        told = {id(event): say(episode, event, settings.style, rng) for event in events}
        options = tuple(told[id(event)] for event in events)
        if len(set(options)) < 2:
            continue
        yield make_example(
            "which_came_first",
            episode,
            story_seed,
            question(story.text, f"Which happened {order}: {options[0]}, or {options[1]}?"),
            told[id(right)],
            options=options,
            dials={
                "length": places[id(later)] - places[id(earlier)],
                "sentences": story.sentences,
                "characters": len(characters_of(episode)),
            },
            meta={"story": story.text, "kind": order, "cue": order},
        )


def _apart(one: Event, other: Event) -> bool:
    """Return whether two events are about different things; two walks are, if different characters walk."""
    if one.verb == other.verb == "walk":
        return one.actor != other.actor
    return "walk" in (one.verb, other.verb) or one.object != other.object
