"""Houses: what never changes within an episode, and a seeded generator of plausible ones.

The set of rooms in a house decides its split by a stable hash (60% train, 20% validation, 20% heldout); generation
draws room sets until one belongs to the split asked for. No heldout house therefore has the rooms of a training one.
Where things are at first is drawn by `scene/draws.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from worldschool.canonical import canonical_json
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.floorplan import FloorPlan, draw_plan
from worldschool.envs.household.vocabulary import CHARACTERS, FURNITURE, OBJECTS, ROOMS, Role
from worldschool.records import Entity, Split

Kind: TypeAlias = Literal["character", "room", "furniture", "object"]

ROLE_WEIGHTS: dict[Role, float] = {"surface": 4, "container": 4, "switch": 3, "seat": 2, "basin": 1}
"""How often each role is drawn for a piece of furniture, after the one surface that every room has."""


@dataclass(frozen=True)
class House:
    """What is in a house. Rows are (name, class) or (name, class, room).

    Its things have places in one order, by which the compiled dynamics know them: characters, rooms, furniture, objects.
    """

    split: Split
    characters: tuple[str, ...]
    rooms: tuple[str, ...]
    furniture: tuple[tuple[str, str, str], ...]
    objects: tuple[tuple[str, str], ...]
    plan: FloorPlan

    @cached_property
    def text(self) -> str:
        """The house as canonical JSON, for snapshots; built once, so that snapshots share it."""
        rows = [self.split, self.characters, self.rooms, self.furniture, self.objects, self.plan.to_json()]
        return canonical_json(rows)

    @staticmethod
    @lru_cache(maxsize=1024)
    def from_text(text: str) -> House:
        """Return the house that `text` tells; equal texts give the same house object.

        Raises:
            ValueError, TypeError: the text tells no house.
        """
        split, characters, rooms, furniture, objects, plan = json.loads(text)
        return House(
            split,
            tuple(characters),
            tuple(rooms),
            tuple((name, class_, room) for name, class_, room in furniture),
            tuple((name, class_) for name, class_ in objects),
            FloorPlan.from_json(plan),
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name, in the order of places."""
        furniture, objects = (name for name, _, _ in self.furniture), (name for name, _ in self.objects)
        return (*self.characters, *self.rooms, *furniture, *objects)

    @cached_property
    def place_of(self) -> dict[str, int]:
        """Name to place in `names`."""
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def class_of(self) -> dict[str, str]:
        """Name to class: "character", "room", or a class of the vocabulary."""
        classes = dict.fromkeys(self.characters, "character") | dict.fromkeys(self.rooms, "room")
        return classes | {name: class_ for name, class_, _ in self.furniture} | dict(self.objects)

    @cached_property
    def kind_of(self) -> dict[str, Kind]:
        """Name to kind."""
        kinds: dict[str, Kind] = {name: "character" for name in self.characters}
        kinds |= {name: "room" for name in self.rooms}
        kinds |= {name: "furniture" for name, _, _ in self.furniture}
        return kinds | {name: "object" for name, _ in self.objects}

    @cached_property
    def furniture_in(self) -> dict[str, tuple[str, ...]]:
        """Room to the names of its furniture, sorted."""
        return {
            room: tuple(sorted(name for name, _, where in self.furniture if where == room))
            for room in self.rooms
        }

    @cached_property
    def spoken(self) -> dict[str, str]:
        """Casefolded name to the name, for reading actions."""
        return {name.casefold(): name for name in self.names}

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        """Every entity, sorted by name."""
        return tuple(Entity(name, class_) for name, class_ in sorted(self.class_of.items()))


def split_of_rooms(rooms: Iterable[str]) -> Split:
    """Return the split that houses with this set of rooms belong to."""
    key = "|".join(sorted(rooms)).encode()
    tenth = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) % 10
    return "train" if tenth < 6 else "validation" if tenth < 8 else "heldout"


