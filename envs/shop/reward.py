"""What a purchase is worth: WebShop's graded reward (Yao et al. 2022, section 3 and appendix A), part by part.

    reward = type * (attributes met + options met + price met) / (attributes asked + options asked + 1)

`rules="webshop"` counts exactly as princeton-nlp/WebShop does, oddities included; `rules="mended"` leaves these out:

- an option of a pair (name, value) is met only by what was chosen under that name, not by any chosen value;
- a colour is a whole word ("bored" holds no red);
- wanted attributes are looked for in lower case, as the texts are;
- a goal without attributes, a bound of nothing and an unknown price are scored (a price that is not known meets no
  bound), where WebShop raises TypeError or ZeroDivisionError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from worldschool.envs.shop.matching import Phrase, colour_of, colour_word_of, is_same
from worldschool.errors import WorldError

Rules: TypeAlias = Literal["webshop", "mended"]
UNKNOWN_NOUNS_SCORE = 0.2
"""title_score where the goal's name has no nouns."""


class UnscorablePrice(WorldError, TypeError):
    """A price that is not known, or a bound that is not above 0: WebShop raises TypeError there."""


class NoAttributes(WorldError, ZeroDivisionError):
    """A goal without attributes: WebShop divides by their number."""


@dataclass(frozen=True)
class Score:
    """A purchase's reward in [0, 1], and its parts under WebShop's own names.

    Attributes:
        reward: 1.0 is a success.
        info: r_type, r_att, w_att, query_match, category_match, title_score, r_price, w_price, and with goal options
            r_option, w_option.
    """

    reward: float
    info: dict[str, Any] = field(default_factory=dict)


def score_purchase(
    goal: Mapping[str, Any],
    product: Mapping[str, Any],
    price: float | None,
    options: Mapping[str, str],
    nouns: Mapping[str, Sequence[str]],
    rules: Rules = "webshop",
) -> Score:
    """Score a purchase.

    Args:
        goal: query, product_category, name, attributes, goal_options (values, or name to value) and price_upper.
        product: what was bought: query, product_category, name, Attributes, Title, BulletPoints, Description.
        price: what it costs; None: not known.
        options: option name to the value chosen.
        nouns: "goal" and "purchased": the nouns of the two names in lower case, in order, with repeats.
        rules: see the module.

    Raises:
        UnscorablePrice, NoAttributes: as WebShop would, under its rules.
    """
    kind = type_part(goal, product, nouns)
    wanted_options = _pairs(goal["goal_options"])
    attributes = attributes_met(goal["attributes"], product, rules)
    met_options = options_met(wanted_options, options, rules)
    within = _price_met(price, goal["price_upper"], rules)
    asked = len(goal["attributes"]) + len(wanted_options) + 1
    reward = (attributes + met_options + within) / asked
    reward *= kind["r_type"]
    info = {
        **kind,
        "r_att": _share(attributes, len(goal["attributes"]), rules),
        "w_att": len(goal["attributes"]) / asked,
        "r_price": within,
        "w_price": 1 / asked,
    }
    if wanted_options:
        info |= {"r_option": met_options / len(wanted_options), "w_option": len(wanted_options) / asked}
    return Score(reward, info)


def type_part(
    goal: Mapping[str, Any], product: Mapping[str, Any], nouns: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return r_type, query_match, category_match and title_score: is it the kind of thing that was asked for?"""
    query_match = product["query"] == goal["query"]
    category_match = (
        len(_categories(product["product_category"]) & _categories(goal["product_category"])) >= 2
    )
    title_score = UNKNOWN_NOUNS_SCORE
    if nouns["goal"]:
        title_score = len(set(nouns["purchased"]) & set(nouns["goal"])) / len(nouns["goal"])
    r_type = 1.0
    if not (query_match or category_match or title_score > UNKNOWN_NOUNS_SCORE):
        r_type = 0.5
    if title_score < 0.1:
        r_type = 0.1
    if title_score == 0.0:
        r_type = 0.0
    return {
        "r_type": r_type,
        "query_match": query_match,
        "category_match": category_match,
        "title_score": title_score,
    }


def attributes_met(wanted: Sequence[str], product: Mapping[str, Any], rules: Rules = "webshop") -> int:
    """Return how many wanted attributes a product has: fuzzily among its own, or literally in its texts."""
    texts = [
        product["Title"].lower(),
        " ".join(product["BulletPoints"]).lower(),
        product["Description"].lower(),
    ]
    if rules == "mended":
        wanted = [attribute.lower() for attribute in wanted]
    return sum(
        any(attribute in text for text in texts)  # the cheaper question first
        or any(is_same(own, attribute) for own in product["Attributes"])
        for attribute in wanted
    )


def options_met(wanted: Sequence[Phrase], chosen: Mapping[str, str], rules: Rules = "webshop") -> int:
    """Return how many wanted options were chosen. A wanted one is a value, or a pair of name and value."""
    if rules == "webshop":
        values = [colour_of(value) for value in chosen.values()]
        return sum(any(is_same(value, colour_of(one)) for value in values) for one in wanted)
    return sum(
        any(is_same(colour_word_of(value), colour_word_of(asked)) for value in candidates)
        for asked, candidates in (_named(one, chosen) for one in wanted)
    )


def _named(wanted: Phrase, chosen: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a wanted value, and the chosen values that may meet it."""
    if isinstance(wanted, str):
        return wanted, list(chosen.values())
    name, value = wanted
    return value, [chosen[name]] if name in chosen else []


def _pairs(goal_options: Sequence[str] | Mapping[str, str]) -> list[Phrase]:
    return list(goal_options.items()) if isinstance(goal_options, Mapping) else list(goal_options)


def _price_met(price: float | None, bound: float, rules: Rules) -> bool:
    if rules == "webshop" and (price is None or bound <= 0):
        raise UnscorablePrice(
            f"price {price}, bound {bound}",
            where="shop: price_upper",
            mend="WebShop cannot score this; rules 'mended' can.",
        )
    return price is not None and price <= bound


def _share(met: int, asked: int, rules: Rules) -> float:
    if asked:
        return met / asked
    if rules == "webshop":
        raise NoAttributes(
            "the goal asks for no attribute",
            where="shop: attributes",
            mend="WebShop cannot score this; rules 'mended' can.",
        )
    return 1.0


def _categories(path: str) -> set[str]:
    return {part.strip() for part in path.split("›")}
