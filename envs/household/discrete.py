"""The household in numbers: one house, an action by its number, all of the state as a table."""

from __future__ import annotations

import operator
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from worldschool.envs.household.engine import Engine
from worldschool.envs.household.houses import House
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene.batches import ACT, BEGIN, LOOK
from worldschool.envs.household.scene.goals import GOAL_KINDS, GOAL_STATE
from worldschool.envs.household.scene.graph import STATES, SceneGraph
from worldschool.envs.household.stacked import (
    MOST_ACTIONS,
    MOST_GOAL_ROWS,
    Drawn,
    StackedHouses,
    check_premises,
    draw,
    numeric_config,
    places_of,
)
from worldschool.envs.household.vector import observation_space
from worldschool.envs.household.words.observation import observation
from worldschool.envs.settings import check_choice, check_options
from worldschool.envs.world import check_kind
from worldschool.errors import WorldError
from worldschool.records import Goal, Snapshot

WHERE = "HouseholdDiscreteEnv"


class HouseholdDiscreteEnv(gymnasium.Env[NDArray[np.int16], np.int64]):
    """Household-v0 in numbers: equal seeds give the same house, start and goal, equal actions the same states.

    Action: number k is the action `actions[k]` of this house. A number beyond them, or an action that cannot be done now,
    changes nothing and costs a step. With control="all" the characters take turns; the action is that of
    info["actor"].

    Observation: int16 [N, 10], N being the most things that a house of these settings can have; the columns are explained
    in scene/observations.py. All of the state is seen, whatever `observe` says.

    Reward: 1.0 when the goal is reached, which terminates; an episode is truncated after `max_steps` steps.

    info: "action_mask" (int8 [2048]: what could be done now), "goal" (int16 [3, 3]: rows of `scene.goals`: kind, thing,
    other thing or bits of states; -1: no row), "success" (bool) and "actor" (row of the character that acts next).

    Args:
        render_mode: None, or "ansi" for `render` to return in words what the next character sees.
        settings: the fields of HouseholdConfig. Those that change words alone are refused, but for `observe`.

    Raises:
        WorldError: a setting is unknown or not accepted, or gives houses of more than 2,048 actions.
    """

    world_id: ClassVar[str] = "worldschool/HouseholdDiscrete-v0"
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        self._config = numeric_config(settings)
        check_choice(WHERE, "render_mode", render_mode, (None, "ansi"))
        self.render_mode = render_mode
        self.observation_space = observation_space(places_of(self._config))
        self.action_space = Discrete(MOST_ACTIONS)
        self._stack = StackedHouses(self._config, 1, masks=True, keep_last=False)
        self._engine: Engine | None = None

    @property
    def config(self) -> dict[str, Any]:
        """Every setting as plain JSON values; `render_mode` changes nothing in the world and is left out."""
        return self._config.to_json()

    # -- Gymnasium ----------------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int16], dict[str, Any]]:
        """Draw a new house, as HouseholdEnv does from the same seed.

        Args:
            seed: a whole number from 0, or None to go on from the last.
            options: none are known.

        Raises:
            WorldError: an option is given.
        """
        super().reset(seed=seed)
        check_options(WHERE, options)
        drawn = draw(self._config, self.np_random)
        self._move_in(Engine(drawn.premises), drawn)
        self._advance(BEGIN)
        return self._observation(), self._info()

    def step(
        self, action: int | np.integer[Any]
    ) -> tuple[NDArray[np.int16], float, bool, bool, dict[str, Any]]:
        """Let the character whose turn it is act, and with control="self" the others after it.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended, or the action is no whole number.
        """
        self._now()
        lives = self._stack.lives
        if lives.terminated[0] or lives.truncated[0]:
            raise WorldError(
                "the episode has ended", where=f"{WHERE}: step", mend="Call reset, or restore a snapshot."
            )
        try:
            number = operator.index(action)
        except TypeError:
            mend = f"Give a number from 0 to {MOST_ACTIONS - 1}."
            raise WorldError(f"found {action!r}", where=f"{WHERE}: step: action", mend=mend) from None
        self._advance(ACT, number if 0 <= number < MOST_ACTIONS else -1)
        reward, terminated, truncated = lives.rewards[0], lives.terminated[0], lives.truncated[0]
        return self._observation(), float(reward), bool(terminated), bool(truncated), self._info()

    def render(self) -> str | None:
        """Return, with render_mode="ansi", what the next character sees, every room told; otherwise None."""
        if self.render_mode is None:
            return None
        view = self._now().view
        return observation(view, view.house.characters[self._stack.lives.turns[0]], every_room=True)

    # -- the house ------------------------------------------------------------------------------------------------------

    @property
    def house(self) -> House:
        """The house of this episode."""
        return self._now().premises.house

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions of this house in text: what each number does."""
        premises = self._now().premises
        return premises.texts[: premises.effective]

    @property
    def goal(self) -> Goal:
        """The goal of this episode as predicates and in English; without predicates when there is none."""
        self._now()
        return self._stack.goal(0)

    def graph(self) -> SceneGraph:
        """Return the state as VirtualHome's scene graph; ids are rows of the observation + 1."""
        engine = self._now()
        return engine.premises.graph(engine.memory)

    # -- snapshots ------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return all of the state: house, places, states, turn and goal; generator, step count and how it ended."""
        engine, lives = self._now(), self._stack.lives
        goal = tuple(tuple(row) for row in lives.goals[0, : lives.sizes[0]].tolist())
        return Snapshot(
            self.world_id,
            (engine.premises.house.text, engine.changes(), int(lives.turns[0]), goal),
            (
                int(lives.generators[0]),
                int(lives.steps[0]),
                bool(lives.terminated[0]),
                bool(lives.truncated[0]),
            ),
        )

    def restore(self, snapshot: Snapshot) -> tuple[NDArray[np.int16], dict[str, Any]]:
        """Return to `snapshot`, of this or another environment with the same settings.

        Raises:
            WorldError: the snapshot is not of a numeric household, is damaged, or its house is too large for these settings.
        """
        check_kind(snapshot, self.world_id, f"{WHERE}: restore")
        try:
            text, changes, turn, goal = snapshot.state
            generator, steps, terminated, truncated = snapshot.bookkeeping
            engine = self._engine
            if engine is None or engine.premises.house.text is not text:
                engine = Engine(self._premises(House.from_text(text)))
            engine.premises.house.characters[turn]  # out of range shows here, before anything is replaced
            rows = _goal_rows(goal, engine.premises)
            engine.restore(changes, generator)
        except (TypeError, ValueError, LookupError) as error:
            raise WorldError(f"the snapshot is damaged ({error})", where=f"{WHERE}: restore") from None
        if engine is not self._engine:
            self._move_in(engine, Drawn(engine.premises, len(rows), generator))
        lives = self._stack.lives
        lives.generators[0], lives.turns[0], lives.steps[0] = generator, turn, steps
        lives.rewards[0], lives.terminated[0], lives.truncated[0] = 0.0, terminated, truncated
        lives.goals[0], lives.sizes[0] = -1, len(rows)
        lives.goals[0, : len(rows)] = rows
        self._advance(LOOK)
        return self._observation(), self._info()

    def _premises(self, house: House) -> Premises:
        """Return a house of a snapshot, compiled.

        Raises:
            WorldError: these settings have no such house.
        """
        places = places_of(self._config)
        if len(house.names) > places or len(house.characters) != self._config.characters:
            raise WorldError(
                f"its house has {len(house.names)} things and {len(house.characters)} characters",
                where=f"{WHERE}: restore",
                mend="Restore it in an environment of the settings that it was taken in.",
            )
        return check_premises(Premises(house, places))

    # -- one step -------------------------------------------------------------------------------------------------------

    def _now(self) -> Engine:
        if self._engine is None:
            raise ResetNeeded(f"{WHERE}: call reset (or restore a snapshot) first.")
        return self._engine

    def _move_in(self, engine: Engine, drawn: Drawn) -> None:
        """Let the compiled step work on the engine's own memory."""
        self._stack.move_in({0: drawn})
        self._stack.lives = self._stack.lives._replace(memory=engine.memory.reshape(1, -1))
        self._engine = engine

    def _advance(self, command: int, action: int = -1) -> None:
        self._stack.advance(np.array([command], np.uint8), np.array([action], np.int64))
        self._now().changed()

    def _observation(self) -> NDArray[np.int16]:
        seen: NDArray[np.int16] = self._stack.lives.observations[0].copy()
        return seen

    def _info(self) -> dict[str, Any]:
        lives = self._stack.lives
        return {
            "action_mask": lives.masks[0].copy(),
            "goal": lives.goals[0].copy(),
            "success": bool(lives.terminated[0]),
            "actor": int(lives.turns[0]),
        }


def _goal_rows(goal: Any, premises: Premises) -> NDArray[np.int16]:
    """Return a snapshot's goal as rows.

    Raises:
        ValueError: a row is none of this house.
    """
    rows = np.array(goal, np.int16).reshape(len(goal), 3)
    ends = np.where(rows[:, 0] == GOAL_STATE, 1 << len(STATES), premises.count)
    sound = (rows >= 0).all() and (rows[:, 0] < GOAL_KINDS).all() and (rows[:, 1] < premises.count).all()
    if len(rows) > MOST_GOAL_ROWS or not sound or not (rows[:, 2] < ends).all():
        raise ValueError("the goal is not of this house")
    return rows
