"""VirtualHome's actions, one row each: what must hold, in order, and what changes, in order.

This table is the specification of the dynamics, and the dynamics: `kernel.py` carries out each operation that is named
here and nothing else. X and Y are the things that an action names, C is the character who acts. The rows give the rules
of the Embodied Agent Interface's executor (dialect `eai`); `dialects.py` says what other dialects do differently.

Source: VirtualHome's evolving graph (Puig et al. 2018, *VirtualHome: Simulating Household Activities via Programs*), its
executor and the Embodied Agent Interface's copy of it, as their behaviour was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.operations import CLOSE, FACING, HOLDS_LH, HOLDS_RH, INSIDE, ON, C, X, Y


@dataclass(frozen=True)
class Trait:
    """A class of things that never changes: those with one of the properties, or of one of the classes."""

    properties: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    class_part: str = ""
    """Also every class whose name contains this."""


class Seats(NamedTuple):
    """How many find room on a thing of each class; elsewhere one does."""

    of_class: tuple[tuple[str, int], ...]


Value = int | Trait | Seats


class Check(NamedTuple):
    """One thing that must hold: an operation of the kernel, what it looks at, and the reason given if it fails."""

    operation: int
    argument: int
    reason: str
    value: Value = 0


class Effect(NamedTuple):
    """One change: an operation of the kernel and what it works on."""

    operation: int
    argument: int = C
    other: int = C
    value: int = 0


class Choice(NamedTuple):
    """Of an action that is one of two: with none of the checks true, the step is the row `otherwise`."""

    any_of: tuple[Check, ...]
    otherwise: str


@dataclass(frozen=True)
class Row:
    """One action.

    Attributes:
        name: as programs write it.
        arity: how many things it names.
        checks: in order; the first that fails gives the reason.
        effects: in order, each seeing what those before it changed.
        unknown: the reason if X or Y is not in the scene.
        choice: see Choice.
    """

    name: str
    arity: int
    checks: tuple[Check, ...] = ()
    effects: tuple[Effect, ...] = ()
    unknown: str = "not_found"
    choice: Choice | None = None


# -- what must hold -------------------------------------------------------------------------------------------------


def has(argument: int, reason: str, *properties: str, classes: tuple[str, ...] = ()) -> Check:
    """The thing has one of the properties, or is of one of the classes."""
    return Check(op.HAS_TRAIT, argument, reason, Trait(frozenset(properties), frozenset(classes)))


def close(argument: int) -> Check:
    """C is CLOSE to the thing, or to something that is CLOSE to it or that it is ON."""
    return Check(op.IS_CLOSE, argument, "not_close")


def facing(argument: int) -> Check:
    """C is FACING the thing, or something that is FACING it."""
    return Check(op.IS_FACING, argument, "not_facing")


def holds(argument: int) -> Check:
    """The thing is in one of C's hands."""
    return Check(op.IS_HELD, argument, "not_holding")


def state(argument: int, name: str, reason: str = "wrong_state") -> Check:
    """The thing is in this state: it is not enough that it lacks the opposite one."""
    return Check(op.HAS_STATE, argument, reason, states_word(name))


def lacks(argument: int, reason: str, *names: str) -> Check:
    """The thing is in none of these states."""
    return Check(op.LACKS_STATE, argument, reason, states_word(*names))


def posture(reason: str, *names: str) -> Check:
    """C is in one of these postures."""
    return Check(op.HAS_POSTURE, C, reason, states_word(*names))


def no_posture(*names: str) -> Check:
    """C is in none of these postures."""
    return Check(op.LACKS_POSTURE, C, "resting", states_word(*names))


def in_room(argument: int, reason: str) -> Check:
    """The thing is in a room."""
    return Check(op.IS_IN_ROOM, argument, reason)


def seat_free(*of_class: tuple[str, int]) -> Check:
    """Fewer things are ON the thing than there is room for."""
    return Check(op.HAS_SEAT, X, "occupied", Seats(of_class))


FREE_HAND = Check(op.HAS_FREE_HAND, C, "no_free_hand")
NOT_SHUT_IN = Check(op.IS_NOT_SHUT_IN, X, "inside_closed")
OPENABLE = has(X, "not_openable", "CAN_OPEN", classes=("desk", "window"))
HAS_SWITCH, HAS_PLUG = has(X, "no_switch", "HAS_SWITCH"), has(X, "no_plug", "HAS_PLUG")
PUSHED = has(X, "not_movable", "MOVABLE", classes=("button", "chair", "curtain"))
SQUEEZED = has(
    X, "not_clothes", "CLOTHES",
    classes=("cleaning_solution", "tooth_paste", "shampoo", "food_peanut_butter", "dish_soap", "soap", "towel", "rag",
             "paper", "sponge", "food_lemon", "check"),
)  # fmt: skip
KNIFE = Check(op.HOLDS_TRAIT, C, "no_knife", Trait(class_part="knife"))
EATABLE = Trait(frozenset({"EATABLE"}))
SEATS = seat_free(
    ("couch", 4), ("bed", 4), ("chair", 1), ("loveseat", 2), ("sofa", 4), ("toilet", 1), ("pianobench", 2), ("bench", 2)
)  # fmt: skip
BERTHS = seat_free(("couch", 2), ("bathtub", 2), ("bed", 3), ("loveseat", 2), ("sofa", 2), ("bench", 1))

