"""Many programs at once, without returning to Python: each runs on its scene, is compared and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.typed import List
from numpy.typing import NDArray

from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.kernel import do
from worldschool.envs.household.scene.memory import SOURCES, said, undo
from worldschool.envs.household.scene.program import Line

LOG_ENTRIES = 1 << 15


class Outcomes(NamedTuple):
    """What became of each program.

    Attributes:
        failed_step: int32 [programs]: the first step that could not be done, -1 if all could.
        reason: int32 [programs]: its number in `Rules.reasons`, 0 for none.
        as_expected: bool [programs]: whether the graph reached is exactly the expected one.
        steps: transitions made, failed ones included.
    """

    failed_step: NDArray[np.int32]
    reason: NDArray[np.int32]
    as_expected: NDArray[np.bool_]
    steps: int


class ProgramSet:
    """Programs, each with its scene and the graph it is expected to reach, compiled once and run again and again.

    Scenes must be of one dialect. After a program, its scene is taken back to where it was through the undo log.
    """

    def __init__(
        self,
        scenes: Sequence[CompiledScene],
        programs: Sequence[Sequence[Line]],
        expected: Sequence[SceneGraph],
    ) -> None:
        self._table = scenes[0].rules.table
        self._scenes, self._states = List(), List()
        for scene in scenes:
            self._scenes.append(scene.scene)
            self._states.append(scene.new_state(LOG_ENTRIES))
        self._words = np.zeros(LOG_ENTRIES, np.uint64)
        self._actors = np.array([scene.characters[0] for scene in scenes], np.int64)
        self._steps, self._starts = _flat(
            [
                [scene.encode(line) for line in program]
                for scene, program in zip(scenes, programs, strict=True)
            ],
            np.int64,
        )
        self._changes, self._change_starts = _flat(
            [_changes(scene, graph) for scene, graph in zip(scenes, expected, strict=True)], np.uint64
        )

    def run(self) -> Outcomes:
        """Run every program once."""
        count = len(self._actors)
        failed, reason = np.full(count, -1, np.int32), np.zeros(count, np.int32)
        same = np.zeros(count, np.bool_)
        steps = _run(
            self._scenes, self._states, self._table, self._actors, self._steps, self._starts,
            self._changes, self._change_starts, self._words, failed, reason, same,
        )  # fmt: skip
        return Outcomes(failed, reason, same, steps)


def _flat(rows, dtype):
    starts = np.cumsum([0] + [len(row) for row in rows])
    return np.array([entry for row in rows for entry in row], dtype).reshape(-1, 3), starts


def _changes(scene: CompiledScene, graph: SceneGraph) -> list[tuple[int, int, int]]:
    """Return (place, initial word, expected word) of every word of the graph that is to differ."""
    words, block = scene.layout.memory(graph, scene.index), scene.layout.block
    different = words != scene.memory
    different.reshape(-1, block)[:, block - 2 :] = False
    return [(int(i), int(scene.memory[i]), int(words[i])) for i in np.flatnonzero(different)]


@njit
def _run_all(scenes, states, table, actors, steps, starts, changes, change_starts, now, failed, reason, same):
    count = 0
    for p in range(len(actors)):
        scene, state = scenes[p], states[p]
        for i in range(starts[p], starts[p + 1]):
            count += 1
            code = do(scene, table, state, steps[i, 0], actors[p], steps[i, 1], steps[i, 2])
            if code:
                failed[p], reason[p] = i - starts[p], code
                break
        same[p] = _take_back(scene, state, changes, change_starts[p], change_starts[p + 1], now)
    return count


@njit
def _take_back(scene, state, changes, start, stop, now):
    """Undo everything; returns whether exactly the expected words had changed, to the expected ones."""
    for i in range(start, stop):
        place = np.int64(changes[i, 0])
        if state.memory[place] != changes[i, 2]:
            undo(state, 0)
            return False
        state.memory[place] = changes[i, 1]
    top = state.top[0]
    for i in range(top):
        now[i] = state.memory[np.int64(state.log[i, 0])]
    undo(state, 0)
    for i in range(top):
        place = np.int64(state.log[i, 0])
        if now[i] != state.memory[place] and place % scene.block < scene.block - 2:
            return False
    return True


def _entry(sources: int) -> Any:
    @said
    def run(scenes, states, table, actors, steps, starts, changes, change_starts, now, failed, reason, same):
        if not sources:
            return 0
        return _run_all(
            scenes, states, table, actors, steps, starts, changes, change_starts, now, failed, reason, same
        )

    return run


_run = _entry(SOURCES)
