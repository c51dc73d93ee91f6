"""The probe results as a table for the terminal."""

from __future__ import annotations

import io
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from worldschool.probes.reporting.facts import Reading

WIDTH = 100

RULES_SHOWN = 2
"""Of a suite, the best."""


def results_table(results: dict[str, Any]) -> str:
    """Return the scores, what changed in perplexity, and the contract if there is one, as text."""
    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, highlight=False, color_system=None)
    console.print(_scores(results))
    console.print("? zero is inside the interval: no change is shown", markup=False)
    console.print()
    if any("measures" in score for suite in results["suites"].values() for score in suite["scores"].values()):
        console.print(_plans(results))
    if results["retention"]:
        console.print(_perplexity(results))
    for promise in results.get("contract", ()):
        mark = "holds" if promise["holds"] else "FAILS"
        console.print(f"{mark}  {promise['claim']}:\n       {promise['detail']}", markup=False)
    return "\n".join(line.rstrip() for line in stream.getvalue().rstrip().splitlines())


def _scores(results: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="What was gained", title_justify="left")
    table.add_column("probe", ratio=1)
    table.add_column("asked of")
    table.add_column("score [95% interval]", justify="right")
    table.add_column("gain over the better base", justify="right")
    bases = Reading(results).bases
    for task, suite in results["suites"].items():
        gains = {c["a"]: c for c in results["comparisons"] if c["suite"] == task and c["b"] in bases}
        labels = [f"{suite['title']} (n {suite['n']})", *_rules(suite)]
        names = list(suite["scores"])
        for row in range(max(len(names), len(labels))):
            label = labels[row] if row < len(labels) else ""
            name = names[row] if row < len(names) else ""
            score = _with_interval(suite["scores"][name]) if name else ""
            table.add_row(label, name, score, _gain(gains[name]) if name in gains else "")
        table.add_row()
    return table


def _rules(suite: dict[str, Any]) -> list[str]:
    """Return what the best rules of thumb score, the best first, and chance; the report has them all."""
    best = sorted(suite["shortcuts"].items(), key=lambda pair: -pair[1])[:RULES_SHOWN]
    shown = [f"  rule: {name.replace('_', ' ')} {value:.2f}" for name, value in best]
    return shown + ([f"  chance {suite['chance']:.2f}"] if suite["chance"] is not None else [])


def _with_interval(score: dict[str, Any]) -> str:
    low, high = score["ci95"]
    return f"{score['value']:.2f} [{low:.2f}, {high:.2f}]"


def _gain(comparison: dict[str, Any]) -> str:
    low, high = comparison["ci95"]
    verdict = "  " if low > 0 or high < 0 else " ?"
    return f"{comparison['difference']:+.2f} [{low:+.2f}, {high:+.2f}]{verdict}"


def _plans(results: dict[str, Any]) -> Table:
    """Return what became of written plans; a suite's right answers are executed, too, as far as plans can be."""
    table = Table(box=box.SIMPLE_HEAD, title="Plans", title_justify="left")
    table.add_column("probe", ratio=1)
    table.add_column("asked of")
    for name in ("executable", "steps done", "goal reached", "ROUGE-L", "longest run"):
        table.add_column(name, justify="right")
    for suite in results["suites"].values():
        rows = [(name, score) for name, score in suite["scores"].items() if "measures" in score]
        if rows and suite.get("reference"):
            rows.append(("(the answers)", suite["reference"]))
        for at, (name, row) in enumerate(rows):
            keys = ("executable", "executable_steps", "success", "rouge_l", "run")
            cells = [f"{row[key]:.2f}" if key in row else "" for key in keys]
            table.add_row(suite["title"] if at == 0 else "", name, *cells)
        if rows:
            table.add_row()
    return table


def _perplexity(results: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="What was lost", title_justify="left")
    table.add_column("general text", ratio=1)
    table.add_column("asked of")
    table.add_column("perplexity", justify="right")
    table.add_column("change [95% interval]", justify="right")
    for text in results["retention"].values():
        for row, (name, value) in enumerate(text["perplexity"].items()):
            change = text["change"].get(name)
            moved = (
                "{value:+.2%} [{low:+.2%}, {high:+.2%}]".format(
                    value=change["value"], low=change["ci95"][0], high=change["ci95"][1]
                )
                if change
                else ""
            )
            table.add_row(text["title"] if row == 0 else "", name, f"{value:.2f}", moved)
        table.add_row()
    return table
