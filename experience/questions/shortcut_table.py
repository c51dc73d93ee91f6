"""The table of shortcuts: what each scores on each task of a file of examples, beside chance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worldschool.experience.questions.example_files import iterate_examples
from worldschool.experience.questions.judging import ENOUGH, SHOWN, Judgement, Kept, judge
from worldschool.progress import progress


def judge_file(path: Path, seed: int = 0) -> dict[str, Judgement]:
    """Return what shortcuts score on each task of a file of examples (or the output directory that holds it).

    Raises:
        DatasetError: the file is missing, damaged or empty.
    """
    kept = Kept(seed)
    for example in iterate_examples(path):
        kept.add(example)
    found = {}
    with progress("judging shortcuts", len(kept.tasks), "tasks") as advance:
        for task, examples in kept.tasks.items():
            found[task] = judge(examples, seed)
            advance(1)
    return found


def markdown_table(judgements: Mapping[str, Judgement]) -> str:
    """Return the table in Markdown: shares right, in percent; the best shortcut of each task is in bold."""
    shown = [name.replace("_", " ") for name in SHOWN]
    head = ["suite", "items", "chance", *shown, "best of its own rules", "over"]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    for task, one in judgements.items():
        own = {name: share for name, share in one.shortcuts.items() if name not in SHOWN}
        best_own = max(own, key=lambda name: own[name], default=None)
        cells = [f"`{task}`", f"{one.n:,}", _percent(one.chance)]
        cells += [_cell(one, name) for name in SHOWN]
        cells.append("" if best_own is None else f"{best_own.replace('_', ' ')} {_cell(one, best_own)}")
        cells.append(f"{100 * one.over:+.1f}{'' if one.judged else ' (not judged)'}")
        lines.append(f"| {' | '.join(cells)} |")
    few = [task for task, one in judgements.items() if not one.judged]
    rejected = [task for task, one in judgements.items() if one.rejected]
    if rejected:
        lines += ["", f"Rejected: {', '.join(rejected)}."]
    if few:
        lines += ["", f"Not judged, with fewer than {ENOUGH:,} items: {', '.join(few)}."]
    return "\n".join(lines)


def table_json(judgements: Mapping[str, Judgement]) -> dict[str, Any]:
    """Return the table as plain JSON values."""
    return {task: one.to_json() for task, one in judgements.items()}


def _cell(one: Judgement, name: str) -> str:
    if name not in one.shortcuts:
        return ""
    told = _percent(one.shortcuts[name])
    return f"**{told}**" if name == one.best else told


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
