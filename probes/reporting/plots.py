"""Drawings for the report: inline SVG, one narrow panel each, so that a phone shows them at full size.

Colours are CSS variables of the page, which change with light and dark; shapes differ too, for those who cannot tell
the colours apart. Every panel has a title and a description for screen readers. All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from worldschool.probes.reporting.facts import number, signed

WIDTH = 360
POINTS_DRAWN = 300  # a line of more points is thinned: nobody can see them and the page would grow

Scale: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Look:
    """How one model is drawn everywhere: a CSS colour and a marker's shape."""

    colour: str
    shape: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One row of the score panel: a model's score and its interval."""

    name: str
    look: Look
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One model's line through (x, y) points; `sizes` are how many items stand behind each, where known."""

    name: str
    look: Look
    points: tuple[tuple[float, float], ...]
    sizes: tuple[int | None, ...] = ()


def looks(bases: Sequence[str], learners: Sequence[str]) -> dict[str, Look]:
    """Give every model its look: greys for those that learned nothing, colours for the others."""
    shapes = ("circle", "square", "diamond", "triangle")
    grey = {name: Look(f"var(--base{i % 3})", shapes[i % 4]) for i, name in enumerate(bases)}
    offset = len(bases)
    return grey | {
        name: Look(f"var(--hue{i % 5})", shapes[(i + offset) % 4]) for i, name in enumerate(learners)
    }


def svg(title: str, about: str, height: float, body: Sequence[str], width: float = WIDTH) -> str:
    """Wrap drawn parts in an SVG element with a title and a description."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(about)}</desc>{''.join(body)}</svg>"
    )


def marker(look: Look, x: float, y: float, r: float = 4.5, hollow: bool = False, label: str = "") -> str:
    """One marker; `label` is shown when the pointer rests on it."""
    paint = f'stroke="{look.colour}" stroke-width="1.6" fill="{"var(--paper)" if hollow else look.colour}"'
    inner = f"<title>{escape(label)}</title>" if label else ""
    if look.shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" {paint}>{inner}</circle>'
    corners = {
        "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
        "diamond": [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)],
        "triangle": [(0, -1.15), (1.1, 0.85), (-1.1, 0.85)],
    }[look.shape]
    path = " ".join(f"{x + r * dx:.1f},{y + r * dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{path}" {paint}>{inner}</polygon>'


def key(look: Look) -> str:
    """A model's marker alone, for a legend."""
    return f'<svg viewBox="0 0 12 12" class="key" aria-hidden="true">{marker(look, 6, 6, 4)}</svg>'


def score_panel(
    title: str, dots: Sequence[Dot], chance: float | None, shortcuts: Mapping[str, float], best: str | None
) -> str:
    """Scores of one suite from 0 to 1 with their intervals; chance as a dashed line, shortcuts as ticks."""
    left, right, top, step = 100, WIDTH - 44, 24, 22
    rows = len(dots) + bool(shortcuts)
    bottom = top + rows * step
    x = _linear(0, 1, left, right)
    body = [_grid_x(x, (0, 0.25, 0.5, 0.75, 1), top, bottom, lambda v: f"{v:g}")]
    if chance is not None:
        body += [
            _rule(x(chance), top - 4, x(chance), bottom, "chance"),
            _text(x(chance), top - 8, "chance", "middle"),
        ]
    for i, dot in enumerate(dots):
        body.append(_dot_row(dot, x, top + (i + 0.5) * step, left))
    if shortcuts:
        y = top + (rows - 0.5) * step
        if best is not None:
            body.insert(1, _rule(x(shortcuts[best]), top, x(shortcuts[best]), y - 5, "best"))
        body += [_text(left - 8, y + 4, "shortcuts", "end"), *_shortcut_ticks(x, y, shortcuts, best)]
    spoken = "; ".join(f"{dot.name} {number(dot.value)}" for dot in dots)
    return svg(f"{title}: scores", spoken or "no scores", bottom + 22, body)


