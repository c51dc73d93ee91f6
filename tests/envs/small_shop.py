"""A shop of a few products, written down by hand."""

from __future__ import annotations

from pathlib import Path

from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.goals import ShopGoal
from worldschool.envs.shop.products import Product, Review

CANDLES = "Home › Candles › Soy Candles"


def candle(number: int, scent: str, price: float, **more: object) -> Product:
    """A candle of two options; ids end in its number."""
    fields = {
        "asin": f"B0CANDLE{number:02d}",
        "title": f"Glimm {scent.title()} Soy Candle",
        "description": f"A candle that smells of {scent}.",
        "bullets": ("Burns for fifty hours.", "Long lasting and lead free."),
        "prices": (price,),
        "category": "garden",
        "query": "scented candles",
        "product_category": CANDLES,
        "attributes": ("long lasting", "soy wax", scent),
        "options": {"size": ("small", "large"), "color": ("navy blue", "white")},
        "reviews": (Review("Lovely", "5", "Smells well."),),
        "nouns": ("glimm", scent, "soy", "candle"),
    }
    return Product(**{**fields, **more})  # type: ignore[arg-type]


PRODUCTS = [
    candle(0, "lavender", 19.5),
    candle(1, "vanilla", 24.0),
    candle(2, "lavender", 55.0, attributes=("lavender",), bullets=("Hand made.",), description="A candle."),
    *(candle(number, "pine", 10.0 + number) for number in range(3, 16)),
    Product(
        "B0JEANS001",
        "Boro Straight Leg Jeans",
        "Jeans with a button.",
        ("Machine wash.",),
        (30.0, 40.0),
        "fashion",
        "men's jeans",
        "Clothing › Men › Jeans",
        ("straight leg", "machine wash"),
        # Values that are in two options, look like buttons, or hold brackets.
        {"size": ("30", "32 [slim]"), "length": ("30", "34"), "fit": ("Features", "regular")},
        nouns=("boro", "leg", "jeans"),
    ),
]
GOALS = [
    ShopGoal(
        "B0CANDLE00",
        0,
        "garden",
        "scented candles",
        PRODUCTS[0].title,
        CANDLES,
        "i need a long lasting lavender soy candle in navy blue, and price lower than 40.00 dollars",
        ("long lasting", "lavender"),
        (("color", "navy blue"),),
        40.0,
        split="train",
    ),
    ShopGoal(
        "B0JEANS001",
        16,
        "fashion",
        "men's jeans",
        PRODUCTS[16].title,
        PRODUCTS[16].product_category,
        "find me straight leg jeans of length 30",
        ("straight leg",),
        (("length", "30"),),
        split="heldout",
    ),
]


def write(folder: Path) -> Path:
    """Write the shop's catalogue into a folder; returns the folder."""
    Catalogue.write(folder, PRODUCTS, GOALS)
    return folder
