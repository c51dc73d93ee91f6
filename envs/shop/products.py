"""A product as the pages show it, and how WebShop reads one out of its files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

UNKNOWN_PRICE = 100.0
"""What WebShop takes a product without a price to cost, in dollars."""
NO_RATING = "N.A."
NO_ATTRIBUTES = ("DUMMY_ATTR",)
"""The attributes of a product that the attribute file does not have."""
_NO_DIGIT = re.compile(r"[^\d.]")


class Review(NamedTuple):
    """What a customer wrote; the score as shown."""

    title: str
    score: str
    body: str


@dataclass(frozen=True)
class Product:
    """What a shop knows of a product.

    Attributes:
        asin: its id.
        title, description: texts.
        bullets: the features.
        prices: in dollars: one, or the two ends of a range.
        rating: as shown.
        reviews: none in WebShop, which has them switched off.
        category, query, product_category: department; phrase that finds such products; path, parts joined by " › ".
        attributes: short phrases, in lower case.
        options: option name to its values, both in the order shown.
        image: URL of the main picture.
        option_images: option value to the URL of its picture, or None.
        nouns: the nouns of the title in lower case, in order; None: not known.
    """

    asin: str
    title: str
    description: str
    bullets: tuple[str, ...]
    prices: tuple[float, ...]
    category: str
    query: str
    product_category: str
    attributes: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    image: str = ""
    option_images: Mapping[str, str | None] = field(default_factory=dict)
    rating: str = NO_RATING
    reviews: tuple[Review, ...] = ()
    nouns: tuple[str, ...] | None = None

    @cached_property
    def price_text(self) -> str:
        """The price as shown: "$12.5", or "$5.0 to $9.0"."""
        return price_text_of(self.prices)

    def to_webshop(self) -> dict[str, Any]:
        """Return the fields that WebShop's reward reads, under its names."""
        return {
            "asin": self.asin,
            "query": self.query,
            "product_category": self.product_category,
            "name": self.title,
            "Title": self.title,
            "Attributes": list(self.attributes),
            "BulletPoints": list(self.bullets),
            "Description": self.description,
        }

    @property
    def indexed_text(self) -> str:
        """What WebShop's search looks through: title, description, the first feature only, and the options."""
        options = ", and ".join(f"{name}: {', '.join(values)}" for name, values in self.options.items())
        first = self.bullets[0] if self.bullets else ""
        return f"{self.title} {self.description} {first} {options}".lower()


class Listing(NamedTuple):
    """What a page of results shows of a product; the fields are `Product`'s."""

    asin: str
    title: str
    price_text: str


def price_text_of(prices: Sequence[float]) -> str:
    """Return prices as shown: "$12.5", or "$5.0 to $9.0"."""
    return " to ".join([f"${price}" for price in prices[:2]])


def prices_of(pricing: str | None) -> tuple[float, ...]:
    """Return the numbers of a price as WebShop's files write it: "$12.99", "$10.99$21.00", "$5 - $9"; 100.0 without one."""
    if not pricing:
        return (UNKNOWN_PRICE,)
    return tuple(float(_NO_DIGIT.sub("", part)) for part in pricing.split("$")[1:])
