"""The household on the grid: same episodes as in text, closeness by nearness, moves, paths, snapshots."""

from __future__ import annotations

from collections import deque
from random import Random

import pytest
from gymnasium.error import ResetNeeded
from hypothesis import given, settings
from hypothesis import strategies as st
from minigrid.core.constants import OBJECT_TO_IDX

from tests.envs.grid_house import DONE, HOUSE, JOHN, MODES, alone, is_in_state, known, where
from tests.envs.grid_solving import solve
from worldschool.envs.household import HouseholdEnv
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.grid.env import HouseholdGridEnv
from worldschool.envs.household.grid.floor import STEPS, ahead, padded_size
from worldschool.envs.household.grid.moves import (
    DROP,
    PICKUP,
    STEP,
    TOGGLE,
    TURN_LEFT,
    TURN_RIGHT,
)
from worldschool.envs.household.grid.objects import THING_TYPES
from worldschool.envs.household.houses import draw_house
from worldschool.envs.household.scene.operations import CLOSE, INSIDE
from worldschool.errors import WorldError
from worldschool.records import Goal, Snapshot

# -- the same episodes as in text -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_house_start_and_goal_are_those_of_the_text_household(mode):
    for seed in range(5):
        text = HouseholdEnv(**{"goal": "random", **mode})
        grid = HouseholdGridEnv(**mode)
        text.reset(seed=seed)
        observation, info = grid.reset(seed=seed)
        assert grid.facts() == text.facts()
        assert grid.entities() == text.entities()
        assert grid.goal == text.goal
        assert info["split"] == grid.config.get("split")
        assert observation["mission"].lower() == text.goal.text.lower().rstrip(".")
    text.reset()
    grid.reset()
    assert grid.facts() == text.facts(), "the next episode without a seed"


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sampled_from(MODES), st.integers(0, 10**6))
def test_every_house_fits_the_size_for_its_settings(mode, seed):
    config = HouseholdConfig.build(mode)
    plan = draw_house(config, Random(seed)).plan
    width, height = padded_size(config)
    assert plan.width <= width and plan.height <= height


# -- what always holds ----------------------------------------------------------------------------------------------


def close_by_definition(env: HouseholdGridEnv, actor: int) -> set[str]:
    """Return what a character is CLOSE to, worked out from plan, cells and facts alone."""
    house, floor = env.life.floor.house, env.life.floor
    x, y, _ = floor.poses[actor]
    beside = [(x + dx, y + dy) for dx, dy in STEPS]
    facts = env.facts()
    closed = {fact.subject for fact in facts if fact.relation == "STATE" and fact.object == "closed"}
    pieces = {name for name, cell in house.plan.furniture if cell in beside}
    found = set(pieces)
    for fact in facts:
        found |= {fact.subject} if fact.relation == "ON" and fact.object in pieces else set()
        found |= {fact.subject} if fact.relation == "INSIDE" and fact.object in pieces - closed else set()
        found |= (
            {fact.object} if fact.relation == "HOLDS" and fact.subject == house.characters[actor] else set()
        )
    return found | {house.names[thing] for thing, cell in floor.lying.items() if cell in [(x, y), *beside]}


def check_invariants(env: HouseholdGridEnv) -> None:
    life, floor, house = env.life, env.life.floor, env.life.floor.house
    areas = dict(house.plan.areas)
    furniture = {cell for _, cell in house.plan.furniture}
    facts = env.facts()
    for actor, (x, y, direction) in enumerate(floor.poses):
        name = house.characters[actor]
        room = next(fact.object for fact in facts if fact.relation == "AT" and fact.subject == name)
        assert (x, y) not in furniture and direction in range(4)
        doors = [door.rooms for door in house.plan.doors if door.cell == (x, y)]
        assert (x, y) in areas[room] if not doors else room in doors[0]
        near = life.engine.premises.layout.rows(life.engine.memory, CLOSE)[actor]
        assert {house.names[place] for place in near.nonzero()[0]} == close_by_definition(env, actor)
        assert len(life.hands(actor)) <= 2
    assert len({pose[:2] for pose in floor.poses}) == len(floor.poses)
    on_floor = {(f.subject, f.object) for f in facts if f.relation == "INSIDE" and f.object in areas}
    on_floor -= {(name, room) for name, _, room in house.furniture}
    assert on_floor == {
        (house.names[thing], next(room for room, area in areas.items() if cell in area))
        for thing, cell in floor.lying.items()
    }
    assert not set(floor.lying.values()) & furniture
    in_a_place = [
        f.subject for f in facts if f.relation in ("ON", "INSIDE") and f.subject in dict(house.objects)
    ]
    in_a_place += [f.object for f in facts if f.relation == "HOLDS"]
    assert sorted(in_a_place) == sorted(dict(house.objects))
    assert env.agent_pos == floor.poses[0][:2] and env.agent_dir == floor.poses[0][2]
    assert (env.carrying is None) == (not life.hands(0))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sampled_from(MODES), st.integers(0, 10**6))
