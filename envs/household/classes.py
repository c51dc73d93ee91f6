"""What the compiled dynamics need to know of every class of the vocabulary, as arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.scene import draws
from worldschool.envs.household.scene.actions import Trait
from worldschool.envs.household.scene.compiled import has_trait_of, rules_of
from worldschool.envs.household.scene.graph import CHARACTER_CLASS, Node
from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS, ROOMS, properties_of

DIALECT = "house"


class Classes(NamedTuple):
    """What the dynamics need to know of every class of the vocabulary, rooms and characters included.

    Attributes:
        number: class name to its row below.
        traits: bool [classes, traits + 2]: as rows of `Scene.traits`.
        seats: int64 [classes, kinds of seat].
        size: int8 [classes]: of objects 1 to 3; furniture 9.
        surface, vessel, holder, washable: bool [classes].
        adjustable: int8 [classes]: see `draws.Chances`.
        home: bool [classes, rooms of the vocabulary]: where a thing belongs.
    """

    number: dict[str, int]
    traits: NDArray[np.bool_]
    seats: NDArray[np.int64]
    size: NDArray[np.int8]
    surface: NDArray[np.bool_]
    vessel: NDArray[np.bool_]
    holder: NDArray[np.bool_]
    washable: NDArray[np.bool_]
    adjustable: NDArray[np.int8]
    home: NDArray[np.bool_]


@lru_cache(maxsize=1)
def classes() -> Classes:
    """Return the table of all classes, made once a process."""
    rules = rules_of(DIALECT)
    names = [CHARACTER_CLASS, *ROOMS, *FURNITURE, *OBJECTS]
    nodes = [node_of(number, name) for number, name in enumerate(names)]
    has = {
        property_: np.array([property_ in node.properties for node in nodes])
        for property_ in ("SURFACES", "CONTAINERS", "CAN_OPEN", "HAS_SWITCH", "HAS_PLUG")
    }
    things = [OBJECTS.get(name) for name in names]
    vessel = np.array([thing is not None and thing.vessel for thing in things])
    washable = np.array([thing is not None and thing.washable for thing in things])
    adjustable = (
        has["CAN_OPEN"] * draws.CAN_OPEN
        + has["HAS_SWITCH"] * draws.HAS_SWITCH
        + has["HAS_PLUG"] * draws.HAS_PLUG
        + (washable | has["SURFACES"] & ~vessel) * draws.WASHABLE
    )
    return Classes(
        number={name: number for number, name in enumerate(names)},
        traits=np.array([_traits_of(node, rules.traits) for node in nodes]),
        seats=np.array(
            [[dict(seats.of_class).get(node.class_name, 1) for seats in rules.seats] for node in nodes]
        ),
        size=np.array([9 if thing is None else thing.size for thing in things], np.int8),
        surface=has["SURFACES"],
        vessel=vessel,
        holder=has["CONTAINERS"] | vessel,
        washable=washable,
        adjustable=adjustable.astype(np.int8),
        home=np.array([[thing is not None and room in thing.rooms for room in ROOMS] for thing in things]),
    )


def node_of(id_: int, name: str, class_: str = "", states: frozenset[str] = frozenset()) -> Node:
    """Return the scene graph's node of a class; of a room the class is its name."""
    class_ = class_ or name
    category = "Rooms" if class_ in ROOMS else "Characters" if class_ == CHARACTER_CLASS else "Objects"
    return Node(id_, class_.replace(" ", "_"), category, properties_of(class_), states)


def _traits_of(node: Node, traits: tuple[Trait, ...]) -> list[bool]:
    return [node.is_room, *(has_trait_of(node, trait) for trait in traits), True]
