"""Activity inference: from how things are, which activity was done, or is under way?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.activity_recognition import (
    FEW_OTHERS,
    ActivitySettings,
    activity_options,
    cannot_be_asked,
)
from worldschool.experience.builders.base import Skipped, choose_from, make_example, question
from worldschool.experience.builders.describing import describe, movable, touched, where_is
from worldschool.experience.builders.reliving import CHANGED, relive
from worldschool.experience.builders.story import characters_of
from worldschool.records import Episode, Example, Fact


class ActivityInferenceSettings(ActivitySettings):
    """Settings of the activity inference builder."""

    distractors: int = Field(default=2, ge=0)
    """Things described that nobody touched."""


def build(
    episode: Episode, settings: ActivityInferenceSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Describe the end and ask what was done, or a moment in the middle and ask what is being done.

    The middle is a step after which something differs from the start, and something still will. How things are then is
    asked of the world, in which the episode is lived again.
    """
    problem = cannot_be_asked(episode)
    if problem is not None:
        yield problem
        return
    relived = relive(episode)
    if relived is None:
        yield CHANGED
        return
    moments = [("done", len(relived.facts) - 1)]
    middle = _middle(relived.facts)
    if middle:
        moments.append(("under way", rng.choice(middle)))
    rng.shuffle(moments)
    for kind, moment in moments[: settings.per_episode]:
        options = activity_options(episode, settings, rng)
        if options is None:
            yield FEW_OTHERS
            return
        yield _example(episode, settings, story_seed, rng, kind, relived.facts[moment], options)


def _example(
    episode: Episode,
    settings: ActivityInferenceSettings,
    story_seed: int,
    rng: Random,
    kind: str,
    facts: tuple[Fact, ...],
    options: tuple[str, ...],
) -> Example:
    names = touched(episode, episode.events)
    others = [name for name in movable(episode) if name not in names]
    described = sorted({*names, *rng.sample(others, min(len(others), settings.distractors))})
    rng.shuffle(described)
    people = characters_of(episode)
    told = [where_is(episode, facts, one) for one in people] + describe(episode, facts, described, dirt=True)
    doers = " and ".join(world_class(episode.world).phrase(name) for name in people) or "somebody"
    is_are = "are" if len(people) > 1 else "is"
    asked = f"What has {doers} done?" if kind == "done" else f"What {is_are} {doers} doing?"
    state = " ".join(filter(None, told))
    return make_example(
        "activity_inference",
        episode,
        story_seed,
        question(state, f"{asked} {choose_from(options)}"),
        str(episode.activity),
        options=options,
        dials={"sentences": len(told), "distractors": len(described) - len(names)},
        meta={"story": state, "kind": kind, "cue": kind},
    )


def _middle(facts: tuple[tuple[Fact, ...], ...]) -> list[int]:
    """Return the moments at which something has changed and something still will; who is where is left aside."""
    held = [frozenset(fact for fact in moment if fact.relation != "AT") for moment in facts]
    return [at for at in range(1, len(held) - 1) if held[at] not in (held[0], held[-1])]
