"""What may be asked of a character in a house, and reading it from English.

An offer is a predicate that does not hold and that some action of this house brings about, by the properties of things
alone; whether a plan exists is for a planner to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from random import Random

from worldschool.envs.household.activities import draw_activity
from worldschool.envs.household.forms import FORMS
from worldschool.envs.household.goals import all_hold, check, holds
from worldschool.envs.household.lived_in import LivedIn
from worldschool.envs.household.state import HANDS
from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS
from worldschool.envs.household.words.missions import goal_instruction, goal_text
from worldschool.envs.household.words.requests import IT, LYING, SITTING, bare_name, clauses_of, templates
from worldschool.envs.household.words.synonyms import readings
from worldschool.errors import WorldError, nearest
from worldschool.records import Goal, Predicate

# A form of action to the predicate that it makes true: "me" is who acts, x and y what the action is about.
_MAKES: dict[str, tuple[str, str, str | None]] = {
    "put {thing} on {place}": ("ON", "x", "y"),
    "put {thing} in {place}": ("INSIDE", "x", "y"),
    "pour {thing} into {place}": ("INSIDE", "x", "y"),
    "grab {thing}": ("HOLDS", "me", "x"),
    "walk to {place}": ("AT", "me", "x"),
    "open {thing}": ("STATE:open", "x", None),
    "close {thing}": ("STATE:closed", "x", None),
    "switch on {thing}": ("STATE:on", "x", None),
    "switch off {thing}": ("STATE:off", "x", None),
    "plug in {thing}": ("STATE:plugged_in", "x", None),
    "unplug {thing}": ("STATE:plugged_out", "x", None),
    "wash {thing}": ("STATE:clean", "x", None),
    "wipe {thing}": ("STATE:clean", "x", None),
    "wear {thing}": ("ON", "x", "me"),
    "sit on {thing}": ("ON", "me", "x"),
    "lie on {thing}": ("ON", "me", "x"),
}
_POSTURES = {"sit on {thing}": SITTING, "lie on {thing}": LYING}
MOST_CLAUSES = 16
NO_STATE = "walking to a thing leaves nothing behind that could be looked at"


class HouseholdTasks:
    """Tasks for the first character of a household, in its present state.

    Args:
        world: a household after its reset; read, never changed.
    """

    def __init__(self, world: LivedIn) -> None:
        engine = world._now()
        self._premises, self._view = engine.premises, engine.view
        self._house = engine.premises.house
        self._me = self._house.characters[0]

    def offers(self) -> dict[str, list[Predicate]]:
        """Return what may be asked now, sorted, by relation: ON, INSIDE, HOLDS, AT and STATE (for all states)."""
        return self._offers

    @cached_property
    def _offers(self) -> dict[str, list[Predicate]]:
        found: dict[str, set[Predicate]] = {}
        for predicate in self._possible():
            if not holds(self._view, predicate):
                found.setdefault(predicate[0].partition(":")[0], set()).add(predicate)
        return {
            relation: sorted(predicates, key=lambda one: tuple(part or "" for part in one))
            for relation, predicates in sorted(found.items())
        }

    def _possible(self) -> Iterator[Predicate]:
        """Yield every predicate that some action of this house makes true."""
        house = self._house
        names = (*house.names, "")
        effective = self._premises.effective
        forms, candidates = self._premises.forms[:effective], self._premises.candidates[:effective]
        for form, (_, x, y) in zip(forms.tolist(), candidates.tolist(), strict=True):
            written = FORMS[form].form
            made = _MAKES.get(written)
            if made is not None and not (made[0] == "AT" and house.kind_of[names[x]] != "room"):
                yield self._filled(made, names[x], names[y])
            if written in _POSTURES:
                yield self._filled(_POSTURES[written], "", "")
        for thing, _ in house.objects:
            for room in house.rooms:
                yield "INSIDE", thing, room

    def _filled(self, made: Predicate, x: str, y: str) -> Predicate:
        roles: dict[str | None, str | None] = {"me": self._me, "x": x, "y": y, None: None}
        return made[0], str(roles[made[1]]), roles[made[2]]

    def fits(self, predicates: Sequence[Predicate]) -> bool:
        """Return whether predicates can hold together: each is of another thing, and two things at most are held."""
        about = [_moved(predicate) for predicate in predicates]
        held = sum(name == "HOLDS" for name, _, _ in predicates)
        return len(set(about)) == len(about) and held <= HANDS

    def activities(self, rng: Random) -> list[Goal]:
        """Return an everyday activity that this house offers and that is not done yet, as a goal; or nothing."""
        drawn = draw_activity(self._premises, self._view, self._me, rng)
        return [] if drawn is None else [drawn[1]]

    def goal(self, predicates: Sequence[Predicate]) -> Goal:
        """Return predicates as a goal, told to the first character: "Put the apple on the desk."."""
        ordered = Goal("", tuple(predicates)).predicates
        return Goal(goal_instruction(ordered, self._me), ordered)

    def kind(self, name: str) -> str:
        """Return what an entity is to a planner: "character", "room", "thing", "garment" or "vessel" of what can be
        carried, and of furniture its role: "surface", "container", "switch", "seat" or "basin".

        Raises:
            KeyError: there is no such entity in this house.
        """
        class_ = self._house.class_of[name]
        if class_ in FURNITURE:
            return FURNITURE[class_].role
        if class_ in OBJECTS:
            row = OBJECTS[class_]
            return "vessel" if row.vessel else "garment" if "CLOTHES" in row.properties else "thing"
        return class_

    # -- words ----------------------------------------------------------------------------------------------------------

    def describe(self) -> str:
        """Return who is told and what there is, in a few lines, for whoever thinks up a task."""
        house = self._house
        lines = [f"{self._me} can be asked to do something in this house."]
        for room in house.rooms:
            lines.append(f"In the {room}: {', '.join(house.furniture_in[room]) or 'nothing'}.")
        lines.append(f"Things to carry: {', '.join(sorted(name for name, _ in house.objects))}.")
        return "\n".join(lines)

    def read(self, text: str) -> Goal:
        """Read a task in English: "put the apple in the fridge and switch on the lamp".

        Orders in the words of actions and their synonyms are understood, and statements ("the apple is in the fridge");
        several are parted by commas or "and", and one may name several things ("the plate and the fork").

        Raises:
            WorldError: a part cannot be read, names what is not in this house, or could never hold or be brought about.
        """
        predicates = self._read_clauses(self._with_names(clauses_of(text)))
        moved = {subject for name, subject, _ in predicates if name in ("ON", "INSIDE")}
        # "Pick up the apple and put it in the fridge": in hand it is only on the way.
        goal = self.goal([one for one in predicates if not (one[0] == "HOLDS" and one[2] in moved)])
        check(self._house, goal)
        possible = {one for offers in self._offers.values() for one in offers}
        for predicate in goal.predicates:
            if predicate not in possible and not holds(self._view, predicate):
                problem = (
                    f"nothing that can be done in this house makes it true that {goal_text([predicate])}"
                )
                raise WorldError(problem, where="task", mend="Ask for something else.")
        if all_hold(self._view, goal):
            raise WorldError(f"it is already so that {goal_text(goal.predicates)}", where="task")
        return goal

    def _with_names(self, parts: list[str]) -> list[str]:
        """Return the parts of a sentence with "it" replaced by what the part before is about."""
        named: list[str] = []
        for part in parts:
            before = self._read_clause(named[-1]) if named and IT.search(part) else None
            named.append(IT.sub(_moved(before[0]) or "", part) if before else part)
        return named

    def _read_clauses(self, parts: list[str]) -> list[Predicate]:
        """Read the parts of a sentence: one clause each, or several parts ("clean the cup", "the pan") that are one."""
        if len(parts) > MOST_CLAUSES:
            raise WorldError(f"more than {MOST_CLAUSES} parts", where="task", mend="Ask for less at once.")
        # From the end: what the parts from here on ask for, or None. One part is read before two that are joined.
        read: list[list[Predicate] | None] = [None] * len(parts) + [[]]
        for first in reversed(range(len(parts))):
            for last in range(first + 1, len(parts) + 1):
                rest = read[last]
                clause = None if rest is None else self._read_clause(" and ".join(parts[first:last]))
                if rest is not None and clause is not None:
                    read[first] = clause + rest
                    break
        if read[0] is None:
            raise self._unread(next((part for part in parts if self._read_clause(part) is None), parts[0]))
        return read[0]

    def _unread(self, clause: str) -> WorldError:
        """Return why a clause cannot be read: a name that is not there, or else the whole of it."""
        for template, _ in templates():
            match = template.fullmatch(clause)
            for name in match.groupdict().values() if match else ():
                if self._known(name) is None:
                    named = bare_name(name)
                    mend = nearest(named, self._house.spoken.values()).strip() or "Name what is there."
                    return WorldError(f"there is no {named!r} in this house", where="task", mend=mend)
        mend = "Write it like 'put the apple in the fridge' or 'switch on the lamp'."
        return WorldError(f"{clause!r} cannot be read", where="task", mend=mend)

    def _read_clause(self, clause: str) -> list[Predicate] | None:
        """Return what a clause asks for, or None if it cannot be read."""
        for template, made in templates():
            match = template.fullmatch(clause)
            if match is None:
                continue
            names = {group: self._known(written) for group, written in match.groupdict().items()}
            if None not in names.values():
                x, y = names.get("x") or "", names.get("y") or ""
                return [one for predicate in made for one in self._each(predicate, x, y)]
        for form, names_of_form, _ in readings(clause, self._known):
            made_by = _MAKES.get(FORMS[form].form)
            if made_by is None:
                continue
            return self._each(made_by, *(*names_of_form, "", "")[:2])
        return None

    def _each(self, made: Predicate, x: str, y: str) -> list[Predicate]:
        """Return the predicates about each of several names, which `_known` joined."""
        found = [self._filled(made, one, other) for one in x.split(_MARK) for other in y.split(_MARK)]
        return [self._sensible(predicate) for predicate in found]

    def _sensible(self, predicate: Predicate) -> Predicate:
        """Return what was meant: somebody "in" a room is AT it.

        Raises:
            WorldError: it asks to walk to a thing.
        """
        name, subject, target = predicate
        kinds = self._house.kind_of
        if name == "INSIDE" and kinds.get(subject) == "character" and kinds.get(target or "") == "room":
            return "AT", subject, target
        if name == "AT" and kinds.get(target or "") != "room":
            raise WorldError(NO_STATE, where="task", mend="Ask for what is to be true afterwards.")
        return predicate

    def _known(self, written: str) -> str | None:
        """Return the name that a text stands for, or several joined by a mark; None if one is not in this house."""
        names: list[str] = []
        for part in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", written):
            found = self._house.spoken.get(bare_name(part))
            if found is None:
                return None
            names.append(found)
        return _MARK.join(names)


_MARK = "\x1f"


def _moved(predicate: Predicate) -> str | None:
    """Return the thing that a predicate asks to move or set."""
    name, subject, target = predicate
    return target if name == "HOLDS" else subject
