"""The household as a vector environment: the same dynamics as in text, autoreset as Gymnasium defines it."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.household.discrete import HouseholdDiscreteEnv
from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.scene import observations as column
from worldschool.envs.household.scene.compiled import state_names
from worldschool.envs.household.scene.operations import DYNAMIC, HOLDS_RH
from worldschool.envs.household.vector import HouseholdVectorEnv
from worldschool.errors import WorldError

SETTINGS = [
    {},
    {"characters": 3, "goal": "random"},
    {"characters": 2, "control": "all", "rooms": (2, 3), "goal": "random", "goal_size": (1, 3)},
    {"objects": (60, 64), "rooms": (3, 3), "goal": "random"},  # rows of two words
]


def chosen(masks, rng, legal=0.8):
    """Return an action for each environment: mostly a legal one, else any number at all."""
    actions = rng.integers(-5, 2100, len(masks))
    for e, mask in enumerate(masks):
        if rng.random() < legal:
            actions[e] = rng.choice(np.flatnonzero(mask))
    return actions


def rebuilt(observation, house):
    """Return nodes' states and all edges of a scene graph, from an observation and what never moves in the house."""
    rows = observation[observation[:, column.CLASS] >= 0].astype(int)
    people, first_object = len(house.characters), len(house.names) - len(house.objects)
    edges = set()
    for one, other in house.plan.neighbours():
        pair = house.place_of[one] + 1, house.place_of[other] + 1
        edges |= {(pair[0], "CLOSE", pair[1]), (pair[1], "CLOSE", pair[0])}
    for place, row in enumerate(rows):
        id_, holder = place + 1, row[column.HOLDER] + 1
        if holder:
            relation = row[column.RELATION]
            held = relation >= HOLDS_RH
            edges.add((holder, DYNAMIC[relation], id_) if held else (id_, DYNAMIC[relation], holder))
            if place >= first_object:
                edges |= {(id_, "CLOSE", holder), (holder, "CLOSE", id_)}
        for character in range(people):
            if row[column.CLOSE_TO] >> character & 1:
                edges |= {(id_, "CLOSE", character + 1), (character + 1, "CLOSE", id_)}
            if row[column.FACED_BY] >> character & 1:
                edges.add((character + 1, "FACING", id_))
    return [state_names(int(word)) for word in rows[:, column.STATES]], edges


def reached(edges, actor):
    """Return the ids that a character could touch: CLOSE to it, or to something it is CLOSE to, or ON that."""
    near = {other for one, relation, other in edges if (one, relation) == (actor, "CLOSE")}
    beyond = {one for one, relation, other in edges if relation in ("CLOSE", "ON") and other in near}
    return near | beyond


def room_above(rows, place):
    while rows[place, column.HOLDER] >= 0:
        place = rows[place, column.HOLDER]
    return place


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.sampled_from(SETTINGS), st.integers(0, 10**6), st.sampled_from(list(AutoresetMode)[:2]))
def test_observation_tells_the_whole_graph(setting, seed, mode):
    env = HouseholdVectorEnv(3, autoreset_mode=mode, action_masks=True, max_steps=25, **setting)
    seen, info = env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for _ in range(40):
        assert env.observation_space.contains(seen)
        for e in range(3):
            graph, rows = env.graph(e), seen[e]
            states, edges = rebuilt(rows, env.houses[e])
            assert [node.states for node in graph.nodes] == states
            assert graph.edges == edges
            assert (rows[len(graph.nodes) :] == -1).all()
            count = len(graph.nodes)
            assert [room_above(rows, place) for place in range(count)] == rows[:count, column.ROOM].tolist()
            held = (rows[:count, column.HOLDER] >= 0) & (
                rows[:count, column.HOLDER] < len(env.houses[e].characters)
            )
            bearers = np.where(held, rows[:count, column.HOLDER], -1)
            assert rows[:count, column.BEARER].tolist() == bearers.tolist()
            touched = np.flatnonzero(rows[:count, column.REACHED]) + 1
            assert set(touched.tolist()) == reached(edges, info["actor"][e] + 1)
            premises = env._stack.premises[e]
            assert rows[:count, column.CLASS].tolist() == premises.numbers.tolist()
            grabs = env._stack.lives.memory[e].reshape(-1, premises.layout.block)[:count, -2]
            assert rows[:count, column.ORIGIN].tolist() == [int(word) - 1 for word in grabs]
        seen, *_, info = env.step(chosen(info["action_mask"], rng))


