"""Products and goals for the tests, small and drawn."""

from __future__ import annotations

from hypothesis import strategies as st

from worldschool.envs.shop.goals import ShopGoal
from worldschool.envs.shop.products import Product, Review

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = st.from_regex(r"[A-Z0-9][A-Z0-9._-]{0,9}", fullmatch=True)
PRODUCTS = st.builds(
    Product,
    asin=IDS,
    title=TEXT,
    description=TEXT,
    bullets=st.lists(TEXT, max_size=3).map(tuple),
    prices=st.lists(st.floats(0, 1e6), max_size=2).map(tuple),
    category=TEXT,
    query=TEXT,
    product_category=TEXT,
    attributes=st.lists(TEXT, max_size=3).map(tuple),
    options=st.dictionaries(TEXT, st.lists(TEXT, max_size=3).map(tuple), max_size=3),
    image=TEXT,
    option_images=st.dictionaries(TEXT, st.none() | TEXT, max_size=3),
    rating=TEXT,
    reviews=st.lists(st.builds(Review, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    nouns=st.none() | st.lists(TEXT, max_size=3).map(tuple),
)


def product(asin: str = "B1", **fields: object) -> Product:
    """A lamp."""
    given: dict[str, object] = {
        "title": f"Floor lamp {asin}",
        "description": "It gives light.",
        "bullets": ("Dims.", "Folds."),
        "prices": (12.5,),
        "category": "garden",
        "query": "floor lamps",
        "product_category": "Home › Lamps › Floor Lamps",
        "attributes": ("glass shade", "easy assemble"),
        "options": {"color": ("red", "blue"), "size": ("small", "large", "x-large")},
        "nouns": ("floor", "lamp"),
    }
    return Product(asin=asin, **(given | fields))  # type: ignore[arg-type]


def goal(of: Product, row: int, **fields: object) -> ShopGoal:
    """To buy a product in red."""
    given: dict[str, object] = {
        "category": of.category,
        "query": of.query,
        "name": of.title,
        "product_category": of.product_category,
        "instruction": f"buy {of.title}",
        "attributes": of.attributes[:1],
        "options": (("color", "red"),),
        "price_upper": 40.0,
        "weight": 1.0,
        "split": "train",
    }
    return ShopGoal(asin=of.asin, row=row, **(given | fields))  # type: ignore[arg-type]
