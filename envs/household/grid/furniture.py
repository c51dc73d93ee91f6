"""How furniture is drawn: a pictogram for each family of classes, seen from the front.

Each drawing leaves the lowest fifth of the tile for the name, and says where things on it and in it are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from worldschool.envs.household.grid.canvas import Canvas, Colour, darker, lighter
from worldschool.envs.household.vocabulary import FURNITURE

Spots: TypeAlias = tuple[tuple[float, float], ...]
Painter: TypeAlias = Callable[[Canvas, str, bool, bool], tuple[Spots, Spots]]
"""Draws a class, open or not, on or not; returns where things on it and in it are shown."""

WOOD, DARK_WOOD, STEEL, WHITE = (193, 138, 84), (139, 90, 54), (168, 178, 188), (240, 240, 236)
INSIDE, GLASS, WATER, GLOW, FIRE = (52, 44, 40), (40, 46, 58), (120, 180, 230), (255, 214, 64), (232, 92, 40)
CLOTHS: tuple[Colour, ...] = ((88, 120, 180), (160, 88, 110), (96, 146, 104), (150, 120, 170))
ROW: Spots = ((0.15, 0.27), (0.38, 0.27), (0.61, 0.27), (0.84, 0.27))
SQUARE: Spots = ((0.35, 0.27), (0.65, 0.27), (0.35, 0.58), (0.65, 0.58))


def _cloth(class_: str) -> Colour:
    return CLOTHS[sum(map(ord, class_)) % len(CLOTHS)]


def table(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A top on legs; a counter or workbench is closed below."""
    colour = WOOD if sum(map(ord, class_)) % 2 else DARK_WOOD
    if class_ in ("counter", "kitchen island", "sideboard", "nightstand", "washstand"):
        canvas.box(0.1, 0.9, 0.46, 0.76, lighter(colour, 0.25))
        canvas.rect(0.49, 0.51, 0.5, 0.74, darker(colour))
    else:
        for left in (0.1, 0.82):
            canvas.rect(left, left + 0.08, 0.46, 0.76, darker(colour))
    canvas.box(0.03, 0.97, 0.39, 0.5, colour)
    return ROW, ()