@settings(deadline=None, derandomize=True, max_examples=15)
@given(st.sampled_from(SETTINGS), st.integers(0, 10**6))
def test_every_environment_is_the_text_environment_of_its_seed(setting, seed):
    count = 3
    env = HouseholdVectorEnv(count, action_masks=True, **setting)
    _, info = env.reset(seed=seed)
    texts = [HouseholdEnv(**setting) for _ in range(count)]
    for e, text in enumerate(texts):
        text.reset(seed=seed + e)
        assert env.goal(e) == text.goal
    rng = np.random.default_rng(seed)
    for _ in range(30):
        named = [_legal_texts(env, info, e) for e in range(count)]
        assert named == [text.legal_actions() for text in texts]
        actions = chosen(info["action_mask"], rng)
        _, rewards, terminated, truncated, info = env.step(actions)
        for e, text in enumerate(texts):
            known = 0 <= actions[e] < len(env.actions[e])
            words = env.actions[e][actions[e]] if known else "nonsense"
            if setting.get("control") == "all":
                words = f"{text._actor}: {words}"
            _, reward, ended, cut, told = text.step(words)
            assert (rewards[e], terminated[e], truncated[e]) == (reward, ended, cut)
            assert info["success"][e] == told["success"]
            assert env.graph(e) == text.graph()
        if (terminated | truncated).any():
            break


def _legal_texts(env, info, e):
    house = env.houses[e]
    names = [env.actions[e][k] for k in np.flatnonzero(info["action_mask"][e])]
    if env._stack.config.control == "all":
        names = [f"{house.characters[info['actor'][e]]}: {name}" for name in names]
    return sorted(names)


def assert_same(one, other, where=""):
    """Compare infos, nested dicts and arrays, names and masks included."""
    assert one.keys() == other.keys(), where
    for name, value in one.items():
        if isinstance(value, dict):
            assert_same(value, other[name], f"{where}.{name}")
        elif value.dtype == object:
            assert all(np.array_equal(a, b) for a, b in zip(value, other[name], strict=True)), (
                f"{where}.{name}"
            )
        else:
            assert np.array_equal(value, other[name]), f"{where}.{name}"


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_steps_are_those_of_gymnasium_s_own_vector_environment(mode):
    """Up to the next episode, whose house Gymnasium draws anew and ours keeps: what is told of the last step is the same."""
    setting = {"characters": 2, "goal": "random", "max_steps": 6}
    ours = HouseholdVectorEnv(4, autoreset_mode=mode, action_masks=True, **setting)
    theirs = SyncVectorEnv([lambda: HouseholdDiscreteEnv(**setting)] * 4, autoreset_mode=mode)
    (seen, info), (expected, told) = ours.reset(seed=11), theirs.reset(seed=11)
    rng = np.random.default_rng(0)
    for step in range(6):
        assert np.array_equal(seen, expected)
        assert_same(info, told)
        actions = np.maximum(chosen(info["action_mask"], rng), 0)
        seen, *results, info = ours.step(actions)
        expected, *wanted, told = theirs.step(actions)
        assert all(np.array_equal(one, other) for one, other in zip(results, wanted, strict=True)), step
        assert [one.dtype for one in results] == [other.dtype for other in wanted]
    assert results[2].all()
    if mode is AutoresetMode.SAME_STEP:
        for name in ("final_obs", "_final_obs", "_final_info"):
            assert_same({name: info[name]}, {name: told[name]})
        assert_same(info["final_info"], told["final_info"])
        assert not info["success"].any()
    else:
        assert np.array_equal(seen, expected)
        assert_same(info, told)
    seen, *results, info = ours.step(np.zeros(4, np.int64))
    expected, *wanted, told = theirs.step(np.zeros(4, np.int64))
    assert all(np.array_equal(one, other) for one, other in zip(results, wanted, strict=True))


def test_an_environment_does_not_depend_on_how_many_there_are():
    few, many = (HouseholdVectorEnv(n, goal="random", characters=2, max_steps=7) for n in (2, 5))
    first, second = few.reset(seed=5)[0], many.reset(seed=5)[0]
    rng = np.random.default_rng(0)
    for _ in range(30):
        assert np.array_equal(first, second[:2])
        actions = rng.integers(0, 150, 5)
        (first, *_), (second, *_) = few.step(actions[:2]), many.step(actions)
    assert few.houses == many.houses[:2]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_the_next_episode_has_the_same_house_and_another_start_and_goal(mode):
    env = HouseholdVectorEnv(6, goal="random", max_steps=3, autoreset_mode=mode)
    first, info = env.reset(seed=2)
    houses, goals = env.houses, info["goal"].copy()
    for step in range(4 if mode == "NextStep" else 3):
        seen, rewards, _, truncated, info = env.step(np.full(6, 2047))
        assert truncated.all() == (step == 2)
    assert env.houses == houses
    assert not np.array_equal(seen, first)
    assert not np.array_equal(info["goal"], goals)
    assert not rewards.any()
    again, _ = env.reset()
    assert env.houses == houses
    assert not np.array_equal(again, seen)


