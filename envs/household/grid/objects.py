"""The household's things as MiniGrid's world objects: type ids from 11, so that agents see them as numbers.

A cell is encoded as (type, colour, state), as MiniGrid does:

    floors      a type for each room's floor, colour and state 0
    doorways    one type
    furniture   a type for each class, colour: which copy of it ("shelf 2" is 1), state as below
    things      kinds of six classes each; type and colour together tell the class, state as below
    characters  one type, colour: which one (the agent itself is MiniGrid's "agent"), state: direction + 16 * things held

The state of furniture and things is OPENED, TURNED_ON, PULLED_OUT and SOILED, where they hold, plus 16 times how many
things are to be seen in or on it (3 stands for more). What they are is told by `HouseholdGridEnv` in words and pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrid.core.constants import COLOR_TO_IDX, IDX_TO_COLOR, IDX_TO_OBJECT, OBJECT_TO_IDX, STATE_TO_IDX
from minigrid.core.world_object import WorldObj

from worldschool.envs.household.grid import pictures
from worldschool.envs.household.grid.pictures import (
    COUNTED,
    OPENED,
    PULLED_OUT,
    SOILED,
    TURNED_ON,
    Shown,
    Tile,
)
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS, ROOMS
from worldschool.errors import WorldError

FIRST_ID = 11
COLOURS = len(COLOR_TO_IDX)
MOST_COUNTED = 3
STATES = COUNTED * (MOST_COUNTED + 1)
_BITS = tuple(
    (states_word(name), bit)
    for name, bit in (("OPEN", OPENED), ("ON", TURNED_ON), ("PLUGGED_OUT", PULLED_OUT), ("DIRTY", SOILED))
)
DOORWAY, PERSON = "doorway", "person"


def _thing_types() -> dict[str, tuple[str, int]]:
    """Return of each class of things its type and colour index: "food 1" has six classes, "food 2" the next."""
    of_kind: dict[str, int] = {}
    found = {}
    for name in OBJECTS:
        kind = pictures.kind_of_thing(name)
        number, colour = divmod(of_kind.get(kind, 0), COLOURS)
        of_kind[kind] = of_kind.get(kind, 0) + 1
        found[name] = (f"{kind} {number + 1}", colour)
    return found


THING_TYPES = _thing_types()
"""Class of things to (type, colour index)."""
CLASS_OF_THING = {type_: class_ for class_, type_ in THING_TYPES.items()}
"""The other way round."""
TYPES: tuple[str, ...] = (
    DOORWAY,
    PERSON,
    *(f"{room} floor" for room in ROOMS),
    *FURNITURE,
    *sorted({type_ for type_, _ in THING_TYPES.values()}),
)
"""Our types, the first with id FIRST_ID."""


def state_bits(word: int, count: int = 0) -> int:
    """Return the encoded state of a thing in these states (`scene.graph.states_word`), so much to be seen in it."""
    return sum(bit for name, bit in _BITS if word & name) + COUNTED * min(count, MOST_COUNTED)


class HouseholdObject(WorldObj):  # type: ignore[misc]
    """What a cell of the household shows. Moves ask the household what can be done, not these objects.

    Attributes:
        state: third number of the encoding.
        tile: how it is drawn.
    """

    def __init__(self, type_: str, colour: int = 0, state: int = 0) -> None:
        super().__init__(type_, IDX_TO_COLOR[colour % COLOURS])
        self.state = state
        self.tile = Tile()

    def encode(self) -> tuple[int, int, int]:
        """Return type, colour and state as numbers from 0 to 255."""
        return OBJECT_TO_IDX[self.type], COLOR_TO_IDX[self.color], self.state

    def render(self, img: Any) -> None:
        """Draw it on a uint8 array [size, size, 3]."""
        drawn = pictures.draw(self.tile, img.shape[0])
        img[:] = drawn


class RoomFloor(HouseholdObject):
    """A cell with nothing on it, which says what room it is of."""

    def __init__(self, room: str) -> None:
        super().__init__(f"{room} floor")
        self.tile = Tile(room=room)

    def can_overlap(self) -> bool:
        """Return True: it can be walked on."""
        return True


class Doorway(HouseholdObject):
    """An opening between two rooms."""

    def __init__(self) -> None:
        super().__init__(DOORWAY)
        self.tile = Tile(doorway=True)

    def can_overlap(self) -> bool:
        """Return True: it can be walked through."""
        return True


class Furniture(HouseholdObject):
    """A piece of furniture, which fills its cell.

    Args:
        class_: its class.
        copy: 0 for the first of its class.
        room: the room it stands in; empty if that is not known.
    """

    def __init__(self, class_: str, copy: int = 0, room: str = "") -> None:
        super().__init__(class_, copy)
        self.show(Tile(room=room, furniture=class_))

    def show(self, tile: Tile) -> None:
        """Take on what is to be seen of it now."""
        self.tile = tile
        self.state = tile.state

    def can_contain(self) -> bool:
        """Return whether things can be put in or on it."""
        return bool({"SURFACES", "CONTAINERS"} & FURNITURE[self.type].properties)


class Thing(HouseholdObject):
    """Something that can be carried, on the floor or in the agent's hand."""

    def __init__(self, shown: Shown, room: str = "", more: Sequence[Shown] = ()) -> None:
        type_, colour = THING_TYPES[shown.class_]
        super().__init__(type_, colour, shown.state)
        self.tile = Tile(room=room, things=(shown, *more))

    def can_overlap(self) -> bool:
        """Return True: it can be stepped over."""
        return True

    def can_pickup(self) -> bool:
        """Return True."""
        return True


