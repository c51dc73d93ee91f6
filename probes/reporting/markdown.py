"""The report as Markdown: the same words and numbers, for a terminal, a repository or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from worldschool.probes.reporting.examples import Shown, choose_examples
from worldschool.probes.reporting.facts import (
    Change,
    Reading,
    change_text,
    duration,
    ends,
    finite,
    number,
    p_text,
)
from worldschool.probes.reporting.figures import dial_values, dials_of
from worldschool.probes.reporting.html import SIGNS
from worldschool.probes.reporting.plans import NOTE, plan_table
from worldschool.probes.reporting.rules import ASKED_HEAD, ASKED_NOTE, WORDS, asked_rows, shortcut_rows
from worldschool.probes.reporting.summary import control_of, opening, summary_of


def markdown_report(reading: Reading, items: Sequence[Mapping[str, Any]]) -> str:
    """Return the whole document."""
    title = plain(reading.results.get("title") or "What was learned, what was lost")
    parts = [
        f"# {title}",
        plain(opening(reading)),
        *(f"**{plain(name)}** {plain(summary_of(reading, name))}" for name in reading.learners),
        *(f"**{plain(name)}** {plain(control_of(reading, name))}" for name in reading.controls),
        _contract(reading),
        _gains(reading),
        _retention(reading),
        _plans(reading),
        _dials(reading),
        _shortcuts(reading),
        _asked(reading),
        _examples(reading, items),
        _made(reading),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(value: object) -> str:
    """Escape what Markdown or HTML inside it would read as markup, and keep to one line."""
    text = " ".join(str(value).encode("utf-8", "replace").decode("utf-8").split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Brackets are markup only where a link could follow; intervals are left readable.
    return re.sub(r"([\\`*_|~]|!?\[(?=[^\]]*\][(\[:]))", r"\\\1", text)


def fenced(text: str) -> str:
    """A code block whose fence is longer than any run of backticks in `text`."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.encode('utf-8', 'replace').decode('utf-8').rstrip()}\n{fence}"


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int = 1) -> str:
    marks = ["---" if i < numbers_from else "---:" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))


def _contract(reading: Reading) -> str:
    signs = {True: "✓", False: "✗"}
    lines = [
        f"- {signs.get(clause.get('holds'), '–')} {plain(clause.get('claim', ''))}"
        + (f" ({plain(clause['detail'])})" if clause.get("detail") else "")
        for clause in reading.results.get("contract") or []
    ]
    return "## What was promised beforehand\n\n" + "\n".join(lines) if lines else ""


def _gains(reading: Reading) -> str:
    if not reading.suites:
        return ""
    rows = []
    for suite, row in reading.suites.items():
        best = reading.best_shortcut(suite)
        shortcut = f"{number(best[1])} ({plain(best[0].replace('_', ' '))})" if best else "–"
        cells = [_score(reading, suite, model) for model in reading.models]
        first = [plain(reading.title_of(suite)), number(row.get("n"), 0), number(row.get("chance")), shortcut]
        rows.append([*first, *cells])
    head = ["Suite", "n", "Chance", "Best shortcut", *map(plain, reading.models)]
    note = (
        "Mean score (95% interval); for models that learned, the difference from the better untrained model on the "
        "same questions: ▲ higher, ▼ lower, ○ no change established. Intervals are not corrected for many suites."
    )
    if reading.corrected_for:
        note += (
            f" The first p is of this difference alone, the second corrected for all {reading.corrected_for} "
            "comparisons (Holm): ✓ marks differences that stay established."
        )
    return f"## Gains and losses\n\n{note}\n\n{_rows(head, rows)}"


def _score(reading: Reading, suite: str, model: str) -> str:
    row = reading.score(suite, model)
    if row is None:
        return "–"
    low, high = ends(row)
    text = number(row["value"]) + (f" ({number(low)} to {number(high)})" if low is not None else "")
    change = reading.change(suite, model) if model not in reading.bases else None
    return f"{text} {_change(change)}" if change else text


def _change(change: Change, percent: bool = False) -> str:
    sign, _, word = SIGNS[change.direction]
    tail = f" {word}" if change.direction in ("none", "untested") else ""
    if tested := p_text(change):
        tail += f" ({tested}{' ✓' if change.stays else ''})"
    return f"{sign} {change_text(change, percent)}{tail}"