def test_invariants_hold_whatever_is_done(mode, seed):
    env = HouseholdGridEnv(**mode)
    env.reset(seed=seed)
    check_invariants(env)
    rng = Random(seed)
    for _ in range(40):
        if rng.random() < 0.1 and (path := env.path_to(rng.choice(env.life.floor.house.names))):
            for move in path:
                if env.step(move)[2]:
                    return
        _, reward, terminated, truncated, info = env.step(rng.choice((0, 1, 2, 2, 2, 3, 3, 4, 5, 6)))
        check_invariants(env)
        assert (reward, info["success"]) == ((1.0, True) if terminated else (0.0, False))
        if terminated or truncated:
            return


def test_a_move_that_fails_changes_nothing_and_costs_a_step():
    env = known(mary=(1, 1, 2))
    before = env.snapshot()
    for move in (STEP, PICKUP, DROP, TOGGLE):
        error, events = env.life.do(0, move, 0)
        assert error and error.endswith(".") and events == ()
        assert env.snapshot() == before
    _, _, _, _, info = env.step(STEP)
    assert env.step_count == 1 and "wall" in info["error"]


# -- moves ----------------------------------------------------------------------------------------------------------


def test_pickup_takes_the_first_in_the_houses_order():
    env = known()
    assert env._info(None)["front"] == ("kitchen table", ("bowl", "egg"))
    assert alone(env, PICKUP) is None
    assert where(env, "bowl") == ("HOLDS", "Mary") and where(env, "banana") == ("INSIDE", "bowl")
    assert alone(env, PICKUP) is None
    assert env.life.hands(0) == ["bowl", "egg"]
    assert env.carrying.type == THING_TYPES["egg"][0]
    assert env.gen_obs()["image"][3, 6, 0] == OBJECT_TO_IDX[THING_TYPES["egg"][0]]


def test_pickup_takes_out_of_a_vessel_in_the_hand_when_there_is_nothing_in_front():
    env = known()
    alone(env, PICKUP, TURN_LEFT)
    assert alone(env, PICKUP) is None
    assert env.life.hands(0) == ["bowl", "banana"]
    assert "nothing to pick up" in alone(env, PICKUP)


def test_hands_are_two_and_drop_lets_go_of_what_was_taken_last():
    env = known(mary=(7, 2, 1), places={"egg": (INSIDE, "box")})
    assert alone(env, PICKUP) is None and env.life.hands(0) == ["box"]
    assert alone(env, TURN_RIGHT, PICKUP) is None and env.life.hands(0) == ["box", "flashlight"]
    assert "nothing" not in alone(env, PICKUP) and len(env.life.hands(0)) == 2, (
        "the egg in the box: no free hand"
    )
    assert alone(env, TURN_LEFT, DROP) is None
    assert where(env, "flashlight") == ("INSIDE", "kitchen")
    assert env.life.floor.lying[HOUSE.place_of["flashlight"]] == (7, 3)
    assert "is in the way" in alone(env, DROP), "the flashlight lies there, and takes nothing in"


