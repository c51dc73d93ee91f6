"""A published suite as it is asked: items, how they are scored, and the errors of files that cannot be read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from worldschool.canonical import canonical_json, short_digest
from worldschool.errors import DatasetError
from worldschool.probes.config import Normalization
from worldschool.records import Example


@dataclass(frozen=True)
class PublishedSuite:
    """One task of a published suite.

    Attributes:
        name: what the results call it.
        title: for people.
        about: what is asked, one sentence.
        items: in the order of the file.
        normalization: of choice (`SuiteSettings.normalization`), as its authors score it.
        max_new_tokens: of generation.
    """

    name: str
    title: str
    about: str
    items: tuple[Example, ...]
    normalization: Normalization
    max_new_tokens: int


def malformed(path: Path, line: int, field: str, problem: str, mend: str) -> DatasetError:
    """Return the error of a line that cannot be used.

    Args:
        path: the file.
        line: counted from 1.
        field: at fault; empty: the whole line.
        problem: what was found.
        mend: what to do, a full sentence.
    """
    return DatasetError(problem, where=f"{path}, line {line}{f': {field}' if field else ''}", mend=mend)


def copy_at(path: str, mend: str) -> Path:
    """Return where the user's copy is.

    Args:
        path: as the settings give it.
        mend: what to give, a full sentence.

    Raises:
        DatasetError: there is nothing.
    """
    root = Path(path)
    if not root.exists():
        raise DatasetError("there is no such folder", where=path, mend=mend)
    return root


def twice(path: str, task: str | int, one: object, other: object) -> DatasetError:
    """Return the error of a copy that holds two files of a task.

    Args:
        path: of the copy, as the settings give it.
        task: its name or number.
        one: the first file, as it is to be told.
        other: the second.
    """
    return DatasetError(
        f"the task {task} is there twice: {one} and {other}", where=path, mend="Give the folder of one copy."
    )


def read_lines(path: Path) -> list[str]:
    """Return a text file's lines.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"this file cannot be read: {error}", where=str(path)) from None


def item(
    task: str,
    prompt: str,
    answer: str,
    options: Sequence[str] | None = None,
    dials: dict[str, int] | None = None,
    meta: dict[str, object] | None = None,
) -> Example:
    """Return a published question as an example; equal questions have equal ids, wherever they are in a file."""
    chosen = tuple(options) if options is not None else None
    name = f"{task}-{short_digest([prompt, answer, chosen])}"
    return Example(
        example_id=name,
        task=task,
        prompt=prompt,
        completion=f" {answer}\n",
        answer=answer,
        split="heldout",
        episode_id=name,
        builder=task,
        builder_version=1,
        seed=0,
        options=chosen,
        answer_index=None if chosen is None else chosen.index(answer),
        dials=canonical_json(dials or {}),
        meta=canonical_json(meta or {}),
    )


def numbered(items: Sequence[Example]) -> list[Example]:
    """Return the items with ids that differ, where a file asks the same twice: the second's id ends in "-2"."""
    seen: Counter[str] = Counter()
    found = []
    for one in items:
        seen[one.example_id] += 1
        again = seen[one.example_id]
        found.append(one if again == 1 else replace(one, example_id=f"{one.example_id}-{again}"))
    return found


def drawn(items: Sequence[Example], count: int | None, name: str, seed: int) -> tuple[Example, ...]:
    """Return all items, or `count` of them drawn by the seed, in the order of the file."""
    if count is None or count >= len(items):
        return tuple(items)
    chosen = sorted(Random(f"{seed}:{name}:published").sample(range(len(items)), count))
    return tuple(items[at] for at in chosen)


def as_object(text: str, path: Path, line: int) -> dict[str, object]:
    """Return a line's JSON object.

    Raises:
        DatasetError: it is none.
    """
    try:
        row = json.loads(text)
    except ValueError as error:
        raise malformed(path, line, "", f"this is not JSON: {error}", "Fetch the file again.") from None
    if not isinstance(row, dict):
        raise malformed(
            path, line, "", f"found {type(row).__name__}, not a JSON object", "Write one object a line."
        )
    return row
