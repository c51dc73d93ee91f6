"""The graded reward: its parts, its range, and each rule that is mended."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.shop.reward import (
    UNKNOWN_NOUNS_SCORE,
    NoAttributes,
    UnscorablePrice,
    attributes_met,
    options_met,
    score_purchase,
)
from worldschool.envs.shop.scoring import score
from worldschool.errors import WorldError

PRODUCT = {
    "query": "candles",
    "product_category": "Home › Candles › Jars",
    "name": "Lavender Soy Candle",
    "Title": "Lavender Soy Candle",
    "Attributes": ["long lasting", "soy wax"],
    "BulletPoints": ["Hand Poured in small batches", "Gift ready"],
    "Description": "Burns for Forty Hours.",
}
GOAL = {
    "query": "candles",
    "product_category": "Home › Candles › Jars",
    "name": "Lavender Soy Candle",
    "attributes": ["long lasting"],
    "goal_options": {"scent": "lavender"},
    "price_upper": 40.0,
}
NOUNS = {"goal": ["lavender", "soy", "candle"], "purchased": ["lavender", "soy", "candle"]}


def scored(rules="mended", price=20.0, options=None, nouns=NOUNS, product=(), **goal):
    chosen = {"scent": "lavender"} if options is None else options
    return score_purchase({**GOAL, **goal}, {**PRODUCT, **dict(product)}, price, chosen, nouns, rules)


@pytest.mark.parametrize("rules", ["webshop", "mended"])
def test_what_was_asked_for_is_worth_one(rules):
    found = scored(rules)
    assert found.reward == 1.0
    assert found.info == {
        "r_type": 1.0,
        "query_match": True,
        "category_match": True,
        "title_score": 1.0,
        "r_att": 1.0,
        "w_att": 1 / 3,
        "r_option": 1.0,
        "w_option": 1 / 3,
        "r_price": True,
        "w_price": 1 / 3,
    }


@pytest.mark.parametrize("rules", ["webshop", "mended"])
def test_each_part_that_is_not_met_costs_its_share(rules):
    assert scored(rules, price=40.01).reward == 2 / 3
    assert scored(rules, price=40.0).reward == 1.0
    assert scored(rules, options={}).reward == 2 / 3
    assert scored(rules, attributes=["long lasting", "for the sauna"]).reward == 3 / 4
    assert scored(rules, price=50.0, options={"scent": "pine"}, attributes=["for the sauna"]).reward == 0.0


OTHER_KIND = {"query": "towels", "product_category": "Bath › Towels"}


@pytest.mark.parametrize(
    ("product", "purchased", "expected"),
    [
        ({}, ["lavender", "soy", "candle"], 1.0),
        (OTHER_KIND, ["candle"], 1.0),  # a third of the nouns is more than 0.2
        (OTHER_KIND, [], 0.0),
        ({}, [], 0.0),  # nouns count even where query and category are right
        ({"query": "towels"}, ["candle"], 1.0),
    ],
)
def test_the_kind_follows_from_query_categories_and_nouns(product, purchased, expected):
    found = scored(product=product, nouns={"goal": NOUNS["goal"], "purchased": purchased})
    assert found.info["r_type"] == expected


def test_few_common_nouns_are_worth_a_tenth_and_a_fifth_of_them_half():
    many = ["candle", *(f"noun{number}" for number in range(10))]
    assert scored(nouns={"goal": many, "purchased": ["candle"]}).info["r_type"] == 0.1
    five = ["candle", "a", "b", "c", "d"]
    assert scored(product=OTHER_KIND, nouns={"goal": five, "purchased": ["candle"]}).info["r_type"] == 0.5


def test_repeated_nouns_of_the_goal_count_each_time():
    assert scored(nouns={"goal": ["candle", "candle"], "purchased": ["candle"]}).info["title_score"] == 0.5


def test_a_goal_without_nouns_has_the_score_that_webshop_gives():
    found = scored(product=OTHER_KIND, nouns={"goal": [], "purchased": []})
    assert (found.info["title_score"], found.info["r_type"]) == (UNKNOWN_NOUNS_SCORE, 0.5)


def test_two_common_parts_of_the_category_path_are_needed():
    other = {"query": "x", "product_category": "Home ›  Candles "}
    assert scored(product=other).info["category_match"]
    assert not scored(product={"query": "x", "product_category": "Home › Towels"}).info["category_match"]


def test_attributes_are_found_in_title_features_and_description_too():
    for attribute in ("soy candle", "small batches", "forty hours", "batches gift"):
        assert attributes_met([attribute], PRODUCT) == 1
    assert attributes_met(["gift hand"], PRODUCT) == 0


# -- what is mended ---------------------------------------------------------------------------------------------------


def test_mended_an_option_counts_only_under_its_own_name():
    assert options_met([("size", "small")], {"band": "small"}, "webshop") == 1
    assert options_met([("size", "small")], {"band": "small"}, "mended") == 0
    assert options_met([("size", "small")], {"size": "Small"}, "mended") == 1
    assert options_met(["small"], {"band": "small"}, "mended") == 1


def test_mended_a_colour_is_a_whole_word():
    assert options_met(["bored teenager"], {"design": "red"}, "webshop") == 1
    assert options_met(["bored teenager"], {"design": "red"}, "mended") == 0
    assert (
        options_met(["light navy"], {"color": "light sky"}, "mended") == 1
    )  # both are "light", as in WebShop


def test_mended_attributes_are_looked_for_in_lower_case():
    assert attributes_met(["Forty Hours"], PRODUCT, "webshop") == 0
    assert attributes_met(["Forty Hours"], PRODUCT, "mended") == 1


def test_mended_a_goal_without_attributes_is_scored():
    with pytest.raises(NoAttributes, match="asks for no attribute.*'mended'"):
        scored("webshop", attributes=[])
    found = scored("mended", attributes=[])
    assert (found.reward, found.info["r_att"], found.info["w_att"]) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(("price", "bound"), [(None, 40.0), (20.0, 0.0), (20.0, -1.0)])
def test_mended_an_unknown_price_or_a_bound_of_nothing_is_not_met(price, bound):
    with pytest.raises(UnscorablePrice, match="price_upper"):
        scored("webshop", price=price, price_upper=bound)
    found = scored("mended", price=price, price_upper=bound)
    assert (found.reward, found.info["r_price"]) == (2 / 3, False)


def test_the_errors_are_webshops_kinds_too():
    assert issubclass(UnscorablePrice, TypeError)
    assert issubclass(NoAttributes, ZeroDivisionError)


# -- any purchase -----------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["color", "size", "scent"])
VALUES = st.sampled_from(["red", "navy blue", "xl", "x-large", "lavender", "bored", "Red"])
PHRASES = st.sampled_from(["long lasting", "soy wax", "Forty", "easy clean", "gift"])
OPTIONS = st.one_of(st.lists(VALUES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))


@given(
    attributes=st.lists(PHRASES, min_size=1, max_size=4),
    wanted=OPTIONS,
    chosen=st.dictionaries(NAMES, VALUES, max_size=3),
    price=st.floats(0, 100),
    rules=st.sampled_from(["webshop", "mended"]),
)
@settings(max_examples=200, deadline=None)
def test_the_reward_is_between_0_and_1_and_follows_from_its_parts(attributes, wanted, chosen, price, rules):
    found = scored(rules, price=price, options=chosen, attributes=attributes, goal_options=wanted)
    info = found.info
    parts = info["r_att"] * info["w_att"] + info["r_price"] * info["w_price"]
    parts += info.get("r_option", 0) * info.get("w_option", 0)
    assert 0.0 <= found.reward <= 1.0
    assert found.reward == pytest.approx(info["r_type"] * parts)
    assert info["w_att"] + info.get("w_option", 0) + info["w_price"] == pytest.approx(1)
    assert ("r_option" in info) == bool(wanted)


@given(wanted=st.dictionaries(NAMES, VALUES, max_size=3), chosen=st.dictionaries(NAMES, VALUES, max_size=3))
@settings(max_examples=200, deadline=None)
def test_choosing_exactly_what_is_wanted_meets_every_option(wanted, chosen):
    pairs = list(wanted.items())
    assert options_met(pairs, {**chosen, **wanted}, "mended") == len(pairs)
    assert options_met(list(wanted.values()), {**chosen, **wanted}, "mended") == len(pairs)
    assert options_met(list(wanted.values()), {**chosen, **wanted}, "webshop") == len(pairs)


def test_mended_a_wanted_pair_can_always_be_met():
    # WebShop makes a colour of what was chosen, "titanium" to "tan", but not of a pair that is wanted.
    assert options_met([("finish", "titanium")], {"finish": "titanium"}, "webshop") == 0
    assert options_met([("finish", "titanium")], {"finish": "titanium"}, "mended") == 1


@given(attributes=st.lists(PHRASES, max_size=4), more=PHRASES)
@settings(max_examples=100, deadline=None)
def test_a_product_with_one_more_attribute_is_never_worth_less(attributes, more):
    richer = {**PRODUCT, "Attributes": [*PRODUCT["Attributes"], more]}
    for rules in ("webshop", "mended"):
        assert attributes_met(attributes, richer, rules) >= attributes_met(attributes, PRODUCT, rules)


# -- score, for plain dictionaries ------------------------------------------------------------------------------------


def test_score_takes_webshops_fields_and_counts_as_webshop_does():
    goal = {**GOAL, "goal_options": ["bored"]}
    assert score(goal, PRODUCT, 20.0, {"design": "red"}, NOUNS).reward == 1.0
    assert score(goal, PRODUCT, 20.0, {"design": "red"}, NOUNS, compat=None).reward == 2 / 3


def test_score_reads_nouns_from_the_records_where_none_are_given():
    goal, product = {**GOAL, "nouns": ["candle"]}, {**PRODUCT, "nouns": []}
    assert score(goal, product, 20.0, {"scent": "lavender"}).reward == 0.0


def test_score_names_a_field_that_is_missing():
    goal = {name: value for name, value in GOAL.items() if name != "price_upper"}
    with pytest.raises(WorldError, match=r"goal\.price_upper: this field is missing"):
        score(goal, PRODUCT, 20.0, {}, NOUNS)
    with pytest.raises(WorldError, match=r"product\.Title: this field is missing"):
        score(GOAL, {name: value for name, value in PRODUCT.items() if name != "Title"}, 20.0, {}, NOUNS)
    with pytest.raises(WorldError, match="compat: found 'amazon'"):
        score(GOAL, PRODUCT, 20.0, {}, NOUNS, compat="amazon")
