"""What a sweep makes of a probe's results."""

import pytest

from worldschool.probes.forgetting import outcomes, outcomes_json


def compared(suite, a, b, difference):
    return {
        "suite": suite,
        "a": a,
        "b": b,
        "difference": difference,
        "ci95": [difference - 0.1, difference + 0.1],
    }


RESULTS = {
    "comparisons": [
        compared("paths", "A", "base, 3-shot", 0.2),
        compared("counting", "A", "base", 0.4),
        compared("paths", "B", "base, 3-shot", -0.1),
        compared("counting", "B", "base", 0.0),
        compared("paths", "A", "B", 0.3),
    ],
    "retention": {"prose": {"change": {name: {"value": 0.01, "ci95": [0.0, 0.02]} for name in "AB"}}},
}


def test_gains_are_over_the_better_way_of_asking_the_base_model():
    found = outcomes(RESULTS, {"A": "ewc", "B": "none"})
    assert [one.by_suite["paths"].value for one in found] == [0.2, -0.1]
    assert [one.gain.value for one in found] == pytest.approx([0.3, -0.05])
    # Two errors of half width .1, independent: the mean's is .1 / sqrt 2.
    assert found[0].gain.high - found[0].gain.value == pytest.approx(0.1 / 2**0.5)
    written = outcomes_json(found)["outcomes"][0]
    assert written["change"]["prose"] == {"value": 0.01, "low": 0.0, "high": 0.02}
    assert set(written) == {"name", "method", "gain", "by_suite", "change"}
