"""Which of some products costs least, or most, or comes next to that?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping
from worldschool.records import Example

FEW_PRICES = Skipped("too few products with one price, all different, were seen")
_ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ")


class PriceComparisonSettings(BuilderSettings):
    """Settings of the price comparison builder."""

    options: int = Field(default=4, ge=2, le=2 * len(_ORDINALS))
    """Products to choose from."""


@asks_of_shopping
def build(
    lived: Shopping, settings: PriceComparisonSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show products with their prices, as pages of results did, and ask for the place of each in the order of prices.

    They are neighbours in that order: a product that is known as cheap is not the cheapest for that.
    """
    products = [lived.world.shop.catalogue.product(row) for row in lived.rows_seen]
    by_price = {product.prices[0]: product for product in products if len(product.prices) == 1}
    yielded = 0
    order, count = sorted(by_price), settings.options
    firsts = range(max(0, len(order) - count + 1))
    for first in rng.sample(firsts, len(firsts)):
        prices = order[first : first + count]
        shown = [by_price[price] for price in rng.sample(prices, len(prices))]
        story = "\n".join(
            f"{product.asin}: {' '.join(product.title.split())}. {product.price_text}" for product in shown
        )
        for place in rng.sample(range(count), count):
            if yielded == settings.per_episode:
                return
            yielded += 1
            asked = f"Which product costs {_place(place, count)}?"
            yield make_example(
                "price_comparison",
                lived.episode,
                story_seed,
                f"{story}\nQuestion: {asked}\nAnswer:",
                by_price[prices[place]].asin,
                options=tuple(product.asin for product in shown),
                dials={"distractors": count - 1},
                meta={"story": story, "cue": asked},
            )
    if not yielded:
        yield FEW_PRICES


def _place(place: int, count: int) -> str:
    """Return how a place in the order of prices is asked for, from the nearer end."""
    if place < count / 2:
        return f"{_ORDINALS[place]}least"
    return f"{_ORDINALS[count - 1 - place]}most"
