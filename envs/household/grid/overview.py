"""A household seen from above: its floor plan in the grid's tiles, for pages that show what was lived through.

The text household knows rooms and what stands beside what, but no cells. Where in its room a character stands or a thing
lies is then chosen here from the state alone: equal states give equal pictures.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b

import numpy as np

from worldschool.envs.household.floorplan import Cell
from worldschool.envs.household.grid.canvas import Image
from worldschool.envs.household.grid.floor import STEPS, Floor, Pose
from worldschool.envs.household.grid.objects import state_bits
from worldschool.envs.household.grid.pictures import Shown, Tile, draw
from worldschool.envs.household.grid.view import write_rooms
from worldschool.envs.household.houses import House
from worldschool.envs.household.lived_in import LivedIn
from worldschool.envs.household.state import CLOSED, View

TILE_PIXELS = 48
"""Names are written on tiles of this size."""
DOWN = 1
"""Where those look who stand beside nothing."""


class Overview:
    """Draws a household, all of the house in one picture.

    Args:
        world: the household; what is drawn is its state at the time of `frame`. On the grid everybody is where the grid
            says; elsewhere beside what they are close to.
    """

    def __init__(self, world: LivedIn) -> None:
        self._world = world
        self._plan: DrawnPlan | None = None

    def frame(self) -> Image:
        """Return a picture of the house: uint8 [height, width, 3]. What is in closed furniture is not seen.

        Raises:
            ResetNeeded: there was no reset yet.
        """
        view = self._world.view
        if self._plan is None or self._plan.house is not view.house:
            self._plan = DrawnPlan(view.house)
        life = getattr(self._world, "life", None)
        return self._plan.picture(view, None if life is None else life.floor)

    def people(self) -> tuple[str, ...]:
        """Return the characters in the order of their colours."""
        return self._world.view.house.characters


class DrawnPlan:
    """The floor plan of one house, on which its states are drawn."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._floor = Floor(house)
        self._cells: dict[str, list[Cell]] = {room: [] for room in house.rooms}
        for cell, room in sorted(self._floor.room_at.items()):
            self._cells[house.names[room]].append(cell)
        self._room_of_cell = {cell: room for room, cells in self._cells.items() for cell in cells}

    def picture(self, view: View, floor: Floor | None = None) -> Image:
        """Return the picture of a state of this house.

        Args:
            view: the state.
            floor: where everybody stands and everything lies, if the world knows.
        """
        image = self._bare.copy()
        for cell, tile in self._tiles(view, floor).items():
            _paint(image, cell, tile)
        return image

    @cached_property
    def _bare(self) -> Image:
        """Walls, doorways and floors, with the rooms' names."""
        plan = self.house.plan
        image = np.empty((plan.height * TILE_PIXELS, plan.width * TILE_PIXELS, 3), np.uint8)
        for x in range(plan.width):
            for y in range(plan.height):
                _paint(image, (x, y), self._floor_tile((x, y)))
        write_rooms(image, plan, TILE_PIXELS)
        return image

    def _floor_tile(self, cell: Cell) -> Tile:
        room, is_door = self._room_of_cell.get(cell, ""), cell in self._floor.doors
        return Tile(room=room, doorway=is_door, wall=not room and not is_door)

    def _tiles(self, view: View, floor: Floor | None) -> dict[Cell, Tile]:
        """Return what is to be seen where there is more than floor."""
        tiles = {}
        for name, class_, room in self.house.furniture:
            cell = self._floor.cell_of[self.house.place_of[name]]
            tiles[cell] = self._furniture(view, name, class_, room)
        lying = self._lying(view) if floor is None else self._lying_on(floor)
        for cell, names in lying.items():
            things = tuple(self._shown(view, name) for name in names)
            tiles[cell] = Tile(room=self._room_of_cell[cell], things=things)
        for number, (x, y, direction) in enumerate(
            self._standing(view, lying) if floor is None else floor.poses
        ):
            name = self.house.characters[number]
            held = tuple(self._shown(view, thing) for thing in view.held(name))
            tile = tiles.get((x, y)) or self._floor_tile((x, y))
            tiles[x, y] = tile._replace(person=number, initial=name[0], direction=direction, held=held)
        return tiles

    def _furniture(self, view: View, name: str, class_: str, room: str) -> Tile:
        on, inside = self._to_be_seen(view, name)
        return Tile(
            room=room,
            furniture=class_,
            name=name,
            state=state_bits(view.states(name), len(on) + len(inside)),
            things=tuple(self._shown(view, thing) for thing in on),
            inside=tuple(self._shown(view, thing) for thing in inside),
        )

    def _shown(self, view: View, name: str) -> Shown:
        on, inside = self._to_be_seen(view, name)
        return Shown(self.house.class_of[name], state_bits(view.states(name), len(on) + len(inside)))

    def _to_be_seen(self, view: View, name: str) -> tuple[list[str], list[str]]:
        contents = view.contents.get(name, {})
        return contents.get("ON", []), [] if view.has_state(name, CLOSED) else contents.get("INSIDE", [])

    def _lying(self, view: View) -> dict[Cell, list[str]]:
        """Return a cell for each thing on a floor; two in one where a room has more things than cells."""
        lying: dict[Cell, list[str]] = {}
        for room, cells in self._cells.items():
            for name in view.contents.get(room, {}).get("INSIDE", []):
                first = _drawn_from(name, len(cells))
                order = cells[first:] + cells[:first]
                cell = next((cell for cell in order if cell not in lying), order[0])
                lying.setdefault(cell, []).append(name)
        return lying

    def _lying_on(self, floor: Floor) -> dict[Cell, list[str]]:
        lying: dict[Cell, list[str]] = {}
        for thing, cell in sorted(floor.lying.items()):
            lying.setdefault(cell, []).append(self.house.names[thing])
        return lying

    def _standing(self, view: View, lying: dict[Cell, list[str]]) -> list[Pose]:
        """Return where each character is shown: beside what it is close to and away from what it is not."""
        at = {cell: self.house.names[place] for cell, place in self._floor.furniture_at.items()}
        at |= {cell: names[0] for cell, names in lying.items()}
        poses: list[Pose] = []
        for name in self.house.characters:
            cells, close = self._cells[view.room_of(name)], set(view.close_to(name))
            taken = {pose[:2] for pose in poses}
            free = [cell for cell in cells if cell not in taken and cell not in lying] or cells
            shift = _drawn_from(name, len(free))
            best = max(free[shift:] + free[:shift], key=lambda cell: _fit(cell, at, close))
            beside = [way for way, cell in enumerate(_around(best)) if at.get(cell) in close]
            poses.append((*best, beside[0] if beside else DOWN))
        return poses


def _fit(cell: Cell, at: dict[Cell, str], close: set[str]) -> int:
    """Return how well a cell shows what a character is close to."""
    beside = [at[other] for other in _around(cell) if other in at]
    return sum(3 if name in close else -1 for name in beside)


def _around(cell: Cell) -> list[Cell]:
    return [(cell[0] + dx, cell[1] + dy) for dx, dy in STEPS]


def _drawn_from(name: str, count: int) -> int:
    """Return a number below `count` that depends on the name alone."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) % count


def _paint(image: Image, cell: Cell, tile: Tile) -> None:
    x, y = cell[0] * TILE_PIXELS, cell[1] * TILE_PIXELS
    image[y : y + TILE_PIXELS, x : x + TILE_PIXELS] = draw(tile, TILE_PIXELS)
