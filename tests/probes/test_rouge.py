"""ROUGE against hand values and against the package that papers use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.probes.rouge import rouge, words


def test_hand_values():
    # walk to kitchen | walk to the kitchen: 3 of 3 and of 4 words; 1 of 2 and of 3 pairs; in order 3.
    found = rouge("Walk to kitchen.", "walking to the kitchen")
    assert found == {
        "rouge_1": pytest.approx(6 / 7),
        "rouge_2": pytest.approx(2 / 5),
        "rouge_l": pytest.approx(6 / 7),
    }
    assert rouge("kitchen the to walk", "walk to the kitchen")["rouge_l"] == 0.25
    assert set(rouge("", "walk").values()) == set(rouge("walk", "...").values()) == {0.0}
    assert set(rouge("Grab the 2 cups!", "grab THE 2 cup").values()) == {1.0}


def test_short_words_are_not_stemmed():
    assert words("Was it his gas? Plates, walked; it's") == [
        "was",
        "it",
        "his",
        "gas",
        "plate",
        "walk",
        "it",
        "s",
    ]


@settings(max_examples=150, deadline=None)
@given(
    *[
        st.lists(
            st.sampled_from(
                ["walk", "walking", "to", "the", "plates", "dies", "É", "a_b", "x2", "on.", "\n"]
            ),
            max_size=9,
        ).map(" ".join)
    ]
    * 2
)
def test_the_numbers_of_the_package_rouge_score(prediction, reference):
    scorer = pytest.importorskip("rouge_score.rouge_scorer")
    theirs = scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True).score(reference, prediction)
    ours = rouge(prediction, reference)
    for name, key in (("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL")):
        assert ours[name] == pytest.approx(theirs[key].fmeasure)
