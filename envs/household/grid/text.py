"""The household on the grid as a World: the same houses, starts, moves and snapshots, with words in place of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from gymnasium.core import RenderFrame

from worldschool.envs.household import vocabulary
from worldschool.envs.household.actions import ActionError, UnreadableAction, nearest_action
from worldschool.envs.household.grid import words
from worldschool.envs.household.grid.acting import actions_now, read_action
from worldschool.envs.household.grid.deeds import DONE
from worldschool.envs.household.grid.episode import GridEpisode, grid_config
from worldschool.envs.household.lived_in import NO_GOAL
from worldschool.envs.household.words import missions, stories
from worldschool.envs.settings import check_choice, check_options
from worldschool.envs.world import World
from worldschool.records import Event, Goal, Snapshot
from worldschool.spaces import AnyText

NOT_OFFERED = ("actions", "wording")
"""Settings of the text household that the grid does not have."""


class HouseholdGridTextEnv(GridEpisode, World):
    """`HouseholdGridEnv` in text: equal seeds and settings give equal episodes, and each restores the other's snapshots.

    Actions, with moves="walks": "walk to NAME" makes all the moves of `path_to(NAME)`, each of which costs a step of
    `max_steps` and lets the others move; it ends with an error where somebody bars the way. With moves="single": "turn
    left", "turn right" and "go forward". With either, what MiniGrid's pickup, drop and toggle would do now is written as
    the text household writes it, one action each: "grab apple", "put apple on desk", "put apple in chest", "drop apple",
    "open fridge", "close fridge", "switch on lamp", "switch off lamp", "plug in lamp"; an open oven that is to be
    switched on is closed by the same move. With others about there is "wait". Single moves are read with moves="walks"
    too, only not listed; so are MiniGrid's words (left, right, forward, pickup, drop, toggle, done) and synonyms.

    An action that cannot be done is one move of waiting, told in info["error"]; one that the household refuses (hands
    are full) is tried, with an event that did not succeed.

    Observations: what a character of the text household would see, what is in front, and which way the rest of the room is
    (`words.observe`). The whole room is seen, whatever MiniGrid's view would show.

    Events: as in HouseholdGridEnv, those of all moves of one step with its `t`; who has walked up to something adds an event
    "walk" with it as the object. The reward is 1.0 when the goal is reached, which ends a walk too, and 0.0 otherwise.

    info: "events", "success", "error", "split", "actor", "moves" (MiniGrid's numbers of the moves just made, in order), and
    with info_legal=True "legal_actions".

    Args:
        moves: "walks" or "single".
        render_mode: None; "ansi" for `render` to return the observation with every room told; "rgb_array" for the picture.
        settings: the fields of HouseholdConfig; goal="random" and max_steps=250 (moves) by default. control="all",
            goal="activity", "actions" and "wording" are not offered.

    Raises:
        WorldError: a setting is unknown or its value not accepted.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(self, *, moves: str = "walks", render_mode: str | None = None, **settings: Any) -> None:
        self._config = grid_config(settings, NOT_OFFERED)
        check_choice("HouseholdGrid", "moves", moves, ("walks", "single"))
        check_choice("HouseholdGrid", "render_mode", render_mode, (None, *self.metadata["render_modes"]))
        self._walks = moves == "walks"
        self.render_mode = render_mode
        self.max_steps = self._config.max_steps
        self.observation_space = AnyText(max_length=16384)
        self.action_space = AnyText(max_length=200)
        self._moves: tuple[int, ...] = ()
        self._screen: Any = None

    @property
    def config(self) -> dict[str, Any]:
        """The keyword arguments that make this world again, as plain JSON values; `render_mode` is left out."""
        kept = {name: value for name, value in self._config.to_json().items() if name not in NOT_OFFERED}
        return kept | {"moves": "walks" if self._walks else "single"}

    # -- Gymnasium --------------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Draw a new house. The same seed and settings give the same episode in every process.

        Args:
            seed: a whole number from 0, or None to go on from the last.
            options: {"goal": Goal} sets the goal, in place of the one the settings would draw.

        Raises:
            WorldError: an option is unknown, or the goal names what is not in this house.
        """
        super().reset(seed=seed)
        options = check_options("HouseholdGrid", options, ("goal",))
        self._begin(self.np_random, options.get("goal", NO_GOAL))
        self._moves = ()
        return self._observation(), self._info(None)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Let the agent do `action`, which may take several moves, and after each the others theirs.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended.
        """
        error = self._take(action)
        reward = 1.0 if self._terminated else 0.0
        return self._observation(), reward, self._terminated, self._truncated, self._info(error)

    def step_unseen(self, action: str) -> tuple[bool, bool]:
        """Do what `step` does, without making observation and info: `envs.search.Unseen`."""
        self._take(action)
        return self._terminated, self._truncated

    def _take(self, action: str) -> str | None:
        """Make a step. Returns what was wrong with the action, or None."""
        self._check_going()
        self._events, self._moves = (), ()
        error = self._attempt(action)
        self.turns += 1
        return error

    def render(self) -> RenderFrame | list[RenderFrame] | None:
        """Return the observation with every room told (render_mode="ansi"), or the picture that MiniGrid's form draws."""
        if self.render_mode == "ansi":
            return words.observe(self.life, 0, every_room=True)
        if self.render_mode == "rgb_array":
            if self._screen is None:
                # MiniGrid and pygame are for pictures alone.
                from worldschool.envs.household.grid.env import HouseholdGridEnv

                shared = {name: value for name, value in self._config.to_json().items() if name in _SHARED}
                self._screen = HouseholdGridEnv(render_mode="rgb_array", **shared)
            self._screen.restore(self.snapshot())
            frame: RenderFrame = self._screen.render()
            return frame
        return None

    # -- World ------------------------------------------------------------------------------------------------------

    def legal_actions(self) -> list[str]:
        """Return the actions that would succeed and change something now, sorted; none once the episode has ended."""
        life = self.life
        if self._terminated or self._truncated:
            return []
        return actions_now(life, 0, self._walks)

    def restore(self, snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
        """Return to `snapshot`, of this or another household on the grid, in text or MiniGrid's form.

        Raises:
            WorldError: the snapshot is not of this world, or it is damaged.
        """
        self._return_to(snapshot)
        self._moves = ()
        return self._observation(), self._info(None)

    @classmethod
    def narrate(cls, events: Sequence[Event], style: str, rng: Random) -> list[str]:
        """Tell the events that succeeded, one sentence each, in one of `stories.STYLES` (stories.narrate).

        Raises:
            WorldError: the style is unknown.
        """
        return stories.narrate(events, style, rng)

    @classmethod
    def phrase(cls, name: str) -> str:
        """Return "the apple", "the second apple" for "apple 2", or a character's bare name."""
        return vocabulary.phrase(name)

    @classmethod
    def narrate_action(cls, action: str, style: str = "plain", rng: Random | None = None) -> str:
        """Return an action as an English instruction: "go forward" gives "Go forward.", "grab apple" "Pick up the apple."

        Raises:
            WorldError: the text has no action's form, or the style is unknown.
        """
        return words.narrate_action(action, style, rng)

    @classmethod
    def goal_text(cls, goal: Goal) -> str:
        """Return what a goal wants true: "the apple is on the desk and the lamp is on"."""
        return missions.goal_text(goal.predicates)

    # -- doing it ---------------------------------------------------------------------------------------------------

    def _attempt(self, text: str) -> str | None:
        """Do an action, waiting in place of one that cannot be tried. Returns what was wrong with it, or None."""
        error = None
        try:
            moves, walked_to = read_action(self.life, 0, text, self._walks)
        except UnreadableAction as problem:
            error = problem.guessing(nearest_action(text, self.legal_actions()))
        except ActionError as problem:
            error = str(problem)
        if error is not None:
            self._make(DONE)
            return error
        for number, move in enumerate(moves, start=1):
            error = self._make(move, walked_to if number == len(moves) else "")
            if error or self._terminated or self._truncated:
                break
        return error

    def _make(self, move: int, walked_to: str = "") -> str | None:
        self._moves += (move,)
        return self._move(move, walked_to)

    # -- what is told -----------------------------------------------------------------------------------------------

    def _observation(self) -> str:
        return words.observe(self.life, 0, self._config.observe == "full")

    def _info(self, error: str | None) -> dict[str, Any]:
        house = self.life.floor.house
        info: dict[str, Any] = {
            "events": self._events,
            "success": self._terminated,
            "error": error,
            "split": house.split,
            "actor": house.characters[0],
            "moves": self._moves,
        }
        if self._config.info_legal:
            info["legal_actions"] = self.legal_actions()
        return info


_SHARED = ("split", "rooms", "furniture", "objects", "characters", "max_steps", "focus")
"""Settings that the picture of a house needs."""
