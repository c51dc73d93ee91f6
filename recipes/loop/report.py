"""What a loop's rounds came to, as a table and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worldschool.files import write_atomic, write_json

if TYPE_CHECKING:
    from worldschool.recipes.loop.rounds import Round


def write_report(schema: str, rounds: Sequence[Round], best: Mapping[str, Any], out: Path) -> None:
    """Write `loop.json`, `loop.md` and `loop.png`."""
    write_json(
        out / "loop.json",
        {"schema": schema, "best": dict(best), "rounds": [asdict(one) for one in rounds]},
    )
    write_atomic(out / "loop.md", f"# Round by round\n\n{rounds_table(rounds)}\n\n![curves](loop.png)\n")
    _plot(rounds, out / "loop.png")


def rounds_table(rounds: Sequence[Round]) -> str:
    """Return the rounds as a table in Markdown."""
    texts = list(dict.fromkeys(name for one in rounds for name in one.forgotten))
    head = [
        "round",
        "probed goals reached",
        "gain over round 0",
        "practice reached",
        "distinct goals",
        "steps",
    ]
    head += [
        "model tokens",
        "trained tokens",
        "entries",
        "skills",
        *(f"perplexity of {name}" for name in texts),
        "seconds",
    ]
    lines = [head, ["---"] * len(head)]
    for one in rounds:
        lines.append(
            [
                str(one.number),
                f"{one.success:.3f} [{one.low:.3f}, {one.high:.3f}]",
                f"{one.gain:+.3f} [{one.gain_low:+.3f}, {one.gain_high:+.3f}]" if one.number else "",
                "" if one.practised is None else f"{one.practised:.3f}",
                str(one.goals),
                str(one.steps),
                str(one.model_tokens),
                str(one.trained_tokens),
                str(one.entries),
                str(one.skills),
                *(f"{100 * one.forgotten[name]:+.2f}%" if name in one.forgotten else "" for name in texts),
                f"{one.seconds:.0f}",
            ]
        )
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _plot(rounds: Sequence[Round], out: Path) -> None:
    """Draw success by round, distinct goals by steps, and what was forgotten, if weights were changed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    forgotten = any(one.forgotten for one in rounds)
    figure, panels = pyplot.subplots(1, 2 + forgotten, figsize=(5 * (2 + forgotten), 4), layout="constrained")
    numbers = [one.number for one in rounds]
    values = [one.success for one in rounds]
    errors = [
        [max(0.0, one.success - one.low) for one in rounds],
        [max(0.0, one.high - one.success) for one in rounds],
    ]
    panels[0].errorbar(numbers, values, yerr=errors, marker="o", capsize=2, label="probed goals")
    practised = [(one.number, one.practised) for one in rounds if one.practised is not None]
    if practised:
        panels[0].plot(*zip(*practised, strict=True), marker="s", label="practice")
    panels[0].set(xlabel="round", ylabel="share of goals reached", ylim=(0, 1), xticks=numbers)
    panels[0].legend()
    panels[1].plot([one.steps for one in rounds], [one.goals for one in rounds], marker="o")
    panels[1].set(xlabel="environment steps of practice", ylabel="distinct goals reached in practice")
    if forgotten:
        for name in dict.fromkeys(name for one in rounds for name in one.forgotten):
            points = [(one.number, 100 * one.forgotten[name]) for one in rounds if name in one.forgotten]
            panels[2].plot(*zip(*points, strict=True), marker="o", label=name)
        panels[2].set(xlabel="round", ylabel="rise of perplexity, %", xticks=numbers)
        panels[2].legend()
    figure.savefig(out, dpi=120)
    pyplot.close(figure)