# -- what changes ---------------------------------------------------------------------------------------------------


def swap(argument: int, removed: str, added: str) -> Effect:
    """Leave one state for another."""
    return Effect(op.SET_STATE, argument, states_word(removed), states_word(added))


def pose(removed: tuple[str, ...], added: tuple[str, ...] = ()) -> Effect:
    """Change C's posture."""
    return Effect(op.SET_POSTURE, C, states_word(*removed), states_word(*added))


def link(argument: int, relation: int, other: int) -> Effect:
    """Add an edge."""
    return Effect(op.LINK, argument, other, relation)


def come_close(argument: int, other: int) -> Effect:
    """Add CLOSE both ways."""
    return Effect(op.COME_CLOSE, argument, other)


def let_go(argument: int) -> Effect:
    """Remove the thing from C's hands."""
    return Effect(op.LET_GO, argument)


FORGET_GRAB = Effect(op.FORGET_GRAB, X)
CLEANED = swap(X, "DIRTY", "CLEAN")
WALK_CHECKS = (
    Check(op.HAS_NO_CYCLE, X, "no_room"),
    no_posture("SITTING", "LYING"),
    in_room(C, "crash:AssertionError"),
    in_room(X, "no_room"),
)
WALK_EFFECTS = (
    Effect(op.LEAVE),  # C is INSIDE, CLOSE to and FACING nothing, and nothing is so to C
    Effect(op.ENTER_ROOM_OF, X),
    Effect(op.APPROACH, X),  # unless X is a room: CLOSE to X, its containers and all body parts
    Effect(op.CARRY),  # what is held comes along, but stays INSIDE the room that C left
    Effect(op.APPROACH_CONTENTS, X),  # if X can open, open or not
    Effect(op.APPROACH_SUPPORTS, X),
)


def _walk(name: str) -> Row:
    return Row(name, 1, WALK_CHECKS, WALK_EFFECTS, unknown="crash:AttributeError")


def _put(name: str, relation: int, *more: Check) -> Row:
    return Row(
        name,
        2,
        (holds(X), close(Y), *more),
        (let_go(X), come_close(C, Y), come_close(X, Y), link(X, relation, Y), FORGET_GRAB),
    )


def _release(name: str) -> Row:
    return Row(
        name,
        1,
        (holds(X), in_room(C, "crash:AttributeError")),
        (let_go(X), Effect(op.LEAVE_IN_ROOM_OF_C, X), FORGET_GRAB),
    )


