"""The generated shop's products: what they hold, and that they follow from seed and number alone."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.canonical import canonical_json
from worldschool.envs.shop.generated import generate, generate_goals, product_at, words
from worldschool.envs.shop.generated.draws import Draws
from worldschool.envs.shop.generated.kinds import article_of, plural_of
from worldschool.envs.shop.generated.options import POOLS
from worldschool.envs.shop.generated.products import asin_of, nouns_of
from worldschool.envs.shop.generated.stored import VERSION
from worldschool.envs.shop.generated.table import KIND_OF, KINDS
from worldschool.envs.shop.matching import is_same
from worldschool.envs.shop.products import NO_RATING
from worldschool.envs.shop.reward import options_met

PRODUCTS = tuple(generate(1500, 7))
SEEDS = st.integers(0, 2**63 - 1)
NUMBERS = st.integers(0, 36**8 - 1)
DIGESTS = {2: "5b98ebfbef1e26ca"}
"""Of the first products and goals of seed 0, by VERSION: whoever changes them adds a version."""


def test_what_the_generator_makes_changes_with_its_version_only() -> None:
    made = [asdict(product) for product in generate(300, 0)] + [
        asdict(goal) for goal in generate_goals(300, 0)
    ]
    assert hashlib.sha256(canonical_json(made).encode()).hexdigest()[:16] == DIGESTS[VERSION]


@given(NUMBERS, SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_product_follows_from_seed_and_number(number: int, seed: int) -> None:
    assert product_at(number, seed) == product_at(number, seed)
    assert product_at(number, seed) != product_at(number, seed + 1)


def test_products_do_not_depend_on_how_many_there_are() -> None:
    assert list(generate(5, 7)) == list(PRODUCTS[:5])
    assert [product_at(number, 7) for number in (1499, 3)] == [PRODUCTS[1499], PRODUCTS[3]]


@given(NUMBERS, NUMBERS, SEEDS)
def test_ids_are_unique(one: int, other: int, seed: int) -> None:
    assert re.fullmatch("B0[0-9A-Z]{8}", asin_of(one, seed))
    assert (asin_of(one, seed) == asin_of(other, seed)) == (one == other)


def test_ids_of_neighbours_are_unique_and_unlike() -> None:
    ids = [asin_of(number, 0) for number in range(50_000)]
    assert len(set(ids)) == len(ids)
    far = [asin_of(number, 0) for number in range(0, 36**8, 36**8 // 20_000)]
    high = [asin_of(number * 36**4 + 5, 0) for number in range(20_000)]
    assert len(set(far)) == len(far) and len(set(high)) == len(high)
    assert len({asin[:6] for asin in ids[:1000]}) > 950
    assert len({asin[-2:] for asin in ids[:1000]}) > 500


def test_there_are_five_departments_and_many_kinds() -> None:
    assert {kind.department for kind in KINDS} == {"beauty", "electronics", "fashion", "garden", "grocery"}
    assert len(KINDS) >= 100
    assert len(KIND_OF) == len(KINDS)
    assert len({kind.path for kind in KINDS}) > 120
    assert all(len(kind.path.split(" › ")) >= 3 and kind.low < kind.high for kind in KINDS)
    assert {product.query for product in PRODUCTS} == set(KIND_OF)


def test_every_kind_has_enough_to_ask_for() -> None:
    for kind in KINDS:
        assert len(kind.groups) >= 5, kind.query
        assert len(kind.options) >= 1, kind.query
        assert len(kind.names) >= 2, kind.query
        texts = [attribute.text for group in kind.groups for attribute in group]
        assert len(texts) == len(set(texts)), kind.query
        assert all(text == text.lower() and text.isascii() for text in texts), kind.query


def test_a_kind_is_made_of_what_it_says_else_of_what_its_family_says() -> None:
    def made(query: str) -> set[str]:
        return {one.text for group in KIND_OF[query].groups for one in group if one.form == "made"}

    assert made("men's jeans") == {"stretch denim", "rigid denim", "organic denim"}
    assert made("men's t-shirts") == {"cotton", "polyester spandex", "linen", "merino wool"}


def test_most_options_are_there() -> None:
    there = [name in product.options for product in PRODUCTS for name, _ in KIND_OF[product.query].options]
    assert 0.83 < sum(there) / len(there) < 0.92


def test_alternatives_of_a_group_are_not_the_same() -> None:
    for group in {group for kind in KINDS for group in kind.groups}:
        for one, other in combinations(group, 2):
            assert not is_same(one.text, other.text), group
            assert one.text not in other.text and other.text not in one.text, group


def test_related_kinds_share_words() -> None:
    heads = [set(" ".join(kind.names).split()) for kind in KINDS]
    sharing = [any(mine & theirs for theirs in heads[:at] + heads[at + 1 :]) for at, mine in enumerate(heads)]
    assert sum(sharing) > 0.6 * len(KINDS)


@pytest.mark.parametrize("pool", POOLS)
def test_values_of_a_pool_are_told_apart_by_the_reward(pool: str) -> None:
    for value in POOLS[pool]:
        assert value == value.lower().strip() and "/" not in value and "[" not in value
        for rules in ("webshop", "mended"):
            assert options_met([("size", value)], {"size": value}, rules) == 1, (value, rules)
            assert options_met([value], {"size": value}, rules) == 1, (value, rules)
        for other in POOLS[pool]:
            if other != value:
                assert options_met([("size", value)], {"size": other}, "mended") == 0, (value, other)
                assert options_met([value], {"size": other}, "webshop") == 0, (value, other)


def test_options_of_a_kind_share_no_values() -> None:
    for kind in KINDS:
        values = [value for _, pool in kind.options for value in pool]
        assert len(values) == len(set(values)), kind.query


def test_texts_are_whole() -> None:
    for product in PRODUCTS:
        texts = [product.title, product.description, *product.bullets]
        texts += [text for review in product.reviews for text in (review.title, review.body)]
        for text in texts:
            assert text.strip() == text and text, product
            assert not re.search(r"[{}]|  | ,|,,|\|\s*\||\(\)", text), text
        assert 3 <= len(product.bullets) <= 5
        assert 10 < len(product.title) < 250
        assert 4 <= len(product.attributes) <= 7
        assert all(2 <= len(values) == len(set(values)) for values in product.options.values())


def test_titles_name_the_kind_and_the_brand_in_many_shapes() -> None:
    brands, shapes = re.compile(rf"\b({'|'.join(words.BRANDS)})\b"), set()
    for product in PRODUCTS:
        kind = KIND_OF[product.query]
        name = next(name for name in kind.titles if name in product.title)
        assert len(brands.findall(product.title)) == 1
        shapes.add(re.sub("[A-Za-z0-9' ]+", " ", brands.sub("@", product.title.replace(name, "#"))))
    assert len(shapes) > 25


def test_pages_name_most_attributes_literally() -> None:
    told = [
        attribute in "\n".join((product.title, *product.bullets, product.description)).lower()
        for product in PRODUCTS
        for attribute in product.attributes
    ]
    assert 0.8 < sum(told) / len(told) < 1.0


def test_sentences_say_nothing_that_is_an_attribute() -> None:
    sentences = [*words.PLAIN_BULLETS, *words.OPENINGS, *words.CLOSINGS]
    sentences += [
        text for table in (words.BULLETS, words.ABOUT) for group in table.values() for text in group
    ]
    sentences += [*words.MODELS, *(praise for group in words.PRAISE for praise in group)]
    attributes = {attribute.text for kind in KINDS for group in kind.groups for attribute in group}
    for sentence in sentences:
        plain = re.sub("{.*?}", "#", sentence).lower()
        assert not [attribute for attribute in attributes if attribute in plain], sentence


def test_nouns_are_the_title_words_that_are_nouns() -> None:
    title = "Velora Premium Machine Washable Men's T-Shirt with Crew Neck for Gym, Pack of 3"
    nouns = ("velora", "machine", "men", "shirt", "crew", "neck", "gym", "pack")
    assert nouns_of(title) == nouns
    for product in PRODUCTS:
        assert product.nouns == nouns_of(product.title)
        assert len(product.nouns) >= 2, product.title


def test_brands_and_heads_of_names_are_nouns() -> None:
    known = {word for kind in KINDS for name in kind.names for word in re.findall("[a-z]+", name)}
    known |= {word for kind in KINDS for group in kind.groups for one in group for word in one.text.split()}
    brands = {brand.lower() for brand in words.BRANDS}
    assert len(brands) > 1000 and not brands & known and not brands & words.NO_NOUNS
    for kind in KINDS:
        for name in kind.names:
            assert nouns_of(name.removesuffix(" set")), name


def test_prices_are_those_of_the_kind_and_a_tenth_are_ranges() -> None:
    ranges = [product for product in PRODUCTS if len(product.prices) == 2]
    assert 0.07 < len(ranges) / len(PRODUCTS) < 0.13
    assert all(product.prices[0] < product.prices[1] for product in ranges)
    for product in PRODUCTS:
        kind = KIND_OF[product.query]
        assert kind.low - 1 < product.prices[0] < kind.high + 1
        assert re.fullmatch(r"\$\d+\.\d{1,2}( to \$\d+\.\d{1,2})?", product.price_text)


def test_better_products_are_dearer_and_better_rated() -> None:
    candles = [product for product in PRODUCTS if product.rating != NO_RATING]
    scores = {product.asin: float(product.rating.split()[0]) for product in candles}
    places = {product.asin: product.prices[0] / KIND_OF[product.query].low for product in candles}
    dear = [scores[asin] for asin, place in places.items() if place > 4]
    cheap = [scores[asin] for asin, place in places.items() if place < 2]
    assert sum(dear) / len(dear) > sum(cheap) / len(cheap) + 0.2
    assert all(1 <= score <= 5 for score in scores.values())
    assert all(review.score in "12345" for product in PRODUCTS for review in product.reviews)


def test_draws_are_fair_and_go_on_without_end() -> None:
    draws = Draws("a key")
    counts = [0] * 10
    for _ in range(5000):
        counts[draws.below(10)] += 1
    assert min(counts) > 400 and max(counts) < 600
    assert sorted(draws.some_of(range(6), 9)) == list(range(6))
    assert len(set(draws.some_of(range(6), 4))) == 4
    firsts = [draws.some_of("abc", 2) for _ in range(3000)]
    for pair in ("ab", "ac", "ba", "bc", "ca", "cb"):
        assert 400 < sum("".join(first) == pair for first in firsts) < 600
    assert 0 <= draws.share() < 1
    assert [Draws("b").below(1000) for _ in range(2)] != [Draws("c").below(1000), Draws("d").below(1000)]


@pytest.mark.parametrize(
    ("phrase", "article"),
    [
        ("usb port", "a"),
        ("umbrella", "an"),
        ("hdmi port", "an"),
        ("soy candle", "a"),
        ("universal plug", "a"),
        ("oven", "an"),
    ],
)
def test_articles(phrase: str, article: str) -> None:
    assert article_of(phrase) == article


def test_plurals() -> None:
    names = ("candle", "hair brush", "computer mouse", "body", "scarf", "toy")
    assert [plural_of(name) for name in names] == [
        "candles", "hair brushes", "computer mice", "bodies", "scarves", "toys",
    ]  # fmt: skip
