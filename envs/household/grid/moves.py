"""What each of MiniGrid's moves does in a household.

A move works on the cell in front; if nothing there can be picked up or toggled, on what is in the hand: out of a vessel
that is carried, a device that is carried.
"""

from __future__ import annotations

from worldschool.envs.household.actions import LOOK, Action, event_of
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.floorplan import Cell
from worldschool.envs.household.forms import FORMS, NUMBER
from worldschool.envs.household.grid.deeds import (
    DONE,
    DROP,
    LET_FALL,
    MOVES,
    PICKUP,
    STEP,
    TOGGLE,
    TURN_LEFT,
    TURN_RIGHT,
    Deed,
    deeds_of,
)
from worldschool.envs.household.grid.floor import Floor, ahead
from worldschool.envs.household.grid.places import GridPlaces
from worldschool.envs.household.vocabulary import phrase
from worldschool.envs.household.words.refusals import refusal, static_refusal, upper
from worldschool.records import Event

__all__ = ["DONE", "DROP", "MOVES", "PICKUP", "STEP", "TOGGLE", "TURN_LEFT", "TURN_RIGHT", "GridHousehold"]

WALK = FORMS[NUMBER["walk to {place}"]]


class GridHousehold(GridPlaces):
    """A household whose characters make moves.

    Args:
        engine, floor: as for `GridPlaces`.
    """

    def __init__(self, engine: Engine, floor: Floor) -> None:
        super().__init__(engine, floor)
        self._events: list[Event] = []

    def do(self, actor: int, move: int, t: int) -> tuple[str | None, tuple[Event, ...]]:
        """Let a character make a move.

        Args:
            actor: which character.
            move: number in MOVES.
            t: the events' step.

        Returns:
            What was wrong, or None; then the events. A move that fails changes nothing.
        """
        self._events = []
        x, y, direction = self.floor.poses[actor]
        error = None
        if move in (TURN_LEFT, TURN_RIGHT):
            turned = direction + (1 if move == TURN_RIGHT else -1)
            self.floor.poses[actor] = (x, y, turned % 4)
        elif move == STEP:
            error = self._step(actor, t)
        elif move != DONE:
            error = self._use(actor, move, t)
        return error, tuple(self._events)

    # -- moves --------------------------------------------------------------------------------------------------------

    def _step(self, actor: int, t: int) -> str | None:
        floor, house = self.floor, self.floor.house
        pose = floor.poses[actor]
        cell = ahead(pose)
        if not floor.can_enter(cell):
            return self._obstacle(cell)
        before, left = self.engine.view, self.place(actor)[0]
        floor.poses[actor] = (*cell, pose[2])
        self.stand()
        entered = self.place(actor)[0]
        if entered != left:
            walk = Action(LOOK, WALK, house.names[entered])
            self._events.append(event_of(walk, house.characters[actor], before, self.engine.view, t))
        return None

    def approach(self, actor: int, name: str, t: int) -> Event:
        """Return the event that tells that a character has just walked up to something."""
        view = self.engine.view
        return event_of(Action(LOOK, WALK, name), self.floor.house.characters[actor], view, view, t)

    def _obstacle(self, cell: Cell) -> str:
        names = self.floor.house.names
        if (piece := self.floor.furniture_at.get(cell)) is not None:
            return f"{upper(phrase(names[piece]))} is in the way; go round it."
        if (person := self.floor.character_at(cell)) is not None:
            return f"{names[person]} is in the way; wait, or go round."
        return "There is a wall ahead; turn left or right."

    def _use(self, actor: int, move: int, t: int) -> str | None:
        deeds = deeds_of(self, actor, move)
        if isinstance(deeds, str):
            return deeds
        for deed in deeds:
            if error := self._attempt(actor, t, deed):
                return error
        floor, thing = self.floor, self.floor.house.place_of[deeds[-1].x]
        if move == PICKUP:
            floor.lying.pop(thing, None)
        elif deeds[-1].written == LET_FALL:
            floor.lying[thing] = ahead(floor.poses[actor])
        self.stand()
        return None

    def _attempt(self, actor: int, t: int, deed: Deed) -> str | None:
        """Do an action of the household and record its event. Returns why it failed, or None."""
        engine, form = self.engine, FORMS[NUMBER[deed.written]]
        before = engine.view
        candidate = engine.premises.by_text.get(deed.text.casefold())
        if candidate is None:
            return static_refusal(engine.premises, form, deed.x, deed.y)
        name = self.floor.house.characters[actor]
        reason = engine.act(actor, candidate)
        error = refusal(before, name, form, deed.x, deed.y, reason) if reason else None
        action = Action(candidate, form, deed.x, deed.y)
        self._events.append(event_of(action, name, before, engine.view, t, succeeded=error is None))
        return error
