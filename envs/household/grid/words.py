"""The grid in words: what a character sees from its cell, and how single moves are written and told."""

from __future__ import annotations

from random import Random

from worldschool.envs.household.grid.deeds import DONE, DROP, PICKUP, STEP, TOGGLE, TURN_LEFT, TURN_RIGHT
from worldschool.envs.household.grid.floor import STEPS, Pose, ahead
from worldschool.envs.household.grid.places import GridPlaces
from worldschool.envs.household.words import stories
from worldschool.envs.household.words.observation import observation

TEXT_OF_MOVE = {TURN_LEFT: "turn left", TURN_RIGHT: "turn right", STEP: "go forward", DONE: "wait"}
"""The moves that name nothing, as `legal_actions` writes them; picking up and the like are written as what they do."""

_WAYS = {
    TURN_LEFT: "turn left, left, rotate left",
    TURN_RIGHT: "turn right, right, rotate right",
    STEP: "go forward, forward, step forward, move forward, walk forward, go straight, go ahead, step",
    PICKUP: "pick up, pickup, grab, take",
    DROP: "drop, put down",
    TOGGLE: "toggle, use",
    DONE: "wait, done, do nothing, stay, look, look around",
}
MOVE_OF_TEXT = {text: move for move, texts in _WAYS.items() for text in texts.split(", ")}
"""How moves are read when they name nothing: our words, others', and MiniGrid's."""

_ORDERS = {
    "turn left": ("Turn left.", "Turn to your left.", "Make a left turn."),
    "turn right": ("Turn right.", "Turn to your right.", "Make a right turn."),
    "go forward": ("Go forward.", "Take a step forward.", "Step forward."),
    "wait": ("Wait.", "Wait a moment.", "Do nothing."),
}


def read_move(text: str) -> int | None:
    """Return the move that a text without names stands for; None if it is none of these."""
    return MOVE_OF_TEXT.get(" ".join(text.split()).casefold().rstrip(" .!;"))


def narrate_action(text: str, style: str, rng: Random | None) -> str:
    """Return an action as an instruction, as `stories.narrate_action` does; single moves are no lines of a program.

    Raises:
        WorldError: the text has no action's form, or the style is unknown.
    """
    move = read_move(text)
    if move not in TEXT_OF_MOVE or style not in stories.STYLES:
        return stories.narrate_action(text, style, rng)
    if style == "program":
        return ""
    wordings = _ORDERS[TEXT_OF_MOVE[move]]
    return rng.choice(wordings) if rng is not None and style in ("varied", "brief") else wordings[0]


def observe(life: GridPlaces, actor: int, every_room: bool = False) -> str:
    """Return what a character sees: as in the text household, then what is in front of it and which way the rest is.

    Furniture, doorways, people and things on the floor of its room are told with steps ahead or behind and to the left or
    right of it, the nearest first. With `every_room` the other rooms are told too, but not which way things there are.
    """
    seen = observation(life.engine.view, life.floor.house.characters[actor], every_room)
    around = "; ".join(_around(life, actor)) or "nothing"
    return f"{seen}\nIn front of you: {_in_front(life, actor)}.\nAround you: {around}."


def _in_front(life: GridPlaces, actor: int) -> str:
    floor, cell = life.floor, ahead(life.floor.poses[actor])
    name, things = life.in_front(actor)
    if name is not None:
        return name
    if cell in floor.doors:
        return f"a doorway to {_beyond(life, actor, cell)}"
    if things:
        return ", ".join(things)
    return "free floor" if cell in floor.room_at else "a wall"


def _beyond(life: GridPlaces, actor: int, cell: tuple[int, int]) -> str:
    here = life.floor.house.names[life.place(actor)[0]]
    return next(
        room
        for door in life.floor.house.plan.doors
        if door.cell == cell
        for room in door.rooms
        if room != here
    )


def _around(life: GridPlaces, actor: int) -> list[str]:
    """Return "desk 2 ahead and 1 left" for all in a character's room that has a cell, the nearest first."""
    floor, house = life.floor, life.floor.house
    room = life.place(actor)[0]
    here = house.names[room]
    cells = [(name, floor.cell_of[house.place_of[name]]) for name in house.furniture_in[here]]
    cells += [
        (f"doorway to {_beyond(life, actor, door.cell)}", door.cell)
        for door in house.plan.doors
        if here in door.rooms
    ]
    cells += [
        (house.names[thing], cell) for thing, cell in floor.lying.items() if floor.room_at[cell] == room
    ]
    cells += [
        (house.characters[other], (x, y))
        for other, (x, y, _) in enumerate(floor.poses)
        if other != actor and life.place(other)[0] == room
    ]
    pose = floor.poses[actor]
    x, y, _ = pose
    cells.sort(key=lambda named: (abs(named[1][0] - x) + abs(named[1][1] - y), named[0]))
    return [f"{name} {_way(pose, cell)}" for name, cell in cells]


def _way(pose: Pose, cell: tuple[int, int]) -> str:
    """Return "2 ahead and 1 left" for a cell as seen from a pose."""
    x, y, direction = pose
    away = (cell[0] - x, cell[1] - y)
    forward, right = (
        sum(one * other for one, other in zip(away, STEPS[way % 4], strict=True))
        for way in (direction, direction + 1)
    )
    told = [f"{abs(forward)} {'ahead' if forward > 0 else 'behind'}"] if forward else []
    told += [f"{abs(right)} {'right' if right > 0 else 'left'}"] if right else []
    return " and ".join(told) or "at your feet"
