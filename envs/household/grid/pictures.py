"""Tiles of the grid: what is to be seen of one cell, and drawing it."""

from __future__ import annotations

import colorsys
from functools import lru_cache
from typing import NamedTuple

from worldschool.envs.household.grid.canvas import Canvas, Colour, Image, darker, letters, write
from worldschool.envs.household.grid.furniture import painter_of
from worldschool.envs.household.vocabulary import OBJECTS, ROOMS

OPENED, TURNED_ON, PULLED_OUT, SOILED, COUNTED = 1, 2, 4, 8, 16
"""What the state of a thing adds up: open, on, unplugged, dirty, and so much for each thing to be seen in or on it."""
CAPTION_FROM = 40
"""Names are written on tiles of at least so many pixels."""
INK: Colour = (36, 32, 30)
UNKNOWN_FLOOR: Colour = (214, 214, 214)
WALL: Colour = (92, 88, 96)
OUTSIDE: Colour = (24, 26, 30)
DIRT: Colour = (52, 60, 18)
PEOPLE: tuple[Colour, ...] = (
    (214, 40, 40), (36, 92, 200), (26, 140, 70), (150, 50, 170), (226, 130, 20), (20, 140, 150),
)  # fmt: skip
"""Characters' colours; the agent's is the first."""


class Shown(NamedTuple):
    """A thing, as far as it is seen: its class and bits."""

    class_: str
    state: int = 0


class Tile(NamedTuple):
    """What is to be seen of one cell. Equal tiles look alike."""

    room: str = ""
    """Whose floor it is; empty: not known."""
    wall: bool = False
    doorway: bool = False
    furniture: str = ""
    """Class of the piece that stands there, or empty."""
    name: str = ""
    """What is written on it."""
    state: int = 0
    things: tuple[Shown, ...] = ()
    """On the furniture, or lying on the floor."""
    inside: tuple[Shown, ...] = ()
    """In the furniture, if it is open."""
    person: int = -1
    """Number of the character who stands there; -1: nobody."""
    initial: str = ""
    direction: int = 0
    held: tuple[Shown, ...] = ()


def floor_colour(room: str) -> Colour:
    """Return a room's light tint."""
    if room not in ROOMS:
        return UNKNOWN_FLOOR
    number = ROOMS.index(room)
    red, green, blue = colorsys.hsv_to_rgb(number / len(ROOMS), 0.16 if number % 2 else 0.24, 0.97)
    return round(red * 255), round(green * 255), round(blue * 255)


