"""The report's figures: which panels to draw from the results, and the words around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from worldschool.probes.dials import order_of
from worldschool.probes.reporting.facts import Reading, Row, ends, finite
from worldschool.probes.reporting.plots import (
    Dot,
    Line,
    Look,
    change_panel,
    curve_panel,
    key,
    line_panel,
    looks,
    score_panel,
)

ONE_PER_CENT = 0.01


def figures(reading: Reading) -> str:
    """Every figure the results have numbers for, under one heading; nothing where there are none."""
    look = looks([*reading.bases, *reading.controls], reading.learners)
    parts = [_scores(reading, look), _dials(reading, look), _changes(reading, look), _training(reading, look)]
    drawn = "".join(part for part in parts if part)
    return f'<section id="figures"><h2>The same in pictures</h2>{drawn}</section>' if drawn else ""


def dial_values(row: Row, dial: str) -> dict[str, Row]:
    """A model's scores by the settings of one dial, in the dial's order; settings without a number are left out."""
    cells: Mapping[str, Any] = (row.get("by_dial") or {}).get(dial) or {}
    kept = {str(k): v for k, v in cells.items() if v and finite(v.get("value"))}
    return dict(sorted(kept.items(), key=lambda pair: _setting_order(pair[0])))


def dials_of(reading: Reading) -> list[str]:
    """The names of all dials, length first: it is the one every tracking suite has."""
    names: dict[str, None] = {}
    for suite in reading.suites:
        for model in reading.models:
            row = reading.score(suite, model)
            names |= dict.fromkeys(d for d in ((row or {}).get("by_dial") or {}) if dial_values(row or {}, d))
    return sorted(names, key=lambda name: (name != "length", list(names).index(name)))


def _setting_order(setting: str) -> tuple[int, int, str]:
    try:
        return 0, order_of(setting), setting
    except ValueError:
        return 1, 0, setting


def _figure(title: str, drawing: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawing}</figure>"


def _legend(look: Mapping[str, Look], models: Sequence[str]) -> str:
    rows = "".join(f"<li>{key(look[name])}<span>{escape(name)}</span></li>" for name in models)
    return f'<ul class="legend">{rows}</ul>'


def _panels(heading: str, note: str, panels: Sequence[str], legend: str = "") -> str:
    if not panels:
        return ""
    return f'<h3>{heading}</h3><p class="note">{note}</p>{legend}<div class="panels">{"".join(panels)}</div>'


def _scores(reading: Reading, look: Mapping[str, Look]) -> str:
    panels = []
    for suite, row in reading.suites.items():
        dots = [
            Dot(model, look[model], float(score["value"]), *ends(score))
            for model in reading.models
            if (score := reading.score(suite, model)) is not None
        ]
        best = reading.best_shortcut(suite)
        shortcuts = dict(reading.shortcuts_of(suite))
        chance = float(row["chance"]) if finite(row.get("chance")) else None
        title = reading.title_of(suite)
        if dots:
            drawing = score_panel(title, dots, chance, shortcuts, best[0] if best else None)
            panels.append(_figure(title, drawing))
    note = (
        "A marker is a model's mean score, the line through it the 95% interval. The dashed line is chance; the ticks "
        "in the last row are rules of thumb that need no understanding, the best one named and dotted upwards."
    )
    return _panels("Scores by suite", note, panels)


def _dials(reading: Reading, look: Mapping[str, Look]) -> str:
    names = dials_of(reading)
    if not names:
        return ""
    note = (
        "Each panel is a suite, each line a model. A hollow point stands on fewer than ten questions; the dashed line "
        "is chance."
    )
    legend = _legend(look, reading.models)
    first = _panels(f"Scores by {escape(names[0])}", note, _dial_panels(reading, look, names[0]), legend)
    rest = [
        f'<h3>By {escape(name)}</h3><div class="panels">{"".join(_dial_panels(reading, look, name))}</div>'
        for name in names[1:]
    ]
    words = escape(", ".join(names[1:]))
    return first + (f"<details><summary>Also by {words}</summary>{''.join(rest)}</details>" if rest else "")


def _dial_panels(reading: Reading, look: Mapping[str, Look], dial: str) -> list[str]:
    panels = []
    for suite, row in reading.suites.items():
        series = {m: dial_values(score, dial) for m in reading.models if (score := reading.score(suite, m))}
        settings = sorted({s for cells in series.values() for s in cells}, key=_setting_order)
        if not settings:
            continue
        # Settings stand at equal steps: "2, 4, 8" and "few, many" are drawn alike.
        place = {setting: float(i) for i, setting in enumerate(settings)}
        lines = [
            Line(
                model,
                look[model],
                tuple((place[s], float(cell["value"])) for s, cell in cells.items()),
                tuple(cell.get("n") for cell in cells.values()),
            )
            for model, cells in series.items()
            if cells
        ]
        chance = float(row["chance"]) if finite(row.get("chance")) else None
        title = reading.title_of(suite)
        ticks = [(at, setting) for setting, at in place.items()]
        panels.append(_figure(title, line_panel(title, lines, dial, ticks, chance)))
    return panels


def _changes(reading: Reading, look: Mapping[str, Look]) -> str:
    rows: dict[str, list[Dot]] = {}
    for text in reading.retention:
        for model in reading.models:
            change = reading.perplexity_change(text, model)
            if change is not None:
                dot = Dot(model, look[model], change.value, change.low, change.high)
                rows.setdefault(text, []).append(dot)
    far = [abs(v) for dots in rows.values() for d in dots for v in (d.value, d.low, d.high) if v is not None]
    reach = max([1.25 * ONE_PER_CENT, *(1.08 * v for v in far)])
    panels = [
        _figure(title, change_panel(title, dots, reach))
        for text, dots in rows.items()
        if (title := str(reading.retention[text].get("title") or text))
    ]
    base = escape(reading.bases[0]) if reading.bases else "the base model"
    note = (
        f"Change of perplexity on ordinary text against {base}, with its 95% interval over documents: to the right is "
        "worse. The dashed lines are one per cent either way; all panels share one scale."
    )
    return _panels("What it cost in ordinary language", note, panels)


def _training(reading: Reading, look: Mapping[str, Look]) -> str:
    training: Mapping[str, Any] = reading.results.get("training") or {}
    panels = []
    titles = (("loss", "Loss on experience, nats a token"), ("penalty", "Penalty (EWC), logarithmic"))
    for quantity, title in titles:
        lines = [
            Line(model, look.get(model, Look("var(--hue0)", "circle")), points)
            for model, rows in training.items()
            if (points := _points(rows or (), quantity))
        ]
        lines = [line for line in lines if quantity == "loss" or any(value > 0 for _, value in line.points)]
        if lines:
            panels.append(_figure(title, curve_panel(title, lines, logarithmic=quantity == "penalty")))
    known = [model for model in training if model in look]
    note = "Loss: faint as logged, bold as a running mean."
    return _panels("How the training went", note, panels, _legend(look, known) if len(known) > 1 else "")


def _points(rows: Sequence[Row], quantity: str) -> tuple[tuple[float, float], ...]:
    """The logged (step, value) pairs; a penalty of zero, as at the start, has no logarithm and is left out."""
    pairs = [(r.get("step"), r.get(quantity)) for r in rows]
    return tuple(
        (float(step), float(value))
        for step, value in pairs
        if step is not None and value is not None and finite(value) and (quantity != "penalty" or value > 0)
    )
