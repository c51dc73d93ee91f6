"""VirtualHome's program lines: `[GRAB] <apple> (12)`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from worldschool.envs.household.scene.actions import ROWS
from worldschool.errors import UserError, nearest

ARITY = {row.name: row.arity for row in ROWS}
ACTION = re.compile(r"\[\s*(\w+)\s*\]")
ARGUMENT = re.compile(r"<([^<>]*)>\s*\(([^()]*)\)")
INSTANCE = re.compile(r"(?:\d+\.)?(\d+)")


class ProgramError(UserError):
    """A program line cannot be read."""


class Line(NamedTuple):
    """One step: an action and the nodes it names, by class name and node id."""

    action: str
    names: tuple[str, ...]
    ids: tuple[int, ...]

    def __str__(self) -> str:
        things = "".join(f" <{name}> ({id_})" for name, id_ in zip(self.names, self.ids, strict=True))
        return f"[{self.action}]{things}"


def parse_program(lines: Iterable[str], where: str = "program") -> list[Line]:
    """Read a program; lines that do not begin with "[", such as titles and comments, are left out.

    Raises:
        ProgramError: a line names no known action, or not as many things as the action takes.
    """
    return [
        parse_line(text.strip(), f"{where}: line {number}")
        for number, text in enumerate(lines, 1)
        if text.strip().startswith("[")
    ]


def parse_line(text: str, where: str) -> Line:
    """Read one line. An instance is a node id; of RobotHow's "(1.201)" the id is what follows the dot.

    Raises:
        ProgramError: see `parse_program`.
    """
    match = ACTION.match(text)
    action = match.group(1).upper() if match else ""
    if action not in ARITY:
        raise ProgramError(
            f"there is no action {action!r}" if match else f"this has no [ACTION]: {text!r}",
            where=where,
            mend=nearest(action, ARITY).strip()
            or "Write [ACTION] <object> (id), with one of VirtualHome's actions.",
        )
    found: Sequence[tuple[str, str]] = ARGUMENT.findall(text)
    if len(found) != ARITY[action]:
        raise ProgramError(
            f"{action} takes {ARITY[action]} object(s), this line has {len(found)}",
            where=where,
            mend=f"Write [{action}]" + " <object> (id)" * ARITY[action] + ".",
        )
    names, ids = [], []
    for name, instance in found:
        number = INSTANCE.fullmatch(instance.strip())
        if number is None:
            raise ProgramError(
                f"({instance}) is no instance", where=where, mend="Write a node id, such as (12) or (1.12)."
            )
        names.append(name.strip().lower().replace(" ", "_"))
        ids.append(int(number.group(1)))
    return Line(action, tuple(names), tuple(ids))
