"""The words of the household: rooms, furniture, grabbable objects and characters, and which split may use which.

Object classes and character names are partitioned by split, so nothing a heldout story is about was ever trained on.
Rooms and furniture are shared by all splits; of rooms it is the set in one house that is held out (houses.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from worldschool.records import Split

Role: TypeAlias = Literal["surface", "container", "switch"]


@dataclass(frozen=True)
class FurnitureClass:
    """Something fixed in a room: a surface, a container that opens and closes, or a device switched on and off."""

    name: str
    role: Role
    rooms: tuple[str, ...]
    """The rooms it belongs in."""


@dataclass(frozen=True)
class ObjectClass:
    """Something a character can carry.

    `size` is 1 (fits a mug), 2 (fits a box) or 3; a vessel is always open and takes anything smaller than itself.
    """

    name: str
    size: int
    vessel: bool
    split: Split


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

_FURNITURE_ROWS: dict[Role, dict[str, tuple[str, ...]]] = {
    "surface": {
        "bed": ("bedroom",),
        "bench": ("garden", "hallway"),
        "bookshelf": ("living room", "home office", "hallway"),
        "coffee table": ("living room",),
        "counter": ("kitchen",),
        "desk": ("home office", "bedroom"),
        "dining table": ("dining room",),
        "garden table": ("garden",),
        "ironing board": ("laundry room",),
        "kitchen table": ("kitchen",),
        "nightstand": ("bedroom",),
        "shelf": ("pantry", "garage", "laundry room"),
        "side table": ("hallway", "living room"),
        "sideboard": ("dining room",),
        "sofa": ("living room",),
        "stool": ("bathroom", "pantry"),
        "washstand": ("bathroom",),
        "workbench": ("garage",),
    },
    "container": {
        "cabinet": ("kitchen", "bathroom"),
        "chest": ("living room", "hallway"),
        "china cabinet": ("dining room",),
        "drawer": ("home office", "bedroom"),
        "freezer": ("pantry", "garage"),
        "fridge": ("kitchen",),
        "hamper": ("laundry room", "bathroom"),
        "locker": ("garage",),
        "microwave": ("kitchen",),
        "shed": ("garden",),
        "shoe cabinet": ("hallway",),
        "wardrobe": ("bedroom",),
        "washing machine": ("laundry room",),
    },
    "switch": {
        "ceiling light": ("pantry", "garage", "bathroom"),
        "chandelier": ("dining room",),
        "computer": ("home office",),
        "dryer": ("laundry room",),
        "fan": ("bedroom", "home office", "laundry room"),
        "heater": ("bathroom", "garage"),
        "lamp": ("living room", "bedroom", "home office", "hallway"),
        "lantern": ("garden",),
        "radio": ("kitchen", "garage", "living room"),
        "sprinkler": ("garden",),
        "stove": ("kitchen",),
        "television": ("living room", "bedroom"),
    },
}

FURNITURE: dict[str, FurnitureClass] = {
    name: FurnitureClass(name, role, rooms)
    for role, rows in _FURNITURE_ROWS.items()
    for name, rooms in rows.items()
}

# Commas between classes, sizes in groups; the vessels of each split come first.
_VESSEL_ROWS: dict[Split, dict[int, str]] = {
    "train": {2: "bowl, mug, jar", 3: "box, bag"},
    "validation": {2: "cup", 3: "basket"},
    "heldout": {2: "vase, pan", 3: "bucket, crate"},
}
_ITEM_ROWS: dict[Split, dict[int, str]] = {
    "train": {
        1: "banana, orange, pear, carrot, potato, egg, cookie, sandwich, pen, key, wallet, candle, coin, spoon, fork, "
        "toothbrush, sock, glove",
        2: "plate, bottle, newspaper, remote control, notebook, hammer, screwdriver, towel, shirt, hat, clock",
        3: "pillow, blanket",
    },
    "validation": {1: "peach, tomato, pencil, watch, knife", 2: "magazine, doll, scarf"},
    "heldout": {
        1: "apple, phone, lime, lemon, onion, muffin, ring, marble, envelope, brush",
        2: "camera, laptop, ruler, boot, wrench, sweater",
    },
}

OBJECTS: dict[str, ObjectClass] = {
    name: ObjectClass(name, size, vessel, split)
    for vessel, table in ((True, _VESSEL_ROWS), (False, _ITEM_ROWS))
    for split, sizes in table.items()
    for size, names in sizes.items()
    for name in names.split(", ")
}

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
