"""The picture of `benchmarks.fronts`: gain on held-out answers against the rise of perplexity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.fronts import LIMIT, Point

COLOURS = {"plain": "C0", "factored": "C1", "exact": "C2", "kl": "C3", "replay": "C4", "default": "C5"}
NAMES = {
    "plain": "plain LoRA, by learning rate",
    "factored": "EWC in factors, by lambda",
    "exact": "EWC, exact, by lambda",
    "kl": "kl",
    "replay": "replay",
    "default": "EWC, the defaults",
}


def plot(points: Sequence[Point], out: Path) -> None:
    """Draw gain against rise: a line joins what differs in one setting alone; what has fewer seeds than others is hollow."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    most = max(point.seeds for point in points)
    methods = list(dict.fromkeys(point.setting.method for point in points))
    for method in methods:
        own = [point for point in points if point.setting.method == method]
        for line in lines_of([point for point in own if point.seeds == most]):
            axes.plot(*_places(line), color=COLOURS[method], linewidth=1)
        # Factors lie where the exact form does: a ring around its point.
        size = 60 if method == "factored" else 24
        for point in own:
            face = COLOURS[method] if point.seeds == most and method != "factored" else "none"
            axes.scatter(*_places([point]), size, facecolors=face, edgecolors=COLOURS[method], zorder=3)
            if label := label_of(point, own, methods):
                (x,), (y,) = _places([point])
                axes.annotate(label, (x, y), textcoords="offset points", xytext=(7, -9), fontsize=7)
        face = "none" if method == "factored" else COLOURS[method]
        axes.scatter([], [], size, facecolors=face, edgecolors=COLOURS[method], label=NAMES[method])
    axes.axvline(100 * LIMIT, linestyle=":", color="grey", linewidth=1)
    axes.margins(x=0.12, y=0.08)
    axes.set_xlabel("rise of perplexity, %")
    axes.set_ylabel("gain on held-out answers, nats a token")
    fewer = "" if all(point.seeds == most for point in points) else "; small hollow circles: fewer"
    axes.set_title(f"means over {most} seeds{fewer}" if most > 1 else "one seed", fontsize=8, loc="left")
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(out, dpi=120)
    pyplot.close(figure)


def lines_of(points: Sequence[Point]) -> list[list[Point]]:
    """Return the points that differ in one setting alone: plain LoRA's in the rate, the others of one rate in the strength."""
    lines: dict[float, list[Point]] = {}
    for point in points:
        setting = point.setting
        lines.setdefault(0.0 if setting.method == "plain" else setting.rate, []).append(point)
    return [sorted(line, key=lambda one: (one.setting.rate, one.setting.strength)) for line in lines.values()]


def _places(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    rises = [100 * point.rise["heldout"].value for point in points]
    return rises, [point.gain["heldout"].value for point in points]


def label_of(point: Point, own: Sequence[Point], methods: Sequence[str]) -> str:
    """Return what is written beside a point: what tells it from others of its method."""
    setting = point.setting
    if setting.method == "plain":
        return _short(setting.rate)
    if len(own) == 1 or (setting.method == "exact" and "factored" in methods):
        return ""
    rates = [one.setting.rate for one in own]
    rate = "" if setting.rate == max(rates, key=rates.count) else f" at {_short(setting.rate)}"
    return f"{_short(setting.strength)}{rate}"


def _short(number: float) -> str:
    """Return a number as settings write it: 1e-3, 5e4."""
    digits, _, power = f"{number:e}".partition("e")
    return f"{float(digits):g}e{int(power)}"
