"""What a product costs, and how much a goal lets it cost.

WebShop draws both from Python's global generator, so that they change from process to process; here they follow from the
product's id.
"""

from __future__ import annotations

from itertools import combinations

from worldschool.canonical import blake2b_hex
from worldschool.envs.shop.products import UNKNOWN_PRICE, Product
from worldschool.envs.shop.wishes import NO_BOUND

BOUNDS = tuple(float(bound) for bound in range(10, 1000, 10))
"""The bounds that a goal may name, in dollars."""
CANDIDATES = 4
"""How many of the bounds above a price are drawn from."""


def price_of(product: Product) -> float:
    """Return what a product costs in dollars: its price, 100 without one, of a range a point drawn evenly by its id, in cents."""
    if not product.prices:
        return UNKNOWN_PRICE
    low, high = sorted((product.prices[0], product.prices[:2][-1]))
    drawn = low + (high - low) * (_drawn(f"price: {product.asin}") / 2**128)
    return low if low == high else min(max(round(drawn, 2), low), high)


def price_bound(price: float, key: str) -> float:
    """Return the most that a goal's product may cost: the larger of two of the first four `BOUNDS` above a price.

    Args:
        price: of the goal's product, in dollars.
        key: what the draw follows from: the product's id, and the goal's place if it has several.

    Returns:
        `NO_BOUND` if fewer than two of the bounds are above the price.
    """
    above = [bound for bound in BOUNDS if bound > price][:CANDIDATES]
    if len(above) < 2:
        return NO_BOUND
    pairs = list(combinations(above, 2))
    return pairs[_drawn(f"price bound: {key}") % len(pairs)][1]


def bound_text(bound: float) -> str:
    """Return how an instruction ends that names a bound; empty without one."""
    return "" if bound >= NO_BOUND else f", and price lower than {bound:.2f} dollars"


def _drawn(name: str) -> int:
    """Return a whole number from 0 to 2**128 - 1 that follows from a name."""
    return int(blake2b_hex(name), 16)
