"""What may be asked of a shopper: parts of what one product is, so that buying it meets all of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from random import Random

from worldschool.envs.shop.env import ShopEnv
from worldschool.envs.shop.products import Product
from worldschool.envs.shop.wishes import ATTRIBUTE, OPTION, PRICE, TYPE
from worldschool.errors import WorldError
from worldschool.records import Goal, Predicate

PRICE_STEP = 10
"""Bounds on prices are multiples of so many dollars."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class ShopTasks:
    """Tasks around the product that the episode's own goal is about.

    Args:
        world: a shop after its reset, with a goal of the catalogue; read, never changed.
    """

    def __init__(self, world: ShopEnv) -> None:
        self._world = world
        asin = next((subject for name, subject, _ in world.goal.predicates if name == TYPE), None)
        row = None if asin is None else world.shop.catalogue.row_of(asin)
        if row is None:
            row = 0
        self._product: Product = world.shop.catalogue.product(row)
        self._price = world.shop.catalogue.price(row)

    def offers(self) -> Mapping[str, Sequence[Predicate]]:
        """Return what may be asked: the kind of thing, its attributes, each value of its options, bounds on its price."""
        if self._world.visit.session.page == "done":
            return {}
        product = self._product
        above = (math.floor(self._price / PRICE_STEP) + 1) * PRICE_STEP
        found: dict[str, list[Predicate]] = {
            ATTRIBUTE: [(ATTRIBUTE, one, None) for one in sorted(set(product.attributes))],
            OPTION: sorted(
                (OPTION, value, name) for name, values in product.options.items() for value in values
            ),
            PRICE: [(PRICE, repr(float(bound)), None) for bound in (above, above + PRICE_STEP)],
            TYPE: [(TYPE, product.asin, None)],
        }
        return {name: predicates for name, predicates in found.items() if predicates}

    def fits(self, predicates: Sequence[Predicate]) -> bool:
        """Return whether predicates could hold all at once: one kind, one bound and one value of each option at most.

        By WebShop's rules one of them is an attribute besides: there a goal without any is refused.
        """
        if self._lacks_attribute(predicates):
            return False
        names = [name if name != OPTION else f"{OPTION} {option}" for name, _, option in predicates]
        once = [name for name in names if name != ATTRIBUTE]
        return len(once) == len(set(once))

    def _lacks_attribute(self, predicates: Sequence[Predicate]) -> bool:
        return self._world.rules == "webshop" and all(name != ATTRIBUTE for name, _, _ in predicates)

    def activities(self, rng: Random) -> Sequence[Goal]:
        """Return the goal that the catalogue has for this product, where the episode has it."""
        return [self._world.goal] if self._world.goal.predicates else []

    def goal(self, predicates: Sequence[Predicate]) -> Goal:
        """Return predicates as an instruction."""
        asked: dict[str, list[Predicate]] = {name: [] for name in (TYPE, ATTRIBUTE, OPTION, PRICE)}
        for predicate in predicates:
            asked[predicate[0]].append(predicate)
        text = f"buy {self._product.query}" if asked[TYPE] else "buy something"
        if asked[ATTRIBUTE]:
            text += f" that is {' and '.join(subject for _, subject, _ in asked[ATTRIBUTE])}"
        if asked[OPTION]:
            text += f", with {' and '.join(f'{name} {value}' for _, value, name in asked[OPTION])}"
        for _, bound, _ in asked[PRICE]:
            text += f", and price lower than {float(bound):.2f} dollars"
        return Goal(text, tuple(predicates))

    def kind(self, name: str) -> str:
        """Return what part of a wish is about: the product's kind for its id, "price" for a number, else the words."""
        if name == self._product.asin:
            return self._product.query
        return "price" if _NUMBER.fullmatch(name) else name

    def describe(self) -> str:
        """Return what could be asked for, in a few lines."""
        product = self._product
        options = "; ".join(f"{name}: {', '.join(values)}" for name, values in product.options.items())
        return "\n".join(
            [
                f"The shop sells {product.query}, among them one for {self._price:.2f} dollars.",
                f"It is: {', '.join(product.attributes)}.",
                *([f"It comes in {options}."] if options else []),
            ]
        )

    def read(self, text: str) -> Goal:
        """Read a task in English: what of this product's kind, attributes, options and price it names.

        Raises:
            WorldError: it names nothing of it, or what cannot be had together.
        """
        words = re.findall(r"[^\s,.;:!?]+", text.lower())
        said = f" {' '.join(words)} "
        found: list[Predicate] = []
        if f" {self._product.query} " in said:
            found.append((TYPE, self._product.asin, None))
        for name in (ATTRIBUTE, OPTION):
            found += [one for one in self.offers().get(name, ()) if f" {one[1].lower()} " in said]
        bounds = [float(number) for number in re.findall(r"(?:\$|under|than|most) ?(\d+(?:\.\d+)?)", text)]
        found += [(PRICE, repr(bound), None) for bound in bounds[:1] if bound >= self._price]
        if found and self.fits(found):
            return Goal(text, tuple(found))
        if not found:
            problem = "names nothing that this product is"
        elif self._lacks_attribute(found):
            problem = "names no attribute"
        else:
            problem = "names two values of one option"
        raise WorldError(f"the task {problem}", where="task", mend=self.describe().replace("\n", " "))
