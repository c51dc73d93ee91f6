"""A square to draw on, with coordinates from 0 to 1, x to the right and y downwards; and small text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import pygame.freetype
from numpy.typing import NDArray

Colour: TypeAlias = tuple[int, int, int]
Image: TypeAlias = NDArray[np.uint8]
"""uint8 [height, width, 3]."""

FINER = 4
"""Pixels drawn for each pixel shown, along either side."""


class Canvas:
    """A square of `size` pixels, filled with one colour."""

    def __init__(self, size: int, background: Colour) -> None:
        self.size = size
        fine = size * FINER
        self._pixels = np.empty((fine, fine, 3), np.uint8)
        self._pixels[:] = background
        ticks = (np.arange(fine) + 0.5) / fine
        self._x, self._y = ticks[None, :], ticks[:, None]

    def rect(self, left: float, right: float, top: float, bottom: float, colour: Colour) -> None:
        """Fill a rectangle."""
        fine = len(self._pixels)
        across, down = np.round(np.array([[left, right], [top, bottom]]) * fine).astype(int)
        self._pixels[max(down[0], 0) : max(down[1], 0), max(across[0], 0) : max(across[1], 0)] = colour

    def box(self, left: float, right: float, top: float, bottom: float, colour: Colour) -> None:
        """Fill a rectangle with a dark edge."""
        self.rect(left, right, top, bottom, darker(colour))
        self.rect(left + 0.02, right - 0.02, top + 0.02, bottom - 0.02, colour)

    def oval(self, x: float, y: float, wide: float, high: float, colour: Colour) -> None:
        """Fill an oval around (x, y) with half axes `wide` and `high`."""
        self._pixels[((self._x - x) / wide) ** 2 + ((self._y - y) / high) ** 2 <= 1] = colour

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.oval(x, y, radius, radius, colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, half_width: float, colour: Colour) -> None:
        """Draw a line with round ends."""
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((self._x - x0) * dx + (self._y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        away = (self._x - x0 - along * dx) ** 2 + (self._y - y0 - along * dy) ** 2
        self._pixels[away <= half_width**2] = colour

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        """Fill a convex polygon, its corners in clockwise order."""
        inside = np.ones(self._pixels.shape[:2], np.bool_)
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
            inside &= (self._x - x0) * (y1 - y0) - (self._y - y0) * (x1 - x0) <= 0
        self._pixels[inside] = colour

    def shown(self) -> Image:
        """Return the picture: uint8 [size, size, 3]."""
        blocks = self._pixels.reshape(self.size, FINER, self.size, FINER, 3)
        image: Image = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
        return image


def darker(colour: Colour, by: float = 0.6) -> Colour:
    """Return a colour made darker."""
    red, green, blue = (round(part * by) for part in colour)
    return red, green, blue


def lighter(colour: Colour, by: float = 0.5) -> Colour:
    """Return a colour made lighter."""
    red, green, blue = (round(part + (255 - part) * by) for part in colour)
    return red, green, blue


@lru_cache(maxsize=4096)
def letters(text: str, height: int) -> NDArray[np.uint8]:
    """Return a line of text as uint8 [rows, columns], 255 where it is drawn; `height` is the font's, in pixels."""
    # `MiniGridEnv.close` ends all of pygame, so that fonts are opened anew for each text; the pictures stay.
    pygame.freetype.init()
    font = pygame.freetype.Font(None, height)
    raw, (columns, rows) = font.render_raw(text)
    return np.frombuffer(raw, np.uint8).reshape(rows, columns)


def write(image: Image, text: str, x: int, y: int, height: int, colour: Colour) -> None:
    """Write a line of text onto an image, its top left corner at pixel (x, y); what does not fit is cut off."""
    drawn = letters(text, height)[: max(image.shape[0] - y, 0), : max(image.shape[1] - x, 0)]
    if not drawn.size:
        return
    rows, columns = drawn.shape
    part: Any = image[y : y + rows, x : x + columns]
    share = drawn[:, :, None] / 255
    part[:] = (part * (1 - share) + np.array(colour) * share).round()
