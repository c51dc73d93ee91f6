"""What adapters gained on suites beside what they forgot of general text: a table and a picture of both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worldschool.records import Interval

SCHEMA = "worldschool.retention/1"


@dataclass(frozen=True)
class Outcome:
    """One adapter.

    Attributes:
        name: the adapter's.
        method: what held it.
        gain: mean over suites of its score less the base model's, asked in the better way.
        by_suite: the same of each suite.
        change: of each text, the relative change of perplexity: 0.01 is one per cent worse.
    """

    name: str
    method: str
    gain: Interval
    by_suite: Mapping[str, Interval]
    change: Mapping[str, Interval]


def outcomes(results: Mapping[str, Any], methods: Mapping[str, str]) -> list[Outcome]:
    """Read a probe's results.

    A suite's gain is over the better of the base model's ways of being asked, with the paired interval of `comparisons`. The
    interval of the mean over suites takes the suites' errors as independent and normal: half its width is the
    root of the sum of their squared half widths, over the number of suites.

    Args:
        results: what `probe` returned.
        methods: adapter to what held it, in the order wanted.
    """
    found = []
    for name, method in methods.items():
        by_suite = {
            row["suite"]: Interval(row["difference"], *row["ci95"])
            for row in results["comparisons"]
            if row["a"] == name and row["b"] not in methods
        }
        change = {
            text: Interval(row["change"][name]["value"], *row["change"][name]["ci95"])
            for text, row in results["retention"].items()
        }
        found.append(Outcome(name, method, _mean(list(by_suite.values())), by_suite, change))
    return found


def told(one: Interval, scale: float = 1.0, digits: int = 3, unit: str = "") -> str:
    """Return it as people read it."""
    value, low, high = (f"{scale * number:+.{digits}f}" for number in (one.value, one.low, one.high))
    return f"{value}{unit} [{low}, {high}]"


def _mean(several: Sequence[Interval]) -> Interval:
    value = sum(one.value for one in several) / len(several)
    half = math.sqrt(sum(((one.high - one.low) / 2) ** 2 for one in several)) / len(several)
    return Interval(value, value - half, value + half)


def outcomes_json(found: Sequence[Outcome]) -> dict[str, Any]:
    """Return plain JSON values."""

    def plain(one: Interval) -> dict[str, float]:
        return {"value": one.value, "low": one.low, "high": one.high}

    rows = [
        {
            "name": one.name,
            "method": one.method,
            "gain": plain(one.gain),
            "by_suite": {suite: plain(gain) for suite, gain in one.by_suite.items()},
            "change": {text: plain(change) for text, change in one.change.items()},
        }
        for one in found
    ]
    return {"schema": SCHEMA, "outcomes": rows}


def outcomes_rows(found: Sequence[Outcome]) -> list[list[str]]:
    """Return the table, its head first."""
    texts, suites = list(found[0].change), list(found[0].by_suite)
    rows = [
        [
            "#",
            "adapter",
            "held by",
            "gain, mean of suites",
            *suites,
            *(f"perplexity of {text}" for text in texts),
        ]
    ]
    for number, one in enumerate(found, start=1):
        cells = [str(number), one.name, one.method, told(one.gain)]
        cells += [told(one.by_suite[suite]) for suite in suites]
        cells += [told(one.change[text], 100, 2, "%") for text in texts]
        rows.append(cells)
    return rows


def outcomes_markdown(found: Sequence[Outcome]) -> str:
    """Return what was gained and forgotten as a page of Markdown."""
    head, *rows = outcomes_rows(found)
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return (
        "# What was learned, and what was forgotten\n\n"
        "Gains are paired differences from the untrained model, asked with worked examples or without, whichever it does better; "
        "perplexity is its relative change; 95% intervals in brackets. "
        "Numbers in the picture are the rows. All scores, items and their losses are in `report/`.\n\n"
        + "\n".join(lines)
        + "\n\n![gain against forgetting](retention.png)\n"
    )


def outcomes_figure(found: Sequence[Outcome], out: Path) -> None:
    """Draw gain against forgetting, a panel for each text, a line for each method, in the order of the outcomes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    texts = list(found[0].change)
    figure, panels = pyplot.subplots(
        1, len(texts), figsize=(6 * len(texts), 4.5), layout="constrained", squeeze=False
    )
    for axes, text in zip(panels[0], texts, strict=True):
        for number, method in enumerate(dict.fromkeys(one.method for one in found)):
            numbered = [(at, one) for at, one in enumerate(found, start=1) if one.method == method]
            own = [one for _, one in numbered]
            x = [100 * one.change[text].value for one in own]
            y = [one.gain.value for one in own]
            wide = [
                [100 * (one.change[text].value - one.change[text].low) for one in own],
                [100 * (one.change[text].high - one.change[text].value) for one in own],
            ]
            high = [
                [one.gain.value - one.gain.low for one in own],
                [one.gain.high - one.gain.value for one in own],
            ]
            axes.errorbar(
                x, y, xerr=wide, yerr=high, marker="os^Dv"[number % 5], capsize=2, linewidth=1, label=method
            )
            for one, at, up in zip(numbered, x, y, strict=True):
                axes.annotate(str(one[0]), (at, up), textcoords="offset points", xytext=(5, 5), fontsize=7)
        axes.axvline(0, color="grey", linewidth=0.5)
        axes.axhline(0, color="grey", linewidth=0.5)
        axes.set_xlabel(f"change of perplexity, %: {text}")
        axes.set_ylabel("gain, mean of suites")
        axes.legend(title="held by")
    figure.savefig(out, dpi=120)
    pyplot.close(figure)