@lru_cache(maxsize=8192)
def draw(tile: Tile, size: int) -> Image:
    """Return a picture of a tile: uint8 [size, size, 3], not to be written to."""
    if tile.wall:
        canvas = Canvas(size, WALL)
    elif tile.doorway:
        canvas = Canvas(size, (226, 206, 176))
        for place in (0.3, 0.5, 0.7):
            canvas.line(place, 0.36, place, 0.64, 0.03, (196, 166, 126))
    else:
        canvas = Canvas(size, floor_colour(tile.room))
        edge = darker(floor_colour(tile.room), 0.92)
        canvas.rect(0, 1, 0, 0.02, edge)
        canvas.rect(0, 0.02, 0, 1, edge)
    if tile.furniture:
        _draw_furniture(canvas, tile)
    else:
        spots = ((0.5, 0.5),) if len(tile.things) == 1 else ((0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7))
        _draw_things(canvas, tile.things, spots, 0.2 if len(tile.things) == 1 else 0.13)
    if tile.person >= 0:
        _draw_person(canvas, tile)
    image = canvas.shown()
    if size >= CAPTION_FROM:
        if tile.name:
            _caption(image, tile.name)
        if tile.initial:
            _centred(image, tile.initial, size // 2, size // 2, size // 3, (255, 255, 255))
    image.flags.writeable = False
    return image


def _draw_furniture(canvas: Canvas, tile: Tile) -> None:
    is_open, is_on = bool(tile.state & OPENED), bool(tile.state & TURNED_ON)
    on, inside = painter_of(tile.furniture)(canvas, tile.furniture, is_open, is_on)
    if tile.state & SOILED:
        for x, y in ((0.15, 0.47), (0.32, 0.43), (0.5, 0.47), (0.67, 0.43), (0.85, 0.46)):
            canvas.disc(x, y, 0.035, DIRT)
    _draw_things(canvas, tile.things, on or ((0.5, 0.3),), 0.115)
    _draw_things(canvas, tile.inside, inside or ((0.5, 0.3),), 0.115)
    if tile.state & PULLED_OUT:  # a plug that lies loose
        canvas.line(0.04, 0.72, 0.16, 0.66, 0.02, INK)
        canvas.disc(0.18, 0.65, 0.05, (220, 40, 40))


def _draw_things(
    canvas: Canvas, things: tuple[Shown, ...], spots: tuple[tuple[float, float], ...], radius: float
) -> None:
    for shown, (x, y) in zip(things, spots, strict=False):
        draw_thing(canvas, shown, x, y, radius)
    if len(things) > len(spots):  # there is more than can be shown
        for x in (0.9, 0.94, 0.98):
            canvas.disc(x, 0.04, 0.018, INK)


def _draw_person(canvas: Canvas, tile: Tile) -> None:
    colour = PEOPLE[tile.person % len(PEOPLE)]
    dx, dy = ((1, 0), (0, 1), (-1, 0), (0, -1))[tile.direction]
    # A wedge in the direction in which they look, behind a round body.
    tip = (0.5 + 0.47 * dx, 0.5 + 0.47 * dy)
    left, right = (0.5 + 0.26 * dy, 0.5 - 0.26 * dx), (0.5 - 0.26 * dy, 0.5 + 0.26 * dx)
    canvas.polygon([tip, right, left], INK)
    canvas.disc(0.5, 0.5, 0.3, INK)
    canvas.disc(0.5, 0.5, 0.265, colour)
    if not tile.initial:
        tip = (0.5 + 0.36 * dx, 0.5 + 0.36 * dy)
        left, right = (0.5 + 0.16 * dy, 0.5 - 0.16 * dx), (0.5 - 0.16 * dy, 0.5 + 0.16 * dx)
        canvas.polygon([tip, right, left], (255, 255, 255))
    for shown, (x, y) in zip(tile.held, ((0.17, 0.17), (0.83, 0.17)), strict=False):
        canvas.disc(x, y, 0.165, (255, 255, 255))
        draw_thing(canvas, shown, x, y, 0.13)


# -- things ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def kind_of_thing(class_: str) -> str:
    """Return what kind of thing a class is, which gives its shape."""
    row = OBJECTS[class_]
    properties = row.properties
    for property_, kind in (("EATABLE", "food"), ("DRINKABLE", "drink"), ("CLOTHES", "garment")):
        if property_ in properties:
            return kind
    if row.vessel:
        return "dish" if row.washable else "bag"
    for property_, kind in (
        ("SURFACES", "plate"), ("COVER_OBJECT", "cloth"), ("HAS_PAPER", "paper"), ("HAS_SWITCH", "gadget"),
        ("POURABLE", "bottle"), ("LOOKABLE", "ornament"), ("MOVABLE", "toy"),
    ):  # fmt: skip
        if property_ in properties:
            return kind
    if row.washable:
        return "cutlery" if "kitchen" in row.rooms else "cloth"
    return "tool" if "garage" in row.rooms else "trinket"


@lru_cache(maxsize=1024)
def colour_of_thing(class_: str) -> Colour:
    """Return a class's colour: spread over all hues, so that things of one kind differ."""
    number = list(OBJECTS).index(class_)
    value = (0.9, 0.72, 0.82)[number % 3]
    red, green, blue = colorsys.hsv_to_rgb(number * 0.381966 % 1, 0.75, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_thing(canvas: Canvas, shown: Shown, x: float, y: float, radius: float) -> None:
    """Draw a thing around (x, y): a shape for its kind, with a dark edge; on, dirty and filled show as small marks."""
    colour = colour_of_thing(shown.class_)
    for grown, painted in ((1.18, INK), (1.0, colour)):
        _shape(canvas, kind_of_thing(shown.class_), x, y, radius * grown, painted)
    if shown.state & SOILED:
        canvas.disc(x + 0.4 * radius, y + 0.3 * radius, 0.26 * radius, DIRT)
    if shown.state >= COUNTED:
        canvas.disc(x, y - 0.2 * radius, 0.34 * radius, (255, 255, 255))
    if shown.state & TURNED_ON:
        canvas.disc(x + 0.7 * radius, y - 0.7 * radius, 0.4 * radius, INK)
        canvas.disc(x + 0.7 * radius, y - 0.7 * radius, 0.3 * radius, (255, 226, 60))


def _shape(canvas: Canvas, kind: str, x: float, y: float, r: float, colour: Colour) -> None:
    """Draw the shape of a kind of things in one colour."""

    def polygon(*corners: tuple[float, float]) -> None:
        canvas.polygon([(x + right * r, y + down * r) for right, down in corners], colour)

    if kind == "food":
        canvas.disc(x, y + 0.1 * r, 0.85 * r, colour)
        canvas.line(x, y - 0.6 * r, x + 0.3 * r, y - r, 0.13 * r, colour)
    elif kind == "drink":
        polygon((-0.7, -0.9), (0.7, -0.9), (0.4, 1), (-0.4, 1))
    elif kind == "bottle":
        canvas.rect(x - 0.5 * r, x + 0.5 * r, y - 0.3 * r, y + r, colour)
        canvas.rect(x - 0.22 * r, x + 0.22 * r, y - r, y, colour)
    elif kind == "garment":
        canvas.rect(x - 0.5 * r, x + 0.5 * r, y - 0.8 * r, y + 0.9 * r, colour)
        canvas.rect(x - r, x + r, y - 0.8 * r, y - 0.2 * r, colour)
    elif kind == "dish":
        canvas.oval(x, y - 0.1 * r, r, 0.95 * r, colour)
        canvas.rect(x - 0.55 * r, x + 0.55 * r, y + 0.4 * r, y + r, colour)
    elif kind == "bag":
        canvas.rect(x - 0.9 * r, x + 0.9 * r, y - 0.4 * r, y + r, colour)
        canvas.line(x - 0.4 * r, y - 0.4 * r, x, y - 0.9 * r, 0.15 * r, colour)
        canvas.line(x + 0.4 * r, y - 0.4 * r, x, y - 0.9 * r, 0.15 * r, colour)
    elif kind == "plate":
        canvas.oval(x, y, r, 0.55 * r, colour)
    elif kind == "cloth":
        canvas.rect(x - 0.85 * r, x + 0.85 * r, y - 0.85 * r, y + 0.85 * r, colour)
    elif kind == "paper":
        polygon((-0.7, -1), (0.3, -1), (0.75, -0.5), (0.75, 1), (-0.7, 1))
    elif kind == "gadget":
        canvas.rect(x - r, x + r, y - 0.6 * r, y + 0.6 * r, colour)
        canvas.line(x, y - 0.5 * r, x, y - r, 0.14 * r, colour)
    elif kind == "ornament":
        polygon((0, -1), (0.85, 0), (0, 1), (-0.85, 0))
    elif kind == "toy":
        polygon((0, -1), (1, 0.8), (-1, 0.8))
    elif kind == "cutlery":
        canvas.line(x - 0.5 * r, y + 0.9 * r, x + 0.3 * r, y - 0.4 * r, 0.2 * r, colour)
        canvas.oval(x + 0.4 * r, y - 0.55 * r, 0.42 * r, 0.5 * r, colour)
    elif kind == "tool":
        canvas.line(x - 0.6 * r, y + 0.9 * r, x + 0.4 * r, y - 0.6 * r, 0.22 * r, colour)
        canvas.line(x - 0.2 * r, y - 0.9 * r, x + 0.9 * r, y - 0.2 * r, 0.28 * r, colour)
    else:
        canvas.rect(x - 0.6 * r, x + 0.6 * r, y - 0.6 * r, y + 0.6 * r, colour)


# -- text --------------------------------------------------------------------------------------------------------------


def _caption(image: Image, name: str) -> None:
    """Write a name along the bottom of a tile, in one line or two."""
    size = len(image)
    height = max(8, round(size * 0.17))
    lines = [name]
    if letters(name, height).shape[1] > size - 2 and " " in name:
        head, _, tail = name.rpartition(" ")
        lines = [head, tail]
    while height > 6 and max(letters(line, height).shape[1] for line in lines) > size - 2:
        height -= 1
    top = size - 1 - len(lines) * (height)
    image[top - 1 :] = (image[top - 1 :] * 0.25 + 255 * 0.75).astype(image.dtype)
    for number, line in enumerate(lines):
        _centred(image, line, size // 2, top + number * height + height // 2, height, INK)


def _centred(image: Image, text: str, x: int, y: int, height: int, colour: Colour) -> None:
    rows, columns = letters(text, height).shape
    write(image, text, max(x - columns // 2, 0), max(y - rows // 2, 0), height, colour)
