"""What a report says, worked out from the results: who is compared with whom, what changed, in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Direction: TypeAlias = Literal["up", "down", "none", "untested"]

NAMED_IN_SUMMARY = 3  # suites named in a sentence; the table has them all


@dataclass(frozen=True, slots=True)
class Change:
    """A difference between two models with its 95% interval; `low` and `high` are None where it was not tested."""

    value: float
    low: float | None
    high: float | None
    against: str
    p: float | None = None

    @property
    def direction(self) -> Direction:
        """Whether the whole interval is above zero, below it, or neither."""
        if self.low is None or self.high is None:
            return "untested"
        if self.low > 0:
            return "up"
        return "down" if self.high < 0 else "none"


class Reading:
    """Results as the parts of a report ask for them. Any part of the results may be missing.

    Attributes:
        models: every model's name, in the order of the results.
        bases: those that learned nothing here: no adapter and no memory.
        learners: the others.
    """

    def __init__(self, results: Row) -> None:
        self.results = results
        self.described: dict[str, Row] = {str(row["name"]): row for row in results.get("models") or []}
        self.suites: dict[str, Row] = dict(results.get("suites") or {})
        self.retention: dict[str, Row] = dict(results.get("retention") or {})
        scored = (name for suite in self.suites.values() for name in suite.get("scores") or {})
        self.models = tuple(dict.fromkeys([*self.described, *scored]))
        self.learners = tuple(name for name in self.models if self._learned(name))
        self.bases = tuple(name for name in self.models if name not in self.learners)

    def _learned(self, name: str) -> bool:
        row = self.described.get(name, {})
        return bool(row.get("adapter") or row.get("memory"))

    def title_of(self, suite: str) -> str:
        """The suite's title, or its name."""
        return str(self.suites.get(suite, {}).get("title") or suite)

    def score(self, suite: str, model: str) -> Row | None:
        """The model's scores on the suite, or None where it was not asked or has no number."""
        row = (self.suites[suite].get("scores") or {}).get(model)
        return row if row and finite(row.get("value")) else None

    def better_base(self, suite: str) -> str | None:
        """The untrained model that scored highest: what training has to beat."""
        scored = [(name, self.score(suite, name)) for name in self.bases]
        known = [(float(row["value"]), name) for name, row in scored if row is not None]
        return max(known, key=lambda pair: pair[0])[1] if known else None

    def change(self, suite: str, model: str) -> Change | None:
        """How `model` differs from the better base; without an interval where the results hold no such test."""
        base, row = self.better_base(suite), self.score(suite, model)
        if base is None or row is None:
            return None
        for test in self.results.get("comparisons") or []:
            if test.get("suite") != suite or not finite(test.get("difference")):
                continue
            low, high = ends(test)
            if (test.get("a"), test.get("b")) == (model, base):
                return Change(float(test["difference"]), low, high, base, test.get("p"))
            if (test.get("b"), test.get("a")) == (model, base):
                flipped = (None if high is None else -high), (None if low is None else -low)
                return Change(-float(test["difference"]), *flipped, base, test.get("p"))
        base_row = self.score(suite, base)
        assert base_row is not None
        return Change(float(row["value"]) - float(base_row["value"]), None, None, base)

    def perplexity_change(self, text: str, model: str) -> Change | None:
        """The relative change of perplexity on `text`, or None for the model it is measured from."""
        row = (self.retention[text].get("change") or {}).get(model)
        if not row or not finite(row.get("value")):
            return None
        return Change(float(row["value"]), *ends(row), self.bases[0] if self.bases else "the base model")

    def best_shortcut(self, suite: str) -> tuple[str, float] | None:
        """The rule of thumb that scores highest, with its score."""
        known = {k: float(v) for k, v in (self.suites[suite].get("shortcuts") or {}).items() if finite(v)}
        return max(known.items(), key=lambda pair: pair[1]) if known else None


def finite(value: object) -> bool:
    """Whether `value` is a number that can be shown."""
    return isinstance(value, int | float) and math.isfinite(value)


def ends(row: Row) -> tuple[float | None, float | None]:
    """The two ends of a row's `ci95`, or None twice."""
    interval = row.get("ci95")
    if not isinstance(interval, Sequence) or len(interval) != 2 or not all(map(finite, interval)):
        return None, None
    return float(interval[0]), float(interval[1])


