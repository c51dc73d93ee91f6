"""Balancing: shortcuts do not pay among what was asked, and most of what could be asked is."""

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.experience.lives import builder_settings, episodes, loners
from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.questions.asking import Asking, asked_of
from worldschool.experience.questions.balance import LEAST, SLACK, TOLERANCE, Balancer
from worldschool.experience.questions.example_report import Tally
from worldschool.records import Example

STORY_TASKS = {
    "object_location": {"every_moment": True},
    "counting": {"of": ["place", "visits", "rooms", "held"]},
    "which_came_first": {},
    "character_action": {},
    "negation": {},
    "witness": {},
    "next_observation": {},
}


@cache
def asked(name, balance):
    """Return one task's examples about 200 random episodes, and their report."""
    values = {"style": "brief", "per_episode": 3, **STORY_TASKS.get(name, {})}
    lived = loners(48) if name in ("order_validity", "missing_step") else episodes(200)
    tally = Tally([name])
    asking = Asking({name: builder_settings(name, values, "x")}, seed=0, balance=balance)
    found = list(asked_of(lived, asking, tally))
    return found, tally.to_json()["tasks"][name]


@pytest.mark.parametrize("name", [*STORY_TASKS, "missing_step"])
def test_no_shortcut_pays_among_real_episodes(name):
    found, report = asked(name, True)
    assert len(found) > {"missing_step": 25, "counting": 100}.get(name, 150)
    for rule in BUILDERS[name].rules:
        measured = report["shortcuts"][rule]
        # What may be over chance: the tolerance, and a few questions of each way of asking while there are few.
        room = (0.12 if name == "missing_step" else 0.04) + 3 / measured["asked"]
        assert measured["right"] - measured["chance"] < room, (rule, measured)
        assert measured["right"] > (0.4 if name in ("negation", "witness") else 0.5) * measured["chance"]


@pytest.mark.parametrize(
    "name, rule",
    [("object_location", "last_place"), ("negation", "together"), ("character_action", "nearest_mention")],
)
def test_without_balancing_shortcuts_do_pay(name, rule):
    measured = asked(name, False)[1]["shortcuts"][rule]
    balanced = asked(name, True)[1]["shortcuts"][rule]
    assert measured["right"] - measured["chance"] > 0.06
    assert measured["right"] - measured["chance"] > 2 * (balanced["right"] - balanced["chance"])


@pytest.mark.parametrize("name", ["witness", "order_validity"])
def test_yes_is_right_half_of_the_time(name):
    answers = Counter(example.answer for example in asked(name, True)[0])
    assert set(answers) == {"yes", "no"}
    assert abs(answers["yes"] - answers["no"]) <= 2 * SLACK + 2 * TOLERANCE * answers.total()


def test_counts_are_flat_and_positions_uniform():
    counts = Counter(example.answer for example in asked("counting", True)[0])
    before = Counter(example.answer for example in asked("counting", False)[0])
    assert set(counts) == {"0", "1", "2", "3", "4"}
    assert max(counts.values()) < 2 * min(counts.values()) and max(before.values()) > 3 * min(before.values())
    for name in ("which_came_first", "character_action", "next_observation"):
        found = [example for example in asked(name, True)[0]]
        most = Counter(len(example.options) for example in found).most_common(1)[0][0]
        places = Counter(example.answer_index for example in found if len(example.options) == most)
        total = places.total()
        assert all(abs(places[at] - total / most) <= 2 * SLACK + TOLERANCE * total for at in range(most))


def test_balanced_examples_are_among_those_that_could_be_asked():
    every = {one.example_id for one in asked_of(episodes(40), asking_all(40), Tally(["witness"]))}
    chosen = [
        one.example_id for one in asked_of(episodes(40), asking_all(2, balance=True), Tally(["witness"]))
    ]
    assert set(chosen) <= every and len(set(chosen)) == len(chosen)


def asking_all(per_episode, *, balance=False):
    return Asking(
        {"witness": builder_settings("witness", {"per_episode": per_episode}, "x")}, 0, balance=balance
    )


