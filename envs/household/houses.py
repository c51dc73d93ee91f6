"""Seeded procedural houses.

The set of rooms in a house decides its split by a stable hash (60% train, 20% validation, 20% heldout); generation
draws room sets until one belongs to the split asked for. No heldout house therefore has the rooms of a training one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from random import Random

from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.state import House, State
from worldschool.envs.household.vocabulary import CHARACTERS, FURNITURE, OBJECTS, ROOMS, Role
from worldschool.records import Split

# Chances in a house that is not stripped (focus=False).
SECOND_SURFACE = 0.4
CONTAINER = 0.7
SWITCH = 0.6
# Chances in every house.
OPEN_AT_FIRST = 0.3
ON_AT_FIRST = 0.3
PLACE_WEIGHTS = {"surface": 6, "container": 2, "vessel": 1, "floor": 1}


def split_of_rooms(rooms: Iterable[str]) -> Split:
    """Return the split that houses with this set of rooms belong to."""
    key = "|".join(sorted(rooms)).encode()
    tenth = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) % 10
    return "train" if tenth < 6 else "validation" if tenth < 8 else "heldout"


def generate(config: HouseholdConfig, rng: Random) -> State:
    """Draw a house and where everything is at first. Depends on `config` and `rng` alone."""
    rooms = _draw_rooms(config, rng)
    house = House(
        split=config.split,
        rooms=rooms,
        furniture=_draw_furniture(rooms, config.focus, rng),
        objects=_draw_objects(config, rng),
        characters=tuple(rng.sample(CHARACTERS[config.split], config.characters)),
    )
    return _furnish(House.from_layout(house.layout), rng)


def _draw_rooms(config: HouseholdConfig, rng: Random) -> tuple[str, ...]:
    count = rng.randint(*config.rooms)
    while True:
        rooms = tuple(sorted(rng.sample(ROOMS, count)))
        if split_of_rooms(rooms) == config.split:
            return rooms


def _draw_furniture(rooms: tuple[str, ...], focus: bool, rng: Random) -> tuple[tuple[str, str, str], ...]:
    """Return rows of (name, class, room), ordered by room."""
    copies: Counter[str] = Counter()
    rows = []
    container_room, switch_room = rng.sample(rooms, 2)
    for room in rooms:
        roles: list[Role] = ["surface"]
        if not focus and rng.random() < SECOND_SURFACE:
            roles.append("surface")
        if room == container_room if focus else rng.random() < CONTAINER:
            roles.append("container")
        if room == switch_room if focus else rng.random() < SWITCH:
            roles.append("switch")
        for role in roles:
            class_ = _draw_furniture_class(room, role, copies, rng)
            rows.append((_numbered(class_, copies), class_, room))
    return tuple(rows)


def _draw_furniture_class(room: str, role: Role, copies: Counter[str], rng: Random) -> str:
    """Return a class that belongs in the room, one new to the house before a second copy."""
    fitting = [row.name for row in FURNITURE.values() if row.role == role and room in row.rooms]
    fresh = [name for name in fitting if not copies[name]]
    return rng.choice(fresh or fitting)


def _draw_objects(config: HouseholdConfig, rng: Random) -> tuple[tuple[str, str], ...]:
    """Return rows of (name, class): a vessel, then others; second copies only when every class is used."""
    classes = [row for row in OBJECTS.values() if row.split == config.split]
    count = rng.randint(*config.objects)
    vessel = rng.choice([row for row in classes if row.vessel])
    rest = [row for row in classes if row is not vessel]
    rng.shuffle(rest)
    copies: Counter[str] = Counter()
    return tuple((_numbered(row.name, copies), row.name) for row in ([vessel, *rest] * 2)[:count])


def _numbered(class_: str, copies: Counter[str]) -> str:
    copies[class_] += 1
    return class_ if copies[class_] == 1 else f"{class_} {copies[class_]}"


def _furnish(house: House, rng: Random) -> State:
    """Put every object and character somewhere, and set what is open or on."""
    by_kind: dict[str, list[str]] = {"floor": list(house.rooms), "surface": [], "container": [], "vessel": []}
    settings = []
    for name, _, _ in house.furniture:
        kind = house.kind_of[name]
        by_kind.setdefault(kind, []).append(name)
        if kind == "container":
            settings.append("open" if rng.random() < OPEN_AT_FIRST else "closed")
        elif kind == "switch":
            settings.append("on" if rng.random() < ON_AT_FIRST else "off")
    places = []
    for name, _ in house.objects:
        by_kind["vessel"] = [vessel for vessel in house.vessels if house.fits(name, vessel)]
        choices = [kind for kind in PLACE_WEIGHTS if by_kind[kind]]
        chosen = rng.choices(choices, [PLACE_WEIGHTS[kind] for kind in choices])[0]
        places.append(rng.choice(by_kind[chosen]))
    places += [rng.choice(house.rooms) for _ in house.characters]
    return State.from_values(house, tuple(places), tuple(settings))
