"""In which order the parts of a goal are best reached: learned from the order in which successes reached them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from worldschool.records import Predicate


@dataclass(frozen=True)
class Order:
    """How late a kind of predicate was reached for good in goals of several that succeeded.

    A predicate's place in one goal is its rank among the goal's predicates by the time from which it held until the end,
    from 0 (first) to 1 (last). What keeps the hands full, or is undone by walking away, comes late in successes, since
    where it came early the rest failed.

    Attributes:
        places: kind of predicate ("HOLDS character thing") to (sum of places, how many).
    """

    places: Mapping[str, tuple[float, int]] = field(default_factory=dict)

    def after(self, reached: Sequence[Sequence[Predicate]], kind: Callable[[str], str]) -> Order:
        """Return what is known after one more success.

        Args:
            reached: the goal's predicates in the order in which they were reached for good; those that were reached
                at the same time together.
            kind: gives an entity's kind.
        """
        if len(reached) < 2:
            return self
        places = dict(self.places)
        for rank, predicates in enumerate(reached):
            for predicate in predicates:
                of = kind_of(predicate, kind)
                total, count = places.get(of, (0.0, 0))
                places[of] = (total + rank / (len(reached) - 1), count + 1)
        return Order(places)

    def arranged(
        self, predicates: Sequence[Predicate], kind: Callable[[str], str], rng: Random
    ) -> list[Predicate]:
        """Return predicates in the order in which to reach them: by mean place, with less noise the more is known.

        The key of a predicate seen n times with sum s is (s + 0.5) / (n + 1) + u / sqrt(n + 1), u uniform in
        [-0.5, 0.5): of what is not known any order is as likely, so that orders are tried before one is settled on.
        """

        def key(predicate: Predicate) -> float:
            total, count = self.places.get(kind_of(predicate, kind), (0.0, 0))
            return (total + 0.5) / (count + 1) + (rng.random() - 0.5) / math.sqrt(count + 1)

        keys = {predicate: key(predicate) for predicate in predicates}
        return sorted(predicates, key=keys.__getitem__)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {of: list(self.places[of]) for of in sorted(self.places)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Order:
        """Read what `to_json` gave.

        Raises:
            TypeError, ValueError, AttributeError: the values are not such an order.
        """
        return cls({str(of): (float(total), int(count)) for of, (total, count) in values.items()})


def kind_of(predicate: Predicate, kind: Callable[[str], str]) -> str:
    """Return what kind of predicate one is: "ON thing surface"."""
    name, *arguments = predicate
    return " ".join([name, *(one if one.startswith("class:") else kind(one) for one in arguments if one)])
