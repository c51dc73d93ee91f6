"""Legal actions by rows of bits: the same as trying every action."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.scene.scenes import COUNT, random_scene
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.forms import FORMS
from worldschool.envs.household.houses import draw_house
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene import entries
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.dialects import DIALECTS
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.kernel import apply

CONFIGS = [
    HouseholdConfig(characters=3),
    HouseholdConfig(rooms=(2, 2), furniture=(1, 3), objects=(12, 20), characters=2),
    HouseholdConfig(rooms=(4, 4), furniture=(4, 5), objects=(50, 50), characters=6),  # rows of two words
]


def tried(engine: Engine, actor: int) -> list[bool]:
    """Return for every candidate whether doing it to a copy of the state succeeds."""
    copy = Engine(engine.premises)
    found = []
    for candidate, (_, x, _) in enumerate(engine.premises.candidates.tolist()):
        copy.memory[:] = engine.memory
        found.append(x != actor and copy.act(actor, candidate) == "")
    return found


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.sampled_from(CONFIGS), st.integers(0, 10**6), st.integers(0, 60))
def test_mask_is_what_trying_every_action_finds(config, seed, steps):
    premises = Premises(draw_house(config, Random(seed)))
    engine = Engine(premises, seed)
    engine.begin()
    people, rng = config.characters, Random(seed)
    # Mostly moving things about and sitting down: walking alone would leave hands empty.
    weight = np.where(np.isin(premises.forms[: premises.effective], [0]), 1, 8)
    for step in range(steps):
        legal = engine.legal(step % people).astype(np.float64) * weight
        engine.act(step % people, rng.choices(range(len(legal)), legal)[0])
    for actor in range(people):
        expected = tried(engine, actor)
        assert engine.legal(actor, effective=False).tolist() == expected
        assert engine.legal(actor).tolist() == expected[: premises.effective]


def test_states_reached_at_random_try_almost_every_form():
    succeeded = set()
    for seed in range(30):
        premises = Premises(draw_house(CONFIGS[seed % 2], Random(seed)))
        engine = Engine(premises, seed)
        engine.begin()
        rng = Random(seed)
        for step in range(120):
            legal = np.flatnonzero(engine.legal(step % 2, effective=False))
            kinds = premises.forms[legal]
            kind = rng.choice(sorted(set(kinds.tolist())))
            engine.act(step % 2, int(rng.choice(legal[kinds == kind].tolist())))
            succeeded.add(kind)
    never = {FORMS[number].form for number in set(range(len(FORMS))) - succeeded}
    assert never <= {"look", "cut {thing}", "lie on {thing}", "take off {thing}", "wear {thing}"}, never


def all_candidates(scene):
    """Every action upon any things of a random scene, but for those that are one of two."""
    rows = []
    for action, arity in enumerate(scene.rules.table.arity.tolist()):
        if scene.rules.table.otherwise[action] == -1:
            xs = range(COUNT) if arity else (-1,)
            ys = range(COUNT) if arity > 1 else (-1,)
            rows += [(action, x, y) for x in xs for y in ys]
    return np.array(rows, np.int16)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_in_any_scene_and_dialect_too(dialect):
    """Scenes where seats can be carried, characters sit on what is grabbed, and things are close one way only."""
    for seed in range(40):
        graph = SceneGraph.from_dict(random_scene(seed, sound=dialect == "house"))
        scene = CompiledScene.compile(graph, dialect)
        state, table, rng = scene.new_state(), scene.rules.table, Random(seed)
        candidates = all_candidates(scene)
        legal, bits = np.zeros(len(candidates), np.int8), np.zeros((3, scene.layout.words), np.uint64)
        for step in range(10):
            actor = scene.characters[step % 2]
            before = state.memory.copy()
            expected = []
            for action, x, y in candidates.tolist():
                done = x != actor and apply(scene.scene, table, state, action, actor, x, y) == 0
                expected.append(done)
                state.memory[:] = before
            entries.find_legal(scene.scene, table, state, actor, candidates, len(candidates), bits, legal)
            wrong = np.flatnonzero(legal.astype(bool) != expected)
            assert not len(wrong), (seed, step, candidates[wrong[:5]].tolist(), legal[wrong[:5]])
            changing = [
                k for k in np.flatnonzero(expected).tolist() if candidates[k, 2] >= 0 or rng.random() < 0.3
            ]
            action, x, y = candidates[rng.choice(changing or np.flatnonzero(expected).tolist())].tolist()
            apply(scene.scene, table, state, action, actor, x, y)
