"""Which of many actions could be done now: one pass over rows of bits, not one trial an action.

Rows of the action table ask the same few things of every X and Y that a house has. So each check is asked once for all
things at a time where it is a row of bits (closeness, traits, hands), and thing by thing only for what is left. What is
asked of C alone comes first: with full hands nothing is grabbed, whatever it is. A test holds the result equal to trying
every action.
"""

from __future__ import annotations

import numpy as np

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import (
    CLOSED,
    OPEN,
    holder_of,
    holds,
    is_facing,
    is_within,
    room_of,
    things_with,
)
from worldschool.envs.household.scene.memory import (
    IN,
    ONE,
    OUT,
    ZERO,
    borrowing,
    count_bits,
    grab_of,
    has_trait,
    inlined,
    is_empty,
    lowest_bit,
    place_of,
    row,
    states_of,
    where,
)
from worldschool.envs.household.scene.operations import CLOSE, HOLDS_LH, HOLDS_RH, INSIDE, ON, C, X


@inlined
def close_row(scene, state, actor, out):
    """Write what C is close to: by an edge, or through one other thing (`checks.is_close`, for all things at once)."""
    words = scene.traits.shape[1]
    near = row(scene, CLOSE, OUT, actor)
    for w in range(words):
        out[w] = state.memory[near + w]
    for w in range(words):
        rest = state.memory[near + w]
        while rest:
            thing = w * 64 + lowest_bit(rest)
            rest &= rest - ONE
            close, upon = row(scene, CLOSE, OUT, thing), row(scene, ON, IN, thing)
            for v in range(words):
                out[v] |= state.memory[close + v] | state.memory[upon + v]


# -- what is asked of C ---------------------------------------------------------------------------------------------


@borrowing
def _actor_may(scene, state, actor, check, value):
    """Return whether a check on C holds, in the ways that are not written out in `_allowed`."""
    room = room_of(scene, state, actor) if check == op.IS_IN_ROOM else 0
    return holds(scene, state, actor, actor, actor, check, value, room, room)


@borrowing
def _leave_out_above(scene, state, thing, kept):
    """Take a thing, and all that it is in, on or held by, out of a row."""
    while thing >= 0:
        kept[thing >> 6] &= ~(ONE << np.uint64(thing & 63))
        thing = holder_of(scene, state, thing)


# -- what is asked of X and Y ---------------------------------------------------------------------------------------


@inlined
def _keep_row(scene, state, actor, check, value, near, kept):
    """Leave of the things in `kept` those for which a check holds, if it is a row of bits; returns whether it is."""
    words = scene.traits.shape[1]
    if check == op.IS_CLOSE:
        for w in range(words):
            kept[w] &= near[w]
    elif check == op.HAS_TRAIT:
        for w in range(words):
            kept[w] &= scene.traits[value, w]
    elif check == op.IS_HELD:
        right, left = row(scene, HOLDS_RH, OUT, actor), row(scene, HOLDS_LH, OUT, actor)
        for w in range(words):
            kept[w] &= state.memory[right + w] | state.memory[left + w]
    elif check == op.IS_WORN:
        worn = row(scene, ON, IN, actor)
        for w in range(words):
            kept[w] &= state.memory[worn + w]
    elif check == op.IS_NO_ROOM:
        for w in range(words):
            kept[w] &= ~scene.traits[op.ROOM, w]
    else:
        # Where everything is in one place, that leads to a room and in no circle.
        return scene.one_place != 0 and (check == op.IS_IN_ROOM or check == op.HAS_NO_CYCLE)
    return True


@inlined
def _is_shut_in(scene, state, thing):
    """Return `checks.is_shut_in` where everything is in one place."""
    while thing >= 0:
        thing, relation = where(state.memory[place_of(scene, thing)])
        if thing >= 0 and relation == INSIDE and state.memory[states_of(scene, thing)] & CLOSED:
            if not has_trait(scene, op.ROOM, thing):
                return True
    return False


@borrowing
def _holds_of(scene, state, actor, check, value, thing):
    """Return whether a check holds of a thing, for checks that are rarely asked."""
    if check == op.IS_FACING:
        return is_facing(scene, state, actor, thing)
    asks_room = check == op.IS_IN_ROOM or check == op.HAS_NO_CYCLE or check == op.IS_IN_SAME_ROOM
    room = room_of(scene, state, thing) if asks_room else 0
    room_of_c = room_of(scene, state, actor) if check == op.IS_IN_SAME_ROOM else 0
    return holds(scene, state, actor, thing, thing, check, value, room, room_of_c)


@inlined
def _keep_each(scene, state, actor, check, value, kept):
    """Leave of the things in `kept` those for which a check holds, asked of each.

    The checks that effective actions ask are written out: a call passes all of the scene's arrays.
    """
    for w in range(scene.traits.shape[1]):
        rest = kept[w]
        while rest:
            thing = w * 64 + lowest_bit(rest)
            if check == op.HAS_STATE:
                yes = state.memory[states_of(scene, thing)] & np.uint64(value) != ZERO
            elif check == op.LACKS_STATE:
                yes = state.memory[states_of(scene, thing)] & np.uint64(value) == ZERO
            elif check == op.IS_NOT_GRABBED:
                in_hand = scene.one_place and where(state.memory[place_of(scene, thing)])[1] >= HOLDS_RH
                yes = state.memory[grab_of(scene, thing)] == ZERO and not in_hand
            elif check == op.IS_OPEN_IF_IT_OPENS:
                opens = has_trait(scene, op.CAN_OPEN, thing)
                yes = not opens or state.memory[states_of(scene, thing)] & OPEN != ZERO
            elif check == op.IS_NOT_SHUT_IN and scene.one_place != 0:
                yes = not _is_shut_in(scene, state, thing)
            elif check == op.HAS_SEAT:
                taken, start = 0, row(scene, ON, IN, thing)
                for v in range(scene.traits.shape[1]):
                    taken += count_bits(state.memory[start + v])
                yes = taken < scene.seats[value, thing]
            else:
                yes = _holds_of(scene, state, actor, check, value, thing)
            if not yes:
                kept[w] &= ~(ONE << np.uint64(thing & 63))
            rest &= rest - ONE


