"""Standing on a floor plan, compiled: being close means being near, and a room is entered by stepping into it."""

from __future__ import annotations

from typing import Any

import numpy as np

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import CLOSED, holder_of
from worldschool.envs.household.scene.draws import below
from worldschool.envs.household.scene.effects import move
from worldschool.envs.household.scene.memory import (
    IN,
    OUT,
    SOURCES,
    ZERO,
    clear,
    come_close,
    come_close_to_all,
    said,
    states_of,
)
from worldschool.envs.household.scene.operations import CLOSE, HOLDS_LH, HOLDS_RH, INSIDE, ON


def _entries(sources: int) -> tuple[Any, Any]:
    # Closing over `sources` makes Numba compile again when another file of this folder has changed.
    @said
    def stand(scene, state, actor, room, pieces, lying):
        if not sources:
            return
        if holder_of(scene, state, actor) != room:
            move(scene, state, actor, INSIDE, room)
        clear(scene, state, actor, CLOSE, OUT)
        for i in range(len(pieces)):
            piece = np.int64(pieces[i])
            come_close(scene, state, actor, piece)
            come_close_to_all(scene, state, actor, ON, IN, piece, op.ROOM)
            if state.memory[states_of(scene, piece)] & CLOSED == ZERO:
                come_close_to_all(scene, state, actor, INSIDE, IN, piece, op.ROOM)
        for i in range(len(lying)):
            come_close(scene, state, actor, np.int64(lying[i]))
        for hand in (HOLDS_RH, HOLDS_LH):
            come_close_to_all(scene, state, actor, hand, OUT, actor, op.ROOM)
        state.top[0] = 0

    @said
    def roll(generator, count):
        return below(generator, count) if sources else 0

    return stand, roll


stand, roll = _entries(SOURCES)
"""stand(scene, state, actor, room, pieces, lying): C is INSIDE a room (its place) and CLOSE to exactly this: the
furniture in `pieces` (int64 [m], places), what is on it, what is in it unless it is closed, the things in `lying`
(int64 [k]), and what is in C's hands.
roll(generator, count): a number from 0 to count - 1; generator is uint64 [1]."""
