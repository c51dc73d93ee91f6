"""A scene's memory: bits in words, every change of which can be taken back.

The changing part of a scene of n things is one array of 64-bit words, so that a snapshot is one copy and an undo log is a
list of (place, old word). Each thing has one block of it, so that what an action asks of a thing lies together:

    edges   rows of W words (n / 64, rounded up), bit j of a row being thing j: whom the thing is ON, INSIDE, CLOSE to,
            FACING, and what it holds in either hand; and the other way round, but for hands: who is ON it, and so on
    states  a word, bit k being state k
    grab    a word: 0, or 1 + 8 * thing + relation: where it was grabbed from
    place   the same: where it is, in scenes where that is one place

Both directions are kept because actions ask "what is on x" as often as "what is x on". Where CLOSE is symmetric, as it
is in all of VirtualHome's scenes and stays under every action, both share one row. Everything that never changes is in
`Scene`; the action table, as numbers, in `Table`.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic, register_jitable

from worldschool.compiling import kept
from worldschool.envs.household.scene.operations import CLOSE, HOLDS_RH

OUT, IN = 0, 1
NOWHERE, CYCLE = -1, -2
ONE = np.uint64(1)
ZERO = np.uint64(0)


class Scene(NamedTuple):
    """What never changes in a scene of n things, W words a row."""

    ids: Any
    """int64 [n], ascending: VirtualHome's node ids."""
    traits: Any
    """uint64 [traits, W]: which things have each trait; the first five are those of `operations`, the last is everything's."""
    slots: Any
    """int64 [6 relations * 2 directions]: where in a thing's block each row begins; -1: hands, the other way round."""
    block: int
    """Words of a thing's block."""
    symmetric: int
    """Whether CLOSE has one row for both directions."""
    holders: Any
    """int64 [m]: the things that may hold others in their hands."""
    seats: Any
    """int64 [kinds, n]: how many find room on each thing."""
    initial_states: Any
    """uint64 [n]: dialect `vh` reads the character's posture from here."""
    scratch: Any
    """int64 [at least 16 n]: tables of `first_of_set`, stacks of things in the effects."""
    stale: int
    """Whether C's posture is that of the initial graph, whatever C did since (dialect `vh`)."""
    one_place: int
    """Whether everything but a room is in exactly one place (dialect `house`)."""


class Table(NamedTuple):
    """The action table as numbers: rows of (operation, argument, value, reason or second value), ended by zeros."""

    checks: Any
    """int32 [rows, most checks, 4]."""
    effects: Any
    """int32 [rows, most effects, 4]: operation, argument, other, value."""
    choices: Any
    """int32 [rows, most choices, 4]."""
    otherwise: Any
    """int32 [rows]: the row that is taken if no choice holds; -1: the row has no choice; below: minus 2 minus a reason."""
    unknown: Any
    """int32 [rows]: the reason if a thing is not in the scene."""
    arity: Any
    """int32 [rows]: how many things an action names."""
    needs_rooms: Any
    """bool [rows]: its checks or effects ask for the rooms before the action."""


class State(NamedTuple):
    """The changing part of a scene, with its undo log."""

    memory: Any
    """uint64 [n * block]."""
    log: Any
    """uint64 [capacity, 2]: (place, old word)."""
    top: Any
    """int64 [1]: words changed so far, entries of the log as far as it reaches."""


# How everything that compiled functions call is made. Nothing of it makes an array or outlives its caller, so that no
# reference needs to be counted: counting those of the dozen arrays of a scene, in every function that takes them, was
# half the time of a step. Nothing of it is for Python to call (there it runs as plain Python), so that no way in from
# there is compiled: those were half the time of compiling. What is made with these may not return an array,
# alone or in a tuple, nor call a plain `njit` function that does: Numba compiles that one without counting too.
#
# A call hands over every array as seven words or more, Scene, Table and State 150 words together, which takes as long as
# all that an action changes. What a step calls at every turn is therefore `inlined`.
_BORROWED = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
borrowing = register_jitable(**_BORROWED)
inlined = register_jitable(**_BORROWED, forceinline=True)


@intrinsic
def lowest_bit(typing: Any, word: Any) -> Any:
    """Return the number of zeros below a word's lowest bit."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def count_bits(typing: Any, word: Any) -> Any:
    """Return the number of ones in a word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@inlined
def write(state, place, word):
    """Set one word, keeping the old one."""
    old = state.memory[place]
    if old != word:
        top = state.top[0]
        if top < state.log.shape[0]:
            state.log[top, 0] = np.uint64(place)
            state.log[top, 1] = old
        state.top[0] = top + 1  # beyond the capacity too, so that `undo` can tell
        state.memory[place] = word


@borrowing
def undo(state, to):
    """Take back everything since the log had `to` entries.

    Raises:
        IndexError: more was changed than the log has room for.
    """
    if state.top[0] > state.log.shape[0]:
        raise IndexError("the undo log is full: make the state with more entries")
    for i in range(state.top[0] - 1, to - 1, -1):
        state.memory[np.int64(state.log[i, 0])] = state.log[i, 1]
    state.top[0] = to


