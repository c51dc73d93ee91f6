"""Which of some products costs least, or most?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping
from worldschool.records import Example

FEW_PRICES = Skipped("too few products with one price, all different, were seen")


class PriceComparisonSettings(BuilderSettings):
    """Settings of the price comparison builder."""

    options: int = Field(default=4, ge=2)
    """Products to choose from."""


@asks_of_shopping()
def build(
    lived: Shopping, settings: PriceComparisonSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show products with their prices, as pages of results did, and ask for the cheapest or the dearest."""
    episode = lived.episode
    products = [lived.world.shop.catalogue.product(row) for row in lived.rows_seen]
    by_price = {product.prices[0]: product for product in products if len(product.prices) == 1}
    if len(by_price) < settings.options:
        yield FEW_PRICES
        return
    for _ in range(settings.per_episode):
        shown = [by_price[price] for price in rng.sample(sorted(by_price), settings.options)]
        dearest = rng.random() < 0.5
        right = (max if dearest else min)(shown, key=lambda product: product.prices[0])
        story = "\n".join(
            f"{product.asin}: {' '.join(product.title.split())}. {product.price_text}" for product in shown
        )
        asked = f"Which product costs {'most' if dearest else 'least'}?"
        yield make_example(
            "price_comparison",
            episode,
            story_seed,
            f"{story}\nQuestion: {asked}\nAnswer:",
            right.asin,
            options=tuple(product.asin for product in shown),
            dials={"distractors": settings.options - 1},
            meta={"story": story, "cue": asked},
        )
