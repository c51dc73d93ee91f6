"""Compiled rollouts: what they reach, that they leave no trace, that they draw as the environment does."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.household import rollouts
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.houses import draw_house
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.rollouts import RANDOM, Rollouts
from worldschool.errors import WorldError


def begun(seed, **settings):
    """An engine in a drawn state, and a goal of one row."""
    engine = Engine(Premises(draw_house(HouseholdConfig(**settings), Random(seed))), seed)
    engine.begin()
    return engine, engine.draw_goal(1)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans(), st.integers(1, 30))
def test_rollouts_leave_the_state_as_it_was(seed, characters, scripted, depth):
    engine, goal = begun(seed, characters=characters)
    before, generator = engine.memory.copy(), engine.generator
    outcomes = Rollouts(engine, goal, scripted, generator=seed).run(20, depth, turn=characters - 1)
    assert np.array_equal(engine.memory, before) and engine.generator == generator
    assert outcomes.steps == np.where(outcomes.reached > 0, outcomes.reached, depth).sum()
    assert outcomes.reached.max() <= depth


def test_a_full_undo_log_is_made_up_for(monkeypatch):
    monkeypatch.setattr(rollouts, "LOG_ENTRIES", 8)
    engine, goal = begun(3, characters=2)
    before = engine.memory.copy()
    small = Rollouts(engine, goal, generator=5).run(30, 20)
    assert np.array_equal(engine.memory, before)
    monkeypatch.undo()
    assert small.reached.tolist() == Rollouts(engine, goal, generator=5).run(30, 20).reached.tolist()


@settings(deadline=None, derandomize=True, max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_a_rollout_is_what_choosing_and_acting_by_hand_gives(seed, characters):
    engine, goal = begun(seed, characters=characters)
    outcomes = Rollouts(engine, goal, scripted=False, generator=seed).run(8, 15)
    hand = Engine(engine.premises, seed)
    for reached in outcomes.reached.tolist():
        hand.memory[:] = engine.memory
        hand.changed()
        for step in range(15):
            turn = step % characters
            hand.act(turn, hand.choose(turn))
            if holds(hand, goal):
                assert reached == step + 1
                break
        else:
            assert reached == 0


def holds(engine, goal):
    """Whether one row of a goal holds, read by name."""
    from worldschool.envs.household.goals import all_hold, from_rows

    house = engine.premises.house
    return all_hold(engine.view, from_rows(house, goal, house.characters[0]))


def test_the_first_action_is_the_one_given():
    engine, _ = begun(0)
    legal = np.flatnonzero(engine.legal(0)).copy()
    goals = {}
    for (
        candidate
    ) in legal.tolist():  # walks change where the character is; a goal of being there tells them apart
        after = Engine(engine.premises)
        after.memory[:] = engine.memory
        after.act(0, candidate)
        room = after.premises.house.place_of[after.view.room_of(engine.premises.house.characters[0])]
        goals[candidate] = room
    for room in set(goals.values()):
        goal = np.array([[3, 0, room]], np.int16)
        reached = Rollouts(engine, goal).run(legal, 1).reached
        assert reached.tolist() == [int(goals[candidate] == room) for candidate in legal.tolist()]


def test_returns_are_discounted():
    found = rollouts.Outcomes(np.array([0, 1, 3], np.int32), 9)
    assert found.returns(0.5).tolist() == [0.0, 1.0, 0.25]
    assert found.returns().tolist() == [0.0, 1.0, 1.0]


def test_depth_and_turn_are_checked():
    engine, goal = begun(0)
    for depth, turn in ((0, 0), (1, 1), (1, -1)):
        with pytest.raises(WorldError, match="depth from 1"):
            Rollouts(engine, goal).run(np.array([RANDOM]), depth, turn)
