"""A house's state as a table of numbers: one row for each thing, by its place, one column for each of what is said below.

The table tells the whole state: with the house's furniture, which never moves, the scene graph can be built from it
again. A row is written anew when a word of its thing changed, or all are.
"""

from __future__ import annotations

import numpy as np

from worldschool.envs.household.scene.checks import holder_of
from worldschool.envs.household.scene.memory import (
    IN,
    ONE,
    ZERO,
    borrowing,
    grab_of,
    has_trait,
    inlined,
    lowest_bit,
    place_of,
    row,
    states_of,
    where,
)
from worldschool.envs.household.scene.operations import CLOSE, FACING

CLASS, HOLDER, RELATION, STATES, ROOM, CLOSE_TO, FACED_BY, BEARER, REACHED, ORIGIN = range(10)
COLUMNS = 10
"""Columns of an observation, int16 each. Rows of things that a house does not have are -1 throughout.

CLASS      number of the thing's class in `premises.classes()`.
HOLDER     row of what the thing is in, on, worn or held by; -1 for a room.
RELATION   how it stands to that: `operations.ON`, INSIDE, HOLDS_RH or HOLDS_LH; -1 for a room.
STATES     its states as bits, in the order of `graph.STATES`.
ROOM       row of the room that it is in; a room's own row.
CLOSE_TO   bit k: character k is CLOSE to it.
FACED_BY   bit k: character k is FACING it.
BEARER     row of the character that holds or wears it, itself and not in something else; -1 for none.
REACHED    1 if the character who acts next is close enough to touch it, else 0.
ORIGIN     where it was grabbed from, as 8 * row + relation; -1 for nowhere.
"""


@inlined
def _observe_thing(scene, state, people, thing, out):
    """Write a thing's row, but for its class and whether it is reached."""
    holder, relation = where(state.memory[place_of(scene, thing)])
    room, above = thing, holder
    while above >= 0:
        room, above = above, holder_of(scene, state, above)
    everybody = (ONE << np.uint64(people)) - ONE
    out[thing, HOLDER] = holder
    out[thing, RELATION] = relation if holder >= 0 else -1
    out[thing, STATES] = np.int64(state.memory[states_of(scene, thing)])
    out[thing, ROOM] = room
    out[thing, CLOSE_TO] = np.int64(state.memory[row(scene, CLOSE, IN, thing)] & everybody)
    out[thing, FACED_BY] = np.int64(state.memory[row(scene, FACING, IN, thing)] & everybody)
    out[thing, BEARER] = holder if holder < people else -1
    out[thing, ORIGIN] = np.int64(state.memory[grab_of(scene, thing)]) - 1


@borrowing
def observe_all(scene, state, classes, people, out):
    """Write every row anew, but for what is reached.

    classes: int16 [N], -1 where there is no thing. people: how many characters. out: int16 [N, COLUMNS].
    """
    for thing in range(out.shape[0]):
        if classes[thing] < 0:
            for column in range(COLUMNS):
                out[thing, column] = -1
        else:
            out[thing, CLASS] = classes[thing]
            _observe_thing(scene, state, people, thing, out)


@borrowing
def observe_changes(scene, state, classes, people, todo, out):
    """Write the rows of the things whose words are in the undo log; all rows if it did not have room for all words.

    Whatever moves along with a thing has words in the log too: it lets go of what it was CLOSE to.
    todo: uint64 [W], for scratch.
    """
    if state.top[0] > state.log.shape[0]:
        observe_all(scene, state, classes, people, out)
        return
    todo[:] = ZERO
    first, last = 0, -1  # the words of one thing often follow each other
    for i in range(state.top[0]):
        place = np.int64(state.log[i, 0])
        if not first <= place <= last:
            thing = place // scene.block
            first = thing * scene.block
            last = first + scene.block - 1
            todo[thing >> 6] |= ONE << np.uint64(thing & 63)
    for w in range(todo.shape[0]):
        rest = todo[w]
        while rest:
            _observe_thing(scene, state, people, w * 64 + lowest_bit(rest), out)
            rest &= rest - ONE


@inlined
def observe_reach(scene, near, out):
    """Write which things are reached: those of the row `near` (`masks.close_row`)."""
    everything = scene.traits.shape[0] - 1
    for thing in range(out.shape[0]):
        if has_trait(scene, everything, thing):
            out[thing, REACHED] = (near[thing >> 6] >> np.uint64(thing & 63)) & ONE
