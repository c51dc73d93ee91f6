"""A comparison written down: JSON, Markdown, tables for a spreadsheet, and pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from worldschool.errors import OutputError
from worldschool.files import write_atomic, write_json
from worldschool.probes.comparing.plots import comparison_page
from worldschool.probes.comparing.table import difference, estimate, p_value
from worldschool.probes.reporting.markdown import plain

DIFFERENCE_COLUMNS = ("suite", "measure", "a", "b", "n", "difference", "low", "high", "p", "p_holm", "test")
DIAL_COLUMNS = ("suite", "dial", "setting", "a", "b", "n", "difference", "low", "high")
SCORE_COLUMNS = ("suite", "model", "n", "value", "low", "high", "executable", "success", "rouge_l")
LEARNING_COLUMNS = ("suite", "model", "steps", "examples", "tokens", "value", "low", "high")
FILES = (
    "comparison.json",
    "comparison.md",
    "comparison.html",
    "scores.csv",
    "differences.csv",
    "dials.csv",
    "learning.csv",
)


def write_comparison(comparison: Mapping[str, Any], out: Path) -> None:
    """Write `FILES` into a directory: it, the same in Markdown, pictures, and a table for each part.

    Args:
        comparison: what `compare` returns.
        out: made if it is missing; files of another comparison are never overwritten.

    Raises:
        OutputError: there is something else in it, or it cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(one.name not in FILES for one in out.iterdir())):
        raise OutputError(
            "this is not empty, and was not made by `worldschool compare`",
            where=str(out),
            mend="Give another --out.",
        )
    try:
        write_atomic(out / "comparison.md", comparison_markdown(comparison))
        write_atomic(out / "comparison.html", comparison_page(comparison))
        for name, columns, rows in _tables(comparison):
            write_atomic(out / name, _csv(columns, rows))
        write_json(out / "comparison.json", comparison)
    except OSError as error:
        raise OutputError(
            f"this cannot be written: {error.strerror or error}", where=str(out), mend="Give another --out."
        ) from None


def _tables(
    comparison: Mapping[str, Any],
) -> Iterable[tuple[str, Sequence[str], list[Mapping[str, Any]]]]:
    yield (
        "scores.csv",
        SCORE_COLUMNS,
        [
            {"suite": suite, "model": name, "n": row["n"], **_flat(score)}
            for suite, row in comparison["suites"].items()
            for name, score in row["scores"].items()
        ],
    )
    yield "differences.csv", DIFFERENCE_COLUMNS, [_flat(row) for row in comparison["comparisons"]]
    yield "dials.csv", DIAL_COLUMNS, [_flat(row) for row in comparison["by_dial"]]
    yield (
        "learning.csv",
        LEARNING_COLUMNS,
        [
            {"suite": suite, "model": point["name"], **_flat(point)}
            for suite, points in comparison["learning"].items()
            for point in points
        ],
    )


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "low": row["ci95"][0], "high": row["ci95"][1]}


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def comparison_markdown(comparison: Mapping[str, Any]) -> str:
    """Return the comparison as a Markdown document."""
    parts = [
        "# Comparison of probe runs",
        "\n".join(f"- {plain(run['path'])}" for run in comparison["runs"]),
        "## Scores\n\n" + _grid(_score_rows(comparison), 1),
        f"## Differences\n\nItem by item, a - b. {plain(comparison['correction'])}.\n\n"
        + _grid(_difference_rows(comparison), 3),
    ]
    if comparison["learning"]:
        parts.append("## Learning curves\n\n" + _grid(_learning_rows(comparison), 2))
    if comparison["retention"]:
        parts.append("## Perplexity\n\n" + _grid(_retention_rows(comparison), 1))
    if comparison["left_out"]:
        parts.append("## Not compared\n\n" + "\n".join(f"- {plain(line)}" for line in comparison["left_out"]))
    return "\n\n".join(parts) + "\n"


def _grid(rows: list[list[str]], numbers_from: int) -> str:
    marks = ["---" if at < numbers_from else "---:" for at in range(len(rows[0]))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], marks, *rows[1:]))


def _names(comparison: Mapping[str, Any]) -> list[str]:
    return [one["name"] for one in comparison["contenders"]]


def _score_rows(comparison: Mapping[str, Any]) -> list[list[str]]:
    rows = [["Suite", "n", *map(plain, _names(comparison))]]
    for suite in comparison["suites"].values():
        cells = [
            estimate(suite["scores"][name]) if name in suite["scores"] else "–" for name in _names(comparison)
        ]
        rows.append([plain(suite["title"]), str(suite["n"]), *cells])
    return rows


def _difference_rows(comparison: Mapping[str, Any]) -> list[list[str]]:
    rows = [["Suite", "Measure", "a - b", "Difference (95% interval)", "p", "p (Holm)", "Test"]]
    for row in comparison["comparisons"]:
        rows.append(
            [
                plain(comparison["suites"][row["suite"]]["title"]),
                row["measure"],
                plain(f"{row['a']} - {row['b']}"),
                difference(row),
                p_value(row["p"]),
                p_value(row["p_holm"]),
                row["test"],
            ]
        )
    return rows


def _learning_rows(comparison: Mapping[str, Any]) -> list[list[str]]:
    rows = [["Suite", "Model", "Steps", "Examples", "Score (95% interval)"]]
    for suite, points in comparison["learning"].items():
        for point in points:
            amounts = [f"{point[key]:,}" if key in point else "–" for key in ("steps", "examples")]
            rows.append(
                [plain(comparison["suites"][suite]["title"]), plain(point["name"]), *amounts, estimate(point)]
            )
    return rows


def _retention_rows(comparison: Mapping[str, Any]) -> list[list[str]]:
    rows = [["Text", *map(plain, _names(comparison))]]
    for text in comparison["retention"].values():
        values = [text["perplexity"].get(name) for name in _names(comparison)]
        rows.append([plain(text["title"]), *(f"{one:.2f}" if one is not None else "–" for one in values)])
    return rows
