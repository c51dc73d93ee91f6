"""Goals, compiled: rows of (kind, X, Y or states), and whether they hold.

The kinds are the predicates of `records.Goal`. INSIDE looks through all that a thing is in or on, up to its room.
"""

from __future__ import annotations

import numpy as np

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import holder_of, room_of
from worldschool.envs.household.scene.memory import ZERO, borrowing, has_trait, place_of, states_of, where
from worldschool.envs.household.scene.operations import HOLDS_RH, INSIDE, ON

GOAL_ON, GOAL_INSIDE, GOAL_HOLDS, GOAL_AT, GOAL_STATE = range(5)
GOAL_KINDS = 5
GOAL_WIDTH = 3
HANDS = 2


@borrowing
def holds_goal_row(scene, state, wanted):
    """Return whether one row holds: (kind, X, Y), or (GOAL_STATE, X, bits of states)."""
    kind, x, y = np.int64(wanted[0]), np.int64(wanted[1]), np.int64(wanted[2])
    if kind == GOAL_STATE:
        return state.memory[states_of(scene, x)] & np.uint64(y) != ZERO
    if kind == GOAL_AT:
        return room_of(scene, state, x) == y
    if kind == GOAL_INSIDE:
        return _is_inside(scene, state, x, y)
    holder, relation = where(state.memory[place_of(scene, y if kind == GOAL_HOLDS else x)])
    if kind == GOAL_HOLDS:
        return holder == x and relation >= HOLDS_RH
    return holder == y and relation == ON


@borrowing
def _is_inside(scene, state, thing, place):
    """Return whether a thing, or something that it is in, on or held by, is INSIDE a place."""
    if has_trait(scene, op.ROOM, place):
        return room_of(scene, state, thing) == place
    while thing >= 0:
        holder, relation = where(state.memory[place_of(scene, thing)])
        if holder == place:
            return relation == INSIDE
        thing = holder_of(scene, state, thing)
    return False


@borrowing
def holds_goal(scene, state, goal, size):
    """Return whether the first `size` rows of a goal all hold; a goal without rows never does."""
    for i in range(size):
        if not holds_goal_row(scene, state, goal[i]):
            return False
    return size > 0


@borrowing
def agrees(scene, goal, size, wanted):
    """Return whether a row can hold together with the first `size` of a goal: each is of another thing, two are held."""
    held = 1 if wanted[0] == GOAL_HOLDS else 0
    for i in range(size):
        if _moved(goal[i]) == _moved(wanted):
            return False
        held += goal[i, 0] == GOAL_HOLDS
    return held <= HANDS


@borrowing
def _moved(wanted):
    """Return the thing that a row asks to move or set."""
    return wanted[2] if wanted[0] == GOAL_HOLDS else wanted[1]
