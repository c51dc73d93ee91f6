"""A hundred thousand random programs on random graphs: no crash, no inconsistent state, and undo takes all of it back."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from tests.envs.scene.scenes import random_scene
from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import holder_of
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.dialects import DIALECTS
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.kernel import do
from worldschool.envs.household.scene.memory import IN, OUT, has_trait, row, undo

SCENES, PROGRAMS, STEPS = 250, 100, 20
FINE, ONE_SIDED, REASON_UNKNOWN, CHANGED_BY_FAILURE, NOT_ONE_PLACE, CIRCLE, FULL_HAND, NOT_UNDONE = range(8)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_random_programs_leave_every_scene_consistent(dialect):
    for seed in range(SCENES):
        graph = SceneGraph.from_dict(random_scene(seed, sound=dialect == "house"))
        scene = CompiledScene.compile(graph, dialect)
        state = scene.new_state(log_entries=1 << 14)
        characters = np.array(scene.characters)
        rules = scene.rules
        found, at = _live(
            scene.scene,
            rules.table,
            state,
            scene.memory,
            characters,
            len(rules.reasons),
            PROGRAMS,
            STEPS,
            seed,
        )
        assert found == FINE, (dialect, seed, found, at)


@njit(cache=False)
def _live(scene, table, state, initial, characters, reasons, programs, steps, seed):
    np.random.seed(seed)
    n = scene.ids.shape[0]
    for program in range(programs):
        for _ in range(steps):
            actor = characters[np.random.randint(len(characters))]
            action = np.random.randint(table.arity.shape[0])
            x, y = np.random.randint(-1, n), np.random.randint(-1, n)
            top = state.top[0]
            code = do(scene, table, state, action, actor, x, y)
            if code < 0 or code >= reasons:
                return REASON_UNKNOWN, action
            if code and state.top[0] != top:
                return CHANGED_BY_FAILURE, action
            if code == 0:
                wrong = _inconsistency(scene, state)
                if wrong:
                    return wrong, action
        undo(state, 0)
        for i in range(len(initial)):
            if state.memory[i] != initial[i]:
                return NOT_UNDONE, program
    return FINE, -1


@njit
def _inconsistency(scene, state):
    n = scene.ids.shape[0]
    for relation in (op.ON, op.INSIDE, op.CLOSE, op.FACING):
        for i in range(n):
            for j in range(n):
                if _bit(scene, state, relation, OUT, i, j) != _bit(scene, state, relation, IN, j, i):
                    return ONE_SIDED
    if not scene.one_place:
        return FINE
    for thing in range(n):
        places, in_right, in_left = 0, 0, 0
        for j in range(n):
            places += _bit(scene, state, op.ON, OUT, thing, j) + _bit(scene, state, op.INSIDE, OUT, thing, j)
            places += _bit(scene, state, op.HOLDS_RH, OUT, j, thing) + _bit(
                scene, state, op.HOLDS_LH, OUT, j, thing
            )
            in_right += _bit(scene, state, op.HOLDS_RH, OUT, thing, j)
            in_left += _bit(scene, state, op.HOLDS_LH, OUT, thing, j)
        if places != (0 if has_trait(scene, op.ROOM, thing) else 1):
            return NOT_ONE_PLACE
        if in_right > 1 or in_left > 1:
            return FULL_HAND
        above, climbed = thing, 0
        while not has_trait(scene, op.ROOM, above):
            above, climbed = holder_of(scene, state, above), climbed + 1
            if above < 0 or climbed > n:
                return CIRCLE
    return FINE


@njit
def _bit(scene, state, relation, direction, one, other):
    word = state.memory[row(scene, relation, direction, one) + (other >> 6)]
    return np.int64(word >> np.uint64(other & 63)) & 1
