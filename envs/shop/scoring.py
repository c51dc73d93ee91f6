"""`score`: WebShop's reward of one purchase, from plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worldschool.envs.shop.reward import Score, score_purchase
from worldschool.errors import WorldError

GOAL_FIELDS = ("query", "product_category", "name", "attributes", "goal_options", "price_upper")
PRODUCT_FIELDS = ("query", "product_category", "name", "Attributes", "Title", "BulletPoints", "Description")


def score(
    goal: Mapping[str, Any],
    product: Mapping[str, Any],
    price: float | None,
    options: Mapping[str, str],
    nouns: Mapping[str, Sequence[str]] | None = None,
    compat: str | None = "webshop",
) -> Score:
    """Return what buying a product is worth for a goal, and every part of it.

    Args:
        goal: `GOAL_FIELDS`, as WebShop's goals have them; goal_options is a list of values or a dict of name to value.
        product: `PRODUCT_FIELDS`, as WebShop's products have them, and perhaps "nouns", those of its name.
        price: dollars; None: not known.
        options: option name to the value chosen.
        nouns: {"goal": [...], "purchased": [...]}: the nouns of the two names, lower case, in order, with repeats. None:
            the fields "nouns" of goal and product, else spaCy's (`pip install 'worldschool[spacy]'`).
        compat: "webshop" counts exactly as WebShop does; None as `reward` says of "mended".

    Raises:
        WorldError: a field is missing, compat is unknown, or nouns are needed and spaCy is not installed. Where WebShop
            raises TypeError or ZeroDivisionError, so does this with compat="webshop".
    """
    if compat not in (None, "webshop"):
        raise WorldError(f"found {compat!r}", where="shop: compat", mend="Accepted: 'webshop', None.")
    for what, record, fields in (("goal", goal, GOAL_FIELDS), ("product", product, PRODUCT_FIELDS)):
        for name in fields:
            if name not in record:
                raise WorldError(
                    "this field is missing", where=f"shop: {what}.{name}", mend=f"Give {', '.join(fields)}."
                )
    if nouns is None:
        nouns = {"goal": _nouns(goal), "purchased": _nouns(product)}
    return score_purchase(goal, product, price, options, nouns, "webshop" if compat else "mended")


def _nouns(record: Mapping[str, Any]) -> Sequence[str]:
    if record.get("nouns") is not None:
        return list(record["nouns"])
    from worldschool.envs.shop.nouns import nouns_of

    return nouns_of([record["name"]])[0]
