"""A comparison as tables for the terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 100
ESTABLISHED = 0.05
"""A difference whose corrected p value is below this is called established."""
_MEASURED = {"executable": "executable", "success": "goal reached"}


def comparison_table(comparison: Mapping[str, Any]) -> str:
    """Return scores, differences, learning curves and perplexities as text."""
    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, highlight=False, color_system=None)
    console.print(_scores(comparison))
    console.print(_differences(comparison))
    console.print(
        f"* established: p < {ESTABLISHED:g} after Holm's correction for {len(comparison['comparisons'])} comparisons",
        markup=False,
    )
    if comparison["learning"]:
        console.print(_learning(comparison))
    if comparison["retention"]:
        console.print(_retention(comparison))
    for line in comparison["left_out"]:
        console.print(f"not compared: {line}", markup=False)
    return "\n".join(line.rstrip() for line in stream.getvalue().rstrip().splitlines())


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for at, column in enumerate(columns):
        if at == 0:
            table.add_column(column, ratio=1)
        else:
            table.add_column(column, justify="right" if at > 1 else "left")
    return table


def _scores(comparison: Mapping[str, Any]) -> Table:
    rows = [row for suite in comparison["suites"].values() for row in suite["scores"].values()]
    measured = [key for key in _MEASURED if any(key in row for row in rows)]
    table = _table("Scores", "probe", "model", "score [95% interval]", *(_MEASURED[key] for key in measured))
    for suite in comparison["suites"].values():
        for at, (name, score) in enumerate(suite["scores"].items()):
            label = f"{suite['title']} (n {suite['n']})" if at == 0 else ""
            if at == 1 and suite["chance"] is not None:
                label = f"  chance {suite['chance']:.2f}"
            plans = [f"{score[key]:.2f}" if key in score else "" for key in measured]
            table.add_row(label, name, estimate(score), *plans)
        table.add_row()
    return table


def _differences(comparison: Mapping[str, Any]) -> Table:
    table = _table("Differences, item by item", "probe", "a - b", "difference [95%]", "p", "p (Holm)", "")
    suite = measure = None
    for row in comparison["comparisons"]:
        label = ""
        if row["suite"] != suite:
            if suite is not None:
                table.add_row()
            label = comparison["suites"][row["suite"]]["title"]
        elif row["measure"] != measure:
            label = f"  {_MEASURED[row['measure']]}"
        suite, measure = row["suite"], row["measure"]
        table.add_row(
            label,
            f"{row['a']} - {row['b']}",
            difference(row),
            p_value(row["p"]),
            p_value(row["p_holm"]),
            "*" if row["p_holm"] < ESTABLISHED else "",
        )
    return table


def _learning(comparison: Mapping[str, Any]) -> Table:
    table = _table("Learning curves", "probe", "model", "steps", "examples", "score [95% interval]")
    for suite, points in comparison["learning"].items():
        for at, point in enumerate(points):
            table.add_row(
                comparison["suites"][suite]["title"] if at == 0 else "",
                point["name"],
                f"{point['steps']:,}" if "steps" in point else "",
                f"{point['examples']:,}" if "examples" in point else "",
                estimate(point),
            )
        table.add_row()
    return table


def _retention(comparison: Mapping[str, Any]) -> Table:
    table = _table("Perplexity", "general text", "model", "perplexity", "tokens")
    for text in comparison["retention"].values():
        for at, (name, value) in enumerate(text["perplexity"].items()):
            tokens = text["tokens"].get(name)
            table.add_row(
                text["title"] if at == 0 else "", name, f"{value:.2f}", f"{tokens:,}" if tokens else ""
            )
        table.add_row()
    return table


def estimate(row: Mapping[str, Any]) -> str:
    """Return "0.50 [0.40, 0.60]"."""
    low, high = row["ci95"]
    return f"{row['value']:.2f} [{low:.2f}, {high:.2f}]"


def difference(row: Mapping[str, Any]) -> str:
    """Return "+0.10 [-0.02, +0.22]"."""
    low, high = row["ci95"]
    return f"{row['difference']:+.2f} [{low:+.2f}, {high:+.2f}]"


def p_value(p: float) -> str:
    """Return a p value with three decimals; what would be shown as zero as a power of ten."""
    return f"{p:.3f}" if p >= 0.0005 else f"{p:.0e}"
