"""Intervals and tests for scores over items: how much of a number could be chance in the choice of questions.

Everything resamples whole items (or whole documents): they are what was drawn, and what another draw would change.
All intervals are 95%. The same arguments give the same numbers: the generator is made from `seed` each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from worldschool.records import Interval

Floats: TypeAlias = NDArray[np.float64]

LEAST_FLIPS = 10_000
"""Random signs that a sampled p value is counted over, unless there are many to correct for."""
PAIRED_TEST = "paired bootstrap; sign-flip permutation"
RIGHT_WRONG_TEST = "paired bootstrap; exact McNemar"

_Z = 1.959963984540054  # the normal distribution's 97.5% quantile
_TAILS = (2.5, 97.5)
_CHUNK = 1 << 20  # numbers drawn at once: thousands of resamples of a large suite would not fit in memory


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much better `a` is than `b` on the same items.

    Attributes:
        difference: mean of a - b over items.
        low: lower end of the 95% bootstrap interval.
        high: its upper end.
        p: two-sided p value: of McNemar's exact test where every score is 0 or 1, else of the sign-flip permutation test;
            never 0.
        n: how many items.
        test: what was computed, in words for a report.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    test: str = PAIRED_TEST


def proportion_interval(successes: int, n: int) -> Interval:
    """Return a proportion with its Wilson score interval.

    With p = successes / n and z = 1.96 the interval is

        (p + z^2 / 2n  +-  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    which keeps inside [0, 1] and, unlike the bootstrap, does not shrink to a point when every answer is right or
    every answer is wrong. Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    Raises:
        ValueError: n is not positive, or successes is outside 0..n.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"successes must be in 0..n with n >= 1. Received {successes} of {n}")
    share = successes / n
    shrink = 1 + _Z**2 / n
    middle = (share + _Z**2 / (2 * n)) / shrink
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / shrink
    # The ends at 0 and n are exact in the formula; in floating point they can miss by the last digit.
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return Interval(share, low, high, n)


def mean_interval(values: ArrayLike, seed: int = 0, resamples: int = 10_000) -> Interval:
    """Return the mean of per-item scores with its percentile bootstrap interval.

    Items are drawn with replacement `resamples` times; the interval runs from the 2.5% to the 97.5% quantile of the
    means (Efron 1979, "Bootstrap methods: another look at the jackknife"). Where every value is 0 or 1 the answer is
    `proportion_interval`'s, which says something even when all of them agree.

    Raises:
        ValueError: there are no values, one is not finite, or they are not one-dimensional.
    """
    scores = _vector(values, "values")
    n = len(scores)
    if np.all((scores == 0) | (scores == 1)):
        return proportion_interval(int(scores.sum()), n)
    means = _bootstrap(n, seed, resamples, lambda rows: scores[rows].mean(axis=1))
    low, high = np.percentile(means, _TAILS)
    return Interval(float(scores.mean()), float(low), float(high), n)


def flips_for(comparisons: int) -> int:
    """Return how many sign flips `paired_difference` should make where p is corrected for so many comparisons.

    A sampled p value is never below 1 / (1 + flips); corrected for all of them it must be able to get below 0.05.
    """
    return max(LEAST_FLIPS, 100 * comparisons)


def paired_difference(
    a: ArrayLike, b: ArrayLike, seed: int = 0, resamples: int = 10_000, flips: int = LEAST_FLIPS
) -> PairedDifference:
    """Compare two models' scores on the same items, item by item.

    The interval is the percentile bootstrap of the mean of d = a - b. The p value asks how often the mean would be as
    far from zero if each item's two scores could as well be exchanged. Where every score is 0 or 1 that is `mcnemar_p`.
    Elsewhere every d_i gets a random sign, `flips` times, and

        p = (1 + #{|mean(sign * d)| >= |mean(d)|}) / (1 + flips)

    where the 1 counts the signs that were seen (Fisher 1935, "The design of experiments"; the correction of Phipson
    and Smyth 2010), so p is never zero and the test keeps its level.

    Raises:
        ValueError: the lengths differ, there are no items, or a score is not finite.
    """
    first, second = _vector(a, "a"), _vector(b, "b")
    _same_length(a=first, b=second)
    gaps = first - second
    n = len(gaps)
    means = _bootstrap(n, seed, resamples, lambda rows: gaps[rows].mean(axis=1))
    low, high = np.percentile(means, _TAILS)
    if np.all(np.isin(first, (0, 1)) & np.isin(second, (0, 1))):
        p, test = mcnemar_p(int(np.sum(gaps > 0)), int(np.sum(gaps < 0))), RIGHT_WRONG_TEST
    else:
        p, test = _sign_flip_p(gaps, seed, flips), PAIRED_TEST
    return PairedDifference(float(gaps.mean()), float(low), float(high), p, n, test)


