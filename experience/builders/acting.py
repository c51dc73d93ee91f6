"""Acting out: errands carried out in an episode's house, for stories that few random lives would give.

What happens is executed, so that truth still comes from events. The errands are the household's
(`worldschool.envs.household.errands`): no other world can be acted in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from worldschool.canonical import canonical_json
from worldschool.envs.household.errands import Errand, actions_of
from worldschool.errors import WorldError
from worldschool.experience.builders.base import Skipped
from worldschool.experience.builders.reliving import CHANGED, kept_world
from worldschool.records import Episode, Event, Goal, Step

WORLD = "worldschool/Household-v0"
OTHER_WORLD = Skipped("errands can only be carried out in the household")
ENDLESS = 100_000
"""Step limit of a house that is acted in."""
WAITING = "look"
"""What the others do while one acts; nobody tells of it."""


TOGETHER = 0.5
"""How often the next errand is to the place of the one before, where there is such an errand."""
Planned = TypeVar("Planned", bound=tuple[str, ...])


def in_order(chains: list[list[Planned]], rng: Random) -> Iterator[Planned]:
    """Yield what is in all chains, each in its order; often what is brought to one place follows each other.

    Args:
        chains: of tuples that end with a place; they are used up.
        rng: draws.
    """
    place = ""
    while chains:
        here = [chain for chain in chains if chain[0][-1] == place]
        chain = rng.choice(here if here and rng.random() < TOGETHER else chains)
        place = chain[0][-1]
        yield chain.pop(0)
        if not chain:
            chains.remove(chain)


def shared_out(
    errands: Iterable[tuple[str, str, str]], people: Sequence[str], another: float, rng: Random
) -> list[Errand]:
    """Return errands with who does each: whoever did the one before, or with probability `another` anybody.

    Args:
        errands: (kind, thing, place) in order.
        people: who there is.
        another: in [0, 1].
        rng: draws.
    """
    actor, found = rng.choice(people), []
    for kind, thing, place in errands:
        if rng.random() < another:
            actor = rng.choice(people)
        found.append(Errand(actor, kind, thing, place))
    return found


def act_out(episode: Episode, errands: Sequence[Errand]) -> tuple[Episode, list[int]] | Skipped:
    """Carry out errands, one after the other, in an episode's house as it was at the start.

    An errand that fails on the way leaves undone what is left of it: what happened is what counts.

    Returns:
        The episode with what happened in place of its own steps, and for each of its steps which errand it belongs to.
    """
    if episode.world != WORLD:
        return OTHER_WORLD
    settings = json.loads(episode.world_config) | {"control": "all", "goal": "none", "max_steps": ENDLESS}
    try:
        world = kept_world(episode.world, canonical_json(settings))
    except WorldError:
        return CHANGED
    _, info = world.reset(seed=episode.seed)
    world.set_goal(Goal("", ()))
    if world.facts() != episode.initial_facts:
        return CHANGED
    steps: list[Step] = []
    of: list[int] = []
    for number, errand in enumerate(errands):
        for action in actions_of(world, errand):
            while info["actor"] != errand.actor:
                info = world.step(f"{info['actor']}: {WAITING}")[4]
            info = world.step(f"{errand.actor}: {action}")[4]
            if info["error"] is not None:
                break
            steps.append(Step("", action, 0.0, "", 0, world.events()))
            of.append(number)
    acted = replace(episode, steps=_numbered(steps), length=len(steps), activity=None, goal_predicates="[]")
    return acted, of


def _numbered(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(
        replace(step, events=tuple(replace(event, t=t) for event in step.events))
        for t, step in enumerate(steps)
    )


def moved(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    """Return (thing, relation, place) for each event that put a thing somewhere, in order."""
    return [
        (event.object, event.relation, event.target)
        for event in events
        if event.succeeded and event.object and event.target and event.relation in ("ON", "INSIDE")
    ]
