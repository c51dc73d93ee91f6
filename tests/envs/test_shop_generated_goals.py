"""The generated shop's goals: that they can be met, what they say, and that the splits share nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.generated import generate, generate_goals, generated_catalogue, product_at, stored
from worldschool.envs.shop.generated.goals import goal_of, told_attributes, worded_goal
from worldschool.envs.shop.generated.instructions import split_of_template
from worldschool.envs.shop.generated.table import KIND_OF
from worldschool.envs.shop.generated.words import BRANDS
from worldschool.envs.shop.goals import ShopGoal, split_of_attributes
from worldschool.envs.shop.products import Product
from worldschool.envs.shop.reward import Score, score_purchase
from worldschool.envs.shop.wishes import NO_BOUND
from worldschool.errors import OutputError, WorldError
from worldschool.records import SPLITS

SEED = 3
PRODUCTS = tuple(generate(1200, SEED))
GOALS = tuple(generate_goals(1200, SEED))
NUMBERS = st.integers(0, 36**8 - 1)
SEEDS = st.integers(0, 2**63 - 1)
RULES = st.sampled_from(("webshop", "mended"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORLDSCHOOL_CACHE", str(tmp_path))
    return tmp_path / "shop"


def score(goal: ShopGoal, product: Product, price: float, options: dict[str, str], rules: Any) -> Score:
    nouns = {"goal": product.nouns or (), "purchased": product.nouns or ()}
    return score_purchase(goal.to_webshop(), product.to_webshop(), price, options, nouns, rules)


# -- reward -----------------------------------------------------------------------------------------------------------


@given(NUMBERS, SEEDS, RULES)
@settings(max_examples=300, deadline=None)
def test_every_goal_is_met_by_its_target(number: int, seed: int, rules: str) -> None:
    product = product_at(number, seed)
    goal = goal_of(product, number, seed)
    if goal is None:
        return
    for price in product.prices:
        assert score(goal, product, price, dict(goal.options), rules).reward == 1.0, goal


def test_goals_of_a_catalogue_are_met_under_both_rules() -> None:
    for goal in GOALS:
        product = PRODUCTS[goal.row]
        for rules in ("webshop", "mended"):
            assert score(goal, product, max(product.prices), dict(goal.options), rules).reward == 1.0, goal


def test_what_is_wanted_matters() -> None:
    """Without its options, above its price, or with another kind of product the reward is less."""
    for goal in GOALS[:300]:
        product = PRODUCTS[goal.row]
        other = next(one for one in PRODUCTS if one.category != product.category)
        nouns = {"goal": product.nouns or (), "purchased": other.nouns or ()}
        wrong = score_purchase(
            goal.to_webshop(), other.to_webshop(), 1.0, dict(goal.options), nouns, "mended"
        )
        assert wrong.reward < 1.0
        if goal.options:
            assert score(goal, product, max(product.prices), {}, "mended").reward < 1.0
        if goal.price_upper < NO_BOUND:
            assert score(goal, product, goal.price_upper + 1, dict(goal.options), "mended").reward < 1.0


# -- instructions -----------------------------------------------------------------------------------------------------


def test_an_instruction_says_what_the_goal_holds_and_names_no_product() -> None:
    for goal in GOALS:
        product, text = PRODUCTS[goal.row], goal.instruction.lower()
        kind = KIND_OF[goal.query]
        assert any(name in text for name in kind.names), goal
        assert all(attribute in text for attribute in goal.attributes), goal
        assert all(value in text for _, value in goal.options), goal
        if goal.price_upper < NO_BOUND:
            assert re.search(rf"\b{int(goal.price_upper)}\b", text), goal
        else:
            assert "$" not in text and "dollars" not in text, goal
        assert product.title.lower() not in text
        assert not re.search(r"[{}]|  |\bnone\b", text), goal


def test_no_instruction_names_a_brand() -> None:
    brands = {brand.lower() for brand in BRANDS}
    for goal in GOALS:
        assert not brands & set(goal.instruction.lower().replace(".", " ").replace(",", " ").split()), goal


def test_goals_ask_for_what_the_pages_say() -> None:
    for goal in GOALS:
        product = PRODUCTS[goal.row]
        page = "\n".join((product.title, *product.bullets, product.description)).lower()
        assert all(attribute in page for attribute in goal.attributes), goal
        assert set(goal.attributes) <= set(product.attributes)
        assert all(value in product.options[name] for name, value in goal.options), goal


def test_goals_vary() -> None:
    assert {len(goal.attributes) for goal in GOALS} == {1, 2, 3}
    assert {len(goal.options) for goal in GOALS} == {0, 1, 2, 3}
    assert 0.65 < sum(goal.price_upper < NO_BOUND for goal in GOALS) / len(GOALS) < 0.85
    assert 0.4 < sum(goal.instruction == goal.instruction.lower() for goal in GOALS) / len(GOALS) < 0.6
    assert all(max(PRODUCTS[goal.row].prices) < goal.price_upper for goal in GOALS)
    templates = {wording.template for _, wording in worded()}
    assert len(templates) > 0.9 * len(GOALS)
    assert len({goal.instruction.split()[0].lower() for goal in GOALS}) > 12


def test_bounds_are_near_the_price() -> None:
    bounds = [
        goal.price_upper / max(PRODUCTS[goal.row].prices) for goal in GOALS if goal.price_upper < NO_BOUND
    ]
    assert sorted(bounds)[len(bounds) // 2] < 2


# -- splits -----------------------------------------------------------------------------------------------------------


def worded() -> Iterator[Any]:
    for product, row in zip(PRODUCTS, range(len(PRODUCTS)), strict=True):
        found = worded_goal(product, row, SEED)
        if found:
            yield found


def test_no_two_splits_share_a_product_a_combination_or_a_template() -> None:
    kept: list[dict[str, set[Any]]] = [{split: set() for split in SPLITS} for _ in range(4)]
    for goal, wording in worded():
        things = (goal.asin, frozenset(goal.attributes), wording.template, wording.text.lower())
        for kinds, thing in zip(kept, things, strict=True):
            kinds[goal.split].add(thing)
        assert goal.split == split_of_attributes(goal.attributes) == split_of_template(wording.template)
    for kinds in kept:
        assert all(len(things) > 50 for things in kinds.values())
        assert not kinds["train"] & kinds["heldout"]
        assert not kinds["train"] & kinds["validation"]
        assert not kinds["validation"] & kinds["heldout"]


def test_splits_are_60_20_20() -> None:
    shares = Counter(goal.split for goal in GOALS)
    assert 0.52 < shares["train"] / len(GOALS) < 0.68
    assert 0.14 < shares["heldout"] / len(GOALS) < 0.26


def test_goals_do_not_depend_on_how_many_products_there_are() -> None:
    few = list(generate_goals(50, SEED))
    assert few == list(GOALS[: len(few)])
    assert len(GOALS) > 0.99 * len(PRODUCTS)


# -- the cache --------------------------------------------------------------------------------------------------------


def test_a_catalogue_is_made_once_and_then_opened(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = generated_catalogue(40, 5)
    assert [made.product(row) for row in range(40)] == list(generate(40, 5))
    assert list(made.goals) == list(generate_goals(40, 5))
    assert [folder.name for folder in cache.iterdir()] == [f"generated-{stored.VERSION}-5-40"]
    assert made.description["about"]["seed"] == 5

    def none(products: int, seed: int) -> Iterator[Product]:
        raise AssertionError("made again")

    monkeypatch.setattr(stored, "generate", none)
    assert generated_catalogue(40, 5).digest == made.digest
    with pytest.raises(AssertionError, match="made again"):
        generated_catalogue(41, 5)
    assert len(list(cache.iterdir())) == 1, "what was not finished is gone"


def test_a_long_wait_is_announced(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stored, "TOLD_FROM", 8)
    generated_catalogue(7, 0)
    assert capsys.readouterr().err == ""
    for _ in range(2):
        generated_catalogue(8, 0)
    told = (
        f"Making a catalogue of 8 products, which is done once: {cache / f'generated-{stored.VERSION}-0-8'}\n"
    )
    assert capsys.readouterr().err == told


def test_a_new_version_makes_another_catalogue(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generated_catalogue(3, 0)
    monkeypatch.setattr(stored, "VERSION", stored.VERSION + 1)
    generated_catalogue(3, 0)
    assert len(list(cache.iterdir())) == 2


def test_the_slower_of_two_processes_opens_what_the_faster_made(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(products: int, seed: int) -> Iterator[Product]:
        yield from generate(products, seed)
        Catalogue.write(
            stored.generated_folder(products, seed), generate(products, seed), about={"who": "faster"}
        )

    monkeypatch.setattr(stored, "generate", slow)
    assert generated_catalogue(6, 1).description["about"] == {"who": "faster"}
    assert len(list(cache.iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise OutputError("no space left", where="here", mend="Make room.")

    monkeypatch.setenv("WORLDSCHOOL_CACHE", str(tmp_path))
    monkeypatch.setattr(Catalogue, "write", refused)
    with pytest.raises(OutputError, match="no space left"):
        generated_catalogue(6, 1)


@pytest.mark.parametrize(
    ("products", "seed", "told"), [(0, 0, "products: found 0"), (5, -1, "catalogue_seed: found -1")]
)
def test_wrong_sizes_are_told(products: int, seed: int, told: str, cache: Path) -> None:
    with pytest.raises(WorldError, match=f"shop: {told}. Give a whole number of at least"):
        generated_catalogue(products, seed)


def test_a_damaged_catalogue_is_told(cache: Path) -> None:
    generated_catalogue(4, 1)
    (cache / f"generated-{stored.VERSION}-1-4" / "catalogue.json").write_text("{")
    with pytest.raises(WorldError, match="Remove this folder: the catalogue will be made again"):
        generated_catalogue(4, 1)


def test_search_finds_targets_but_seldom_at_once(cache: Path) -> None:
    catalogue = generated_catalogue(600, 2)
    places = []
    for goal in catalogue.goals:
        found = catalogue.index.search(goal.instruction, 50).tolist()
        places.append(found.index(goal.row) if goal.row in found else 50)
    assert sum(place < 50 for place in places) > 0.95 * len(places)
    assert sum(place == 0 for place in places) < 0.65 * len(places)


def test_attributes_told_are_found_by_their_own_words() -> None:
    product = PRODUCTS[0]
    kind = KIND_OF[product.query]
    names = {attribute.text for attribute in told_attributes(product, kind)}
    assert names and names <= set(product.attributes)
    assert (
        told_attributes(Product(**{**vars(product), "bullets": (), "description": "", "title": "x"}), kind)
        == []
    )
