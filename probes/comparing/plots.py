"""A comparison as a page of pictures: scores, differences, learning curves. No script, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from worldschool.probes.comparing.table import p_value
from worldschool.probes.reporting.facts import signed
from worldschool.probes.reporting.plots import Dot, Line, Look, key, line_panel, looks, score_panel
from worldschool.probes.reporting.style import STYLE


def comparison_page(comparison: Mapping[str, Any]) -> str:
    """Return the page."""
    described = comparison["contenders"]
    learned = [one["name"] for one in described if one["adapter"]]
    look = looks([one["name"] for one in described if one["name"] not in learned], learned)
    runs = "".join(f"<li><code>{escape(run['path'])}</code></li>" for run in comparison["runs"])
    legend = "".join(f"<li>{key(look[name])}<span>{escape(name)}</span></li>" for name in look)
    parts = [
        f'<h1>Comparison of probe runs</h1><ul>{runs}</ul><ul class="legend">{legend}</ul>',
        _section(
            "Scores", "A line is the 95% interval; the dashed line is chance.", _scores(comparison, look)
        ),
        _section(
            "Learning curves",
            "Scores by optimizer steps; nothing learned at 0.",
            _learning(comparison, look),
        ),
        f"<h2>Differences</h2>{_differences(comparison)}",
    ]
    body = "".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Comparison of probe runs</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _section(title: str, note: str, panels: Sequence[str]) -> str:
    if not panels:
        return ""
    return f'<h2>{title}</h2><p class="note">{note}</p><div class="panels">{"".join(panels)}</div>'


def _figure(title: str, drawing: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawing}</figure>"


def _scores(comparison: Mapping[str, Any], look: Mapping[str, Look]) -> list[str]:
    return [
        _figure(
            suite["title"],
            score_panel(
                suite["title"],
                [Dot(name, look[name], row["value"], *row["ci95"]) for name, row in suite["scores"].items()],
                suite["chance"],
                {},
                None,
            ),
        )
        for suite in comparison["suites"].values()
    ]


def _learning(comparison: Mapping[str, Any], look: Mapping[str, Look]) -> list[str]:
    panels = []
    for name, points in comparison["learning"].items():
        known = [point for point in points if "steps" in point]
        places = {steps: float(at) for at, steps in enumerate(sorted({point["steps"] for point in known}))}
        if len(places) < 2:
            continue
        suite = comparison["suites"][name]
        # One mark a model, so that the legend reads; where steps are shared, marks stand above each other.
        lines = [
            Line(point["name"], look[point["name"]], ((places[point["steps"]], point["value"]),))
            for point in known
        ]
        ticks = [(place, f"{steps:,}") for steps, place in places.items()]
        panels.append(
            _figure(suite["title"], line_panel(suite["title"], lines, "steps", ticks, suite["chance"]))
        )
    return panels


def _differences(comparison: Mapping[str, Any]) -> str:
    rows = "".join(
        "<tr>"
        f'<th scope="row">{escape(comparison["suites"][row["suite"]]["title"])}'
        f"<small>{escape(row['measure'])}</small></th>"
        f'<td class="left">{escape(row["a"])} − {escape(row["b"])}</td>'
        f"<td>{signed(row['difference'])} [{signed(row['ci95'][0])}, {signed(row['ci95'][1])}]</td>"
        f"<td>{p_value(row['p'])}</td><td>{p_value(row['p_holm'])}</td></tr>"
        for row in comparison["comparisons"]
    )
    head = (
        '<thead><tr><th scope="col">Suite</th><th scope="col" class="left">a − b</th>'
        '<th scope="col">Difference, 95% interval</th><th scope="col">p</th><th scope="col">p (Holm)</th></tr></thead>'
    )
    note = f'<p class="note">Item by item. {escape(comparison["correction"])}.</p>'
    return f'{note}<div class="scroll" tabindex="0"><table>{head}<tbody>{rows}</tbody></table></div>'