def test_what_is_closed_hides_its_contents_until_it_is_opened():
    env = known(mary=(7, 2, 3))
    assert env._info(None)["front"] == ("fridge", ())
    assert alone(env, PICKUP) == "The fridge is closed; open it first."
    hidden = env.gen_obs()["image"][3, 5].tolist()
    assert alone(env, TOGGLE) is None and is_in_state(env, "fridge", "OPEN")
    assert env._info(None)["front"] == ("fridge", ("plate",))
    shown = env.gen_obs()["image"][3, 5].tolist()
    assert shown == [hidden[0], hidden[1], 1 + 16] and hidden[2] == 0
    assert alone(env, PICKUP) is None and where(env, "plate") == ("HOLDS", "Mary")
    assert alone(env, DROP) is None and where(env, "plate") == ("INSIDE", "fridge")
    assert alone(env, TOGGLE) is None and is_in_state(env, "fridge", "CLOSED")


def test_a_chest_takes_things_in_when_open_and_on_top_when_closed():
    env = known(mary=(2, 3, 1))
    assert alone(env, PICKUP, DROP) is None and where(env, "egg 2") == ("INSIDE", "chest")
    assert alone(env, PICKUP, TOGGLE, DROP) is None and where(env, "egg 2") == ("ON", "chest")


def test_things_go_onto_furniture_into_vessels_on_the_floor_and_not_into_a_lamp():
    env = known(mary=(7, 2, 1), places={"egg": (INSIDE, "kitchen")}, lying={"egg": (7, 2)})
    assert alone(env, TURN_RIGHT, PICKUP, TURN_LEFT, DROP) is None
    assert where(env, "flashlight") == ("INSIDE", "box")
    env = known(mary=(4, 3, 1), places={"egg": (INSIDE, "living room")}, lying={"egg": (3, 3)})
    assert alone(env, TURN_RIGHT, PICKUP, TURN_LEFT) is None
    assert "lamp" in alone(env, DROP) and env.life.hands(0) == ["egg"]
    for move in env.path_to("kitchen table"):
        alone(env, move)
    assert alone(env, DROP) is None and where(env, "egg") == ("ON", "kitchen table")


def test_toggle_switches_and_what_opens_and_has_a_switch_goes_round():
    env = known(mary=(4, 3, 1))
    assert alone(env, TOGGLE) is None and is_in_state(env, "lamp", "ON")
    assert alone(env, TOGGLE) is None and is_in_state(env, "lamp", "OFF")
    env = known(mary=(3, 3, 1))
    seen = []
    for _ in range(5):
        assert alone(env, TOGGLE) is None
        seen.append([name for name in ("OPEN", "ON", "PLUGGED_OUT") if is_in_state(env, "oven", name)])
    assert seen == [[], ["OPEN"], ["ON"], [], ["OPEN"]], "plugged in, opened, closed and on, off, opened"


def test_toggle_reaches_a_device_that_lies_there_and_one_in_the_hand():
    env = known(mary=(7, 2, 2))
    assert alone(env, TOGGLE) is None and is_in_state(env, "flashlight", "ON")
    assert alone(env, PICKUP, TOGGLE) is None and is_in_state(env, "flashlight", "OFF")
    assert "nothing to open" in alone(known(), TOGGLE)


def test_a_doorway_counts_to_the_room_one_came_from():
    env = known(mary=(4, 2, 0))
    before = env.snapshot()
    assert alone(env, STEP) is None and env.life.floor.poses[0][:2] == (5, 2)
    assert where(env, "Mary") == ("INSIDE", "living room")
    error, events = env.life.do(0, STEP, 3)
    assert where(env, "Mary") == ("INSIDE", "kitchen") and error is None
    (event,) = events
    assert (event.verb, event.source, event.target, event.t) == ("walk", "living room", "kitchen", 3)
    assert event.seen_by == ("John", "Mary")
    env.restore(before)
    alone(env, STEP, PICKUP)
    assert env.life.hands(0) == ["flashlight"], "from the doorway, out of the next room"
    assert alone(env, DROP) == "You are in the doorway; step into the room first."
    assert (
        alone(env, STEP, TURN_LEFT, TURN_LEFT, DROP)
        == "Nothing can be left in a doorway; choose a free place."
    )


def test_people_are_in_the_way_and_act_by_the_same_rules():
    env = known(mary=(8, 2, 3))
    assert alone(env, STEP) == "John is in the way; wait, or go round."
    assert env.grid.get(8, 1).type == "person" and env.grid.get(8, 1).state == 1
    env.life.do(1, TURN_RIGHT, 0)
    _, events = env.life.do(1, TOGGLE, 0)
    assert is_in_state(env, "fridge", "OPEN") and events[0].actor == "John"
    env = HouseholdGridEnv(characters=4, objects=(20, 30), max_steps=400, goal="none")
    env.reset(seed=1)
    verbs = {event.verb for _ in range(400) for event in env.step(DONE)[4]["events"]}
    assert verbs >= {"walk", "grab", "drop"}


