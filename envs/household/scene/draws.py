"""Drawing by chance, compiled: where everything is at first, what is to be reached, what somebody does at random.

The generator is one 64-bit number, so that a snapshot can hold it: SplitMix64 (Steele, Lea and Flood 2014), which passes
BigCrush.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from worldschool.envs.household.scene.effects import move
from worldschool.envs.household.scene.goals import GOAL_WIDTH, agrees, holds_goal_row
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.memory import borrowing, come_close, states_of, write
from worldschool.envs.household.scene.operations import INSIDE

CLOSED, OPEN = np.uint64(states_word("CLOSED")), np.uint64(states_word("OPEN"))
OFF, SWITCHED_ON = np.uint64(states_word("OFF")), np.uint64(states_word("ON"))
PLUGGED_IN, PLUGGED_OUT = np.uint64(states_word("PLUGGED_IN")), np.uint64(states_word("PLUGGED_OUT"))
CLEAN, DIRTY = np.uint64(states_word("CLEAN")), np.uint64(states_word("DIRTY"))

CAN_OPEN, HAS_SWITCH, HAS_PLUG, WASHABLE = 1, 2, 4, 8
"""Which states a thing may have, as bits of `Chances.adjustable`."""

OPEN_AT_FIRST, ON_AT_FIRST, PLUGGED_IN_AT_FIRST, DIRTY_AT_FIRST = 0.3, 0.3, 0.85, 0.4


class Chances(NamedTuple):
    """What may be drawn in one house of n things.

    Attributes:
        movable: int16 [m]: places of the things that are put somewhere, each after those that could hold it.
        starts: int32 [m, kinds + 1]: where in `holders` each kind of place of a thing begins and ends.
        holders: int16 [k]: the places it may have.
        relations: int8 [kinds]: how a thing stands to a place of this kind.
        weights: float64 [kinds]: how often a kind is drawn.
        adjustable: int8 [n]: bits of states that are drawn.
        people: int64: the first so many places are characters, drawn into rooms.
        rooms: int16 [r]: the rooms' places.
        offers: int16 [g, GOAL_WIDTH]: goal rows that may be asked for, those of one kind together.
        offer_starts: int32 [goal kinds + 1]: where each kind begins and ends.
        offer_weights: float64 [goal kinds].
    """

    movable: Any
    starts: Any
    holders: Any
    relations: Any
    weights: Any
    adjustable: Any
    people: Any
    rooms: Any
    offers: Any
    offer_starts: Any
    offer_weights: Any


@borrowing
def next_number(generator):
    """Advance the generator (uint64 [1]) and return 64 random bits."""
    generator[0] += np.uint64(0x9E3779B97F4A7C15)
    z = generator[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@borrowing
def below(generator, count):
    """Return a number from 0 to count - 1; count is below 2**31."""
    return np.int64(((next_number(generator) >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32))


@borrowing
def chance(generator, probability):
    """Return True with this probability."""
    return np.float64(next_number(generator) >> np.uint64(11)) * (1.0 / (1 << 53)) < probability


@borrowing
def weighted(generator, weights, starts):
    """Return a kind by weight among those that have something: starts[kind] to starts[kind + 1]; -1 if none has."""
    total = 0.0
    for kind in range(len(weights)):
        if starts[kind + 1] > starts[kind]:
            total += weights[kind]
    at = np.float64(next_number(generator) >> np.uint64(11)) * (1.0 / (1 << 53)) * total
    chosen = -1
    for kind in range(len(weights)):
        if starts[kind + 1] > starts[kind]:
            chosen = kind
            at -= weights[kind]
            if at < 0:
                break
    return chosen


@borrowing
def draw_start(scene, state, chances, generator):
    """Put every thing and character somewhere and set what is open, on, plugged in or dirty, in an unfurnished memory."""
    for character in range(chances.people):
        move(scene, state, character, INSIDE, np.int64(chances.rooms[below(generator, len(chances.rooms))]))
    for i in range(len(chances.movable)):
        thing = np.int64(chances.movable[i])
        kind = weighted(generator, chances.weights, chances.starts[i])
        first, last = chances.starts[i, kind], chances.starts[i, kind + 1]
        holder = np.int64(chances.holders[first + below(generator, last - first)])
        move(scene, state, thing, np.int64(chances.relations[kind]), holder)
        come_close(scene, state, thing, holder)
    for thing in range(len(chances.adjustable)):
        which = chances.adjustable[thing]
        if which:
            write(state, states_of(scene, thing), _drawn_states(which, generator))


@borrowing
def _drawn_states(which, generator):
    states = np.uint64(0)
    plugged_in = True
    if which & HAS_PLUG:
        plugged_in = chance(generator, PLUGGED_IN_AT_FIRST)
        states |= PLUGGED_IN if plugged_in else PLUGGED_OUT
    on = False
    if which & HAS_SWITCH:
        on = chance(generator, ON_AT_FIRST) and plugged_in
        states |= SWITCHED_ON if on else OFF
    if which & CAN_OPEN:  # what is on cannot be opened, and so is not open
        states |= OPEN if chance(generator, OPEN_AT_FIRST) and not on else CLOSED
    if which & WASHABLE:
        states |= DIRTY if chance(generator, DIRTY_AT_FIRST) else CLEAN
    return states


TRIES = 64


@borrowing
def draw_goal(scene, state, chances, generator, size, goal):
    """Draw up to `size` goal rows that do not hold now and can all hold at once; returns how many were drawn.

    goal: int16 [at least size, GOAL_WIDTH], written to.
    """
    drawn = 0
    for _ in range(TRIES):
        if drawn == size:
            break
        kind = weighted(generator, chances.offer_weights, chances.offer_starts)
        if kind < 0:
            break
        first, last = chances.offer_starts[kind], chances.offer_starts[kind + 1]
        offer = chances.offers[first + below(generator, last - first)]
        if not holds_goal_row(scene, state, offer) and agrees(scene, goal, drawn, offer):
            for i in range(GOAL_WIDTH):
                goal[drawn, i] = offer[i]
            drawn += 1
    return drawn


@borrowing
def choose_legal(legal, count, found, generator):
    """Return the place of a random candidate of the `found` legal ones among the first `count`; -1 if there is none."""
    if found == 0:
        return -1
    left = below(generator, found)
    for i in range(count):
        if legal[i]:
            if left == 0:
                return i
            left -= 1
    return -1
