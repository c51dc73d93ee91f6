"""Writing events and actions as VirtualHome's program lines: `[GRAB] <apple> (2)`.

RobotHow's programs number the things of each class from 1. Here the number is the one in the name: "apple 2" is
`<apple> (2)` and "apple" `<apple> (1)`.
"""

from __future__ import annotations

from collections.abc import Sequence

from worldschool.envs.household.forms import FORMS, Form
from worldschool.records import Event

_ROW_OF_VERB = {form.verb: form.row for form in FORMS} | {"put ON": "PUTBACK", "put INSIDE": "PUTIN"}


def argument(name: str) -> str:
    """Return a thing as programs write it: "apple 2" gives `<apple> (2)`, "coffee table" `<coffee_table> (1)`."""
    stem, _, number = name.rpartition(" ")
    class_, instance = (stem, number) if number.isdigit() else (name, "1")
    return f"<{class_.replace(' ', '_')}> ({instance})"


def line(row: str, names: Sequence[str]) -> str:
    """Return the line of an action of the table: `[PUTBACK] <apple> (1) <desk> (1)`."""
    return " ".join([f"[{row}]", *map(argument, names)])


def line_of_form(form: Form, names: Sequence[str]) -> str:
    """Return the line of an action; looking around is nothing that programs know, and gives an empty text."""
    return line(form.row, names) if form.row else ""


def program(events: Sequence[Event]) -> list[str]:
    """Return the lines of the events that succeeded; looking around gives none.

    With more than one character each line begins with `<char0>`, `<char1>`, ... in the order in which they first act.
    """
    told = [event for event in events if event.succeeded and _ROW_OF_VERB.get(event.verb, "?")]
    actors = list(dict.fromkeys(event.actor for event in told))
    lines = []
    for event in told:
        row = _ROW_OF_VERB[f"put {event.relation}" if event.verb == "put" else event.verb]
        written = line(row, _names(event))
        lines.append(f"<char{actors.index(event.actor)}> {written}" if len(actors) > 1 else written)
    return lines


def _names(event: Event) -> list[str]:
    if event.verb == "walk":
        return [event.object or event.target or ""]
    names = [event.object, event.target if event.verb in ("put", "pour") else None]
    return [name for name in names if name is not None]
