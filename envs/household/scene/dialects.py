"""Dialects: whose rules a program is run by. The rows of `actions.py` are `eai`'s; here is what others do differently.

eai          Embodied Agent Interface's copy of VirtualHome's executor. The default.
vh           VirtualHome's repository as shipped: C's posture is read from the initial graph for ever, FIND of a thing that
             is not close and PUTOFF crash (reported as failures of that class).
house        everything but a room is in exactly one place, and no circle closes; what is carried, and all in or on it, moves
             with the carrier; who stands up leaves the seat. Otherwise `eai`'s actions and checks.
stored2018   an older executor, which made the final graphs that RobotHow ships.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.actions import (
    ROWS,
    WALK_EFFECTS,
    Check,
    Choice,
    Effect,
    Row,
    close,
    come_close,
    has,
    in_room,
    pose,
    posture,
)
from worldschool.envs.household.scene.operations import CLOSE, INSIDE, ON, C, X, Y

BY_NAME = {row.name: row for row in ROWS}
TYPE_ERROR = Check(op.NEVER, X, "crash:TypeError")


@dataclass(frozen=True)
class Dialect:
    """A set of rules.

    Attributes:
        name: as `replay` takes it.
        rows: one for each action.
        stale_posture: whether C's posture is read from the initial graph, whatever C did since.
        one_place: whether everything but a room is in exactly one place.
    """

    name: str
    rows: tuple[Row, ...]
    stale_posture: bool = False
    one_place: bool = False


def _with(*changed: Row) -> tuple[Row, ...]:
    rows = BY_NAME | {row.name: row for row in changed}
    return tuple(rows.values())


FIND_OF_VH = replace(
    BY_NAME["FIND"],
    choice=Choice(
        (Check(op.IS_WORN, X, ""), has(X, "", "BODY_PART"), close(X), posture("", "SITTING", "LYING")),
        otherwise="crash:TypeError",
    ),
)
WATCH_OF_VH = replace(BY_NAME["WATCH"], checks=BY_NAME["WATCH"].checks[:-1])  # being shut in does not matter
WALK_OF_2018 = (
    *(
        Effect(op.APPROACH_EVEN_A_ROOM, X) if effect.operation == op.APPROACH else effect
        for effect in WALK_EFFECTS[:4]
    ),
    Effect(op.APPROACH_THINGS_ON_SURFACE, X),
)
GRAB_OF_2018 = replace(
    BY_NAME["GRAB"],
    checks=tuple(check for check in BY_NAME["GRAB"].checks if check.operation != op.IS_NOT_GRABBED),
    effects=(Effect(op.GRAB, X, value=1 << ON | 1 << INSIDE | 1 << CLOSE),),  # other hands keep hold of it
)


def _not_within(argument: int, holder: int) -> Check:
    """The thing is not the holder, nor in, on or held by it."""
    return Check(op.IS_NOT_WITHIN, argument, "inside_itself", holder)


def _place(argument: int, relation: int, other: int) -> Effect:
    """Give a thing, with all in and on it, another place."""
    return Effect(op.PLACE, argument, other, relation)


def _placed_in_room(argument: int) -> Effect:
    """Give a thing a place in the room that C is in."""
    return Effect(op.PLACE_IN_ROOM_OF_C, argument)


def _in_house(name: str, *effects: Effect, checks: tuple[Check, ...] = ()) -> Row:
    """Return an action with other effects, and more checks after its own."""
    row = BY_NAME[name]
    return replace(row, checks=(*row.checks, *checks), effects=effects)


NO_ROOM = Check(op.IS_NO_ROOM, X, "not_grabbable")
WALK_IN_HOUSE = tuple(
    Effect(op.CARRY_ALL) if effect.operation == op.CARRY else effect for effect in WALK_EFFECTS
)
HOUSE = (
    _in_house("WALK", *WALK_IN_HOUSE),
    _in_house("RUN", *WALK_IN_HOUSE),
    _in_house(
        "SIT",
        _place(C, ON, X),
        Effect(op.FACE_AS, X),
        pose(("LYING",), ("SITTING",)),
        checks=(_not_within(X, C),),
    ),
    _in_house("LIE", _place(C, ON, X), pose(("SITTING",), ("LYING",)), checks=(_not_within(X, C),)),
    _in_house("STANDUP", _placed_in_room(C), pose(("SITTING", "LYING"))),
    _in_house("GRAB", Effect(op.TAKE, X), checks=(NO_ROOM, _not_within(C, X))),
    _in_house("PUTBACK", _place(X, ON, Y), come_close(C, Y), checks=(_not_within(Y, X),)),
    _in_house("PUTIN", _place(X, INSIDE, Y), come_close(C, Y), checks=(_not_within(Y, X),)),
    _in_house("PUTOBJBACK", Effect(op.RETURN, X)),
    _in_house("DROP", _placed_in_room(X)),
    _in_house("RELEASE", _placed_in_room(X)),
    _in_house("PUTON", _place(X, ON, C)),
    _in_house("PUTOFF", _placed_in_room(X), checks=(in_room(C, "no_room"),)),
    _in_house("POUR", _place(X, INSIDE, Y), checks=(_not_within(Y, X),)),
)

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("eai", ROWS),
        Dialect(
            "vh",
            _with(
                FIND_OF_VH,
                WATCH_OF_VH,
                replace(BY_NAME["PUTOFF"], checks=(TYPE_ERROR,)),
                replace(BY_NAME["OPEN"], unknown="not_found"),
                replace(BY_NAME["CLOSE"], unknown="not_found"),
            ),
            stale_posture=True,
        ),
        Dialect("house", _with(*HOUSE), one_place=True),
        Dialect(
            "stored2018",
            _with(
                replace(BY_NAME["WALK"], effects=WALK_OF_2018),
                replace(BY_NAME["RUN"], effects=WALK_OF_2018),
                GRAB_OF_2018,
            ),
        ),
    )
}
"""Dialects by name."""
