"""What is seen and what is told."""

from __future__ import annotations

from random import Random

import pytest

from worldschool.envs.household import HouseholdEnv
from worldschool.envs.household.language import _TELLINGS
from worldschool.errors import WorldError
from worldschool.records import Event

KITCHEN = """\
You are Emily, in the kitchen.
The cabinet is closed.
On the counter: apple.
The fridge is open. In the fridge: apple 2.
The stove is on.
On the floor: bucket (in it: vase (in it: lime)).
Olga is here, holding ring.
You hold: nothing.
"""


def test_a_character_sees_its_room_and_not_what_is_shut_away(known):
    env = known()
    observation, info = env.restore(env.snapshot())
    assert observation == KITCHEN + "Other rooms: home office."
    assert info == {"events": (), "success": False, "error": None, "split": "heldout", "actor": "Emily"}


def test_observe_full_tells_every_room(known):
    env = known(observe="full")
    observation, _ = env.restore(env.snapshot())
    assert observation == KITCHEN + "\nThe home office:\nOn the desk: camera.\nThe lamp is off."


def test_render_ansi_tells_every_room(known):
    assert known().render() is None
    assert known(render_mode="ansi").render() == (
        KITCHEN + "\nThe home office:\nOn the desk: camera.\nThe lamp is off."
    )


def test_the_desk_story_can_be_lived_and_told(known):
    env = known({"phone": "Emily", "lime": "Emily", "Emily": "home office", "camera": "counter"})
    told = []
    for action in ("put phone on desk", "put lime on desk"):
        told += env.narrate(env.step(f"Emily: {action}")[4]["events"], "plain", Random(0))
        env.step("Olga: look")
    assert told == ["Emily put the phone on the desk.", "Emily put the lime on the desk."]


E = Event
PLAIN = [
    (E(0, "Mary", "walk", None, "garage", "kitchen", "AT"), "Mary walked to the kitchen."),
    (E(0, "Mary", "grab", "apple", "desk", "Mary", "HOLDS"), "Mary picked up the apple from the desk."),
    (E(0, "Mary", "grab", "apple 2", "kitchen", "Mary", "HOLDS"), "Mary picked up the second apple."),
    (E(0, "Mary", "put", "apple", "Mary", "desk", "ON"), "Mary put the apple on the desk."),
    (E(0, "Mary", "put", "apple", "Mary", "bowl", "INSIDE"), "Mary put the apple in the bowl."),
    (E(0, "Mary", "drop", "apple", "Mary", "kitchen", "INSIDE"), "Mary dropped the apple."),
    (E(0, "Mary", "open", "fridge"), "Mary opened the fridge."),
    (E(0, "Mary", "close", "fridge"), "Mary closed the fridge."),
    (E(0, "Mary", "switch_on", "lamp"), "Mary turned on the lamp."),
    (E(0, "Mary", "switch_off", "lamp"), "Mary turned off the lamp."),
    (E(0, "Mary", "look"), "Mary looked around."),
]


@pytest.mark.parametrize(("event", "sentence"), PLAIN)
def test_plain_has_one_wording_and_draws_nothing(event, sentence):
    rng = Random(0)
    before = rng.getstate()
    assert HouseholdEnv.narrate([event], "plain", rng) == [sentence]
    assert rng.getstate() == before


@pytest.mark.parametrize(("event", "sentence"), PLAIN)
@pytest.mark.parametrize("style", ["varied", "brief"])
def test_other_styles_vary_the_words_and_name_the_same_things(event, sentence, style):
    rng = Random(0)
    told = {HouseholdEnv.narrate([event], style, rng)[0] for _ in range(60)}
    assert 2 <= len(told) <= 3
    for one in told:
        assert one.startswith("Mary ")
        assert abs(len(one.split()) - len(sentence.split())) <= (4 if style == "brief" else 1)
        if event.object:
            assert HouseholdEnv.phrase(event.object) in one or event.object == "apple 2"
    if style == "brief":
        assert not any("from" in one for one in told)


def test_a_style_that_is_not_known_is_named():
    with pytest.raises(WorldError, match="narrate: style: found 'purple'. Accepted: plain, varied, brief."):
        HouseholdEnv.narrate([], "purple", Random(0))


def test_every_verb_can_be_told():
    assert {event.verb for event, _ in PLAIN} == {telling.split()[0] for telling in _TELLINGS}


INSTRUCTIONS = [
    ("walk to kitchen", "Walk to the kitchen."),
    ("grab apple", "Pick up the apple."),
    ("put apple on desk", "Put the apple on the desk."),
    ("put apple in fridge", "Put the apple in the fridge."),
    ("drop apple 2", "Drop the second apple."),
    ("open fridge", "Open the fridge."),
    ("close fridge", "Close the fridge."),
    ("switch on lamp", "Turn on the lamp."),
    ("switch off lamp", "Turn off the lamp."),
    ("look", "Look around."),
    ("Mary: grab apple", "Mary, pick up the apple."),
]


@pytest.mark.parametrize(("action", "instruction"), INSTRUCTIONS)
def test_an_action_is_told_as_an_instruction(action, instruction):
    assert HouseholdEnv.narrate_action(action) == instruction


def test_what_is_no_action_has_no_instruction():
    with pytest.raises(WorldError, match="narrate_action: 'eat apple' has no form of action"):
        HouseholdEnv.narrate_action("eat apple")


def test_phrase():
    names = ("apple", "apple 3", "Mary", "home office")
    assert [HouseholdEnv.phrase(name) for name in names] == [
        "the apple", "the third apple", "Mary", "the home office",
    ]  # fmt: skip
