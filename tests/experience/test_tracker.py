"""The tracker against the simulator's own state."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs import make
from worldschool.envs.household import OBJECTS
from worldschool.experience.tracker import Tracker
from worldschool.records import Event, Fact

WEIGHTS = {"walk": 4, "grab": 6, "put": 5, "drop": 2, "open": 2, "close": 0.5, "switch": 0.3}


def places_of(facts):
    """Return entity -> (relation, place), read off the facts."""
    places = {}
    for fact in facts:
        if fact.relation == "HOLDS":
            places[fact.object] = ("HOLDS", fact.subject)
        elif fact.relation in ("ON", "INSIDE", "AT"):
            places[fact.subject] = (fact.relation, fact.object)
    return places


def room_by_hand(places, rooms, name):
    while name not in rooms:
        name = places[name][1]
    return name


def random_action(world, random):
    """A legal action, more often one that moves things, vessels first; now and then one that cannot be done."""
    legal = world.legal_actions()
    if random.random() < 0.1:
        return random.choice(["grab dragon", "dance", *legal]).replace("grab", "put")
    vessels = [
        entity.name
        for entity in world.entities()
        if entity.class_ in OBJECTS and OBJECTS[entity.class_].vessel
    ]
    weights = [
        WEIGHTS.get(action.split(": ")[-1].split()[0], 1)
        * (5 if any(vessel in action for vessel in vessels) else 1)
        for action in legal
    ]
    return random.choices(legal, weights)[0]


def live(seed, characters, control, steps=60):
    """Live a random episode; check the tracker after every step. Returns how often a thing moved inside another."""
    world = make(
        "worldschool/Household-v0", characters=characters, control=control, max_steps=steps, objects=[6, 10]
    )
    world.reset(seed=seed)
    random = Random(seed)
    tracker = Tracker(world.facts())
    rooms = {entity.name for entity in world.entities() if entity.class_ == "room"}
    names = [entity.name for entity in world.entities() if entity.name not in rooms]
    carried = 0
    truncated = False
    before = places_of(world.facts())
    while not truncated:
        _, _, _, truncated, info = world.step(random_action(world, random))
        for event in info["events"]:
            tracker.apply(event)
        places = places_of(world.facts())
        assert set(places) == set(names)
        for name in names:
            assert tracker.place(name) == places[name]
            assert tracker.room(name) == room_by_hand(places, rooms, name)
            if places[name] == before[name] and places[name][0] == "INSIDE":
                carried += room_by_hand(places, rooms, name) != room_by_hand(before, rooms, name)
        for name in (*names, *rooms):
            for relation in ("ON", "INSIDE"):
                there = sorted(thing for thing, place in places.items() if place == (relation, name))
                assert tracker.contents(name, relation) == there
        before = places
    return carried


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(0, 10**9), st.integers(2, 3), st.sampled_from(["all", "self"]))
def test_the_tracker_agrees_with_the_world_after_every_step(seed, characters, control):
    live(seed, characters, control)


def test_things_do_move_inside_vessels_in_these_episodes():
    assert sum(live(seed, 2, "all") for seed in range(30)) > 10


def test_a_chain_goes_from_the_inside_out():
    tracker = Tracker(
        (
            Fact("Emily", "AT", "kitchen"),
            Fact("Emily", "HOLDS", "bucket"),
            Fact("vase", "INSIDE", "bucket"),
            Fact("lime", "INSIDE", "vase"),
            Fact("fridge", "INSIDE", "kitchen"),
            Fact("fridge", "STATE", "open"),
        )
    )
    assert tracker.chain("lime") == ["vase", "bucket", "Emily", "kitchen"]
    tracker.apply(Event(0, "Emily", "walk", None, "kitchen", "garden", "AT"))
    assert tracker.room("lime") == "garden"
    assert tracker.place("lime") == ("INSIDE", "vase")
    tracker.apply(Event(1, "Emily", "grab", "lime", "vase", "Emily", "HOLDS"))
    tracker.apply(Event(2, "Emily", "drop", "bucket", "Emily", "garden", "INSIDE"))
    tracker.apply(Event(3, "Emily", "walk", None, "garden", "kitchen", "AT"))
    assert (tracker.room("lime"), tracker.room("vase")) == ("kitchen", "garden")
    assert tracker.place("garden") is None


@pytest.mark.parametrize("verb", ["put", "walk", "grab"])
def test_what_failed_changes_nothing(verb):
    tracker = Tracker((Fact("Emily", "AT", "kitchen"), Fact("lime", "INSIDE", "kitchen")))
    tracker.apply(Event(0, "Emily", verb, "lime", "kitchen", "garden", "INSIDE", succeeded=False))
    tracker.apply(Event(1, "Emily", "open", "fridge"))
    assert tracker.room("lime") == tracker.room("Emily") == "kitchen"
