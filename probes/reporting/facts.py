"""What a report says, worked out from the results: who is compared with whom, what changed, in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Direction: TypeAlias = Literal["up", "down", "none", "untested"]

ESTABLISHED = 0.05
"""A difference whose p value, corrected for the number of comparisons, is below this stays established."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference between two models with its 95% interval; `low` and `high` are None where it was not tested.

    `p_holm` is p after Holm's correction for all comparisons of the run.
    """

    value: float
    low: float | None
    high: float | None
    against: str
    p: float | None = None
    p_holm: float | None = None

    @property
    def stays(self) -> bool:
        """Whether it is established after the correction, too."""
        return self.direction in ("up", "down") and self.p_holm is not None and self.p_holm < ESTABLISHED

    @property
    def direction(self) -> Direction:
        """Whether the whole interval is above zero, below it, or neither."""
        if self.low is None or self.high is None:
            return "untested"
        if self.low > 0:
            return "up"
        return "down" if self.high < 0 else "none"


@dataclass(frozen=True, slots=True)
class Control:
    """What a control scores on one suite, with its 95% interval: what kind it is, and which model, where known."""

    kind: str
    model: str | None
    value: float
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """Its kind, and the model's name where that does not say the same."""
        return self.kind if self.model in (None, self.kind) else f"{self.kind} ({self.model})"


class Reading:
    """Results as the parts of a report ask for them. Any part of the results may be missing.

    Attributes:
        models: every model's name, in the order of the results.
        bases: those that learned nothing here: no adapter and no memory.
        controls: those that learned what is nothing worth, to show what a score means; name to the kind of control.
        learners: the others.
    """

    def __init__(self, results: Row) -> None:
        self.results = results
        self.described: dict[str, Row] = {str(row["name"]): row for row in results.get("models") or []}
        self.suites: dict[str, Row] = dict(results.get("suites") or {})
        self.retention: dict[str, Row] = dict(results.get("retention") or {})
        scored = (name for suite in self.suites.values() for name in suite.get("scores") or {})
        self.models = tuple(dict.fromkeys([*self.described, *scored]))
        kinds = {name: self.described.get(name, {}).get("control") for name in self.models}
        self.controls = {name: str(kind) for name, kind in kinds.items() if kind}
        trained = tuple(name for name in self.models if self._learned(name))
        self.learners = tuple(name for name in trained if name not in self.controls)
        self.bases = tuple(name for name in self.models if name not in (*trained, *self.controls))

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
        tested = self.between(suite, model, base)
        if tested is not None:
            return tested
        base_row = self.score(suite, base)
        assert base_row is not None
        return Change(float(row["value"]) - float(base_row["value"]), None, None, base)

    def between(self, suite: str, a: str, b: str) -> Change | None:
        """How `a` differs from `b`, as it was tested; None where the results hold no such test."""
        for test in self.results.get("comparisons") or []:
            if test.get("suite") != suite or not finite(test.get("difference")):
                continue
            low, high = ends(test)
            difference, p, p_holm = float(test["difference"]), test.get("p"), test.get("p_holm")
            if (test.get("a"), test.get("b")) == (a, b):
                return Change(difference, low, high, b, p, p_holm)
            if (test.get("b"), test.get("a")) == (a, b):
                flipped = (None if high is None else -high), (None if low is None else -low)
                return Change(-difference, *flipped, b, p, p_holm)
        return None

    @property
    def corrected_for(self) -> int:
        """How many comparisons p values were corrected for; 0 where they were not."""
        return sum(finite(test.get("p_holm")) for test in self.results.get("comparisons") or [])

    def controls_of(self, suite: str) -> list[Control]:
        """The suite's controls that have a number; of older results nothing but that."""
        found = []
        for kind, row in (self.suites[suite].get("controls") or {}).items():
            told: Row = row if isinstance(row, Mapping) else {"value": row}
            if finite(told.get("value")):
                model = str(told["model"]) if told.get("model") else None
                found.append(Control(str(kind).replace("_", " "), model, float(told["value"]), *ends(told)))
        return found

    def shortcuts_of(self, suite: str) -> list[tuple[str, float]]:
        """What each rule of thumb scores on the suite, the highest first."""
        known = (self.suites[suite].get("shortcuts") or {}).items()
        pairs = [(str(name), float(value)) for name, value in known if finite(value)]
        return sorted(pairs, key=lambda pair: -pair[1])

    def perplexity_change(self, text: str, model: str) -> Change | None:
        """The relative change of perplexity on `text`, or None for the model it is measured from."""
        row = (self.retention[text].get("change") or {}).get(model)
        if not row or not finite(row.get("value")):
            return None
        return Change(float(row["value"]), *ends(row), self.bases[0] if self.bases else "the base model")

    def best_shortcut(self, suite: str) -> tuple[str, float] | None:
        """The rule of thumb that scores highest, with its score."""
        return next(iter(self.shortcuts_of(suite)), None)


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


def p_text(change: Change) -> str:
    """The p values of a difference: "p 0.012, corrected 0.048"; nothing where it was not tested."""
    if change.p is None or not finite(change.p):
        return ""
    told = f"p {_small(change.p)}"
    return f"{told}, corrected {_small(change.p_holm)}" if change.p_holm is not None else told


def _small(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "below 0.001"


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
