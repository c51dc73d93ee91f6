"""What must hold before an action: each need returns None, or the sentence that says what is wrong and the nearest fix.

A need is asked only when those before it in its row of the table (actions.py) were met.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from worldschool.envs.household.state import HANDS, State
from worldschool.envs.household.vocabulary import phrase


class Arguments(NamedTuple):
    """What an action is about: a thing (object or furniture) and a place, where its form has them."""

    thing: str = ""
    place: str = ""


Need: TypeAlias = Callable[[State, str, Arguments], str | None]
"""Takes the state, the acting character and what the action is about."""


def place_is_room(state: State, actor: str, on: Arguments) -> str | None:
    """The place is a room."""
    if state.house.kind_of[on.place] == "room":
        return None
    room = state.room_of(on.place)
    return f"{_upper(phrase(on.place))} is not a room; walk to {room} instead."


def is_elsewhere(state: State, actor: str, on: Arguments) -> str | None:
    """The actor is in another room."""
    if state.place[actor] != on.place:
        return None
    return f"You are in {phrase(on.place)} already; walk to another room."


def is_object(state: State, actor: str, on: Arguments) -> str | None:
    """The thing is one that can be carried."""
    if state.house.kind_of[on.thing] == "object":
        return None
    return f"{_upper(phrase(on.thing))} cannot be carried; choose one of the things on or in the furniture."


def is_not_in_hand(state: State, actor: str, on: Arguments) -> str | None:
    """The actor does not hold the thing itself; it may hold the vessel it is in."""
    if state.place[on.thing] != actor:
        return None
    return f"You hold {phrase(on.thing)} already; put or drop it if you want it elsewhere."


def is_in_hand(state: State, actor: str, on: Arguments) -> str | None:
    """The thing is in the actor's hand, not in a vessel held."""
    if state.place.get(on.thing) == actor:
        return None
    return f"You do not hold {phrase(on.thing)}; grab it first."


def thing_in_reach(state: State, actor: str, on: Arguments) -> str | None:
    """The thing can be touched from where the actor is."""
    return _reach_problem(state, actor, on.thing)


def place_in_reach(state: State, actor: str, on: Arguments) -> str | None:
    """The place can be touched from where the actor is."""
    return _reach_problem(state, actor, on.place)


def _reach_problem(state: State, actor: str, name: str) -> str | None:
    """Return why an object or piece of furniture cannot be touched; what is out of sight is not given away."""
    if state.house.kind_of[name] == "object":
        if state.is_reachable(name, actor):
            return None
        holder = state.base(name)
        if state.house.kind_of[holder] == "character" and state.place[holder] == state.place[actor]:
            return f"{holder} is holding {phrase(name)}; wait until it is put down."
        return f"You cannot see {phrase(name)} here; walk to another room or open what is closed."
    if state.room_of(name) == state.place[actor]:
        return None
    return (
        f"{_upper(phrase(name))} is not in {phrase(state.place[actor])}; walk to {state.room_of(name)} first."
    )


def has_free_hand(state: State, actor: str, on: Arguments) -> str | None:
    """The actor has a hand free."""
    if len(held := state.held(actor)) < HANDS:
        return None
    return f"Your hands are full with {' and '.join(map(phrase, held))}; put one of them down first."


def place_is_surface(state: State, actor: str, on: Arguments) -> str | None:
    """Things can be put on the place."""
    kind = state.house.kind_of[on.place]
    if kind == "surface":
        return None
    if kind == "container" or on.place in state.house.vessels:
        return f"Nothing can be put on {phrase(on.place)}; put it in {on.place} instead."
    return f"Nothing can be put on {phrase(on.place)}; choose a surface{_example(state, actor, 'surface')}."


def place_holds_things(state: State, actor: str, on: Arguments) -> str | None:
    """Things can be put in the place: a container or a vessel."""
    kind = state.house.kind_of[on.place]
    if kind == "container" or on.place in state.house.vessels:
        return None
    if kind == "surface":
        return f"Nothing can be put in {phrase(on.place)}; put it on {on.place} instead."
    if kind == "room":
        return f"To leave {phrase(on.thing)} on the floor of the room you are in, drop it."
    example = _example(state, actor, "container")
    return f"Nothing can be put in {phrase(on.place)}; choose a container or vessel{example}."


def place_is_another(state: State, actor: str, on: Arguments) -> str | None:
    """The place is not the thing itself."""
    if on.thing != on.place:
        return None
    return f"{_upper(phrase(on.thing))} cannot be put in itself; choose another place."


def place_is_open(state: State, actor: str, on: Arguments) -> str | None:
    """The place is not closed."""
    if state.setting.get(on.place) != "closed":
        return None
    return f"{_upper(phrase(on.place))} is closed; open it first."


def fits(state: State, actor: str, on: Arguments) -> str | None:
    """The thing is smaller than the vessel; furniture takes anything."""
    if state.house.kind_of[on.place] != "object" or state.house.fits(on.thing, on.place):
        return None
    return f"{_upper(phrase(on.thing))} is too big for {phrase(on.place)}; choose a larger place."


def can_open(state: State, actor: str, on: Arguments) -> str | None:
    """The thing opens and closes."""
    if state.house.kind_of[on.thing] == "container":
        return None
    example = _example(state, actor, "container")
    return f"{_upper(phrase(on.thing))} cannot be opened or closed; choose a container{example}."


def can_switch(state: State, actor: str, on: Arguments) -> str | None:
    """The thing is switched on and off."""
    if state.house.kind_of[on.thing] == "switch":
        return None
    example = _example(state, actor, "switch")
    return f"{_upper(phrase(on.thing))} cannot be switched on or off; choose a device{example}."


def is_not(setting: str) -> Need:
    """Return the need that furniture is not open, closed, on or off yet."""

    def need(state: State, actor: str, on: Arguments) -> str | None:
        if state.setting[on.thing] != setting:
            return None
        return f"{_upper(phrase(on.thing))} is {setting} already; there is nothing to do."

    return need


def _example(state: State, actor: str, kind: str) -> str:
    """Return " like the desk" for furniture of that kind in the actor's room, or nothing."""
    for name in state.house.furniture_in[state.place[actor]]:
        if state.house.kind_of[name] == kind:
            return f" like {phrase(name)}"
    return ""


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]
