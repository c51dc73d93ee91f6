"""The operations that rows of `actions.py` are made of, as the numbers by which `kernel.py` knows them."""

from __future__ import annotations

END = 0

# Checks: what must hold.
(
    HAS_TRAIT,
    IS_CLOSE,
    IS_FACING,
    IS_HELD,
    IS_WORN,
    HAS_STATE,
    LACKS_STATE,
    HAS_POSTURE,
    LACKS_POSTURE,
    HAS_NO_CYCLE,
    IS_IN_ROOM,
    IS_IN_SAME_ROOM,
    HAS_SEAT,
    HAS_FREE_HAND,
    IS_NOT_SHUT_IN,
    HOLDS_TRAIT,
    IS_NOT_GRABBED,
    IS_GRABBED,
    IS_OPEN_IF_IT_OPENS,
    HANDS_ARE_NOT_EMPTY,
    IS_FACED_WHILE_RESTING,
    IS_OR_BEARS_TRAIT,
    IS_NOT_WITHIN,
    IS_NO_ROOM,
    NEVER,
) = range(1, 26)

# Effects: what changes.
(
    LEAVE,
    ENTER_ROOM_OF,
    APPROACH,
    APPROACH_EVEN_A_ROOM,
    CARRY,
    APPROACH_CONTENTS,
    APPROACH_SUPPORTS,
    APPROACH_THINGS_ON_SURFACE,
    UNFACE,
    FACE_AS,
    COME_CLOSE,
    LINK,
    UNLINK,
    LET_GO,
    LET_GO_OF_WATER,
    LEAVE_IN_ROOM_OF_C,
    GRAB,
    PUT_BACK,
    FORGET_GRAB,
    SET_STATE,
    SET_POSTURE,
    PLACE,
    PLACE_IN_ROOM_OF_C,
    TAKE,
    CARRY_ALL,
    RETURN,
) = range(1, 27)

# Relations that actions read and change, and traits that operations look at by themselves.
ON, INSIDE, CLOSE, FACING, HOLDS_RH, HOLDS_LH = range(6)
DYNAMIC = ("ON", "INSIDE", "CLOSE", "FACING", "HOLDS_RH", "HOLDS_LH")
ROOM, BODY_PART, CAN_OPEN, SURFACES, WATER = range(5)

# What an action's row works on: the things that it names, and the character who acts.
X, Y, C = range(3)
