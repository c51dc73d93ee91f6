"""What a shopper wants, as predicates of a `Goal`, and what a purchase is worth for it.

    ("TYPE", ASIN, None)          the kind of thing that this product is
    ("ATTRIBUTE", PHRASE, None)   has it, or says so in its texts
    ("OPTION", VALUE, NAME)       chosen; NAME is None where WebShop's own instructions do not tell it
    ("PRICE", "40.0", None)       costs so many dollars at most

All of them hold exactly when the reward is 1.0. A goal without TYPE asks for any kind, one without PRICE for any price; each
predicate can be asked for alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worldschool.envs.shop.products import Product
from worldschool.envs.shop.reward import (
    Rules,
    Score,
    attributes_met,
    options_met,
    score_purchase,
    type_part,
)
from worldschool.errors import WorldError
from worldschool.records import Goal, Predicate

TYPE, ATTRIBUTE, OPTION, PRICE = "TYPE", "ATTRIBUTE", "OPTION", "PRICE"
RELATIONS = (TYPE, ATTRIBUTE, OPTION, PRICE)
NO_BOUND = 1_000_000.0
"""The bound that WebShop gives where there is none."""


@dataclass(frozen=True)
class Purchase:
    """A product, what it costs, the options chosen and the nouns of its name."""

    product: Product
    price: float
    options: Mapping[str, str]
    nouns: Sequence[str]


@dataclass(frozen=True)
class Wish:
    """What is wanted.

    Attributes:
        target: a product of the kind wanted; None: any kind.
        nouns: gives the nouns of its name. Asked for at a purchase only: without a noun column spaCy finds them.
        attributes: phrases.
        options: values, or pairs of name and value.
        price_upper: dollars.
    """

    target: Product | None
    nouns: Callable[[], Sequence[str]]
    attributes: tuple[str, ...]
    options: tuple[str | tuple[str, str], ...]
    price_upper: float

    def score(self, bought: Purchase, rules: Rules) -> Score:
        """Return what a purchase is worth."""
        target = bought.product if self.target is None else self.target
        goal: dict[str, Any] = {
            "query": target.query,
            "product_category": target.product_category,
            "name": target.title,
            "attributes": self.attributes,
            "goal_options": self.options,
            "price_upper": self.price_upper,
        }
        nouns = {"goal": bought.nouns if self.target is None else self.nouns(), "purchased": bought.nouns}
        return score_purchase(goal, bought.product.to_webshop(), bought.price, bought.options, nouns, rules)


def predicates_of(
    asin: str, attributes: Sequence[str], options: Sequence[str | tuple[str, str]], price_upper: float
) -> tuple[Predicate, ...]:
    """Return the predicates of a goal."""
    found: list[Predicate] = [(TYPE, asin, None)]
    found += [(ATTRIBUTE, one, None) for one in attributes]
    found += [(OPTION, one, None) if isinstance(one, str) else (OPTION, one[1], one[0]) for one in options]
    if price_upper < NO_BOUND:
        found.append((PRICE, repr(float(price_upper)), None))
    return tuple(found)


def predicate_holds(predicate: Predicate, target: Wish, bought: Purchase, rules: Rules) -> bool:
    """Return whether a purchase meets one predicate; `target` is a wish with this predicate alone."""
    name, subject, _ = predicate
    if name == TYPE:
        wanted = target.target
        assert wanted is not None
        goal = {"query": wanted.query, "product_category": wanted.product_category}
        part = type_part(
            goal, bought.product.to_webshop(), {"goal": target.nouns(), "purchased": bought.nouns}
        )
        return bool(part["r_type"] == 1.0)
    if name == ATTRIBUTE:
        return attributes_met(target.attributes, bought.product.to_webshop(), rules) == 1
    if name == OPTION:
        return options_met(target.options, bought.options, rules) == 1
    return bought.price <= float(subject)


def check(predicate: Predicate) -> None:
    """Check one predicate's form.

    Raises:
        WorldError: it has another form.
    """
    name, subject, target = predicate
    where, mend = f"goal: {predicate}", ""
    if name not in RELATIONS:
        raise WorldError(
            f"{name!r} is no relation of the shop", where=where, mend="Use TYPE, ATTRIBUTE, OPTION, PRICE."
        )
    if not subject or not isinstance(subject, str):
        raise WorldError(f"found {subject!r}", where=where, mend="Name what is wanted.")
    if name != OPTION and target is not None:
        mend = f"{name} takes one argument."
    if name == PRICE:
        try:
            valid = float(subject) > 0
        except ValueError:
            valid = False
        mend = mend or ("" if valid else 'PRICE takes dollars above 0, like "40.0".')
    if mend:
        raise WorldError(f"found {list(predicate)}", where=where, mend=mend)


def check_all(goal: Goal) -> None:
    """Check a goal's predicates: their form, and that type and price are asked for once at most.

    Raises:
        WorldError: they are not so.
    """
    for predicate in goal.predicates:
        check(predicate)
    for name in (TYPE, PRICE):
        asked = [predicate for predicate in goal.predicates if predicate[0] == name]
        if len(asked) > 1:
            raise WorldError(f"{name} is asked for {len(asked)} times", where="goal", mend="Ask for it once.")
