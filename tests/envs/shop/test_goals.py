"""Goals: combinations, order, splits and draws; and what products cost and may cost."""

from __future__ import annotations

import random
from itertools import product as cartesian

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.shop.products import goal, product
from worldschool.envs.shop.goals import (
    GoalDraw,
    GoalTemplate,
    combination,
    combinations_of,
    paper_split,
    split_of_attributes,
    split_of_goal,
    webshop_order,
)
from worldschool.envs.shop.prices import NO_BOUND, bound_text, price_bound, price_of

OPTIONS = st.dictionaries(
    st.text(max_size=4), st.lists(st.text(max_size=4), min_size=1, max_size=4), max_size=4
)


@given(OPTIONS)
@settings(max_examples=100, deadline=None)
def test_combinations_are_those_of_a_cartesian_product_in_its_order(options):
    names = sorted(options)
    expected = [
        tuple(zip(names, values, strict=True)) for values in cartesian(*(options[name] for name in names))
    ]
    assert [combination(options, number) for number in range(combinations_of(options))] == expected


def test_an_option_without_values_leaves_no_combination():
    assert combinations_of({"color": ("red",), "size": ()}) == 0
    assert combinations_of({}) == 1


def test_a_goal_of_a_template_is_worded_with_its_options():
    one = product("B7", options={"size": ("small",), "color": ("red", "blue")})
    template = GoalTemplate("B7", 3, "I want it", ("easy",), 2, 30.0, 0.5, "validation")
    found = template.goal(1, one)
    assert (
        found.instruction == "I want it with color: blue, and size: small, and price lower than 30.00 dollars"
    )
    assert found.options == (("color", "blue"), ("size", "small"))
    assert (found.asin, found.row, found.weight, found.split) == ("B7", 3, 0.5, "validation")
    assert (found.query, found.name) == (one.query, one.title)
    assert (
        GoalTemplate("B7", 3, "I want it", ("easy",), 1).goal(0, product("B7", options={})).instruction
        == "I want it"
    )


def test_goals_are_told_in_webshops_words():
    pairs, values = goal(product(), 0), goal(product(), 0, options=("red", "xl"))
    assert pairs.to_webshop()["goal_options"] == {"color": "red"}
    assert values.to_webshop()["goal_options"] == ["red", "xl"]
    assert goal(product(), 0, options=()).to_webshop()["goal_options"] == []


def test_the_order_is_webshops_and_leaves_pythons_generator_alone():
    random.seed(1)
    before = random.getstate()
    found = webshop_order(289).tolist()
    assert random.getstate() == before
    random.seed(233)
    expected = list(range(289))
    random.shuffle(expected)
    random.setstate(before)
    assert found == expected
    assert found[:5] == FIRST


FIRST = [109, 55, 126, 64, 273]


# -- splits -----------------------------------------------------------------------------------------------------------


def test_splits_are_three_fifths_and_a_fifth_each_and_never_change():
    found = [split_of_attributes([f"attribute {number}"]) for number in range(5000)]
    shares = [found.count(split) / len(found) for split in ("train", "validation", "heldout")]
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.02)
    assert found[:5] == ["train", "heldout", "train", "heldout", "validation"]


def test_order_case_and_repeats_of_attributes_do_not_count():
    for number in range(50):
        names = [f"a{number}", f"b{number}"]
        expected = split_of_attributes(names)
        assert split_of_attributes([*reversed(names), names[0].upper()]) == expected


def test_a_goal_is_in_its_products_split_or_in_none():
    one, other = (
        next(name for name in map(str, range(99)) if split_of_attributes([name]) == split)
        for split in ("train", "heldout")
    )
    assert split_of_goal([one], [one]) == "train"
    assert split_of_goal([other], [other]) == "heldout"
    assert split_of_goal([other], [one]) is None
    assert split_of_goal([one], [other]) is None


def test_the_papers_splits_end_where_the_paper_says():
    assert [paper_split(number) for number in (0, 499, 500, 1499, 1500, 12086)] == [
        "heldout",
        "heldout",
        "validation",
        "validation",
        "train",
        "train",
    ]


# -- draws ------------------------------------------------------------------------------------------------------------


def test_each_goal_is_drawn_as_often_as_it_weighs():
    draw = GoalDraw(np.array([1.0, 0.0, 2.0, 1.0]))
    found = [draw.at(point / 1000) for point in range(1000)]
    assert [found.count(number) for number in range(4)] == [250, 0, 500, 250]


def test_webshops_draw_is_off_by_one():
    draw = GoalDraw(np.array([1.0, 5.0, 2.0, 2.0]), "webshop")
    found = [draw.at(point / 1000) for point in range(1000)]
    assert [found.count(number) for number in range(4)] == [0, 100, 500, 400]


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=30), st.floats(0, 1, exclude_max=True))
@settings(max_examples=200, deadline=None)
def test_webshops_draw_is_what_its_own_computation_gives(weights, point):
    sums = [0.0, *np.cumsum(weights).tolist()]
    position = point * sums[-1]
    expected = min(sum(1 for end in sums if end <= position), len(sums) - 2)
    assert GoalDraw(np.array(weights), "webshop").at(point) == expected
    assert 0 <= GoalDraw(np.array(weights)).at(point) < len(weights)


# -- prices -----------------------------------------------------------------------------------------------------------


def test_a_price_is_what_it_is_and_a_range_is_drawn_by_the_id():
    assert price_of(product(prices=(12.5,))) == 12.5
    assert price_of(product(prices=())) == 100.0
    assert price_of(product("B1", prices=(10.0, 20.0))) == 11.64
    assert price_of(product("B2", prices=(10.0, 20.0))) == 18.79


@given(st.text(min_size=1, max_size=10), st.floats(0, 1e6), st.floats(0, 1e6))
@settings(max_examples=200, deadline=None)
def test_a_ranges_price_is_in_it_and_always_the_same(asin, low, high):
    price = price_of(product(asin, prices=(low, high)))
    assert min(low, high) <= price <= max(low, high)
    assert price == price_of(product(asin, title="other", prices=(low, high)))


def test_prices_of_ranges_are_spread_evenly():
    prices = [price_of(product(f"B{number}", prices=(0.0, 1.0))) for number in range(2000)]
    assert np.histogram(prices, bins=4, range=(0, 1))[0].tolist() == pytest.approx([500] * 4, abs=70)


@given(st.floats(0, 2000), st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_a_bound_is_one_that_webshop_could_draw(price, key):
    above = [float(bound) for bound in range(10, 1000, 10) if bound > price][:4]
    bound = price_bound(price, key)
    assert bound in above[1:] if len(above) >= 2 else bound == NO_BOUND


def test_bounds_are_drawn_as_often_as_the_larger_of_two_of_four():
    found = [price_bound(12.5, f"B{number}") for number in range(3000)]
    assert [found.count(bound) for bound in (30.0, 40.0, 50.0)] == pytest.approx([500, 1000, 1500], abs=100)


def test_only_a_bound_is_told():
    assert bound_text(40.0) == ", and price lower than 40.00 dollars"
    assert bound_text(NO_BOUND) == ""
