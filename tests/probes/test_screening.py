"""Items that cannot be asked: refused by name, or left out and counted."""

import pytest

from tests.probes.items import filled
from worldschool.errors import DatasetError, ModelError
from worldschool.models.language import LocalModel
from worldschool.probes.ask import ask
from worldschool.probes.config import SuiteSettings
from worldschool.probes.screening import check_items, fitting

CHOICE, GENERATION = SuiteSettings(), SuiteSettings(max_new_tokens=5)


def item(number, words=3, answer="red", options=("red", "green", "blue"), **changes):
    return filled(number, "colour", "the " * words + "box.\nAnswer:", answer, options, **changes)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (item(1, prompt=" \n"), "has an empty prompt"),
        (item(1, options=("red", "")), "has an empty option"),
        (item(1, options=("red", "  ")), "has an empty option"),
        (item(1, options=("red", "blue", "red")), "has the option 'red' 2 times"),
        (item(1, options=("red", "dark blue", "dark  blue ")), "has the option 'dark blue' 2 times"),
        (item(1, answer="pink"), "has the answer 'pink', which is not among its options: red, green, blue"),
        (item(1, answer_index=2), "has answer_index 2, which is not the place of its answer 'red'"),
        (item(1, answer_index=3), "has answer_index 3"),
        (item(1, answer_index=-3), "has answer_index -3"),
        (item(1, options=("red",)), "has 1 options"),
        (item(1, answer=" ", options=None), "has an empty answer"),
    ],
)
def test_items_that_have_no_one_answer_are_refused_by_name(bad, problem):
    with pytest.raises(DatasetError, match=rf"questions.jsonl: colour: the item e1 {problem}.*Mend it"):
        check_items([item(0), bad], CHOICE, "questions.jsonl: colour")


def test_good_items_pass():
    check_items([item(0), item(1, answer_index=None), item(2, options=None)], CHOICE, "here")
    check_items([], CHOICE, "here")


def test_candidates_of_constrained_decoding_are_checked():
    paths = [item(0, options=None, answer="a, b"), item(1, options=None, answer="b")]
    check_items(paths, SuiteSettings(decoding="constrained"), "here")
    with pytest.raises(
        DatasetError, match=r"the answer 'a, b' of e0 is not among the candidates.*`candidates`"
    ):
        check_items(paths, SuiteSettings(decoding="constrained", candidates=("b", "c")), "here")
    with pytest.raises(DatasetError, match=r"here: 'b\\nc' cannot be written on one line"):
        check_items([item(0, options=("red", "b\nc"))], SuiteSettings(decoding="constrained"), "here")


@pytest.fixture(scope="module")
def model(tiny_models):
    return LocalModel(tiny_models.llama(context=40), tiny_models.tokenizer(), "short")


def test_items_that_do_not_fit_are_left_out_and_none_is_cut(model):
    items = [item(i, words) for i, words in enumerate([3, 60, 4, 200])]
    kept = fitting(model, items, CHOICE, [], "colour")
    assert kept == [items[0], items[2]]
    ask(model, kept, CHOICE)  # and what is kept can be asked
    with pytest.raises(ModelError, match="more than the context of 40"):
        ask(model, items, CHOICE)


@pytest.mark.parametrize(
    "settings",
    [
        CHOICE,
        SuiteSettings(decoding="constrained"),
        SuiteSettings(decoding="free", max_new_tokens=7),
        SuiteSettings(max_new_tokens=1),
    ],
)
@pytest.mark.parametrize("generated", [False, True])
def test_the_longest_item_that_fits_is_kept_and_one_more_word_is_not(model, settings, generated):
    options = None if generated else ("red", "a very long option")
    items = [item(i, words, options=options) for i, words in enumerate(range(1, 45))]
    kept = fitting(model, items, settings, [], "colour")
    assert 0 < len(kept) < len(items) and kept == items[: len(kept)]
    ask(model, kept, settings)
    with pytest.raises(ModelError, match="more than the context of 40"):
        ask(model, [items[len(kept)]], settings)


def test_worked_examples_count(tiny_models):
    model = LocalModel(tiny_models.llama(context=60), tiny_models.tokenizer(), "short")
    shots = [[item(50, 1)], [item(60, 14)]]
    items = [item(i, words) for i, words in enumerate(range(1, 60))]
    bare, behind = (fitting(model, items, CHOICE, shown, "colour") for shown in ([], shots))
    assert 0 < len(behind) < len(bare)
    for shown in shots:
        ask(model, behind, CHOICE, [shown])


def test_a_suite_of_which_nothing_is_left_is_refused(model):
    with pytest.raises(
        DatasetError, match=r"colour: none of the 2 items fits the context of short \(40 tokens\)"
    ):
        fitting(model, [item(0, 90), item(1, 95)], CHOICE, [], "colour")
    assert fitting(model, [], CHOICE, [], "colour") == []


def test_only_a_server_knows_its_tokens():
    class Served:
        name, context_length = "served", 1

        def count_tokens(self, texts):
            return None

    items = [item(0, 500)]
    assert fitting(Served(), items, CHOICE, [], "colour") == items