def test_the_goal_ends_the_episode_with_reward_one():
    env = known(goal=Goal("Pick up the bowl.", (("HOLDS", "Mary", "bowl"),)), max_steps=2)
    assert env.mission == "pick up the bowl"
    before = env.snapshot()
    _, reward, terminated, truncated, info = env.step(PICKUP)
    assert (reward, terminated, truncated, info["success"]) == (1.0, True, False, True)
    assert info["events"][0].to_json() | {"t": 0} == info["events"][0].to_json()
    with pytest.raises(WorldError, match="the episode has ended"):
        env.step(DONE)
    env.restore(before)
    assert [env.step(DONE)[1:4] for _ in range(2)] == [(0.0, False, False), (0.0, False, True)]
    with pytest.raises(WorldError, match="the episode has ended"):
        env.step(DONE)


# -- paths ----------------------------------------------------------------------------------------------------------


def test_everything_in_300_houses_can_be_reached():
    for seed in range(300):
        env = HouseholdGridEnv(**MODES[seed % len(MODES)] | {"characters": 1})
        env.reset(seed=seed)
        floor = env.life.floor
        plan = floor.house.plan
        doors = {door.cell for door in plan.doors}
        open_cells = {cell for _, area in plan.areas for cell in area.cells()} | doors
        open_cells -= {cell for _, cell in plan.furniture}
        reached, queue = {env.agent_pos}, deque([env.agent_pos])
        while queue:
            x, y = queue.popleft()
            beside = {(x + dx, y + dy) for dx, dy in STEPS} & open_cells - reached
            reached |= beside
            queue += beside
        assert reached == set(floor.room_at) | doors
        # Of what is left, all are corners between two pieces of furniture.
        assert all(
            sum((x + dx, y + dy) in open_cells for dx, dy in STEPS) == 0 for x, y in open_cells - reached
        )
        for x, y in [*floor.furniture_at, *floor.lying.values()]:
            assert any((x + dx, y + dy) in reached for dx, dy in STEPS)


@pytest.mark.parametrize("mode", MODES[:4])
def test_a_path_leads_to_where_the_household_finds_a_thing_close(mode):
    rng = Random(7)
    for seed in range(12):
        env = HouseholdGridEnv(**mode | {"characters": 1})
        env.reset(seed=seed)
        house, premises = env.life.floor.house, env.life.engine.premises
        for name in rng.sample(house.names, 8):
            path = env.path_to(name)
            assert path is not None and set(path) <= {TURN_LEFT, TURN_RIGHT, STEP}
            assert alone(env, *path) is None
            assert env.path_to(name) == []
            legal = {premises.texts[candidate] for candidate in env.life.engine.legal(0, False).nonzero()[0]}
            view = env.life.engine.view
            if house.kind_of[name] == "room":
                assert view.room_of(house.characters[0]) == name
            elif house.kind_of[name] == "furniture":
                assert f"touch {name}" in legal
                if f"open {name}" in premises.texts and not is_in_state(env, name, "ON"):
                    assert {f"open {name}", f"close {name}"} & legal
            elif house.kind_of[name] == "object":
                above = list(view.above(name))
                within = [
                    place
                    for one, place in zip([name, *above], above, strict=False)
                    if view.relation(one) == "INSIDE"
                ]
                shut = any(is_in_state(env, place, "CLOSED") for place in within)
                if len(above) <= 2 or house.kind_of[above[1]] == "furniture":  # nested no deeper than once
                    assert (f"grab {name}" in legal) == (not shut)


def test_paths_are_shortest_and_tell_when_there_is_none():
    env = known(mary=(4, 2, 2))
    assert env.path_to("fridge") == [0, 0, 2, 2, 2, 0]
    assert env.path_to("plate") == env.path_to("fridge"), "what it is in"
    assert env.path_to("kitchen") == [0, 0, 2, 2] and env.path_to("living room") == [] == env.path_to("Mary")
    assert env.path_to("flashlight") == [0, 0, 2]
    alone(env, *env.path_to("John"))
    assert ahead(env.life.floor.poses[0]) == JOHN[:2]
    assert known(john=(5, 2, 0), places={"John": (INSIDE, "kitchen")}).path_to("kitchen") is None
    with pytest.raises(WorldError, match="Did you mean 'fridge'"):
        env.path_to("frigde")


