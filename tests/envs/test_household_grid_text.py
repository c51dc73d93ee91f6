"""The grid in text: the very dynamics of MiniGrid's form, actions in words, walks, what is seen, and the contract of a World."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from random import Random

import gymnasium
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.grid_house import JOHN, known
from worldschool.envs import make, world_class
from worldschool.envs.household.grid.deeds import DONE, DROP, PICKUP, STEP, TOGGLE, TURN_LEFT, TURN_RIGHT
from worldschool.envs.household.grid.env import HouseholdGridEnv
from worldschool.envs.household.grid.tasks import GridTasks
from worldschool.envs.household.grid.text import HouseholdGridTextEnv
from worldschool.envs.household.words.stories import STYLES
from worldschool.errors import WorldError
from worldschool.records import Goal, Snapshot

WORLD = "worldschool/HouseholdGrid-v0"
MODES = [
    {},
    {"moves": "single"},
    {"characters": 3, "objects": (10, 20)},
    {"characters": 2, "moves": "single", "observe": "full"},
    {"characters": 6, "rooms": (2, 2), "objects": (30, 64), "split": "heldout"},
    {"focus": True, "goal": "none", "info_legal": True},
]


def minigrid(world: HouseholdGridTextEnv) -> HouseholdGridEnv:
    """Return MiniGrid's form with the same settings."""
    left_out = ("moves", "observe", "info_legal")
    return HouseholdGridEnv(**{name: value for name, value in world.config.items() if name not in left_out})


def any_action(world: HouseholdGridTextEnv, rng: Random) -> str:
    """Return a legal action, oftener one that handles things; now and then one that is illegal or nonsense."""
    legal = world.legal_actions()
    handling = [action for action in legal if not action.startswith(("walk", "turn", "go", "wait"))]
    if rng.random() < 0.15:
        return rng.choice(
            ["drop", "toggle", "pick up", "forward", f"grab {rng.choice(world.entities()).name}", "fly"]
        )
    return rng.choice(handling) if handling and rng.random() < 0.5 else rng.choice(legal)


def known_text(goal: Goal | None = None, **settings: object) -> HouseholdGridTextEnv:
    """Return the known house in text; MiniGrid's form is told where Mary and the things are."""
    options = {name: settings.pop(name) for name in ("moves", "observe", "max_steps") if name in settings}
    world = HouseholdGridTextEnv(characters=2, **options)
    world.restore(known(**settings, **({} if goal is None else {"goal": goal})).snapshot())
    return world


# -- the same dynamics ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_equal_seeds_give_equal_episodes_in_both_forms(mode):
    world = make(WORLD, **mode)
    env = minigrid(world)
    for seed in (0, 1, None):
        world.reset(seed=seed)
        env.reset(seed=seed)
        assert world.snapshot().digest == env.snapshot().digest


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.sampled_from(MODES), st.integers(0, 10**6))
def test_the_moves_that_are_told_bring_minigrids_form_to_the_same_state(mode, seed):
    world = make(WORLD, **mode)
    env = minigrid(world)
    world.reset(seed=seed)
    env.reset(seed=seed)
    rng = Random(seed)
    for turn in range(25):
        _, reward, terminated, truncated, info = world.step(any_action(world, rng))
        there = [env.step(move) for move in info["moves"]]
        here, moved = world.snapshot(), env.snapshot()
        assert here.position == moved.position
        assert here.bookkeeping[:2] + here.bookkeeping[3:] == moved.bookkeeping[:2] + moved.bookkeeping[3:]
        assert (reward, terminated, truncated) == there[-1][1:4]
        assert not any(step[2] or step[3] for step in there[:-1])
        met = [replace(event, t=turn) for step in there for event in step[4]["events"]]
        walked_up = [event for event in info["events"] if event not in met]
        assert [event for event in info["events"] if event in met] == met
        assert all(
            event.verb == "walk" and event.object and event.source == event.target for event in walked_up
        )
        assert len(walked_up) <= 1
        if terminated or truncated:
            return


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.sampled_from(MODES), st.integers(0, 10**6))
def test_legal_actions_are_those_that_succeed_and_change_something(mode, seed):
    world = make(WORLD, **{**mode, "goal": "none"})
    world.reset(seed=seed)
    rng = Random(seed)
    for _ in range(4):
        before, legal = world.snapshot(), world.legal_actions()
        assert legal == sorted(set(legal))
        alone = len(world.life.floor.house.characters) == 1
        made = set()
        for action in legal:
            info = world.step(action)[4]
            made.add(info["moves"])
            if alone or not action.startswith("walk"):  # on the way somebody may step in front
                assert info["error"] is None, action
            assert not alone or world.snapshot().position != before.position, action
            world.restore(before)
        for move in (PICKUP, DROP, TOGGLE):  # nothing that can be handled is left out
            error, events = world.life.do(0, move, 0)
            world.restore(before)
            assert (bool(events) and error is None) == ((move,) in made)
        for _ in range(4):
            if any(world.step(any_action(world, rng))[2:4]):
                return