@inlined
def _has(bits, thing):
    return (bits[thing >> 6] >> np.uint64(thing & 63)) & ONE != ZERO


# -- actions --------------------------------------------------------------------------------------------------------


@inlined
def _allowed(scene, table, state, actor, action, hands, near, of_x, of_y):
    """Write which things X and Y may be by the checks on each; returns whether C may act, and whether pairs are asked.

    Legality does not depend on the order of checks, so rows of bits come first and leave few things to be asked.
    hands: how many of C's are empty.
    """
    words, everything = scene.traits.shape[1], scene.traits.shape[0] - 1
    for w in range(words):
        of_x[w] = of_y[w] = scene.traits[everything, w]
    pairs, each = False, False
    for i in range(table.checks.shape[1]):
        check, argument = table.checks[action, i, 0], table.checks[action, i, 1]
        value = table.checks[action, i, 2]
        if check == op.END:
            break
        if check == op.IS_NOT_WITHIN:
            if argument == C:
                _leave_out_above(scene, state, actor, of_x if value == X else of_y)
            else:
                pairs = True
        elif argument == C:
            if check == op.HAS_FREE_HAND:
                may = hands > 0
            elif check == op.LACKS_POSTURE and scene.stale == 0:
                may = state.memory[states_of(scene, actor)] & np.uint64(value) == ZERO
            elif check == op.IS_IN_ROOM and scene.one_place != 0:
                may = True
            else:
                may = _actor_may(scene, state, actor, check, value)
            if not may:
                return False, False
        elif not _keep_row(scene, state, actor, check, value, near, of_x if argument == X else of_y):
            each = True
    if table.arity[action] > 0:
        left = ZERO
        for w in range(words):
            left |= of_x[w]
        if left == ZERO:
            return False, False
    if each:
        _ask_each(scene, table, state, actor, action, of_x, of_y)
    return True, pairs


@inlined
def _ask_each(scene, table, state, actor, action, of_x, of_y):
    """Leave in the rows of X and Y what passes the checks that are no rows of bits."""
    for i in range(table.checks.shape[1]):
        check, argument = table.checks[action, i, 0], table.checks[action, i, 1]
        if check == op.END:
            break
        as_row = (
            check == op.IS_CLOSE
            or check == op.HAS_TRAIT
            or check == op.IS_HELD
            or check == op.IS_WORN
            or check == op.IS_NO_ROOM
            or (scene.one_place != 0 and (check == op.IS_IN_ROOM or check == op.HAS_NO_CYCLE))
        )
        if argument != C and check != op.IS_NOT_WITHIN and not as_row:
            kept = of_x if argument == X else of_y
            _keep_each(scene, state, actor, check, table.checks[action, i, 2], kept)


@inlined
def _bears(scene, state, thing):
    """Return whether anything is in, on or held by a thing."""
    everything = scene.traits.shape[0] - 1
    if not is_empty(scene, state, row(scene, ON, IN, thing)):
        return True
    if not is_empty(scene, state, row(scene, INSIDE, IN, thing)):
        return True
    hands = row(scene, HOLDS_RH, OUT, thing), row(scene, HOLDS_LH, OUT, thing)
    return things_with(scene, state, hands[0], everything) or things_with(scene, state, hands[1], everything)


@borrowing
def _pair_holds(scene, table, state, actor, action, x, y):
    for i in range(table.checks.shape[1]):
        check, argument, value = (
            table.checks[action, i, 0],
            table.checks[action, i, 1],
            table.checks[action, i, 2],
        )
        if check == op.END:
            break
        if check == op.IS_NOT_WITHIN and argument != C:
            thing = x if argument == X else y
            other = x if value == X else (actor if value == C else y)
            if is_within(scene, state, thing, other):
                return False
    return True


@borrowing
def legal(scene, table, state, actor, candidates, count, bits, out):
    """Write for each candidate whether C could do it now; returns how many.

    candidates: int16 [at least count, 3]: row of the table, places of X and Y (-1: none), rows of one action together;
    actions that are one of two (FIND) are none, and nobody acts upon themselves. bits: uint64 [3, W], for scratch.
    out: int8 [at least count].
    """
    near, of_x, of_y = bits[0], bits[1], bits[2]
    close_row(scene, state, actor, near)
    hands = 0
    for relation in (HOLDS_RH, HOLDS_LH):
        hands += is_empty(scene, state, row(scene, relation, OUT, actor))
    found, i = 0, 0
    while i < count:
        action = np.int64(candidates[i, 0])
        may, pairs = _allowed(scene, table, state, actor, action, hands, near, of_x, of_y)
        while i < count and candidates[i, 0] == action:
            x = np.int64(candidates[i, 1])
            if may and x != actor and (x < 0 or _has(of_x, x)):
                # Only what bears something can be within X besides X itself; of Y there are many, of such X few.
                asked = pairs and (table.arity[action] < 2 or _bears(scene, state, x))
                while i < count and candidates[i, 0] == action and candidates[i, 1] == x:
                    y = np.int64(candidates[i, 2])
                    yes = y < 0 or (_has(of_y, y) and (y != x or not pairs))
                    if yes and asked:
                        yes = _pair_holds(scene, table, state, actor, action, x, y)
                    out[i] = yes
                    found += yes
                    i += 1
            else:
                out[i] = 0
                i += 1
    return found
