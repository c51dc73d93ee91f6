"""Pictures of products: simple SVG drawings by kind, in the product's colour."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping
from html import escape

from worldschool.canonical import blake2b_hex
from worldschool.envs.shop.generated.shapes import PACKAGE, SHAPES
from worldschool.envs.shop.generated.table import KIND_OF
from worldschool.envs.shop.products import Product

_COLOURS: dict[str, str] = dict(
    re.findall(
        r"(\w+):(\w+)",
        "amber:d9922e apple:7fb24a auburn:7b3f2a barbecue:8c4a2f beige:d9c7a7 berry:8e3a5e black:3a3d42 blonde:dcc07d "
        "blue:4a7fc1 blush:e7b7b3 brick:a5503f brown:7d5a41 bubblegum:f099bd burgundy:7c2b3e caramel:c08a4f cedar:9b6a4a "
        "charcoal:50565e cheddar:e6a23c cherry:9d3140 chestnut:7a4b34 chocolate:6b4433 cinnamon:a8613a citrus:e6b73a "
        "cocoa:6e4a3a coconut:e9e2d3 coffee:6f4e3a cognac:9a5a32 copper:b87352 coral:ee7e6b cranberry:a32e45 dark:39445e "
        "espresso:4f3a30 eucalyptus:88a997 gold:d1a84b gray:9aa0a6 green:6fa06a hazelnut:9a7350 hibiscus:c03f63 honey:dca044 "
        "indigo:44508c ivory:eee6d2 jalapeno:6d9a48 jasmine:f0e6b8 jet:2f3136 khaki:b5a676 lavender:a595cf lemon:ead84f "
        "lime:a9c94b linen:e6ded0 mango:eda33b maple:b07a43 mauve:a9798f midnight:2d3654 mint:9fd3bd mocha:7c5b48 mustard:d2a43a "
        "navy:32456f nude:d9ab8e oak:c09a6b ocean:6fa9c9 olive:7d8250 orange:e98a3c paprika:b8492f peach:f0b08e pecan:a3744b "
        "pepper:4d4a47 pink:e89ab4 pineapple:ecd05a platinum:ddd3bf plum:6f3d66 porcelain:f1dfcf pumpkin:d9813b purple:7b5aa6 "
        "red:c94444 rose:d98a93 royal:3d5fb3 ruby:a42a43 rust:b25a36 sage:9fae8c salt:dfe4e6 sea:6fa9a9 shea:e8d8b8 silver:b9c0c7 "
        "space:5d626b stonewash:8aa3bd strawberry:e0566b sunflower:e9b93a tan:c69c6d tea:9fb070 teal:3f8f8f terracotta:c4704f "
        "turmeric:d99a2b vanilla:efe2bd violet:8a6cc0 walnut:6a4a38 watermelon:ea6a72 white:ecebe7 wild:8a5a83 wintergreen:7fc0ae",
    )
)
"""Words of option values to colours, in hexadecimal."""
COLOURED_BY = ("color", "scent", "flavor", "finish", "heat")
"""Options whose values give a picture its colour, the first that has one."""
_FIXED = {"w": "fbfaf6", "k": "3b3e44", "m": "b3bac1", "b": "b98b5e", "f": "f2b94b", "g": "7a9c63"}
_NO_TEXT = re.compile("[^\\w\\s.,;:!?()'&%$#@+*/|°–—-]")
_LONGEST_TITLE = 200
_SLOT = re.compile(r"\$([a-z])")


def picture(product: Product, chosen: Mapping[str, str] | None = None) -> str:
    """Return a product's picture as a whole SVG document of 200 by 200.

    It is drawn by the product's kind: what is of no kind of the generated shop is a package with the initials of its category.
    Its colour is that of the first option value that names one, else it follows from the product's id. The same arguments
    give the same text.

    Args:
        product: any, whatever its texts hold.
        chosen: option name to the value chosen, which decides the colour before the product's first values.
    """
    kind = KIND_OF.get(product.query)
    shape = SHAPES.get(kind.shape) if kind else None
    colour = _colour(product, chosen or {})
    hue = int(blake2b_hex(f"picture: {product.asin}")[:4], 16) / 65536
    colours = {**_FIXED, "c": colour, "d": _shaded(colour, 0.72), "l": _lightened(colour)}
    drawing = shape if shape is not None else PACKAGE + _initials(product)
    drawing = _SLOT.sub(lambda found: f"#{colours[found[1]]}", drawing)
    title = escape(_plain(product.title[: 10 * _LONGEST_TITLE])[:_LONGEST_TITLE] or "Product")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="200" height="200" role="img">'
        f'<title>{title}</title><rect width="200" height="200" fill="#{_hex(hue, 0.955, 0.35)}"/>'
        f'<ellipse cx="100" cy="178" rx="74" ry="9" fill="#{_hex(hue, 0.86, 0.2)}"/>'
        f'<g stroke="#4a4640" stroke-opacity="0.55" stroke-width="1.6" stroke-linejoin="round">{drawing}</g></svg>'
    )


def _colour(product: Product, chosen: Mapping[str, str]) -> str:
    values = [chosen[name] for name in COLOURED_BY if name in chosen]
    values += [product.options[name][0] for name in COLOURED_BY if product.options.get(name)]
    for value in values:
        # "honey blonde" is a blonde, "blue wash" a blue: of several colours the last counts.
        named = [_COLOURS[word] for word in value[:_LONGEST_TITLE].lower().split() if word in _COLOURS]
        if named:
            return named[-1]
    number = int(blake2b_hex(f"colour: {product.asin}"), 16)
    return sorted(_COLOURS.values())[number % len(_COLOURS)]


def _initials(product: Product) -> str:
    """Return the initials of the last part of a product's category, as SVG; nothing if there are no letters."""
    path = product.product_category[-_LONGEST_TITLE:] or product.query[:_LONGEST_TITLE]
    words = [word for word in _plain(path.split("›")[-1]).split() if word[0].isalnum()]
    letters = "".join(word[0] for word in words[:2]).upper()
    if not letters:
        return ""
    return (
        '<text x="100" y="132" font-family="sans-serif" font-size="46" text-anchor="middle" fill="$w" stroke="none">'
        f"{letters}</text>"
    )


def _plain(text: str) -> str:
    """Return a text with letters, digits and plain signs only: no control characters, marks of direction or markup."""
    return " ".join(_NO_TEXT.sub(" ", text.encode("utf-8", "ignore").decode()).split())


def _shaded(colour: str, by: float) -> str:
    return "".join(f"{int(int(colour[at : at + 2], 16) * by):02x}" for at in (0, 2, 4))


def _lightened(colour: str) -> str:
    return "".join(f"{int(255 - (255 - int(colour[at : at + 2], 16)) * 0.5):02x}" for at in (0, 2, 4))


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
