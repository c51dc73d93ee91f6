"""Shortcuts, on stories short enough to be answered by eye."""

import json

import pytest

from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.questions.shortcuts import RULES, WRITTEN_RULES, rule_credits
from worldschool.records import Example

STORY = (
    "Mary walked to the kitchen. John walked to the garage. Mary took the apple. Mary walked to the garden. "
    "John walked to the kitchen. Mary dropped the apple. Mary walked to the hall."
)
ROOMS = ("kitchen", "garage", "garden", "hall")


def example(answer, options=ROOMS, **meta):
    index = None if options is None else options.index(answer)
    meta = {"story": STORY, "rooms": list(ROOMS), **meta}
    return Example(
        "x", "t", f"{STORY}\nQuestion: ?\nAnswer:", f" {answer}\n", answer, "train", "e", "t", 1, 0, options, index,
        meta=json.dumps(meta),
    )  # fmt: skip


@pytest.mark.parametrize(
    "rule, right, credit",
    [
        ("recency", "hall", 1),
        ("primacy", "kitchen", 1),
        ("most_mentioned", "kitchen", 1),
        ("least_mentioned", "garage", 1 / 3),
        ("last_place", "hall", 1),
        ("longest", "kitchen", 1),
        ("shortest", "hall", 1),
        ("overlap", "hall", 1 / 4),
    ],
)
def test_rules_answer_from_the_surface(rule, right, credit):
    assert rule_credits(example(right, thing="apple"), [rule]) == {rule: pytest.approx(credit)}
    if credit == 1:
        wrong = next(room for room in ROOMS if room != right)
        assert rule_credits(example(wrong, thing="apple"), [rule]) == {rule: 0.0}


def test_the_nearest_mention_counts_letters():
    story = "The ball is in the hall. Mary saw it. The garden is far."
    for room, credit in (("hall", 1.0), ("garden", 0.0)):
        asked = example(room, ("hall", "garden"), story=story, thing="ball")
        assert rule_credits(asked, ["nearest_mention"]) == {"nearest_mention": credit}


def test_what_is_read_is_the_key_of_an_option_where_it_has_one():
    told = ("Mary went out", "Mary did nothing")
    keyed = example("Mary went out", told, keys=["the hall", "the garage"])
    assert rule_credits(keyed, ["recency", "primacy"]) == {"recency": 1.0, "primacy": 0.0}


@pytest.mark.parametrize("denies", [False, True])
def test_two_names_in_one_sentence_mean_yes(denies):
    yes, no = ("no", "yes") if denies else ("yes", "no")
    both = {"about": ["the apple", "Mary"], "denies": denies}
    apart = {"about": ["the apple", "the hall"], "denies": denies}
    assert rule_credits(example(yes, ("yes", "no"), **both), ["together"]) == {"together": 1.0}
    assert rule_credits(example(no, ("yes", "no"), **apart), ["together"]) == {"together": 1.0}
    assert rule_credits(example(yes, ("yes", "no"), **apart), ["last_together"]) == {"last_together": 0.0}


def test_a_neighbouring_sentence_means_yes():
    after = example("yes", ("yes", "no"), about=["John", "the kitchen"])
    assert rule_credits(after, ["told_after", "told_before"]) == {"told_after": 1.0, "told_before": 0.0}


def test_counting_mentions():
    numbers = ("0", "1", "2", "3", "4")
    asked = example("2", numbers, about=["the apple"], first=1)
    assert rule_credits(asked, ["mentions", "mentions_and_first"]) == {
        "mentions": 1.0,
        "mentions_and_first": 0.0,
    }
    more = example("3", numbers, about=["the apple"], first=1)
    assert rule_credits(more, ["mentions_and_first"]) == {"mentions_and_first": 1.0}


def test_written_answers():
    path = example("garden, hall", None, thing="apple")
    assert rule_credits(path, ["last_two", "most_mentioned_two"]) == {
        "last_two": 1.0,
        "most_mentioned_two": 0.0,
    }
    assert rule_credits(example("kitchen, garage", None, thing="apple"), ["most_mentioned_two"]) == {
        "most_mentioned_two": 1.0
    }


def test_a_rule_without_anything_to_say_says_nothing():
    assert rule_credits(example("hall", thing="dragon"), ["nearest_mention", "last_place"]) == {}
    assert rule_credits(example("hall"), ["together", "mentions", "told_before"]) == {}
    assert rule_credits(example("hall"), []) == {}


def test_names_are_read_as_whole_words():
    story = "Mary took the pineapple. Mary walked to the hall."
    assert rule_credits(example("hall", ROOMS, story=story, thing="apple"), ["nearest_mention"]) == {}


def test_every_builder_names_rules_that_there_are():
    assert {rule for spec in BUILDERS.values() for rule in spec.rules} <= {*RULES, *WRITTEN_RULES}
