"""The household as a Gymnasium vector environment: thousands of houses, each step of all of them one compiled call."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete, Space
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from worldschool.envs.household.houses import House
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene.batches import BEGIN, WAIT
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.observations import COLUMNS
from worldschool.envs.household.stacked import MOST_ACTIONS, StackedHouses, draw, numeric_config, places_of
from worldschool.envs.settings import check_choice, check_options
from worldschool.errors import WorldError
from worldschool.records import Goal

WHERE = "HouseholdVectorEnv"


class ActionTexts(Sequence[tuple[str, ...]]):
    """For each environment its actions in text, by number; written when they are asked for."""

    def __init__(self, premises: Sequence[Premises]) -> None:
        self._premises = premises

    def __len__(self) -> int:
        return len(self._premises)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [one.texts[: one.effective] for one in self._premises[index]]
        one = self._premises[index]
        return one.texts[: one.effective]


class HouseholdVectorEnv(VectorEnv[NDArray[np.int16], NDArray[np.int64], Any]):
    """E households stepped together, each as HouseholdDiscreteEnv is: same dynamics, same numbers.

    Action: int64 [E]; number k is the k-th action of that environment's house (`actions[e][k]`). A number beyond them, or
    an action that cannot be done now, changes nothing and costs a step.

    Observation: int16 [E, N, 10], N being the most things that a house of these settings can have; the columns are
    explained in scene/observations.py. All of the state is seen, whatever `observe` says.

    Reward: float64 [E], 1.0 when the goal is reached, which terminates; an episode is truncated after `max_steps` steps.
    With control="self" the other characters each do something random and legal after the first; with "all" the characters
    take turns.

    Houses stay: an episode that begins by autoreset, or by `reset()` without a seed, puts the things of the same house
    elsewhere and draws another goal. `reset(seed=s)` draws new houses: environment i has the house, start and goal of
    HouseholdDiscreteEnv and HouseholdEnv after `reset(seed=s + i)`, however many environments there are. Drawing takes
    about two milliseconds a house.

    info, each with its mask "_name" as Gymnasium has it: "goal" (int16 [E, 3, 3]: rows of `scene.goals`: kind, thing,
    other thing or bits of states; -1: no row), "success" (bool [E]), "actor" (int64 [E]: row of the character that acts
    next), and with action_masks=True "action_mask" (int8 [E, 2048]: what it could do, of the state as it is, the
    last one of an episode included).

    Args:
        num_envs: how many environments.
        autoreset_mode: `AutoresetMode` or its value. "NextStep": the step after an episode's last begins the next one and
            ignores the action. "SameStep": the last step does, and info has "final_obs" and "final_info". "Disabled":
            `reset(options={"reset_mask": bool [E]})` begins it, and stepping before raises.
        action_masks: whether info has "action_mask".
        copy: whether what is returned are copies; without, the next step writes into the same observations and masks.
        render_mode: None.
        settings: the fields of HouseholdConfig. Those that change words alone are refused, but for `observe`.

    Raises:
        WorldError: a setting is unknown or not accepted, or gives houses of more than 2,048 actions.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        action_masks: bool = False,
        copy: bool = True,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        config = numeric_config(settings)
        check_choice(WHERE, "render_mode", render_mode, (None,))
        if not isinstance(num_envs, int) or num_envs < 1:
            raise WorldError(
                f"found {num_envs!r}", where=f"{WHERE}: num_envs", mend="Give a whole number from 1."
            )
        try:
            self._mode = AutoresetMode(autoreset_mode)
        except ValueError:
            names = ", ".join(repr(mode.value) for mode in AutoresetMode)
            raise WorldError(
                f"found {autoreset_mode!r}", where=f"{WHERE}: autoreset_mode", mend=f"Accepted: {names}."
            ) from None
        self.metadata = {"render_modes": [], "autoreset_mode": self._mode}
        self.num_envs = num_envs
        self.single_observation_space = observation_space(places_of(config))
        self.single_action_space = Discrete(MOST_ACTIONS)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._copy = copy
        self._same_step = self._mode is AutoresetMode.SAME_STEP
        self._stack = StackedHouses(config, num_envs, action_masks, keep_last=self._same_step)
        self._everywhere = np.ones(num_envs, np.bool_)

    # -- Gymnasium ----------------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int16], dict[str, Any]]:
        """Begin new episodes, with a seed in new houses.

        Args:
            seed: a whole number from 0: environment i is drawn from seed + i; or a number for each environment.
            options: {"reset_mask": bool [E]} begins only those that it marks.

        Raises:
            WorldError: an option is unknown, the mask is no bool [E] that marks one, or there is not a seed for each.
        """
        chosen = self._chosen(options or {})
        first = not self._stack.premises
        if first and not chosen.all():
            raise ResetNeeded(f"{WHERE}: reset every environment first.")
        if seed is None and first:
            seed = int(self.np_random.integers(1 << 31))
        elif seed is None or isinstance(seed, int):
            super().reset(seed=seed)
        if seed is not None:
            seeds = self._seeds(seed)
            self._stack.move_in(
                {
                    e: draw(self._stack.config, seeding.np_random(seeds[e])[0])
                    for e in np.flatnonzero(chosen).tolist()
                }
            )
        commands = np.where(chosen, BEGIN, WAIT).astype(np.uint8)
        self._stack.advance(commands, np.zeros(self.num_envs, np.int64))
        return self._out(self._stack.lives.observations), self._info(chosen)

    def _chosen(self, options: dict[str, Any]) -> NDArray[np.bool_]:
        """Return which environments begin anew."""
        check_options(WHERE, options, ("reset_mask",))
        if "reset_mask" not in options:
            return self._everywhere
        mask = options["reset_mask"]
        if (
            not isinstance(mask, np.ndarray)
            or mask.dtype != np.bool_
            or mask.shape != (self.num_envs,)
            or not mask.any()
        ):
            raise WorldError(
                f"found {mask!r}",
                where=f"{WHERE}: reset: reset_mask",
                mend=f"Give a bool array of shape ({self.num_envs},) with at least one True.",
            )
        return mask

    def _seeds(self, seed: int | Sequence[int]) -> list[int]:
        if isinstance(seed, int):
            return [seed + e for e in range(self.num_envs)]
        seeds = [operator.index(one) for one in seed]
        if len(seeds) != self.num_envs:
            raise WorldError(
                f"found {len(seeds)} seeds", where=f"{WHERE}: reset: seed", mend=f"Give {self.num_envs}."
            )
        return seeds

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[NDArray[np.int16], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Let every environment act, or begin its next episode.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the actions are no whole numbers [E], or with autoreset "Disabled" an episode has ended.
        """
        if not self._stack.premises:
            raise ResetNeeded(f"{WHERE}: call reset first.")
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise WorldError(
                f"found {actions.dtype} {list(actions.shape)}",
                where=f"{WHERE}: step: actions",
                mend=f"Give whole numbers of shape ({self.num_envs},).",
            )
        lives = self._stack.lives
        commands = np.zeros(self.num_envs, np.uint8)
        if not self._same_step:
            ended = lives.terminated | lives.truncated
            if self._mode is AutoresetMode.DISABLED and ended.any():
                raise WorldError(
                    f"{np.count_nonzero(ended)} episodes have ended",
                    where=f"{WHERE}: step",
                    mend='Call reset(options={"reset_mask": terminations | truncations}) first.',
                )
            commands[ended] = BEGIN
        self._stack.advance(commands, np.ascontiguousarray(actions, np.int64))
        info = self._info(self._everywhere)
        if self._same_step and (ended := lives.terminated | lives.truncated).any():
            info |= self._final(ended)
        return (
            self._out(lives.observations),
            lives.rewards.copy(),
            lives.terminated.copy(),
            lives.truncated.copy(),
            info,
        )

    def _out(self, array: NDArray[Any]) -> NDArray[Any]:
        return array.copy() if self._copy else array

    def _info(self, told: NDArray[np.bool_]) -> dict[str, Any]:
        """Return info of the environments in `told`; of the others everything is zero, as Gymnasium has it."""
        lives = self._stack.lives
        found: dict[str, Any] = {
            "goal": lives.goals.copy(),
            # Where an episode began anew in this step, info is of the new one.
            "success": np.zeros(self.num_envs, np.bool_) if self._same_step else lives.terminated.copy(),
            "actor": lives.turns.copy(),
        }
        if len(lives.masks):
            found["action_mask"] = self._out(lives.masks) if told.all() else lives.masks.copy()
        return _masked(found, told)

    def _final(self, ended: NDArray[np.bool_]) -> dict[str, Any]:
        """Return what Gymnasium tells of the episodes that ended in a step which began the next ones."""
        lives = self._stack.lives
        observations = np.full(self.num_envs, None, dtype=object)
        for e in np.flatnonzero(ended).tolist():
            observations[e] = lives.last_observations[e].copy()
        last: dict[str, Any] = {
            "goal": lives.last_goals.copy(),
            "success": lives.terminated.copy(),
            "actor": lives.last_turns.copy(),
        }
        if len(lives.masks):
            last["action_mask"] = lives.last_masks.copy()
        return _masked({"final_obs": observations, "final_info": _masked(last, ended)}, ended)

    # -- houses ---------------------------------------------------------------------------------------------------------

    @property
    def actions(self) -> ActionTexts:
        """For each environment its actions in text: `actions[e][k]` is what number k does."""
        return ActionTexts(self._stack.premises)

    @property
    def houses(self) -> list[House]:
        """The house of each environment."""
        return [premises.house for premises in self._stack.premises]

    @property
    def goals(self) -> NDArray[np.int16]:
        """The goals as rows of `scene.goals`, int16 [E, 3, 3]; -1 where there is no row."""
        goals: NDArray[np.int16] = self._stack.lives.goals.copy()
        return goals

    def goal(self, e: int) -> Goal:
        """Return the goal of environment `e` as predicates and in English."""
        return self._stack.goal(e)

    def graph(self, e: int) -> SceneGraph:
        """Return the state of environment `e` as VirtualHome's scene graph; ids are rows of the observation + 1."""
        return self._stack.premises[e].graph(self._stack.lives.memory[e])


def observation_space(places: int) -> Space[NDArray[np.int16]]:
    """Return the space of one environment's observations."""
    return cast("Space[NDArray[np.int16]]", Box(-1, np.iinfo(np.int16).max, (places, COLUMNS), np.int16))


def _masked(found: dict[str, Any], told: NDArray[np.bool_]) -> dict[str, Any]:
    """Return info with a mask "_name" for each name, and nothing but zeros where it tells nothing."""
    if not told.all():
        for value in found.values():
            if isinstance(value, np.ndarray) and value.dtype != object:
                value[~told] = 0
    return found | {f"_{name}": told.copy() for name in found}