def test_snapshots_are_shared_with_minigrids_form():
    world = make(WORLD, characters=3)
    env = HouseholdGridEnv(characters=3)
    world.reset(seed=5)
    for name in ("kitchen", world.life.floor.house.objects[0][0]):
        world.step(f"walk to {name}")
    snapshot = pickle.loads(pickle.dumps(world.snapshot()))
    env.restore(snapshot)
    assert env.snapshot() == snapshot
    env.step(TURN_LEFT)
    world.restore(env.snapshot())
    assert world.snapshot().digest == env.snapshot().digest
    assert world.goal == env.goal


def test_a_restored_house_is_not_changed_by_what_is_done_after_another_restore():
    world = known_text()
    first = world.snapshot()
    world.step("grab bowl")
    second = world.snapshot()
    for snapshot in (first, second, first, first, second):
        observation, info = world.restore(snapshot)
        assert world.snapshot().digest == snapshot.digest and info["events"] == ()
        assert ("You hold: bowl" in observation) == (snapshot is second)
        world.step("walk to fridge")


def test_a_damaged_snapshot_changes_nothing():
    world = known_text()
    world.step("grab bowl")
    good = world.snapshot()
    for _ in range(2):
        world.restore(good)
    house, _, (poses, cells), *goal = good.state
    changes = known().snapshot().state[1]  # the bowl is on the table
    for state in (
        (house, changes, (((2, 1, 0), poses[1]), cells), *goal),
        (house, changes, (poses, cells[1:]), *goal),
        (house, "zz", (poses, cells), *goal),
        (house,),
    ):
        with pytest.raises(WorldError, match="damaged"):
            world.restore(Snapshot(good.world, state, good.bookkeeping))
        assert world.snapshot() == good and world.view.held("Mary") == ["bowl"]
    with pytest.raises(WorldError, match="the snapshot is of 'worldschool/Household-v0'"):
        world.restore(Snapshot("worldschool/Household-v0", good.state, good.bookkeeping))


# -- walks ----------------------------------------------------------------------------------------------------------


def test_a_walk_makes_the_fewest_moves_and_tells_of_each_room_and_of_the_end():
    world = known_text(john=(1, 4, 1))
    path = world.path_to("wardrobe")
    *_, info = world.step("walk to wardrobe")
    assert info["moves"] == tuple(path) and info["error"] is None
    mine = [event for event in info["events"] if event.actor == "Mary"]
    assert [(event.verb, event.object, event.source, event.target) for event in mine] == [
        ("walk", None, "living room", "kitchen"),
        ("walk", "wardrobe", "kitchen", "kitchen"),
    ]
    assert world.step_count == len(path)
    assert world.path_to("wardrobe") == []
    assert world.narrate(mine, "plain", Random(0)) == [
        "Mary walked to the kitchen.",
        "Mary went over to the wardrobe.",
    ]


