"""How actions are written: a table with one row per form, each naming a row of VirtualHome's action table.

What must hold and what changes is in `scene/actions.py` and, for what dialect `house` does differently, in
`scene/dialects.py`. Here is only the English, and what an action may be about at all: VirtualHome lets anything be put on
anything, a house does not.

Left out, because another form says the same: RUN (walk), FIND (walk, or nothing), RELEASE (drop), LOOKAT's three lengths
(look at). PUTOBJBACK is left out because it succeeds even when it does nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

Sort: TypeAlias = Literal[
    "anywhere",
    "thing",
    "surface",
    "holder",
    "washable",
    "furniture surface",
    "someone",
    "any",
    "vessel",
    "opening",
]
"""What a thing must be by its kind, before any check: see `premises.SORTS`."""


@dataclass(frozen=True)
class Form:
    """One row of the table."""

    verb: str
    """The event's verb."""
    form: str
    """How it is written, with {thing} and {place}; where there is one, it is X, of two {thing} is X and {place} Y."""
    row: str
    """The row of VirtualHome's action table; empty: nothing is done."""
    x: Sort | None = None
    y: Sort | None = None
    effective: bool = True
    """Whether it can change anything that a goal may ask for."""

    @property
    def arity(self) -> int:
        """How many things it names."""
        return (self.x is not None) + (self.y is not None)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the casefolded form; groups "thing" and "place" where it has them."""
        return re.compile(self.form.format(thing="(?P<thing>.+)", place="(?P<place>.+)"))

    def write(self, x: str = "", y: str = "") -> str:
        """Return the action about these names."""
        return self.form.format(thing=x, place=y if self.y else x)


FORMS: tuple[Form, ...] = (
    Form("walk", "walk to {place}", "WALK", "anywhere"),
    Form("grab", "grab {thing}", "GRAB", "thing"),
    Form("put", "put {thing} on {place}", "PUTBACK", "thing", "surface"),
    Form("put", "put {thing} in {place}", "PUTIN", "thing", "holder"),
    Form("drop", "drop {thing}", "DROP", "thing"),
    Form("open", "open {thing}", "OPEN", "opening"),
    Form("close", "close {thing}", "CLOSE", "opening"),
    Form("switch_on", "switch on {thing}", "SWITCHON", "any"),
    Form("switch_off", "switch off {thing}", "SWITCHOFF", "any"),
    Form("plug_in", "plug in {thing}", "PLUGIN", "any"),
    Form("unplug", "unplug {thing}", "PLUGOUT", "any"),
    Form("pour", "pour {thing} into {place}", "POUR", "thing", "vessel"),
    Form("wash", "wash {thing}", "WASH", "washable"),
    Form("wipe", "wipe {thing}", "WIPE", "furniture surface"),
    Form("wear", "wear {thing}", "PUTON", "thing"),
    Form("take_off", "take off {thing}", "PUTOFF", "thing"),
    Form("sit", "sit on {thing}", "SIT", "any"),
    Form("lie", "lie on {thing}", "LIE", "any"),
    Form("stand_up", "stand up", "STANDUP"),
    # What follows changes nothing that a goal may ask for, or does what another form does.
    Form("turn", "turn to {thing}", "TURNTO", "any", effective=False),
    Form("look_at", "look at {thing}", "LOOKAT", "any", effective=False),
    Form("point_at", "point at {thing}", "POINTAT", "any", effective=False),
    Form("watch", "watch {thing}", "WATCH", "any", effective=False),
    Form("read", "read {thing}", "READ", "thing", effective=False),
    Form("eat", "eat {thing}", "EAT", "thing", effective=False),
    Form("drink", "drink {thing}", "DRINK", "thing", effective=False),
    Form("cut", "cut {thing}", "CUT", "thing", effective=False),
    Form("squeeze", "squeeze {thing}", "SQUEEZE", "thing", effective=False),
    Form("rinse", "rinse {thing}", "RINSE", "washable", effective=False),
    Form("scrub", "scrub {thing}", "SCRUB", "furniture surface", effective=False),
    Form("touch", "touch {thing}", "TOUCH", "any", effective=False),
    Form("type", "type on {thing}", "TYPE", "any", effective=False),
    Form("push", "push {thing}", "PUSH", "any", effective=False),
    Form("pull", "pull {thing}", "PULL", "any", effective=False),
    Form("move", "move {thing}", "MOVE", "any", effective=False),
    Form("greet", "greet {thing}", "GREET", "someone", effective=False),
    Form("sleep", "sleep", "SLEEP", effective=False),
    Form("wake_up", "wake up", "WAKEUP", effective=False),
    Form("look", "look", "", effective=False),
)
NUMBER = {form.form: number for number, form in enumerate(FORMS)}
EFFECTIVE = sum(form.effective for form in FORMS)
"""The first so many rows are the effective ones."""


def parse_form(text: str) -> tuple[int, dict[str, str]] | None:
    """Return the number of the row whose form a casefolded text has, and the names in it; None if there is none."""
    for number, form in enumerate(FORMS):
        if match := form.pattern.fullmatch(text):
            return number, match.groupdict()
    return None