def test_drawn_goals_can_be_reached_within_the_steps_allowed():
    steps = []
    for seed in range(150):
        env = HouseholdGridEnv()
        env.reset(seed=seed)
        solve(env)
        assert env._terminated, (seed, env.mission)
        steps.append(env.step_count)
    assert max(steps) <= 250


# -- snapshots and errors -------------------------------------------------------------------------------------------


def lived(env: HouseholdGridEnv, moves: list[int]) -> list[object]:
    found: list[object] = []
    for move in moves:
        if env._terminated or env._truncated:
            break
        observation, *rest = env.step(move)
        found.append((observation["image"].tobytes(), observation["direction"], observation["mission"], rest))
        found.append(env.snapshot().digest)
    return found


@pytest.mark.parametrize("mode", MODES)
def test_after_restoring_the_same_moves_give_the_same_future(mode):
    rng = Random(3)
    env, other = HouseholdGridEnv(**mode), HouseholdGridEnv(**mode)
    for seed in range(40):
        env.reset(seed=seed)
        lived(env, rng.choices(range(7), (1, 1, 4, 2, 1, 1, 0), k=rng.randrange(20)))
        before = env.snapshot()
        moves = rng.choices(range(7), (1, 1, 4, 2, 1, 1, 0), k=rng.randrange(1, 12))
        future = lived(env, moves)
        for again in (env, other):
            observation, info = again.restore(before)
            assert again.snapshot() == before and info["events"] == ()
            assert again.observation_space.contains(observation)
            assert lived(again, moves) == future


def test_snapshots_of_other_worlds_houses_and_damaged_ones_are_refused():
    text = HouseholdEnv()
    text.reset(seed=1)
    env = known()
    with pytest.raises(WorldError, match="the snapshot is of 'worldschool/Household-v0'"):
        env.restore(text.snapshot())
    large = HouseholdGridEnv(rooms=(8, 8))
    large.reset(seed=1)
    with pytest.raises(WorldError, match="larger than this grid"):
        env.restore(large.snapshot())
    good = env.snapshot()
    house, changes, (poses, cells), *goal = good.state
    for state in (
        (house, changes, (((2, 1, 0), poses[1]), cells), *goal),  # in the table
        (house, changes, ((poses[1], poses[1]), cells), *goal),  # two in one cell
        (house, changes, (((7, 2, 0), poses[1]), cells), *goal),  # in another room
        (house, changes, (poses, cells[1:]), *goal),  # a thing on the floor without a cell
        (house, "zz", (poses, cells), *goal),
        (house,),
    ):
        with pytest.raises(WorldError, match="damaged"):
            env.restore(Snapshot(good.world, state, good.bookkeeping))
    assert env.snapshot() == good


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"control": "all"}, "control"),
        ({"observe": "full"}, "observe"),
        ({"goal": "activity"}, "goal"),
        ({"agent_view_size": 4}, "agent_view_size"),
        ({"render_mode": "ansi"}, "render_mode"),
        ({"colour": 1}, "unknown setting"),
    ],
)
def test_wrong_settings_are_told(wrong, told):
    with pytest.raises(WorldError, match=told):
        HouseholdGridEnv(**wrong)


def test_errors_name_the_mend():
    env = HouseholdGridEnv()
    for use in (env.snapshot, env.facts, lambda: env.step(0)):
        with pytest.raises(ResetNeeded):
            use()
    env.reset(seed=1)
    for wrong in (7, -1, "left", None):
        with pytest.raises(WorldError, match="0 left, 1 right"):
            env.step(wrong)
    with pytest.raises(WorldError, match="unknown option"):
        env.reset(options={"goals": 1})
    with pytest.raises(WorldError, match="no 'moon'"):
        env.reset(options={"goal": Goal("", (("ON", "moon", "moon"),))})
    again = HouseholdGridEnv(**env.config)
    assert again.config == env.config
