"""Goals: what holds, what is refused, and that every goal drawn can be reached."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.household import OBJECTS, HouseholdEnv
from worldschool.envs.household.goals import goal_instruction
from worldschool.errors import WorldError
from worldschool.records import Goal

HOLDING = [
    (("ON", "camera", "desk"), True),
    (("ON", "apple", "desk"), False),
    (("ON", "class:apple", "counter"), True),
    (("ON", "class:apple", "desk"), False),
    (("INSIDE", "apple", "kitchen"), True),
    (("INSIDE", "lime", "vase"), True),
    (("INSIDE", "lime", "bucket"), True),
    (("INSIDE", "lime", "kitchen"), True),
    (("INSIDE", "lime", "home office"), False),
    (("INSIDE", "class:apple", "fridge"), True),
    (("INSIDE", "ring", "kitchen"), True),
    (("INSIDE", "desk", "home office"), True),
    (("HOLDS", "Olga", "ring"), True),
    (("HOLDS", "Emily", "ring"), False),
    (("HOLDS", "class:character", "class:ring"), True),
    (("AT", "Emily", "kitchen"), True),
    (("AT", "Emily", "home office"), False),
    (("STATE:open", "fridge", None), True),
    (("STATE:closed", "fridge", None), False),
    (("STATE:closed", "class:cabinet", None), True),
    (("STATE:on", "stove", None), True),
    (("STATE:off", "lamp", None), True),
]


@pytest.mark.parametrize(("predicate", "expected"), HOLDING)
def test_a_predicate_holds_or_not(known, predicate, expected):
    env = known()
    goal = Goal("", (predicate,))
    env.set_goal(goal)
    assert env.satisfied(goal) == (expected,)


def test_on_holds_for_the_vessel_and_not_for_what_is_in_it(known):
    env = known({"bucket": "counter"})
    assert env.satisfied(Goal("", (("ON", "bucket", "counter"), ("ON", "vase", "counter")))) == (True, False)


REFUSED = [
    (("NEAR", "apple", "desk"), "goal: unknown predicate 'NEAR'. Accepted: ON, INSIDE"),
    (("ON", "aple", "desk"), "there is no 'aple' in this house. Did you mean 'apple'?"),
    (("ON", "class:aple", "desk"), "there is no 'class:aple' in this house. Did you mean 'class:apple'?"),
    (("ON", "apple", None), "there is no None in this house. Name an entity"),
    (("ON", "apple", "fridge"), "'fridge' is of kind container. ON takes here: surface."),
    (("HOLDS", "apple", "Emily"), "'apple' is of kind object. HOLDS takes here: character."),
    (("STATE:open", "lamp", None), "'lamp' is of kind switch. STATE:open takes here: container."),
    (("STATE:on", "lamp", "desk"), "STATE:on takes no object, found 'desk'"),
]


@pytest.mark.parametrize(("predicate", "error"), REFUSED)
def test_a_goal_that_could_never_hold_is_refused(known, predicate, error):
    env = known()
    with pytest.raises(WorldError) as raised:
        env.set_goal(Goal("", (predicate,)))
    assert error in str(raised.value)
    assert env.goal == Goal("")


def test_a_goal_is_said_in_english(known):
    env = known()
    goal = Goal(
        "", (("STATE:on", "lamp", None), ("ON", "class:apple", "desk"), ("INSIDE", "lime", "kitchen"))
    )
    assert env.goal_text(goal) == "the lime is in the kitchen, an apple is on the desk and the lamp is on"
    assert goal_instruction(goal.predicates, "Emily") == (
        "Bring the lime to the kitchen, put an apple on the desk and turn on the lamp."
    )
    held = (("AT", "Olga", "kitchen"), ("HOLDS", "Emily", "apple 2"))
    assert goal_instruction(held, "Emily") == "Have Olga go to the kitchen and pick up the second apple."
    assert goal_instruction((), "Emily") == ""


def test_a_goal_without_predicates_is_never_reached(known):
    env = known()
    assert env.satisfied(env.goal) == ()
    assert env.step("Emily: look")[1:3] == (0.0, False)


def reach(env: HouseholdEnv, goal: Goal) -> None:
    """Reach a drawn goal by the obvious plan: open everything, place things, take what is to be held, set states."""
    actor = env.snapshot().state[0][4][0]

    def place_of(name: str) -> str:
        for fact in env.facts():
            if fact.relation == "HOLDS" and fact.object == name:
                return fact.subject
            if fact.relation in ("ON", "INSIDE", "AT") and fact.subject == name:
                return fact.object
        return name

    def room_of(name: str) -> str:
        while place_of(name) != name:
            name = place_of(name)
        return name

    def do(action: str) -> None:
        if not env._terminated:
            assert env.step(action)[4]["error"] is None, action

    def go_to(name: str) -> None:
        if room_of(name) != room_of(actor):
            do(f"walk to {room_of(name)}")

    def take(thing: str) -> None:
        go_to(thing)
        do(f"grab {thing}")

    order = {"ON": 0, "INSIDE": 0, "HOLDS": 1, "STATE": 2}
    for fact in env.facts():
        if fact.relation == "STATE" and fact.object == "closed":
            go_to(fact.subject)
            do(f"open {fact.subject}")
    for name, subject, target in sorted(goal.predicates, key=lambda p: order[p[0].partition(":")[0]]):
        if env._terminated or env.satisfied(Goal("", ((name, subject, target),)))[0]:
            continue
        if name == "HOLDS":
            take(target)
        elif name.startswith("STATE"):
            go_to(subject)
            do(f"switch {name.removeprefix('STATE:')} {subject}")
        else:
            take(subject)
            go_to(target)
            inside = "on" if name == "ON" else "in"
            do(f"drop {subject}" if target == room_of(target) else f"put {subject} {inside} {target}")


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans())
def test_a_drawn_goal_does_not_hold_yet_and_can_be_reached(seed, size, focus):
    env = HouseholdEnv(goal="random", goal_size=(size, size), focus=focus, max_steps=200)
    env.reset(seed=seed)
    assert len(env.goal.predicates) == size
    assert not any(env.satisfied(env.goal))
    assert env.goal.text.endswith(".")
    reach(env, env.goal)
    assert env._terminated, env.goal


def test_drawn_goals_are_of_every_kind():
    env = HouseholdEnv(goal="random", goal_size=(3, 3))
    names = set()
    for seed in range(60):
        env.reset(seed=seed)
        names |= {name for name, _, _ in env.goal.predicates}
    assert names == {"ON", "INSIDE", "HOLDS", "STATE:open", "STATE:on", "STATE:off"}


def test_object_sizes_leave_every_vessel_something_to_hold():
    for split in ("train", "validation", "heldout"):
        rows = [row for row in OBJECTS.values() if row.split == split]
        for vessel in (row for row in rows if row.vessel):
            assert any(row.size < vessel.size for row in rows)
