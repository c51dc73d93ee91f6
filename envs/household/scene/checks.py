"""What must hold: the checks that rows of the action table name, asked of a scene's memory."""

from __future__ import annotations

import numpy as np

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.memory import (
    CYCLE,
    IN,
    NOWHERE,
    ONE,
    OUT,
    ZERO,
    borrowing,
    count_bits,
    grab_of,
    has_edge,
    has_trait,
    inlined,
    is_empty,
    lowest_bit,
    meet,
    place_of,
    row,
    states_of,
    where,
)
from worldschool.envs.household.scene.operations import CLOSE, FACING, HOLDS_LH, HOLDS_RH, INSIDE, ON

CLOSED, OPEN = np.uint64(states_word("CLOSED")), np.uint64(states_word("OPEN"))
RESTING = np.uint64(states_word("SITTING", "LYING"))


@borrowing
def first_of_set(scene, state, start, trait, wanted):
    """Return the first thing of a row in the order of a CPython set, among those with (or without) a trait; or NOWHERE.

    VirtualHome keeps neighbours in sets of ints. Where their order matters it is taken to be that of a set into which
    the ids were put in ascending order: open addressing with ten probes in line, then a perturbed jump; the table
    grows fourfold at three fifths. Of 564 recorded cases whose result depends on the order this gives 560.
    """
    words = scene.traits.shape[1]
    count, only = 0, NOWHERE
    for w in range(words):
        rest = state.memory[start + w] & (scene.traits[trait, w] if wanted else ~scene.traits[trait, w])
        if rest:
            count += count_bits(rest)
            only = w * 64 + lowest_bit(rest)
    if count <= 1:
        return only  # no order to ask for
    table = scene.scratch
    half = table.shape[0] // 2
    size, fill, base = 8, 0, 0
    table[base : base + size] = -1
    for w in range(words):
        rest = state.memory[start + w]
        while rest:
            thing = w * 64 + lowest_bit(rest)
            rest &= rest - ONE
            _insert(scene, table, base, size - 1, thing)
            fill += 1
            if fill * 5 >= (size - 1) * 3:
                grown = 8
                while grown <= fill * (4 if fill <= 50_000 else 2):
                    grown *= 2
                other = half - base
                table[other : other + grown] = -1
                for slot in range(size):
                    if table[base + slot] >= 0:
                        _insert(scene, table, other, grown - 1, table[base + slot])
                size, base = grown, other
    for slot in range(size):
        thing = table[base + slot]
        if thing >= 0 and has_trait(scene, trait, thing) == wanted:
            return thing
    return NOWHERE


@borrowing
def _insert(scene, table, base, mask, thing):
    perturb = np.uint64(scene.ids[thing])
    slot = np.int64(perturb & np.uint64(mask))
    while True:
        for probe in range(10 if slot + 9 <= mask else 1):
            if table[base + slot + probe] < 0:
                table[base + slot + probe] = thing
                return
        perturb >>= np.uint64(5)
        slot = np.int64((np.uint64(slot) * np.uint64(5) + ONE + perturb) & np.uint64(mask))


@inlined
def room_of(scene, state, thing):
    """Return the room that a thing is in by its INSIDE edges (or its one place), NOWHERE, or CYCLE."""
    if has_trait(scene, op.ROOM, thing):
        return thing
    if scene.one_place:
        while thing >= 0 and not has_trait(scene, op.ROOM, thing):
            thing = holder_of(scene, state, thing)
        return thing
    start = row(scene, INSIDE, OUT, thing)
    count = _count(scene, state, start)
    if count == 0:
        return NOWHERE
    if count > 1:
        return first_of_set(scene, state, start, op.ROOM, True)
    for _ in range(scene.ids.shape[0] + 1):
        following = _first_inside(scene, state, start)
        if following == NOWHERE or has_trait(scene, op.ROOM, following):
            return following
        start = row(scene, INSIDE, OUT, following)
    return CYCLE


@inlined
def holder_of(scene, state, thing):
    """Return what a thing is in, on or held by, or NOWHERE; for scenes where that is one place."""
    return where(state.memory[place_of(scene, thing)])[0]


@borrowing
def is_within(scene, state, thing, holder):
    """Return whether a thing is `holder`, or in, on or held by it through however many others."""
    while thing >= 0 and thing != holder:
        thing = holder_of(scene, state, thing)
    return thing >= 0


@borrowing
def _first_inside(scene, state, start):
    # The last trait is everything's.
    return first_of_set(scene, state, start, scene.traits.shape[0] - 1, True)


@borrowing
def is_close(scene, state, actor, thing):
    """Return whether C is close to a thing: by an edge, or through one other thing."""
    if has_edge(scene, state, actor, CLOSE, thing):
        return True
    near = row(scene, CLOSE, OUT, actor)
    return meet(scene, state, near, row(scene, CLOSE, IN, thing)) or meet(
        scene, state, near, row(scene, ON, OUT, thing)
    )


@borrowing
def is_facing(scene, state, actor, thing):
    """Return whether C faces a thing, or something that faces it."""
    if has_edge(scene, state, actor, FACING, thing):
        return True
    return meet(scene, state, row(scene, FACING, OUT, actor), row(scene, FACING, IN, thing))


