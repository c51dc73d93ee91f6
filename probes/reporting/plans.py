"""The report's part about written plans: what became of them in the world, and how near their words came."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from worldschool.probes.measures import MEASURES
from worldschool.probes.reporting.facts import Reading, Row, finite, number

COLUMNS = (
    ("executable", "Executable"),
    ("executable_steps", "Steps done"),
    ("success", "Goal reached"),
    ("rouge_1", "ROUGE-1"),
    ("rouge_2", "ROUGE-2"),
    ("rouge_l", "ROUGE-L"),
    ("run", "Longest run"),
)
"""A measure to its heading."""
ANSWERS = "the answers themselves"
NOTE = (
    "Plans are read back as actions and done in the world their question is about, from its start, until a step cannot be "
    f"done. Executable: {MEASURES['executable']}. Steps done: {MEASURES['executable_steps']}. Goal reached: "
    f"{MEASURES['success']}. The others compare words with the answer's; another plan may do as well."
)


def plan_rows(reading: Reading) -> list[tuple[str, str, list[str]]]:
    """Return a row for every model that wrote plans: the suite's title, the model, and a cell for each column."""
    found = []
    for suite, row in reading.suites.items():
        for model in reading.models:
            score = (row.get("scores") or {}).get(model) or {}
            if any(finite(score.get(name)) for name, _ in COLUMNS):
                found.append((reading.title_of(suite), model, _cells(score)))
        if row.get("reference"):
            found.append((reading.title_of(suite), ANSWERS, _cells(row["reference"])))
    return found


def _cells(score: Row) -> list[str]:
    return [number(score[name]) if finite(score.get(name)) else "–" for name, _ in COLUMNS]


def plans_section(reading: Reading) -> str:
    """Return the part of the page; nothing where no plans were written."""
    rows = plan_rows(reading)
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{name}</th>' for _, name in COLUMNS)
    body = "".join(
        f'<tr><th scope="row">{_safe(title)}</th><td data-head="Written by" class="left">{_safe(model)}</td>'
        + "".join(
            f'<td data-head="{name}">{cell}</td>' for (_, name), cell in zip(COLUMNS, cells, strict=True)
        )
        + "</tr>"
        for title, model, cells in rows
    )
    return (
        f'<section id="plans"><h2>Plans, carried out</h2><p class="note">{NOTE}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Plans"><table class="stacked">'
        f'<thead><tr><th scope="col">Suite</th><th scope="col" class="left">Written by</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></section>"
    )


def plan_table(reading: Reading) -> tuple[Sequence[str], list[list[str]]]:
    """Return the heading and the rows as texts, not escaped yet."""
    head = ["Suite", "Written by", *(name for _, name in COLUMNS)]
    return head, [[title, model, *cells] for title, model, cells in plan_rows(reading)]


def _safe(text: str) -> str:
    return escape(text.encode("utf-8", "replace").decode("utf-8"))
