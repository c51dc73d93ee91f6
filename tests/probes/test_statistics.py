"""Intervals and tests against hand values, exact enumeration and properties that must always hold."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.probes.statistics import (
    holm,
    mcnemar_p,
    mean_interval,
    paired_difference,
    proportion_interval,
    relative_change,
)

scores = st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=30)


def test_wilson_hand_values():
    # (0.5 + 3.8415/20 +- 1.96 sqrt(0.025 + 3.8415/400)) / 1.38415
    half = proportion_interval(5, 10)
    assert half.value == 0.5 and half.n == 10
    assert half.low == pytest.approx(0.2366, abs=5e-5)
    assert half.high == pytest.approx(0.7634, abs=5e-5)
    none = proportion_interval(0, 10)  # z^2 / (n + z^2)
    assert (none.low, none.high) == (0.0, pytest.approx(3.8415 / 13.8415, abs=5e-5))
    assert proportion_interval(10, 10).high == 1.0


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_proportion_and_mirrors(case):
    successes, n = case
    interval = proportion_interval(successes, n)
    mirror = proportion_interval(n - successes, n)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirror.high, abs=1e-12)


def test_mean_of_zeros_and_ones_is_a_proportion():
    assert mean_interval([1, 0, 1, 1]) == proportion_interval(3, 4)
    assert mean_interval([0.0] * 50).high > 0.05  # the bootstrap would say 0


def test_mean_interval_is_near_the_normal_one_for_many_items():
    values = np.random.default_rng(3).uniform(size=400)
    interval = mean_interval(values, seed=1)
    half = 1.96 * values.std() / math.sqrt(400)
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.003)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.003)


@settings(max_examples=30, deadline=None)
@given(scores, st.integers(0, 2**31))
def test_mean_interval_stays_in_range_and_repeats(values, seed):
    interval = mean_interval(values, seed=seed, resamples=300)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9 or set(values) <= {0, 1}
    assert interval == mean_interval(values, seed=seed, resamples=300)


def exact_sign_flip_p(gaps):
    seen = abs(sum(gaps)) - 1e-9
    flips = list(itertools.product((-1, 1), repeat=len(gaps)))
    return sum(abs(sum(s * g for s, g in zip(signs, gaps, strict=True))) >= seen for signs in flips) / len(
        flips
    )


@pytest.mark.parametrize("a", [[1, 1, 1, 1, 0, 1, 1, 1], [0.9, 0.2, 0.4, 0.1, 0.7, 0.3, 1.0, 0.6]])
def test_sign_flip_agrees_with_full_enumeration(a):
    b = [0, 0, 0.5, 0, 0.5, 0, 0, 0.5]
    exact = exact_sign_flip_p([x - y for x, y in zip(a, b, strict=True)])
    assert paired_difference(a, b).p == pytest.approx(exact, abs=0.015)


def test_paired_difference_hand_values():
    same = paired_difference([0.2, 0.7, 1.0], [0.2, 0.7, 1.0])
    assert (same.difference, same.low, same.high, same.p, same.n) == (0, 0, 0, 1.0, 3)
    all_won = paired_difference([1.0] * 30, [0.0] * 30)
    assert all_won.difference == 1.0
    assert all_won.p == pytest.approx(2 * 0.5**30)
    assert "bootstrap" in all_won.test and "McNemar" in all_won.test
    all_better = paired_difference([0.9] * 30, [0.0] * 30)
    assert all_better.p == pytest.approx(1 / 10_001)  # no flip of 10,000 reaches it; never zero
    assert "bootstrap" in all_better.test and "permutation" in all_better.test


def test_mcnemar_hand_values():
    assert mcnemar_p(0, 0) == 1.0
    assert mcnemar_p(3, 3) == 1.0
    assert mcnemar_p(5, 0) == mcnemar_p(0, 5) == 2 / 32
    # n = 10, k = 2: 2 (1 + 10 + 45) / 1024
    assert mcnemar_p(8, 2) == mcnemar_p(2, 8) == pytest.approx(112 / 1024)
    # n = 145, k = 59
    assert mcnemar_p(59, 86) == pytest.approx(2 * sum(math.comb(145, i) for i in range(60)) / 2**145)
    assert 0 < mcnemar_p(3000, 2000) < 1e-40  # more than a float could count
    with pytest.raises(ValueError, match="negative"):
        mcnemar_p(-1, 2)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=12))
def test_of_right_and_wrong_the_test_is_every_exchange_of_the_models(pairs):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    found = paired_difference(a, b, resamples=50)
    assert found.p == pytest.approx(exact_sign_flip_p([x - y for x, y in pairs]))
    assert "McNemar" in found.test


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_the_binomial_test(only_a, only_b):
    """Of all outcomes, those that are as unlikely as what was seen, or more so."""
    n = only_a + only_b
    ways = [math.comb(n, k) for k in range(n + 1)]
    assert mcnemar_p(only_a, only_b) == pytest.approx(sum(w for w in ways if w <= ways[only_a]) / 2**n)


def test_paired_bootstrap_is_near_the_normal_interval():
    rng = np.random.default_rng(8)
    a, b = rng.binomial(1, 0.7, 600), rng.binomial(1, 0.5, 600)
    found = paired_difference(a, b)
    half = 1.96 * (a - b).std() / math.sqrt(600)
    assert found.difference == pytest.approx((a - b).mean())
    assert found.low == pytest.approx(found.difference - half, abs=0.004)
    assert found.high == pytest.approx(found.difference + half, abs=0.004)


def test_holm_hand_values():
    assert holm([]) == []
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    with pytest.raises(ValueError, match="0, 1"):
        holm([0.5, 1.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_holm_does_not_depend_on_the_order_and_lies_between_none_and_bonferroni(p_values, random):
    corrected = holm(p_values)
    for p, new in zip(p_values, corrected, strict=True):
        assert p <= new <= min(1.0, len(p_values) * p) + 1e-12
    ranked = [new for _, new in sorted(zip(p_values, corrected, strict=True))]
    assert ranked == sorted(ranked)  # a smaller p never becomes the larger one
    order = list(range(len(p_values)))
    random.shuffle(order)
    assert holm([p_values[at] for at in order]) == [corrected[at] for at in order]


def test_holm_keeps_the_error_of_the_family():
    rng = np.random.default_rng(2)
    wrong = sum(min(holm(list(rng.uniform(size=20)))) <= 0.05 for _ in range(2000))
    assert wrong / 2000 < 0.065  # without the correction 64% would have one


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25), st.integers(0, 99))
def test_exchanging_the_models_negates_the_difference(pairs, seed):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    forth = paired_difference(a, b, seed, resamples=200, flips=200)
    back = paired_difference(b, a, seed, resamples=200, flips=200)
    assert forth.difference == pytest.approx(-back.difference)
    assert (forth.low, forth.high) == (pytest.approx(-back.high), pytest.approx(-back.low))
    assert forth.p == back.p and 0 < forth.p <= 1
    assert forth.low - 1e-9 <= forth.high


def test_level_of_the_test_under_the_null():
    rng = np.random.default_rng(5)
    rejected = sum(
        paired_difference(*rng.uniform(size=(2, 40)), seed=i, resamples=10, flips=400).p <= 0.05
        for i in range(300)
    )
    assert rejected / 300 < 0.09


def test_relative_change_hand_values():
    # Each document's loss rises by 0.01 nats a token: exp(0.01) - 1 whatever is drawn.
    tokens = [100, 300, 50]
    change = relative_change([200.0, 650.0, 90.0], [201.0, 653.0, 90.5], tokens)
    assert change.value == pytest.approx(math.expm1(0.01))
    assert change.low == pytest.approx(change.high) == pytest.approx(change.value)
    assert change.n == 3
    longer_counts_more = relative_change([0.0, 0.0], [10.0, 0.0], [90, 10])
    assert longer_counts_more.value == pytest.approx(math.expm1(0.1))
    assert longer_counts_more.low == 0.0 and longer_counts_more.high == pytest.approx(math.expm1(1 / 9))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500), st.integers(100, 900)), min_size=1, max_size=20)
)
def test_relative_change_is_that_of_the_perplexities(rows):
    before, after, tokens = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    change = relative_change(before, after, tokens, resamples=200)
    ratio = math.exp(after.sum() / tokens.sum()) / math.exp(before.sum() / tokens.sum())
    assert change.value == pytest.approx(ratio - 1, abs=1e-9)
    assert -1 < change.low <= change.high


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: proportion_interval(3, 0), "n >= 1"),
        (lambda: proportion_interval(4, 3), "0..n"),
        (lambda: mean_interval([]), "non-empty"),
        (lambda: mean_interval([0.1, math.nan]), "finite"),
        (lambda: paired_difference([1, 2], [1]), "same items"),
        (lambda: relative_change([1.0], [1.0], [0]), "positive"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_two_hundred_items_are_quick():
    a, b = np.random.default_rng(0).uniform(size=(2, 200))
    best = math.inf
    for _ in range(3):  # the best of three: the machine may be busy
        start = time.process_time()
        paired_difference(a, b)
        best = min(best, time.process_time() - start)
    assert best < 0.2


def test_large_suites_are_drawn_in_pieces():
    values = np.random.default_rng(1).uniform(size=20_000)
    interval = mean_interval(values, resamples=200)
    assert interval.n == 20_000 and interval.high - interval.low < 0.02