class Person(HouseholdObject):
    """A character other than the agent."""

    def __init__(
        self, number: int, initial: str, direction: int, held: tuple[Shown, ...], room: str = ""
    ) -> None:
        super().__init__(PERSON, number, direction + COUNTED * len(held))
        self.tile = Tile(room=room, person=number, initial=initial, direction=direction, held=held)


def made(type_: str, colour: int, state: int) -> HouseholdObject:
    """Return an object again from its type's name, colour index and state."""
    if type_ == DOORWAY:
        return Doorway()
    if type_ == PERSON:
        return Person(colour, "", state % COUNTED % 4, ())
    if type_ in FURNITURE:
        piece = Furniture(type_, colour)
        piece.show(Tile(furniture=type_, state=state))
        return piece
    if type_.endswith(" floor"):
        return RoomFloor(type_.removesuffix(" floor"))
    # The last type of a kind leaves colours unused; an array that no house gave is read as the type's first class.
    class_ = CLASS_OF_THING.get((type_, colour)) or CLASS_OF_THING[type_, 0]
    return Thing(Shown(class_, state))


def register() -> None:
    """Make our types known to MiniGrid: to its tables, and to `WorldObj.decode`. Its own types stay as they are.

    Raises:
        WorldError: another package has taken our ids.
    """
    ids = {name: FIRST_ID + number for number, name in enumerate(TYPES)}
    for name, id_ in ids.items():
        if IDX_TO_OBJECT.get(id_, name) != name or OBJECT_TO_IDX.get(name, id_) != id_:
            raise WorldError(
                f"MiniGrid's object id {id_} or name {name!r} is taken by another package",
                where="HouseholdGrid",
                mend="Use the two in different processes.",
            )
    OBJECT_TO_IDX.update(ids)
    IDX_TO_OBJECT.update({id_: name for name, id_ in ids.items()})
    # One-hot wrappers reserve as many columns as there are names of states.
    for number in range(len(STATE_TO_IDX), STATES):
        STATE_TO_IDX[f"household {number}"] = number
    ours = {id_: name for name, id_ in ids.items()}
    decode_of_minigrid = WorldObj.decode
    if getattr(decode_of_minigrid, "knows_household", False):
        return

    def decode(type_idx: int, color_idx: int, state: int) -> WorldObj | None:
        """Create an object from its encoding, MiniGrid's or the household's."""
        name = ours.get(int(type_idx))
        if name is None:
            return decode_of_minigrid(type_idx, color_idx, state)
        return made(name, int(color_idx), int(state))

    decode.knows_household = True  # type: ignore[attr-defined]
    WorldObj.decode = staticmethod(decode)


register()