def _dot_row(dot: Dot, x: Scale, y: float, left: float) -> str:
    parts = [_text(left - 8, y + 4, _shortened(dot.name), "end", "ink")]
    label = f"{dot.name}: {number(dot.value)}"
    if dot.low is not None and dot.high is not None:
        label += f", 95% interval {number(dot.low)} to {number(dot.high)}"
        parts.append(_rule(x(dot.low), y, x(dot.high), y, "interval", dot.look.colour))
    parts.append(marker(dot.look, x(dot.value), y, label=label))
    parts.append(_text(WIDTH - 4, y + 4, number(dot.value), "end", "ink"))
    return "".join(parts)


def _shortcut_ticks(x: Scale, y: float, shortcuts: Mapping[str, float], best: str | None) -> list[str]:
    parts = []
    for name, value in shortcuts.items():
        words = f"{name.replace('_', ' ')}: {number(value)}"
        parts.append(
            f'<path class="tick" d="M{x(value):.1f},{y - 5:.1f}V{y + 5:.1f}"><title>{escape(words)}</title></path>'
        )
    if best is not None:
        value = shortcuts[best]
        anchor, gap = ("start", 6) if value < 0.6 else ("end", -6)
        others = [v for v in shortcuts.values() if v != value]
        if anchor == "end" and any(value - 0.4 < v < value for v in others):
            anchor, gap = "start", 6  # to the right is always free of ticks: this is the highest
        parts.append(_text(x(value) + gap, y + 4, _shortened(best.replace("_", " "), 22), anchor))
    return parts


def change_panel(title: str, dots: Sequence[Dot], reach: float) -> str:
    """Relative changes of perplexity as bars from zero, with a dashed line at 1% on either side.

    Args:
        title: the text that was read.
        dots: a row a model; value and ends as fractions.
        reach: the axis runs from -reach to reach, the same for every text so that panels compare.
    """
    left, right, top, step = 100, WIDTH - 66, 24, 24
    bottom = top + len(dots) * step
    x = _linear(-reach, reach, left, right)
    body = [_rule(x(0), top - 2, x(0), bottom, "axis")]
    for edge in (-0.01, 0.01):
        body += [_rule(x(edge), top - 4, x(edge), bottom, "chance")]
    body.append(_text(x(0.01), top - 8, "+1%", "middle"))
    if x(0.01) - x(-0.01) > 60:
        body.append(_text(x(-0.01), top - 8, "\u22121%", "middle"))
    for i, dot in enumerate(dots):
        y = top + (i + 0.5) * step
        start, end = sorted((x(0), x(dot.value)))
        label = f"{dot.name}: {signed(100 * dot.value)}%"
        body.append(_text(left - 8, y + 4, _shortened(dot.name), "end", "ink"))
        body.append(
            f'<rect x="{start:.1f}" y="{y - 6:.1f}" width="{max(end - start, 1):.1f}" height="12" '
            f'fill="{dot.look.colour}" opacity=".55"><title>{escape(label)}</title></rect>'
        )
        if dot.low is not None and dot.high is not None:
            body.append(_rule(x(dot.low), y, x(dot.high), y, "interval", dot.look.colour))
        body.append(_text(WIDTH - 4, y + 4, f"{signed(100 * dot.value)}%", "end", "ink"))
    spoken = "; ".join(f"{dot.name} {signed(100 * dot.value)}%" for dot in dots)
    return svg(f"{title}: change of perplexity", spoken or "no changes", bottom + 8, body)


def line_panel(
    title: str,
    lines: Sequence[Line],
    xlabel: str,
    ticks: Sequence[tuple[float, str]],
    chance: float | None = None,
) -> str:
    """Scores from 0 to 1 along a dial's settings; points with fewer than ten items behind them are hollow."""
    left, right, top, bottom = 34, WIDTH - 12, 10, 150
    x = _linear(ticks[0][0] - 0.3, ticks[-1][0] + 0.3, left, right)
    y = _linear(0, 1, bottom, top)
    body = [_grid_y(y, (0, 0.5, 1), left, right, lambda v: f"{v:g}")]
    body += [_text(x(place), bottom + 16, _shortened(label, 10), "middle") for place, label in ticks]
    body.append(_text((left + right) / 2, bottom + 33, xlabel, "middle"))
    if chance is not None:
        body.append(_rule(left, y(chance), right, y(chance), "chance"))
    names = dict(ticks)
    for line in lines:
        body.append(_polyline(line.look, [(x(a), y(b)) for a, b in line.points]))
        for i, (a, b) in enumerate(line.points):
            size = line.sizes[i] if i < len(line.sizes) else None
            label = f"{line.name}, {xlabel} {names.get(a, a)}: {number(b)}"
            label += f" (n = {size})" if size is not None else ""
            body.append(marker(line.look, x(a), y(b), 3.6, size is not None and size < 10, label))
    return svg(
        f"{title} by {xlabel}", f"Lines for {', '.join(line.name for line in lines)}.", bottom + 40, body
    )


