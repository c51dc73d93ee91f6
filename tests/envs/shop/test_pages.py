"""Products as pages show them, and what an HTML parser would leave of texts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.shop.products import PRODUCTS, TEXT, product
from worldschool.envs.shop import pages
from worldschool.envs.shop.pages import Node
from worldschool.envs.shop.products import Review, prices_of


@pytest.mark.parametrize(
    ("pricing", "prices"),
    [
        ("$12.99", (12.99,)),
        ("$10.99$21.00", (10.99, 21.0)),
        ("$5 - $9", (5.0, 9.0)),
        ("$1,234.50", (1234.5,)),
        ("USD $7", (7.0,)),
        ("", (100.0,)),
        (None, (100.0,)),
        ("12.99", ()),
    ],
)
def test_prices_are_read_as_webshop_reads_them(pricing, prices):
    assert prices_of(pricing) == prices


def test_a_price_is_shown_as_python_writes_it():
    assert product(prices=(12.5,)).price_text == "$12.5"
    assert product(prices=(5.0, 9.0)).price_text == "$5.0 to $9.0"
    assert product(prices=(1.0, 2.0, 3.0)).price_text == "$1.0 to $2.0"


def test_search_looks_through_the_first_feature_and_all_options():
    assert product("B1").indexed_text == (
        "floor lamp b1 it gives light. dims. color: red, blue, and size: small, large, x-large"
    )
    assert product("B1", bullets=(), options={}).indexed_text == "floor lamp b1 it gives light.  "


def test_the_item_page_has_its_parts_in_webshops_order():
    one = product("B1")
    texts = [node.text for node in pages.item_page("buy it", one, one.options, show_attributes=True)]
    assert texts == [
        *["Instruction:", "buy it", "Back to Search", "< Prev", "color", "red", "blue"],
        *["size", "small", "large", "x-large", "Floor lamp B1", "Price: $12.5", "Rating: N.A."],
        *["Description", "Features", "Reviews", "Attributes", "Buy Now"],
    ]


def test_sub_pages_show_what_they_are_called():
    one = product(reviews=(Review("Good", "5", "Lights up."),))
    found = {
        name: [node.text for node in pages.sub_page("i", one, name)][4:]
        for name in (*pages.SUBPAGES, "Attributes")
    }
    assert found == {
        "Description": ["It gives light."],
        "Features": [" Dims.", " Folds."],
        "Reviews": ['"Good"', "5", "Lights up."],
        "Attributes": [
            " glass shade",
            " easy assemble",
            "garden",
            "floor lamps",
            "Home › Lamps › Floor Lamps",
        ],
    }


def test_results_have_buttons_where_there_are_pages():
    first = pages.results_page("i", 1, 12, [product()])
    assert [node.text for node in first if node.kind == "button"] == ["Back to Search", "Next >"]
    last = pages.results_page("i", 2, 12, [], has_next=False)
    assert [node.text for node in last if node.kind == "button"] == ["Back to Search", "< Prev"]
    assert Node("B1", "link") in first


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("x", ["x"]),
        (" x\n", [" x\n"]),
        ("", []),
        ("   ", [" "]),
        (" \n ", []),
        ("\t", [" "]),
        ("\u00a0", ["\u00a0"]),
    ],
)
def test_of_texts_that_are_only_spaces_one_or_none_is_left(text, left):
    assert [node.text for node in pages.shown([Node(text)])] == left


def test_what_was_chosen_and_opened_is_marked():
    nodes = [
        Node("red", "label"),
        Node("blue", "label"),
        Node("B1", "link"),
        Node("B2", "link"),
        Node("Buy Now", "button"),
    ]
    assert pages.rich_text_of(nodes, {"red", "blue"}, ["B2"]) == (
        "You have clicked blue.\nYou have clicked red.\n"
        "  [clicked button] red [clicked button_]\n  [clicked button] blue [clicked button_]\n"
        "\n[button] B1 [button_]\n\n[clicked button] B2 [clicked button_]\n[button] Buy Now [button_]\n"
    )


@given(st.dictionaries(TEXT, TEXT, max_size=4))
@settings(max_examples=100, deadline=None)
def test_options_in_html_are_json_without_markup(options):
    text = pages.json_in_html(options)
    assert json.loads(text) == options
    assert not set("<>&'") & set(text)


@given(PRODUCTS, TEXT, st.floats(0, 1), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_product_has_pages(one, instruction, reward, show_attributes):
    made = [
        pages.search_page(instruction),
        pages.results_page(instruction, 1, 1, [one]),
        pages.item_page(instruction, one, one.options, show_attributes),
        *(pages.sub_page(instruction, one, name) for name in (*pages.SUBPAGES, pages.ATTRIBUTES)),
        pages.done_page(one.asin, {}, reward),
    ]
    for nodes in made:
        assert all(node.text for node in nodes)
        assert pages.text_of(nodes).count(pages.SEPARATOR) >= len(nodes) - 1
        assert pages.rich_text_of(nodes, (), ()).endswith("\n")
    assert repr(reward) in [node.text for node in made[-1]]
