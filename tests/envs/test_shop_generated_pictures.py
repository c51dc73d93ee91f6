"""The generated shop's pictures, and the products with hostile texts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.generated import generate, hostile_products, picture
from worldschool.envs.shop.generated.pictures import _COLOURS
from worldschool.envs.shop.generated.shapes import SHAPES
from worldschool.envs.shop.generated.table import KINDS
from worldschool.envs.shop.products import Product

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {f"{SVG}{name}" for name in ("svg", "title", "rect", "ellipse", "path", "g", "text")}
ATTRIBUTES = set(
    re.findall(
        r"\S+",
        "viewBox width height role x y rx ry cx cy d fill stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin "
        "font-family font-size text-anchor",
    )
)
PRODUCTS = tuple(generate(400, 1))


def drawn(product: Product, **chosen: str) -> ElementTree.Element:
    """Return a picture's root, checked to hold nothing but drawing."""
    root = ElementTree.fromstring(picture(product, chosen))
    for element in root.iter():
        assert element.tag in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        assert not any("url" in value or "$" in value for value in element.attrib.values())
    return root


def plain(query: str, **options: tuple[str, ...]) -> Product:
    return replace(PRODUCTS[0], asin="B000000001", query=query, options=options, title="Some Thing")


def test_every_kind_has_a_shape_and_no_shape_is_left_over() -> None:
    assert {kind.shape for kind in KINDS} == set(SHAPES)
    assert len(SHAPES) >= 20
    assert len(set(SHAPES.values())) == len(SHAPES)


def test_pictures_are_drawings_with_a_title() -> None:
    for product in PRODUCTS:
        assert drawn(product).findtext(f"{SVG}title") == product.title[:200]
        assert len(picture(product)) < 6000


def test_pictures_differ_by_kind() -> None:
    bodies = {picture(plain(kind.query)) for kind in KINDS}
    assert len(bodies) == len({kind.shape for kind in KINDS})


def test_pictures_are_coloured_by_what_is_chosen_else_by_the_first_value() -> None:
    product = plain("candles", color=("navy", "red"), size=("s", "m"))
    navy, red = (f"#{_COLOURS[name]}" for name in ("navy", "red"))
    assert navy in picture(product) and red not in picture(product)
    assert red in picture(product, {"color": "red"}) and navy not in picture(product, {"color": "red"})
    assert picture(product, {"size": "m"}) == picture(product)
    assert picture(product, {"color": "unheard of"}) == picture(product)


def test_a_product_without_colours_has_one_of_its_own() -> None:
    pictures = {picture(replace(plain("candles"), asin=f"B{number}")) for number in range(20)}
    assert len(pictures) == 20
    assert picture(plain("candles")) == picture(plain("candles"))


def test_what_is_of_no_known_kind_is_a_package_with_initials() -> None:
    thing = replace(plain("submarines"), product_category="Toys › Very <big> Boats")
    assert drawn(thing).findtext(f"{SVG}g/{SVG}text") == "VB"
    assert drawn(replace(thing, product_category="", query="")).find(f"{SVG}g/{SVG}text") is None


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=10))
def test_no_text_breaks_out_of_a_picture(title: str, category: str, query: str, value: str) -> None:
    thing = replace(
        PRODUCTS[0], title=title, product_category=category, query=query, options={"color": (value,)}
    )
    drawn(thing, color=value)


# -- hostile texts ----------------------------------------------------------------------------------------------------

HOSTILE = hostile_products()


@pytest.mark.parametrize("product", HOSTILE, ids=lambda product: product.asin)
def test_hostile_products_have_harmless_pictures(product: Product) -> None:
    root = drawn(product)
    assert len(root.findtext(f"{SVG}title") or "") <= 200
    assert len(picture(product)) < 6000


def test_hostile_products_hold_what_they_should() -> None:
    titles = "\n".join(product.title[:1000] for product in HOSTILE)
    for part in ("<script>", "{{7*7}}", "\x00", "\u202e", "../..", "{% for", "click[buy now]", "<!--"):
        assert part in titles, part
    assert any(not product.title for product in HOSTILE)
    assert max(len(product.title) for product in HOSTILE) == 1_000_000
    values = [value for product in HOSTILE for values in product.options.values() for value in values]
    assert {"buy now", "[s]", "back to search", ""} <= set(values)
    assert any(len(set(values)) < len(values) for product in HOSTILE for values in product.options.values())
    assert all(value == value.lower() for value in values)
    assert len({product.asin for product in HOSTILE}) == len(HOSTILE)
    assert hostile_products() == HOSTILE


def test_a_catalogue_keeps_hostile_products_as_they_are(tmp_path: Path) -> None:
    catalogue = Catalogue.write(tmp_path / "hostile", HOSTILE)
    assert [catalogue.product(row) for row in range(len(HOSTILE))] == list(HOSTILE)
    assert len(catalogue.index.search("hostile soap", 50)) > 10