def shelf(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """Two boards between posts."""
    canvas.box(0.12, 0.88, 0.04, 0.76, lighter(WOOD, 0.55))
    for top in (0.38, 0.69):
        canvas.rect(0.12, 0.88, top, top + 0.06, DARK_WOOD)
    for left in (0.1, 0.84):
        canvas.rect(left, left + 0.06, 0.04, 0.78, DARK_WOOD)
    return SQUARE, ()


def bed(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A mattress with a pillow and a blanket."""
    canvas.box(0.03, 0.11, 0.18, 0.76, DARK_WOOD)
    canvas.box(0.89, 0.97, 0.36, 0.76, DARK_WOOD)
    canvas.box(0.09, 0.91, 0.42, 0.68, WHITE)
    canvas.box(0.36, 0.91, 0.42, 0.68, _cloth(class_))
    canvas.oval(0.22, 0.42, 0.11, 0.06, lighter(STEEL))
    return ROW, ()


def sofa(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A broad back, two arms and cushions."""
    colour = _cloth(class_)
    left = 0.04 if class_ in ("sofa", "loveseat") else 0.17
    canvas.box(left + 0.06, 0.94 - left, 0.1, 0.6, darker(colour, 0.8))
    canvas.box(left + 0.06, 0.94 - left, 0.44, 0.7, colour)
    for side in (left, 0.88 - left):
        canvas.box(side, side + 0.12, 0.32, 0.72, darker(colour, 0.8))
    return ROW, ()


def chair(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A seat on legs, with a back unless it is a stool or bench."""
    if "stool" not in class_ and class_ != "bench":
        canvas.box(0.26, 0.34, 0.06, 0.5, DARK_WOOD)
        canvas.rect(0.28, 0.38, 0.12, 0.2, WOOD)
    left = 0.06 if class_ == "bench" else 0.24
    canvas.box(left, 1 - left, 0.42, 0.52, WOOD)
    for x in (left + 0.02, 0.92 - left):
        canvas.rect(x, x + 0.06, 0.52, 0.76, DARK_WOOD)
    return (ROW if class_ == "bench" else ((0.38, 0.3), (0.62, 0.3))), ()


def flat(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A rug on the floor, or a hammock between posts."""
    colour = _cloth(class_)
    if class_ == "hammock":
        for x in (0.06, 0.88):
            canvas.rect(x, x + 0.06, 0.1, 0.76, DARK_WOOD)
        canvas.oval(0.5, 0.4, 0.4, 0.2, colour)
        canvas.rect(0.12, 0.88, 0.15, 0.36, (224, 224, 216))
        return ROW, ()
    canvas.box(0.04, 0.96, 0.12, 0.74, colour)
    canvas.box(0.12, 0.88, 0.2, 0.66, lighter(colour))
    return SQUARE, ()


def cabinet(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """Two doors with handles; open, they stand to the sides of a dark inside."""
    colour = STEEL if class_ in ("locker", "safe", "mailbox", "filing cabinet") else WOOD
    colour = WHITE if class_ in ("medicine cabinet", "china cabinet") else colour
    return _doors(canvas, colour, is_open, middle=class_ not in ("safe", "mailbox", "medicine cabinet"))


def _doors(canvas: Canvas, colour: Colour, is_open: bool, middle: bool) -> tuple[Spots, Spots]:
    if not is_open:
        canvas.box(0.12, 0.88, 0.04, 0.76, colour)
        if middle:
            canvas.rect(0.49, 0.51, 0.06, 0.74, darker(colour))
            canvas.disc(0.57, 0.42, 0.035, darker(colour, 0.4))
        canvas.disc(0.43 if middle else 0.78, 0.42, 0.035, darker(colour, 0.4))
        return (), ()
    canvas.box(0.16, 0.84, 0.04, 0.76, INSIDE)
    canvas.rect(0.18, 0.82, 0.41, 0.44, darker(colour))
    canvas.box(0.84, 0.98, 0.08, 0.79, lighter(colour, 0.2))
    if middle:
        canvas.box(0.02, 0.16, 0.08, 0.79, lighter(colour, 0.2))
    return (), SQUARE


def drawers(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """Two drawers; open, the lower one is pulled out."""
    canvas.box(0.1, 0.9, 0.36, 0.76, WOOD)
    for top in (0.38, 0.57):
        canvas.box(0.14, 0.86, top, top + 0.17, lighter(WOOD, 0.2))
        canvas.rect(0.42, 0.58, top + 0.06, top + 0.1, darker(DARK_WOOD))
    if is_open:
        canvas.box(0.04, 0.96, 0.42, 0.66, INSIDE)
        canvas.box(0.04, 0.96, 0.64, 0.8, lighter(WOOD, 0.2))
        canvas.rect(0.42, 0.58, 0.69, 0.73, darker(DARK_WOOD))
    return ROW, tuple((x, 0.54) for x, _ in ROW)


def fridge(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A tall white box with two doors, one above the other; open, it is lit within."""
    if is_open:
        canvas.box(0.14, 0.74, 0.02, 0.77, WHITE)
        canvas.rect(0.19, 0.69, 0.06, 0.73, (176, 208, 228))
        canvas.rect(0.19, 0.69, 0.39, 0.42, WHITE)
        canvas.box(0.74, 0.97, 0.05, 0.8, lighter(STEEL, 0.4))
        return (), ((0.32, 0.25), (0.56, 0.25), (0.32, 0.58), (0.56, 0.58))
    canvas.box(0.2, 0.8, 0.02, 0.77, WHITE)
    canvas.rect(0.22, 0.78, 0.3, 0.33, darker(STEEL))
    for top in (0.13, 0.42):
        canvas.rect(0.26, 0.31, top, top + 0.13, darker(STEEL))
    return (), ()


def chest(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A low box with a lid; open, the lid stands up behind it."""
    colour = STEEL if class_ in ("trash can", "hamper") else WOOD
    if is_open:
        canvas.box(0.1, 0.9, 0.06, 0.3, darker(colour, 0.8))
        canvas.box(0.08, 0.92, 0.3, 0.77, colour)
        canvas.rect(0.12, 0.88, 0.34, 0.56, INSIDE)
        return tuple((x, 0.14) for x, _ in ROW), tuple((x, 0.45) for x, _ in ROW)
    canvas.box(0.08, 0.92, 0.42, 0.77, colour)
    canvas.box(0.05, 0.95, 0.39, 0.5, darker(colour, 0.85))
    canvas.rect(0.46, 0.54, 0.46, 0.56, GLOW)
    return ROW, ()


def machine(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A white box with a window in its door: glowing when it runs; open, the door hangs down."""
    canvas.box(0.08, 0.92, 0.04, 0.77, WHITE)
    canvas.rect(0.12, 0.88, 0.07, 0.15, lighter(STEEL))
    if is_open:
        canvas.rect(0.16, 0.84, 0.2, 0.6, INSIDE)
        canvas.box(0.1, 0.9, 0.6, 0.79, STEEL)
        return (), ((0.26, 0.4), (0.42, 0.4), (0.58, 0.4), (0.74, 0.4))
    window = GLOW if is_on else GLASS
    if class_ in ("washing machine", "dryer"):
        canvas.disc(0.5, 0.47, 0.25, STEEL)
        canvas.disc(0.5, 0.47, 0.19, window)
    else:
        canvas.box(0.16, 0.84, 0.22, 0.7, STEEL)
        canvas.rect(0.22, 0.78, 0.34, 0.64, window)
    return (), ()


def lamp(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A shade over a stand, or hanging; lit, it is yellow with rays."""
    hanging = class_ in ("ceiling light", "chandelier")
    canvas.rect(0.48, 0.52, 0.0 if hanging else 0.4, 0.3 if hanging else 0.74, (90, 84, 78))
    if not hanging:
        canvas.rect(0.34, 0.66, 0.71, 0.76, (90, 84, 78))
    if is_on:
        for x0, y0, x1, y1 in (
            (0.2, 0.36, 0.06, 0.36), (0.8, 0.36, 0.94, 0.36), (0.26, 0.54, 0.14, 0.66), (0.74, 0.54, 0.86, 0.66),
            (0.24, 0.14, 0.14, 0.06), (0.76, 0.14, 0.86, 0.06),
        ):  # fmt: skip
            canvas.line(x0, y0, x1, y1, 0.025, (240, 170, 20))
    shade = GLOW if is_on else (128, 124, 120)
    canvas.polygon([(0.38, 0.12), (0.62, 0.12), (0.76, 0.46), (0.24, 0.46)], darker(shade))
    canvas.polygon([(0.4, 0.15), (0.6, 0.15), (0.72, 0.43), (0.28, 0.43)], shade)
    return (), ()


def stove(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A box with burners on top: red when it is on."""
    canvas.box(0.06, 0.94, 0.42, 0.77, STEEL)
    canvas.rect(0.14, 0.86, 0.53, 0.72, GLASS)
    for x in (0.22, 0.41, 0.6, 0.79):
        canvas.oval(x, 0.4, 0.085, 0.04, FIRE if is_on else (60, 60, 60))
    return tuple((x, 0.25) for x, _ in ROW), ()


def screen(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A black screen on a foot; on, it shows a picture."""
    canvas.rect(0.45, 0.55, 0.58, 0.72, (60, 60, 64))
    canvas.rect(0.3, 0.7, 0.7, 0.76, (60, 60, 64))
    canvas.box(0.06, 0.94, 0.08, 0.62, (44, 44, 50))
    if is_on:
        canvas.rect(0.11, 0.89, 0.13, 0.57, (104, 190, 250))
        canvas.rect(0.11, 0.89, 0.42, 0.57, (104, 190, 96))
        canvas.disc(0.7, 0.25, 0.07, GLOW)
    return (), ()


def basin(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A bowl open at the top with a tap over it; drops fall when the tap is on."""
    has_tap = class_ in ("sink", "bathtub", "faucet", "sprinkler")
    if class_ == "toilet":
        canvas.box(0.3, 0.7, 0.04, 0.36, WHITE)
        canvas.box(0.42, 0.58, 0.56, 0.76, WHITE)
    if class_ in ("faucet", "sprinkler"):
        canvas.rect(0.3, 0.38, 0.2, 0.76, darker(STEEL, 0.8))
        canvas.rect(0.3, 0.72, 0.16, 0.25, darker(STEEL, 0.8))
        canvas.rect(0.64, 0.72, 0.2, 0.36, darker(STEEL, 0.8))
        canvas.rect(0.24, 0.44, 0.08, 0.13, darker(STEEL, 0.6))
        if is_on:
            for y in (0.44, 0.57, 0.7):
                canvas.oval(0.68, y, 0.04, 0.055, (40, 120, 220))
        return (), ()
    canvas.oval(0.5, 0.44, 0.42 if has_tap else 0.26, 0.3, darker(STEEL))
    canvas.oval(0.5, 0.44, 0.4 if has_tap else 0.24, 0.28, WHITE)
    canvas.oval(0.5, 0.44, 0.33 if has_tap else 0.17, 0.21, WATER)
    if has_tap:
        canvas.rect(0.46, 0.54, 0.04, 0.2, darker(STEEL))
    return (), tuple((x, 0.44) for x in (0.26, 0.42, 0.58, 0.74))


def bin_(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """Something open at the top or front."""
    if class_ == "fireplace":
        canvas.box(0.06, 0.94, 0.06, 0.77, (164, 92, 72))
        canvas.rect(0.02, 0.98, 0.04, 0.12, (120, 112, 106))
        canvas.rect(0.18, 0.82, 0.26, 0.75, INSIDE)
        return (), ((0.3, 0.4), (0.5, 0.4), (0.7, 0.4), (0.5, 0.62))
    colour: Colour = (104, 150, 104)
    canvas.polygon([(0.06, 0.26), (0.94, 0.26), (0.8, 0.74), (0.2, 0.74)], darker(colour))
    canvas.polygon([(0.1, 0.28), (0.9, 0.28), (0.78, 0.72), (0.22, 0.72)], colour)
    canvas.oval(0.5, 0.28, 0.42, 0.16, INSIDE)
    return (), ROW


def device(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    """A box with a dial and a light: bright green when it is on, dark when it is off."""
    body: Colour = (150, 160, 176)
    canvas.box(0.1, 0.9, 0.2, 0.76, body)
    if class_ == "aquarium":
        canvas.rect(0.14, 0.86, 0.32, 0.72, WATER)
        canvas.oval(0.4, 0.52, 0.1, 0.06, FIRE)
        canvas.polygon([(0.5, 0.52), (0.58, 0.45), (0.58, 0.59)], FIRE)
    elif class_ in ("fan", "heater", "air conditioner", "dehumidifier", "radio", "stereo"):
        for y in (0.38, 0.47, 0.56, 0.65):
            canvas.rect(0.18, 0.62, y, y + 0.04, FIRE if is_on and class_ == "heater" else darker(body))
    else:
        canvas.rect(0.18, 0.62, 0.4, 0.68, darker(body))
    canvas.disc(0.75, 0.44, 0.1, darker(body, 0.4))
    canvas.disc(0.75, 0.44, 0.075, (70, 240, 90) if is_on else (70, 50, 50))
    if is_on:
        for x0, x1 in ((0.3, 0.24), (0.5, 0.5), (0.7, 0.76)):
            canvas.line(x0, 0.15, x1, 0.05, 0.022, (40, 160, 60))
    return (), ()


def _shed(canvas: Canvas, class_: str, is_open: bool, is_on: bool) -> tuple[Spots, Spots]:
    spots = _doors(canvas, DARK_WOOD, is_open, middle=True)
    canvas.polygon([(0.5, -0.02), (1.0, 0.14), (0.0, 0.14)], (120, 60, 50))
    return spots


_PAINTERS: dict[Painter, str] = {
    shelf: "bookshelf, shelf, spice rack, shoe rack, coat rack, drying rack",
    bed: "bed",
    sofa: "sofa, loveseat, armchair, recliner",
    chair: "chair, folding chair, office chair, rocking chair, stool, step stool, bench",
    flat: "rug, hammock",
    drawers: "drawer, dresser, shoe cabinet",
    fridge: "fridge, freezer",
    chest: "chest, trunk, hamper, trash can",
    machine: "dishwasher, microwave, oven, washing machine, dryer",
    lamp: "lamp, chandelier, ceiling light, lantern",
    stove: "stove",
    screen: "television, computer, projector",
    basin: "sink, bathtub, faucet, sprinkler, toilet",
    bin_: "umbrella stand, wastebasket, fireplace, wheelbarrow",
    _shed: "shed",
}
_BY_CLASS = {class_: painter for painter, classes in _PAINTERS.items() for class_ in classes.split(", ")}
_BY_ROLE: dict[str, Painter] = {
    "surface": table, "container": cabinet, "switch": device, "seat": chair, "basin": bin_,
}  # fmt: skip


def painter_of(class_: str) -> Painter:
    """Return what draws a class of furniture."""
    return _BY_CLASS.get(class_) or _BY_ROLE[FURNITURE[class_].role]
