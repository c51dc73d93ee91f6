"""Gain against forgetting: points, fronts, and which of two lies above the other (`benchmarks.retention`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Figure, Peer
from worldschool.probes.statistics import relative_change
from worldschool.records import Interval

RESAMPLES = 2000
LIMIT = 0.01
"""The rise of perplexity up to which a gain counts as kept."""
PARTS = ("validation", "heldout")
METHODS = ("base", "plain", "factored", "exact", "kl", "replay", "default")
"""In the order that tables tell of them."""
_NUMBER = r"\d[\d.]*(?:e[+-]?\d+)?"
Floats = NDArray[np.float64]


class Setting(NamedTuple):
    """One run's settings."""

    method: str
    rate: float
    strength: float
    seed: int

    @property
    def name(self) -> str:
        """A folder's name."""
        if self.method == "base":
            return "base"
        held = "" if self.method == "plain" else f"-{self.strength:g}"
        return f"{self.method}-{self.rate:g}{held}-seed{self.seed}"

    @classmethod
    def named(cls, name: str) -> Setting:
        """Return the setting of a name.

        Raises:
            ValueError: it is no setting's name.
        """
        if name == "base":
            return cls("base", 0.0, 0.0, 0)
        found = re.fullmatch(rf"([a-z]+)-({_NUMBER})(?:-({_NUMBER}))?-seed(\d+)", name)
        if found is None:
            raise ValueError(f"{name!r} is no setting's name")
        method, rate, strength, seed = found.groups()
        return cls(method, float(rate), float(strength or 0.0), int(seed))

    @property
    def told(self) -> str:
        """The setting without its seed."""
        return f"lr {self.rate:g}" + ("" if self.method == "plain" else f", strength {self.strength:g}")


@dataclass(frozen=True)
class Measured:
    """Summed losses of one model: of answers by row, of texts by piece.

    Attributes:
        nll: by part: [rows] of answers, and by text [pieces].
        tokens: the same of the numbers of tokens.
    """

    nll: Mapping[str, Mapping[str, Floats]]
    tokens: Mapping[str, Mapping[str, Floats]]

    @classmethod
    def of(cls, found: Mapping[str, Any], texts: Mapping[str, Sequence[str]]) -> Measured:
        """Read what `benchmarks.retention` wrote."""

        def read(what: str) -> dict[str, dict[str, Floats]]:
            return {
                part: {
                    "answers": np.asarray(found[part][what]),
                    **{name: np.asarray(found[part][name][what]) for name in texts[part]},
                }
                for part in PARTS
            }

        return cls(read("nll"), read("tokens"))

    @classmethod
    def mean(cls, runs: Sequence[Measured]) -> Measured:
        """Return the losses of several runs, measured on the same, averaged."""
        nll = {
            part: {name: np.mean([run.nll[part][name] for run in runs], axis=0) for name in named}
            for part, named in runs[0].nll.items()
        }
        return cls(nll, runs[0].tokens)


@dataclass(frozen=True)
class Point:
    """A setting's gain (nats a token, against the untrained model) and rise of perplexity (all texts' tokens together)."""

    setting: Setting
    seeds: int
    gain: Mapping[str, Interval]
    rise: Mapping[str, Interval]
    by_text: Mapping[str, Interval]
    spread: float
    """Between seeds: the largest gain on held-out answers less the smallest."""
    measured: Measured
    """Averaged over the seeds."""

    @classmethod
    def of(cls, setting: Setting, base: Measured, runs: Sequence[Measured]) -> Point:
        """Put seeds together: losses are averaged over them, and rows (or pieces of text) drawn again for the intervals."""
        gain, rise = {}, {}
        by_text: dict[str, Interval] = {}
        mean = Measured.mean(runs)
        for part in PARTS:
            texts = [name for name in base.nll[part] if name != "answers"]
            gain[part] = _nats(_change(base, mean, part, ["answers"]))
            rise[part] = _change(base, mean, part, texts)
            by_text |= {name: _change(base, mean, part, [name]) for name in texts}
        gains = [
            -(run.nll["heldout"]["answers"] - base.nll["heldout"]["answers"]).sum()
            / base.tokens["heldout"]["answers"].sum()
            for run in runs
        ]
        return cls(setting, len(runs), gain, rise, by_text, float(max(gains) - min(gains)), mean)


def _change(before: Measured, after: Measured, part: str, names: Sequence[str]) -> Interval:
    """Return the relative change of perplexity over these rows."""
    old, new = (np.concatenate([one.nll[part][name] for name in names]) for one in (before, after))
    tokens = np.concatenate([before.tokens[part][name] for name in names])
    return relative_change(old, new, tokens, resamples=RESAMPLES)


def _nats(change: Interval) -> Interval:
    """Return the fall of the mean loss that a change of perplexity is."""
    low, value, high = (float(-np.log1p(one)) for one in (change.high, change.value, change.low))
    return Interval(value, low, high, change.n)


