import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.experience.builders.table import BUILDERS
from worldschool.probes.metrics import (
    EXACT,
    WRITTEN,
    longest_common_run,
    path_score,
    plan_score,
    run_share,
    split_path,
    split_plan,
)

ROOMS = st.lists(st.sampled_from(["kitchen", "bathroom", "hallway", "garden"]), max_size=6)


@pytest.mark.parametrize(
    ("prediction", "answer", "score"),
    [
        ("kitchen, hallway", "kitchen, hallway", 1.0),
        ("The kitchen, the hallway.", "kitchen, hallway", 1.0),
        ("kitchen", "kitchen, hallway", 1 / 2),
        ("hallway, kitchen", "kitchen, hallway", 1 / 2),
        ("kitchen, garden, hallway", "kitchen, hallway", 1 / 3),
        ("kitchen, hallway, kitchen", "hallway, kitchen", 2 / 3),
        ("", "kitchen, hallway", 0.0),
        ("There is no such thing", "kitchen", 0.0),
    ],
)
def test_paths_by_hand(prediction, answer, score):
    assert path_score(prediction, answer) == pytest.approx(score)


def test_plans_are_compared_step_by_step():
    answer = "Walk to the kitchen. Open the fridge. Pick up the apple."
    assert plan_score(answer, answer) == 1.0
    assert plan_score("Walk to the kitchen. Pick up the apple.", answer) == pytest.approx(1 / 3)
    assert plan_score("open the fridge. pick up the apple", answer) == pytest.approx(2 / 3)


def test_a_full_stop_inside_a_word_ends_no_sentence():
    plan = "Search for 1.5 inch screws. Click 1.5 inch. Click buy now."
    assert split_plan(plan) == ["search for 1.5 inch screws", "click 1.5 inch", "click buy now"]


def test_each_written_task_has_a_builder_and_others_are_compared_whole():
    built = {"object_path", "plan_generation", "plan_generation_confusing", "shopping_plan"}
    assert built == set(WRITTEN) & set(BUILDERS)
    assert WRITTEN["shopping_plan"].score("Click buy now.", "Click white. Click buy now.") == 1 / 2
    assert EXACT.score("Four  apples", "four apples") == 1.0
    assert EXACT.score("four, apples", "four apples") == 0.0


def brute_force(one, other):
    runs = {tuple(one[i:j]) for i in range(len(one)) for j in range(i + 1, len(one) + 1)}
    return max(
        (len(run) for run in runs if any(tuple(other[k : k + len(run)]) == run for k in range(len(other)))),
        default=0,
    )


@given(ROOMS, ROOMS)
@settings(deadline=None, derandomize=True)
def test_the_longest_common_run_is_the_longest(one, other):
    assert longest_common_run(one, other) == brute_force(one, other) == longest_common_run(other, one)
    assert 0.0 <= run_share(one, other) <= 1.0
    assert run_share(one, one) == 1.0


@given(st.lists(st.text(string.ascii_lowercase, min_size=4, max_size=8), min_size=1, max_size=5))
@settings(deadline=None, derandomize=True)
def test_an_answer_reads_back_as_its_rooms(rooms):
    assert split_path(", ".join(rooms)) == rooms
