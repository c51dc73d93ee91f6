"""Activities: which split they belong to, and which wrong ones are offered beside the right one.

What a model is asked about in held-out houses, it was not told about in training ones. Of the options of a question each
must be right equally often, though some activities are much more frequent than others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random

from worldschool.experience.builders.base import Skipped
from worldschool.records import Episode
from worldschool.splits import split_of_activity

OTHER_SPLIT = Skipped("its activity belongs to another split")
ROUNDS = 300
"""Of the iteration that finds weights; for a dozen activities a tenth would do."""
FULL = 0.95
"""An activity that is right in more than this share of one question in `options` cannot be wrong often enough."""
DRAWS = 10_000
"""Sets of wrong options that are drawn until one has no activity twice."""


def of_another_split(episode: Episode) -> bool:
    """Return whether an episode's goal is drawn from an activity of another split than the episode's.

    The household draws none such; worlds that do not split their activities may.
    """
    return episode.activity is not None and split_of_activity(episode.activity) != episode.split


def draw_others(activity: str, counts: tuple[tuple[str, int], ...], number: int, rng: Random) -> list[str]:
    """Draw wrong options: whatever options there are together, each of them is then right equally often.

    A set of options S is to be offered as often with each of its activities as the right one. With weights w, others are
    drawn as a set with probability in proportion to the product of their weights; see `even_weights`.

    Args:
        activity: the right one.
        counts: of each activity of the split, how many episodes have it; the right one among them, or not.
        number: of wrong options; no more than there are other activities.
        rng: draws.
    """
    weights = even_weights(counts, number + 1)
    others = [name for name, _ in counts if name != activity]
    chances = [weights[name] for name in others]
    for _ in range(DRAWS):
        found = rng.choices(others, chances, k=number)
        if len(set(found)) == number:
            return found
    return rng.sample(others, number)


@lru_cache(maxsize=16)
def even_weights(counts: tuple[tuple[str, int], ...], options: int) -> dict[str, float]:
    """Return the weights by which each of any set of options is right equally often.

    An activity a is right in a share p(a) of the questions, so it is to be an option in `options` p(a) of them. The sets
    of a fixed size with these inclusion probabilities and the highest entropy have probabilities in proportion to the
    products of weights that solve w(a) = p(a) / R(others of a), R being the sum of the products of all sets of
    `options` - 1 (Chen, Dempster and Liu 1994, "Weighted finite population sampling to maximize entropy").

    Args:
        counts: activity to how many episodes have it; one without any counts as one.
        options: of each question.
    """
    shares = [float(max(1, count)) for _, count in counts]
    total = sum(shares)
    shares = [share / total for share in shares]
    for _ in range(ROUNDS):  # what is right too often is offered with others as if it were less frequent
        shares = [min(share, FULL / options) for share in shares]
        total = sum(shares)
        shares = [share / total for share in shares]
    weights = list(shares)
    for _ in range(ROUNDS):
        weights = [
            share / _products(weights[:at] + weights[at + 1 :], options - 1)
            for at, share in enumerate(shares)
        ]
        total = sum(weights)
        weights = [weight / total for weight in weights]
    return {name: weight for (name, _), weight in zip(counts, weights, strict=True)}


def _products(weights: Sequence[float], size: int) -> float:
    """Return the sum, over all sets of `size` weights, of their products (the elementary symmetric polynomial)."""
    sums = [1.0] + [0.0] * size
    for weight in weights:
        for at in range(size, 0, -1):
            sums[at] += sums[at - 1] * weight
    return sums[size]