# -- the balancer alone ------------------------------------------------------------------------------------------------


def yes_no(number, answer, cue=""):
    return Example(
        f"e{number}",
        "t",
        f"Prompt {number}",
        f" {answer}\n",
        answer,
        "train",
        f"e{number}",
        "t",
        1,
        0,
        options=("yes", "no"),
        answer_index=("yes", "no").index(answer),
        meta=json.dumps({"cue": cue} if cue else {}),
    )


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.02, 0.98), st.integers(1, 3))
def test_enough_is_asked_whatever_is_offered_and_bounds_hold_where_they_can(seed, share, cues):
    random, alone, paired = Random(seed), Balancer(()), Balancer(())
    counts = {"alone": 0, "yes": 0, "no": 0}
    for number in range(200):
        answer, cue = "yes" if random.random() < share else "no", f"cue {random.randrange(cues)}"
        counts["alone"] += len(alone.choose([yes_no(number, answer, cue)], 1))
        assert counts["alone"] >= LEAST * (number + 1) - 1
        both = [
            yes_no(2 * number, answer, cue),
            yes_no(2 * number + 1, "no" if answer == "yes" else "yes", cue),
        ]
        (chosen,) = paired.choose(both, 1)
        counts[chosen.answer] += 1
        assert abs(counts["yes"] - counts["no"]) / 2 <= max(SLACK, TOLERANCE * (number + 1))


def test_of_several_questions_the_one_that_evens_things_out_is_asked():
    balancer = Balancer(())
    assert balancer.choose([yes_no(0, "yes")], 1)
    (second,) = balancer.choose([yes_no(1, "yes"), yes_no(2, "no")], 1)
    assert second.answer == "no"
    # And inside each way of asking.
    assert balancer.choose([yes_no(3, "yes", "is")], 1)
    (next_,) = balancer.choose([yes_no(4, "yes", "is"), yes_no(5, "no", "is")], 1)
    assert next_.answer == "no"


def test_of_two_answers_a_rule_that_is_always_wrong_tells_the_other():
    """Answers are even here; only the rule "told together means yes" has them all wrong."""
    wrong, mixed, counts = Balancer(("together",)), Balancer(("together",)), Counter()
    for number in range(200):
        together = number % 2 == 0
        meta = json.dumps(
            {
                "about": ["apple", "desk"],
                "story": "The apple, the desk." if together else "The apple. A desk.",
            }
        )
        asked_ = replace(yes_no(number, "no" if together else "yes"), meta=meta)
        counts["wrong"] += len(wrong.choose([asked_], 1))
        other = replace(yes_no(number, "yes" if number % 4 < 2 else "no"), meta=meta)
        counts["mixed"] += len(mixed.choose([other], 1))
    assert counts["wrong"] <= LEAST * 200 + 1 and counts["mixed"] == 200


def test_the_same_stream_gives_the_same_choice():
    random = Random(1)
    sets = [[yes_no(n * 4 + k, random.choice(["yes", "yes", "no"])) for k in range(3)] for n in range(100)]
    runs = []
    for _ in range(2):
        balancer = Balancer(())
        runs.append([one.example_id for some in sets for one in balancer.choose(some, 1)])
    assert runs[0] == runs[1]


def test_an_answer_there_is_too_little_of_does_not_stop_the_rest():
    def count(number, answer):
        options = ("0", "1", "2", "3")
        return Example(
            f"e{number}", "t", "p", f" {answer}\n", answer, "train", "e", "t", 1, 0, options, options.index(answer)
        )  # fmt: skip

    random, balancer, chosen = Random(0), Balancer(()), []
    for number in range(600):
        answer = random.choices("0123", [5, 4, 3, 0.1])[0]
        chosen += balancer.choose([count(number, answer)], 1)
    counts = Counter(example.answer for example in chosen)
    assert len(chosen) > 350
    assert max(counts[one] for one in "012") - min(counts[one] for one in "012") < 0.1 * len(chosen)
    assert 0 < counts["3"] < 20
