"""The report as one HTML file: no network, no script, readable on a phone, in light and in dark.

Everything that comes from worlds, datasets or models passes through `safe` on its way into the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
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
from worldschool.probes.reporting.figures import figures
from worldschool.probes.reporting.plans import plans_section
from worldschool.probes.reporting.rules import asked_section, how_answered, shortcuts_section
from worldschool.probes.reporting.style import STYLE
from worldschool.probes.reporting.summary import control_of, opening, summary_of

SIGNS = {
    "up": ("▲", "gain", "higher"),
    "down": ("▼", "loss", "lower"),
    "none": ("○", "none", "no change established"),
    "untested": ("·", "untested", "not tested"),
}
# No script runs and nothing is fetched even if something slipped through the escaping.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html_report(reading: Reading, items: Sequence[Mapping[str, Any]]) -> str:
    """Return the whole page."""
    title = safe(reading.results.get("title") or "What was learned, what was lost")
    body = [
        _header(reading, title),
        _contract(reading),
        _table(reading),
        plans_section(reading),
        figures(reading),
        shortcuts_section(reading),
        asked_section(reading),
        _examples(reading, items),
        _made(reading),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><main>"
        + "\n".join(part for part in body if part)
        + "<footer>Written by worldschool. results.json beside this page holds every number in it.</footer>"
        "</main></body></html>\n"
    )


def safe(value: object) -> str:
    """Escape for HTML text and attributes; what cannot be written as UTF-8 becomes a question mark."""
    return escape(str(value).encode("utf-8", "replace").decode("utf-8"))


def _header(reading: Reading, title: str) -> str:
    paragraphs = [f'<p class="lede">{safe(opening(reading))}</p>']
    for name in reading.learners:
        paragraphs.append(
            f'<p class="lede"><strong>{safe(name)}</strong> {_unbroken(safe(summary_of(reading, name)))}</p>'
        )
    for name in reading.controls:
        paragraphs.append(
            f'<p class="lede"><strong>{safe(name)}</strong> {_unbroken(safe(control_of(reading, name)))}</p>'
        )
    if not reading.learners:
        words = "Only untrained models were measured, so there is nothing yet to gain or lose."
        paragraphs.append(f'<p class="lede">{words}</p>')
    return f'<header><p class="kicker">worldschool · probe report</p><h1>{title}</h1>{"".join(paragraphs)}</header>'


def _unbroken(text: str) -> str:
    """Keep each difference and its interval on one line."""
    return re.sub(r"([+\u2212][\d.,]+%? \[[^\]<]{1,40}\])", r'<span class="amount">\1</span>', text)


def _contract(reading: Reading) -> str:
    rows = []
    for clause in reading.results.get("contract") or []:
        holds = clause.get("holds")
        sign, kind, word = {True: ("✓", "gain", "holds"), False: ("✗", "loss", "does not hold")}.get(
            holds, ("–", "none", "not measured")
        )
        detail = f"<small>{safe(clause['detail'])}</small>" if clause.get("detail") else ""
        rows.append(
            f'<li><b class="{kind}"><span aria-hidden="true">{sign}</span><span class="hidden">{word}: </span></b>'
            f"<div>{safe(clause.get('claim', ''))}{detail}</div></li>"
        )
    if not rows:
        return ""
    return (
        '<section id="contract"><h2>What was promised beforehand</h2>'
        f'<ul class="contract">{"".join(rows)}</ul></section>'
    )


def _table(reading: Reading) -> str:
    if not reading.suites and not reading.retention:
        return ""
    heads = "".join(f'<th scope="col">{safe(name)}</th>' for name in reading.models)
    head = f'<tr><th scope="col">Suite</th><th scope="col">Chance</th><th scope="col">Best shortcut</th>{heads}</tr>'
    suites = "".join(_suite_row(reading, suite) for suite in reading.suites)
    texts = "".join(_text_row(reading, text) for text in reading.retention)
    note = (
        "Mean score, its 95% interval and, for models that learned, the difference from the better untrained model "
        "on the same questions (▲ higher, ▼ lower, ○ no change established). Exactly right: the share of answers "
        "without any flaw, where a score gives credit for parts. Intervals are not corrected for looking "
        "at many suites at once: among twenty without any change, about one will seem to have one."
    )
    if reading.corrected_for:
        note += (
            f" The first p is of this difference alone, the second corrected for all {reading.corrected_for} "
            "comparisons (Holm): ✓ marks differences that stay established."
        )
    if texts:
        note += " The last rows are perplexity on ordinary text, where lower is better."
    return (
        f'<section id="table"><h2>Gains and losses</h2><p class="note">{note}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Gains and losses"><table class="stacked">'
        f"<caption>Scores and perplexity, a column a model</caption><thead>{head}</thead><tbody>{suites}</tbody>"
        + (f'<tbody class="apart">{texts}</tbody>' if texts else "")
        + "</table></div></section>"
    )


def _suite_row(reading: Reading, suite: str) -> str:
    row = reading.suites[suite]
    about = f"{number(row.get('n'), 0)} questions"
    if row.get("excluded"):
        about += f", {row['excluded']} left out as too long"
    about += f"; {how}" if (how := how_answered(row)) else ""
    best = reading.best_shortcut(suite)
    shortcut = f"{number(best[1])}<small>{safe(best[0].replace('_', ' '))}</small>" if best else "–"
    cells = "".join(_cell(model, _score_cell(reading, suite, model)) for model in reading.models)
    return (
        f'<tr><th scope="row">{safe(reading.title_of(suite))}<small>{safe(about)}</small></th>'
        f"{_cell('Chance', number(row.get('chance')))}{_cell('Best shortcut', shortcut)}{cells}</tr>"
    )


def _cell(head: str, inside: str) -> str:
    """A cell of a table whose rows become blocks on a phone: there it says what column it is of."""
    return f'<td data-head="{safe(head)}">{inside}</td>'


def _score_cell(reading: Reading, suite: str, model: str) -> str:
    row = reading.score(suite, model)
    if row is None:
        return "–"
    low, high = ends(row)
    parts = [number(row["value"])]
    if low is not None:
        parts.append(f"<small>{number(low)} to {number(high)}</small>")
    if finite(row.get("exact")) and row["exact"] != row["value"]:
        parts.append(f"<small>exactly right {number(row['exact'])}</small>")
    change = reading.change(suite, model) if model not in reading.bases else None
    return "".join(parts) + (_delta(change) if change else "")


def _text_row(reading: Reading, text: str) -> str:
    row = reading.retention[text]
    cells = []
    for model in reading.models:
        value = (row.get("perplexity") or {}).get(model)
        bits = (row.get("bits_per_byte") or {}).get(model)
        cell = number(value) + (f"<small>{number(bits, 3)} bits a byte</small>" if finite(bits) else "")
        change = reading.perplexity_change(text, model)
        cells.append(_cell(model, cell + (_delta(change, percent=True) if change else "")))
    about = "perplexity" + (f" over {number(row['tokens'], 0)} tokens" if finite(row.get("tokens")) else "")
    title = safe(row.get("title") or text)
    return f'<tr><th scope="row">{title}<small>{about}</small></th><td></td><td></td>{"".join(cells)}</tr>'


def _delta(change: Change, percent: bool = False) -> str:
    sign, kind, word = SIGNS[change.direction]
    if percent:  # of perplexity, a rise is the loss
        kind = {"gain": "loss", "loss": "gain"}.get(kind, kind)
    shown = word if change.direction in ("none", "untested") else ""
    spoken = f"<small>{shown}</small>" if shown else f'<span class="hidden"> ({word})</span>'
    if tested := p_text(change):
        stays = ' <b>✓<span class="hidden"> stays established</span></b>' if change.stays else ""
        spoken += f"<small>{tested}{stays}</small>"
    return (
        f'<span class="delta {kind}"><span aria-hidden="true">{sign}</span> '
        f"{change_text(change, percent)}{spoken}</span>"
    )


def _examples(reading: Reading, items: Sequence[Mapping[str, Any]]) -> str:
    shown = choose_examples(reading, items)
    if not shown:
        return ""
    blocks = []
    for i, (suite, right, wrong) in enumerate(shown.suites):
        cards = "".join(
            _card(row, correct) for rows, correct in ((right, True), (wrong, False)) for row in rows
        )
        state = " open" if i == 0 else ""
        summary = f"{safe(reading.title_of(suite))} · {len(right)} right and {len(wrong)} wrong"
        blocks.append(f'<details class="suite"{state}><summary>{summary}</summary>{cards}</details>')
    return (
        f'<section id="examples"><h2>Right and wrong</h2><p class="text">Answers of '
        f"<strong>{safe(shown.model)}</strong>: the first of each kind in the order of the questions, not chosen "
        f"by anyone.</p>{''.join(blocks)}</section>"
    )


def _card(row: Shown, correct: bool) -> str:
    kind, word = ("gain", "✓ right") if correct else ("loss", "✗ wrong")
    said = safe(row.prediction) if row.prediction else "(nothing)"
    return (
        f'<div class="example"><p class="label {kind}">{word} <span>{safe(row.item_id)}</span></p>'
        f'<div class="story" tabindex="0">{safe(row.prompt)}</div>'
        f'<p class="said">It said <strong>{said}</strong>; the world says <strong>{safe(row.answer)}</strong>.</p></div>'
    )


def _made(reading: Reading) -> str:
    results = reading.results
    terms = [
        ("Seed", results.get("seed")),
        ("Commit", results.get("commit")),
        ("Took", results.get("seconds")),
    ]
    rows = [
        (name, safe(duration(value)) if name == "Took" else f"<code>{safe(value)}</code>")
        for name, value in terms
        if value is not None
    ]
    versions = ", ".join(f"{name} {version}" for name, version in (results.get("versions") or {}).items())
    if versions:
        rows.append(("Versions", safe(versions)))
    for made in results.get("made") or []:
        about = f" {safe(made['about'])}" if made.get("about") else ""
        rows.append((safe(made.get("what", "")), f"<code>{safe(made.get('path', ''))}</code>{about}"))
    for name, model in reading.described.items():
        rows.append((f"Model {safe(name)}", _described(model)))
    listing = "".join(f"<dt>{term}</dt><dd>{value}</dd>" for term, value in rows)
    command = (
        f"<p>The whole of it, again:</p><pre><code>{safe(results['command'])}</code></pre>"
        if results.get("command")
        else ""
    )
    if not listing and not command:
        return ""
    return f'<section id="made"><h2>How it was made</h2><dl>{listing}</dl>{command}</section>'


def _described(model: Mapping[str, Any]) -> str:
    parts = [safe(model["about"])] if model.get("about") else []
    if model.get("shots"):
        parts.append(f"{model['shots']} worked examples in its prompt")
    if model.get("adapter"):
        parts.append(f"adapter <code>{safe(model['adapter'])}</code>")
    if model.get("fingerprint"):
        parts.append(f"fingerprint <code>{safe(str(model['fingerprint'])[:16])}</code>")
    return "; ".join(parts) or "–"
