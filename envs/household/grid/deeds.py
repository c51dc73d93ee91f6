"""What picking up, dropping and toggling would be now, in the household's own actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from worldschool.envs.household.forms import FORMS, NUMBER
from worldschool.envs.household.grid.floor import ahead
from worldschool.envs.household.grid.places import GridPlaces
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.state import CLOSED, OPEN
from worldschool.envs.household.vocabulary import phrase, properties_of
from worldschool.envs.household.words.refusals import upper

MOVES = ("left", "right", "forward", "pickup", "drop", "toggle", "done")
"""MiniGrid's, by number."""
TURN_LEFT, TURN_RIGHT, STEP, PICKUP, DROP, TOGGLE, DONE = range(len(MOVES))
SWITCHED_ON, UNPLUGGED = states_word("ON"), states_word("PLUGGED_OUT")
GRAB, PUT_ON, PUT_IN, LET_FALL = (
    "grab {thing}",
    "put {thing} on {place}",
    "put {thing} in {place}",
    "drop {thing}",
)
SWITCH_ON, SWITCH_OFF, PLUG_IN = "switch on {thing}", "switch off {thing}", "plug in {thing}"


class Deed(NamedTuple):
    """An action of the household: how it is written (`forms.FORMS`), and the names of what it is about."""

    written: str
    x: str
    y: str = ""

    @property
    def text(self) -> str:
        """The action: "put apple on desk"."""
        return FORMS[NUMBER[self.written]].write(self.x, self.y)


def deeds_of(life: GridPlaces, actor: int, move: int) -> tuple[Deed, ...] | str:
    """Return the actions of the household that picking up, dropping or toggling would be now, or why there is none.

    Of several the household can refuse the first alone.

    Args:
        life: the household on its floor.
        actor: which character.
        move: PICKUP, DROP or TOGGLE.
    """
    if move == PICKUP:
        return _to_pick_up(life, actor)
    return _to_drop(life, actor) if move == DROP else _to_toggle(life, actor)


def first_candidate(life: GridPlaces, deeds: Sequence[Deed]) -> int | None:
    """Return which of the premises' candidates the first of some deeds is; None if the house has no such action."""
    return life.engine.premises.by_text.get(deeds[0].text.casefold())


def _to_pick_up(life: GridPlaces, actor: int) -> tuple[Deed, ...] | str:
    front, things = life.in_front(actor)
    if not things:
        things = [thing for held in life.hands(actor) for thing in life.within_reach(held)]
        things.sort(key=life.floor.house.place_of.__getitem__)
    if things:
        return (Deed(GRAB, things[0]),)
    if front is not None and life.engine.view.has_state(front, CLOSED):
        return f"{upper(phrase(front))} is closed; open it first."
    return "There is nothing to pick up here; face a thing, or what it is on."


def _to_drop(life: GridPlaces, actor: int) -> tuple[Deed, ...] | str:
    held = life.hands(actor)
    if not held:
        return "Your hands are empty; pick something up first."
    thing, cell, floor = held[-1], ahead(life.floor.poses[actor]), life.floor
    front, lying = life.in_front(actor)
    if cell in floor.furniture_at and front is not None:
        return (Deed(_way_of_putting(life, front), thing, front),)
    if front is not None:
        return f"{front} is in the way; choose a free place."
    if cell in floor.doors:
        return "Nothing can be left in a doorway; choose a free place."
    if cell not in floor.room_at:
        return "There is a wall ahead; turn to a free place or to furniture."
    if lying:
        return _to_put_with(life, thing, lying)
    if floor.room_at[cell] != life.place(actor)[0]:
        return "You are in the doorway; step into the room first."
    return (Deed(LET_FALL, thing),)


def _way_of_putting(life: GridPlaces, piece: str) -> str:
    """Return how things are put there: what is open takes them in, anything else on top if it can."""
    properties = properties_of(life.floor.house.class_of[piece])
    is_open = "CONTAINERS" in properties and not life.engine.view.has_state(piece, CLOSED)
    return PUT_ON if "SURFACES" in properties and not is_open else PUT_IN


def _to_put_with(life: GridPlaces, thing: str, lying: list[str]) -> tuple[Deed, ...] | str:
    """Return how a thing is put into or onto the first of those in a cell that takes it."""
    by_text = life.engine.premises.by_text
    for other in lying:
        for written in (PUT_IN, PUT_ON):
            if FORMS[NUMBER[written]].write(thing, other).casefold() in by_text:
                return (Deed(written, thing, other),)
    return f"{upper(phrase(lying[0]))} is in the way; choose a free place."


def _to_toggle(life: GridPlaces, actor: int) -> tuple[Deed, ...] | str:
    front, things = life.in_front(actor)
    is_piece = front is not None and life.engine.premises.house.kind_of[front] != "character"
    for target in ([front] if front and is_piece else []) + things + life.hands(actor)[::-1]:
        if uses := _uses(life, target):
            return tuple(Deed(written, target) for written in uses)
    return "There is nothing to open or switch here; face a container or a device."


def _uses(life: GridPlaces, name: str) -> tuple[str, ...]:
    """Return what toggling a thing does now; nothing if it neither opens nor has a switch.

    What both opens and has a switch goes round in a circle: opened, then closed and switched on, then switched off.
    """
    by_text, view = life.engine.premises.by_text, life.engine.view
    opens = f"open {name}".casefold() in by_text
    switches = f"switch on {name}".casefold() in by_text
    plugged_in = not view.has_state(name, UNPLUGGED)
    if switches and view.has_state(name, SWITCHED_ON):
        return (SWITCH_OFF,)
    if opens and view.has_state(name, OPEN):
        return ("close {thing}", SWITCH_ON) if switches and plugged_in else ("close {thing}",)
    if switches and not plugged_in:
        return (PLUG_IN,)
    return ("open {thing}",) if opens else (SWITCH_ON,) if switches else ()
