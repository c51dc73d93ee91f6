"""What each action does, tells and refuses, in the known house."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.forms import FORMS
from worldschool.records import Event, Fact

HERE = ("Emily", "Olga")

EFFECTS = [
    # (places changed, action, fact that comes to hold, event's object, source, target, relation, seen by)
    ({}, "walk to home office", Fact("Emily", "AT", "home office"), None, "kitchen", "home office", "AT", HERE),
    ({}, "walk to desk", Fact("Emily", "AT", "home office"), "desk", "kitchen", "home office", "AT", HERE),
    ({}, "walk to camera", Fact("Emily", "AT", "home office"), "camera", "kitchen", "home office", "AT", HERE),
    ({}, "walk to apple", Fact("Emily", "AT", "kitchen"), "apple", "kitchen", "kitchen", "AT", HERE),
    ({}, "grab apple", Fact("Emily", "HOLDS", "apple"), "apple", "counter", "Emily", "HOLDS", HERE),
    ({}, "grab apple 2", Fact("Emily", "HOLDS", "apple 2"), "apple 2", "fridge", "Emily", "HOLDS", HERE),
    ({}, "grab bucket", Fact("Emily", "HOLDS", "bucket"), "bucket", "kitchen", "Emily", "HOLDS", HERE),
    ({}, "grab vase", Fact("Emily", "HOLDS", "vase"), "vase", "bucket", "Emily", "HOLDS", HERE),
    ({"bucket": "Emily"}, "grab vase", Fact("Emily", "HOLDS", "vase"), "vase", "bucket", "Emily", "HOLDS", HERE),
    ({"apple": "Emily"}, "put apple on counter", Fact("apple", "ON", "counter"), "apple", "Emily", "counter", "ON", HERE),
    ({"apple": "Emily"}, "put apple in fridge", Fact("apple", "INSIDE", "fridge"), "apple", "Emily", "fridge", "INSIDE", HERE),
    ({"apple": "Emily"}, "put apple in vase", Fact("apple", "INSIDE", "vase"), "apple", "Emily", "vase", "INSIDE", HERE),
    ({"apple": "Emily"}, "drop apple", Fact("apple", "INSIDE", "kitchen"), "apple", "Emily", "kitchen", "INSIDE", HERE),
    ({}, "open cabinet", Fact("cabinet", "STATE", "open"), "cabinet", None, None, None, HERE),
    ({}, "close fridge", Fact("fridge", "STATE", "closed"), "fridge", None, None, None, HERE),
    ({}, "switch off stove", Fact("stove", "STATE", "off"), "stove", None, None, None, HERE),
    ({"Emily": "home office"}, "switch on lamp", Fact("lamp", "STATE", "on"), "lamp", None, None, None, ("Emily",)),
    ({"apple": "Emily"}, "wipe counter", Fact("counter", "STATE", "clean"), "counter", None, None, None, HERE),
    ({}, "look", Fact("Emily", "AT", "kitchen"), None, None, None, None, HERE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("places", "action", "fact", "thing", "source", "target", "relation", "seen_by"), EFFECTS
)
def test_an_action_changes_one_fact_and_tells_it(
    known, places, action, fact, thing, source, target, relation, seen_by
):
    env = known(places)
    before = set(env.facts())
    _, reward, terminated, truncated, info = env.step(f"Emily: {action}")
    assert (info["error"], reward, terminated, truncated) == (None, 0.0, False, False)
    verb = action.split()[0] if not action.startswith("switch") else "_".join(action.split()[:2])
    assert info["events"] == (Event(0, "Emily", verb, thing, source, target, relation, True, seen_by),)
    assert fact in env.facts()
    assert set(env.facts()) - before <= {fact}
    assert len(env.facts()) == len(before)


REFUSALS = [
    # (places changed, action, what the error says)
    ({}, "grab fridge", "The fridge cannot be carried"),
    ({}, "grab Olga", "Olga cannot be carried"),
    ({}, "grab camera", "You cannot see the camera here; walk to camera first."),
    ({}, "grab phone", "The phone is shut in; open cabinet first."),
    ({"apple": "Emily"}, "grab apple", "You hold the apple already"),
    ({"apple": "Emily", "bucket": "Emily"}, "grab apple 2",
     "Your hands are full with the apple and the bucket; put one of them down first."),
    ({}, "put apple on counter", "You do not hold the apple; grab it first."),
    ({"bucket": "Emily"}, "put lime on counter", "You do not hold the lime; grab it first."),
    ({}, "wear apple", "Nobody can wear the apple"),
    ({}, "unplug fridge", "The fridge is unplugged already"),
    ({}, "sit on counter", "Nobody can sit on the counter"),
    ({}, "stand up", "You are neither sitting nor lying"),
    ({}, "greet apple", "The apple is nobody to greet; choose a person."),
    ({}, "greet Emily", "Emily cannot do that to Emily; choose something else."),
    ({}, "wipe kitchen", "Nobody can wipe the kitchen; choose a thing or piece of furniture."),
    ({}, "wipe counter", "Your hands are empty; grab something to wipe with first."),
    ({}, "put desk on counter", "The desk cannot be carried"),
    ({"apple": "Emily"}, "put apple on desk", "You are not close to the desk; walk to desk first."),
    ({"apple": "Emily"}, "put apple on fridge", "Nothing can be put on the fridge; put it in fridge instead."),
    ({"apple": "Emily"}, "put apple on vase", "Nothing can be put on the vase; put it in vase instead."),
    ({"apple": "Emily"}, "put apple on lamp", "The apple cannot be put on the lamp; choose a surface."),
    ({"apple": "Emily"}, "put apple in counter", "Nothing can be put in the counter; put it on counter instead."),
    ({"apple": "Emily"}, "put apple in kitchen", "To leave a thing on the floor of the room you are in, drop it."),
    ({"apple": "Emily"}, "put apple in Olga", "Nothing can be put in Olga; choose a container or vessel."),
    ({"apple": "Emily"}, "put apple in cabinet", "The cabinet is closed; open it first."),
    ({"vase": "Emily"}, "put vase in vase", "The vase cannot be put in itself; choose another place."),
    ({"bucket": "Emily"}, "put bucket in vase", "The bucket is too big for the vase; choose a larger place."),
    ({}, "drop apple", "You do not hold the apple; grab it first."),
    ({}, "open fridge", "The fridge is open already; there is nothing to do."),
    ({}, "close cabinet", "The cabinet is closed already"),
    ({}, "open counter", "Nobody can open the counter; choose something else like the fridge."),
    ({"Emily": "home office"}, "open fridge", "You are not close to the fridge; walk to fridge first."),
    ({}, "switch on stove", "The stove is on already"),
    ({}, "switch off lamp", "You are not close to the lamp; walk to lamp first."),
    ({}, "switch on fridge", "Nobody can switch on the fridge; choose something else like the lamp."),
]  # fmt: skip


@pytest.mark.parametrize(("places", "action", "error"), REFUSALS)
def test_an_action_that_cannot_be_done_says_why_and_changes_nothing(known, places, action, error):
    env = known(places)
    before = env.facts()
    info = env.step(f"Emily: {action}")[4]
    assert error in info["error"]
    assert info["error"].endswith(".")
    (event,) = info["events"]
    assert not event.succeeded
    assert (event.actor, event.source, event.relation) == ("Emily", None, None)
    assert env.facts() == before
    assert env.narrate(info["events"], "plain", Random(0)) == []


UNREADABLE = [
    ("Emily: fly home", "'fly home' is not an action"),
    ("Emily: grab aple", "There is no 'aple' in this house; did you mean 'apple'?"),
    ("Emily: grab zeppelin", "There is no 'zeppelin' in this house; choose a name from the observation."),
    ("Emily: put apple on", "is not an action"),
    ("Emily: " + "x" * 300, "An action has at most 200 characters"),
    ("grab apple", "It is Emily's turn; begin the action with 'Emily: '."),
    ("Olga: drop ring", "It is Emily's turn; begin the action with 'Emily: '."),
    ("", "It is Emily's turn"),
]


@pytest.mark.parametrize(("text", "error"), UNREADABLE)
def test_a_text_that_is_no_action_says_so_and_makes_no_event(known, text, error):
    env = known()
    before = env.facts()
    info = env.step(text)[4]
    assert error in info["error"]
    assert info["events"] == ()
    assert env.facts() == before


def test_case_and_spacing_of_an_action_do_not_matter(known):
    env = known()
    assert env.step("  EMILY :  Grab   APPLE 2 ")[4]["error"] is None


def test_with_control_self_a_name_is_refused(known):
    env = known(control="self")
    assert (
        env.step("Emily: grab apple")[4]["error"]
        == "Actions bear no name here; write 'grab apple' without 'Emily'."
    )


def test_a_carried_bucket_carries_all_that_is_in_it(known):
    env = known()
    for action in ("grab bucket", "walk to desk", "put bucket on desk"):
        env.step(f"Emily: {action}")
        env.step("Olga: look")
    assert {
        Fact("vase", "INSIDE", "bucket"),
        Fact("lime", "INSIDE", "vase"),
        Fact("bucket", "ON", "desk"),
    } <= set(env.facts())
    observation, _ = env.restore(env.snapshot())
    assert "On the desk: bucket (in it: vase (in it: lime)), camera." in observation


def arbitrary_worlds() -> st.SearchStrategy[HouseholdEnv]:
    """Draw worlds of every control and split, some steps into an episode."""

    def walk(seed: int, split: str, control: str, characters: int, steps: int) -> HouseholdEnv:
        env = HouseholdEnv(
            split=split, control=control, characters=characters, actions="all", rooms=(2, 3), objects=(4, 7)
        )
        env.reset(seed=seed)
        rng = Random(seed)
        for _ in range(steps):
            env.step(rng.choice(env.legal_actions()))
        return env

    return st.builds(
        walk,
        st.integers(0, 10**6),
        st.sampled_from(["train", "validation", "heldout"]),
        st.sampled_from(["self", "all"]),
        st.integers(1, 3),
        st.integers(0, 30),
    )


@settings(deadline=None, derandomize=True, max_examples=15)
@given(arbitrary_worlds())
def test_legal_actions_are_all_that_succeed_and_no_others(env):
    names = [entity.name for entity in env.entities()]
    universe = set()
    for form in FORMS:
        arguments = itertools.product(
            names if "{thing}" in form.form else [""], names if "{place}" in form.form else [""]
        )
        universe |= {form.form.format(thing=thing, place=place) for thing, place in arguments}
    prefix = f"{env._actor}: " if env.config["control"] == "all" else ""
    legal = set(env.legal_actions())
    assert legal <= {prefix + text for text in universe}
    start = env.snapshot()
    succeeded = set()
    for text in sorted(universe):
        info = env.step(prefix + text)[4]
        if info["error"] is None:
            succeeded.add(prefix + text)
        env.restore(start)
    assert succeeded == legal


def test_every_legal_action_has_an_instruction_in_english(known):
    env = known({"apple": "Emily"}, actions="all")
    for text in env.legal_actions():
        assert env.narrate_action(text).startswith("Emily, ")
