"""Write a probe's results down for people: a page, the same in Markdown, and the scores as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from worldschool.errors import UserError
from worldschool.files import write_atomic
from worldschool.probes.reporting.facts import Reading, ends
from worldschool.probes.reporting.html import html_report
from worldschool.probes.reporting.markdown import markdown_report
from worldschool.probes.results import RESULTS_SCHEMA

SCORE_COLUMNS = (
    *("suite", "model", "n", "value", "low", "high", "exact", "control"),
    *("excluded", "normalization", "decoding", "chance", "best_shortcut", "shortcut_value"),
    *("against", "difference", "difference_low", "difference_high", "p", "p_holm"),
)
"""The last ones are about the difference of a model that learned from the better untrained one."""


def write_report(results: Mapping[str, Any], items: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write `report.html`, `report.md` and `scores.csv` into `out`, each whole or not at all.

    The page needs no network and runs no script. Parts that the results lack are left out of it. Nothing in the three
    files depends on the clock: the same results give the same bytes.

    Args:
        results: what `results.json` holds (schema "worldschool.results/1"): models, suites with scores, retention,
            comparisons, and where known contract, training curves and what was made. A model counts as one that
            learned when it has an `adapter` or a `memory`; the others are what it is compared with.
        items: a row an answered question: suite, item_id, model, prompt, answer, prediction, score, correct. The
            examples shown are those of the last model that learned.
        out: the directory, made where it is missing.

    Raises:
        UserError: the results are of a schema this release does not read.
    """
    schema = str(results.get("schema", RESULTS_SCHEMA))
    if schema != RESULTS_SCHEMA:
        raise UserError(
            f"these results are {schema!r}, and this release reads {RESULTS_SCHEMA!r}",
            where="results.json: schema",
            mend="Write the report with the release of worldschool that made them.",
        )
    reading = Reading(results)
    for name, text in (
        ("report.html", html_report(reading, items)),
        ("report.md", markdown_report(reading, items)),
        ("scores.csv", scores_csv(reading)),
    ):
        write_atomic(Path(out) / name, text.encode("utf-8", "replace"))


def scores_csv(reading: Reading) -> str:
    """Return the scores, a row for every suite and model; what is not known is empty."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(SCORE_COLUMNS)
    for suite, row in reading.suites.items():
        for model in reading.models:
            score = reading.score(suite, model)
            if score is not None:
                low, high = ends(score)
                n = score.get("n", row.get("n"))
                cells = [suite, model, n, score["value"], low, high, score.get("exact")]
                writer.writerow([*cells, reading.controls.get(model), *_about(reading, suite, model)])
    return table.getvalue()


def _about(reading: Reading, suite: str, model: str) -> list[Any]:
    row, (best, value) = reading.suites[suite], reading.best_shortcut(suite) or (None, None)
    cells = [row.get(name) for name in ("excluded", "normalization", "decoding", "chance")]
    change = reading.change(suite, model) if model not in reading.bases else None
    if change is None:
        return [*cells, best, value, *[None] * 6]
    tested = [change.low, change.high, change.p, change.p_holm]
    return [*cells, best, value, change.against, change.value, *tested]
