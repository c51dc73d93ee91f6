"""Errands: something for a character to do in a house, and the actions that do it, whatever stands or lies in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS
from worldschool.envs.world import World
from worldschool.records import Episode, Fact


@dataclass(frozen=True)
class Contents:
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


def contents_of(episode: Episode) -> Contents:
    """Return what there is in an episode's house; nothing where it is of another world."""
    named = [(entity.name, entity.class_) for entity in episode.entities]
    furniture = {name: FURNITURE[class_].role for name, class_ in named if class_ in FURNITURE}
    objects = {name: OBJECTS[class_] for name, class_ in named if class_ in OBJECTS}
    return Contents(
        tuple(sorted(name for name, role in furniture.items() if role == "surface")),
        tuple(sorted(name for name, role in furniture.items() if role == "container")),
        tuple(sorted(name for name, row in objects.items() if row.vessel)),
        tuple(sorted(n for n, row in objects.items() if not row.vessel and "SURFACES" not in row.properties)),
        tuple(sorted(name for name, class_ in named if class_ == "room")),
        tuple(sorted(name for name, class_ in named if class_ == "character")),
        {name: row.size for name, row in objects.items()},
    )


def actions_of(world: World, errand: Errand) -> Iterator[str]:
    """Yield the actions of an errand, each as the state then asks for it: do one before the next is asked for.

    They are written without the actor's name.
    """
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
    above = _above(facts, errand.thing)
    if above[:1] == [errand.actor]:
        return
    shut = [name for name in above if _closed(facts, name)]
    yield f"walk to {shut[-1] if shut else errand.thing}"
    yield from (f"open {name}" for name in reversed(shut))
    yield f"grab {errand.thing}"


def _put(world: World, errand: Errand) -> Iterator[str]:
    facts = world.facts()
    shut = [name for name in [errand.place, *_above(facts, errand.place)] if _closed(facts, name)]
    yield f"walk to {shut[-1] if shut else errand.place}"
    yield from (f"open {name}" for name in reversed(shut))
    classes = {entity.name: entity.class_ for entity in world.entities()}
    row = FURNITURE.get(classes[errand.place])
    yield f"put {errand.thing} {'on' if row is not None and row.role == 'surface' else 'in'} {errand.place}"


def _above(facts: Sequence[Fact], name: str) -> list[str]:
    """Return what holds or contains a thing or a piece of furniture, innermost first; the last is its room."""
    holders: dict[str, str] = {}
    for fact in facts:
        if fact.relation == "HOLDS":
            holders[fact.object] = fact.subject
        elif fact.relation != "STATE":
            holders[fact.subject] = fact.object
    found = []
    while name in holders:
        name = holders[name]
        found.append(name)
    return found


def _closed(facts: Sequence[Fact], name: str) -> bool:
    return any(
        fact.subject == name and fact.relation == "STATE" and fact.object == "closed" for fact in facts
    )
