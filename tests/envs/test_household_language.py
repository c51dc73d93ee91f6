"""What is seen, what is told, and what is read."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.household import FURNITURE, OBJECTS, ROOMS, HouseholdEnv
from worldschool.envs.household.forms import FORMS
from worldschool.envs.household.words.stories import STYLES
from worldschool.envs.household.words.synonyms import SYNONYMS, readings
from worldschool.envs.household.words.wordings import ORDERS, SEEN, TELLINGS, by_state
from worldschool.errors import WorldError
from worldschool.records import SPLITS, Event, Goal

KITCHEN = """\
You are Emily, in the kitchen.
The cabinet is closed.
The counter is dirty. On the counter: apple.
The fridge is open. In the fridge: apple 2.
The stove is on. On the stove: nothing.
On the floor: bucket (in it: vase (in it: lime)).
Olga is here, holding ring.
You hold: nothing.
You are close to: bucket, cabinet, counter, fridge, stove.
"""
OFFICE = "On the desk: camera.\nThe lamp is off."

# -- observations -------------------------------------------------------------------------------------------------


def test_a_character_sees_its_room_and_not_what_is_shut_away(known):
    env = known()
    observation, info = env.restore(env.snapshot())
    assert observation == KITCHEN + "Other rooms: home office."
    assert info == {
        "events": (), "success": False, "error": None, "split": "heldout", "actor": "Emily", "activity": None,
    }  # fmt: skip


def test_observe_full_tells_every_room(known):
    env = known(observe="full")
    observation, _ = env.restore(env.snapshot())
    assert observation == f"{KITCHEN}\nThe home office:\n{OFFICE}"


def test_render_ansi_tells_every_room(known):
    assert known().render() is None
    assert known(render_mode="ansi").render() == f"{KITCHEN}\nThe home office:\n{OFFICE}"


def test_posture_and_clothes_are_seen():
    env = HouseholdEnv(goal="activity", rooms=(4, 5), furniture=(5, 6), objects=(30, 30))
    env.reset(seed=1)
    env.set_goal(Goal(""))
    garment = next(
        e.name for e in env.entities() if e.class_ in OBJECTS and "CLOTHES" in OBJECTS[e.class_].properties
    )
    seat = next(
        e.name
        for e in env.entities()
        if e.class_ in ("chair", "folding chair", "armchair", "sofa", "bed", "bench")
    )
    for action in (
        f"walk to {garment}",
        f"grab {garment}",
        f"wear {garment}",
        f"walk to {seat}",
        f"sit on {seat}",
    ):
        observation, *_, info = env.step(action)
        assert info["error"] is None, info["error"]
    assert f", sitting on the {seat}.\n" in observation
    assert f"\nYou wear: {garment}" in observation


def test_the_desk_story_can_be_lived_and_told(known):
    env = known({"phone": "Emily", "lime": "Emily", "Emily": "home office", "camera": "counter"})
    told = []
    for action in ("put phone on desk", "put lime on desk"):
        told += env.narrate(env.step(f"Emily: {action}")[4]["events"], "plain", Random(0))
        env.step("Olga: look")
    assert told == ["Emily put the phone on the desk.", "Emily put the lime on the desk."]


# -- variety ------------------------------------------------------------------------------------------------------


def test_plain_is_the_first_wording_of_each_table(known):
    env = known()
    assert env.restore(env.snapshot())[0].startswith(
        SEEN["you"][0].format(me="Emily", room="kitchen", posture="")
    )


def test_varied_words_vary_and_names_and_facts_do_not(known):
    varied = HouseholdEnv(control="all", characters=2, split="heldout", wording="varied")
    env, seen = known(), set()
    rng = Random(5)
    for _ in range(40):
        env.step(rng.choice(env.legal_actions()))
        plain, _ = env.restore(env.snapshot())
        told, _ = varied.restore(env.snapshot())
        again, _ = varied.restore(env.snapshot())
        assert told == again, "the same state gives the same words"
        assert _lists(told, varied) == _lists(plain, env)
        assert len(told.split("\n")) == len(plain.split("\n"))
        seen |= set(told.split("\n"))
        if env._truncated:
            break
    assert len({line for line in seen if "kitchen" in line and "Emily" in line}) >= 3


def _lists(observation: str, env: HouseholdEnv) -> list[list[str]]:
    """Return the names that each line of an observation mentions, in the order of the alphabet."""
    names = sorted((entity.name for entity in env.entities()), key=len, reverse=True)
    found = []
    for line in observation.split("\n"):
        mentioned = set()
        for name in names:
            if name in line:
                mentioned.add(name)
                line = line.replace(name, "")
        found.append(sorted(mentioned))
    return found


def test_wordings_depend_on_the_state_and_their_place_alone():
    wordings = [str(number) for number in range(1000)]
    first, second, other = by_state(b"a", b"b"), by_state(b"a", b"b"), by_state(b"ab", b"")
    drawn = [first(wordings) for _ in range(50)]
    assert drawn == [second(wordings) for _ in range(50)]
    assert drawn != [other(wordings) for _ in range(50)]
    assert len(set(drawn)) > 40


@settings(deadline=None, derandomize=True, max_examples=10)
@given(st.integers(0, 10**6), st.sampled_from(SPLITS))
def test_varied_episodes_are_the_same_lives_in_other_words(seed, split):
    options = {"split": split, "goal": "random", "characters": 2}
    plain, varied = HouseholdEnv(**options), HouseholdEnv(**options, wording="varied")
    plain.reset(seed=seed)
    varied.reset(seed=seed)
    assert plain.goal.predicates == varied.goal.predicates
    rng = Random(seed)
    for _ in range(10):
        action = rng.choice(plain.legal_actions())
        assert plain.step(action)[1:4] == varied.step(action)[1:4]
        assert plain.facts() == varied.facts()
        if plain._terminated:
            break


# -- stories ------------------------------------------------------------------------------------------------------

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
    accepted = "Accepted: plain, varied, brief, program, e2wm."
    with pytest.raises(WorldError, match=f"narrate: style: found 'purple'. {accepted}"):
        HouseholdEnv.narrate([], "purple", Random(0))
    with pytest.raises(WorldError, match=f"narrate_action: style: found 'purple'. {accepted}"):
        HouseholdEnv.narrate_action("look", "purple")


MORE = [
    (E(0, "Mary", "walk", "desk", "kitchen", "kitchen", "AT"), "Mary went over to the desk.", "[WALK] <desk> (1)",
     "Mary walked to desk."),
    (E(0, "Mary", "walk", "desk", "garage", "kitchen", "AT"), "Mary walked to the kitchen.", "[WALK] <desk> (1)",
     "Mary walked to kitchen."),
    (E(0, "Mary", "walk", None, "garage", "home office", "AT"), "Mary walked to the home office.",
     "[WALK] <home_office> (1)", "Mary walked to home office."),
    (E(0, "Mary", "grab", "apple 2", "desk", "Mary", "HOLDS"), "Mary picked up the second apple from the desk.",
     "[GRAB] <apple> (2)", "Mary grabbed apple 2 from desk."),
    (E(0, "Mary", "put", "apple", "Mary", "coffee table 3", "ON"), "Mary put the apple on the third coffee table.",
     "[PUTBACK] <apple> (1) <coffee_table> (3)", "Mary put apple on coffee table 3."),
    (E(0, "Mary", "put", "apple", "Mary", "bowl", "INSIDE"), "Mary put the apple in the bowl.",
     "[PUTIN] <apple> (1) <bowl> (1)", "Mary put apple in bowl."),
    (E(0, "Mary", "pour", "tea", "Mary", "mug", "INSIDE"), "Mary poured the tea into the mug.",
     "[POUR] <tea> (1) <mug> (1)", "Mary poured tea into mug."),
    (E(0, "Mary", "switch_on", "lamp"), "Mary turned on the lamp.", "[SWITCHON] <lamp> (1)", "Mary switched on lamp."),
    (E(0, "Mary", "wear", "hat", "Mary", "Mary", "ON"), "Mary put on the hat.", "[PUTON] <hat> (1)", "Mary put on hat."),
    (E(0, "Mary", "sit", "sofa"), "Mary sat down on the sofa.", "[SIT] <sofa> (1)", "Mary sat down on sofa."),
    (E(0, "Mary", "stand_up"), "Mary stood up.", "[STANDUP]", "Mary stood up."),
]  # fmt: skip


@pytest.mark.parametrize(("event", "plain", "line", "bare"), MORE)
def test_an_event_in_every_fixed_style(event, plain, line, bare):
    rng = Random(0)
    before = rng.getstate()
    told = [HouseholdEnv.narrate([event], style, rng) for style in ("plain", "program", "e2wm")]
    assert told == [[plain], [line], [bare]]
    assert rng.getstate() == before


def test_programs_number_the_characters_only_if_there_are_several():
    events = [
        E(0, "Mary", "open", "fridge"),
        E(1, "Mary", "look"),
        E(1, "John", "close", "fridge", succeeded=False),
    ]
    assert HouseholdEnv.narrate(events, "program", Random(0)) == ["[OPEN] <fridge> (1)"]
    events.append(E(2, "John", "close", "fridge"))
    told = ["<char0> [OPEN] <fridge> (1)", "<char1> [CLOSE] <fridge> (1)"]
    assert HouseholdEnv.narrate(events, "program", Random(0)) == told


def test_every_verb_can_be_told_in_every_style():
    names = {"object": "apple", "source": "desk", "target": "bowl"}
    for form in FORMS:
        for relation in ("ON", "INSIDE") if form.verb == "put" else ("INSIDE",):
            event = E(0, "Mary", form.verb, relation=relation, **names)
            for style in STYLES:
                told = HouseholdEnv.narrate([event], style, Random(1))
                assert len(told) == (0 if (style, form.verb) == ("program", "look") else 1)
                assert all("{" not in one and "  " not in one for one in told)
    assert {telling.split()[0] for telling in TELLINGS} == {form.verb for form in FORMS} | {"approach"}


# -- instructions, and reading them -------------------------------------------------------------------------------

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
    ("sit on sofa", "Sit on the sofa."),
    ("put fork on kitchen table 2", "Put the fork on the second kitchen table."),
    ("take the 2nd apple", "Pick up the second apple."),
    ("Mary: grab apple", "Mary, pick up the apple."),
]


@pytest.mark.parametrize(("action", "instruction"), INSTRUCTIONS)
def test_an_action_is_told_as_an_instruction(action, instruction):
    assert HouseholdEnv.narrate_action(action) == instruction


def test_what_is_no_action_has_no_instruction():
    with pytest.raises(WorldError, match="narrate_action: 'juggle apple' has no form of action"):
        HouseholdEnv.narrate_action("juggle apple")


IN_STYLES = [
    ("walk to home office", "[WALK] <home_office> (1)", "Walk to home office."),
    ("grab apple 2", "[GRAB] <apple> (2)", "Grab apple 2."),
    ("put apple on table", "[PUTBACK] <apple> (1) <table> (1)", "Put apple on table."),
    ("put apple in fridge", "[PUTIN] <apple> (1) <fridge> (1)", "Put apple in fridge."),
    ("switch on lamp", "[SWITCHON] <lamp> (1)", "Switch on lamp."),
    ("stand up", "[STANDUP]", "Stand up."),
    ("look", "", "Look."),
    ("Mary: open fridge", "Mary: [OPEN] <fridge> (1)", "Mary, open fridge."),
]


@pytest.mark.parametrize(("action", "line", "bare"), IN_STYLES)
def test_an_action_in_every_fixed_style(action, line, bare):
    assert HouseholdEnv.narrate_action(action, "program") == line
    assert HouseholdEnv.narrate_action(action, style="e2wm") == bare
    assert HouseholdEnv.narrate_action(action, "varied") == HouseholdEnv.narrate_action(action)


def test_varied_instructions_vary():
    told = {HouseholdEnv.narrate_action("grab apple", "varied", Random(seed)) for seed in range(30)}
    assert told == {"Pick up the apple.", "Grab the apple.", "Take the apple."}


READ = [
    ("pick up the apple", "grab apple"),
    ("Take the second apple.", "grab apple 2"),
    ("take apple 2 out of the fridge", "grab apple 2"),
    ("I pick the 2nd apple up!", "grab apple 2"),
    ("please take apple #2", "grab apple 2"),
    ("go to the home office", "walk to home office"),
    ("Now, enter home office", "walk to home office"),
    ("shut the fridge", "close fridge"),
    ("turn the stove off", "switch off stove"),
    ("switch stove off", "switch off stove"),
    ("action: open the cabinet", "open cabinet"),
    ("place the apple on top of the counter", "put apple on counter"),
    ("put the apple into my vase", "put apple in vase"),
    ("put the apple down", "drop apple"),
    ("put the apple on the floor", "drop apple"),
    ("clean the counter", "wipe counter"),
    ("look around", "look"),
    ("[GRAB] <apple> (2)", "grab apple 2"),
    ("<char0> [walk] <home_office> (1)", "walk to home office"),
    ("[PUTIN] <apple> (1) <fridge> (1)", "put apple in fridge"),
]


@pytest.mark.parametrize(("written", "meant"), READ)
def test_other_words_do_what_the_exact_form_does(known, written, meant):
    places = (
        {"apple": "Emily"} if "apple" in meant and "grab" not in meant or meant.startswith("wipe") else {}
    )
    env, other = known(places), known(places)
    info = env.step(f"Emily: {meant}")[4]
    assert info["error"] is None
    assert other.step(f"Emily: {written}")[4]["events"] == info["events"]
    assert other.facts() == env.facts()


MISREAD = [
    ("open the fridg", "There is no 'the fridg' in this house; did you mean 'fridge'?"),
    ("oppen cabinet", "'oppen cabinet' is not an action; did you mean 'Emily: open cabinet'?"),
    ("grabb the apple 2", "'grabb the apple 2' is not an action; did you mean 'Emily: grab apple 2'?"),
    (
        "meditate",
        "'meditate' is not an action; write one of these: walk to PLACE, grab THING, put THING on PLACE",
    ),
    ("put apple on", "'put apple on' is not an action"),
    ("put on the apple", "Nobody can wear the apple"),
    ("take the lamp", "The lamp cannot be carried"),
    ("[FLY] <apple> (1)", "is not an action"),
    ("the", "is not an action"),
    ("second", "is not an action"),
]


@pytest.mark.parametrize(("written", "error"), MISREAD)
def test_what_cannot_be_read_names_the_nearest_legal_action(known, written, error):
    env = known()
    found = env.step(f"Emily: {written}")[4]["error"]
    assert error in found
    named = found.partition("did you mean '")[2].removesuffix("'?")
    if named.startswith("Emily"):
        env.restore(known().snapshot())
        assert named in env.legal_actions()


def test_without_names_the_nearest_action_has_none(known):
    assert known(control="self").step("oppen cabinet")[4]["error"].endswith("did you mean 'open cabinet'?")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("split", SPLITS)
def test_every_legal_action_can_be_told_and_read_again(style, split):
    env = HouseholdEnv(split=split, actions="all", objects=(40, 60), furniture=(4, 8), max_steps=1000)
    rng = Random(7)
    env.reset(seed=3)
    told = 0
    for _ in range(25):
        before = env.snapshot()
        for action in env.legal_actions()[:: 1 + len(env.legal_actions()) // 8]:
            instruction = env.narrate_action(action, style, rng)
            if not instruction:
                assert (action, style) == ("look", "program")
                continue
            done = env.step(action)[4]
            env.restore(before)
            again = env.step(instruction)[4]
            env.restore(before)
            assert again["error"] is None, (action, instruction)
            assert again["events"] == done["events"], (action, instruction)
            told += 1
        env.step(rng.choice(env.legal_actions()))
    assert told > 100


def test_synonyms_are_of_forms_and_say_what_orders_say():
    forms = {form.form: number for number, form in enumerate(FORMS)}
    assert set(SYNONYMS) <= set(forms) and set(ORDERS) <= set(forms)
    known = {"apple": "apple", "bowl": "bowl"}.get
    for form, orders in ORDERS.items():
        for order in orders:
            text = order.format(thing="the apple", place="the bowl")
            found = next(readings(text, known), None)
            assert found is not None and found.form == forms[form], order
    for form, ways in SYNONYMS.items():
        for way in ways.split(", "):
            found = [
                reading.form
                for reading in readings(way.strip("?").format(thing="apple", place="bowl"), known)
            ]
            assert forms[form] in found, way


def test_no_name_is_lost_in_reading():
    everything = {name.casefold(): name for name in (*ROOMS, *FURNITURE, *OBJECTS)}
    everything |= {f"{name} {number}": f"{name} {number}" for name in everything for number in range(2, 12)}
    for folded, name in everything.items():
        ways = (name, f"the {name}", HouseholdEnv.phrase(name))
        for way in ways:
            (found, *_) = readings(f"walk to {way}", everything.get)
            assert found.names == (name,), (folded, way)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.text(alphabet=st.sampled_from(list("<>[]()# 12apletoinhk.")), max_size=40))
def test_reading_never_raises(text):
    for found in readings(text, {"apple": "apple", "apple 2": "apple 2"}.get):
        assert len(found.names) == FORMS[found.form].arity


def test_phrase():
    names = ("apple", "apple 3", "Mary", "home office")
    assert [HouseholdEnv.phrase(name) for name in names] == [
        "the apple", "the third apple", "Mary", "the home office",
    ]  # fmt: skip
