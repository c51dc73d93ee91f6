"""The words of the household: rooms, furniture, grabbable objects and characters, and which split may use which.

Object classes and character names are partitioned by split, so nothing a heldout story is about was ever trained on.
Rooms and furniture are shared by all splits; of rooms it is the set in one house that is held out (houses.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from worldschool.envs.household import furniture
from worldschool.envs.household.things import GROUPS, Group
from worldschool.records import Split

Role: TypeAlias = Literal["surface", "container", "switch", "seat", "basin"]


@dataclass(frozen=True)
class FurnitureClass:
    """Something fixed in a room: a surface, a container that opens and closes, a device switched on and off, a seat,
    or a basin, which is always open.
    """

    name: str
    role: Role
    """What it mainly is; its properties may make it more."""
    rooms: tuple[str, ...]
    """The rooms it belongs in."""
    properties: frozenset[str]
    """VirtualHome's."""

    @property
    def class_name(self) -> str:
        """The name as VirtualHome writes it."""
        return self.name.replace(" ", "_")


@dataclass(frozen=True)
class ObjectClass:
    """Something a character can carry.

    `size` is 1 (fits a mug), 2 (fits a box) or 3; a vessel is always open and takes anything smaller than itself.
    """

    name: str
    size: int
    vessel: bool
    split: Split
    properties: frozenset[str]
    """VirtualHome's."""
    washable: bool
    """It may be dirty or clean at first."""
    rooms: tuple[str, ...]
    """The rooms it would be found in."""

    @property
    def class_name(self) -> str:
        """The name as VirtualHome writes it."""
        return self.name.replace(" ", "_")


ROOMS: tuple[str, ...] = (
    "bathroom",
    "bedroom",
    "dining room",
    "garage",
    "garden",
    "hallway",
    "home office",
    "kitchen",
    "laundry room",
    "living room",
    "pantry",
)

_FURNITURE_ROWS: dict[Role, furniture.Rows] = {
    "surface": furniture.SURFACES,
    "container": furniture.CONTAINERS,
    "switch": furniture.SWITCHES,
    "seat": furniture.SEATS,
    "basin": furniture.BASINS,
}

FURNITURE: dict[str, FurnitureClass] = {
    name: FurnitureClass(name, role, tuple(rooms.split(", ")), frozenset(properties.split()))
    for role, table in _FURNITURE_ROWS.items()
    for properties, rows in table.items()
    for name, rooms in rows.items()
}


def _objects_of(group: Group) -> Iterator[ObjectClass]:
    always = "GRABBABLE CONTAINERS RECIPIENT" if group.vessel else "GRABBABLE"
    properties = frozenset(f"{always} {group.properties}".split())
    by_split: dict[Split, Mapping[int, str]] = {
        "train": group.train,
        "validation": group.validation,
        "heldout": group.heldout,
    }
    for split, sizes in by_split.items():
        for size, names in sizes.items():
            for name in names.split(", "):
                yield ObjectClass(
                    name,
                    size,
                    group.vessel,
                    split,
                    properties,
                    group.washable,
                    tuple(group.rooms.split(", ")),
                )


OBJECTS: dict[str, ObjectClass] = {row.name: row for group in GROUPS for row in _objects_of(group)}

_CHARACTER_ROWS: dict[Split, str] = {
    "train": "Mary John Aisha Wei Carlos Priya Kofi Ingrid Yuki Omar Sofia Liam "
    "Fatima Diego Chloe Raj Nadia Pavel Amara Tomas Mei Hassan Leila Peter",
    "validation": "Anna Kwame Hiroshi Lucia Tariq Freya Sanjay Noor",
    "heldout": "Emily Daniel Zanele Mateo Akiko Ibrahim Olga Thiago Ling Samira Bjorn Kavya",
}

CHARACTERS: dict[Split, tuple[str, ...]] = {
    split: tuple(names.split()) for split, names in _CHARACTER_ROWS.items()
}
CHARACTER_NAMES: frozenset[str] = frozenset(name for names in CHARACTERS.values() for name in names)

_PROPERTIES: dict[str, frozenset[str]] = {
    "room": frozenset(),
    **dict.fromkeys(ROOMS, frozenset[str]()),
    "character": frozenset({"PERSON"}),
    **{name: row.properties for name, row in FURNITURE.items()},
    **{name: row.properties for name, row in OBJECTS.items()},
}

_ORDINALS = {
    str(number): word
    for number, word in enumerate(
        ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), start=2
    )
}


def phrase(name: str) -> str:
    """Return an entity's name as stories say it: "the apple", "the second apple" for "apple 2", "Mary"."""
    if name in CHARACTER_NAMES:
        return name
    stem, _, number = name.rpartition(" ")
    return f"the {_ORDINALS[number]} {stem}" if number in _ORDINALS else f"the {name}"


def any_phrase(class_name: str) -> str:
    """Return "an apple" for the class "apple"."""
    return f"{'an' if class_name[0] in 'aeiou' else 'a'} {class_name}"


def properties_of(class_: str) -> frozenset[str]:
    """Return the VirtualHome properties of a class of furniture or objects, of "character", or of a room (none).

    Raises:
        KeyError: there is no such class.
    """
    return _PROPERTIES[class_]
