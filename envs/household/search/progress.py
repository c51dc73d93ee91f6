"""How far a state is on its way to a goal: the potential that shapes the search's reward, compiled.

A goal is a list of predicates, each any of several rows (`scene.goals`): "an apple is on a table" holds where one apple
is on one table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import (
    OPEN,
    RESTING,
    has_free_hand,
    is_close,
    is_held,
    is_open_if_it_opens,
    is_shut_in,
    room_of,
)
from worldschool.envs.household.scene.goals import (
    GOAL_AT,
    GOAL_HOLDS,
    GOAL_INSIDE,
    GOAL_ON,
    GOAL_STATE,
    holds_goal_row,
)
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.memory import ZERO, borrowing, has_edge, has_trait, states_of
from worldschool.envs.household.scene.operations import INSIDE, ON

SWITCHED_ON, PLUGGED_OUT = np.uint64(states_word("ON")), np.uint64(states_word("PLUGGED_OUT"))
MOST_LEFT = 8
"""Actions that any predicate is taken to be away at most."""
NO_SHAPING, SHARE, ESTIMATE = range(3)


class Wanted(NamedTuple):
    """A goal as numbers.

    Attributes:
        rows: int16 [r, 3]: rows of `scene.goals`.
        starts: int64 [p + 1]: where each predicate's rows begin and end; without predicates nothing is reached.
    """

    rows: Any
    starts: Any


@borrowing
def row_holds(scene, state, wanted):
    """Return whether a row holds. Where things are in several places at once, ON and INSIDE are the edges themselves."""
    kind, x, y = np.int64(wanted[0]), np.int64(wanted[1]), np.int64(wanted[2])
    if scene.one_place or kind in (GOAL_STATE, GOAL_AT):
        return holds_goal_row(scene, state, wanted)
    if kind == GOAL_HOLDS:
        return is_held(scene, state, x, y)
    return has_edge(scene, state, x, ON if kind == GOAL_ON else INSIDE, y)


@borrowing
def predicate_holds(scene, state, goal, predicate):
    """Return whether one of a predicate's rows holds."""
    for i in range(goal.starts[predicate], goal.starts[predicate + 1]):
        if row_holds(scene, state, goal.rows[i]):
            return True
    return False


@borrowing
def reached(scene, state, goal):
    """Return whether every predicate holds; a goal without any is never reached."""
    count = len(goal.starts) - 1
    for predicate in range(count):
        if not predicate_holds(scene, state, goal, predicate):
            return False
    return count > 0


@borrowing
def _to_reach(scene, state, actor, thing):
    """Return how many actions C is from being able to touch a thing: stand up, walk there, open what it is in."""
    left = 0
    if not is_close(scene, state, actor, thing):
        left = 1 + (state.memory[states_of(scene, actor)] & RESTING != ZERO)
    return left + is_shut_in(scene, state, thing)


@borrowing
def _to_put(scene, state, actor, kind, x, y):
    """Return how many actions C is from having put x on or in y."""
    if has_trait(scene, op.ROOM, y):
        left = 1 + (room_of(scene, state, actor) != y)
    else:
        left = 1 + _to_reach(scene, state, actor, y)
        if kind == GOAL_INSIDE and not is_open_if_it_opens(scene, state, y):
            left += 1
    if is_held(scene, state, actor, x):
        return left
    left = min(left, 2)  # the way to y begins elsewhere
    return left + 2 + _to_reach(scene, state, actor, x) + (not has_free_hand(scene, state, actor))


@borrowing
def actions_left(scene, state, actor, wanted):
    """Return an estimate of how many actions C is from making a row true that does not hold, at most MOST_LEFT."""
    kind, x, y = np.int64(wanted[0]), np.int64(wanted[1]), np.int64(wanted[2])
    left = MOST_LEFT
    if kind == GOAL_STATE:
        if x == actor:
            left = 2
        else:
            left = 1 + _to_reach(scene, state, actor, x)
            states = state.memory[states_of(scene, x)]
            if np.uint64(y) & SWITCHED_ON != ZERO and states & PLUGGED_OUT != ZERO:
                left += 1
            if np.uint64(y) & OPEN != ZERO and not has_free_hand(scene, state, actor):
                left += 1
    elif kind == GOAL_HOLDS:
        if x == actor:
            left = 1 + _to_reach(scene, state, actor, y) + (not has_free_hand(scene, state, actor))
    elif kind == GOAL_AT or x == actor:
        if x == actor:
            left = 1 if has_trait(scene, op.ROOM, y) else 1 + _to_reach(scene, state, actor, y)
    elif y == actor:
        left = 1 if is_held(scene, state, actor, x) else 2 + _to_reach(scene, state, actor, x)
    else:
        left = _to_put(scene, state, actor, kind, x, y)
    return min(left, MOST_LEFT)


@borrowing
def potential(scene, state, actor, goal, shaping):
    """Return Phi in [0, 1]: 0 without shaping; SHARE: the share of predicates that hold; ESTIMATE: each predicate that
    does not counts up to a half, the more the fewer actions it seems to be away."""
    count = len(goal.starts) - 1
    if shaping == NO_SHAPING or count == 0:
        return 0.0
    total = 0.0
    for predicate in range(count):
        best = 0.0
        for i in range(goal.starts[predicate], goal.starts[predicate + 1]):
            if row_holds(scene, state, goal.rows[i]):
                best = 1.0
                break
            if shaping == ESTIMATE:
                left = actions_left(scene, state, actor, goal.rows[i])
                best = max(best, 0.5 * (1.0 - left / (MOST_LEFT + 1.0)))
        total += best
    return total / count