def test_a_walk_ends_with_an_error_where_somebody_steps_in_front():
    for seed in range(60):
        world = make(WORLD, characters=6, rooms=(2, 2), goal="none")
        world.reset(seed=seed)
        rooms = world.life.floor.house.rooms
        there = next(room for room in rooms if room != world.life.floor.house.names[world.life.place(0)[0]])
        path = world.path_to(there)
        if path is None:
            continue
        *_, info = world.step(f"walk to {there}")
        if info["error"]:
            assert "is in the way; wait, or go round." in info["error"]
            assert info["moves"] == tuple(path[: len(info["moves"])]) and info["moves"][-1] == STEP
            assert world.step_count == len(info["moves"])
            return
    raise AssertionError("nobody ever stepped in front")


def test_what_cannot_be_walked_to_is_told_and_not_legal():
    world = known_text(mary=(1, 1, 3), john=(1, 2, 1))  # a corner beside the table, barred by John
    reached = {"John", "banana", "bowl", "egg", "kitchen table"}
    assert set(world.legal_actions()) == {"wait", *(f"walk to {name}" for name in reached)}
    *_, info = world.step("walk to fridge")
    assert info["error"].startswith("There is no way to the fridge now") and info["moves"] == (DONE,)
    assert (
        known_text().step("walk to kitchen table")[4]["error"]
        == "You are there already; walk to something other than the kitchen table."
    )
    assert "walk to living room" not in known_text().legal_actions()


def test_a_way_that_was_walked_is_not_taken_when_somebody_stands_on_it():
    world = known_text(john=(1, 4, 1))
    straight = world.path_to("oven")
    world.restore(known(john=(3, 2, 1)).snapshot())
    around = world.path_to("oven")
    assert len(around) >= len(straight) and around != straight
    fresh = HouseholdGridEnv(characters=2)
    fresh.restore(world.snapshot())
    assert fresh.path_to("oven") == around


def test_the_step_limit_and_the_goal_end_a_walk():
    world = known_text(max_steps=3)
    *_, terminated, truncated, info = world.step("walk to wardrobe")
    assert (terminated, truncated, len(info["moves"])) == (False, True, 3)
    assert world.legal_actions() == []
    with pytest.raises(WorldError, match="the episode has ended"):
        world.step("wait")
    world = known_text(goal=Goal("Go to the kitchen.", (("AT", "Mary", "kitchen"),)))
    path = world.path_to("wardrobe")
    _, reward, terminated, _, info = world.step("walk to wardrobe")
    assert (reward, terminated, info["success"]) == (1.0, True, True)
    assert len(info["moves"]) < len(path)


