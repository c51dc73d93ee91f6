"""The HTML of every page holds exactly the texts of the text observations, whatever a product says; and WebShop's marks."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.shop_pages_reader import PageReader
from tests.envs.small_shop import PRODUCTS
from worldschool.envs.shop.pages import Node
from worldschool.envs.shop.products import Product, Review
from worldschool.envs.shop.session import Session, Shelf, Visit
from worldschool.envs.shop.site.pages import error_page, html_of

JEANS = PRODUCTS.index(next(one for one in PRODUCTS if "Jeans" in one.title))
HITS = tuple(range(len(PRODUCTS)))
SUBPAGES = ("Description", "Features", "Reviews", "Attributes")
HOSTILE = (
    "<script>alert(1)</script>", "</title><script>x()</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}",
    "{% raw %}", "${7*7}", "&amp;lt;b&gt;", "&#13;&nbsp;", "<!-- c -->", "]]>", "\u202egnirts", "a\r\nb\rc", "\x01\x0b\x1b[31m",
    "\n", " ", " \n ", "\t", "", "  spaced  ", "back to search", "Buy Now", "javascript:alert(1)", "../../etc/passwd", "x" * 700,
    "'single' \"double\" `back`", "\x85\xa0\u2028\u2029", "a›b", "😀" * 3,
)  # fmt: skip
# What HTML cannot hold (U+0000, surrogates) is tried by itself.
TEXTS = st.sampled_from(HOSTILE) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12
)
PRODUCT = st.builds(
    Product,
    asin=TEXTS.filter(str.strip),
    title=TEXTS,
    description=TEXTS,
    bullets=st.lists(TEXTS, max_size=3).map(tuple),
    prices=st.sampled_from([(1.5,), (1.0, 2.5), ()]),
    category=TEXTS,
    query=TEXTS,
    product_category=TEXTS,
    attributes=st.lists(TEXTS, max_size=3).map(tuple),
    options=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3, unique=True).map(tuple), max_size=3),
    rating=TEXTS,
    reviews=st.lists(st.builds(Review, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
)


def shelf_of(products, compat=None, show_attributes=True):
    return Shelf(products.__getitem__, lambda words: tuple(range(len(products))), show_attributes, compat)


SHELF = shelf_of(PRODUCTS)


def read(session, shelf=SHELF, told="Find a candle.", reward=0.5):
    visit = Visit(shelf, session, told, "an-id", reward)
    page = PageReader(html_of(visit))
    assert page.nodes == visit.nodes
    return page


def sessions_of(product):
    """Every kind of page that a product in row 0 can be on."""
    pair = next(((name, values[0]) for name, values in product.options.items() if values), None)
    chosen = (pair,) if pair else ()
    yield Session()
    yield Session("results", ("<b>", ""), (0, 0), 1, visited=(product.asin,))
    yield Session("results", ("a",), (0,) * 25, 2)
    yield Session("item", ("a",), (0,), 1, 0, options=chosen)
    yield from (Session("sub", ("a",), (0,), 1, 0, part, chosen) for part in SUBPAGES)
    yield Session("done", ("a",), (0,), 1, 0, options=chosen)


@settings(max_examples=60, deadline=None)
@given(PRODUCT, TEXTS, st.sampled_from([None, "webshop"]))
def test_a_page_has_the_texts_of_the_text_observation_and_nothing_else(product, told, compat):
    for session in sessions_of(product):
        page = read(session, shelf_of([product], compat), told)
        tags = {tag for tag, _ in page.elements}
        assert not tags & {"script", "iframe", "object", "style", "base", "svg"}
        for tag, attributes in page.elements:
            assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
            for name in ("href", "src", "action", "data-url"):
                address = attributes.get(name)
                assert address is None or address == "#main" or address.startswith(("/s/an-id", "/static/", "/picture?asin=")) or address == "/"  # fmt: skip


def test_a_label_of_white_space_only_is_no_fault():
    product = dataclasses.replace(PRODUCTS[0], options={"size": ("\t", " ", "\n", ""), "\n": ("one",)})
    for compat in (None, "webshop"):
        page = read(Session("item", (), (0,), 1, 0), shelf_of([product], compat))
        assert len(page.having("label")) == 3


def test_template_syntax_of_a_product_is_only_text():
    product = dataclasses.replace(PRODUCTS[0], title="{{ 7 * 7 }}{% if x %}", description="{{ visit }}")
    assert Node("{{ 7 * 7 }}{% if x %}") in read(Session("item", (), (0,), 1, 0), shelf_of([product])).nodes
    assert (
        Node("{{ visit }}") in read(Session("sub", (), (0,), 1, 0, "Description"), shelf_of([product])).nodes
    )


def test_what_html_cannot_hold_is_shown_as_such():
    product = dataclasses.replace(PRODUCTS[0], title="a\0b\ud800c")
    visit = Visit(shelf_of([product]), Session("item", (), (0,), 1, 0), "told")
    html = html_of(visit).encode("utf-8", "xmlcharrefreplace").decode()
    assert Node("a\ufffdb\ufffdc") in PageReader(html).nodes and "\0" not in html


def test_a_title_of_a_megabyte_is_there_once():
    product = dataclasses.replace(PRODUCTS[0], title="long " * 200_000)
    for session in (Session("item", (), (0,), 1, 0), Session("results", (), (0,), 1)):
        page = read(session, shelf_of([product]))
        others = [value for _, attributes in page.elements for value in attributes.values() if value]
        assert max(map(len, others)) < 1000


# -- what WebShop's readers look for ----------------------------------------------------------------------------------


def test_search_page():
    page = read(Session())
    (box,) = page.having("input", id="search_input")
    assert box["name"] == "search_query" and box["aria-label"]
    assert page.having("form", method="post", action="/s/an-id")
    assert page.having("section", id="instruction-text")
    assert [node.kind for node in page.nodes] == ["text", "text", "text", "button"]


def test_results_page():
    page = read(Session("results", ("candle",), HITS, 2, visited=(PRODUCTS[11].asin,)))
    links = page.having("a", class_="product-link")
    assert [link["href"] for link in links] == [f"/s/an-id/item?asin={one.asin}" for one in PRODUCTS[10:20]]
    assert ["data-visited" in link for link in links] == [number == 11 for number in range(10, len(PRODUCTS))]
    assert (
        len(page.having("li", class_="list-group-item"))
        == len(page.having("img", class_="result-img"))
        == len(links)
    )
    assert (
        len(page.having("h4", class_="product-title"))
        == len(page.having("h5", class_="product-price"))
        == len(links)
    )
    assert page.having("ol", start="11")
    buttons = page.having("button")
    assert [button["value"] for button in buttons] == ["back to search", "< prev"]
    assert all("btn" in button["class"].split() for button in buttons)
    assert len(page.having("form", method="post", action="/s/an-id/click")) == len(buttons)


def test_nothing_found_is_said_beside_the_texts():
    page = read(Session("results", ("zzz",), (), 1))
    (note,) = page.having("p", role="note")
    assert note["data-note"] == note["aria-label"] and "Nothing is found" in note["data-note"]


def test_item_page():
    page = read(Session("item", ("jeans",), HITS, 1, JEANS, options=(("length", "30"),)))
    assert page.having("img", id="product-image")[0]["alt"] == "Picture of Boro Straight Leg Jeans"
    radios = page.having("input", type="radio")
    assert [(radio["name"], radio["value"]) for radio in radios] == [
        ("size", "size: 30"), ("size", "32 [slim]"), ("length", "length: 30"), ("length", "34"),
        ("fit", "fit: features"), ("fit", "regular"),
    ]  # fmt: skip
    assert [radio["value"] for radio in radios if "checked" in radio] == ["length: 30"]
    assert all(radio["data-url"] == "/s/an-id/item?asin=B0JEANS001" for radio in radios)
    tags = [(tag, attributes.get("type")) for tag, attributes in page.elements]
    assert all(tags[at + 1][0] == "label" for at, tag in enumerate(tags) if tag == ("input", "radio"))
    submits = page.having("input", type="submit")
    pressed = [one["aria-pressed"] == "true" for one in submits]
    assert pressed == ["checked" in radio for radio in radios]
    assert [label["for"] for label in page.having("label")] == [one["id"] for one in submits]
    (purchase,) = page.having("button", class_="btn btn-lg purchase")
    assert purchase["value"] == "buy now"


def test_done_page():
    visit = Visit(
        SHELF, Session("done", (), (0,), 1, 0, options=(("color", "navy blue"),)), "x", "an-id", 2 / 3
    )
    html = html_of(visit, {"r_type": 1.0, "r_att": 0.5, "r_option": 0.0, "r_price": True})
    page = PageReader(html)
    assert page.nodes == visit.nodes
    for name in ("reward", "asin", "options", "goal", "reward_info"):
        assert any(attributes.get("id") == name for _, attributes in page.elements)
    assert page.having("meter")[0]["value"] == repr(2 / 3)
    told = {one["data-name"]: one["data-note"] for one in page.having("li")}
    assert told == {
        "Kind of product": "fits", "Attributes": "50% of those asked for", "Options": "0% of those asked for", "Price": "fits"
    }  # fmt: skip


@pytest.mark.parametrize("part", SUBPAGES)
def test_sub_pages(part):
    page = read(Session("sub", ("a",), HITS, 1, 0, part))
    (heading,) = page.having("h2", class_="told")
    assert heading["aria-label"] == f"{part} of {PRODUCTS[0].title}"
    marked = {"Reviews": "review-title", "Attributes": "attribute"}.get(part, "product-info")
    assert page.having("p", class_=marked) or page.having("h4", class_=marked)


def test_every_page_is_whole_for_those_who_do_not_see_it():
    for session in sessions_of(PRODUCTS[0]):
        page = read(session)
        assert page.having("html", lang="en") and page.having("main", id="main") and page.having("title")
        assert page.having("a", class_="skip", href="#main")
        assert all("alt" in image for image in page.having("img"))
        levels = []
        for tag, attributes in page.elements:
            if tag in ("h1", "h2", "h3", "h4", "h5") and attributes.get("role") != "none":
                levels.append(int(attributes.get("aria-level") or tag[1]))
        hidden = session.page == "done"  # its empty parts are not shown, so not read out either
        assert levels[0] == 1 and (hidden or all(b - a <= 1 for a, b in pairwise(levels)))
        for control in page.having("input"):
            if control["type"] in ("hidden", "radio"):
                continue
            assert control.get("aria-label") or page.having("label", for_=control["id"])
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids))


def test_error_page_has_a_way_home():
    page = PageReader(error_page("<b>No</b>", "told & told"))
    assert Node("<b>No</b>") in page.nodes and page.having("a", class_="btn", href="/")
