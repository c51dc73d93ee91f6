"""Which answers the report shows: the first few right and the first few wrong of each suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worldschool.probes.reporting.facts import Reading

EACH = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """One answered question."""

    item_id: str
    prompt: str
    answer: str
    prediction: str


@dataclass(frozen=True, slots=True)
class Examples:
    """One model's answers: for each suite its name, right ones and wrong ones."""

    model: str
    suites: tuple[tuple[str, tuple[Shown, ...], tuple[Shown, ...]], ...]


def choose_examples(reading: Reading, items: Sequence[Mapping[str, Any]]) -> Examples | None:
    """Take up to three right and three wrong answers a suite, in item order, of the last model that learned.

    Where none learned, or it answered nothing, the last model that did answer is shown. None when there are no items.
    """
    answered = {str(row.get("model")) for row in items}
    order = [*reading.controls, *reading.bases, *reading.learners]
    models = [name for name in order if name in answered] or sorted(answered)
    if not models:
        return None
    model = models[-1]
    rows = [row for row in items if str(row.get("model")) == model]
    named = dict.fromkeys(str(row.get("suite")) for row in rows)
    suites = [s for s in reading.suites if s in named] + [s for s in named if s not in reading.suites]
    return Examples(
        model, tuple((s, _first(rows, s, correct=True), _first(rows, s, correct=False)) for s in suites)
    )


def _first(rows: Sequence[Mapping[str, Any]], suite: str, *, correct: bool) -> tuple[Shown, ...]:
    found = [row for row in rows if str(row.get("suite")) == suite and bool(row.get("correct")) == correct]
    return tuple(
        Shown(
            _text(row, "item_id"),
            _text(row, "prompt"),
            _text(row, "answer"),
            _text(row, "prediction").strip(),
        )
        for row in found[:EACH]
    )


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    return "" if value is None else str(value)
