"""Many futures of one state, compiled: play at random to some depth, note when the goal holds, take everything back."""

from __future__ import annotations

from typing import Any

import numpy as np

from worldschool.envs.household.scene.batches import play
from worldschool.envs.household.scene.draws import choose_legal
from worldschool.envs.household.scene.masks import legal
from worldschool.envs.household.scene.memory import SOURCES, borrowing, said, undo


@borrowing
def _play_out(
    scene, table, state, turn, first, depth, candidates, count, goal, size, scripted, generator, bits, allowed
):
    """Play up to `depth` steps; returns after how many the goal held (0: it did not), and how many were made.

    first: the first action, a candidate's index; -1 for a random one, as all that follow are.
    """
    for step in range(depth):
        choice = first
        if step > 0 or first < 0:
            found = legal(scene, table, state, scene.holders[turn], candidates, count, bits, allowed)
            choice = choose_legal(allowed, count, found, generator)
        if play(
            scene,
            table,
            state,
            turn,
            choice,
            candidates,
            count,
            goal,
            size,
            scripted,
            generator,
            bits,
            allowed,
        ):
            return step + 1, step + 1
        if not scripted:
            turn = (turn + 1) % len(scene.holders)
    return 0, depth


@borrowing
def _take_back(state, start):
    """Undo all that the log holds; if that was too much for the log, copy the words from `start`."""
    if state.top[0] <= state.log.shape[0]:
        undo(state, 0)
        return
    for i in range(state.memory.shape[0]):
        state.memory[i] = start[i]
    state.top[0] = 0


def _entry(sources: int) -> Any:
    @said
    def play_out(
        scene, table, state, turn, firsts, depth, candidates, count, goal, size, scripted, generator, bits, allowed,
        start, reached,
    ):  # fmt: skip
        steps = 0
        for i in range(len(firsts) if sources else 0):
            state.top[0] = 0
            reached[i], made = _play_out(
                scene, table, state, turn, np.int64(firsts[i]), depth, candidates, count, goal, size, scripted,
                generator, bits, allowed,
            )  # fmt: skip
            _take_back(state, start)
            steps += made
        return steps

    return play_out


play_out = _entry(SOURCES)
"""play_out(scene, table, state, turn, firsts int64 [n], depth, candidates, count, goal, size, scripted, generator, bits,
allowed int8 [count], start uint64 [words], reached int32 [n]): one rollout for each of `firsts`; returns how many steps
were made. `start` is a copy of the state's memory; `reached` is written to: after how many steps the goal held, or 0."""