ROWS: tuple[Row, ...] = (
    # walking and resting
    _walk("WALK"),
    _walk("RUN"),
    Row(
        "FIND",
        1,
        (close(X),),
        (Effect(op.UNFACE), come_close(C, X)),
        unknown="crash:AttributeError",
        choice=Choice((Check(op.IS_WORN, X, ""), has(X, "", "BODY_PART"), close(X)), "WALK"),
    ),
    Row(
        "SIT",
        1,
        (close(X), no_posture("SITTING"), has(X, "not_sittable", "SITTABLE"), SEATS),
        (link(C, ON, X), Effect(op.FACE_AS, X), pose(("LYING",), ("SITTING",))),
    ),
    Row(
        "LIE",
        1,
        (close(X), no_posture("LYING"), has(X, "not_lieable", "LIEABLE"), BERTHS),
        (link(C, ON, X), pose(("SITTING",), ("LYING",))),
    ),
    Row("STANDUP", 0, (posture("not_sitting", "SITTING", "LYING"),), (pose(("SITTING", "LYING")),)),
    Row("SLEEP", 0, (posture("not_resting", "SITTING", "LYING"),)),
    Row("WAKEUP", 0, (posture("not_resting", "SITTING", "LYING"),)),
    # hands
    Row(
        "GRAB",
        1,
        (
            has(X, "not_grabbable", "GRABBABLE", classes=("water", "child")),
            Check(op.IS_NOT_GRABBED, X, "already_grabbed"),
            close(X),
            NOT_SHUT_IN,
            FREE_HAND,
            in_room(C, "crash:AttributeError"),
        ),
        (Effect(op.GRAB, X, value=1 << ON | 1 << INSIDE | 1 << CLOSE | 1 << HOLDS_RH | 1 << HOLDS_LH),),
    ),
    _put("PUTBACK", ON),
    _put("PUTIN", INSIDE, Check(op.IS_OPEN_IF_IT_OPENS, Y, "dest_not_open")),
    Row("PUTOBJBACK", 1, (Check(op.IS_GRABBED, X, "not_grabbed"),), (Effect(op.PUT_BACK, X),)),
    _release("DROP"),
    _release("RELEASE"),
    Row("PUTON", 1, (holds(X), has(X, "not_clothes", "CLOTHES")), (link(X, ON, C), let_go(X))),
    Row(
        "PUTOFF",
        1,
        (Check(op.IS_WORN, X, "not_worn"), has(X, "not_clothes", "CLOTHES")),
        (Effect(op.UNLINK, X, C, ON),),
    ),
    Row(
        "POUR",
        2,
        (
            has(X, "not_pourable", "POURABLE", "DRINKABLE"),
            has(Y, "not_recipient", "RECIPIENT", classes=("hands_both", "sponge", "face")),
            holds(X),
            close(Y),
        ),
        (link(X, INSIDE, Y), Effect(op.LET_GO_OF_WATER, X)),
    ),
    Row("DRINK", 1, (has(X, "not_drinkable", "DRINKABLE", "RECIPIENT"), holds(X))),
    Row("READ", 1, (has(X, "not_readable", "READABLE"), holds(X))),
    # devices and states
    Row(
        "OPEN",
        1,
        (OPENABLE, close(X), FREE_HAND, state(X, "CLOSED"), lacks(X, "still_on", "ON")),
        (swap(X, "CLOSED", "OPEN"),),
        unknown="crash:AttributeError",
    ),
    Row(
        "CLOSE",
        1,
        (OPENABLE, close(X), state(X, "OPEN")),
        (swap(X, "OPEN", "CLOSED"),),
        unknown="crash:AttributeError",
    ),
    Row(
        "SWITCHON",
        1,
        (HAS_SWITCH, close(X), state(X, "OFF"), lacks(X, "unplugged", "PLUGGED_OUT")),
        (swap(X, "OFF", "ON"),),
    ),
    Row("SWITCHOFF", 1, (HAS_SWITCH, close(X), state(X, "ON")), (swap(X, "ON", "OFF"),)),
    Row(
        "PLUGIN",
        1,
        (HAS_PLUG, close(X), FREE_HAND, state(X, "PLUGGED_OUT")),
        (swap(X, "PLUGGED_OUT", "PLUGGED_IN"),),
    ),
    Row(
        "PLUGOUT",
        1,
        (HAS_PLUG, close(X), FREE_HAND, state(X, "PLUGGED_IN")),
        (swap(X, "PLUGGED_IN", "PLUGGED_OUT"),),
    ),
    Row("WIPE", 1, (close(X), Check(op.HANDS_ARE_NOT_EMPTY, C, "hands_empty")), (CLEANED,)),
    Row("WASH", 1, (close(X),), (CLEANED,)),
    Row("RINSE", 1, (close(X),), (CLEANED,)),
    Row("SCRUB", 1, (close(X),), (CLEANED,)),
    # looking and touching
    Row("TURNTO", 1, (), (Effect(op.UNFACE), link(C, FACING, X))),
    Row("LOOKAT", 1, (facing(X),)),
    Row("LOOKAT_MEDIUM", 1, (facing(X),)),
    Row("LOOKAT_SHORT", 1, (Check(op.NEVER, X, "crash:TypeError"),)),
    Row("LOOKAT_LONG", 1, (Check(op.NEVER, X, "crash:TypeError"),)),
    Row("POINTAT", 1, (facing(X),)),
    Row(
        "WATCH",
        1,
        (
            has(X, "not_lookable", "LOOKABLE"),
            in_room(C, "crash:AttributeError"),
            in_room(X, "crash:AttributeError"),
            Check(op.IS_IN_SAME_ROOM, X, "other_room"),
            facing(X),
            Check(op.IS_FACED_WHILE_RESTING, X, "not_facing", Trait(classes=frozenset({"computer"}))),
            NOT_SHUT_IN,
        ),
    ),
    Row("TOUCH", 1, (close(X), NOT_SHUT_IN)),
    Row("TYPE", 1, (close(X), has(X, "no_switch", "HAS_SWITCH", classes=("keyboard",)))),
    Row("PUSH", 1, (close(X), NOT_SHUT_IN, FREE_HAND)),
    Row("PULL", 1, (PUSHED, close(X), NOT_SHUT_IN, FREE_HAND)),
    Row("MOVE", 1, (PUSHED, close(X), NOT_SHUT_IN, FREE_HAND)),
    Row("SQUEEZE", 1, (FREE_HAND, close(X), SQUEEZED)),
    Row("CUT", 1, (FREE_HAND, close(X), has(X, "not_eatable", "EATABLE"), has(X, "not_cuttable", "CUTTABLE"), KNIFE)),
    Row("EAT", 1, (close(X), Check(op.IS_OR_BEARS_TRAIT, X, "not_eatable", EATABLE))),
    Row("GREET", 1, (has(X, "not_person", "PERSON"),)),
)  # fmt: skip
