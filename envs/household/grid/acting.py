"""Actions on the grid in words: which there are now, and which moves a text stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from worldschool.envs.household.actions import Action, ActionError, UnreadableAction, parse
from worldschool.envs.household.forms import parse_form
from worldschool.envs.household.grid.deeds import (
    DONE,
    DROP,
    GRAB,
    LET_FALL,
    PICKUP,
    PLUG_IN,
    PUT_IN,
    PUT_ON,
    STEP,
    SWITCH_OFF,
    SWITCH_ON,
    TOGGLE,
    TURN_LEFT,
    TURN_RIGHT,
    deeds_of,
    first_candidate,
)
from worldschool.envs.household.grid.floor import ahead
from worldschool.envs.household.grid.places import GridPlaces
from worldschool.envs.household.grid.words import TEXT_OF_MOVE, read_move
from worldschool.envs.household.vocabulary import phrase
from worldschool.envs.household.words.refusals import static_refusal, upper

WALK = "walk to {place}"
MOVE_OF_FORM = {
    GRAB: PICKUP,
    PUT_ON: DROP,
    PUT_IN: DROP,
    LET_FALL: DROP,
    "open {thing}": TOGGLE,
    "close {thing}": TOGGLE,
    SWITCH_ON: TOGGLE,
    SWITCH_OFF: TOGGLE,
    PLUG_IN: TOGGLE,
}
"""How an action is written to the move that may be it; what is left out cannot be done on the grid."""
_OFFERED = [form.format(thing="THING", place="PLACE") for form in (WALK, *MOVE_OF_FORM)]
FORMS_OFFERED = f"write one of these: {', '.join([*_OFFERED, *TEXT_OF_MOVE.values()])}."


class Intent(NamedTuple):
    """What somebody wants to do: moves in order, and what the last of them brings them to, if it is a walk to a thing."""

    moves: Sequence[int]
    walked_to: str = ""


def actions_now(life: GridPlaces, actor: int, walks: bool) -> list[str]:
    """Return the actions that would succeed and change something now, sorted.

    Args:
        life: the household on its floor.
        actor: which character.
        walks: whether walks are among them, in place of turns and steps.
    """
    found = _walks_now(life, actor) if walks else _steps_now(life, actor)
    legal = life.engine.legal(actor)
    for move in (PICKUP, DROP, TOGGLE):
        deeds = deeds_of(life, actor, move)
        if (
            not isinstance(deeds, str)
            and (first := first_candidate(life, deeds)) is not None
            and legal[first]
        ):
            found.append(deeds[-1].text)
    if len(life.floor.poses) > 1:
        found.append(TEXT_OF_MOVE[DONE])
    return sorted(found)


def _walks_now(life: GridPlaces, actor: int) -> list[str]:
    can_walk = life.within_walk(actor)
    return [f"walk to {name}" for place, name in enumerate(life.floor.house.names) if can_walk(place)]


def _steps_now(life: GridPlaces, actor: int) -> list[str]:
    can_step = life.floor.can_enter(ahead(life.floor.poses[actor]))
    return [TEXT_OF_MOVE[move] for move in (TURN_LEFT, TURN_RIGHT, *([STEP] if can_step else []))]


def read_action(life: GridPlaces, actor: int, text: str, walks: bool) -> Intent:
    """Return the moves that a text stands for now. The household may refuse them yet: hands may be full.

    Args:
        life: the household on its floor.
        actor: who acts.
        text: as somebody wrote it.
        walks: whether a walk is one action.

    Raises:
        UnreadableAction: the text has no action's form, or names what is not in this house.
        ActionError: no move is that action now.
    """
    move = read_move(text)
    if move is not None:
        return Intent((move,))
    try:
        action = parse(life.engine.premises, text)
    except UnreadableAction as error:
        if error.certain or parse_form(" ".join(text.split()).casefold()) is not None:
            raise
        raise UnreadableAction(error.problem, FORMS_OFFERED) from None
    form = action.form.form
    if form == WALK:
        return _read_walk(life, actor, action.x, walks)
    if form in MOVE_OF_FORM:
        move = MOVE_OF_FORM[form]
        problem = _why_not(life, actor, move, action)
        if problem:
            raise ActionError(problem)
        return Intent((move,))
    if not action.form.row:  # looking around
        return Intent((DONE,))
    told = action.form.write(phrase(action.x), phrase(action.y))
    raise ActionError(f"On the grid nobody can {told}; walk, grab, put, open or switch.")


def _read_walk(life: GridPlaces, actor: int, name: str, walks: bool) -> Intent:
    house, said = life.floor.house, phrase(name)
    if not walks:
        raise ActionError(f"Here one walks by single moves; turn left, turn right or go forward to {said}.")
    path = life.path(actor, house.place_of[name])
    if path is None:
        raise ActionError(f"There is no way to {said} now, somebody is in the way; wait, or go elsewhere.")
    if not path:
        raise ActionError(f"You are there already; walk to something other than {said}.")
    return Intent(path, name if house.kind_of[name] != "room" else "")


def _why_not(life: GridPlaces, actor: int, move: int, action: Action) -> str | None:
    """Return why picking up, dropping or toggling is not an action now; None if it is."""
    form, x, y = action.form, action.x, action.y
    deeds = deeds_of(life, actor, move)
    if not isinstance(deeds, str) and deeds[-1].text == form.write(x, y):
        return None
    if form.write(x, y).casefold() not in life.engine.premises.by_text:
        return static_refusal(life.engine.premises, form, x, y)
    front, things = life.in_front(actor)
    hands = life.hands(actor)
    if move == DROP and x not in hands:
        return f"You do not hold {phrase(x)}; grab it first."
    if move == PICKUP and x in hands:
        return f"You hold {phrase(x)} already; put or drop it if you want it elsewhere."
    place = y or x
    if place not in (front, *things, *hands):
        return f"You do not face {phrase(place)}; walk to {place} first."
    if isinstance(deeds, str):
        return deeds
    if move == PICKUP:
        first = deeds[-1].x
        return f"{upper(phrase(first))} is in the way of {phrase(x)}; grab {first} first."
    return f"Here that move would be {deeds[-1].text!r}; do that, or face another place."
