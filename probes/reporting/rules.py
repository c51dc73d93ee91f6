"""The report's parts about what scores are worth: rules of thumb and controls, and how each suite was asked."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from worldschool.probes.reporting.facts import Control, Reading, Row, ends, finite, number

WORDS = (
    "A question can often be answered by a rule of thumb that understands nothing: name the last place mentioned, or "
    "the option that is mentioned most. Here is how far such rules come, the highest first. A score is evidence of "
    "tracking what happens only where it clears the best of them."
)
REACHED = " Rules that reach the best model's score are marked."
NORMALIZED = {
    "sum": "log-likelihood, not normalised",
    "tokens": "log-likelihood by tokens",
    "bytes": "log-likelihood by bytes",
    "unconditional": "log-likelihood less that without the question",
}
DECODED = {"free": "written freely", "constrained": "written, one of the options only"}
ASKED_HEAD = ("Suite", "Questions", "Left out", "Answered by", "Score")
ASKED_NOTE = (
    "Left out: questions longer than a model's context, together with their longest option; nothing is cut, and all "
    "models are asked the same."
)


def how_answered(row: Row) -> str:
    """Return by what a suite's questions were answered, with the normalisation of scored options."""
    if row.get("normalization"):
        return NORMALIZED.get(str(row["normalization"]), str(row["normalization"]))
    return DECODED.get(str(row.get("decoding")), "")


def asked_rows(reading: Reading) -> list[list[str]]:
    """Return a row of texts for every suite, not escaped yet, as `ASKED_HEAD` names them."""
    return [
        [
            reading.title_of(suite),
            number(row.get("n"), 0),
            number(row.get("excluded") or 0, 0),
            how_answered(row) or "–",
            str(row.get("metric") or "–"),
        ]
        for suite, row in reading.suites.items()
    ]


def asked_section(reading: Reading) -> str:
    """Return the part of the page that tells how each suite was asked."""
    rows = asked_rows(reading)
    if not rows:
        return ""
    heads = "".join(f'<th scope="col"{_left(at)}>{name}</th>' for at, name in enumerate(ASKED_HEAD))
    body = "".join(
        f'<tr><th scope="row">{_safe(cells[0])}</th>'
        + "".join(
            f'<td data-head="{ASKED_HEAD[at]}"{_left(at)}>{_safe(cell)}</td>'
            for at, cell in enumerate(cells[1:], start=1)
        )
        + "</tr>"
        for cells in rows
    )
    return (
        f'<section id="asked"><h2>How each suite was asked</h2><p class="note">{ASKED_NOTE}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="How each suite was asked"><table class="stacked">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _left(column: int) -> str:
    return ' class="left"' if column > 2 else ""


def shortcuts_section(reading: Reading) -> str:
    """Return the part of the page about rules of thumb and controls: a block a suite, so that many fit a phone."""
    blocks = [block for suite in reading.suites if (block := _block(reading, suite))]
    if not blocks:
        return ""
    marked = REACHED if any('class="over' in block for block in blocks) else ""
    return (
        f'<section id="shortcuts"><h2>Could a shortcut do it?</h2><p class="text">{WORDS}{marked}</p>'
        f'<div class="rules">{"".join(blocks)}</div></section>'
    )


def _block(reading: Reading, suite: str) -> str:
    rules, controls = reading.shortcuts_of(suite), reading.controls_of(suite)
    if not rules and not controls:
        return ""
    chance = reading.suites[suite].get("chance")
    scores = {name: score for name in reading.models if (score := reading.score(suite, name)) is not None}
    best = max(
        (float(row["value"]) for name, row in scores.items() if name not in reading.controls), default=None
    )
    apart = {control.model for control in controls}
    shown = [
        _chip(name, float(row["value"]), "model", *ends(row))
        for name, row in scores.items()
        if name not in apart
    ]
    if isinstance(chance, int | float) and finite(chance):
        shown.append(_chip("chance", float(chance), "model"))
    parts = [f'<h3>{_safe(reading.title_of(suite))}</h3><ul class="chips">{"".join(shown)}</ul>']
    if rules:
        kinds = ["over" if best is not None and value >= best and value > 0 else "" for _, value in rules]
        chips = [
            _chip(name.replace("_", " "), value, kind)
            for (name, value), kind in zip(rules, kinds, strict=True)
        ]
        parts.append(f'<ul class="chips" aria-label="Rules of thumb">{"".join(chips)}</ul>')
    if controls:
        chips = [_chip(one.words, one.value, "", one.low, one.high) for one in controls]
        parts.append(
            f'<ul class="chips" aria-label="Controls"><li class="model">controls:</li>{"".join(chips)}</ul>'
        )
    return f"<div>{''.join(parts)}</div>"


def _chip(
    name: str, value: float, kind: str = "", low: float | None = None, high: float | None = None
) -> str:
    interval = f" <small>{number(low)} to {number(high)}</small>" if low is not None else ""
    mark = '<span aria-hidden="true">▲ </span><span class="hidden">reaches the best model: </span>'
    opened = f'<li class="{kind}">' if kind else "<li>"
    return f"{opened}{mark if kind == 'over' else ''}{_safe(name)} <b>{number(value)}</b>{interval}</li>"


def shortcut_rows(reading: Reading) -> list[list[str]]:
    """Return for every suite its title, chance, rules of thumb and controls, as texts not escaped yet."""
    rows = []
    for suite, row in reading.suites.items():
        rules, controls = reading.shortcuts_of(suite), reading.controls_of(suite)
        if rules or controls:
            told = ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in rules)
            rows.append(
                [reading.title_of(suite), number(row.get("chance")), told or "–", _controls(controls)]
            )
    return rows


def _controls(controls: Sequence[Control]) -> str:
    told = [
        f"{one.words} {number(one.value)}"
        + (f" ({number(one.low)} to {number(one.high)})" if one.low is not None else "")
        for one in controls
    ]
    return ", ".join(told) or "–"


def _safe(text: str) -> str:
    return escape(text.encode("utf-8", "replace").decode("utf-8"))
