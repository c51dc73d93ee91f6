"""bAbI tasks v1.2: numbered lines; a question, its answer and the numbers of its supporting facts, parted by tabs.

Source: Weston et al. 2015, "Towards AI-Complete Question Answering" (arXiv 1502.05698). A story begins with line 1; every
question is asked about all statements of its story before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from worldschool.errors import DatasetError
from worldschool.probes.published.settings import BabiSettings
from worldschool.probes.published.suite import (
    PublishedSuite,
    copy_at,
    drawn,
    item,
    malformed,
    numbered,
    read_lines,
    twice,
)

TITLES = (
    "one supporting fact",
    "two supporting facts",
    "three supporting facts",
    "two arguments",
    "three arguments",
    "yes or no",
    "counting",
    "lists",
    "simple negation",
    "indefinite knowledge",
    "basic coreference",
    "conjunction",
    "compound coreference",
    "time",
    "basic deduction",
    "basic induction",
    "positions",
    "sizes",
    "path finding",
    "motivations",
)
"""What the tasks 1 to 20 ask for."""
_FILE = re.compile(r"qa(\d+)(?:_.*)?_(train|valid|test)\.txt")
_LINE = re.compile(r"(\d+) (.*\S)\s*")
_AGAIN = "Fetch the file again; lines are like '3 Where is Mary?<TAB>garden<TAB>2'."


class Question(NamedTuple):
    """A question, and the statements before it."""

    story: tuple[str, ...]
    text: str
    answer: str
    facts: int


def read_babi(name: str, settings: BabiSettings, seed: int) -> list[PublishedSuite]:
    """Read the files of the wanted tasks.

    Raises:
        DatasetError: a file is missing or found twice, or a line of it is malformed.
    """
    found = []
    for task, path in sorted(_files(settings).items()):
        questions = list(_questions(path))
        if not questions:
            raise DatasetError("there is no question in it", where=str(path), mend=_AGAIN)
        options = _vocabulary(questions, path) if settings.answers == "choice" else None
        items = [
            item(
                f"babi_qa{task}",
                f"{' '.join(one.story)}\nQuestion: {one.text}\nAnswer:",
                one.answer,
                options,
                {"facts": one.facts, "statements": len(one.story)},
            )
            for one in questions
        ]
        suite = f"{name}_qa{task}"
        chosen = drawn(numbered(items), settings.items, suite, seed)
        title = f"bAbI {task}, {TITLES[task - 1]}"
        found.append(PublishedSuite(suite, title, "", chosen, "tokens", settings.max_new_tokens))
    return found


def _vocabulary(questions: list[Question], path: Path) -> tuple[str, ...]:
    options = tuple(sorted({one.answer for one in questions}))
    if len(options) < 2:
        raise DatasetError(
            f"every answer is {options[0]!r}, so there is nothing to choose from",
            where=str(path),
            mend="Set `answers: generate`, or give the whole file.",
        )
    return options


def _files(settings: BabiSettings) -> dict[int, Path]:
    root = copy_at(settings.path, "Give the folder tasks_1-20_v1-2/en, say.")
    files: dict[int, Path] = {}
    for path in [root] if root.is_file() else sorted(root.iterdir()):
        match = _FILE.fullmatch(path.name)
        if match is None or match[2] != settings.split:
            continue
        task = int(match[1])
        if not 1 <= task <= len(TITLES) or (settings.tasks and task not in settings.tasks):
            continue
        if task in files:
            raise twice(settings.path, task, files[task].name, path.name)
        files[task] = path
    missing = sorted(set(settings.tasks) - set(files))
    if missing or not files:
        wanted = f"qa{missing[0] if missing else 'N'}_..._{settings.split}.txt"
        inside = sorted(one.name for one in root.iterdir() if one.is_dir()) if root.is_dir() else []
        hint = f" It has the folders {', '.join(inside)}: name one of them." if inside else ""
        raise DatasetError(
            f"there is no file {wanted} in it",
            where=settings.path,
            mend=f"Give the folder of one language, such as tasks_1-20_v1-2/en.{hint}",
        )
    return files


def _questions(path: Path) -> Iterator[Question]:
    story: dict[int, str] = {}
    last = 0
    for line, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise malformed(
                path, line, "", f"a number and a sentence are expected, found {text!r:.60}", _AGAIN
            )
        number = int(match[1])
        if number == 1:
            story, last = {}, 0
        if number != last + 1:
            raise malformed(
                path, line, "number", f"line {last + 1} of the story is expected, found {number}", _AGAIN
            )
        last = number
        if "\t" in match[2]:
            yield _question(match[2], story, path, line)
        else:
            story[number] = match[2]


def _question(text: str, story: dict[int, str], path: Path, line: int) -> Question:
    asked, answer, *rest = (part.strip() for part in text.split("\t"))
    for field, value in (("question", asked), ("answer", answer)):
        if not value:
            raise malformed(path, line, field, "it is empty", _AGAIN)
    facts = rest[0].split() if rest else []
    for fact in facts:
        if not fact.isdigit() or int(fact) not in story:
            raise malformed(
                path, line, "supporting facts", f"{fact!r} is no statement of the story before it", _AGAIN
            )
    return Question(tuple(story.values()), asked, answer, len(facts))
