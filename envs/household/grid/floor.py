"""The floor of a house on the grid: which cells can be walked on, who stands where, and what lies where.

This is all that the household's own state does not know. It is small, and goes whole into snapshots.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy
from random import Random
from typing import Any, TypeAlias

from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.floorplan import HEIGHTS, TWO_ROWS_FROM, WIDTHS, Cell
from worldschool.envs.household.houses import House

LEFT, RIGHT, FORWARD = 0, 1, 2
STEPS: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""What one step adds to a cell, by direction: right, down, left, up, as MiniGrid counts them."""
FOCUS_PIECES = 3
"""Most pieces of furniture in a room of a stripped house: a surface, a container, a switch."""

MOST_PATHS = 20_000
"""Paths that are remembered: searching walks the same ways again and again."""

Pose: TypeAlias = tuple[int, int, int]
"""x, y, direction."""


def padded_size(config: HouseholdConfig) -> tuple[int, int]:
    """Return the width and height that every house drawn with these settings fits into."""
    most = FOCUS_PIECES if config.focus else config.furniture[1]
    grow = max(0, -(-(most - 5) // 4))
    shapes = []
    for count in range(config.rooms[0], config.rooms[1] + 1):
        columns = count if count < TWO_ROWS_FROM else -(-count // 2)
        shapes.append((columns, -(-count // columns)))
    columns, rows = max(shape[0] for shape in shapes), max(shape[1] for shape in shapes)
    return columns * (WIDTHS[1] + grow + 1) + 1, rows * (HEIGHTS[1] + grow + 1) + 1


def ahead(pose: Pose) -> Cell:
    """Return the cell in front of a pose."""
    x, y, direction = pose
    dx, dy = STEPS[direction]
    return x + dx, y + dy


class Floor:
    """The cells of one house, with the characters and things that are on them.

    Places are indices of `House.names`. A doorway belongs to no room: who stands in one counts to the room that was left
    until another room is entered.

    Attributes:
        furniture_at: cell to the place of the piece that fills it.
        cell_of: place of a piece to its cell.
        room_at: cell that can be walked to, doorways left out, to the place of its room. A corner between two pieces of
            furniture is none.
        doors: cells of doorways.
        poses: for each character, where it stands and which way it looks.
        lying: place of each thing on the floor to its cell.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        place_of, plan = house.place_of, house.plan
        self.cell_of: dict[int, Cell] = {place_of[name]: cell for name, cell in plan.furniture}
        self.furniture_at: dict[Cell, int] = {cell: place for place, cell in self.cell_of.items()}
        self.doors = frozenset(door.cell for door in plan.doors)
        free = {
            cell: place_of[room]
            for room, area in plan.areas
            for cell in area.cells()
            if cell not in self.furniture_at
        }
        reached = self._reached(free)
        self.room_at: dict[Cell, int] = {cell: room for cell, room in free.items() if cell in reached}
        self.poses: list[Pose] = []
        self.lying: dict[int, Cell] = {}
        self._paths: dict[tuple[Pose, tuple[Cell, ...], Cell | int], bytes | None] = {}

    def twin(self) -> Floor:
        """Return another floor of the same house, nobody on it yet; what never changes is shared."""
        floor = copy(self)
        floor.poses, floor.lying = [], {}
        return floor

    def _reached(self, free: dict[Cell, int]) -> set[Cell]:
        """Return the cells that can be walked to from the doorways."""
        reached = set(self.doors)
        found = list(self.doors)
        for x, y in found:  # grows while it is walked through
            for dx, dy in STEPS:
                cell = (x + dx, y + dy)
                if cell in free and cell not in reached:
                    reached.add(cell)
                    found.append(cell)
        return reached

    def draw(self, rooms: list[int], on_floor: list[tuple[int, int]], rng: Random) -> None:
        """Draw where everybody stands and everything lies.

        Args:
            rooms: of each character, the place of its room.
            on_floor: (place, place of its room) of each thing on the floor.
            rng: draws the cells and directions.
        """
        self.poses, self.lying = [], {}
        for room in rooms:
            self.poses.append((*rng.choice(self._free(room)), rng.randrange(4)))
        for thing, room in on_floor:
            # A small room may have more things than cells: then several lie in one.
            cells = self._free(room) or [cell for cell, where in self.room_at.items() if where == room]
            self.lying[thing] = rng.choice(cells)

    def _free(self, room: int) -> list[Cell]:
        taken = {(x, y) for x, y, _ in self.poses} | set(self.lying.values())
        return [cell for cell, where in self.room_at.items() if where == room and cell not in taken]

    # -- looking ------------------------------------------------------------------------------------------------------

    def can_enter(self, cell: Cell) -> bool:
        """Return whether somebody could step onto a cell now."""
        return (cell in self.room_at or cell in self.doors) and self.character_at(cell) is None

    def character_at(self, cell: Cell) -> int | None:
        """Return the character that stands on a cell."""
        for character, (x, y, _) in enumerate(self.poses):
            if (x, y) == cell:
                return character
        return None

    def things_at(self, cell: Cell) -> list[int]:
        """Return the places of what lies on a cell, in order."""
        return sorted(thing for thing, where in self.lying.items() if where == cell)

    def near(self, character: int) -> tuple[list[int], list[int]]:
        """Return the places of furniture in the four cells beside a character, and of things there or at its feet."""
        x, y, _ = self.poses[character]
        beside = {(x + dx, y + dy) for dx, dy in STEPS}
        pieces = [self.furniture_at[cell] for cell in beside if cell in self.furniture_at]
        beside.add((x, y))
        return sorted(pieces), sorted(thing for thing, cell in self.lying.items() if cell in beside)

    def shortest_path(self, start: Pose, reached: Callable[[Pose], bool]) -> list[int] | None:
        """Return the fewest moves (left, right, forward) from a pose to one that is `reached`; None if there are none.

        Other characters are in the way where they stand now.
        """
        before: dict[Pose, tuple[Pose, int] | None] = {start: None}
        queue = deque([start])
        while queue:
            pose = queue.popleft()
            if reached(pose):
                return _walked(before, pose)
            x, y, direction = pose
            following: list[tuple[int, Pose]] = []
            cell = ahead(pose)
            if self.can_enter(cell):
                following.append((FORWARD, (*cell, direction)))
            following += [(LEFT, (x, y, (direction - 1) % 4)), (RIGHT, (x, y, (direction + 1) % 4))]
            for move, after in following:
                if after not in before:
                    before[after] = pose, move
                    queue.append(after)
        return None

    def path(self, character: int, goal: Cell | int) -> list[int] | None:
        """Return the fewest moves after which a character faces a cell, or is in a room (its place); None: no way now."""
        others = tuple((x, y) for at, (x, y, _) in enumerate(self.poses) if at != character)
        key = (self.poses[character], others, goal)
        if key not in self._paths:
            if len(self._paths) >= MOST_PATHS:
                self._paths.clear()
            if isinstance(goal, int):
                found = self.shortest_path(self.poses[character], lambda at: self.room_at.get(at[:2]) == goal)
            else:
                found = self.shortest_path(self.poses[character], lambda at: ahead(at) == goal)
            self._paths[key] = None if found is None else bytes(found)
        moves = self._paths[key]
        return None if moves is None else list(moves)

    def in_reach(self, character: int) -> set[Cell | int] | None:
        """Return the cells that a character could walk to or face while the others stand as they do, and the rooms.

        None for everything: nobody else is here.
        """
        if len(self.poses) == 1:
            return None
        taken = {(x, y) for x, y, _ in self.poses}
        found: set[Cell | int] = set()
        queue: list[Cell] = [self.poses[character][:2]]
        walked = set(queue)
        for x, y in queue:  # grows while it is walked through
            if (x, y) in self.room_at:
                found.add(self.room_at[x, y])
            for dx, dy in STEPS:
                cell = (x + dx, y + dy)
                found.add(cell)
                if cell not in walked and cell not in taken and (cell in self.room_at or cell in self.doors):
                    walked.add(cell)
                    queue.append(cell)
        return found

    # -- snapshots ----------------------------------------------------------------------------------------------------

    def to_json(self) -> tuple[Any, ...]:
        """Return poses, and (place, x, y) of what lies on the floor, as nested tuples."""
        return tuple(self.poses), tuple((thing, *cell) for thing, cell in sorted(self.lying.items()))

    def restore(self, rows: Any, rooms: list[int], on_floor: list[tuple[int, int]]) -> None:
        """Return to what `to_json` gave.

        Args:
            rows: what `to_json` gave.
            rooms, on_floor: as for `draw`: what the household's state says, with which the cells must agree.

        Raises:
            ValueError, TypeError: they do not agree, or a cell is not one to be on.
        """
        poses, lying = rows
        poses = [(x, y, direction) for x, y, direction in poses]
        cells = {thing: (x, y) for thing, x, y in lying}
        if len(poses) != len(rooms) or len({pose[:2] for pose in poses}) != len(poses):
            raise ValueError("the characters do not stand one in a cell")
        for (x, y, direction), room in zip(poses, rooms, strict=True):
            if self.room_at.get((x, y), room if (x, y) in self.doors else None) != room:
                raise ValueError(f"nobody who is in {self.house.names[room]} stands at ({x}, {y})")
            if direction not in range(4):
                raise ValueError("there are four directions")
        if {thing: self.room_at.get(cell) for thing, cell in cells.items()} != dict(on_floor):
            raise ValueError("the things on the floor are not those of the state")
        self.poses, self.lying = poses, cells


def _walked(before: dict[Pose, tuple[Pose, int] | None], pose: Pose) -> list[int]:
    moves = []
    while (step := before[pose]) is not None:
        pose, move = step
        moves.append(move)
    return moves[::-1]
