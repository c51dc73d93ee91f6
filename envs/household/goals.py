"""Goals: checking what they name, and whether they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.houses import House
from worldschool.envs.household.scene.goals import GOAL_AT, GOAL_HOLDS, GOAL_INSIDE, GOAL_ON, GOAL_STATE
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.state import STATE_NAMES, View
from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS
from worldschool.envs.household.words.missions import CLASS, STATE, goal_instruction, is_person
from worldschool.envs.household.words.wordings import Choose, plainly
from worldschool.errors import WorldError, nearest
from worldschool.records import Goal, Predicate

# What a predicate's subject and object must be one of (`facets`). A predicate of others could never hold.
_SUBJECTS: dict[str, tuple[str, ...]] = {
    "ON": ("object", "character"),
    "INSIDE": ("object", "furniture"),
    "HOLDS": ("character",),
    "AT": ("character",),
    "STATE:open": ("container that opens",),
    "STATE:closed": ("container that opens",),
    "STATE:on": ("device",),
    "STATE:off": ("device",),
    "STATE:plugged_in": ("device with a plug",),
    "STATE:plugged_out": ("device with a plug",),
    "STATE:clean": ("washable",),
    "STATE:dirty": ("washable",),
    "STATE:sitting": ("character",),
    "STATE:lying": ("character",),
}
_OBJECTS: dict[str, tuple[str, ...]] = {
    "ON": ("surface", "character"),
    "ON of a character": ("seat",),
    "INSIDE": ("room", "container"),
    "HOLDS": ("object",),
    "AT": ("room",),
}
_FACETS = {
    "SURFACES": "surface",
    "CONTAINERS": "container",
    "CAN_OPEN": "container that opens",
    "HAS_SWITCH": "device",
    "HAS_PLUG": "device with a plug",
    "SITTABLE": "seat",
    "LIEABLE": "seat",
}


def facets(house: House, name: str) -> set[str]:
    """Return what an entity is, in the words of the tables above."""
    kind, class_ = house.kind_of[name], house.class_of[name]
    row = FURNITURE.get(class_) or OBJECTS.get(class_)
    if row is None:
        return {kind}
    found = {kind, *(facet for property_, facet in _FACETS.items() if property_ in row.properties)}
    vessel, washable = getattr(row, "vessel", False), getattr(row, "washable", "surface" in found)
    return found | ({"container"} if vessel else set()) | ({"washable"} if washable else set())


def check(house: House, goal: Goal) -> None:
    """Check that every predicate of a goal is one that could hold in this house.

    Raises:
        WorldError: a predicate is unknown, names what is not there, or relates things that never stand so.
    """
    for predicate in goal.predicates:
        name, subject, target = predicate
        if name not in _SUBJECTS:
            mend = f"Accepted: {', '.join(_SUBJECTS)}.{nearest(name, _SUBJECTS)}"
            raise WorldError(f"unknown predicate {name!r}", where="goal", mend=mend)
        _check_argument(house, predicate, subject, _SUBJECTS[name])
        if name in _OBJECTS:
            wanted = f"{name} of a character" if name == "ON" and is_person(subject) else name
            _check_argument(house, predicate, target, _OBJECTS[wanted])
        elif target is not None:
            raise WorldError(
                f"{name} takes no object, found {target!r}", where=f"goal {predicate}", mend="Give null."
            )


def _check_argument(house: House, predicate: Predicate, argument: str | None, wanted: Sequence[str]) -> None:
    where = f"goal {list(predicate)}"
    found = members(house, argument) if argument is not None else ()
    if not found:
        known = [*house.class_of, *(CLASS + class_ for class_ in dict.fromkeys(house.class_of.values()))]
        mend = nearest(argument or "", known).strip() or "Name an entity of this house, or class:NAME."
        raise WorldError(f"there is no {argument!r} in this house", where=where, mend=mend)
    if not any(facets(house, name) & set(wanted) for name in found):
        problem = f"{argument!r} is of kind {', '.join(sorted(facets(house, found[0])))}"
        raise WorldError(problem, where=where, mend=f"{predicate[0]} takes here: {', '.join(wanted)}.")


def members(house: House, argument: str) -> tuple[str, ...]:
    """Return the entities an argument stands for: one by its name, or all of "class:apple"."""
    if argument.startswith(CLASS):
        class_ = argument.removeprefix(CLASS)
        return tuple(name for name, found in house.class_of.items() if found == class_)
    return (argument,) if argument in house.class_of else ()


def holds(view: View, predicate: Predicate) -> bool:
    """Return whether a predicate holds.

    INSIDE looks through all that a thing is in or on, up to the room. ON is also what a character sits or lies on, and
    for clothes the character who wears them.
    """
    name, subject, target = predicate
    subjects = members(view.house, subject)
    if name.startswith(STATE):
        word = states_word(name.removeprefix(STATE).upper())
        return any(view.has_state(one, word) for one in subjects)
    targets = members(view.house, target or "")
    if name == "HOLDS":
        return any(view.holder(one) in subjects and view.relation(one) == "HOLDS" for one in targets)
    if name == "AT":
        return any(view.room_of(one) in targets for one in subjects)
    if name == "INSIDE":
        return any(_is_inside(view, one, targets) for one in subjects)
    return any(view.holder(one) in targets and view.relation(one) == "ON" for one in subjects)


def _is_inside(view: View, name: str, targets: Sequence[str]) -> bool:
    for place in view.above(name):
        if place in targets and view.relation(name) == "INSIDE":
            return True
        name = place
    return name in targets  # the room


def all_hold(view: View, goal: Goal) -> bool:
    """Return whether a goal is reached; one without predicates never is."""
    return bool(goal.predicates) and all(holds(view, predicate) for predicate in goal.predicates)


def from_rows(house: House, rows: NDArray[np.int16], actor: str, choose: Choose = plainly) -> Goal:
    """Return a goal of the compiled dynamics (`scene.goals`) in names and English, as what `actor` is to do.

    `choose` picks the wordings.
    """
    predicates: list[Predicate] = []
    for kind, x, y in rows.tolist():
        subject = house.names[x]
        if kind == GOAL_STATE:
            predicates += [(STATE + name, subject, None) for word, name in STATE_NAMES if y == word]
        else:
            predicates.append((_KINDS[kind], subject, house.names[y]))
    goal = Goal("", tuple(predicates))
    return Goal(goal_instruction(goal.predicates, actor, choose), goal.predicates)


_KINDS = {GOAL_ON: "ON", GOAL_INSIDE: "INSIDE", GOAL_HOLDS: "HOLDS", GOAL_AT: "AT"}
