"""RobotHow's programs as plans to write: a task's name and description, answered by its steps as sentences, behind worked examples.

A file is as VirtualHome publishes it (Puig et al. 2018, arXiv 1806.07011): the task's name, its description, and lines such
as `[WALK] <home_office> (1)`. The sentences are E2WM's ("Walk to home office."); things are named in alphabetical order.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from random import Random

from worldschool.envs.household.forms import FORMS
from worldschool.envs.household.scene.program import Line, ProgramError, parse_line
from worldschool.errors import DatasetError
from worldschool.probes.published.settings import RobotHowSettings
from worldschool.probes.published.suite import (
    PublishedSuite,
    copy_at,
    drawn,
    item,
    malformed,
    numbered,
    read_lines,
)
from worldschool.probes.suites import with_shots
from worldschool.records import Example

_WRITTEN = {form.row: form for form in FORMS if form.row}
_OTHERS = {
    "FIND": "find {0}",
    "RUN": "run to {0}",
    "RELEASE": "release {0}",
    "PUTOBJBACK": "put back {0}",
    "LOOKAT_SHORT": "look at {0}",
    "LOOKAT_MEDIUM": "look at {0}",
    "LOOKAT_LONG": "look at {0}",
}
"""Actions that a house of ours has no form for."""
SHORT = 8
"""Steps of a worked example, at most."""


def read_robothow(name: str, settings: RobotHowSettings, seed: int) -> list[PublishedSuite]:
    """Read every program in the folder; of those that ask and answer the same one is kept, and those shown are not asked.

    Raises:
        DatasetError: the folder is missing or has no program of a fitting length, or a file of it is malformed.
    """
    root = copy_at(
        settings.path,
        "Give a folder of programs, such as programs_processed_precond_nograb_morepreconds/executable_programs.",
    )
    files = [root] if root.is_file() else sorted(root.rglob("*.txt"))
    programs = _cases(root) if root.name.endswith((".json", ".json.gz")) else [_parts(path) for path in files]
    fitting = [_item(*parts, settings) for parts in programs if len(parts[1]) <= settings.longest]
    kept = list({one.example_id: one for one in fitting}.values())
    if not kept:
        found = f"none of its {len(programs)} programs has at most {settings.longest} steps"
        raise DatasetError(
            found if programs else "there is no program (.txt) in it",
            where=settings.path,
            mend="Give RobotHow's folder of programs, or a larger `longest`.",
        )
    suite = f"{name}_plans"
    shots = _shots(kept, settings, seed)
    shown = {_task(one) for one in shots}
    asked = [_behind(shots, one) for one in kept if _task(one) not in shown]
    if len(shots) < settings.shots or not asked:
        raise DatasetError(
            f"its {len(kept)} programs are too few to show {settings.shots} and ask others",
            where=settings.path,
            mend="Give a fuller folder, or set `shots: 0`.",
        )
    return [
        PublishedSuite(
            suite,
            "RobotHow plans",
            "Which steps do a household task, as people described it?",
            drawn(numbered(asked), settings.items, suite, seed),
            "tokens",
            settings.max_new_tokens,
        )
    ]


def _shots(programs: list[Example], settings: RobotHowSettings, seed: int) -> list[Example]:
    """Draw worked examples: of different tasks, short ones first among as many as would do."""
    short = [one for one in programs if json.loads(one.dials)["length"] <= SHORT] or programs
    pool = list({_task(one): one for one in short}.values())
    return Random(f"{seed}:robothow:shots").sample(pool, min(settings.shots, len(pool)))


def _task(program: Example) -> str:
    """Return the task's name, as one line of the prompt tells it."""
    return program.prompt.partition("\n")[0].casefold()


def _behind(shots: list[Example], program: Example) -> Example:
    return replace(program, prompt=with_shots(program, shots)) if shots else program


def _item(head: list[str], steps: list[Line], settings: RobotHowSettings) -> Example:
    """Return a program as a question."""
    things = sorted({_named(name) for step in steps for name in step.names})
    lines = [f"Task: {head[0]}"]
    if settings.described and len(head) > 1:
        lines.append(f"Description: {' '.join(head[1:])}")
    lines += [f"Things: {', '.join(things)}."] if things else []
    return item(
        "robothow_plans",
        "\n".join([*lines, "Plan:"]),
        " ".join(map(sentence, steps)),
        dials={"length": len(steps)},
        meta={"program": [str(step) for step in steps]},
    )


def _parts(path: Path) -> tuple[list[str], list[Line]]:
    """Return the lines before the program (the task's name first), and its steps."""
    head: list[str] = []
    steps: list[Line] = []
    for number, text in enumerate(read_lines(path), start=1):
        text = text.strip()
        if text.startswith("["):
            try:
                steps.append(parse_line(text, f"{path}, line {number}"))
            except ProgramError as error:
                raise DatasetError(error.problem, where=error.where, mend=error.mend) from None
        elif text and steps:
            raise malformed(
                path, number, "", f"a step is expected, found {text!r:.60}", "Write [ACTION] <object> (1)."
            )
        elif text:
            head.append(text)
    if not head or not steps:
        raise DatasetError(
            "the task's name is expected on the first line"
            if not head
            else "there is no step such as [WALK] <kitchen> (1) in it",
            where=f"{path}, line 1",
            mend="Give the folder of programs only: .txt files as VirtualHome publishes them.",
        )
    return head, steps


def _cases(path: Path) -> list[tuple[list[str], list[Line]]]:
    """Return the programs of a JSON list of `{"activity", "program"}`; of cases of several kinds the real ones."""
    try:
        data = path.read_bytes()
        rows = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    except (OSError, EOFError, ValueError) as error:
        raise DatasetError(f"this file cannot be read: {error}", where=str(path)) from None
    if not isinstance(rows, list):
        raise DatasetError("a JSON list is expected", where=str(path), mend="Give a folder of .txt files.")
    return [
        _case(row, f"{path}, case {number}")
        for number, row in enumerate(rows)
        if not isinstance(row, dict) or row.get("kind", "real") == "real"
    ]


def _case(row: object, where: str) -> tuple[list[str], list[Line]]:
    activity, program = (row.get("activity"), row.get("program")) if isinstance(row, dict) else (None, None)
    if not isinstance(activity, str) or not isinstance(program, list) or not program:
        raise DatasetError(
            "an activity and a program (a list of lines) are expected",
            where=where,
            mend='Cases are like {"activity": "Read book", "program": ["[WALK] <bedroom> (1)"]}.',
        )
    try:
        return [activity], [parse_line(str(text), where) for text in program]
    except ProgramError as error:
        raise DatasetError(error.problem, where=error.where, mend=error.mend) from None


def sentence(step: Line) -> str:
    """Return a step as an instruction: `[PUTBACK] <cup> (12) <table> (3)` gives "Put cup on table."."""
    names = [_named(name) for name in step.names]
    form = _WRITTEN.get(step.action)
    told = form.write(*names) if form is not None else _OTHERS[step.action].format(*names)
    return f"{told[0].upper()}{told[1:]}."


def _named(name: str) -> str:
    return name.replace("_", " ")