def told(one: Interval) -> str:
    """Return it as people read it."""
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


def percent(one: Interval) -> str:
    """Return it as per cents."""
    return f"{100 * one.value:+.2f}% [{100 * one.low:+.2f}, {100 * one.high:+.2f}]"


def best_within(points: Sequence[Point], limit: float, part: str = "heldout") -> Point | None:
    """Return the point of the largest gain among those whose perplexity rises by at most `limit`."""
    within = [point for point in points if point.rise[part].value <= limit]
    return max(within, key=lambda point: point.gain[part].value, default=None)


class Margin(NamedTuple):
    """How one front lies to a point of another."""

    over: Point
    best: Point
    """The front's: of the points with no larger a rise the one that gains most; if there is none, the one with the least rise."""
    more: Interval
    """What it gains more, nats a token, paired by rows."""

    @property
    def above(self) -> bool:
        """Whether it gains more at no larger a rise."""
        return self.more.value > 0 and self.best.rise["heldout"].value <= self.over.rise["heldout"].value


def margins(points: Sequence[Point], over: Sequence[Point]) -> list[Margin]:
    """Return how the front of `points` lies to each of `over`."""
    found = []
    for point in over:
        least = min(points, key=lambda one: one.rise["heldout"].value)
        best = best_within(points, point.rise["heldout"].value) or least
        more = _nats(_change(point.measured, best.measured, "heldout", ["answers"]))
        found.append(Margin(point, best, more))
    return found


def table(points: Sequence[Point]) -> str:
    """Return the points as a table in Markdown: the methods in turn, of each what forgets most first."""
    methods = list(dict.fromkeys(point.setting.method for point in points))
    points = sorted(points, key=lambda one: (methods.index(one.setting.method), -one.rise["heldout"].value))
    lines = [
        "| method | setting | seeds | gain, nats a token | between seeds | perplexity, both texts | "
        + " | ".join(_texts(points))
        + " |",
        "|---|---|---|---|---|---|" + "---|" * len(_texts(points)),
    ]
    for point in points:
        cells = [
            point.setting.method,
            point.setting.told,
            str(point.seeds),
            told(point.gain["heldout"]),
            f"{point.spread:.3f}" if point.seeds > 1 else "",
            percent(point.rise["heldout"]),
            *(percent(point.by_text[name]) for name in _texts(points)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _texts(points: Sequence[Point]) -> list[str]:
    return [name for name in points[0].by_text if name in ("pydoc:heldout", "prose")] if points else []


def figures_of(points: Sequence[Point]) -> dict[str, Figure]:
    """Return what the table comes to: of each method the setting that validation chose, and how the fronts lie.

    A mean over fewer seeds than another is no fair peer of it: of each method only the settings with the most seeds count,
    the best gain is one of those with the most seeds of all, and what has fewer is told so.
    """
    if not points:
        return {}
    seeds = max(point.seeds for point in points)
    methods = {point.setting.method: None for point in points}
    of = {
        method: _of_most_seeds([one for one in points if one.setting.method == method]) for method in methods
    }
    most = max(_of_most_seeds(points), key=lambda point: point.gain["heldout"].value)
    best = Peer(f"the best gain ({most.setting.method}, {most.setting.told})", most.gain["heldout"].value)
    figures = {
        "best_gain": Figure(best.value, f"nats a token: {most.setting.method}, {most.setting.told}", True)
    }
    for method, own in of.items():
        for name, point in (
            ("share kept by the setting that validation chose", best_within(own, LIMIT, "validation")),
            ("largest share at a rise of at most 1%", best_within(own, LIMIT)),
        ):
            if point is not None:
                share = point.gain["heldout"].value / best.value
                rise = percent(point.rise["heldout"])
                setting = f"of it: {point.setting.told}, perplexity {rise}{_fewer(point, seeds)}"
                figures[f"{method}: {name}"] = Figure(share, setting, True, best)
    for method in ("exact", "factored"):
        for margin in margins(of[method], of.get("plain", [])) if method in of else []:
            rises = " against ".join(
                percent(one.rise["heldout"]) + _fewer(one, seeds) for one in (margin.best, margin.over)
            )
            where = "above" if margin.above else "not above"
            figures[f"{method}: over plain at {margin.over.setting.told}"] = Figure(
                margin.more.value,
                f"[{margin.more.low:.4f}, {margin.more.high:.4f}] nats a token, at {rises}: {where}",
                True,
            )
    return figures


def _of_most_seeds(points: Sequence[Point]) -> list[Point]:
    seeds = max(point.seeds for point in points)
    return [point for point in points if point.seeds == seeds]


def _fewer(point: Point, seeds: int) -> str:
    return "" if point.seeds == seeds else f" ({point.seeds} of {seeds} seeds)"