class Drawn(NamedTuple):
    """What a reset draws, in the same order in every household, so that equal seeds give equal episodes in all of them.

    Attributes:
        house: the house.
        goal_size: how many predicates a random goal is to have.
        generator: 64 bits, from which the compiled dynamics draw the start, the goal and what others do.
        rng: for whatever a household draws besides, later.
    """

    house: House
    goal_size: int
    generator: int
    rng: Random


def draw_episode(config: HouseholdConfig, numbers: np.random.Generator) -> Drawn:
    """Draw a house and what its episode is drawn from, taking one number from a Gymnasium environment's generator."""
    rng = Random(int(numbers.integers(1 << 62)))
    return Drawn(draw_house(config, rng), rng.randint(*config.goal_size), rng.getrandbits(64), rng)


def draw_house(config: HouseholdConfig, rng: Random) -> House:
    """Draw a house. Depends on `config` and `rng` alone."""
    rooms = _draw_rooms(config, rng)
    furniture = _draw_furniture(rooms, config, rng)
    return House(
        split=config.split,
        characters=tuple(rng.sample(CHARACTERS[config.split], config.characters)),
        rooms=rooms,
        furniture=furniture,
        objects=_draw_objects(config, rng),
        plan=draw_plan(rooms, _by_room(rooms, furniture), rng),
    )


def _by_room(rooms: tuple[str, ...], furniture: tuple[tuple[str, str, str], ...]) -> dict[str, list[str]]:
    return {room: [name for name, _, where in furniture if where == room] for room in rooms}


def _draw_rooms(config: HouseholdConfig, rng: Random) -> tuple[str, ...]:
    count = rng.randint(*config.rooms)
    while True:
        rooms = tuple(sorted(rng.sample(ROOMS, count)))
        if split_of_rooms(rooms) == config.split:
            return rooms


def _draw_furniture(
    rooms: tuple[str, ...], config: HouseholdConfig, rng: Random
) -> tuple[tuple[str, str, str], ...]:
    """Return rows of (name, class, room), ordered by room."""
    copies: Counter[str] = Counter()
    rows = []
    container_room, switch_room = rng.sample(rooms, 2)
    for room in rooms:
        roles: list[Role] = ["surface"]
        if config.focus:
            if room == container_room:
                roles.append("container")
            if room == switch_room:
                roles.append("switch")
        else:
            more = rng.randint(*config.furniture) - 1
            roles += rng.choices(list(ROLE_WEIGHTS), list(ROLE_WEIGHTS.values()), k=more)
        for role in roles:
            class_ = _draw_furniture_class(room, role, copies, rng)
            rows.append((_numbered(class_, copies), class_, room))
    return tuple(rows)


def _draw_furniture_class(room: str, role: Role, copies: Counter[str], rng: Random) -> str:
    """Return a class that belongs in the room, one new to the house before a second copy."""
    fitting = _furniture_of(role, room) or _furniture_of("surface", room)
    fresh = [name for name in fitting if not copies[name]]
    return rng.choice(fresh or fitting)


@lru_cache(maxsize=128)
def _furniture_of(role: Role, room: str) -> tuple[str, ...]:
    return tuple(row.name for row in FURNITURE.values() if row.role == role and room in row.rooms)


def _draw_objects(config: HouseholdConfig, rng: Random) -> tuple[tuple[str, str], ...]:
    """Return rows of (name, class): a vessel, then others; second copies only when every class is used."""
    classes = [row for row in OBJECTS.values() if row.split == config.split]
    count = rng.randint(*config.objects)
    vessel = rng.choice([row for row in classes if row.vessel])
    rest = [row for row in classes if row is not vessel]
    rng.shuffle(rest)
    copies: Counter[str] = Counter()
    return tuple((_numbered(row.name, copies), row.name) for row in ([vessel, *rest] * 3)[:count])


def _numbered(class_: str, copies: Counter[str]) -> str:
    copies[class_] += 1
    return class_ if copies[class_] == 1 else f"{class_} {copies[class_]}"
