"""What each of MiniGrid's moves does in a household.

A move works on the cell in front; if nothing there can be picked up or toggled, on what is in the hand: out of a vessel
that is carried, a device that is carried.
"""

from __future__ import annotations

import numpy as np

from worldschool.envs.household.actions import LOOK, Action, event_of
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.floorplan import Cell
from worldschool.envs.household.forms import FORMS, NUMBER
from worldschool.envs.household.grid.floor import Floor, ahead
from worldschool.envs.household.premises import CHARACTER, OBJECT, ROOM
from worldschool.envs.household.scene import standing
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.memory import State
from worldschool.envs.household.scene.operations import HOLDS_LH, HOLDS_RH
from worldschool.envs.household.state import CLOSED, OPEN
from worldschool.envs.household.vocabulary import phrase, properties_of
from worldschool.envs.household.words.refusals import refusal, static_refusal, upper
from worldschool.records import Event

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


class GridHousehold:
    """A household whose characters stand on the cells of a floor.

    Args:
        engine: its state. Its rooms, CLOSE edges and what is on the floor are kept in step with the floor.
        floor: of the same house.
    """

    def __init__(self, engine: Engine, floor: Floor) -> None:
        self.engine, self.floor = engine, floor
        # The same words under another undo log, which the grid has no use for.
        self._state = State(engine.memory, np.zeros((0, 2), np.uint64), np.zeros(1, np.int64))
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
        elif move == PICKUP:
            error = self._pick_up(actor, t)
        elif move == DROP:
            error = self._drop(actor, t)
        elif move == TOGGLE:
            error = self._toggle(actor, t)
        if move != DONE and not error:
            self.stand()
        return error, tuple(self._events)

    # -- where everything is ----------------------------------------------------------------------------------------

    def place(self, thing: int) -> tuple[int, int]:
        """Return the place of what a thing is in, on or held by, and the relation."""
        word = int(self.engine.memory[(thing + 1) * self.engine.premises.layout.block - 1]) - 1
        return word >> 3, word & 7

    def where_and_how(self) -> bytes:
        """Return what tells apart any two states of this house but for closeness: all places and states of things."""
        memory, block = self.engine.memory, self.engine.premises.layout.block
        found: bytes = memory[block - 1 :: block].tobytes() + memory[block - 3 :: block].tobytes()
        return found

    def rooms(self) -> list[int]:
        """Return of each character the place of its room."""
        return [self.place(character)[0] for character in range(len(self.floor.house.characters))]

    def on_floor(self) -> list[tuple[int, int]]:
        """Return (place, place of its room) of each thing on a floor, in order."""
        kinds = self.engine.premises.kinds
        found = []
        for thing, kind in enumerate(kinds):
            if kind == OBJECT and kinds[(holder := self.place(thing)[0])] == ROOM:
                found.append((thing, holder))
        return found

    def hands(self, actor: int) -> list[str]:
        """Return what a character holds, what it took last at the end: the right hand is filled first, emptied last."""
        house = self.floor.house
        held = self.engine.view.held(house.characters[actor])
        by_hand = {self.place(house.place_of[name])[1]: name for name in held}
        return [by_hand[hand] for hand in (HOLDS_RH, HOLDS_LH) if hand in by_hand]

    def within_reach(self, name: str) -> list[str]:
        """Return what is on a thing, or in it when it is not closed, in the house's order."""
        view, order = self.engine.view, self.floor.house.place_of
        contents = view.contents.get(name, {})
        shown = list(contents.get("ON", ()))
        if not view.has_state(name, CLOSED):
            shown += contents.get("INSIDE", ())
        return sorted(shown, key=order.__getitem__)

    def in_front(self, actor: int) -> tuple[str | None, list[str]]:
        """Return the furniture or character in front, if there is one, and the things there that could be picked up."""
        names, cell = self.floor.house.names, ahead(self.floor.poses[actor])
        if (piece := self.floor.furniture_at.get(cell)) is not None:
            return names[piece], self.within_reach(names[piece])
        person = self.floor.character_at(cell)
        return None if person is None else names[person], [
            names[thing] for thing in self.floor.things_at(cell)
        ]

    def path(self, actor: int, place: int) -> list[int] | None:
        """Return the fewest moves that bring a character to something (HouseholdGridEnv.path_to), or None."""
        kinds, floor = self.engine.premises.kinds, self.floor
        pose = floor.poses[actor]
        while kinds[place] == OBJECT and place not in floor.lying:
            place = self.place(place)[0]
        if place == actor or (kinds[place] == ROOM and self.place(actor)[0] == place):
            return []
        if kinds[place] == ROOM:
            return floor.shortest_path(pose, lambda at: floor.room_at.get(at[:2]) == place)
        if kinds[place] == CHARACTER:
            cell: Cell | None = floor.poses[place][:2]
        else:
            cell = floor.lying.get(place) or floor.cell_of[place]
        return floor.shortest_path(pose, lambda at: ahead(at) == cell)

    def stand(self) -> None:
        """Bring each character's room and what it is CLOSE to in step with the floor."""
        scene, floor = self.engine.premises.scene, self.floor
        for actor, (x, y, _) in enumerate(floor.poses):
            room = floor.room_at.get((x, y), self.place(actor)[0])
            pieces, lying = (np.array(places, np.int64) for places in floor.near(actor))
            standing.stand(scene, self._state, actor, room, pieces, lying)
        self.engine.changed()

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
            walk = Action(LOOK, FORMS[NUMBER["walk to {place}"]], house.names[entered])
            self._events.append(event_of(walk, house.characters[actor], before, self.engine.view, t))
        return None

    def _obstacle(self, cell: Cell) -> str:
        names = self.floor.house.names
        if (piece := self.floor.furniture_at.get(cell)) is not None:
            return f"{upper(phrase(names[piece]))} is in the way; go round it."
        if (person := self.floor.character_at(cell)) is not None:
            return f"{names[person]} is in the way; wait, or go round."
        return "There is a wall ahead; turn left or right."

    def _pick_up(self, actor: int, t: int) -> str | None:
        front, things = self.in_front(actor)
        if not things:
            things = [thing for held in self.hands(actor) for thing in self.within_reach(held)]
            things.sort(key=self.floor.house.place_of.__getitem__)
        if not things:
            if front is not None and self.engine.view.has_state(front, CLOSED):
                return f"{upper(phrase(front))} is closed; open it first."
            return "There is nothing to pick up here; face a thing, or what it is on."
        error = self._attempt(actor, t, GRAB, things[0])
        if error is None:
            self.floor.lying.pop(self.floor.house.place_of[things[0]], None)
        return error

    def _drop(self, actor: int, t: int) -> str | None:
        held = self.hands(actor)
        if not held:
            return "Your hands are empty; pick something up first."
        thing, cell, floor = held[-1], ahead(self.floor.poses[actor]), self.floor
        front, lying = self.in_front(actor)
        if cell in floor.furniture_at and front is not None:
            return self._attempt(actor, t, self._way_of_putting(front), thing, front)
        if front is not None:
            return f"{front} is in the way; choose a free place."
        if cell in floor.doors:
            return "Nothing can be left in a doorway; choose a free place."
        if cell not in floor.room_at:
            return "There is a wall ahead; turn to a free place or to furniture."
        if lying:
            return self._put_with(actor, t, thing, lying)
        if floor.room_at[cell] != self.place(actor)[0]:
            return "You are in the doorway; step into the room first."
        error = self._attempt(actor, t, LET_FALL, thing)
        if error is None:
            floor.lying[floor.house.place_of[thing]] = cell
        return error

    def _way_of_putting(self, piece: str) -> str:
        """Return how things are put there: what is open takes them in, anything else on top if it can."""
        properties = properties_of(self.floor.house.class_of[piece])
        is_open = "CONTAINERS" in properties and not self.engine.view.has_state(piece, CLOSED)
        return PUT_ON if "SURFACES" in properties and not is_open else PUT_IN

    def _put_with(self, actor: int, t: int, thing: str, lying: list[str]) -> str | None:
        """Put a thing into or onto the first of those in a cell that takes it."""
        by_text = self.engine.premises.by_text
        for other in lying:
            for form in (PUT_IN, PUT_ON):
                if FORMS[NUMBER[form]].write(thing, other).casefold() in by_text:
                    return self._attempt(actor, t, form, thing, other)
        return f"{upper(phrase(lying[0]))} is in the way; choose a free place."

    def _toggle(self, actor: int, t: int) -> str | None:
        front, things = self.in_front(actor)
        is_piece = front is not None and self._kind(front) != CHARACTER
        for target in ([front] if front and is_piece else []) + things + self.hands(actor)[::-1]:
            if forms := self._uses(target):
                for form in forms:
                    if error := self._attempt(actor, t, form, target):
                        return error
                return None
        return "There is nothing to open or switch here; face a container or a device."

    def _kind(self, name: str) -> int:
        return self.engine.premises.kinds[self.floor.house.place_of[name]]

    def _uses(self, name: str) -> tuple[str, ...]:
        """Return what toggling a thing does now; nothing if it neither opens nor has a switch.

        What both opens and has a switch goes round in a circle: opened, then closed and switched on, then switched off.
        """
        by_text, view = self.engine.premises.by_text, self.engine.view
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

    def _attempt(self, actor: int, t: int, written: str, x: str, y: str = "") -> str | None:
        """Do an action of the household and record its event. Returns why it failed, or None."""
        engine, number = self.engine, NUMBER[written]
        form, before = FORMS[number], engine.view
        candidate = engine.premises.by_text.get(form.write(x, y).casefold())
        if candidate is None:
            return static_refusal(engine.premises, form, x, y)
        name = self.floor.house.characters[actor]
        reason = engine.act(actor, candidate)
        error = refusal(before, name, form, x, y, reason) if reason else None
        action = Action(candidate, form, x, y)
        self._events.append(event_of(action, name, before, engine.view, t, succeeded=error is None))
        return error
