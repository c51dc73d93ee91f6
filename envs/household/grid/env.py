"""The household as a MiniGrid environment: the same houses, starts, goals and rules, on cells, with seven moves."""

from __future__ import annotations

from typing import Any

from worldschool.envs.household.grid.episode import grid_config
from worldschool.envs.household.grid.floor import padded_size
from worldschool.envs.household.grid.moves import MOVES
from worldschool.envs.household.grid.screen import HouseholdScreen
from worldschool.envs.household.houses import House
from worldschool.envs.household.lived_in import NO_GOAL
from worldschool.envs.settings import check_choice, check_options
from worldschool.errors import WorldError
from worldschool.records import Goal, Snapshot
from worldschool.spaces import AnyText

TEXT_ONLY = ("observe", "actions", "info_legal", "wording")
"""Settings of the text household that mean nothing here."""
MISSION_LENGTH = 96
"""What FlatObsWrapper has space for."""


class HouseholdGridEnv(HouseholdScreen):
    """The household on MiniGrid's grid: walking costs steps, and being close means being near.

    Same seed and settings give the house, the start and the goal of `HouseholdEnv`; what the grid adds (cells and
    directions) is drawn afterwards. Everything but walking is done by the household's own rules.

    Actions (`Discrete(7)`), which work on the cell in front; what cannot be done changes nothing and costs a step:

        0 left, 1 right   turn
        2 forward         onto a floor cell or through a doorway; things on the floor can be stepped over
        3 pickup          of what lies there, or is on the furniture, or in it when it is open or never closes: the first
                          in the house's order. If there is nothing: out of a vessel in the hand
        4 drop            what was taken last: into open furniture, else onto it; into or onto a thing that lies there, if
                          that takes it; onto a free floor cell
        5 toggle          opens or closes, switches on or off, plugs in what is unplugged. What opens and has a switch
                          (an oven) is opened, then closed and switched on, then switched off. If there is nothing to
                          toggle: a device in the hand
        6 done            nothing

    A doorway belongs to no room: who stands in one counts to the room it came from. A character is CLOSE to furniture in
    the four cells beside it, what is on that, what is in it unless it is closed, things on the floor there or at its
    feet, and what it holds.

    Observations are MiniGrid's: "image" uint8 [view, view, 3] of (type, colour, state) as in `grid.objects`, "direction",
    "mission" (the goal's text; `mission_of`). With wrappers that show all of the grid the size is the same for every house
    of the settings; cells outside of the house are "empty".

    The reward is 1.0 when the goal is reached, and 0.0 otherwise: not MiniGrid's, which shrinks with every step.
    Other characters (characters=2 and more) act after the agent: they walk about at random and use what they meet.

    info: "events" (tuple of Event), "success", "error" (a sentence, or None), "split", "actor", and "front": the name of
    the furniture or character ahead or None, and the names of the things that could be picked up there, in order.

    Args:
        render_mode: None, "rgb_array" or "human".
        agent_view_size: cells along the agent's view, odd, at least 3.
        see_through_walls: whether the agent does.
        tile_size: pixels along a cell in pictures.
        screen_size: pixels along the window of render_mode="human".
        highlight: whether pictures show dimly what the agent does not see.
        agent_pov: whether pictures show the agent's view alone.
        settings: the fields of HouseholdConfig; goal="random" and max_steps=250 by default. control="all" is not
            offered, nor are goal="activity", "observe", "actions", "info_legal" and "wording".

    Raises:
        WorldError: a setting is unknown or its value not accepted.
    """

    def __init__(
        self,
        *,
        render_mode: str | None = None,
        agent_view_size: int = 7,
        see_through_walls: bool = False,
        tile_size: int = 48,
        screen_size: int = 960,
        highlight: bool = True,
        agent_pov: bool = False,
        **settings: Any,
    ) -> None:
        self._config = grid_config(settings, not_offered=TEXT_ONLY)
        check_choice("HouseholdGrid", "render_mode", render_mode, (None, *self.metadata["render_modes"]))
        if type(agent_view_size) is not int or agent_view_size < 3 or agent_view_size % 2 == 0:
            raise WorldError(
                f"found {agent_view_size!r}",
                where="HouseholdGrid: agent_view_size",
                mend="Accepted: an odd whole number from 3.",
            )
        width, height = padded_size(self._config)
        super().__init__(
            mission_space=AnyText(max_length=1024),
            width=width,
            height=height,
            max_steps=self._config.max_steps,
            see_through_walls=see_through_walls,
            agent_view_size=agent_view_size,
            render_mode=render_mode,
            screen_size=screen_size,
            highlight=highlight,
            tile_size=tile_size,
            agent_pov=agent_pov,
        )
        self._asked = NO_GOAL

    @property
    def config(self) -> dict[str, Any]:
        """The keyword arguments that make this world again, as plain JSON values; those of pictures are left out."""
        kept = {name: value for name, value in self._config.to_json().items() if name not in TEXT_ONLY}
        return kept | {
            "agent_view_size": self.agent_view_size,
            "see_through_walls": self.see_through_walls,
        }

    # -- Gymnasium --------------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draw a new house. The same seed and settings give the same episode in every process.

        Args:
            seed: a whole number from 0, or None to go on from the last.
            options: {"goal": Goal} sets the goal, in place of the one the settings would draw.

        Raises:
            WorldError: an option is unknown, or the goal names what is not in this house.
        """
        options = check_options("HouseholdGrid", options, ("goal",))
        self._asked = options.get("goal", NO_GOAL)
        observation, _ = super().reset(seed=seed)
        return observation, self._info(None)

    def _gen_grid(self, width: int, height: int) -> None:
        self._begin(self.np_random, self._asked)

    def step(self, action: int) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Let the agent make a move, and then each other character.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended, or there is no such action.
        """
        self._check_going()
        if not self.action_space.contains(action):
            told = ", ".join(f"{number} {name}" for number, name in enumerate(MOVES))
            raise WorldError(f"found {action!r}", where="HouseholdGrid: action", mend=f"Accepted: {told}.")
        self._events = ()
        error = self._move(int(action))
        self.turns += 1
        self._show()
        if self.render_mode == "human":
            self.render()
        reward = 1.0 if self._terminated else 0.0
        return self.gen_obs(), reward, self._terminated, self._truncated, self._info(error)

    def restore(self, snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return to `snapshot`, of this or another grid with the same settings. The last events are not kept.

        Raises:
            WorldError: the snapshot is not of this world, its house does not fit this grid, or it is damaged.
        """
        self._return_to(snapshot)
        return self.gen_obs(), self._info(None)

    def _check_size(self, house: House) -> None:
        if house.plan.width > self.width or house.plan.height > self.height:
            raise WorldError(
                f"its house of {house.plan.width} by {house.plan.height} cells is larger than this grid",
                where="HouseholdGrid: restore",
                mend="Restore it in a grid of the same settings.",
            )

    # -- goals and info ----------------------------------------------------------------------------------------------

    def _take_goal(self, goal: Goal) -> None:
        super()._take_goal(goal)
        self.mission = mission_of(goal)

    def _info(self, error: str | None) -> dict[str, Any]:
        life = self.life
        front, things = life.in_front(0)
        return {
            "events": self._events,
            "success": self._terminated,
            "error": error,
            "split": life.floor.house.split,
            "actor": life.floor.house.characters[0],
            "front": (front, tuple(things)),
        }


def mission_of(goal: Goal) -> str:
    """Return a goal's text as a mission: no capital, no full stop, and without "the" where it would be too long."""
    text = goal.text.rstrip(".")
    text = text[:1].lower() + text[1:]
    return text if len(text) <= MISSION_LENGTH else text.replace(" the ", " ")