def curve_panel(title: str, lines: Sequence[Line], logarithmic: bool = False) -> str:
    """A quantity over training steps: faint as logged and bold as a running mean, or as logged on decades."""
    left, right, top, bottom = 48, WIDTH - 12, 10, 150
    ys = [b for line in lines for _, b in line.points]
    xs = [a for line in lines for a, _ in line.points]
    logarithmic = logarithmic and min(ys) > 0
    marks = _decades(min(ys), max(ys)) if logarithmic else _round_steps(min(ys), max(ys))
    y = (_logarithmic if logarithmic else _linear)(marks[0], marks[-1], bottom, top)
    x = _linear(min(xs), max(max(xs), min(xs) + 1), left, right)
    shown = marks[:: math.ceil(len(marks) / 6)]
    body = [
        _grid_y(y, shown, left, right, lambda v: f"{v:.3g}".replace("e-0", "e-").replace("e-", "e\u2212"))
    ]
    across = [a for a in _round_steps(min(xs), max(xs)) if min(xs) <= a <= max(xs)]
    body += [_text(x(a), bottom + 16, f"{a:,.0f}", "middle") for a in across]
    body.append(_text((left + right) / 2, bottom + 33, "step", "middle"))
    for line in lines:
        points = _thinned(line.points)
        body.append(_polyline(line.look, [(x(a), y(b)) for a, b in points], faint=not logarithmic))
        if not logarithmic:  # a mean over decades would be that of its largest number
            body.append(_polyline(line.look, [(x(a), y(b)) for a, b in _running_mean(points)]))
    return svg(title, f"Lines for {', '.join(line.name for line in lines)}.", bottom + 40, body)


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    """Map [low, high] to [start, end]; what lies outside is drawn at the edge."""
    span = (high - low) or 1.0
    return lambda v: start + (end - start) * min(1.0, max(0.0, (v - low) / span))


def _logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    inner = _linear(math.log10(low), math.log10(high), start, end)
    return lambda v: inner(math.log10(v))


def _round_steps(low: float, high: float) -> list[float]:
    """Three to six round numbers that enclose [low, high]."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= span / 4)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [i * step for i in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**e for e in range(first, max(last, first + 1) + 1)]


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    stride = math.ceil(len(points) / POINTS_DRAWN)
    return list(points[::stride]) if stride > 1 else list(points)


def _running_mean(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each point's mean with its neighbours, a tenth of the line in all, and less at its ends."""
    reach = len(points) // 20
    smooth = []
    for i, (a, _) in enumerate(points):
        window = [b for _, b in points[max(0, i - reach) : i + reach + 1]]
        smooth.append((a, sum(window) / len(window)))
    return smooth


def _grid_x(x: Scale, marks: Sequence[float], top: float, bottom: float, say: Callable[[float], str]) -> str:
    return "".join(
        _rule(x(v), top, x(v), bottom, "grid") + _text(x(v), bottom + 15, say(v), "middle") for v in marks
    )


def _grid_y(y: Scale, marks: Sequence[float], left: float, right: float, say: Callable[[float], str]) -> str:
    return "".join(
        _rule(left, y(v), right, y(v), "grid") + _text(left - 6, y(v) + 4, say(v), "end") for v in marks
    )


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str, colour: str = "") -> str:
    paint = f' stroke="{colour}"' if colour else ""
    return f'<path class="{kind}" d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}"{paint}/>'


def _polyline(look: Look, points: Sequence[tuple[float, float]], faint: bool = False) -> str:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    width, opacity = ("1", ' opacity=".3"') if faint else ("1.8", "")
    return f'<polyline points="{path}" fill="none" stroke="{look.colour}" stroke-width="{width}"{opacity}/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "quiet") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _shortened(text: str, most: int = 15) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
