"""The household in numbers: equal to the text environment, snapshots, Gymnasium's contract."""

from __future__ import annotations

import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.household.discrete import HouseholdDiscreteEnv
from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.vector import HouseholdVectorEnv
from worldschool.errors import WorldError
from worldschool.records import Snapshot

SETTINGS = [
    {},
    {"characters": 3, "goal": "random"},
    {"characters": 2, "control": "all", "goal": "random", "goal_size": (3, 3)},
    {"focus": True, "goal": "random", "split": "heldout", "max_steps": 5},
]


def act(env, info, rng):
    """Return a legal action four times in five, else any number."""
    legal = np.flatnonzero(info["action_mask"])
    return rng.choice(legal) if rng.random() < 0.8 else rng.integers(2048)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.sampled_from(SETTINGS), st.integers(0, 10**6))
def test_it_is_the_text_environment_in_numbers(setting, seed):
    env, text = HouseholdDiscreteEnv(**setting), HouseholdEnv(**setting)
    rng = np.random.default_rng(seed)
    for episode_seed in (seed, None):  # the second episode goes on from the same numbers
        _, info = env.reset(seed=episode_seed)
        text.reset(seed=episode_seed)
        assert (env.house, env.goal) == (text._engine.premises.house, text.goal)
        assert env.graph() == text.graph()
        ended = cut = False
        while not (ended or cut):
            action = act(env, info, rng)
            words = env.actions[action] if action < len(env.actions) else "nonsense"
            if setting.get("control") == "all":
                words = f"{text._actor}: {words}"
            seen, *result, info = env.step(action)
            _, *wanted, told = text.step(words)
            assert result == wanted
            ended, cut = result[1:]
            assert info["success"] == told["success"]
            assert env.observation_space.contains(seen)
            assert env.graph() == text.graph()


def test_a_batch_of_one_is_the_same():
    setting = {"characters": 2, "goal": "random"}
    one, batch = HouseholdDiscreteEnv(**setting), HouseholdVectorEnv(1, action_masks=True, **setting)
    (seen, info), (rows, infos) = one.reset(seed=8), batch.reset(seed=8)
    rng = np.random.default_rng(0)
    for _ in range(40):
        assert np.array_equal(seen, rows[0])
        assert all(np.array_equal(info[name], infos[name][0]) for name in info)
        action = act(one, info, rng)
        (seen, *result, info), (rows, *results, infos) = one.step(action), batch.step(np.array([action]))
        assert result == [column[0] for column in results]
        if result[1] or result[2]:
            break


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.sampled_from(SETTINGS), st.integers(0, 10**6), st.integers(0, 12), st.integers(1, 12))
def test_the_future_after_restoring_is_the_same(setting, seed, before, after):
    env = HouseholdDiscreteEnv(**setting)
    _, info = env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    ended = False
    for _ in range(before):
        if not ended:
            _, _, terminated, truncated, info = env.step(act(env, info, rng))
            ended = terminated or truncated
    snapshot = pickle.loads(pickle.dumps(env.snapshot()))
    start = info
    actions = rng.integers(0, len(env.actions), after).tolist()

    def future(of):
        lived = []
        for action in actions:
            if of.snapshot().bookkeeping[2] or of.snapshot().bookkeeping[3]:
                break
            seen, *result, info = of.step(action)
            told = {name: np.asarray(value).tolist() for name, value in info.items()}
            lived.append((seen.tolist(), result, told, of.snapshot().digest, of.snapshot().position))
        return lived

    lived = future(env)
    other = HouseholdDiscreteEnv(**setting)
    for again in (env, other):  # in the same house, and where there was none
        _, info = again.restore(snapshot)
        assert again.snapshot() == snapshot
        assert {name: np.asarray(value).tolist() for name, value in info.items()} == {
            name: np.asarray(value).tolist() for name, value in start.items()
        }
        assert future(again) == lived


def test_restoring_refuses_what_is_not_its_own():
    env, text = HouseholdDiscreteEnv(goal="random"), HouseholdEnv()
    env.reset(seed=0)
    text.reset(seed=0)
    snapshot = env.snapshot()
    before = snapshot.digest
    house, changes, turn, goal = snapshot.state
    with pytest.raises(WorldError, match="Household-v0"):
        env.restore(text.snapshot())
    for state in (
        (house, changes[:-2], turn, goal),
        (house, changes, 3, goal),
        (house, changes, turn, ((9, 0, 0),)),
        (house, changes, turn, ((0, 500, 0),)),
        (house, changes, turn, ((0, 5, 500),)),
        ("[]", changes, turn, goal),
        (house, changes),
    ):
        with pytest.raises(WorldError, match="damaged"):
            env.restore(Snapshot(env.world_id, state, snapshot.bookkeeping))
    assert env.snapshot().digest == before
    large = HouseholdDiscreteEnv(rooms=(5, 5), objects=(30, 30))
    large.reset(seed=0)
    with pytest.raises(WorldError, match="settings that it was taken in"):
        env.restore(large.snapshot())


@pytest.mark.parametrize("setting", SETTINGS)
def test_gymnasium_finds_nothing_wrong(setting):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("worldschool/HouseholdDiscrete-v0", **setting)
        check_env(env.unwrapped)


def test_one_reaches_the_goal_by_legal_actions_alone():
    env = HouseholdDiscreteEnv(goal="random", goal_size=(1, 1), max_steps=2000, focus=True, rooms=(2, 2))
    _, info = env.reset(seed=1)
    rng = np.random.default_rng(0)
    assert env.goal.predicates and (info["goal"][0] >= 0).all() and (info["goal"][1:] == -1).all()
    ended = False
    while not ended:
        assert not info["success"]
        _, reward, ended, truncated, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
        assert not truncated and reward == ended
    assert info["success"]
    with pytest.raises(WorldError, match="the episode has ended"):
        env.step(0)


def test_it_is_told_in_words():
    env = HouseholdDiscreteEnv(render_mode="ansi", goal="random")
    with pytest.raises(ResetNeeded):
        env.step(0)
    _, info = env.reset(seed=0)
    assert env.actions[0].startswith("walk to ")
    assert len(env.actions) <= 2048 and not info["action_mask"][len(env.actions) :].any()
    assert env.house.characters[0] in env.render() and env.goal.text


def test_settings_and_calls_that_are_not_accepted():
    for setting, told in (({"render_mode": "human"}, "ansi"), ({"wording": "varied"}, "wording")):
        with pytest.raises(WorldError, match=told):
            HouseholdDiscreteEnv(**setting)
    env = HouseholdDiscreteEnv()
    with pytest.raises(WorldError, match="unknown option"):
        env.reset(options={"goal": 1})
    env.reset(seed=0)
    with pytest.raises(WorldError, match="'walk'"):
        env.step("walk")
