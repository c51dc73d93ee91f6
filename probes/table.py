"""The probe results as a table for the terminal."""

from __future__ import annotations

import io
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 110


def results_table(results: dict[str, Any]) -> str:
    """Return the scores, what changed in perplexity, and the contract if there is one, as text."""
    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, highlight=False, color_system=None)
    console.print(_scores(results))
    console.print(_perplexity(results))
    for promise in results.get("contract", ()):
        mark = "holds " if promise["holds"] else "FAILS "
        console.print(f"{mark} {promise['claim']}: {promise['detail']}", markup=False)
    return stream.getvalue().rstrip()


def _scores(results: dict[str, Any]) -> Table:
    names = [model["name"] for model in results["models"]]
    table = Table(box=box.SIMPLE_HEAD, title="What was gained (score, 95% interval)", title_justify="left")
    table.add_column("probe")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("gain over the better base", justify="right")
    table.add_column("best shortcut", justify="right")
    for task, suite in results["suites"].items():
        cells = [_with_interval(suite["scores"][name]) for name in names]
        gains = [c for c in results["comparisons"] if c["suite"] == task and c["b"].startswith("base")]
        gain = _gain(gains[0]) if gains else ""
        best = max(suite["shortcuts"].items(), key=lambda pair: pair[1], default=None)
        shortcut = f"{best[1]:.2f} {best[0]}" if best else ""
        table.add_row(f"{suite['title']} (n {suite['n']})", *cells, gain, shortcut)
    return table


def _with_interval(score: dict[str, Any]) -> str:
    low, high = score["ci95"]
    return f"{score['value']:.2f} [{low:.2f}, {high:.2f}]"


def _gain(comparison: dict[str, Any]) -> str:
    low, high = comparison["ci95"]
    verdict = "" if low > 0 or high < 0 else " (none shown)"
    return f"{comparison['difference']:+.2f} [{low:+.2f}, {high:+.2f}]{verdict}"


def _perplexity(results: dict[str, Any]) -> Table:
    names = list(next(iter(results["retention"].values()))["perplexity"]) if results["retention"] else []
    table = Table(
        box=box.SIMPLE_HEAD, title="What was lost (perplexity; lower is better)", title_justify="left"
    )
    table.add_column("general text")
    for name in names:
        table.add_column(name, justify="right")
    for text in results["retention"].values():
        cells = []
        for name in names:
            change = text["change"].get(name)
            moved = f" ({change['value']:+.2%})" if change else ""
            cells.append(f"{text['perplexity'][name]:.2f}{moved}")
        table.add_row(text["title"], *cells)
    return table