# -- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("turn left", TURN_LEFT), ("Right.", TURN_RIGHT), ("go  forward", STEP), ("pickup", PICKUP),
        ("grab bowl", PICKUP), ("Pick up the bowl.", PICKUP), ("[GRAB] <bowl> (1)", PICKUP), ("toggle", TOGGLE),
        ("drop", DROP), ("wait", DONE), ("done", DONE), ("look around", DONE),
    ],
)  # fmt: skip
@pytest.mark.parametrize("moves", ["walks", "single"])
def test_moves_are_read_in_many_words(text, move, moves):
    world = known_text(moves=moves)
    assert world.step(text)[4]["moves"] == (move,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("grab egg", "The bowl is in the way of the egg; grab bowl first."),
        ("grab plate", "You do not face the plate; walk to plate first."),
        ("put bowl on kitchen table", "You do not hold the bowl; grab it first."),
        ("open fridge", "You do not face the fridge; walk to fridge first."),
        ("grab fridge", "The fridge cannot be carried; choose one of the things on or in the furniture."),
        ("wash bowl", "On the grid nobody can wash the bowl; walk, grab, put, open or switch."),
        ("grab moon", "There is no 'moon' in this house; choose a name from the observation."),
        ("walk to kitchn", "There is no 'kitchn' in this house; did you mean 'kitchen'?"),
        ("fly", ("'fly' is not an action; write one of these: walk to PLACE, grab THING, put THING on PLACE, "
         "put THING in PLACE, drop THING, open THING, close THING, switch on THING, switch off THING, plug in THING, "
         "turn left, turn right, go forward, wait.")),
        ("grab " + "x" * 300, "An action has at most 200 characters; this one has 305."),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_move_of_waiting_and_says_why(text, told):
    world = known_text(john=JOHN)
    before = world.snapshot()
    *_, info = world.step(text)
    assert info["error"] == told
    assert info["moves"] == (DONE,) and not any(event.actor == "Mary" for event in info["events"])
    assert world.snapshot().bookkeeping[1] == before.bookkeeping[1] + 1


def test_what_is_held_and_what_the_household_refuses_is_told():
    world = known_text()
    assert world.step("grab bowl")[4]["error"] is None
    assert world.step("grab bowl")[4]["error"] == (
        "You hold the bowl already; put or drop it if you want it elsewhere."
    )
    world.step("walk to chest")
    assert world.step("put bowl on kitchen table")[4]["error"] == (
        "You do not face the kitchen table; walk to kitchen table first."
    )
    assert "put bowl in chest" in world.legal_actions()
    assert world.step("put bowl on chest")[4]["error"].startswith(
        "Here that move would be 'put bowl in chest'"
    )
    assert world.step("grab egg 2")[4]["error"] is None
    world.step("walk to kitchen table")
    *_, info = world.step("grab egg")
    assert (
        info["error"] == "Your hands are full with the bowl and the second egg; put one of them down first."
    )
    assert info["moves"] == (PICKUP,)
    failed = [event for event in info["events"] if event.actor == "Mary"]
    assert [(event.verb, event.object, event.succeeded) for event in failed] == [("grab", "egg", False)]
    assert "grab egg" not in world.legal_actions()


def test_an_open_oven_is_closed_and_switched_on_in_one_action():
    world = known_text(mary=(3, 3, 1), john=(8, 1, 1))
    seen = []
    for _ in range(5):
        (toggled,) = [action for action in world.legal_actions() if action.endswith("oven")]
        seen.append(toggled)
        *_, info = world.step(toggled)
        seen.append([event.verb for event in info["events"] if event.actor == "Mary"])
    assert seen == [
        "plug in oven", ["plug_in"], "open oven", ["open"], "switch on oven", ["close", "switch_on"],
        "switch off oven", ["switch_off"], "open oven", ["open"],
    ]  # fmt: skip


def test_single_moves_do_not_walk():
    world = known_text(moves="single")
    assert world.legal_actions() == ["grab bowl", "turn left", "turn right", "wait"]
    *_, info = world.step("walk to fridge")
    assert info["error"] == (
        "Here one walks by single moves; turn left, turn right or go forward to the fridge."
    )
    world.step("turn left")
    assert "go forward" in world.legal_actions()


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.text(max_size=300) | st.builds("walk to {}".format, st.text()), st.sampled_from(["walks", "single"])
)
def test_no_text_raises(text, moves):
    world = known_text(moves=moves)
    info = world.step(text)[4]
    assert info["error"] is None or info["error"].endswith((".", "?"))
    assert world.step_count == len(info["moves"]) > 0


def test_an_event_tells_the_step_and_not_the_move():
    world = known_text(john=JOHN)
    taken = 0
    for text in ("wait", *(f"walk to {name}" for name in world.life.floor.house.names)):
        *_, info = world.step(text)
        assert {event.t for event in info["events"]} <= {taken}
        taken += 1
        world.restore(world.snapshot())
    assert world.step_count > taken == world.snapshot().bookkeeping[2]


# -- what is told ---------------------------------------------------------------------------------------------------


