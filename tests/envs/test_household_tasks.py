from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.agents.curriculum.tasks import draw_task
from worldschool.agents.mcts import MCTS, MCTSConfig
from worldschool.envs import make
from worldschool.envs.household.tasks import HouseholdTasks
from worldschool.envs.household.words.missions import goal_instruction
from worldschool.errors import WorldError
from worldschool.records import Goal

SMALL = {"rooms": [2, 2], "furniture": [1, 2], "objects": [2, 3], "max_steps": 60}
seeds = st.integers(0, 10_000)


def household(seed: int, **settings: Any) -> Any:
    world = make("worldschool/Household-v0", **settings)
    world.reset(seed=seed)
    return world


def everything(tasks: HouseholdTasks) -> list[Any]:
    return [predicate for offers in tasks.offers().values() for predicate in offers]


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_offers_do_not_hold_and_are_accepted_as_goals(seed: int) -> None:
    world = household(seed)
    tasks = HouseholdTasks(world)
    assert set(tasks.offers()) <= {"AT", "HOLDS", "INSIDE", "ON", "STATE"}
    for predicate in everything(tasks):
        goal = Goal("", (predicate,))
        assert world.satisfied(goal) == (False,)
        world.set_goal(goal)  # raises for what could never hold


def test_nearly_every_offer_of_a_small_house_is_reached_by_a_search() -> None:
    reached = asked = 0
    for seed in range(2):
        world = household(seed, **SMALL)
        for predicate in everything(HouseholdTasks(world)):
            asked += 1
            reached += MCTS(MCTSConfig(simulations=400), 0).plan(world, Goal("", (predicate,))).success
    assert asked > 20
    assert reached / asked > 0.9


def test_offers_depend_on_the_state() -> None:
    world = household(3)
    (first, *_) = [one for one in everything(HouseholdTasks(world)) if one[0] == "AT"]
    world.step(f"walk to {first[2]}")
    assert first not in everything(HouseholdTasks(world))


def test_fitting_predicates_are_of_different_things_and_two_are_held() -> None:
    tasks = HouseholdTasks(household(3))
    held = [("HOLDS", "Peter", name) for name in ("apron", "bag", "puzzle")]
    assert tasks.fits(held[:2])
    assert not tasks.fits(held)
    assert not tasks.fits([held[0], ("ON", "apron", "shelf")])
    assert tasks.fits([held[0], ("ON", "bag", "shelf")])


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 6))
def test_what_a_goal_is_told_as_is_read_as_that_goal(seed: int, size: int) -> None:
    tasks = HouseholdTasks(household(seed))
    goal = draw_task(tasks, size, Random(seed))
    if goal is None:
        return
    actor = tasks._me
    choose = Random(seed).choice
    assert tasks.read(goal.text).key == goal.key
    assert tasks.read(goal_instruction(goal.predicates, actor, choose)).key == goal.key


def test_activities_are_read_as_what_they_are_told_to_be() -> None:
    read = 0
    for seed in range(40):
        tasks = HouseholdTasks(household(seed))
        for goal in tasks.activities(Random(seed)):
            assert tasks.read(goal.text.partition(": ")[2]).key == goal.key
            read += 1
    assert read > 20


@pytest.mark.parametrize(
    ("text", "predicates"),
    [
        (
            "put the banana in the fridge and switch on the iron",
            [("INSIDE", "banana", "fridge"), ("STATE:on", "iron", None)],
        ),
        ("1. Peter, no: place banana inside my fridge!", None),
        ("Please store the banana in the fridge.", [("INSIDE", "banana", "fridge")]),
        ("The banana is in the fridge", [("INSIDE", "banana", "fridge")]),
        ("Make sure that Peter is in the pantry", [("AT", "Peter", "pantry")]),
        (
            "put the banana and the puzzle on the shelf, then unplug the radio",
            [("ON", "banana", "shelf"), ("ON", "puzzle", "shelf"), ("STATE:plugged_out", "radio", None)],
        ),
        ("carry the puzzle to the hallway", [("INSIDE", "puzzle", "hallway")]),
        ("put on the apron", [("ON", "apron", "Peter")]),
        ("Pick up the banana and put it in the fridge.", [("INSIDE", "banana", "fridge")]),
        (
            "pick up the banana, open the fridge",
            [("HOLDS", "Peter", "banana"), ("STATE:open", "fridge", None)],
        ),
        (
            "sit down on the rocking chair",
            [("ON", "Peter", "rocking chair"), ("STATE:sitting", "Peter", None)],
        ),
    ],
)
def test_reads_orders_and_statements(text: str, predicates: Any) -> None:
    tasks = HouseholdTasks(household(3))
    if predicates is None:
        with pytest.raises(WorldError, match="cannot be read"):
            tasks.read(text)
    else:
        assert tasks.read(text).key == Goal("", tuple(predicates)).key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fly to the moon", "'fly to the moon' cannot be read"),
        ("", "cannot be read"),
        ("put the bananna on the shelf", r"no 'bananna' in this house. Did you mean 'banana'\?"),
        ("put it in the fridge", "there is no 'it' in this house"),
        ("walk to the shelf", "walking to a thing leaves nothing behind"),
        ("put the banana in the puzzle", "takes here: room, container"),
        ("put the bag in the mailbox and the fridge is dirty", "cannot be read"),
        (", ".join(["open the fridge"] * 17), "more than 16 parts"),
    ],
)
def test_refuses_with_a_reason(text: str, reason: str) -> None:
    tasks = HouseholdTasks(household(3))
    with pytest.raises(WorldError, match=reason):
        tasks.read(text)


def test_refuses_what_is_so_already() -> None:
    world = household(3)
    world.step("walk to pantry")
    with pytest.raises(WorldError, match="it is already so that Peter is in the pantry"):
        HouseholdTasks(world).read("go to the pantry")


def test_kinds_name_what_things_are_to_a_planner() -> None:
    tasks = HouseholdTasks(household(3))
    kinds = {
        name: tasks.kind(name) for name in ("Peter", "pantry", "fridge", "shelf", "bag", "apron", "banana")
    }
    assert list(kinds.values()) == ["character", "room", "container", "surface", "vessel", "garment", "thing"]
    with pytest.raises(KeyError):
        tasks.kind("unicorn")


def test_describes_everything_that_can_be_named() -> None:
    world = household(3)
    told = HouseholdTasks(world).describe()
    assert all(entity.name in told for entity in world.entities())


def test_a_world_is_left_as_it_was() -> None:
    world = household(5)
    before = world.snapshot().digest
    tasks = HouseholdTasks(world)
    tasks.offers()
    tasks.activities(Random(0))
    assert world.snapshot().digest == before
