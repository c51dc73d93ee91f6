"""Builders that ask about stories: every answer is worked out again from the simulator's states and the actions done."""

import json
import re
from collections import Counter
from functools import cache

import pytest

from tests.experience.lives import HOUSEHOLD, Replay, build, episodes, scripted_episode
from worldschool.envs import make, world_class
from worldschool.experience.builders.base import Skipped, ask, builder_settings
from worldschool.experience.builders.story import tell
from worldschool.experience.questions.shortcuts import YES_NO

MANY = 120


@cache
def replay_of(number):
    return Replay(episodes(MANY)[number])


def built(name, **values):
    """Yield (episode, replay, example, meta) for the plain questions about many episodes."""
    for number, episode in enumerate(episodes(MANY)):
        for example in build(name, episode, style="plain", **values):
            yield episode, replay_of(number), example, json.loads(example.meta)


def told(episode):
    """Return plain sentence -> the events that it tells."""
    found = {}
    for event in episode.events:
        if event.succeeded and not (event.verb == "walk" and event.source == event.target):
            (sentence,) = world_class(HOUSEHOLD).narrate([event], "plain", None)
            found.setdefault(sentence.removesuffix("."), []).append(event)
    return found


def asked(example, pattern):
    found = re.search(rf"\nQuestion: {pattern}\nAnswer:$", example.prompt)
    assert found, example.prompt
    return found.groups()


def test_which_came_first_is_what_was_done_first():
    orders, positions = Counter(), Counter()
    for episode, _, example, _ in built("which_came_first"):
        order, one, other = asked(example, r"Which happened (first|later): (.+), or (.+)\?")
        happened = told(episode)
        (first,), (second,) = happened[one], happened[other]
        right = min(first, second, key=lambda event: event.t)
        if order == "later":
            right = max(first, second, key=lambda event: event.t)
        assert happened[example.answer] == [right]
        assert (one, other) == example.options
        orders[order] += 1
        positions[example.answer_index] += 1
    assert min(orders.values()) > 60 and min(positions.values()) > 60


def test_what_a_character_did_is_what_the_actions_say():
    kinds = Counter()
    for episode, _, example, meta in built("character_action"):
        happened = told(episode)
        options = example.options
        assert len(set(options)) == len(options) >= 2 and len(meta["keys"]) == len(options)
        if meta["kind"] == "which":
            (who,) = asked(example, r"Which of these did (\w+) do\? Choose from: .+\.")
            assert example.answer in happened
            assert not [one for one in options if one != example.answer and one in happened]
        else:
            who, before = asked(example, r"What did (\w+) do next after this: (.+)\? Choose from: .+\.")
            mine = [event for events in happened.values() for event in events if event.actor == who]
            (landmark,) = happened[before]
            following = min((event for event in mine if event.t > landmark.t), key=lambda event: event.t)
            assert following in happened[example.answer]
        assert all(one.startswith(f"{who} ") for one in options)
        # What is wrong of this character is no invention: somebody did it.
        others = {event.actor for events in happened.values() for event in events}
        assert all(any(one.replace(who, name, 1) in happened for name in others) for one in options)
        kinds[meta["kind"]] += 1
    assert min(kinds.values()) > 50 and set(kinds) == {"which", "next"}


@pytest.mark.parametrize("kind", ["is", "is not"])
def test_statements_are_true_or_not_in_the_end(kind):
    answers, of = Counter(), Counter()
    for _, replay, example, meta in built("negation", kinds=[kind], per_episode=4):
        phrase, relation, where = asked(example, rf"Is it true that in the end (.+) {kind} (on|in) (.+)\?")
        thing, place = replay.phrases[phrase], replay.phrases[where]
        if place in replay.rooms:
            there = replay.room(thing, -1) == place
        else:
            there = replay.places[-1][thing] == ("ON" if relation == "on" else "INSIDE", place)
        assert example.answer == YES_NO[0 if there == (kind == "is") else 1]
        assert example.options == YES_NO and meta["denies"] == (kind == "is not")
        answers[example.answer] += 1
        of[place in replay.rooms] += 1
    assert min(answers.values()) > 40 and min(of.values()) > 40


def test_what_was_not_touched_was_touched_by_somebody_else():
    found = 0
    for episode, replay, example, _ in built("negation", kinds=["not touched"]):
        (who,) = asked(example, r"Which of these did (\w+) not touch\? Choose from: .+\.")
        touched = {
            (event.actor, event.object)
            for event in episode.events
            if event.succeeded and event.verb != "walk"
        }
        for option in example.options:
            thing = replay.phrases[option]
            assert ((who, thing) in touched) == (option != example.answer)
            assert any(name != who or option != example.answer for name, one in touched if one == thing)
        found += 1
    assert found > 60