def test_disabled_autoreset_begins_where_the_mask_says():
    env = HouseholdVectorEnv(3, autoreset_mode="Disabled", max_steps=2)
    before, _ = env.reset(seed=1)
    nothing = np.full(3, 2047)
    env.step(nothing)
    seen, _, _, truncated, _ = env.step(nothing)
    assert truncated.all()
    with pytest.raises(WorldError, match="3 episodes have ended"):
        env.step(nothing)
    mask = np.array([True, False, True])
    after, info = env.reset(options={"reset_mask": mask})
    assert np.array_equal(after[1], seen[1])
    assert not np.array_equal(after[0], before[0])
    assert info["_goal"].tolist() == mask.tolist()
    with pytest.raises(WorldError, match="1 episodes have ended"):
        env.step(nothing)
    house = env.houses[0]
    env.reset(seed=9, options={"reset_mask": ~mask})
    assert env.houses[0] == house
    env.step(nothing)


def test_make_vec_gives_it_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make_vec(
            "worldschool/HouseholdDiscrete-v0",
            num_envs=3,
            vectorization_mode="vector_entry_point",
            goal="random",
        )
    assert isinstance(env.unwrapped, HouseholdVectorEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert env.observation_space == batch_space(env.single_observation_space, 3)
    seen, info = env.reset(seed=0)
    assert env.observation_space.contains(seen)
    assert set(info) == {"goal", "_goal", "success", "_success", "actor", "_actor"}
    env.action_space.seed(0)
    seen, rewards, terminated, _, _ = env.step(env.action_space.sample())
    assert (seen.dtype, rewards.dtype, terminated.dtype) == (np.int16, np.float64, np.bool_)
    env.close()


def test_actions_that_cannot_be_done_change_nothing_and_cost_a_step():
    env = HouseholdVectorEnv(2, action_masks=True, max_steps=4)
    before, info = env.reset(seed=4)
    illegal = int(np.flatnonzero(info["action_mask"][1] == 0)[0])
    for _ in range(4):
        seen, rewards, _, truncated, _ = env.step(np.array([10**12, illegal]))
        assert np.array_equal(seen, before) and not rewards.any()
    assert truncated.all()


def test_what_was_returned_is_not_written_to_again():
    env = HouseholdVectorEnv(2, action_masks=True)
    seen, info = env.reset(seed=0)
    kept, mask = seen.copy(), info["action_mask"].copy()
    rng = np.random.default_rng(0)
    actions = chosen(mask, rng, legal=1.0)
    env.step(actions)
    assert np.array_equal(seen, kept) and np.array_equal(info["action_mask"], mask)
    lent = HouseholdVectorEnv(2, copy=False)
    assert lent.reset(seed=0)[0] is lent.step(actions)[0]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"num_envs": 0}, "num_envs"),
        ({"autoreset_mode": "Sometimes"}, "NextStep"),
        ({"render_mode": "human"}, "render_mode"),
        ({"actions": "all"}, "actions"),
        ({"wording": "varied"}, "wording"),
        ({"info_legal": True}, "action_mask"),
        ({"goal": "activity"}, "random"),
        ({"room": (2, 2)}, "rooms"),
        ({"rooms": (8, 8), "furniture": (8, 8), "objects": (64, 64)}, "Lower the most of objects"),
    ],
)
def test_settings_that_are_not_accepted(setting, told):
    with pytest.raises(WorldError, match=told):
        HouseholdVectorEnv(**{"num_envs": 2, **setting})


def test_calls_that_are_not_accepted():
    env = HouseholdVectorEnv(2)
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(2, np.int64))
    env.reset(seed=0)
    for actions in (np.zeros(3, np.int64), np.zeros(2), 0):
        with pytest.raises(WorldError, match="whole numbers of shape"):
            env.step(actions)
    with pytest.raises(WorldError, match="reset_mask"):
        env.reset(options={"goal": None})
    with pytest.raises(WorldError, match="at least one True"):
        env.reset(options={"reset_mask": np.zeros(2, np.bool_)})
    with pytest.raises(WorldError, match="3 seeds"):
        env.reset(seed=[1, 2, 3])
