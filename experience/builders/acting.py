"""Acting out: errands carried out in an episode's house, for stories that few random lives would give.

What happens is executed, so that truth still comes from events. The household's own actions are written here, and its
vocabulary is asked what things are: no other world can be acted in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from worldschool.canonical import canonical_json
from worldschool.envs import World
from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS
from worldschool.errors import WorldError
from worldschool.experience.builders.base import Skipped
from worldschool.experience.builders.reliving import CHANGED, kept_world
from worldschool.experience.builders.story import characters_of
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Fact, Goal, Step

WORLD = "worldschool/Household-v0"
OTHER_WORLD = Skipped("errands can only be carried out in the household")
ENDLESS = 100_000
"""Step limit of a house that is acted in."""
WAITING = "look"
"""What the others do while one acts; nobody tells of it."""


@dataclass(frozen=True)
class House:
    """What there is in an episode's house, sorted by name.

    Attributes:
        surfaces: furniture that things are put on.
        containers: furniture that opens and closes.
        vessels: things that take smaller things.
        things: what can be carried and takes nothing.
        rooms: all of them.
        people: the characters.
        sizes: of vessels and things, 1 to 3.
    """

    surfaces: tuple[str, ...]
    containers: tuple[str, ...]
    vessels: tuple[str, ...]
    things: tuple[str, ...]
    rooms: tuple[str, ...]
    people: tuple[str, ...]
    sizes: dict[str, int]

    def takes(self, holder: str, thing: str) -> bool:
        """Return whether a thing fits on a surface, into a container or into a vessel."""
        if holder in self.sizes:
            return holder in self.vessels and self.sizes[holder] > self.sizes[thing]
        return holder in self.surfaces or holder in self.containers


class Errand(NamedTuple):
    """Something to do: "bring" a thing to a place, "hold" a thing, "visit" a room, or "use" a container."""

    actor: str
    kind: str
    thing: str = ""
    place: str = ""


def house_of(episode: Episode) -> House:
    """Return what there is in an episode's house; nothing where it is of another world."""
    named = [(entity.name, entity.class_) for entity in episode.entities]
    furniture = {name: FURNITURE[class_].role for name, class_ in named if class_ in FURNITURE}
    objects = {name: OBJECTS[class_] for name, class_ in named if class_ in OBJECTS}
    return House(
        tuple(sorted(name for name, role in furniture.items() if role == "surface")),
        tuple(sorted(name for name, role in furniture.items() if role == "container")),
        tuple(sorted(name for name, row in objects.items() if row.vessel)),
        tuple(sorted(n for n, row in objects.items() if not row.vessel and "SURFACES" not in row.properties)),
        tuple(sorted(name for name, class_ in named if class_ == "room")),
        tuple(characters_of(episode)),
        {name: row.size for name, row in objects.items()},
    )


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
        for action in _actions(world, errand):
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


def _actions(world: World, errand: Errand) -> Iterator[str]:
    """Yield the actions of an errand, each as the state then asks for it."""
    if errand.kind == "visit":
        yield f"walk to {errand.place}"
    elif errand.kind == "use":
        yield f"walk to {errand.place}"
        yield f"close {errand.place}" if not _closed(world.facts(), errand.place) else f"open {errand.place}"
    else:
        yield from _fetched(world, errand)
        if errand.kind == "bring":
            yield from _put(world, errand)


def _fetched(world: World, errand: Errand) -> Iterator[str]:
    facts = world.facts()
    above = Tracker(facts).chain(errand.thing)
    if above[:1] == [errand.actor]:
        return
    shut = [name for name in above if _closed(facts, name)]
    yield f"walk to {shut[-1] if shut else errand.thing}"
    yield from (f"open {name}" for name in reversed(shut))
    yield f"grab {errand.thing}"


def _put(world: World, errand: Errand) -> Iterator[str]:
    facts = world.facts()
    shut = [name for name in [errand.place, *Tracker(facts).chain(errand.place)] if _closed(facts, name)]
    yield f"walk to {shut[-1] if shut else errand.place}"
    yield from (f"open {name}" for name in reversed(shut))
    classes = {entity.name: entity.class_ for entity in world.entities()}
    row = FURNITURE.get(classes[errand.place])
    yield f"put {errand.thing} {'on' if row is not None and row.role == 'surface' else 'in'} {errand.place}"


def _closed(facts: Sequence[Fact], name: str) -> bool:
    return any(
        fact.subject == name and fact.relation == "STATE" and fact.object == "closed" for fact in facts
    )


def moved(events: Sequence[Event]) -> list[tuple[str, str, str]]:
    """Return (thing, relation, place) for each event that put a thing somewhere, in order."""
    return [
        (event.object, event.relation, event.target)
        for event in events
        if event.succeeded and event.object and event.target and event.relation in ("ON", "INSIDE")
    ]
