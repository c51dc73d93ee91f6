"""The household on the grid, from MiniGrid's side: checkers, wrappers, numbers, pictures."""

from __future__ import annotations

import os
import warnings
from random import Random

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from minigrid import wrappers
from minigrid.core.constants import IDX_TO_OBJECT, OBJECT_TO_IDX
from minigrid.core.grid import Grid
from minigrid.core.world_object import WorldObj

import worldschool.envs  # noqa: F401 (registers the environments)
from tests.envs.grid_house import NO_GOAL, alone, known
from worldschool.envs.household import OBJECTS
from worldschool.envs.household.grid.env import HouseholdGridEnv, mission_of
from worldschool.envs.household.grid.moves import (
    DROP,
    PICKUP,
    TOGGLE,
    TURN_LEFT,
    TURN_RIGHT,
)
from worldschool.envs.household.grid.objects import FIRST_ID, STATES, THING_TYPES, TYPES, made
from worldschool.envs.household.scene.operations import INSIDE
from worldschool.records import Goal

# -- MiniGrid's side ------------------------------------------------------------------------------------------------


def test_gymnasiums_checker_is_content(monkeypatch):
    monkeypatch.setitem(os.environ, "SDL_VIDEODRIVER", "dummy")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        check_env(gymnasium.make("worldschool/HouseholdGrid-v0", characters=2).unwrapped)
    # MiniGrid's window asks pygame for a font that it does not have under that name.
    assert [str(one.message) for one in told if "system font" not in str(one.message)] == []


@pytest.mark.parametrize(
    "wrapper",
    [
        wrappers.FullyObsWrapper,
        wrappers.RGBImgObsWrapper,
        wrappers.RGBImgPartialObsWrapper,
        wrappers.ImgObsWrapper,
        wrappers.FlatObsWrapper,
        wrappers.OneHotPartialObsWrapper,
        wrappers.SymbolicObsWrapper,
        wrappers.ViewSizeWrapper,
    ],
)
def test_minigrids_wrappers_give_observations_of_their_space(wrapper):
    env = wrapper(gymnasium.make("worldschool/HouseholdGrid-v0", characters=3, rooms=(2, 5)))
    rng = Random(0)
    for seed in range(6):
        observation, _ = env.reset(seed=seed)
        assert env.observation_space.contains(observation)
        for _ in range(8):
            assert env.observation_space.contains(env.step(rng.choice((0, 1, 2, 3, 4, 5)))[0])


def test_missions_of_default_settings_fit_the_flat_wrapper():
    env = HouseholdGridEnv()
    for seed in range(150):
        mission = env.reset(seed=seed)[0]["mission"]
        assert 0 < len(mission) <= 96 and set(mission.lower()) <= set("abcdefghijklmnopqrstuvwxyz ,")


def test_long_missions_leave_out_articles():
    words = (
        "put the game controller in the medicine cabinet and put the remote control in the washing machine"
    )
    mission = mission_of(Goal(words.capitalize() + "."))
    assert len(words) > 96 >= len(mission) and mission == words.replace(" the ", " ")
    assert mission_of(Goal("Pick up the egg.")) == "pick up the egg" and mission_of(NO_GOAL) == ""


def test_gymnasium_runs_several_at_once():
    envs = gymnasium.make_vec("worldschool/HouseholdGrid-v0", num_envs=2, vectorization_mode="sync")
    observations, _ = envs.reset(seed=3)
    alone_too = gymnasium.make("worldschool/HouseholdGrid-v0").reset(seed=4)[0]
    assert np.array_equal(observations["image"][1], alone_too["image"])
    assert observations["mission"][1] == alone_too["mission"]
    assert envs.step(np.array([1, 2]))[0]["image"].shape == (2, 7, 7, 3)


def test_our_ids_follow_minigrids_and_can_be_decoded():
    assert [IDX_TO_OBJECT[id_] for id_ in (0, 2, 4, 10)] == ["unseen", "wall", "door", "agent"]
    assert [OBJECT_TO_IDX[name] for name in TYPES] == list(range(FIRST_ID, FIRST_ID + len(TYPES)))
    assert FIRST_ID + len(TYPES) <= 256 and STATES <= 256
    assert len(set(THING_TYPES.values())) == len(OBJECTS), "type and colour tell the class"
    for name in TYPES:
        encoded = made(name, 0, 1).encode()
        decoded = WorldObj.decode(*np.array(encoded, np.uint8))
        assert decoded.encode() == encoded and decoded.type == name
        for colour in range(6):
            assert WorldObj.decode(encoded[0], colour, 255) is not None
    assert WorldObj.decode(4, 0, 0).is_open and WorldObj.decode(1, 0, 0) is None
    env = gymnasium.make("MiniGrid-DoorKey-5x5-v0")
    observation, _ = env.reset(seed=1)
    assert env.observation_space.contains(observation) and observation["image"].max() <= 10