def test_observations_tell_the_room_what_is_in_front_and_which_way_the_rest_is():
    assert known_text().restore(known().snapshot())[0] == (
        "You are Mary, in the living room.\n"
        "The chest is open. On the chest: nothing. In the chest: egg 2.\n"
        "On the kitchen table: bowl (in it: banana), egg.\n"
        "The lamp is off.\n"
        "The oven is closed and off and unplugged.\n"
        "You hold: nothing.\n"
        "You are close to: bowl, egg, kitchen table.\n"
        "Other rooms: kitchen.\n"
        "In front of you: kitchen table.\n"
        "Around you: kitchen table 1 ahead; chest 2 behind; doorway to kitchen 3 right; oven 2 behind and 1 right; "
        "lamp 2 behind and 2 right."
    )
    world = known_text(mary=(6, 2, 0), john=(7, 2, 3))  # on the flashlight, facing John
    seen = world.restore(world.snapshot())[0]
    assert "In front of you: John.\n" in seen
    assert seen.endswith(
        "Around you: flashlight at your feet; John 1 ahead; doorway to living room 1 behind; box 1 ahead and 1 right; "
        "fridge 1 ahead and 1 left; wardrobe 2 ahead and 2 right."
    )
    for pose, told in (((4, 2, 0), "a doorway to kitchen"), ((4, 1, 0), "a wall"), ((4, 1, 2), "free floor"),
                       ((7, 2, 2), "flashlight"), ((5, 2, 2), "free floor")):  # fmt: skip
        world = known_text(mary=pose)
        assert f"In front of you: {told}.\n" in world.restore(world.snapshot())[0]


def test_what_is_in_other_rooms_or_closed_is_not_told():
    seen = known_text().restore(known().snapshot())[0]
    assert "plate" not in seen and "box" not in seen and "John" not in seen
    everything = known_text(observe="full")
    seen = everything.restore(everything.snapshot())[0]
    assert "The kitchen:\n" in seen and "box" in seen and "plate" not in seen


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.sampled_from(MODES), st.integers(0, 10**6), st.sampled_from(STYLES))
def test_every_action_can_be_told_in_every_style(mode, seed, style):
    world = make(WORLD, **mode)
    world.reset(seed=seed)
    rng = Random(seed)
    for action in world.legal_actions():
        told = world.narrate_action(action, style, rng)
        if style != "program":
            assert told[0].isupper() and told.endswith(".")
        elif action in ("wait", "turn left", "turn right", "go forward"):
            assert told == ""
        else:
            assert told.startswith("[")


def test_moves_are_told_and_unknown_styles_refused():
    tell = world_class(WORLD).narrate_action
    assert tell("go forward") == "Go forward." and tell("grab apple 2") == "Pick up the second apple."
    assert len({tell("turn left", "varied", Random(seed)) for seed in range(20)}) == 3
    with pytest.raises(WorldError, match="style"):
        tell("wait", "loud")
    assert world_class(WORLD).phrase("apple 2") == "the second apple"
    assert world_class(WORLD).goal_text(Goal("", (("AT", "Mary", "kitchen"),))) == "Mary is in the kitchen"


# -- the contract ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*MODES, {"render_mode": "ansi"}, {"render_mode": "rgb_array"}])
def test_gymnasium_accepts_it_without_a_warning(mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("worldschool/HouseholdGridText-v0", **mode)
        check_env(env.unwrapped)
        env.reset(seed=0)
        assert isinstance(env.step("wait")[0], str)
        env.close()


def test_the_id_makes_text_here_and_minigrids_form_in_gymnasium():
    assert type(make(WORLD)) is HouseholdGridTextEnv and world_class(WORLD) is HouseholdGridTextEnv
    assert type(gymnasium.make(WORLD).unwrapped) is HouseholdGridEnv
    world = gymnasium.make("worldschool/HouseholdGridText-v0", moves="single").unwrapped
    assert type(world) is HouseholdGridTextEnv and world.world_id == WORLD
    with pytest.raises(WorldError, match=f"Did you mean '{WORLD}'"):
        make("worldschool/HouseholdGridText-v0")


@pytest.mark.parametrize("mode", MODES)
def test_config_makes_the_same_world_again(mode):
    world = make(WORLD, **mode)
    again = make(WORLD, **world.config)
    assert again.config == world.config
    assert again.reset(seed=3) == world.reset(seed=3)


def test_pictures_are_those_of_minigrids_form():
    world = make(WORLD, characters=2, render_mode="rgb_array")
    world.reset(seed=1)
    world.step("walk to kitchen")
    env = HouseholdGridEnv(characters=2, render_mode="rgb_array")
    env.restore(world.snapshot())
    assert (world.render() == env.render()).all()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"moves": "runs"}, "moves: found 'runs'. Accepted: 'walks', 'single'."),
        ({"control": "all"}, "control"),
        ({"actions": "all"}, "actions"),
        ({"wording": "varied"}, "wording"),
        ({"goal": "activity"}, "goal"),
        ({"render_mode": "human"}, "render_mode"),
        ({"colour": 1}, "unknown setting"),
    ],
)
def test_wrong_settings_are_told(wrong, told):
    with pytest.raises(WorldError, match=told):
        make(WORLD, **wrong)


