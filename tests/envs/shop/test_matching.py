"""When phrases count as the same: the ratio's definition, its short cuts, and colours."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.shop.matching import (
    COLOURS,
    SAME_ABOVE,
    colour_of,
    colour_word_of,
    is_same,
    token_set_ratio,
)

WORDS = st.sampled_from(
    ["red", "Red", "navy", "blue", "x-large", "xlarge", "xl", "a", "b", "bored", "café", "3.5", "™", "_"]
)
PHRASES = st.one_of(
    st.lists(WORDS, max_size=5).map(" ".join),
    st.text(max_size=12),
    st.tuples(st.sampled_from(["color", "size", ""]), st.lists(WORDS, max_size=3).map(" ".join)),
)


def words(phrase):
    kept = "".join(letter for letter in str(phrase) if not 128 <= ord(letter) <= 255)
    return set(re.sub(r"\W", " ", kept).lower().split())


def plain_ratio(one, other):
    """thefuzz 0.19.0's token_set_ratio, written as it is defined and nothing left out for speed."""
    first, second = words(one), words(other)
    if not first or not second:
        return 0
    common = " ".join(sorted(first & second))
    joined = [f"{common} {' '.join(sorted(rest))}".strip() for rest in (first - second, second - first)]
    pairs = [(common, joined[0]), (common, joined[1]), (joined[0], joined[1])]
    return max(round(100 * SequenceMatcher(None, a, b).ratio()) if a and b else 0 for a, b in pairs)


@given(PHRASES, PHRASES)
@settings(max_examples=400, deadline=None)
def test_the_ratio_is_what_its_definition_says(one, other):
    assert token_set_ratio(one, other) == plain_ratio(one, other)


@given(PHRASES, PHRASES)
@settings(max_examples=400, deadline=None)
def test_the_short_cuts_of_is_same_decide_as_the_ratio_does(one, other):
    assert is_same(one, other) == (token_set_ratio(one, other) > SAME_ABOVE)


@given(st.text(alphabet="abcd", min_size=5, max_size=20), st.integers(0, 19), st.sampled_from("abcd"))
@settings(max_examples=300, deadline=None)
def test_is_same_agrees_where_one_letter_decides(word, at, letter):
    changed = word[: at % len(word)] + letter + word[at % len(word) :]
    assert is_same(word, changed) == (plain_ratio(word, changed) > SAME_ABOVE)


def test_one_set_of_words_in_the_other_is_the_same():
    assert token_set_ratio("organic tea", "tea that is organic, and loose") == 100
    assert token_set_ratio("XL", ("size", "xl")) == 100


def test_letters_of_latin_1_are_dropped_and_whatever_is_no_letter_separates():
    assert token_set_ratio("café", "caf") == 100
    assert token_set_ratio("ready-to-use", "ready to use") == 100
    assert token_set_ratio("a_b", "a b") < SAME_ABOVE


@pytest.mark.parametrize("empty", ["", " ", "é", "-!", ("", "")])
def test_nothing_is_like_a_phrase_without_words(empty):
    assert token_set_ratio(empty, "red") == 0
    assert not is_same(empty, empty)


def test_webshops_colour_is_any_part_of_a_word():
    assert colour_of("navy blue") == "blue"
    assert colour_of("bored") == "red"
    assert colour_of("NAVY") == "NAVY"
    assert colour_of(("color", "red")) == "red"
    assert colour_of(("color", "dark red")) == ("color", "dark red")


def test_the_mended_colour_is_a_whole_word_in_any_case():
    assert colour_word_of("Navy Blue") == "blue"
    assert colour_word_of("Bored") == "bored"
    assert colour_word_of("titanium") == "titanium"


def test_colours_are_looked_for_in_the_order_of_the_alphabet():
    assert list(COLOURS) == sorted(COLOURS)
    assert len(COLOURS) == 102
