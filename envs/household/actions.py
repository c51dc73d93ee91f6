"""Actions in text: reading them, and telling what each changed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from worldschool.envs.household.forms import FORMS, Form, parse_form
from worldschool.envs.household.houses import House
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.state import View
from worldschool.envs.household.words.synonyms import readings
from worldschool.errors import nearest
from worldschool.records import Event

MAX_ACTION_LENGTH = 200
LOOK, NEVER = -1, -2
"""In place of a candidate's index: the action that does nothing, and one that can never be done."""
LIKENESS = 0.75
"""How like a text must be to a legal action, from 0 to 1 (difflib's ratio), for that to be what was probably meant."""


class ActionError(ValueError):
    """A text is no action of this house, or the action cannot be done now; the message is one sentence."""


class UnreadableAction(ActionError):
    """A text that cannot be read.

    Args:
        problem: what is wrong with it, without a full stop.
        mend: what to do instead.
        certain: whether the mend is a guess at what was meant, so that no other is wanted.
    """

    def __init__(self, problem: str, mend: str, certain: bool = False) -> None:
        super().__init__(f"{problem}; {mend}")
        self.problem, self.certain = problem, certain

    def guessing(self, action: str | None) -> str:
        """Return the message, with the action that was probably meant as the mend if there is one."""
        return str(self) if self.certain or action is None else f"{self.problem}; did you mean {action!r}?"


class Action(NamedTuple):
    """A parsed action."""

    candidate: int
    """Index of `Premises.candidates`, or LOOK, or NEVER."""
    form: Form
    x: str = ""
    """Name of what it is about; empty if it names nothing."""
    y: str = ""
    """Name of the second thing it names, or empty."""


def action_of(premises: Premises, candidate: int) -> Action:
    """Return a candidate as an action."""
    _, x, y = premises.candidates[candidate].tolist()
    names = (*premises.house.names, "")
    return Action(candidate, FORMS[premises.forms[candidate]], names[x], names[y])


def parse(premises: Premises, text: str) -> Action:
    """Read an action, in its exact form or in other words (`synonyms`). Case and spacing do not matter.

    Raises:
        UnreadableAction: the text has no action's form, or names what is not in this house.
        ActionError: it is too long.
    """
    if len(text) > MAX_ACTION_LENGTH:
        raise ActionError(f"An action has at most {MAX_ACTION_LENGTH} characters; this one has {len(text)}.")
    folded = " ".join(text.split()).casefold()
    candidate = premises.by_text.get(folded)
    if candidate is not None:
        return action_of(premises, candidate)
    found = list(readings(folded, premises.house.spoken.get))
    for form, names, _ in found:
        if not FORMS[form].row:
            return Action(LOOK, FORMS[form])
        candidate = premises.by_text.get(FORMS[form].write(*names).casefold())
        if candidate is not None:
            return action_of(premises, candidate)
    for form, names, certain in found:
        if certain:
            return Action(NEVER, FORMS[form], *names)
    raise _unreadable(premises.house, text, folded)


def _unreadable(house: House, text: str, folded: str) -> UnreadableAction:
    """Return why a text cannot be read: it has no action's form, or one of its names is not known here."""
    exact = parse_form(folded)
    if exact is None:
        forms = ", ".join(form.form.format(thing="THING", place="PLACE") for form in FORMS if form.effective)
        return UnreadableAction(
            f"{' '.join(text.split())!r} is not an action", f"write one of these: {forms}."
        )
    name = next(name for name in exact[1].values() if name not in house.spoken)
    mend = nearest(name, house.spoken.values()).strip()
    problem = f"There is no {name!r} in this house"
    if mend:
        return UnreadableAction(problem, f"{mend[0].lower()}{mend[1:]}", certain=True)
    return UnreadableAction(problem, "choose a name from the observation.")


def nearest_action(text: str, legal: Sequence[str]) -> str | None:
    """Return the one of some actions that a text is most like, if it is like one; names before a colon do not count."""
    without_name = {action.casefold().rpartition(": ")[2]: action for action in legal}
    folded = " ".join(text.split()).casefold().rpartition(": ")[2]
    found = difflib.get_close_matches(folded, without_name, n=1, cutoff=LIKENESS)
    return without_name[found[0]] if found else None


def event_of(action: Action, actor: str, before: View, after: View, t: int, succeeded: bool = True) -> Event:
    """Return the event that tells of an action.

    A walk goes from room to room (`object` is the thing walked to, if it was not the room itself). Of a thing that was
    moved, source and target are what it was and is in, on or held by. An action that failed tells what was tried. Those
    in the rooms of the actor before and after see it.
    """
    form = action.form
    here, there = before.room_of(actor), after.room_of(actor)
    seen_by = tuple(sorted({*before.present(here), *after.present(there)}))
    is_room = before.house.kind_of.get(action.x) == "room"
    about = action.x if action.x and not is_room else None
    if not succeeded:
        target = action.y or (action.x if is_room else None)
        return Event(t, actor, form.verb, about, None, target, None, succeeded=False, seen_by=seen_by)
    if form.verb == "walk":
        return Event(t, actor, form.verb, about, here, there, "AT", seen_by=seen_by)
    if about is not None and before.house.kind_of[about] == "object":
        was, is_now = before.place(about), after.place(about)
        if was != is_now:
            return Event(t, actor, form.verb, about, was[0], *is_now, seen_by=seen_by)
    return Event(t, actor, form.verb, about, seen_by=seen_by)
