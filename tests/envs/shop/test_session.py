"""Sessions: what a click leads to, in WebShop's way and mended, for any products."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.shop.products import PRODUCTS, product
from worldschool.envs.shop import pages
from worldschool.envs.shop.session import Page, Session, Shelf, Visit, read_action


def shelf_of(products, compat=None, show_attributes=False):
    return Shelf(products.__getitem__, lambda _: tuple(range(len(products))), show_attributes, compat)


def open_item(shelf, row=0):
    visit = Visit(shelf, Session(), "buy")
    visit = Visit(shelf, visit.search(["lamp"]), "buy")
    return Visit(shelf, visit.click(shelf.product(row).asin.lower()), "buy")


UPPER = PRODUCTS.map(lambda one: product(one.asin.upper(), **{name: getattr(one, name) for name in FIELDS}))
FIELDS = (
    "title",
    "description",
    "bullets",
    "prices",
    "attributes",
    "options",
    "reviews",
    "query",
    "category",
)


@given(
    st.lists(PRODUCTS, min_size=1, max_size=12, unique_by=lambda one: one.asin),
    st.sampled_from([None, "webshop"]),
    st.lists(st.integers(0, 1 << 16), min_size=1, max_size=25),
)
@settings(max_examples=150, deadline=None)
def test_any_walk_through_any_shop_stays_in_it(products, compat, choices):
    shelf = shelf_of(products, compat, show_attributes=True)
    visit = Visit(shelf, Session(), "buy", "s")
    for choice in choices:
        session = visit.session
        assert Session.from_plain(session.to_plain(), len(products)) == session
        assert visit.text
        assert visit.rich_text
        assert visit.url.startswith("http://127.0.0.1:3000/")
        assert visit.has_search_bar == (session.page == "search")
        ways = [text for text in visit.clickables if text != "search"]
        if not ways or choice % 7 == 0:
            following = visit.search(["lamp"])
        else:
            following = visit.click(ways[choice % len(ways)].lower())
        if following is not None:
            visit = Visit(shelf, following, "buy", "s")
        elif compat is None:
            raise AssertionError((session, ways[choice % len(ways)]))


VALUES = st.sampled_from(["red", "30", "features", "buy now", "< prev", "32 [slim]", "é", "search"])


@given(
    st.dictionaries(
        st.sampled_from(["color", "size", "fit"]),
        st.lists(VALUES, max_size=4, unique=True).map(tuple),
        max_size=3,
    )
)
@settings(max_examples=200, deadline=None)
def test_mended_each_value_of_each_option_can_be_chosen(options):
    shelf = shelf_of([product("B1", options=options)])
    visit = open_item(shelf)
    reached = set()
    for text in visit.clickables:
        following = visit.click(text)
        if following.page == "item":
            reached.add(following.options[-1])
    assert reached == {(name, value) for name, values in options.items() for value in values}


def test_of_two_options_with_one_value_webshop_takes_the_last():
    options = {"size": ("30",), "length": ("30", "32")}
    assert open_item(shelf_of([product("B1", options=options)], "webshop")).click("30").options == (
        ("length", "30"),
    )
    mended = open_item(shelf_of([product("B1", options=options)]))
    assert [label for label in mended.clickables if "3" in label] == ["size: 30", "length: 30", "32"]
    assert mended.click("size: 30").options == (("size", "30"),)


def test_a_value_like_a_button_is_that_button_for_webshop():
    options = {"fit": ("features",)}
    assert open_item(shelf_of([product("B1", options=options)], "webshop")).click("features").page == "sub"
    assert open_item(shelf_of([product("B1", options=options)])).click("fit: features").options == (
        ("fit", "features"),
    )


def test_choosing_again_overwrites_and_going_back_to_the_results_forgets():
    shelf = shelf_of([product("B1")])
    visit = open_item(shelf)
    for value in ("red", "small", "blue"):
        visit = Visit(shelf, visit.click(value), "buy")
    assert visit.session.options == (("color", "blue"), ("size", "small"))
    sub = Visit(shelf, visit.click("features"), "buy")
    assert Visit(shelf, sub.click("< prev"), "buy").session == visit.session
    results = visit.click("< prev")
    assert (results.page, results.options, results.row) == ("results", (), None)
    assert results.visited == ("B1",)
    assert visit.click("back to search") == Session()


def test_results_are_turned_as_far_as_there_are_any_and_without_end_for_webshop():
    products = [product(f"B{number}") for number in range(12)]
    for compat, last in (
        (None, ["back to search", "< prev"]),
        ("webshop", ["back to search", "< prev", "next >"]),
    ):
        shelf = shelf_of(products, compat)
        visit = Visit(shelf, Visit(shelf, Session(), "buy").search(["x"]), "buy")
        assert len(visit.rows_shown) == 10
        visit = Visit(shelf, visit.click("next >"), "buy")
        assert visit.clickables == [*last, "b10", "b11"]
        assert "Page 2 (Total results: 12)" in visit.text
    visit = Visit(shelf, visit.click("next >"), "buy")
    assert visit.clickables == ["back to search", "< prev", "next >"]


def test_words_in_a_query_make_webshop_take_the_page_for_another():
    products = [product(f"B{number}") for number in range(12)]
    for compat, page in (("webshop", "results"), (None, "results")):
        shelf = shelf_of(products, compat)
        item = Visit(shelf, Visit(shelf, Session(), "buy").search(["search_results"]), "buy")
        item = Visit(shelf, item.click("b3"), "buy")
        turned = item.click("< prev")
        assert turned.page == page
        assert turned.number == (0 if compat else 1)


@pytest.mark.parametrize(
    ("text", "webshop", "mended"),
    [
        ("search[red lamp]", ("search", "red lamp"), ("search", "red lamp")),
        ("click[Buy Now]", ("click", "buy now"), ("click", "buy now")),
        ("click[a [b] c]", ("click [b", ""), ("click", "a [b] c")),
        ("click[x] and more", ("click", "x"), ("", "")),
        (" click[x]", ("", ""), ("", "")),
        ("Click[x]", ("", ""), ("", "")),
        ("click[]", ("", ""), ("click", "")),
        ("click[x\ny]", ("", ""), ("click", "x\ny")),
        ("buy", ("", ""), ("", "")),
        ("", ("", ""), ("", "")),
    ],
)
def test_actions_are_read(text, webshop, mended):
    assert read_action(text, None) == mended
    if text != "click[a [b] c]":
        assert read_action(text, "webshop") == webshop
    else:
        assert read_action(text, "webshop") == ("", "")  # the last "[" splits: its name is "click[a "


@given(st.text(max_size=20) | st.text(alphabet="searchclick[] \n", max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_action_or_none(text):
    for compat in (None, "webshop"):
        name, argument = read_action(text, compat)
        assert name in ("search", "click", "")
        assert argument == argument.lower()


@pytest.mark.parametrize(
    "change",
    [
        {"page": "home"},
        {"page": "item", "row": None},
        {"page": "search", "row": 0},
        {"page": "item", "row": 5},
        {"hits": (0, 7)},
        {"hits": (-1,)},
    ],
)
def test_a_session_that_cannot_be_is_refused(change):
    given_fields = {
        "page": "results",
        "keywords": ("x",),
        "hits": (0,),
        "number": 1,
        "row": None,
        "subpage": "",
    }
    plain = tuple((given_fields | {"options": (), "visited": ()} | change).values())
    with pytest.raises(ValueError, match="page|product"):
        Session.from_plain(plain, 2)


@given(
    st.dictionaries(
        st.sampled_from(["a", "a: b", "A", "c"]),
        st.lists(
            st.sampled_from(["b: c", "c", "C", "B: C", "c (2)", "buy now"]), min_size=1, unique=True
        ).map(tuple),
        min_size=1,
    )
)
def test_every_value_can_be_chosen_however_alike_they_are(options):
    visit = open_item(shelf_of([product(options=options)]))
    reached = {visit.click(text).options for text in visit.clickables if visit.click(text).options}
    assert reached == {((name, value),) for name, values in options.items() for value in values}


@settings(max_examples=50, deadline=None)
@given(st.lists(UPPER, min_size=1, max_size=25), st.sampled_from([None, "webshop"]))
def test_a_page_of_results_kept_in_parts_is_the_page_made_at_once(products, compat):
    shelf = shelf_of(products, compat)
    visit = Visit(shelf, Visit(shelf, Session(), "buy").search(["lamp"]), "buy")
    for _ in range(2):  # the second time its parts are kept
        shown = [products[row] for row in visit.rows_shown]
        nodes = pages.results_page(
            "buy", visit.session.number, len(products), shown, "next >" in visit.clickables
        )
        whole = Page(nodes, compat == "webshop")
        assert (visit.nodes, visit.text, visit.clickables) == (nodes, whole.text, whole.clickables)
        visit = Visit(shelf, visit.click("next >") or visit.session, "buy")