def test_a_grid_decoded_from_its_encoding_encodes_the_same():
    env = known()
    alone(env, PICKUP)
    encoded = env.grid.encode()
    assert encoded[2, 1].tolist() == [OBJECT_TO_IDX["kitchen table"], 0, 16]
    assert (
        encoded[1, 1, 0] == OBJECT_TO_IDX["living room floor"]
        and encoded[7, 2, 0] == OBJECT_TO_IDX["kitchen floor"]
    )
    assert encoded[15, 11].tolist() == [1, 0, 0], "outside of the house"
    decoded, seen = Grid.decode(encoded)
    assert np.array_equal(decoded.encode(), encoded) and seen.all()
    assert env.agent_sees(2, 1)
    assert env.pprint_grid().splitlines()[2].startswith("##  ^^    do")


# -- pictures -------------------------------------------------------------------------------------------------------


def tile(env: HouseholdGridEnv, x: int, y: int, size: int = 32) -> np.ndarray:
    return env.get_frame(highlight=False, tile_size=size)[
        y * size : (y + 1) * size, x * size : (x + 1) * size
    ]


def test_pictures_show_what_is_open_on_dirty_there_and_held():
    env = known(mary=(7, 2, 3), render_mode="rgb_array")
    changes = [
        ((7, 1), lambda: alone(env, TOGGLE)),  # the fridge is opened
        ((7, 1), lambda: alone(env, PICKUP)),  # the plate is not in it any more
        ((7, 2), lambda: alone(env, TURN_RIGHT)),  # Mary looks elsewhere
        ((8, 2), lambda: alone(env, DROP)),  # the plate lies on the floor
        ((8, 1), lambda: env.life.do(1, TURN_LEFT, 0) and env._show()),  # John looks elsewhere
    ]
    for (x, y), change in changes:
        before = tile(env, x, y)
        change()
        assert np.abs(tile(env, x, y).astype(int) - before).max() > 60, (x, y)
    env = known(mary=(4, 3, 1))
    before = tile(env, 4, 4)
    alone(env, TOGGLE)
    assert np.abs(tile(env, 4, 4).astype(int) - before).mean() > 5, "the lamp is lit"
    hidden = known(mary=(7, 2, 3), places={"plate": (INSIDE, "wardrobe")})
    assert np.array_equal(tile(hidden, 7, 1), tile(known(mary=(7, 2, 3)), 7, 1)), "closed: nothing shows"


def test_pictures_have_one_size_whatever_the_house():
    env = HouseholdGridEnv(render_mode="rgb_array", tile_size=24, rooms=(2, 5))
    shapes = set()
    for seed in range(8):
        env.reset(seed=seed)
        shapes.add(env.render().shape)
        assert env.render().dtype == np.uint8
    assert len(shapes) == 1
    env.agent_pov = True
    assert env.get_frame(tile_size=16, agent_pov=True).shape == (112, 112, 3)


def test_a_window_needs_no_display(monkeypatch):
    monkeypatch.setitem(os.environ, "SDL_VIDEODRIVER", "dummy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the font, see above
        env = HouseholdGridEnv(render_mode="human", screen_size=120)
        env.reset(seed=1)
        env.step(1)
        assert env.render() is None and env.window.get_size() == (120, 120)
        env.close()
        picture = known(render_mode="rgb_array").render()
    assert picture.std() > 10, "fonts work after the window was closed"


def test_furniture_of_every_class_can_be_drawn_and_states_told_apart():
    from worldschool.envs.household.grid.pictures import Shown, Tile, draw
    from worldschool.envs.household.vocabulary import FURNITURE

    for class_, row in FURNITURE.items():
        plain = draw(Tile(furniture=class_), 24).astype(int)
        bits = [1] * ("CAN_OPEN" in row.properties) + [2] * ("HAS_SWITCH" in row.properties) + [4]
        bits += [8] * ("SURFACES" in row.properties)
        for bit in bits:
            assert np.abs(draw(Tile(furniture=class_, state=bit), 24) - plain).max() > 60, (class_, bit)
        if {"SURFACES", "CONTAINERS"} & row.properties:
            with_things = draw(Tile(furniture=class_, state=1, things=(Shown("egg"),) * 5), 24)
            assert np.abs(with_things - draw(Tile(furniture=class_, state=1), 24).astype(int)).max() > 60
