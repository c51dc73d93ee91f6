"""The household as a World: invariants, snapshots, determinism, splits, settings, the Gymnasium contract."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import warnings
from collections import Counter
from random import Random

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from worldschool.envs import make
from worldschool.envs.household import (
    CHARACTERS,
    FURNITURE,
    OBJECTS,
    ROOMS,
    HouseholdConfig,
    HouseholdEnv,
    replay,
    split_of_rooms,
)
from worldschool.envs.household.actions import parse
from worldschool.envs.household.config import ROOM_LIMITS
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.houses import House, draw_house
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.draws import next_number
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.errors import WorldError
from worldschool.records import SPLITS, Goal, Snapshot

MODES = [
    {},
    {"characters": 3},
    {"characters": 2, "control": "all"},
    {"characters": 2, "observe": "full", "actions": "all"},
    {"goal": "random", "focus": True, "info_legal": True},
    {"furniture": (4, 6), "objects": (20, 30), "rooms": (5, 6), "characters": 2},
]


def play(env: HouseholdEnv, rng: Random, steps: int) -> list[tuple[object, ...]]:
    """Act at random (one action in five is nonsense) and return what happened, up to the end of the episode."""
    lived = []
    for _ in range(steps):
        legal = env.legal_actions()
        action = rng.choice(legal) if legal and rng.random() < 0.8 else "grab the moon"
        observation, reward, terminated, truncated, info = env.step(action)
        lived.append((observation, reward, terminated, truncated, info, env.snapshot().digest, env.facts()))
        if terminated or truncated:
            break
    return lived


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.sampled_from(MODES), st.integers(0, 10**6), st.sampled_from(SPLITS))
def test_everything_stays_in_one_place_whatever_is_done(mode, seed, split):
    env = HouseholdEnv(split=split, **mode)
    env.reset(seed=seed)
    entities = {entity.name: entity.class_ for entity in env.entities()}
    objects = {name for name, class_ in entities.items() if class_ in OBJECTS}
    characters = {name for name, class_ in entities.items() if class_ == "character"}
    rng = Random(seed)
    for _ in range(30):
        places = {}
        for fact in env.facts():
            if fact.relation == "HOLDS":
                assert fact.object not in places
                places[fact.object] = fact.subject
            elif fact.relation != "STATE":
                assert fact.subject not in places
                places[fact.subject] = fact.object
        assert objects | characters <= set(places)
        held = Counter(fact.subject for fact in env.facts() if fact.relation == "HOLDS")
        assert max(held.values(), default=0) <= 2
        for thing in objects:
            path = [thing]
            while path[-1] in places:
                path.append(places[path[-1]])
                assert len(path) <= len(entities), f"a circle: {path}"
            assert entities[path[-1]] == "room"
            assert env.satisfied(Goal("", (("INSIDE", thing, path[-1]),))) == (True,)
        assert {entity.name for entity in env.entities()} == set(entities)
        if play(env, rng, 1)[-1][2:4] != (False, False):
            break


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.sampled_from(MODES), st.integers(0, 10**6), st.integers(0, 15))
def test_after_restore_the_same_actions_give_the_same_future(mode, seed, before):
    env = HouseholdEnv(**mode)
    env.reset(seed=seed)
    play(env, Random(seed), before)
    snapshot = env.snapshot()
    observation, info = env.restore(snapshot)
    if env.legal_actions() == []:
        return
    first = play(env, Random(1), 20)
    other = HouseholdEnv(**mode)
    assert other.restore(pickle.loads(pickle.dumps(snapshot))) == (observation, info)
    assert other.snapshot() == snapshot
    assert play(other, Random(1), 20) == first
    env.restore(snapshot)
    assert env.snapshot().digest == snapshot.digest
    assert play(env, Random(1), 20) == first


def test_position_leaves_out_generator_and_step_count(known):
    env = known()
    start = env.snapshot()
    for action in ("Emily: look", "Olga: look"):
        env.step(action)
    assert env.snapshot().position == start.position
    assert env.snapshot().digest != start.digest
    env.set_goal(Goal("", (("ON", "apple", "desk"),)))
    assert env.snapshot().position != start.position


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.text(max_size=300) | st.builds("Emily: {}".format, st.text()), st.sampled_from(["self", "all"]))
def test_no_text_raises(text, control):
    env = HouseholdEnv(split="heldout", control=control, characters=2, rooms=(2, 2))
    env.reset(seed=0)
    before = env.snapshot()
    info = env.step(text)[4]
    assert info["error"].endswith((".", "?"))
    assert env.snapshot().bookkeeping[1] == before.bookkeeping[1] + 1


def test_other_processes_live_the_same_episode():
    program = (
        "from worldschool.envs import make; from random import Random\n"
        "env = make('worldschool/Household-v0', characters=3, goal='random'); env.reset(seed=7); rng = Random(1)\n"
        "for _ in range(10): print(env.step(rng.choice(env.legal_actions()))[0])\n"
        "print(env.snapshot().digest, env.snapshot().position, env.goal.text)"
    )

    def run(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert run("1") == run("2")


def test_a_seed_gives_an_episode_and_the_next_reset_another():
    env = HouseholdEnv()
    first = env.reset(seed=4)
    second = env.reset()
    assert first != second
    assert env.reset(seed=4) == first
    assert env.reset() == second


# -- splits -------------------------------------------------------------------------------------------------------


def test_splits_share_no_object_class_and_no_name():
    assert [sum(row.split == split for row in OBJECTS.values()) for split in SPLITS] == [155, 35, 72]
    assert [len(CHARACTERS[split]) for split in SPLITS] == [24, 8, 12]
    everything = [*OBJECTS, *FURNITURE, *ROOMS, *(name for names in CHARACTERS.values() for name in names)]
    assert len({name.casefold() for name in everything}) == len(everything)
    assert not [name for name in everything if {"in", "on", "to"} & set(name.split())]
    assert {OBJECTS[name].split for name in ("apple", "phone", "lime")} == {"heldout"}
    assert "Emily" in CHARACTERS["heldout"]
    for split in SPLITS:
        assert any(row.vessel for row in OBJECTS.values() if row.split == split)


@pytest.mark.parametrize("count", range(ROOM_LIMITS[0], ROOM_LIMITS[1] + 1))
def test_every_split_has_room_sets_of_every_size(count):
    for split in SPLITS:
        env = HouseholdEnv(split=split, rooms=(count, count))
        for seed in range(5):
            env.reset(seed=seed)
            rooms = [entity.name for entity in env.entities() if entity.class_ == "room"]
            assert len(rooms) == count
            assert split_of_rooms(rooms) == split
            assert split_of_rooms(reversed(rooms)) == split


@pytest.mark.parametrize("split", SPLITS)
def test_a_house_draws_from_its_split_alone(split):
    env = HouseholdEnv(split=split, characters=4, objects=(20, 20))
    _, info = env.reset(seed=1)
    assert info["split"] == split
    entities = env.entities()
    assert len({entity.name for entity in entities}) == len(entities)
    assert {OBJECTS[e.class_].split for e in entities if e.class_ in OBJECTS} == {split}
    assert {e.name for e in entities if e.class_ == "character"} <= set(CHARACTERS[split])


def test_a_stripped_house_has_one_surface_a_room():
    env = HouseholdEnv(focus=True, rooms=(4, 4))
    env.reset(seed=2)
    roles = Counter(FURNITURE[e.class_].role for e in env.entities() if e.class_ in FURNITURE)
    assert roles == {"surface": 4, "container": 1, "switch": 1}


# -- turns, rewards, ends -----------------------------------------------------------------------------------------


def test_turns_rotate_and_the_next_to_act_sees(known):
    env = known()
    observation, _, _, _, info = env.step("Emily: walk to home office")
    assert info["actor"] == "Olga"
    assert observation.startswith("You are Olga, in the kitchen.")
    assert all(action.startswith("Olga: ") for action in env.legal_actions())
    assert env.step("nonsense")[4]["actor"] == "Emily"


def test_with_control_self_the_others_act_after_the_agent_even_when_it_fails(known):
    env = known(control="self")
    info = env.step("grab apple")[4]
    assert [(event.actor, event.t, event.succeeded) for event in info["events"]] == [
        ("Emily", 0, True),
        ("Olga", 0, True),
    ]
    info = env.step("hum")[4]
    assert [(event.actor, event.t, event.succeeded) for event in info["events"]] == [("Olga", 1, True)]
    assert info["actor"] == "Emily"
    assert env.events() == info["events"]


def test_the_goal_ends_the_episode_with_reward_one_before_others_act(known):
    env = known(control="self")
    env.set_goal(Goal("", (("HOLDS", "Emily", "apple"),)))
    _, reward, terminated, truncated, info = env.step("grab apple")
    assert (reward, terminated, truncated, info["success"]) == (1.0, True, False, True)
    assert [event.actor for event in info["events"]] == ["Emily"]
    assert env.legal_actions() == []
    with pytest.raises(WorldError, match="the episode has ended. Call reset"):
        env.step("look")
    env.set_goal(Goal("", (("ON", "apple", "desk"),)))
    assert env.step("look")[1:4] == (0.0, False, False)


def test_the_step_limit_truncates(known):
    env = known(max_steps=2)
    assert env.step("Emily: look")[2:4] == (False, False)
    assert env.step("Olga: look")[2:4] == (False, True)
    with pytest.raises(WorldError, match="the episode has ended"):
        env.step("Emily: look")


def test_before_reset_nothing_can_be_done():
    env = HouseholdEnv()
    for call in (lambda: env.step("look"), env.legal_actions, env.snapshot, env.facts):
        with pytest.raises(ResetNeeded):
            call()


def test_reset_takes_a_goal():
    env = HouseholdEnv(goal="random", split="heldout")
    env.reset(seed=1)
    goal = Goal("Go.", (("AT", House.from_text(env.snapshot().state[0]).characters[0], "class:room"),))
    env.reset(seed=1, options={"goal": goal})
    assert env.goal == goal
    with pytest.raises(WorldError, match="unknown option 'gaol'. Accepted: 'goal'."):
        env.reset(seed=1, options={"gaol": goal})


def test_a_snapshot_after_a_refused_goal_is_told_as_the_new_house():
    env = HouseholdEnv()
    env.reset(seed=1)
    with pytest.raises(WorldError):
        env.reset(seed=2, options={"goal": Goal("", (("AT", "nobody", "nowhere"),))})
    told, _ = env.restore(env.snapshot())
    assert told == env.reset(seed=2)[0]


# -- what it says of itself ---------------------------------------------------------------------------------------

BAD_SETTINGS = [
    ({"split": "test"}, "Household: split: found 'test'. Accepted: 'train', 'validation', 'heldout'."),
    ({"rooms": (1, 3)}, r"Household: rooms: found \(1, 3\). Accepted: two whole numbers, .* within 2 to 8"),
    ({"rooms": 3}, "Household: rooms: found 3"),
    ({"objects": (8, 5)}, r"Household: objects: found \(8, 5\)"),
    ({"objects": (5, 65)}, "within 1 to 64"),
    ({"characters": 0}, "Household: characters: found 0. Accepted: a whole number from 1 to 6."),
    ({"characters": True}, "Household: characters: found True"),
    ({"control": "none"}, "Household: control: found 'none'"),
    ({"observe": "house"}, "Household: observe: found 'house'"),
    ({"actions": "legal"}, "Household: actions: found 'legal'"),
    ({"max_steps": 2.5}, "Household: max_steps: found 2.5"),
    ({"goal": "hard"}, "Household: goal: found 'hard'"),
    ({"goal_size": (0, 2)}, "Household: goal_size: found"),
    ({"info_legal": 1}, "Household: info_legal: found 1. Accepted: True, False."),
    ({"focus": "yes"}, "Household: focus: found 'yes'"),
    ({"render_mode": "human"}, "Household: render_mode: found 'human'"),
    ({"room": (3, 4)}, "Household: unknown setting 'room'. .* Did you mean 'rooms'?"),
]


@pytest.mark.parametrize(("bad", "error"), BAD_SETTINGS)
def test_a_setting_that_is_not_accepted_is_named(bad, error):
    with pytest.raises(WorldError, match=error):
        make("worldschool/Household-v0", **bad)


def test_config_makes_the_same_world_again():
    env = HouseholdEnv(rooms=[2, 3], goal="random", characters=2, info_legal=True)
    config = json.loads(json.dumps(env.config))
    again = make("worldschool/Household-v0", **config)
    assert again.config == env.config
    assert again.reset(seed=5) == env.reset(seed=5)
    assert again.goal == env.goal


def test_a_snapshot_of_another_world_or_damaged_is_refused(known):
    env = known()
    with pytest.raises(WorldError, match="the snapshot is of 'worldschool/Shop-v0'"):
        env.restore(Snapshot("worldschool/Shop-v0", ()))
    good = env.snapshot()
    text, changes, *rest = good.state
    for state in ((), good.state[:3], (text, (), *rest), (text, changes, 7, "", ()), ("[]", changes, *rest),
                  (text, changes[:-1], *rest), (text, "ffff" + changes[4:], *rest)):  # fmt: skip
        with pytest.raises(WorldError, match="the snapshot is damaged"):
            env.restore(Snapshot(good.world, state, good.bookkeeping))
    assert env.snapshot() == good


@pytest.mark.parametrize("mode", [*MODES, {"render_mode": "ansi"}])
def test_gymnasium_accepts_it_without_a_warning(mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("worldschool/Household-v0", **mode)
        check_env(env.unwrapped)
        env.reset(seed=0)
        assert isinstance(env.step("look")[0], str)
        assert "\n\nThe " in (env.render() or "\n\nThe ")
        env.close()


def test_the_generator_is_splitmix64():
    # The first outputs of the reference implementation for the seed 1234567.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    state = np.array([1234567], np.uint64)
    compiled = njit(lambda generator: next_number(generator))
    assert [int(compiled(state)) for _ in expected] == expected


# -- houses -------------------------------------------------------------------------------------------------------


def drawn_houses(count: int, **settings: object) -> list[House]:
    """Return some houses."""
    config = HouseholdConfig(**settings)
    return [draw_house(config, Random(seed)) for seed in range(count)]


HOUSES = [
    {"split": "train"},
    {"split": "validation", "rooms": (2, 2), "objects": (1, 2), "furniture": (1, 1)},
    {"split": "heldout", "rooms": (8, 8), "objects": (40, 64), "furniture": (1, 8), "characters": 6},
    {"focus": True, "characters": 2},
]


@pytest.mark.parametrize("dials", HOUSES)
def test_a_house_is_what_its_text_tells(dials):
    for house in drawn_houses(20, **dials):
        assert House.from_text.__wrapped__(house.text) == house
        assert len(set(house.names)) == len(house.names)


@pytest.mark.parametrize("dials", HOUSES)
def test_furniture_fits_its_room_and_can_be_walked_to(dials):
    for house in drawn_houses(40, **dials):
        plan, areas = house.plan, dict(house.plan.areas)
        taken = {cell for _, cell in plan.furniture}
        assert len(taken) == len(house.furniture)
        assert {name: room for name, _, room in house.furniture} == {
            name: room for name, cell in plan.furniture for room, area in areas.items() if cell in area
        }
        free = {cell for area in areas.values() for cell in area.cells()} - taken
        free |= {door.cell for door in plan.doors}
        reached: set[tuple[int, int]] = set()
        todo = [next(cell for cell in sorted(free) if inner(areas, cell))]
        while todo:
            x, y = cell = todo.pop()
            if cell in free and cell not in reached:
                reached.add(cell)
                todo += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        for x, y in taken:
            assert reached & {(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)}
        assert {cell for cell in free if inner(areas, cell)} <= reached
        assert {door.cell for door in plan.doors} <= reached


def inner(areas, cell) -> bool:
    """Return whether a cell touches no wall."""
    return any(
        area.x < cell[0] < area.x + area.width - 1 and area.y < cell[1] < area.y + area.height - 1
        for area in areas.values()
    )


@pytest.mark.parametrize("dials", HOUSES)
def test_premises_are_what_the_scene_graph_compiles_to(dials):
    for house in drawn_houses(5, **dials):
        engine = Engine(Premises(house), 7)
        engine.begin()
        graph = engine.premises.graph(engine.memory)
        compiled = CompiledScene.compile(SceneGraph.from_dict(graph.to_dict()), "house")
        assert np.array_equal(compiled.memory, engine.memory)
        for ours, theirs in zip(engine.premises.scene, compiled.scene, strict=True):
            if getattr(ours, "shape", None) is None or ours is engine.premises.scene.scratch:
                continue
            assert np.array_equal(ours, theirs) or ours is engine.premises.scene.initial_states
        assert compiled.layout == engine.premises.layout
        assert compiled.to_graph(engine.memory) == graph


def test_the_scene_graph_names_classes_as_virtualhome_does(known):
    graph = known().graph().to_dict()
    nodes = {node["class_name"]: node for node in graph["nodes"]}
    assert nodes["home_office"]["category"] == "Rooms"
    assert nodes["fridge"]["states"] == ["OPEN"]
    assert "CAN_OPEN" in nodes["fridge"]["properties"]
    places = {node["id"]: node["class_name"] for node in graph["nodes"]}
    edges = {(places[e["from_id"]], e["relation_type"], places[e["to_id"]]) for e in graph["edges"]}
    assert ("lime", "INSIDE", "vase") in edges
    assert ("character", "HOLDS_RH", "ring") in edges
    assert ("stove", "CLOSE", "counter") in edges


@pytest.mark.parametrize("mode", MODES)
def test_the_kernel_does_what_the_program_of_the_actions_does(mode):
    """Replaying the actions as a program of dialect house on the graph of the start gives the graph of the end."""
    env = HouseholdEnv(**{**mode, "characters": 1, "control": "self", "goal": "none"})
    env.reset(seed=11)
    start = env.graph().to_dict()
    names = {name: place + 1 for place, name in enumerate(env._engine.premises.house.names)}
    program = []
    rng = Random(3)
    for _ in range(25):
        text = rng.choice(env.legal_actions())
        action = parse(env._engine.premises, text)
        things = "".join(f" <{name}> ({names[name]})" for name in (action.x, action.y) if name)
        if action.form.row:
            program.append(f"[{action.form.row}]{things}")
        assert env.step(text)[4]["error"] is None
    outcome = replay(start, program, dialect="house")
    assert outcome.executable
    assert outcome.graph == env.graph().to_dict()
