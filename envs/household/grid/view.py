"""Pictures of whole grids: MiniGrid's, drawn with the household's tiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from minigrid.core.grid import Grid
from minigrid.core.world_object import Wall, WorldObj
from numpy.typing import NDArray

from worldschool.envs.household.floorplan import FloorPlan
from worldschool.envs.household.grid.canvas import Image, letters, write
from worldschool.envs.household.grid.moves import GridHousehold
from worldschool.envs.household.grid.objects import HouseholdObject
from worldschool.envs.household.grid.pictures import OUTSIDE, Shown, Tile, draw
from worldschool.envs.household.scene.graph import states_word

STRIP_LINES = 3
TOLD = {
    "open": "OPEN",
    "closed": "CLOSED",
    "on": "ON",
    "off": "OFF",
    "unplugged": "PLUGGED_OUT",
    "dirty": "DIRTY",
}
"""States that are told of furniture in front."""
UNSEEN = 0.8
"""How bright what the agent does not see is drawn."""


def tile_of(obj: WorldObj | None) -> Tile | None:
    """Return what a cell shows; None for one outside of the house or not seen."""
    if isinstance(obj, HouseholdObject):
        return obj.tile
    return Tile(wall=True) if isinstance(obj, Wall) else None


def draw_grid(
    grid: Grid,
    tile_size: int,
    agent: tuple[int, int, int] | None,
    held: tuple[Shown, ...] = (),
    seen: NDArray[np.bool_] | None = None,
) -> Image:
    """Return a picture of a grid: uint8 [height * tile_size, width * tile_size, 3].

    Args:
        grid: its cells.
        tile_size: pixels along a cell's side.
        agent: where the agent is and which way it looks.
        held: what it holds.
        seen: bool [width, height]: the cells that it sees; the others are drawn darker. None: no difference is made.
    """
    image = np.empty((grid.height * tile_size, grid.width * tile_size, 3), np.uint8)
    for y in range(grid.height):
        for x in range(grid.width):
            tile = tile_of(grid.get(x, y))
            if agent is not None and agent[:2] == (x, y):
                tile = (tile or Tile())._replace(person=0, initial="", direction=agent[2], held=held)
            part = image[y * tile_size : (y + 1) * tile_size, x * tile_size : (x + 1) * tile_size]
            part[:] = OUTSIDE if tile is None else draw(tile, tile_size)
            if seen is not None and not seen[x, y] and tile is not None:
                part[:] = (part * UNSEEN).astype(np.uint8)
    return image


class HouseholdGrid(Grid):  # type: ignore[misc]
    """A grid that is drawn with the household's tiles.

    Attributes:
        held: what the agent holds, for the picture of it.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self.held: tuple[Shown, ...] = ()

    def render(
        self,
        tile_size: int,
        agent_pos: tuple[int, int],
        agent_dir: int | None = None,
        highlight_mask: NDArray[np.bool_] | None = None,
    ) -> Image:
        """Return a picture, as `draw_grid`."""
        agent = None if agent_dir is None else (int(agent_pos[0]), int(agent_pos[1]), int(agent_dir))
        return draw_grid(self, tile_size, agent, self.held, highlight_mask)


def write_rooms(image: Image, plan: FloorPlan, tile_size: int) -> None:
    """Write each room's name on the wall above it, leaving doorways free."""
    height = round(tile_size * 0.42)
    doors = {door.cell for door in plan.doors}
    for room, area in plan.areas:
        columns = letters(room, height).shape[1]
        width = area.width * tile_size
        free = [
            left
            for left in range(0, max(width - columns, 0) + 1, max(tile_size // 4, 1))
            if not any(
                (area.x + column, area.y - 1) in doors
                for column in range(left // tile_size, -(-(left + columns) // tile_size))
            )
        ]
        left = area.x * tile_size + (min(free, key=lambda at: abs(at - (width - columns) / 2)) if free else 0)
        top = (area.y - 1) * tile_size + (tile_size - height) // 2
        write(image, room, left, top, height, (236, 232, 220))


def with_strip(image: Image, lines: list[str]) -> Image:
    """Return a picture with lines of text below it, all pictures of one size with strips of one size."""
    height = max(10, min(18, image.shape[1] // 48))
    strip = np.full((STRIP_LINES * (height + 6) + 6, image.shape[1], 3), 250, np.uint8)
    for number, line in enumerate(lines[:STRIP_LINES]):
        write(strip, line, 8, 6 + number * (height + 6), height, (30, 28, 28))
    return np.concatenate([image, strip])


def squared(image: Image) -> Any:
    """Return a picture in the middle of a square as wide as its longer side, for MiniGrid's square window."""
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), OUTSIDE, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def describe_front(life: GridHousehold, actor: int) -> str:
    """Return what a character has in front of it in words: "open fridge (pear, milk)"."""
    front, things = life.in_front(actor)
    listed = ", ".join(things)
    if front is None:
        return listed or "nothing"
    view = life.engine.view
    told = [word for word, state in TOLD.items() if view.has_state(front, states_word(state))]
    return " ".join([*told, front]) + (f" ({listed})" if listed else "")
