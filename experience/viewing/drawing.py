"""Worlds that can draw themselves: by Gymnasium's render_mode="rgb_array", or by a class of the world's own room."""

from __future__ import annotations

import importlib
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from worldschool.envs import World, make
from worldschool.envs.world import world_class

Image: TypeAlias = NDArray[np.uint8]
"""uint8 [height, width, 3], red, green and blue."""
DRAWN_BY = dict.fromkeys(
    ("worldschool/Household-v0", "worldschool/HouseholdGrid-v0"),
    "worldschool.envs.household.grid.overview:Overview",
)
"""World id to "module:Class" of what draws it, for worlds whose `render` gives no pictures, or busier ones."""


class Drawing(Protocol):
    """Draws a world as it is now."""

    def frame(self) -> Image:
        """Return a picture of the world's state."""
        ...

    def people(self) -> tuple[str, ...]:
        """Return the characters in the order of their colours; empty if that is not known."""
        ...


class _Rendered:
    """What a world's own `render` returns."""

    def __init__(self, world: World) -> None:
        self._world = world

    def frame(self) -> Image:
        return np.asarray(self._world.render(), np.uint8)

    def people(self) -> tuple[str, ...]:
        return ()


def make_drawn(world_id: str, config: dict[str, Any]) -> tuple[World, Drawing | None]:
    """Make a world, and what draws it if it can be drawn.

    Raises:
        WorldError: there is no such world, or it does not take this configuration.
    """
    if world_id in DRAWN_BY:
        world = make(world_id, **config)
        module, name = DRAWN_BY[world_id].split(":")
        drawing: Drawing = getattr(importlib.import_module(module), name)(world)
        return world, drawing
    if "rgb_array" in (world_class(world_id).metadata.get("render_modes") or ()):
        world = make(world_id, **config, render_mode="rgb_array")
        return world, _Rendered(world)
    return make(world_id, **config), None
