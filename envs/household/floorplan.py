"""Floor plans: rooms side by side in one or two rows, doors between them, furniture along the walls.

The plan says which pieces of furniture stand beside each other, which the scene graph knows as CLOSE, and where everything
is drawn on the grid. One cell is about a square metre; a piece of furniture fills one cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

Cell: TypeAlias = tuple[int, int]
"""(x, y), x to the right and y downwards, from 0."""

TWO_ROWS_FROM = 4
WIDTHS, HEIGHTS = (4, 6), (4, 5)
BESIDE = 0.5
"""Chance that a piece of furniture is put beside one that stands already, where there is space."""


@dataclass(frozen=True)
class Area:
    """The floor of one room: cells from (x, y), walls not included."""

    x: int
    y: int
    width: int
    height: int

    def __contains__(self, cell: object) -> bool:
        return (
            isinstance(cell, tuple)
            and self.x <= cell[0] < self.x + self.width
            and self.y <= cell[1] < self.y + self.height
        )

    def cells(self) -> Iterator[Cell]:
        """Yield the room's cells, row by row."""
        for y in range(self.y, self.y + self.height):
            for x in range(self.x, self.x + self.width):
                yield x, y

    def along_walls(self) -> list[Cell]:
        """Return the cells that touch one wall; not the corners, where furniture could be walled in by its neighbours."""
        return [
            (x, y)
            for x, y in self.cells()
            if (x in (self.x, self.x + self.width - 1)) != (y in (self.y, self.y + self.height - 1))
        ]


@dataclass(frozen=True)
class Door:
    """An opening in the wall between two rooms."""

    cell: Cell
    rooms: tuple[str, str]


@dataclass(frozen=True)
class FloorPlan:
    """Where a house's rooms, doors and furniture are, on a grid of `width` by `height` cells with walls around."""

    width: int
    height: int
    areas: tuple[tuple[str, Area], ...]
    doors: tuple[Door, ...]
    furniture: tuple[tuple[str, Cell], ...]

    def to_json(self) -> list[Any]:
        """Return the plan as nested lists."""
        return [
            self.width,
            self.height,
            [[name, area.x, area.y, area.width, area.height] for name, area in self.areas],
            [[*door.cell, *door.rooms] for door in self.doors],
            [[name, *cell] for name, cell in self.furniture],
        ]

    @classmethod
    def from_json(cls, rows: Sequence[Any]) -> FloorPlan:
        """Read what `to_json` gave."""
        width, height, areas, doors, furniture = rows
        return cls(
            width,
            height,
            tuple((name, Area(*numbers)) for name, *numbers in areas),
            tuple(Door((x, y), (one, other)) for x, y, one, other in doors),
            tuple((name, (x, y)) for name, x, y in furniture),
        )

    def neighbours(self) -> list[tuple[str, str]]:
        """Return pairs of furniture that stand side by side in one room, sorted."""
        at = {cell: name for name, cell in self.furniture}
        beside = (
            (name, at.get(next_to)) for name, (x, y) in self.furniture for next_to in ((x + 1, y), (x, y + 1))
        )
        return sorted((min(one, other), max(one, other)) for one, other in beside if other is not None)


def draw_plan(rooms: Sequence[str], furniture: Mapping[str, Sequence[str]], rng: Random) -> FloorPlan:
    """Lay out rooms and the furniture of each, so that all inner cells, doors and furniture can be walked to.

    Args:
        rooms: names; the order in which they lie side by side is drawn.
        furniture: for each room, the names of what stands in it.
        rng: draws everything.
    """
    order = list(rooms)
    rng.shuffle(order)
    areas = _draw_areas(order, furniture, rng)
    doors = tuple(_doors(order, areas, rng))
    placed = tuple(
        (name, cell)
        for room in rooms
        for name, cell in _place(areas[room], [door.cell for door in doors], furniture[room], rng)
    )
    width = max(area.x + area.width for area in areas.values()) + 1
    height = max(area.y + area.height for area in areas.values()) + 1
    return FloorPlan(width, height, tuple((room, areas[room]) for room in rooms), doors, placed)


def _draw_areas(order: list[str], furniture: Mapping[str, Sequence[str]], rng: Random) -> dict[str, Area]:
    columns = len(order) if len(order) < TWO_ROWS_FROM else -(-len(order) // 2)
    # A room must have space along its walls for its furniture, and in front of each of at most three doors.
    most = max(len(names) for names in furniture.values())
    grow = max(0, -(-(most - 5) // 4))
    widths = [rng.randint(*WIDTHS) + grow for _ in range(columns)]
    heights = [rng.randint(*HEIGHTS) + grow for _ in range(-(-len(order) // columns))]
    areas = {}
    for place, room in enumerate(order):
        row, column = divmod(place, columns)
        x, y = 1 + sum(widths[:column]) + column, 1 + sum(heights[:row]) + row
        areas[room] = Area(x, y, widths[column], heights[row])
    return areas


def _doors(order: list[str], areas: Mapping[str, Area], rng: Random) -> Iterator[Door]:
    """Yield a door between all rooms that lie side by side in a row, and above each other."""
    for one in order:
        for other in order:
            a, b = areas[one], areas[other]
            if b.x == a.x + a.width + 1 and b.y == a.y:
                yield Door((b.x - 1, rng.randrange(a.y + 1, a.y + a.height - 1)), (one, other))
            if b.y == a.y + a.height + 1 and b.x == a.x:
                yield Door((rng.randrange(a.x + 1, a.x + a.width - 1), b.y - 1), (one, other))


def _place(area: Area, doors: list[Cell], names: Sequence[str], rng: Random) -> Iterator[tuple[str, Cell]]:
    """Yield a cell along the walls for each piece, never in front of a door."""
    free = [cell for cell in area.along_walls() if not any(_touch(cell, door) for door in doors)]
    taken: list[Cell] = []
    for name in names:
        beside = [cell for cell in free if any(_touch(cell, other) for other in taken)]
        cell = rng.choice(beside if beside and rng.random() < BESIDE else free)
        free.remove(cell)
        taken.append(cell)
        yield name, cell


def _touch(one: Cell, other: Cell) -> bool:
    return abs(one[0] - other[0]) + abs(one[1] - other[1]) == 1
