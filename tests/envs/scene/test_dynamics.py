"""What must hold of every scene, program and dialect: nothing crashes, undo undoes, and a house stays a house."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.scene.scenes import COUNT, random_scene
from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import holder_of, room_of
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.dialects import DIALECTS
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.kernel import apply
from worldschool.envs.household.scene.memory import undo


def walk(scene, state, steps, seed):
    """Do random actions; yields the code of each."""
    rng = np.random.default_rng(seed)
    rows = len(scene.rules.actions)
    for action, x, y, who in zip(
        rng.integers(0, rows, steps),
        rng.integers(-1, COUNT, steps),
        rng.integers(-1, COUNT, steps),
        rng.integers(0, len(scene.characters), steps),
        strict=True,
    ):
        before = state.memory.copy()
        code = apply(scene.scene, scene.rules.table, state, action, scene.characters[who], x, y)
        assert 0 <= code < len(scene.rules.reasons)
        assert code == 0 or np.array_equal(state.memory, before)
        yield code


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@given(seed=st.integers(0, 2**32), program=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_program_on_any_graph_can_be_done_undone_and_done_again(dialect, seed, program):
    graph = SceneGraph.from_dict(random_scene(seed, sound=dialect == "house"))
    scene = CompiledScene.compile(graph, dialect)
    state = scene.new_state(log_entries=100_000)
    first = list(walk(scene, state, 60, program))
    after = state.memory.copy()
    assert_both_directions(scene, state)
    undo(state, 0)
    assert np.array_equal(state.memory, scene.memory)
    assert list(walk(scene, state, 60, program)) == first
    assert np.array_equal(state.memory, after)
    assert scene.same_graph(state.memory, scene.to_graph(state.memory))


@given(seed=st.integers(0, 2**32), program=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_in_a_house_everything_stays_in_one_place(seed, program):
    scene = CompiledScene.compile(SceneGraph.from_dict(random_scene(seed, sound=True)), "house")
    state = scene.new_state()
    rooms = {place for place, node in enumerate(scene.graph.nodes) if node.is_room}
    for code in walk(scene, state, 60, program):
        if code == 0:
            assert_one_place(scene, state, rooms)


def edges_of(scene, state, relation, direction=0):
    return scene.layout.rows(state.memory, relation, direction)[:, :COUNT].astype(bool)


def assert_both_directions(scene, state):
    for relation in (op.ON, op.INSIDE, op.CLOSE, op.FACING):
        assert np.array_equal(edges_of(scene, state, relation), edges_of(scene, state, relation, 1).T)


def assert_one_place(scene, state, rooms):
    out = {relation: edges_of(scene, state, relation) for relation in (op.ON, op.INSIDE)}
    hands = edges_of(scene, state, op.HOLDS_RH), edges_of(scene, state, op.HOLDS_LH)
    places = out[op.ON].sum(1) + out[op.INSIDE].sum(1) + hands[0].sum(0) + hands[1].sum(0)
    for thing in range(COUNT):
        assert places[thing] == (thing not in rooms)
        assert room_of(scene.scene, state, thing) in rooms
        if thing not in rooms:
            holder = holder_of(scene.scene, state, thing)
            assert (
                out[op.ON][thing, holder]
                or out[op.INSIDE][thing, holder]
                or any(h[holder, thing] for h in hands)
            )
    assert all((hand.sum(1) <= 1).all() for hand in hands)