def _retention(reading: Reading) -> str:
    rows = []
    for text, row in reading.retention.items():
        cells = []
        for model in reading.models:
            change = reading.perplexity_change(text, model)
            value = number((row.get("perplexity") or {}).get(model))
            cells.append(f"{value} {_change(change, percent=True)}" if change else value)
        rows.append([plain(row.get("title") or text), number(row.get("tokens"), 0), *cells])
    if not rows:
        return ""
    table = _rows(["Text", "Tokens", *map(plain, reading.models)], rows)
    return f"## What it cost in ordinary language\n\nPerplexity, lower being better; ▲ is a rise.\n\n{table}"


def _plans(reading: Reading) -> str:
    head, rows = plan_table(reading)
    if not rows:
        return ""
    escaped = [[plain(title), plain(model), *cells] for title, model, *cells in rows]
    return f"## Plans, carried out\n\n{NOTE}\n\n{_rows(head, escaped, numbers_from=2)}"


def _dials(reading: Reading) -> str:
    names = dials_of(reading)
    rows = []
    for suite in reading.suites:
        for model in reading.models:
            cells = dial_values(reading.score(suite, model) or {}, names[0]) if names else {}
            if cells:
                shown = ", ".join(f"{plain(k)}: {number(cell['value'])}" for k, cell in cells.items())
                rows.append([plain(reading.title_of(suite)), plain(model), shown])
    if not rows:
        return ""
    return f"## Scores by {plain(names[0])}\n\n{_rows(['Suite', 'Model', 'Scores'], rows, numbers_from=3)}"


def _shortcuts(reading: Reading) -> str:
    rows = [[plain(cell) for cell in row] for row in shortcut_rows(reading)]
    if not rows:
        return ""
    table = _rows(["Suite", "Chance", "Rules of thumb", "Controls"], rows, numbers_from=4)
    return f"## Could a shortcut do it?\n\n{WORDS}\n\n{table}"


def _asked(reading: Reading) -> str:
    rows = [[plain(cell) for cell in row] for row in asked_rows(reading)]
    if not rows:
        return ""
    return f"## How each suite was asked\n\n{ASKED_NOTE}\n\n{_rows(ASKED_HEAD, rows, numbers_from=5)}"


def _examples(reading: Reading, items: Sequence[Mapping[str, Any]]) -> str:
    shown = choose_examples(reading, items)
    if not shown:
        return ""
    parts = [f"## Right and wrong\n\nThe first answers of each kind by **{plain(shown.model)}**."]
    for suite, right, wrong in shown.suites:
        parts.append(f"### {plain(reading.title_of(suite))}")
        parts += [_example(row, "✓ right") for row in right]
        parts += [_example(row, "✗ wrong") for row in wrong]
    return "\n\n".join(parts)


def _example(row: Shown, word: str) -> str:
    said = plain(row.prediction) if row.prediction else "(nothing)"
    return f"{word}, {plain(row.item_id)}\n\n{fenced(row.prompt)}\n\nIt said **{said}**; the world says **{plain(row.answer)}**."


def _made(reading: Reading) -> str:
    results = reading.results
    lines = [
        f"- {name}: {plain(results[k])}"
        for name, k in (("Seed", "seed"), ("Commit", "commit"))
        if results.get(k) is not None
    ]
    if finite(results.get("seconds")):
        lines.append(f"- Took: {duration(results['seconds'])}")
    versions = ", ".join(f"{name} {version}" for name, version in (results.get("versions") or {}).items())
    lines += [f"- Versions: {plain(versions)}"] if versions else []
    for made in results.get("made") or []:
        lines.append("- " + plain(f"{made.get('what', '')}: {made.get('path', '')} {made.get('about', '')}"))
    for name, model in reading.described.items():
        words = [str(model[k]) for k in ("about", "adapter", "fingerprint") if model.get(k)]
        lines.append(f"- Model {plain(name)}: {plain('; '.join(words))}")
    parts = ["## How it was made", "\n".join(lines)]
    if results.get("command"):
        parts.append(fenced(str(results["command"])))
    return "\n\n".join(part for part in parts if part) if len(parts) > 2 or lines else ""
