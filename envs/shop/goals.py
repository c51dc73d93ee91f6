"""What is to be bought: goals as WebShop words and weighs them, their order, draw and splits.

A human goal is an instruction that somebody wrote for a product. A synthetic one is made of a product's attributes and one
value of each of its options. There is one for every combination of values: a `GoalTemplate` stands for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from random import Random
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from worldschool.canonical import blake2b_hex, canonical_json
from worldschool.envs.shop.prices import bound_text
from worldschool.envs.shop.products import Product
from worldschool.envs.shop.wishes import NO_BOUND
from worldschool.records import Split
from worldschool.splits import TRAIN_SHARE, VALIDATION_SHARE

GoalOptions: TypeAlias = tuple[str, ...] | tuple[tuple[str, str], ...]
"""Wanted values; or wanted (option name, value) pairs."""
ORDER_SEED = 233
"""What WebShop shuffles its goals with."""
PAPER_GOALS = 12_087
"""How many human goals WebShop's full data have."""
PAPER_HELDOUT, PAPER_VALIDATION = 500, 1_500
"""Where the splits of Yao et al. (2022) end in WebShop's order: 0-499 held out, 500-1499 validation, the rest training."""


@dataclass(frozen=True)
class ShopGoal:
    """What a shopper is sent for.

    Attributes:
        asin, row: the product it was made from, and its row in the catalogue.
        category, query, name, product_category: of that product, as `Product` has them (name is its title).
        instruction: what the shopper is told, the bound included.
        attributes: what the product should have.
        options: what should be chosen: values, or (name, value) pairs.
        price_upper: what it may cost at most, in dollars; `NO_BOUND` for any price.
        weight: how often it is drawn, relative to the others.
        split: None: in none, because its product and its attributes belong to different ones.
    """

    asin: str
    row: int
    category: str
    query: str
    name: str
    product_category: str
    instruction: str
    attributes: tuple[str, ...]
    options: GoalOptions = ()
    price_upper: float = NO_BOUND
    weight: float = 1.0
    split: Split | None = "train"

    @classmethod
    def of(
        cls,
        product: Product,
        row: int,
        instruction: str,
        attributes: tuple[str, ...],
        options: GoalOptions,
        price_upper: float,
        weight: float = 1.0,
        split: Split | None = "train",
    ) -> ShopGoal:
        """Return a goal made from a product; the arguments are the attributes of that name."""
        return cls(
            asin=product.asin,
            row=row,
            category=product.category,
            query=product.query,
            name=product.title,
            product_category=product.product_category,
            instruction=instruction,
            attributes=attributes,
            options=options,
            price_upper=price_upper,
            weight=weight,
            split=split,
        )

    def to_webshop(self) -> dict[str, Any]:
        """Return the goal under WebShop's names, as `score_purchase` takes it."""
        pairs = [option for option in self.options if isinstance(option, tuple)]
        return {
            "asin": self.asin,
            "category": self.category,
            "query": self.query,
            "name": self.name,
            "product_category": self.product_category,
            "instruction_text": self.instruction,
            "attributes": list(self.attributes),
            "price_upper": self.price_upper,
            "goal_options": dict(pairs) if pairs else list(self.options),
            "weight": self.weight,
        }


@dataclass(frozen=True)
class GoalTemplate:
    """All synthetic goals of one product.

    Attributes:
        asin, row: the product.
        instruction: what all of them begin with; options and bound are added.
        attributes: what they ask for.
        combinations: how many there are: the product of the numbers of values of the product's options.
        price_upper, weight, split: of each.
    """

    asin: str
    row: int
    instruction: str
    attributes: tuple[str, ...]
    combinations: int
    price_upper: float = NO_BOUND
    weight: float = 1.0
    split: Split | None = "train"

    def goal(self, number: int, product: Product) -> ShopGoal:
        """Return one of its goals, numbered from 0 as WebShop lists them: the last option (by name) changes first."""
        pairs = combination(product.options, number)
        told = ", and ".join(f"{name}: {value}" for name, value in pairs)
        instruction = self.instruction + (f" with {told}" if told else "") + bound_text(self.price_upper)
        return ShopGoal.of(
            product, self.row, instruction, self.attributes, pairs, self.price_upper, self.weight, self.split
        )


def combinations_of(options: Mapping[str, Sequence[str]]) -> int:
    """Return how many ways there are to choose one value of each option: 1 without options, 0 if one has no values."""
    return prod(len(values) for values in options.values())


def combination(options: Mapping[str, Sequence[str]], number: int) -> tuple[tuple[str, str], ...]:
    """Return the (name, value) pairs of one of them, in the order of a Cartesian product over the sorted names."""
    chosen = []
    for name in sorted(options, reverse=True):
        number, place = divmod(number, len(options[name]))
        chosen.append((name, options[name][place]))
    return tuple(reversed(chosen))


def webshop_order(count: int) -> NDArray[np.int64]:
    """Return the order WebShop puts goals in: of each number, its place in the order in which they were made."""
    places = list(range(count))
    Random(ORDER_SEED).shuffle(places)
    return np.array(places, dtype=np.int64)


def paper_split(number: int) -> Split:
    """Return the split of Yao et al. (2022) that a human goal is in, by its number in WebShop's order."""
    if number < PAPER_HELDOUT:
        return "heldout"
    return "validation" if number < PAPER_VALIDATION else "train"


def split_of_attributes(attributes: Sequence[str]) -> Split:
    """Return the split of a combination of attributes: 60% train, 20% validation, 20% heldout, by their names.

    Neither order, case nor repeats count. If every goal's split is this one and all goals of a product ask for one
    combination, then no product and no combination of one split is in another.
    """
    names = sorted({attribute.lower() for attribute in attributes})
    number = int(blake2b_hex(f"attributes: {canonical_json(names)}"), 16) % 100
    if number < TRAIN_SHARE:
        return "train"
    return "validation" if number < TRAIN_SHARE + VALIDATION_SHARE else "heldout"


def split_of_goal(attributes: Sequence[str], first_of_product: Sequence[str]) -> Split | None:
    """Return the split of one goal of a product that may have several.

    A product is in the split of its first goal's attributes; a goal whose own attributes are of another split is in none.
    """
    split = split_of_attributes(first_of_product)
    return split if split_of_attributes(attributes) == split else None


class GoalDraw:
    """Draws goals by their weights.

    Args:
        weights: float64, shape (goals,), none negative, not all 0.
        compat: "webshop" keeps WebShop's draw, which is off by one: goal 0 is never drawn, goal i has the weight of goal
            i - 1, the last one that of the last two.
    """

    def __init__(self, weights: NDArray[np.float64], compat: Literal["webshop"] | None = None) -> None:
        self._ends: NDArray[np.float64] = np.cumsum(weights)
        self._skipped = 1 if compat == "webshop" else 0

    def at(self, point: float) -> int:
        """Return the goal at a point of [0, 1), goals side by side in the widths of their weights."""
        place = int(np.searchsorted(self._ends, point * self._ends[-1], side="right"))
        return min(place + self._skipped, len(self._ends) - 1)
