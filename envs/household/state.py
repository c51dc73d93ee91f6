"""The house, which never changes within an episode, and the state, which each action replaces.

Everything is held by name. A thing has exactly one place, the name of what it is in, on or held by, and the kind of
that place says how: a room or container or vessel holds it INSIDE, a surface ON, a character HOLDS it. So no state
can put a thing in two places. What a thing contains is found by looking from the contents up, so carrying a bowl
carries what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias

from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS
from worldschool.records import Entity, Fact, Relation, Split

Kind: TypeAlias = Literal["room", "surface", "container", "switch", "object", "character"]

HANDS = 2

RELATION_TO: dict[Kind, Relation] = {
    "room": "INSIDE",
    "surface": "ON",
    "container": "INSIDE",
    "object": "INSIDE",
    "character": "HOLDS",
}
"""How a thing stands to a place of this kind; to an object: inside a vessel."""


@dataclass(frozen=True)
class House:
    """What is in a house: the same for all of an episode. Rows are (name, class) or (name, class, room)."""

    split: Split
    rooms: tuple[str, ...]
    furniture: tuple[tuple[str, str, str], ...]
    objects: tuple[tuple[str, str], ...]
    characters: tuple[str, ...]

    @cached_property
    def layout(self) -> tuple[Any, ...]:
        """The house as nested tuples, for snapshots; built once, so that snapshots share it."""
        return (self.split, self.rooms, self.furniture, self.objects, self.characters)

    @staticmethod
    @lru_cache(maxsize=1024)
    def from_layout(layout: tuple[Any, ...]) -> House:
        """Return the house of a `layout`; equal layouts give the same house object."""
        return House(*layout)

    @cached_property
    def class_of(self) -> dict[str, str]:
        """Entity name to class."""
        classes = {room: "room" for room in self.rooms}
        classes |= {name: class_ for name, class_, _ in self.furniture}
        classes |= dict(self.objects)
        return classes | {name: "character" for name in self.characters}

    @cached_property
    def kind_of(self) -> dict[str, Kind]:
        """Entity name to kind."""
        kinds: dict[str, Kind] = {room: "room" for room in self.rooms}
        kinds |= {name: FURNITURE[class_].role for name, class_, _ in self.furniture}
        kinds |= {name: "object" for name, _ in self.objects}
        return kinds | {name: "character" for name in self.characters}

    @cached_property
    def room_of_furniture(self) -> dict[str, str]:
        """Furniture name to the room it stands in."""
        return {name: room for name, _, room in self.furniture}

    @cached_property
    def furniture_in(self) -> dict[str, tuple[str, ...]]:
        """Room to the names of its furniture, sorted."""
        return {
            room: tuple(sorted(name for name, _, where in self.furniture if where == room))
            for room in self.rooms
        }

    @cached_property
    def vessels(self) -> tuple[str, ...]:
        """Names of the objects that can hold others, in the house's order."""
        return tuple(name for name, class_ in self.objects if OBJECTS[class_].vessel)

    @cached_property
    def size_of(self) -> dict[str, int]:
        """Object name to size, 1 to 3."""
        return {name: OBJECTS[class_].size for name, class_ in self.objects}

    @cached_property
    def spoken(self) -> dict[str, str]:
        """Casefolded entity name to the name, for reading actions."""
        return {name.casefold(): name for name in self.class_of}

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """Every entity, sorted by name."""
        return tuple(Entity(name, class_) for name, class_ in sorted(self.class_of.items()))

    def fits(self, thing: str, vessel: str) -> bool:
        """Return whether an object can go into a vessel: only what is smaller fits, so nesting never closes a circle."""
        return self.size_of[thing] < self.size_of[vessel]


@dataclass(frozen=True, eq=False)
class State:
    """Where everything is and what is open or on. Never changed in place: `moved` and `switched` return another."""

    house: House
    place: dict[str, str]
    """Object or character to its place. The keys keep the house's order: objects, then characters."""
    setting: dict[str, str]
    """Container to "open" or "closed", switch to "on" or "off", in the house's order."""

    @classmethod
    def from_values(cls, house: House, places: tuple[str, ...], settings: tuple[str, ...]) -> State:
        """Return the state with these `values`.

        Raises:
            ValueError: there are more or fewer values than the house has things.
        """
        movable = [name for name, _ in house.objects] + list(house.characters)
        adjustable = [name for name, _, _ in house.furniture if house.kind_of[name] != "surface"]
        return cls(
            house, dict(zip(movable, places, strict=True)), dict(zip(adjustable, settings, strict=True))
        )

    @property
    def values(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The places and the settings in the house's order; two states of a house are the same when these are."""
        return tuple(self.place.values()), tuple(self.setting.values())

    def moved(self, thing: str, place: str) -> State:
        """Return the state in which `thing`, with all it holds, is at `place`."""
        return State(self.house, {**self.place, thing: place}, self.setting)

    def switched(self, furniture: str, setting: str) -> State:
        """Return the state in which `furniture` is "open", "closed", "on" or "off"."""
        return State(self.house, self.place, {**self.setting, furniture: setting})

    def above(self, name: str) -> Iterator[str]:
        """Yield what `name` is in, on or held by, then what that is in, up to the room."""
        place, fixed = self.place, self.house.room_of_furniture
        while (following := place.get(name) or fixed.get(name)) is not None:
            yield following
            name = following

    def room_of(self, name: str) -> str:
        """Return the room an entity is in; a room is in itself."""
        for place in self.above(name):
            name = place
        return name

    def base(self, thing: str) -> str:
        """Return what a thing rests in when vessels are looked through: furniture, a room or a character."""
        place = self.place[thing]
        while self.house.kind_of[place] == "object":
            place = self.place[place]
        return place

    def held(self, character: str) -> list[str]:
        """Return what is in a character's hands, in the house's order."""
        return [thing for thing, place in self.place.items() if place == character]

    def present(self, room: str) -> list[str]:
        """Return the characters in a room, sorted."""
        return sorted(name for name in self.house.characters if self.place[name] == room)

    def is_reachable(self, thing: str, character: str) -> bool:
        """Return whether an object can be touched: in the character's room or hands, not shut away, not another's."""
        base = self.base(thing)
        if base == character:
            return True
        room = self.place[character]
        if self.house.kind_of[base] == "character":
            return False
        return base == room or (
            self.house.room_of_furniture.get(base) == room and self.setting.get(base) != "closed"
        )

    def contents(self) -> dict[str, list[str]]:
        """Return, for each place that holds objects, their names sorted."""
        held: dict[str, list[str]] = {}
        for thing, _ in self.house.objects:
            held.setdefault(self.place[thing], []).append(thing)
        return {place: sorted(things) for place, things in held.items()}

    def facts(self) -> tuple[Fact, ...]:
        """Return everything that holds, sorted by subject, relation and object."""
        kind_of = self.house.kind_of
        facts = [Fact(name, "INSIDE", room) for name, _, room in self.house.furniture]
        facts += [Fact(name, "AT", self.place[name]) for name in self.house.characters]
        facts += [Fact(name, "STATE", setting) for name, setting in self.setting.items()]
        for thing, _ in self.house.objects:
            place = self.place[thing]
            if kind_of[place] == "character":
                facts.append(Fact(place, "HOLDS", thing))
            else:
                facts.append(Fact(thing, RELATION_TO[kind_of[place]], place))
        return tuple(sorted(facts, key=lambda fact: (fact.subject, fact.relation, fact.object)))
