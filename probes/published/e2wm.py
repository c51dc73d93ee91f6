"""E2WM's evaluation files as they are: JSON lines, `input` and `ref`, or `input`, `answer_list` and `answer`.

Source: Xiang et al. 2023, "Language Models Meet World Models" (arXiv 2305.10626). Their scores are those of `TASKS`: of
choice, the sum of the option's token log-probabilities over its number of tokens ("ln" there), or less that of the option
behind "Answer:" alone ("un"); of plans ROUGE, of paths the longest common run of rooms. They generate with four beams; here
generation is greedy.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from worldschool.errors import DatasetError
from worldschool.probes.config import Normalization
from worldschool.probes.metrics import split_plan
from worldschool.probes.published.settings import E2wmSettings
from worldschool.probes.published.suite import (
    PublishedSuite,
    as_object,
    copy_at,
    drawn,
    item,
    malformed,
    numbered,
    read_lines,
    twice,
)
from worldschool.records import Example


class Task(NamedTuple):
    """One file: its titles, and the normalisation of choice (None: the answer is written)."""

    title: str
    about: str
    normalization: Normalization | None


TASKS: dict[str, Task] = {
    "act_recog": Task("E2WM activity recognition", "What is the name of the task of a plan?", "tokens"),
    "act_infer": Task(
        "E2WM activity inference", "Which activity is possible, given how things stand?", "unconditional"
    ),
    "housework_qa": Task("E2WM housework", "Which thing is related to an activity?", "unconditional"),
    "neg_housework_qa": Task(
        "E2WM housework, negated", "Which thing is not related to an activity?", "unconditional"
    ),
    "count": Task("E2WM counting", "How many items are on a place?", "tokens"),
    "obj_move": Task("E2WM object movement", "Where was a thing before or after a room?", "tokens"),
    "plan_gen": Task("E2WM plans, seen activities", "Which steps do a task?", None),
    "plan_gen_confusing": Task(
        "E2WM plans, things not needed", "Which steps do a task, among things not needed?", None
    ),
    "plan_gen_unseen": Task("E2WM plans, unseen activities", "Which steps do a task never trained on?", None),
    "plan_gen_unseen_confusing": Task(
        "E2WM plans, unseen, things not needed", "The same, among things not needed", None
    ),
    "obj_move_path": Task("E2WM object paths", "Through which rooms did a thing go, in order?", None),
}
SUFFIXES = (".jsonl", ".json")
PREFIXES = ("", "gen_", "qa_")


def read_e2wm(name: str, settings: E2wmSettings, seed: int) -> list[PublishedSuite]:
    """Read the files of the wanted tasks.

    Raises:
        DatasetError: a file is missing or found twice, or a line of it is malformed.
    """
    found = []
    for task, path in _files(settings).items():
        about = TASKS[task]
        items = numbered([_item(task, row, path, line) for line, row in _rows(path)])
        suite = f"{name}_{task}"
        chosen = drawn(items, settings.items, suite, seed)
        found.append(
            PublishedSuite(
                suite,
                about.title,
                about.about,
                chosen,
                about.normalization or "tokens",
                settings.max_new_tokens,
            )
        )
    return found


def _files(settings: E2wmSettings) -> dict[str, Path]:
    """Return each wanted task's file; published as TASK.json, also found as gen_TASK.jsonl and the like."""
    root = copy_at(settings.path, "Give E2WM's data/eval folder, or one file of it.")
    known = {f"{prefix}{task}{suffix}": task for task in TASKS for prefix in PREFIXES for suffix in SUFFIXES}
    files: dict[str, Path] = {}
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        task = known.get(path.name)
        if task is None or not path.is_file() or (settings.tasks and task not in settings.tasks):
            continue
        if task in files:
            raise twice(settings.path, task, files[task], path)
        files[task] = path
    missing = [task for task in settings.tasks if task not in files]
    if missing or not files:
        wanted = ", ".join(f"{task}.json" for task in missing or TASKS)
        raise DatasetError(
            f"there is no file {wanted} in it" if missing else f"none of E2WM's files is in it: {wanted}",
            where=settings.path,
            mend="Give E2WM's data/eval folder, or name other `tasks`.",
        )
    return {task: files[task] for task in TASKS if task in files}


def _rows(path: Path) -> list[tuple[int, dict[str, object]]]:
    rows = [
        (line, as_object(text, path, line))
        for line, text in enumerate(read_lines(path), start=1)
        if text.strip()
    ]
    if not rows:
        raise DatasetError("there is no line in it", where=str(path), mend="Fetch the file again.")
    return rows


def _item(task: str, row: dict[str, object], path: Path, line: int) -> Example:
    prompt = _text(row, "input", path, line)
    if TASKS[task].normalization is None:
        answer = _text(row, "ref", path, line)
        parts = answer.split(", ") if task == "obj_move_path" else split_plan(answer)
        return item(f"e2wm_{task}", prompt, answer, dials={"length": len(parts)})
    answer = _text(row, "answer", path, line)
    return item(f"e2wm_{task}", prompt, answer, _options(row, answer, path, line))


def _options(row: dict[str, object], answer: str, path: Path, line: int) -> list[str]:
    options = row.get("answer_list")
    if not isinstance(options, list) or not all(isinstance(one, str) and one.strip() for one in options):
        raise malformed(
            path,
            line,
            "answer_list",
            f"a list of texts is expected, found {options!r:.80}",
            "Fetch the file again.",
        )
    if len(set(options)) < max(2, len(options)):
        raise malformed(
            path,
            line,
            "answer_list",
            f"the options are not distinct, or there is only one: {options!r:.80}",
            "Fetch the file again.",
        )
    if answer not in options:
        raise malformed(
            path,
            line,
            "answer",
            f"{answer!r} is not among the options {options!r:.80}",
            "Fetch the file again.",
        )
    return options


def _text(row: dict[str, object], field: str, path: Path, line: int) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if field not in row else f"{value!r:.60}"
        raise malformed(
            path,
            line,
            field,
            f"a text is expected, found {found}",
            "Fetch the file again, or take this line out.",
        )
    return value.rstrip(" ") if field == "input" else value.strip()
