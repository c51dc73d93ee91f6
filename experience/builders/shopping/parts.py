"""Parts of an instruction that products seen in one episode meet or miss, by the shop's own rules and as their pages tell.

Questions come in sets of contrasts: the same products and the same options are asked about again and again, and each option
is right once. What can be learned about an option or its words by itself then tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import ceil
from random import Random

from worldschool.envs.shop.products import Product
from worldschool.envs.shop.wishes import ATTRIBUTE, OPTION, PRICE, TYPE
from worldschool.experience.builders.shopping.visits import Shopping, describe, phrase_of
from worldschool.records import Goal, Predicate

OPENINGS = ("Find me", "I need", "I am looking for", "Please order")
MOST_ROWS = 12
"""Products of one kind that are compared; looking at all of them would not give other questions."""
PARTS = (2, 3)
"""Least and most parts that single out a product."""
_TRIES = 24
_SEPARATORS = (";", ", ", ": ", ". ")
"""What parts are told apart by: a value that holds one of these could not be read."""


@dataclass(frozen=True)
class Part:
    """One thing asked for.

    Attributes:
        predicate: as goals have it.
        phrase: in words.
        met: the rows of the products, of those compared, that meet it.
    """

    predicate: Predicate
    phrase: str
    met: frozenset[int]

    @property
    def about(self) -> str:
        """What cannot be asked for twice: an attribute itself, an option's name, the price."""
        name, subject, option = self.predicate
        return f"{name}: {option if name == OPTION else subject if name == ATTRIBUTE else ''}"


def groups_of(lived: Shopping, rows: Sequence[int], rng: Random) -> list[list[int]]:
    """Return groups of the products seen, of one price each, in an order drawn: the kinds, the largest first, then all.

    No group has more than `MOST_ROWS`.
    """
    product = lived.world.shop.catalogue.product
    priced = [row for row in rows if len(product(row).prices) == 1]
    kinds: dict[str, list[int]] = {}
    for row in priced:
        kinds.setdefault(product(row).query, []).append(row)
    groups = list(kinds.values())
    rng.shuffle(groups)
    groups.sort(key=len, reverse=True)
    if len(groups) > 1:
        groups.append(priced)
    return [rng.sample(group, min(len(group), MOST_ROWS)) for group in groups]


def parts_of(lived: Shopping, rows: Sequence[int]) -> list[Part]:
    """Return what can be asked for of some products: each meets a part exactly if its description tells so."""
    product = lived.world.shop.catalogue.product
    told = {row: describe(product(row)).lower() for row in rows}
    found: list[tuple[Predicate, frozenset[int]]] = []
    for attribute in dict.fromkeys(one for row in rows for one in product(row).attributes):
        says = frozenset(row for row in rows if attribute.lower() in told[row])
        found.append(((ATTRIBUTE, attribute, None), says))
    pairs = dict.fromkeys(
        (name, value) for row in rows for name, values in product(row).options.items() for value in values
    )
    for name, value in pairs:
        if not any(one in value or one in name for one in _SEPARATORS):
            says = frozenset(row for row in rows if value in product(row).options.get(name, ()))
            found.append(((OPTION, value, name), says))
    prices = sorted({product(row).prices[0] for row in rows})
    for low, high in pairwise(prices):
        if (bound := ceil(low)) < high:
            says = frozenset(row for row in rows if product(row).prices[0] <= bound)
            found.append(((PRICE, repr(float(bound)), None), says))
    return [
        Part(predicate, phrase_of(predicate, lived.world), says)
        for predicate, says in found
        if all(
            (row in says) == (not lived.fails(row, [predicate], lived.best_options(row, [predicate])))
            for row in rows
        )
        and ";" not in predicate[1]
    ]


def goal_for(products: Sequence[Product], parts: Sequence[Part], rng: Random) -> Goal:
    """Return an instruction, in words and as predicates.

    Args:
        products: those that are compared, the first of them wanted; where all are of one kind, it is asked for.
        parts: what else is asked for, in the order of telling.
        rng: draws the wording.
    """
    alike = len({one.query for one in products}) == 1
    kind: list[Predicate] = [(TYPE, products[0].asin, None)] if alike else []
    thing = products[0].query if alike else "something"
    text = f"{rng.choice(OPENINGS)} {thing}: {'; '.join(part.phrase for part in parts)}"
    return Goal(text, (*kind, *(part.predicate for part in parts)))


def fitting_sets(
    lived: Shopping, rows: Sequence[int], count: int, rng: Random
) -> Iterator[dict[int, tuple[Part, ...]]]:
    """Yield sets of `count` products, each with parts that it alone of them meets.

    Every part is met by another of them too: nothing but all parts together tells which one it is.
    """
    for group in groups_of(lived, rows, rng):
        if len(group) < count:
            continue
        parts = parts_of(lived, group)
        seen: set[frozenset[int]] = set()
        for _ in range(_TRIES):
            chosen = frozenset(rng.sample(group, count))
            if chosen in seen:
                continue
            seen.add(chosen)
            told = [one for one in parts if 2 <= len(one.met & chosen) < count]
            found: dict[int, tuple[Part, ...]] = {}
            for row in rng.sample(sorted(chosen), count):
                if (single := _singled_out(row, chosen, told, rng)) is None:
                    break
                found[row] = single
            else:
                yield found


def _singled_out(
    row: int, rows: frozenset[int], parts: Sequence[Part], rng: Random
) -> tuple[Part, ...] | None:
    """Return parts that one product alone meets, none of them left out in vain.

    Parts that most of the others meet as well come first: whoever knows that the product meets one knows the less.
    """
    met = [one for one in parts if row in one.met]
    rng.shuffle(met)
    met.sort(key=lambda one: -len(one.met & rows))
    for size in range(PARTS[1], PARTS[0] - 1, -1):
        for some in combinations(met, size):
            if len({one.about for one in some}) == size and _only(row, rows, some):
                needed = not any(_only(row, rows, fewer) for fewer in combinations(some, size - 1))
                if needed:
                    return some
    return None


def _only(row: int, rows: frozenset[int], parts: Sequence[Part]) -> bool:
    return rows.intersection(*(part.met for part in parts)) == {row}


def missing_sets(
    lived: Shopping, rows: Sequence[int], counts: Sequence[int], rng: Random
) -> Iterator[dict[int, Part]]:
    """Yield sets of products and as many parts: each misses one part, which all others meet.

    Args:
        counts: how many products, those preferred first.
    """
    for group in groups_of(lived, rows, rng):
        if len(group) < min(counts):
            continue
        parts = parts_of(lived, group)
        seen: set[frozenset[Predicate]] = set()
        for _ in range(_TRIES):
            drawn_rows, drawn_parts = rng.sample(group, len(group)), rng.sample(parts, len(parts))
            for count in counts:
                found = _missing_set(drawn_rows, drawn_parts, count, {})
                if found is not None:
                    key = frozenset(one.predicate for one in found.values())
                    if key not in seen:
                        seen.add(key)
                        yield found
                    break


def _missing_set(
    rows: Sequence[int], parts: Sequence[Part], count: int, found: dict[int, Part]
) -> dict[int, Part] | None:
    if len(found) == count:
        return found
    for at, row in enumerate(rows):
        if not all(row in part.met for part in found.values()):
            continue
        for part in parts:
            if (
                row not in part.met
                and part.met >= found.keys()
                and all(part.about != one.about for one in found.values())
            ):
                more = _missing_set(rows[at + 1 :], parts, count, {**found, row: part})
                if more is not None:
                    return more
    return None