@borrowing
def is_held(scene, state, actor, thing):
    """Return whether a thing is in one of C's hands."""
    return has_edge(scene, state, actor, HOLDS_RH, thing) or has_edge(scene, state, actor, HOLDS_LH, thing)


@borrowing
def has_free_hand(scene, state, actor):
    """Return whether one of C's hands is empty."""
    return is_empty(scene, state, row(scene, HOLDS_RH, OUT, actor)) or is_empty(
        scene, state, row(scene, HOLDS_LH, OUT, actor)
    )


@borrowing
def is_shut_in(scene, state, thing):
    """Return whether a thing is INSIDE something closed that is no room: directly, or where one place is kept, at all."""
    if scene.one_place:
        while thing >= 0:
            thing, relation = where(state.memory[place_of(scene, thing)])
            if thing >= 0 and relation == INSIDE and not has_trait(scene, op.ROOM, thing):
                if state.memory[states_of(scene, thing)] & CLOSED:
                    return True
        return False
    start = row(scene, INSIDE, OUT, thing)
    for w in range(scene.traits.shape[1]):
        rest = state.memory[start + w] & ~scene.traits[op.ROOM, w]
        while rest:
            if state.memory[states_of(scene, w * 64 + lowest_bit(rest))] & CLOSED:
                return True
            rest &= rest - ONE
    return False


@borrowing
def is_open_if_it_opens(scene, state, place):
    """Return whether a thing that can open is open; what cannot is always open."""
    opens = has_trait(scene, op.CAN_OPEN, place)
    return not opens or state.memory[states_of(scene, place)] & OPEN != ZERO


@borrowing
def things_with(scene, state, start, trait):
    """Return whether a row has a thing with a trait."""
    for w in range(scene.traits.shape[1]):
        if state.memory[start + w] & scene.traits[trait, w]:
            return True
    return False


@inlined
def holds(scene, state, actor, thing, other, check, value, room, room_of_c):
    """Return whether one check of the table holds for a thing (or for C).

    other: the thing that `value` names. room, room_of_c: where the thing and C are, for rows that need to know.
    """
    posture = scene.initial_states[actor] if scene.stale else state.memory[states_of(scene, actor)]
    if check == op.IS_CLOSE:
        return is_close(scene, state, actor, thing)
    if check == op.HAS_TRAIT:
        return has_trait(scene, value, thing)
    if check == op.IS_HELD:
        return is_held(scene, state, actor, thing)
    if check == op.HAS_STATE:
        return state.memory[states_of(scene, thing)] & np.uint64(value) != ZERO
    if check == op.LACKS_STATE:
        return state.memory[states_of(scene, thing)] & np.uint64(value) == ZERO
    if check == op.HAS_POSTURE:
        return posture & np.uint64(value) != ZERO
    if check == op.LACKS_POSTURE:
        return posture & np.uint64(value) == ZERO
    if check == op.HAS_FREE_HAND:
        return has_free_hand(scene, state, actor)
    if check == op.IS_NOT_SHUT_IN:
        return not is_shut_in(scene, state, thing)
    if check == op.IS_IN_ROOM:
        return room >= 0
    if check == op.HAS_NO_CYCLE:
        return room != CYCLE
    if check == op.IS_IN_SAME_ROOM:
        return room == room_of_c
    if check == op.IS_FACING:
        return is_facing(scene, state, actor, thing)
    if check == op.IS_WORN:
        return has_edge(scene, state, thing, ON, actor)
    if check == op.IS_NOT_GRABBED:
        # One place: what is in a hand at first is held, though nobody grabbed it.
        in_hand = scene.one_place and where(state.memory[place_of(scene, thing)])[1] >= HOLDS_RH
        return state.memory[grab_of(scene, thing)] == ZERO and not in_hand
    if check == op.IS_GRABBED:
        return state.memory[grab_of(scene, thing)] != ZERO
    if check == op.HAS_SEAT:
        return _count(scene, state, row(scene, ON, IN, thing)) < scene.seats[value, thing]
    if check == op.IS_OPEN_IF_IT_OPENS:
        return is_open_if_it_opens(scene, state, thing)
    if check == op.HANDS_ARE_NOT_EMPTY:
        right, left = row(scene, HOLDS_RH, OUT, actor), row(scene, HOLDS_LH, OUT, actor)
        return not (is_empty(scene, state, right) and is_empty(scene, state, left))
    if check == op.HOLDS_TRAIT:
        right, left = row(scene, HOLDS_RH, OUT, actor), row(scene, HOLDS_LH, OUT, actor)
        return things_with(scene, state, right, value) or things_with(scene, state, left, value)
    if check == op.IS_OR_BEARS_TRAIT:
        on = row(scene, ON, IN, thing)
        return has_trait(scene, value, thing) or things_with(scene, state, on, value)
    if check == op.IS_FACED_WHILE_RESTING:
        at_ease = posture & RESTING == ZERO or has_trait(scene, value, thing)
        return at_ease or has_edge(scene, state, actor, FACING, thing)
    if check == op.IS_NOT_WITHIN:
        return not is_within(scene, state, thing, other)
    if check == op.IS_NO_ROOM:
        return not has_trait(scene, op.ROOM, thing)
    return False  # NEVER


@borrowing
def _count(scene, state, start):
    count = 0
    for w in range(scene.traits.shape[1]):
        count += count_bits(state.memory[start + w])
    return count