@inlined
def row(scene, relation, direction, thing):
    """Return where a thing's row of edges begins."""
    return thing * scene.block + scene.slots[relation * 2 + direction]


@inlined
def has_edge(scene, state, source, relation, target):
    """Return whether there is this edge."""
    word = state.memory[row(scene, relation, OUT, source) + (target >> 6)]
    return (word >> np.uint64(target & 63)) & ONE != ZERO


@inlined
def set_bit(state, start, index, on):
    """Set or clear one bit of a row."""
    place = start + (index >> 6)
    bit = ONE << np.uint64(index & 63)
    write(state, place, state.memory[place] | bit if on else state.memory[place] & ~bit)


@borrowing
def set_edge(scene, state, source, relation, target, on):
    """Add or remove an edge; of a symmetric relation, both."""
    set_bit(state, row(scene, relation, OUT, source), target, on)
    if relation < HOLDS_RH:
        set_bit(state, row(scene, relation, IN, target), source, on)


@inlined
def clear(scene, state, thing, relation, direction):
    """Remove all edges from a thing (OUT) or to it (IN)."""
    if relation >= HOLDS_RH and direction == IN:
        for holder in scene.holders:
            set_bit(state, row(scene, relation, OUT, holder), thing, False)
        return
    start = row(scene, relation, direction, thing)
    for w in range(scene.traits.shape[1]):
        rest = state.memory[start + w]
        if rest:
            write(state, start + w, ZERO)
            while rest and relation < HOLDS_RH:
                other = w * 64 + lowest_bit(rest)
                rest &= rest - ONE
                set_bit(state, row(scene, relation, 1 - direction, other), thing, False)


@borrowing
def come_close(scene, state, one, other):
    """Add CLOSE both ways."""
    set_edge(scene, state, one, CLOSE, other, True)
    if not scene.symmetric:
        set_edge(scene, state, other, CLOSE, one, True)


@borrowing
def come_close_to_all(scene, state, one, relation, direction, of, except_trait):
    """Add CLOSE both ways with everything that `of` has an edge to or from, but what has the trait (-1: none)."""
    start, words = row(scene, relation, direction, of), scene.traits.shape[1]
    for w in range(words):
        rest = state.memory[start + w]
        if except_trait >= 0:
            rest &= ~scene.traits[except_trait, w]
        while rest:
            come_close(scene, state, one, w * 64 + lowest_bit(rest))
            rest &= rest - ONE


@inlined
def states_of(scene, thing):
    """Return where a thing's states are kept."""
    return (thing + 1) * scene.block - 3


@inlined
def grab_of(scene, thing):
    """Return where a thing's grab is remembered."""
    return (thing + 1) * scene.block - 2


@inlined
def place_of(scene, thing):
    """Return where a thing's one place is kept."""
    return (thing + 1) * scene.block - 1


@inlined
def where(word):
    """Return the thing and the relation that a grab or place word names; NOWHERE and 0 for none."""
    return (np.int64(word - ONE) >> 3, np.int64(word - ONE) & 7) if word else (NOWHERE, 0)


@inlined
def where_word(thing, relation):
    """Return the word that names a thing and a relation."""
    return np.uint64(1 + 8 * thing + relation)


@borrowing
def push_row(scene, state, start, stack, count):
    """Put the things of a row onto a stack of `count` things; returns its new height."""
    for w in range(scene.traits.shape[1]):
        rest = state.memory[start + w]
        while rest:
            stack[count] = w * 64 + lowest_bit(rest)
            count += 1
            rest &= rest - ONE
    return count


@inlined
def has_trait(scene, trait, thing):
    """Return whether a thing has a trait."""
    return (scene.traits[trait, thing >> 6] >> np.uint64(thing & 63)) & ONE != ZERO


@inlined
def meet(scene, state, one, other):
    """Return whether two rows have a bit in common."""
    for w in range(scene.traits.shape[1]):
        if state.memory[one + w] & state.memory[other + w]:
            return True
    return False


@inlined
def is_empty(scene, state, start):
    """Return whether a row has no edge."""
    for w in range(scene.traits.shape[1]):
        if state.memory[start + w]:
            return False
    return True


def sources() -> int:
    """Return a number that changes with every file of this folder.

    Numba keys a cached function by its own file alone. A function that closes over this number is compiled again when
    any of the functions that it calls has changed.
    """
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")


SOURCES = sources()


def said(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep a function compiled (`kept`), and say so if its first call has to compile it."""
    compiled = kept(function)

    def call(*arguments: Any) -> Any:
        if compiled.overloads:  # a context manager for nothing would double what a small call costs
            return compiled(*arguments)
        with _announced():
            return compiled(*arguments)

    return call


_announcements: list[str] = []


def _say_once(text: str) -> None:
    if not _announcements:
        print(text, file=sys.stderr, flush=True)
        _announcements.append(text)


@contextmanager
def _announced() -> Iterator[None]:
    """Say once on standard error what is going on, if something is not done soon: compiling takes half a minute, once."""
    text = "worldschool: compiling the household's dynamics (once; under a minute) ..."
    timer = threading.Timer(2.0, _say_once, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
