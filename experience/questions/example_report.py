"""What was built: counts, how answers are spread, what was left out and why, and what shortcuts would score."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.questions.judging import ENOUGH
from worldschool.experience.questions.shortcuts import rule_credits
from worldschool.records import Example

REPORT_SCHEMA = "worldschool.examples-report/1"
MOST_ANSWERS = 1000
"""Different answers that are counted; with more, only right positions and lengths are told."""
SHOWN_ANSWERS = 6
WIDTH = 110


@dataclass
class TaskTally:
    """One task's examples, counted as they are built."""

    examples: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    positions: Counter[str] = field(default_factory=Counter)
    lengths: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    chance: float = 0.0
    credits: dict[str, list[float]] = field(default_factory=dict)

    def add(self, task: str, example: Example) -> None:
        """Count an example."""
        self.examples += 1
        self.splits[example.split] += 1
        self.characters += len(example.prompt) + len(example.completion)
        if example.answer in self.answers or len(self.answers) < MOST_ANSWERS:
            self.answers[example.answer] += 1
        if example.options is not None:
            self.positions[f"{example.answer_index} of {len(example.options)}"] += 1
            self.chance += 1 / len(example.options)
        self.lengths[str(json.loads(example.dials).get("length", ""))] += 1
        for rule, credit in rule_credits(example, BUILDERS[task].rules if task in BUILDERS else ()).items():
            sums = self.credits.setdefault(rule, [0.0, 0.0, 0.0])
            sums[0] += credit
            sums[1] += 1
            sums[2] += 1 / len(example.options or (1,)) if example.options else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; each shortcut with its share of right answers and chance, where it says anything."""
        counted = sum(self.answers.values()) == self.examples
        return {
            "examples": self.examples,
            "splits": dict(sorted(self.splits.items())),
            "answers": dict(self.answers.most_common()) if counted and self._few() else None,
            "different_answers": len(self.answers),
            "positions": dict(sorted(self.positions.items())) or None,
            "lengths": dict(sorted(self.lengths.items())),
            "mean_characters": self.characters / self.examples if self.examples else None,
            "chance": self.chance / self.examples if self.examples and self.positions else None,
            "majority": self.answers.most_common(1)[0][1] / self.examples if self.examples else None,
            "shortcuts": {
                rule: {"right": right / asked, "chance": chance / asked, "asked": int(asked)}
                for rule, (right, asked, chance) in sorted(self.credits.items())
            },
            "skipped": dict(self.skipped.most_common()),
        }

    def _few(self) -> bool:
        """Return whether answers repeat, so that their distribution says something."""
        return 3 * len(self.answers) <= self.examples + 6


class Tally:
    """Counts a whole run.

    Args:
        tasks: in the order in which they are reported.
    """

    def __init__(self, tasks: list[str]) -> None:
        self.tasks = {task: TaskTally() for task in tasks}
        self.episodes = 0

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is stored."""
        return {
            "schema": REPORT_SCHEMA,
            "episodes": self.episodes,
            "examples": {task: tally.examples for task, tally in self.tasks.items()},
            "tasks": {task: tally.to_json() for task, tally in self.tasks.items()},
        }


def report_table(report: Mapping[str, Any]) -> str:
    """Return a report as text: a line a task, and below what was left out."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, highlight=False, color_system=None)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("task")
    table.add_column("examples", justify="right")
    table.add_column("answers", ratio=1)
    table.add_column("chance", justify="right")
    table.add_column("best shortcut", justify="right")
    for task, row in report["tasks"].items():
        table.add_row(task, str(row["examples"]), _answers(row), _share(row["chance"]), _best(row))
    console.print(table)
    for line in _judged(report):
        console.print(f"  {line}", markup=False)
    for task, row in report["tasks"].items():
        for reason, count in row["skipped"].items():
            often = "once" if count == 1 else f"{count} times"
            console.print(f"  {task}: left out {often}: {reason}", markup=False)
    return "\n".join(line.rstrip() for line in stream.getvalue().strip("\n").splitlines())


def _judged(report: Mapping[str, Any]) -> list[str]:
    """Return what judging found (questions.judging), and which tasks have too few questions for it."""
    judged: Mapping[str, Any] = report.get("judged", {})
    told = [
        f"{task}: {'REJECTED' if row['rejected'] else 'judged'}: best shortcut {row['best'].replace('_', ' ')} "
        f"{row['shortcuts'][row['best']]:.1%}, chance {row['chance']:.1%}"
        for task, row in judged.items()
    ]
    few = [task for task, row in report["tasks"].items() if task not in judged and row["examples"]]
    if few:
        told.append(f"not judged, with fewer than {ENOUGH:,} questions: {', '.join(few)}")
    return told


def _answers(row: Mapping[str, Any]) -> str:
    """Return how often each answer is right; of answers that hardly repeat, each position, else each length."""
    if not row["examples"]:
        return ""
    if row["answers"] is not None:
        told = row["answers"]
        if all(answer.isdigit() for answer in told):
            told = dict(sorted(told.items()))
    elif row["positions"]:
        return _positions(row["positions"])
    else:
        told = {
            f"length {at}": n for at, n in sorted(row["lengths"].items(), key=lambda one: int(one[0] or 0))
        }
    shown = [
        f"{answer} {count / row['examples']:.0%}" for answer, count in list(told.items())[:SHOWN_ANSWERS]
    ]
    more = len(told) - len(shown)
    return ", ".join(shown) + (f", {more} more" if more > 0 else "")


def _positions(counts: Mapping[str, int]) -> str:
    """Return how often the right option stands where, for the most frequent number of options."""
    by_number: dict[str, dict[int, int]] = {}
    for at, count in counts.items():
        place, _, number = at.partition(" of ")
        by_number.setdefault(number, {})[int(place)] = count
    number = max(by_number, key=lambda one: sum(by_number[one].values()))
    found = by_number[number]
    shares = [f"{found.get(at, 0) / sum(found.values()):.0%}" for at in range(int(number))]
    return f"right option first to {_ORDINALS.get(int(number), number)}: {', '.join(shares)}"


_ORDINALS = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}


def _best(row: Mapping[str, Any]) -> str:
    """Return the shortcut that is furthest above chance."""
    found = row["shortcuts"]
    if not found:
        return ""
    name = max(found, key=lambda one: found[one]["right"] - found[one]["chance"])
    return f"{name.replace('_', ' ')} {_share(found[name]['right'])}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