def mcnemar_p(only_a: int, only_b: int) -> float:
    """Return the two-sided p value of McNemar's exact test.

    Items that both models have right, or both wrong, say nothing of which is better. Of the n others each is as likely to
    be a's as b's if they are equally good, so with k = min(only_a, only_b)

        p = min(1, 2 * sum_{i=0..k} C(n, i) / 2^n)

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".

    Args:
        only_a: items that a alone has right.
        only_b: items that b alone has right.

    Raises:
        ValueError: one is negative.
    """
    if only_a < 0 or only_b < 0:
        raise ValueError(f"counts of items should not be negative. Received {only_a} and {only_b}")
    n, term, tail = only_a + only_b, 1, 0
    for i in range(min(only_a, only_b) + 1):  # whole numbers: nothing is rounded until the end
        tail += term
        term = term * (n - i) // (i + 1)
    # 2^n of thousands of items is more than a float holds; the quotient of whole numbers is not.
    return min(1.0, 2 * tail / (1 << n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number, in their order.

    With the m values sorted upwards, the corrected j-th (from 0) is the largest of (m - i) * p_i over i <= j, at most 1.
    Who takes for established what is below 0.05 is wrong even once with a probability of at most 5%, however the tests
    depend on each other. Source: Holm 1979, "A simple sequentially rejective multiple test procedure".

    Raises:
        ValueError: one is outside [0, 1].
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError("p values should be in [0, 1]")
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[at]))
        corrected[at] = largest
    return corrected


def relative_change(
    nll_before: ArrayLike, nll_after: ArrayLike, tokens: ArrayLike, seed: int = 0, resamples: int = 10_000
) -> Interval:
    """Return the relative change of perplexity from one model to another: 0.01 is one per cent worse.

    Perplexity is exp(sum nll / sum tokens) over documents, so the change is

        exp((sum nll_after - sum nll_before) / sum tokens) - 1

    and the interval bootstraps documents, keeping each one's two losses and its length together (Efron 1979): tokens
    of one document are not independent, documents nearly are.

    Args:
        nll_before: `[documents]` summed negative log-likelihood under the first model, nats.
        nll_after: `[documents]` the same under the second model.
        tokens: `[documents]` how many tokens were predicted; the same for both models.
        seed: of the resampling.
        resamples: how many.

    Raises:
        ValueError: the lengths differ, there are no documents, a number is not finite, or a document has no tokens.
    """
    before, after = _vector(nll_before, "nll_before"), _vector(nll_after, "nll_after")
    lengths = _vector(tokens, "tokens")
    _same_length(nll_before=before, nll_after=after, tokens=lengths)
    if np.any(lengths <= 0):
        raise ValueError("tokens must be positive for every document")
    rise = after - before

    def change(rows: NDArray[np.int64]) -> Floats:
        return np.asarray(np.expm1(rise[rows].sum(axis=1) / lengths[rows].sum(axis=1)))

    low, high = np.percentile(_bootstrap(len(rise), seed, resamples, change), _TAILS)
    return Interval(math.expm1(rise.sum() / lengths.sum()), float(low), float(high), len(rise))


def _vector(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"`{name}` should be a non-empty list of numbers. Received shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"`{name}` should hold finite numbers only")
    return array


def _same_length(**arrays: Floats) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"one number per item is needed in each, over the same items. Received lengths {lengths}"
        )


def _chunks(total: int, width: int) -> Iterator[int]:
    """Yield row counts that sum to `total`, each of at most `_CHUNK` numbers when a row has `width` of them."""
    rows = max(1, _CHUNK // width)
    for start in range(0, total, rows):
        yield min(rows, total - start)


def _bootstrap(n: int, seed: int, resamples: int, statistic: Callable[[NDArray[np.int64]], Floats]) -> Floats:
    """Return `statistic` of `resamples` draws of n indices; it maps `[rows, n]` indices to `[rows]` numbers."""
    rng = np.random.default_rng([seed, 0])
    return np.concatenate([statistic(rng.integers(0, n, size=(rows, n))) for rows in _chunks(resamples, n)])


def _sign_flip_p(gaps: Floats, seed: int, flips: int) -> float:
    rng = np.random.default_rng([seed, 1])  # another stream than the interval's
    n = len(gaps)
    # Flips that give the observed mean in exact arithmetic must count, however their sum was rounded.
    seen = abs(gaps.sum()) - 1e-9 * np.abs(gaps).sum()
    extreme = 0
    for rows in _chunks(flips, n):
        signs = rng.integers(0, 2, size=(rows, n), dtype=np.int8) * 2.0 - 1.0
        extreme += int(np.count_nonzero(np.abs(signs @ gaps) >= seen))
    return (1 + extreme) / (1 + flips)