def test_without_a_reset_nothing_is_told():
    world = make(WORLD)
    for use in (world.legal_actions, world.snapshot, world.facts, lambda: world.step("wait")):
        with pytest.raises(ResetNeeded):
            use()
    with pytest.raises(WorldError, match="unknown option 'gaol'"):
        world.reset(options={"gaol": Goal("")})


def test_a_goal_can_be_asked_for():
    goal = Goal("Go to the kitchen.", (("AT", "Mary", "kitchen"),))
    world = known_text()
    world.set_goal(goal)
    assert world.goal == goal and world.satisfied(goal) == (False,)
    with pytest.raises(WorldError, match="there is no 'moon'"):
        world.set_goal(Goal("", (("AT", "moon", "kitchen"),)))
    world.step("walk to kitchen")
    assert world.satisfied(goal) == (True,)
    world.reset(seed=7)
    asked = Goal("", (("AT", world.life.floor.house.characters[0], world.life.floor.house.rooms[0]),))
    world.reset(seed=7, options={"goal": asked})
    assert world.goal == asked


# -- what may be asked ----------------------------------------------------------------------------------------------


def test_what_moves_can_bring_about_is_offered_and_what_they_cannot_is_not():
    world = make(WORLD, goal="none", max_steps=10**6, objects=(10, 12))
    for seed in range(6):
        world.reset(seed=seed)
        me = world.life.floor.house.characters[0]
        start = world.snapshot()
        offers = {predicate for offered in GridTasks(world).offers().values() for predicate in offered}
        assert not any(world.satisfied(Goal("", (predicate,)))[0] for predicate in offers)
        assert {name for name, _, _ in offers} <= {
            "AT", "HOLDS", "INSIDE", "ON", "STATE:open", "STATE:closed", "STATE:on", "STATE:off", "STATE:plugged_in",
        }  # fmt: skip
        assert not any(name == "ON" and me in (subject, target) for name, subject, target in offers)
        rng = Random(seed)
        for _ in range(150):
            world.step(any_action(world, rng))
        brought_about = {
            (f"STATE:{fact.object}", fact.subject, None)
            if fact.relation == "STATE"
            else (fact.relation, fact.subject, fact.object)
            for fact in world.facts()
        }
        world.restore(start)
        new = {predicate for predicate in brought_about if not world.satisfied(Goal("", (predicate,)))[0]}
        assert new and new <= offers


@pytest.mark.parametrize("world_id", [WORLD, "worldschool/Household-v0"])
def test_a_step_unseen_is_the_same_step(world_id):
    world, twin = make(world_id, goal="random"), make(world_id, goal="random")
    world.reset(seed=4)
    twin.reset(seed=4)
    rng = Random(0)
    for _ in range(20):
        action = any_action(world, rng)
        observation, _, terminated, truncated, _ = world.step(action)
        assert twin.step_unseen(action) == (terminated, truncated)
        assert (twin.snapshot().digest, twin.events()) == (world.snapshot().digest, world.events())
        assert twin.restore(twin.snapshot())[0] == observation
