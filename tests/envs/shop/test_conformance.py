"""The shop against WebShop itself: rewards, fuzzy ratios, terms, rankings, pages, sessions and goals as recorded."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from tests.envs.shop.recorded import (
    LARGE_ITEMS,
    large_webshop_files,
    lines,
    needs_recordings,
    recorded_catalogue,
    state,
    webshop_files,
)
from worldschool.envs.shop import pages
from worldschool.envs.shop.catalogue.webshop import import_webshop, read_webshop
from worldschool.envs.shop.matching import is_same, token_set_ratio
from worldschool.envs.shop.products import Product, Review
from worldschool.envs.shop.reward import score_purchase
from worldschool.envs.shop.search.analyzer import terms_of
from worldschool.envs.shop.search.bm25 import BM25Index
from worldschool.envs.shop.session import Session, Shelf, Visit, read_action

pytestmark = needs_recordings


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    return recorded_catalogue(tmp_path_factory.mktemp("shop") / "recorded")


def test_every_recorded_reward_and_each_part_of_it_is_equal():
    seen = errors = 0
    for case in lines("reward_*.jsonl.gz"):
        expected = case["expected"]
        seen += 1
        try:
            score = score_purchase(
                case["goal"], case["purchased"], case["price"], case["options"], case["nouns"], "webshop"
            )
            found = {"reward": score.reward, "info": score.info}
        except TypeError:
            found = {"error": "TypeError"}
        except ZeroDivisionError:
            found = {"error": "ZeroDivisionError"}
        errors += "error" in expected
        assert found == {name: expected[name] for name in found}, case["id"]
    assert seen > 2000
    assert errors > 20


def test_every_recorded_ratio_is_equal():
    seen = 0
    for case in lines("fuzz_pairs_*.jsonl.gz"):
        one, other = (tuple(side) if isinstance(side, list) else side for side in (case["a"], case["b"]))
        assert token_set_ratio(one, other) == case["score_thefuzz_0_19_0_difflib"], case["id"]
        assert is_same(one, other) == case["match"], case["id"]
        seen += 1
    assert seen > 3000


def test_texts_and_queries_become_lucenes_terms():
    seen = 0
    for case in lines("analyzer_1k.jsonl.gz"):
        assert terms_of(case["contents"]) == case["tokens"]
        seen += 1
    for case in lines("search_*.jsonl.gz"):
        assert terms_of(case["query"]) == case["analyzed"]
        seen += 1
    assert seen > 1500


def test_searches_find_the_same_products_in_the_same_order(catalogue):
    asins = [catalogue.product(row).asin for row in range(len(catalogue))]
    assert _searches_equal(catalogue.index, asins, "search_1k_*.jsonl.gz") > 500


def test_searches_of_a_hundred_thousand_products_find_the_same(tmp_path):
    items, attributes, _ = large_webshop_files(tmp_path)
    assert sha256(items.read_bytes()).hexdigest() == LARGE_ITEMS
    asins: list[str] = []
    index = BM25Index.build(_texts(items, attributes, asins), asins)
    assert len(asins) == 100_000
    assert _searches_equal(index, asins, "search_100k_*.jsonl.gz") > 80


def _texts(items, attributes, asins):
    """Return what is searched of each product, and put their ids into a list; of a product only this is kept."""
    texts = []
    for product in read_webshop(items, attributes).products():
        asins.append(product.asin)
        texts.append(product.indexed_text)
    return texts


def _searches_equal(index, asins, recordings):
    seen = 0
    for case in lines(recordings):
        documents, scores = index.ranked(case["query"])
        found = [asins[row] for row in index.rows[documents].tolist()]
        assert found == [asin for asin, _ in case["hits"]], case["query"]
        assert scores.tolist() == pytest.approx([score for _, score in case["hits"]], abs=1e-4)
        seen += 1
    return seen


def test_every_recorded_page_is_equal():
    seen = 0
    for case in lines("pages_text.jsonl.gz"):
        nodes = _page(case)
        clicked = {node.text for node in nodes if node.kind == "label" and f'"{node.text}"' in case["url"]}
        assert pages.text_of(nodes) == case["text"], case["id"]
        assert pages.rich_text_of(nodes, clicked, case["visited_asins"]) == case["text_rich"], case["id"]
        seen += 1
    assert seen > 70


def test_every_recorded_step_is_equal(catalogue):
    def find(keywords):
        return tuple(catalogue.index.search(" ".join(keywords)).tolist())

    shelf = Shelf(catalogue.product, find, show_attributes=False, compat="webshop")
    seen = 0
    for episode in lines("trajectories_*.jsonl.gz"):
        goal = catalogue.goals[episode["goal_index"]]
        assert f"Instruction: {goal.instruction}" == episode["instruction_text"]
        visit = Visit(shelf, Session(), goal.instruction, episode["session"])
        _assert_same(visit, episode["reset"]["obs"], episode["reset"]["available"], "reset")
        for step in episode["steps"]:
            session = _following(visit, step["action"])
            if session is not None:
                visit = Visit(shelf, session, goal.instruction, episode["session"], step["reward"])
            _assert_same(visit, step["obs"], step["available"], (episode["episode"], step["action"]))
            _assert_same_state(visit.session, shelf, step["session"])
            seen += 1
    assert seen > 1000


def test_goals_and_prices_are_those_webshop_made_in_its_order(catalogue):
    assert [goal.to_webshop() for goal in catalogue.goals] == state()["goals_after_shuffle"]
    for asin, price in dict(state()["product_prices"]).items():
        row = catalogue.row_of(asin)
        assert (catalogue.product(row).asin, catalogue.price(row)) == (asin, price)
    assert len(catalogue) == state()["num_products"]


def test_our_own_draws_change_nothing_but_prices_and_bounds(catalogue, tmp_path):
    ours = import_webshop(tmp_path / "ours", *webshop_files())
    for drawn, recorded in zip(ours.goals, catalogue.goals, strict=True):
        assert (drawn.asin, drawn.attributes, drawn.options) == (
            recorded.asin,
            recorded.attributes,
            recorded.options,
        )
        assert _without_bound(drawn.instruction) == _without_bound(recorded.instruction)
        price = ours.price(drawn.row)
        assert price < drawn.price_upper <= max(1_000_000.0 if price >= 980 else 0, price + 40)
        low, *high = ours.product(drawn.row).prices
        assert low <= price <= (high or [low])[0]


def _page(case):
    given, kind = case["args"], case["kind"]
    instruction = given.get("instruction_text")
    if kind == "search":
        return pages.search_page(instruction)
    if kind == "results":
        found = [_product(product) for product in given["products"]]
        return pages.results_page(instruction, given["page"], given["total"], found)
    if kind == "item":
        product = given["product"]
        return pages.item_page(instruction, _product(product), product["options"], given["show_attrs"])
    if kind.startswith("sub:"):
        return pages.sub_page(instruction, _product(given["product"]), kind.removeprefix("sub:"))
    return pages.done_page(given["asin"], given["options"], given["reward"])


def _product(recorded):
    product = Product(
        asin=recorded["asin"],
        title=recorded["Title"],
        description=recorded["Description"],
        bullets=tuple(recorded["BulletPoints"]),
        prices=tuple(float(price) for price in re.findall(r"\$([\d.]+)", recorded["Price"])),
        category=recorded["category"],
        query=recorded["query"],
        product_category=recorded["product_category"],
        attributes=tuple(recorded["Attributes"]),
        options=recorded["options"],
        rating=recorded["Rating"],
        reviews=tuple(Review(one["title"], str(one["score"]), one["body"]) for one in recorded["Reviews"]),
    )
    assert product.price_text == recorded["Price"]
    return product


def _following(visit, action):
    """What WebShop goes to after an action; None: nothing."""
    name, argument = read_action(action, "webshop")
    if name == "search" and argument:
        return visit.search(argument.split(" "))
    if name == "click" and argument in visit.clickables and argument != "search":
        return visit.click(argument)
    return None


def _assert_same(visit, observed, available, what):
    assert {"text": visit.text, "text_rich": visit.rich_text, "url": visit.url} == observed, what
    assert visit.clickables == available["clickables"], what
    assert visit.has_search_bar == available["has_search_bar"], what


def _assert_same_state(session, shelf, recorded):
    """Compare what was recorded at the step; its options and asins are those of the episode's end."""
    asin = None if session.row is None else shelf.product(session.row).asin
    assert asin == recorded["asin"]
    assert list(session.keywords) == (recorded["keywords"] or [])
    assert session.page == "search" or session.number == recorded["page"]


def _without_bound(instruction):
    return re.sub(r", and price lower than \d+\.00 dollars$", "", instruction)
