"""MiniGrid's side of the household on the grid: its cells, its agent, and pictures of them."""

from __future__ import annotations

from typing import Any

from minigrid.core.constants import TILE_PIXELS
from minigrid.minigrid_env import MiniGridEnv

from worldschool.envs.household.grid.canvas import Image
from worldschool.envs.household.grid.episode import GridEpisode
from worldschool.envs.household.grid.moves import GridHousehold
from worldschool.envs.household.grid.objects import Thing
from worldschool.envs.household.grid.scenery import Scenery
from worldschool.envs.household.grid.view import describe_front, draw_grid, squared, with_strip, write_rooms


class HouseholdScreen(GridEpisode, MiniGridEnv):  # type: ignore[misc]
    """A MiniGrid environment that shows a household; what happens in it is HouseholdGridEnv's.

    Args:
        settings: MiniGridEnv's.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.mission = ""
        self._scenery: Scenery | None = None
        self._in_window = False

    def _enter(self, life: GridHousehold) -> None:
        """Take over another household."""
        if self._life is None or self._life.floor.house.text != life.floor.house.text:
            self._scenery = Scenery(life.floor, self.width, self.height)
        super()._enter(life)
        self._show()

    def _show(self) -> None:
        """Let grid, agent and what it carries be those of the household."""
        life, scenery = self.life, self._scenery
        assert scenery is not None
        scenery.show(life)
        self.grid = scenery.grid
        x, y, self.agent_dir = life.floor.poses[0]
        self.agent_pos = (x, y)
        self.carrying = Thing(scenery.grid.held[-1]) if scenery.grid.held else None

    # -- pictures ---------------------------------------------------------------------------------------------------

    def render(self) -> Image | None:
        """Return the picture with what is held, in front and wanted below it, or show it in a window.

        uint8 [height, width, 3], of one size for all houses of these settings. None without a render_mode, and when
        shown in a window.
        """
        if self.render_mode == "rgb_array":
            image = self.get_frame(self.highlight, self.tile_size, self.agent_pov)
            return with_strip(image, self._strip())
        if self.render_mode == "human":
            self._in_window = True
            try:
                super().render()
            finally:
                self._in_window = False
        return None

    def _strip(self) -> list[str]:
        life = self.life
        held = ", ".join(life.hands(0)) or "nothing"
        return [
            f"Mission: {self.mission or 'none'}",
            f"In front: {describe_front(life, 0)}",
            f"Held: {held}.   Room: {life.floor.house.names[life.place(0)[0]]}.   "
            f"Step {self.step_count} of {self.max_steps}" + ("   Done!" if self._terminated else ""),
        ]

    def get_frame(
        self, highlight: bool = True, tile_size: int = TILE_PIXELS, agent_pov: bool = False
    ) -> Image:
        """Return the picture alone: uint8 [height * tile_size, width * tile_size, 3]."""
        image: Image = super().get_frame(highlight, tile_size, agent_pov)
        return squared(image) if self._in_window else image

    def get_full_render(self, highlight: bool, tile_size: int) -> Image:
        """Return the picture of all of the house, with the rooms' names."""
        image: Image = super().get_full_render(highlight, tile_size)
        if tile_size >= 24:
            write_rooms(image, self.life.floor.house.plan, tile_size)
        return image

    def get_pov_render(self, tile_size: int) -> Image:
        """Return the picture of the agent's view: the agent looks up from the middle of the lowest row."""
        grid, seen = self.gen_obs_grid()
        x, y = grid.width // 2, grid.height - 1
        grid.set(x, y, None)  # where MiniGrid shows what is carried
        return draw_grid(grid, tile_size, (x, y, 3), self.grid.held, seen)

    def pprint_grid(self) -> str:
        """Return the grid as text, two letters a cell: the first of each type, walls "##", the agent as an arrow."""
        if self._life is None:
            raise ValueError("HouseholdGrid: there is no grid before the first reset.")
        rows = []
        for y in range(self.height):
            cells = [self.grid.get(x, y) for x in range(self.width)]
            row = [
                "  " if cell is None or cell.type.endswith(" floor") else "##" if cell.type == "wall" else cell.type[:2]
                for cell in cells
            ]  # fmt: skip
            if y == self.agent_pos[1]:
                row[self.agent_pos[0]] = ">v<^"[self.agent_dir] * 2
            rows.append("".join(row))
        return "\n".join(rows)
