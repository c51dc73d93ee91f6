"""The dynamics, compiled: one action of the table, carried out by the operations that its row names."""

from __future__ import annotations

from typing import Any

import numpy as np

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import holds, room_of
from worldschool.envs.household.scene.effects import change
from worldschool.envs.household.scene.memory import (
    NOWHERE,
    SOURCES,
    borrowing,
    inlined,
    said,
    states_of,
    write,
)
from worldschool.envs.household.scene.operations import X, Y

OK = 0


@inlined
def pick(argument, actor, x, y):
    """Return the thing that an argument of the table stands for."""
    return x if argument == X else (y if argument == Y else actor)


@borrowing
def _any_choice(scene, table, state, action, actor, x, y):
    for i in range(table.choices.shape[1]):
        check, value = table.choices[action, i, 0], table.choices[action, i, 2]
        if check == op.END:
            return False
        thing = pick(table.choices[action, i, 1], actor, x, y)
        if holds(scene, state, actor, thing, actor, check, value, NOWHERE, NOWHERE):
            return True
    return False


@inlined
def do(scene, table, state, action, actor, x, y):
    """Let C do one action. Returns OK or the number of the reason why not; then nothing is changed.

    action: row of the table. actor, x, y: places of the things in `scene.ids`, -1 for one that is not there.
    """
    arity = table.arity[action]
    if (arity > 0 and x < 0) or (arity > 1 and y < 0):
        return table.unknown[action]
    if table.otherwise[action] != -1 and not _any_choice(scene, table, state, action, actor, x, y):
        following = table.otherwise[action]
        if following < -1:
            return -following - 2
        action = following
    of_c, of_x = NOWHERE, NOWHERE
    if table.needs_rooms[action]:
        of_c = room_of(scene, state, actor)
        if x >= 0:
            of_x = room_of(scene, state, x)
    for i in range(table.checks.shape[1]):
        check, value = table.checks[action, i, 0], table.checks[action, i, 2]
        if check == op.END:
            break
        argument = table.checks[action, i, 1]
        thing, other = pick(argument, actor, x, y), pick(value, actor, x, y)
        room = of_x if argument == X else of_c
        if not holds(scene, state, actor, thing, other, check, value, room, of_c):
            return table.checks[action, i, 3]
    for i in range(table.effects.shape[1]):
        effect, second, value = (
            table.effects[action, i, 0],
            table.effects[action, i, 2],
            table.effects[action, i, 3],
        )
        if effect == op.END:
            break
        one = pick(table.effects[action, i, 1], actor, x, y)
        if effect == op.SET_STATE or effect == op.SET_POSTURE:
            place = states_of(scene, one)
            stale = scene.stale and effect == op.SET_POSTURE
            base = scene.initial_states[one] if stale else state.memory[place]
            write(state, place, (base & ~np.uint64(second)) | np.uint64(value))
        else:
            change(scene, state, actor, one, effect, pick(second, actor, x, y), value, (of_c, of_x))
    return OK


def _entry(sources: int) -> Any:
    @said
    def entry(scene, table, state, action, actor, x, y):
        return do(scene, table, state, action, actor, x, y) if sources else OK

    return entry


apply = _entry(SOURCES)
"""apply(scene, table, state, action, actor, x, y): `do`, for callers in Python, kept on disk until any file here changes."""