def number(value: object, digits: int = 2) -> str:
    """A number with `digits` decimals and a true minus sign; a dash where there is none."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return (
        text[1:] if text.startswith("-") and not float(text.replace(",", "")) else text.replace("-", "\u2212")
    )


def signed(value: float, digits: int = 2) -> str:
    """As `number`, with a plus sign before what is not negative."""
    text = number(value, digits)
    return text if text.startswith("\u2212") else f"+{text}"


def change_text(change: Change, percent: bool = False) -> str:
    """The difference and its interval: "+0.12 [+0.05, +0.19]", or in per cent.

    A third decimal appears where two would round one of the numbers to zero: a reader must see on which side it is.
    """
    scale, unit = (100.0, "%") if percent else (1.0, "")
    shown = [v * scale for v in (change.value, change.low, change.high) if v is not None]
    digits = 3 if any(v != 0 and abs(v) < 0.005 for v in shown) else 2
    texts = [signed(v, digits) for v in shown]
    return f"{texts[0]}{unit} [{texts[1]}, {texts[2]}]" if len(texts) == 3 else f"{texts[0]}{unit}"


def duration(seconds: object) -> str:
    """Seconds in words: "12 min 31 s"."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def listed(parts: Iterable[str]) -> str:
    """Join with commas and a last "and"."""
    items = list(parts)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


def opening(reading: Reading) -> str:
    """The summary's first sentences: what was asked of whom, and how to read the numbers."""
    if not reading.suites:
        return "No suite of questions was scored."
    questions = sum(int(suite.get("n") or 0) for suite in reading.suites.values())
    asked = f"{_counted(questions, 'question')} in {_counted(len(reading.suites), 'suite')}"
    if len(reading.models) == 1:
        return (
            f"One model, {reading.models[0]}, answered {asked}. Scores run from 0 to 1, higher being better."
        )
    words = f"{len(reading.models)} contenders ({'; '.join(reading.models)}) answered the same {asked}."
    words += " Scores run from 0 to 1, higher being better."
    perplexity = ""
    if reading.retention:
        perplexity = " What it cost is read from perplexity: how surprised a model is by ordinary text, lower being better."
    if reading.learners and len(reading.bases) > 1:
        words += (
            " What was learned is measured against the untrained model, with or without worked examples in its "
            "prompt, whichever does better on the suite."
        )
    return (
        f"{words} The brackets after a difference hold its 95% interval: how far the choice of questions alone could "
        "have moved it. Where the interval includes zero, no change is established." + perplexity
    )


def summary_of(reading: Reading, model: str) -> str:
    """What `model` gained, what it did not, and what that cost in ordinary language. Begins with a verb."""
    changes = {s: c for s in reading.suites if (c := reading.change(s, model)) is not None}
    if not changes:
        return f"was not compared with an untrained model. {_cost(reading, model)}"
    total = _counted(len(changes), "suite")
    up, down, none, untested = (
        {s: c for s, c in changes.items() if c.direction == way} for way in ("up", "down", "none", "untested")
    )
    if up:
        parts = [f"scores higher than the untrained model on {len(up)} of {total}: {_named(reading, up)}."]
    else:
        parts = [f"is not shown to score higher than the untrained model on any of {total}."]
    if none:
        parts.append(f"No change is established on {len(none)}: {_named(reading, none)}.")
    if down:
        parts.append(f"It scores lower on {len(down)}: {_named(reading, down)}.")
    if untested:
        parts.append(f"Untested differences, which establish nothing: {_named(reading, untested)}.")
    return " ".join(
        part for part in (*parts, _against_shortcuts(reading, model), _cost(reading, model)) if part
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _named(reading: Reading, changes: Mapping[str, Change]) -> str:
    """The largest changes by name, and how many more there are."""
    ordered = sorted(changes.items(), key=lambda pair: -abs(pair[1].value))
    names = [f"{reading.title_of(suite)} ({change_text(c)})" for suite, c in ordered[:NAMED_IN_SUMMARY]]
    more = len(ordered) - len(names)
    return listed([*names, f"{more} more"] if more else names)


def _against_shortcuts(reading: Reading, model: str) -> str:
    """On how many suites the whole interval of the score is above the best shortcut; the others are not evidence."""
    known, above = 0, 0
    for suite in reading.suites:
        best, row = reading.best_shortcut(suite), reading.score(suite, model)
        if best is not None and row is not None:
            low, _ = ends(row)
            known, above = known + 1, above + (low is not None and low > best[1])
    if not known:
        return ""
    return (
        f"Its score is clearly above the best rule of thumb on {above} of the {known} that have one measured."
    )


def _cost(reading: Reading, model: str) -> str:
    phrases = []
    for text, row in reading.retention.items():
        change = reading.perplexity_change(text, model)
        if change is not None:
            verb = {"up": "rises", "down": "falls", "none": "shows no established change"}.get(
                change.direction, "differs, untested"
            )
            phrases.append(f"on {row.get('title') or text} {verb} ({change_text(change, percent=True)})")
    if not phrases:
        return "What it cost in ordinary language was not measured."
    return f"Its perplexity {listed(phrases)}."
