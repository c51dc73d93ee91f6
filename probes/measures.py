"""What is told of written plans beside their score: ROUGE, the longest common run, and what became of them in the world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeAlias

from worldschool.probes.metrics import plan_score
from worldschool.probes.plans import PLAN_TASKS, Execution, Start, execute_all, starts_of
from worldschool.probes.rouge import rouge
from worldschool.probes.statistics import mean_interval
from worldschool.progress import progress
from worldschool.records import Example

Row: TypeAlias = dict[str, float]

MEASURES = {
    "executable_steps": "share of a plan's steps that could be done until the first that could not",
    "executable": "share of plans of which every step could be done",
    "success": "share of plans after which the goal holds, executed until the first step that could not be done",
    "rouge_1": "ROUGE-1, F1 of stemmed words",
    "rouge_2": "ROUGE-2, F1 of pairs of stemmed words",
    "rouge_l": "ROUGE-L, F1 of the longest common subsequence of stemmed words",
    "run": "longest common run of steps over the longer plan's length",
}
"""Name of a measure to what it is; each is a mean over items and lies in [0, 1]."""
WRITTEN_PLANS = (
    *PLAN_TASKS,
    "robothow_plans",
    "e2wm_plan_gen",
    "e2wm_plan_gen_confusing",
    "e2wm_plan_gen_unseen",
    "e2wm_plan_gen_unseen_confusing",
)
"""Tasks whose answers are plans; those of worlds of ours are executed too."""


class PlanMeasures:
    """Measures one suite's answers; where its plans begin is looked up once.

    Args:
        items: of one task; of a task that asks for no plans nothing is measured.
        examples: the files of examples that they are from (see `plans.starts_of`).
    """

    def __init__(self, items: Sequence[Example], examples: Sequence[Path] = ()) -> None:
        self._items = items if items and items[0].task in WRITTEN_PLANS else ()
        self._starts: Mapping[str, Start] = starts_of(self._items, examples) if self._items else {}

    def reference(self) -> Row:
        """Return the measures of the right answers themselves, executed: 1 unless the worlds are not what they were."""
        rows = self.of([item.answer for item in self._items], "the answers") if self._starts else []
        names = ("executable_steps", "executable", "success")
        return {name: found for name in names if (found := _mean(row.get(name) for row in rows)) is not None}

    def of(self, predictions: Sequence[str], title: str) -> list[Row]:
        """Return each prediction's measures, by name; a plan whose start is not known has none that need executing.

        Args:
            predictions: as many as items.
            title: names the model in the progress.
        """
        if not self._items:
            return [{} for _ in predictions]
        bar = progress(f"{title}: plans", len(self._starts), "plans") if self._starts else nullcontext(None)
        with bar as advance:
            runs: list[Execution | None] = [None] * len(self._items)
            if advance is not None:
                runs = execute_all(self._items, predictions, self._starts, advance)
        return [
            _row(item, prediction, run)
            for item, prediction, run in zip(self._items, predictions, runs, strict=True)
        ]


def _row(item: Example, prediction: str, run: Execution | None) -> Row:
    row = rouge(prediction, item.answer) | {"run": plan_score(prediction, item.answer)}
    if run is not None:
        row |= {
            "executable_steps": run.share,
            "executable": float(run.executable),
            "success": float(run.success),
        }
    return row


def summary(rows: Sequence[Row], seed: int) -> dict[str, Any]:
    """Return the mean of every measure by its name, and under "measures" also its 95% interval and number of items."""
    found: dict[str, Any] = {}
    for name in MEASURES:
        values = [row[name] for row in rows if name in row]
        if values:
            interval = mean_interval(values, seed=seed)
            found[name] = interval.value
            found.setdefault("measures", {})[name] = {
                "value": interval.value,
                "ci95": [interval.low, interval.high],
                "n": len(values),
            }
    return found


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
