"""A shop that many environments share: one open catalogue, its goals, and what purchases are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.config import Compat, ShopConfig
from worldschool.envs.shop.goals import GoalDraw
from worldschool.envs.shop.products import Product
from worldschool.envs.shop.reward import Rules, Score
from worldschool.envs.shop.search.engines import Engine, SearchIndex
from worldschool.envs.shop.session import Session, Shelf
from worldschool.envs.shop.wishes import (
    ATTRIBUTE,
    NO_BOUND,
    OPTION,
    PRICE,
    TYPE,
    Purchase,
    Wish,
    predicates_of,
)
from worldschool.errors import WorldError
from worldschool.records import Goal, Predicate, Split

RESULTS = 50
"""Products that a search finds at most."""
OPEN_SHOPS = 4
"""Shops that a process keeps open."""


class Shop:
    """A catalogue with its search, goals and rewards; nothing of it changes.

    Args:
        catalogue: an open one.
        compat: "webshop" or None.
        show_attributes: whether product pages have a button for the attributes.
        engine: how products are found.
    """

    def __init__(
        self, catalogue: Catalogue, compat: Compat, show_attributes: bool, engine: Engine = "webshop"
    ) -> None:
        self.catalogue = catalogue
        self._engine: Engine = engine
        self.shelf = Shelf(catalogue.product, self.find, show_attributes, compat, catalogue.listing)
        self._draws: dict[Split, tuple[NDArray[np.int64], GoalDraw]] = {}
        self._wish = lru_cache(maxsize=1024)(self._make_wish)

    @property
    def digest(self) -> str:
        """Of the catalogue's content; another engine finds other products, and is part of it."""
        own = self.catalogue.digest
        return own if self._engine == "webshop" else f"{own}-{self._engine}"

    @cached_property
    def _index(self) -> SearchIndex:
        return self.catalogue.index_of(self._engine)

    def find(self, keywords: Sequence[str]) -> tuple[int, ...]:
        """Return the catalogue rows that words find, best first."""
        rows: list[int] = self._index.search(" ".join(keywords), RESULTS).tolist()
        return tuple(rows)

    # -- goals --------------------------------------------------------------------------------------------------------

    def goal(self, number: int) -> Goal:
        """Return the catalogue's goal of a number.

        Raises:
            WorldError: there are not so many.
        """
        goals = self.catalogue.goals
        if not 0 <= number < len(goals):
            raise WorldError(
                f"found {number}",
                where="Shop: goal_index",
                mend=f"This catalogue has goals 0 to {len(goals) - 1}.",
            )
        one = goals[number]
        return Goal(one.instruction, predicates_of(one.asin, one.attributes, one.options, one.price_upper))

    def draw_goal(self, split: Split, rng: np.random.Generator) -> int:
        """Return the number of a goal of a split, drawn by weight (`goals.GoalDraw`).

        Raises:
            WorldError: the split has no goal.
        """
        if split not in self._draws:
            numbers = self.catalogue.goals_of(split)
            if not len(numbers):
                raise WorldError(
                    f"this catalogue has no goal of split {split!r}",
                    where="Shop: split",
                    mend="Use a larger catalogue.",
                )
            weights = self.catalogue.goals.weights[numbers]
            self._draws[split] = numbers, GoalDraw(weights, self.shelf.compat)
        numbers, draw = self._draws[split]
        return int(numbers[draw.at(rng.random())])

    # -- purchases ----------------------------------------------------------------------------------------------------

    def wish(self, predicates: Sequence[Predicate]) -> Wish:
        """Return what predicates ask for, once checked.

        Raises:
            WorldError: a product named is not in this shop.
        """
        return self._wish(tuple(predicates))

    def _make_wish(self, predicates: tuple[Predicate, ...]) -> Wish:
        target, bound = None, NO_BOUND
        attributes: list[str] = []
        options: list[str | tuple[str, str]] = []
        for name, subject, extra in predicates:
            if name == TYPE:
                target = self._named(subject)
            elif name == ATTRIBUTE:
                attributes.append(subject)
            elif name == OPTION:
                options.append(subject if extra is None else (extra, subject))
            elif name == PRICE:
                bound = float(subject)

        def nouns() -> Sequence[str]:
            return () if target is None else self._nouns(target)

        return Wish(target, nouns, tuple(attributes), tuple(options), bound)

    def _named(self, asin: str) -> Product:
        row = self.catalogue.row_of(asin)
        if row is None:
            raise WorldError(
                f"there is no product {asin!r} in this shop",
                where="goal: TYPE",
                mend="Name a product by its id.",
            )
        return self.catalogue.product(row)

    def purchase(self, row: int, options: Mapping[str, str]) -> Purchase:
        """Return what it is to buy a product with options."""
        product = self.catalogue.product(row)
        return Purchase(product, self.catalogue.price(row), options, self._nouns(product))

    def score(self, goal: Goal, session: Session, rules: Rules) -> Score:
        """Return what the purchase that ended a session is worth; without a goal nothing."""
        assert session.row is not None
        if not goal.predicates:
            return Score(0.0)
        return self.wish(goal.predicates).score(self.purchase(session.row, dict(session.options)), rules)

    def _nouns(self, product: Product) -> Sequence[str]:
        if product.nouns is not None:
            return product.nouns
        return _tagged(product.title)


@lru_cache(maxsize=1 << 14)
def _tagged(title: str) -> tuple[str, ...]:
    from worldschool.envs.shop.nouns import nouns_of

    return nouns_of([title])[0]


def shop_of(config: ShopConfig) -> Shop:
    """Return the shop of some settings; environments of one process share it.

    Raises:
        WorldError: the catalogue cannot be opened.
    """
    return _shop(
        config.catalogue,
        config.products,
        config.catalogue_seed,
        config.compat,
        config.show_attributes,
        config.engine,
    )


@lru_cache(maxsize=OPEN_SHOPS)
def _shop(
    folder: str | None, products: int, seed: int, compat: Compat, show_attributes: bool, engine: Engine
) -> Shop:
    if folder is not None:
        return Shop(Catalogue.open(Path(folder)), compat, show_attributes, engine)
    from worldschool.envs.shop.generated import generated_catalogue

    return Shop(generated_catalogue(products, seed), compat, show_attributes, engine)