def test_the_room_a_thing_was_never_in():
    found = 0
    for _, replay, example, meta in built("negation", kinds=["never in"]):
        (phrase,) = asked(example, r"In which of these rooms was (.+) never\? Choose from: .+\.")
        path = replay.path(replay.phrases[phrase])
        assert replay.phrases[example.answer] not in path
        assert all(replay.phrases[option] in path for option in example.options if option != example.answer)
        assert all(option in meta["story"] for option in example.options)
        found += 1
    assert found > 60


def test_a_witness_was_in_the_room():
    answers = Counter()
    for episode, replay, example, _ in built("witness"):
        who, happened = asked(example, r"Did (\w+) see it when (.+)\?")
        (event,) = told(episode)[happened]
        assert event.actor != who
        same_room = replay.room(who, event.t) == replay.room(event.actor, event.t)
        assert example.answer == YES_NO[0 if same_room else 1]
        story = example.prompt.split("\nQuestion")[0]
        assert story.index(f"{who} ") < story.index(happened), "the story has said where the witness was"
        answers[example.answer] += 1
    assert min(answers.values()) > 60


@pytest.mark.parametrize("kind", ["visits", "rooms", "held"])
def test_other_counts_are_those_of_the_replay(kind):
    counts = Counter()
    for episode, replay, example, meta in built("counting", of=[kind], per_episode=3):
        walks = [
            (event.actor, event.target)
            for event in episode.events
            if event.succeeded and event.verb == "walk" and event.source != event.target
        ]
        if kind == "visits":
            who, room = asked(example, r"How many times did (\w+) go into (.+)\?")
            count = walks.count((who, replay.phrases[room]))
        elif kind == "rooms":
            (who,) = asked(example, r"How many different rooms did (\w+) go into\?")
            count = len({room for name, room in walks if name == who})
        else:
            (who,) = asked(example, r"(?:.+ at first\. )?How many items is (\w+) holding(?: now)?\?")
            count = sum(place == ("HOLDS", who) for place in replay.places[-1].values())
        assert example.answer == str(count) and meta["kind"] == kind
        counts[count] += 1
    assert len(counts) >= 3


def test_every_moment_of_a_path_may_be_asked_about():
    once = [example for *_, example, _ in built("object_location", per_episode=8)]
    often = [example for *_, example, _ in built("object_location", per_episode=8, every_moment=True)]
    assert len(often) > 1.5 * len(once)
    assert len({example.example_id for example in often}) > 1.5 * len(once)


def test_a_next_observation_is_what_was_seen():
    found = 0
    for episode in episodes(30):
        world = make(episode.world, **json.loads(episode.world_config))
        seen, _ = world.reset(seed=episode.seed)
        seen = [seen, *(world.step(step.action)[0] for step in episode.steps)]
        seen = [" ".join(one.split()) for one in seen]
        for example in build("next_observation", episode):
            before, done, answer = re.fullmatch(
                r"Seen: (.+)\nDone: (.+)\nSeen next:(?: (.+))?", f"{example.prompt} {example.answer}"
            ).groups()
            moment = json.loads(example.meta)["moment"]
            assert answer == example.answer == seen[moment]
            assert seen[moment - 2] == before, "two characters take turns"
            actions = [step.action for step in episode.steps[moment - 2 : moment]]
            assert done == " ".join(world.narrate_action(action) for action in actions)
            assert set(example.options) <= set(seen) and len(set(example.options)) == 3
            who = before.split(",")[0]
            assert all(option.startswith(who) for option in example.options)
            found += 1
    assert found > 40


def test_a_lone_character_leaves_nothing_to_ask_about_others():
    world = make(HOUSEHOLD, split="heldout", rooms=[3, 3])
    world.reset(seed=1)
    thing = next(fact.subject for fact in world.facts() if fact.relation == "ON")
    lone = scripted_episode(world, 1, [f"walk to {thing}", f"grab {thing}", f"drop {thing}"])
    for name, reason in (("witness", "nobody else"), ("character_action", "only one character")):
        (skipped,) = ask(name, lone, builder_settings(name, {}, "x"), 0)
        assert isinstance(skipped, Skipped) and reason in skipped.reason


@pytest.mark.parametrize(
    "style, line", [("program", r"(<char\d> )?\[[A-Z]+\]( <[A-Za-z_]+> \(\d+\))*"), ("e2wm", r"\w+ .+\.")]
)
def test_other_styles_are_not_mixed_with_english(style, line):
    introduced = 0
    for episode in episodes(20):
        story = tell(episode, style, 0)
        lines = story.text.split("\n") if style == "program" else re.findall(r".+?\.(?: |$)", story.text)
        assert len(lines) == story.sentences
        assert all(re.fullmatch(line, one.strip()) for one in lines), lines
        assert "was in" not in story.text and (style != "e2wm" or " the " not in story.text)
        introduced += len(lines) - len(story.events)
    assert introduced > 3
