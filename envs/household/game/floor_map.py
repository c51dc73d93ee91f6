"""A house's floor plan as text: rooms with their names, doors, furniture by initials, and where somebody is."""

from __future__ import annotations

from worldschool.envs.household.floorplan import Area, Cell, FloorPlan
from worldschool.envs.household.state import View

WIDTH = 4
"""Characters to a cell, columns of walls aside, which take one. Every room is at least four cells wide."""
YOU = "@"


def draw_map(view: View, observer: str) -> list[str]:
    """Return the lines of a map. The observer is an @ beside the furniture it is close to, or in a corner of its room.

    Args:
        view: the state; only the observer's place is taken from it.
        observer: who is shown.
    """
    plan = view.house.plan
    lines = [[_wall(plan, (x, y)) for x in range(plan.width)] for y in range(plan.height)]
    short = initials([name for name, _ in plan.furniture])
    beside = set(view.close_to(observer))
    here, marked = view.room_of(observer), False
    for name, (x, y) in plan.furniture:
        you = YOU if name in beside and not marked else " "
        marked = marked or you == YOU
        lines[y][x] = f" {short[name]}{you}"
    for name, area in plan.areas:
        for row, word in enumerate(name.split()[:2]):
            _write(lines, area, row, word)
        if name == here and not marked:
            lines[area.y][area.x] = f" {YOU}  "  # no furniture stands in corners
    return ["".join(line).rstrip() for line in lines]


def legend(view: View) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return for each room the initials and names of its furniture."""
    short = initials([name for name, _ in view.house.plan.furniture])
    return [
        (room, [(short[name], name) for name in view.house.furniture_in[room]]) for room in view.house.rooms
    ]


def initials(names: list[str]) -> dict[str, str]:
    """Return two letters for each name, no two alike: the first of two words, else the first and a later one."""
    found: dict[str, str] = {}
    for name in names:
        first, *rest = name.split()
        ways = [first[0] + word[0] for word in rest] + [first[0] + letter for letter in first[1:]]
        ways += [first[0] + str(digit) for digit in range(2, 10)]
        ways += [f"{letter}{digit}" for letter in name if letter != " " for digit in range(10)]
        found[name] = next(way for way in ways if way not in found.values())
    return found


def _write(lines: list[list[str]], area: Area, row: int, word: str) -> None:
    """Write a word into the middle of a room, where no furniture stands."""
    y = area.y + area.height // 2 - 1 + row
    cells = range(area.x + 1, area.x + area.width - 1)
    text = word.center(len(cells) * WIDTH)
    for place, x in enumerate(cells):
        lines[y][x] = text[place * WIDTH : (place + 1) * WIDTH]


def _wall(plan: FloorPlan, cell: Cell) -> str:
    """Return how a cell is drawn that has neither furniture nor a name in it."""
    x, y = cell
    width = WIDTH if any(area.x <= x < area.x + area.width for _, area in plan.areas) else 1
    if not _is_wall(plan, cell):
        return " " * width
    if width > 1:
        return "-" * width
    across = any(_is_wall(plan, beside) for beside in ((x - 1, y), (x + 1, y)))
    along = any(_is_wall(plan, beside) for beside in ((x, y - 1), (x, y + 1)))
    return "+" if across and along else "-" if across else "|"


def _is_floor(plan: FloorPlan, cell: Cell) -> bool:
    return any(cell in area for _, area in plan.areas)


def _is_wall(plan: FloorPlan, cell: Cell) -> bool:
    """Return whether a cell is part of a wall: on the plan, beside some floor, and neither floor nor door."""
    x, y = cell
    if not (0 <= x < plan.width and 0 <= y < plan.height) or _is_floor(plan, cell):
        return False
    if any(door.cell == cell for door in plan.doors):
        return False
    around = ((x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
    return any(_is_floor(plan, beside) for beside in around)
