"""A household whose characters stand on the cells of a floor: where everything is, who reaches what, which way leads there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from worldschool.envs.household.engine import Engine
from worldschool.envs.household.floorplan import Cell
from worldschool.envs.household.grid.floor import Floor, ahead
from worldschool.envs.household.premises import CHARACTER, OBJECT, ROOM
from worldschool.envs.household.scene import standing
from worldschool.envs.household.scene.memory import State
from worldschool.envs.household.scene.operations import HOLDS_LH, HOLDS_RH
from worldschool.envs.household.state import CLOSED


class GridPlaces:
    """The state of a household on its floor.

    Args:
        engine: its state. Its rooms, CLOSE edges and what is on the floor are kept in step with the floor.
        floor: of the same house.
    """

    def __init__(self, engine: Engine, floor: Floor) -> None:
        self.engine, self.floor = engine, floor
        # The same words under another undo log, which the grid has no use for.
        self._state = State(engine.memory, np.zeros((0, 2), np.uint64), np.zeros(1, np.int64))

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

    def destination(self, actor: int, place: int) -> Cell | int | None:
        """Return where a walk to something ends: the cell to be faced, or the room's place; None if nobody need walk.

        That is so if the character is in that room, faces that cell, holds the thing, or is meant itself.
        """
        kinds, floor = self.engine.premises.kinds, self.floor
        while kinds[place] == OBJECT and place not in floor.lying:
            place = self.place(place)[0]
        if kinds[place] == ROOM:
            return None if self.place(actor)[0] == place else place
        if place == actor:
            return None
        if kinds[place] == CHARACTER:
            cell: Cell = floor.poses[place][:2]
        else:
            cell = floor.lying.get(place) or floor.cell_of[place]
        return None if ahead(floor.poses[actor]) == cell else cell

    def path(self, actor: int, place: int) -> list[int] | None:
        """Return the fewest moves that bring a character to something (HouseholdGridEnv.path_to), or None."""
        goal, floor = self.destination(actor, place), self.floor
        return [] if goal is None else floor.path(actor, goal)

    def within_walk(self, actor: int) -> Callable[[int], bool]:
        """Return what says of a place whether a walk there is to be made, and can be while the others stand as they do."""
        reached = self.floor.in_reach(actor)

        def can_walk(place: int) -> bool:
            goal = self.destination(actor, place)
            return goal is not None and (reached is None or goal in reached)

        return can_walk

    def stand(self) -> None:
        """Bring each character's room and what it is CLOSE to in step with the floor."""
        scene, floor = self.engine.premises.scene, self.floor
        for actor, (x, y, _) in enumerate(floor.poses):
            room = floor.room_at.get((x, y), self.place(actor)[0])
            pieces, lying = (np.array(places, np.int64) for places in floor.near(actor))
            standing.stand(scene, self._state, actor, room, pieces, lying)
        self.engine.changed()
