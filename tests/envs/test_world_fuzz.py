"""Every registered world: after (snapshot, k steps, restore) the same k steps give the same future.

WORLDSCHOOL_FUZZ=10000 python -m pytest tests/envs/test_world_fuzz.py tries as many rounds in each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from typing import Any

import gymnasium
import numpy as np
import pytest

import worldschool.envs  # noqa: F401  registers the households
from worldschool.envs.world import NUMERIC_FORMS, WORLDS

ROUNDS = int(os.environ.get("WORLDSCHOOL_FUZZ", "120"))
EPISODE_ROUNDS = 8
"""Rounds in one house, before the next is drawn."""
MOST_STEPS = 6

HOUSES: list[dict[str, Any]] = [
    {"goal": "random"},
    {"goal": "random", "characters": 3, "split": "heldout", "max_steps": 20},
    {"goal": "random", "rooms": (5, 5), "furniture": (3, 4), "objects": (20, 30)},
]
SHOPS: list[dict[str, Any]] = [
    {"products": 300},
    {"products": 300, "split": "heldout", "max_steps": 10, "observation_mode": "text_rich"},
    {"products": 300, "compat": "webshop", "show_attributes": True},
]


def text_action(env: Any, info: dict[str, Any], rng: Random) -> str:
    """Return a legal action; now and then nonsense."""
    legal = env.legal_actions()
    return rng.choice(legal) if legal and rng.random() < 0.9 else "grab the moon"


def discrete_action(env: Any, info: dict[str, Any], rng: Random) -> int:
    """Return a legal action; now and then any number."""
    legal = np.flatnonzero(info["action_mask"]).tolist()
    return rng.choice(legal) if legal and rng.random() < 0.9 else rng.randrange(env.action_space.n)


def grid_action(env: Any, info: dict[str, Any], rng: Random) -> int:
    """Return any action, oftener forward and those that use what is in front."""
    return rng.choices(range(7), [2, 2, 5, 3, 2, 2, 0.5])[0]


def shop_action(env: Any, info: dict[str, Any], rng: Random) -> str:
    """Return a legal action, buying more rarely; now and then nonsense."""
    legal = env.legal_actions()
    if legal and rng.random() < 0.9:
        return rng.choices(legal, [0.2 if action == "click[buy now]" else 1 for action in legal])[0]
    return rng.choice(["grab the moon", "search[red lamp]", "click[search]"])


CHOOSERS: dict[str, Callable[[Any, dict[str, Any], Random], Any]] = {
    "worldschool/Household-v0": text_action,
    "worldschool/HouseholdDiscrete-v0": discrete_action,
    "worldschool/HouseholdGrid-v0": grid_action,
    "worldschool/HouseholdGridText-v0": text_action,
    "worldschool/Shop-v0": shop_action,
}
CASES = [
    (world, number, settings)
    for world in CHOOSERS
    for number, settings in enumerate(SHOPS if world == "worldschool/Shop-v0" else HOUSES)
]


def test_no_world_is_left_out():
    worlds = {row.gymnasium_id or row.id for row in WORLDS}
    registered = {*worlds, *(row.id for row in NUMERIC_FORMS)}
    assert registered == set(CHOOSERS)


def live(env: Any, actions: list[Any]) -> list[Any]:
    """Act, up to the end of the episode; returns all that was seen, and the digests."""
    lived = []
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        seen = {name: plain(value) for name, value in info.items()}
        lived.append((plain(observation), reward, terminated, truncated, seen, env.snapshot().digest))
        if terminated or truncated:
            break
    return lived


def plain(value: Any) -> Any:
    """Return arrays as something that compares by content."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


@pytest.mark.parametrize(("world", "case", "settings"), CASES)
def test_the_same_steps_after_restore_give_the_same_future(world, case, settings):
    env: Any = gymnasium.make(world, **settings).unwrapped
    choose = CHOOSERS[world]
    rng = Random(f"{world}{settings}")
    for number in range(max(1, ROUNDS // len(HOUSES))):
        if number % EPISODE_ROUNDS == 0:
            _, info = env.reset(seed=number)
        actions, before = [], env.snapshot()
        for _ in range(rng.randint(1, MOST_STEPS)):
            actions.append(choose(env, info, rng))
            *_, terminated, truncated, info = env.step(actions[-1])
            if terminated or truncated:
                break
        env.restore(before)
        first = live(env, actions)
        assert len(first) == len(actions)
        _, info = env.restore(before)
        assert env.snapshot().digest == before.digest
        assert live(env, actions) == first
        if first[-1][2] or first[-1][3]:
            _, info = env.restore(before)
        elif rng.random() < 0.3:  # go on from here; otherwise from where it began, by another way
            info = env.restore(env.snapshot())[1]
        else:
            _, info = env.restore(before)
