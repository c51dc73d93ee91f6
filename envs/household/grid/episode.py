"""One episode of the household on its floor: how it is drawn, what a move does, snapshots. MiniGrid's form and the text share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from worldschool.envs.household import goals
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.grid.deeds import DROP, PICKUP, STEP, TOGGLE, TURN_RIGHT
from worldschool.envs.household.grid.floor import Floor, ahead
from worldschool.envs.household.grid.moves import GridHousehold
from worldschool.envs.household.houses import House, draw_episode
from worldschool.envs.household.lived_in import NO_GOAL, LivedIn
from worldschool.envs.household.premises import premises_of
from worldschool.envs.household.scene import standing
from worldschool.envs.world import check_kind
from worldschool.errors import WorldError, nearest
from worldschool.records import Goal, Snapshot

DEFAULTS: dict[str, Any] = {"goal": "random", "max_steps": 250}
"""Where the grid's settings differ from the text household's."""
OTHERS_MOVES = (0, TURN_RIGHT, STEP, STEP, STEP, STEP, PICKUP, DROP, TOGGLE)
"""What another character does in a step: one of these, each as likely. Where the way is barred, it turns."""


def grid_config(settings: Mapping[str, Any], not_offered: Sequence[str]) -> HouseholdConfig:
    """Return the settings of a household on the grid, checked.

    Args:
        settings: fields of HouseholdConfig.
        not_offered: those that have to be left out.

    Raises:
        WorldError: a setting is unknown, not offered, or its value not accepted.
    """
    config, plain = HouseholdConfig.build({**DEFAULTS, **settings}), HouseholdConfig()
    if config.control != "self":
        raise WorldError(
            f"found {config.control!r}",
            where="HouseholdGrid: control",
            mend="On the grid only 'self' is offered; the text household has 'all'.",
        )
    if config.goal == "activity":
        raise WorldError(
            "found 'activity'",
            where="HouseholdGrid: goal",
            mend="Some activities need what the grid's moves cannot do (sit, wash); accepted: 'none', 'random'.",
        )
    for name in not_offered:
        if getattr(config, name) != getattr(plain, name):
            raise WorldError(
                f"found {getattr(config, name)!r}",
                where=f"HouseholdGrid: {name}",
                mend="Leave it out on the grid.",
            )
    return config


class GridEpisode(LivedIn):
    """A house on the grid and how far its episode has come; environments derive from it and say what is seen.

    Attributes:
        step_count: moves made so far; a walk of ten moves counts ten.
        turns: steps of the environment so far, the `t` of its events; in MiniGrid's form each is one move.
        max_steps: moves after which the episode is truncated.
    """

    world_id: ClassVar[str] = "worldschool/HouseholdGrid-v0"
    version: ClassVar[str] = "2"

    step_count: int
    turns: int
    max_steps: int
    _config: HouseholdConfig
    _life: GridHousehold | None = None
    _spare: GridHousehold | None = None
    _generator: NDArray[np.uint64]
    _truncated: bool = False

    @property
    def life(self) -> GridHousehold:
        """The household itself: its engine, and where everything is on the floor.

        Raises:
            ResetNeeded: there was no reset yet.
        """
        if self._life is None:
            raise ResetNeeded("HouseholdGrid: call reset (or restore a snapshot) first.")
        return self._life

    def _now(self) -> Engine:
        return self.life.engine

    def _enter(self, life: GridHousehold) -> None:
        """Take over another household, or another state of the same."""
        self._life = life

    def _begin(self, np_random: np.random.Generator, asked: Goal) -> None:
        """Draw house, start and goal (if none is asked) as `HouseholdEnv.reset` does, then where everybody stands."""
        house, size, generator, rng = draw_episode(self._config, np_random)
        engine = Engine(premises_of(house), generator)
        engine.begin()
        goal = asked
        if goal is not NO_GOAL:
            goals.check(house, goal)
        elif self._config.goal == "random":
            goal = goals.from_rows(house, engine.draw_goal(size), house.characters[0])
        life = GridHousehold(engine, Floor(house))
        life.floor.draw(life.rooms(), life.on_floor(), rng)
        life.stand()
        self._generator = np.array([engine.generator], np.uint64)
        self.step_count = self.turns = 0
        self._terminated, self._truncated, self._events = False, False, ()
        self._spare = None
        self._enter(life)
        self._take_goal(goal)

    # -- one move -----------------------------------------------------------------------------------------------------

    def _check_going(self) -> None:
        """Check that there is an episode that can be stepped.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended.
        """
        self._now()
        if self._terminated or self._truncated:
            raise WorldError(
                "the episode has ended",
                where="HouseholdGrid: step",
                mend="Call reset, or restore a snapshot.",
            )

    def _move(self, move: int, walked_to: str = "") -> str | None:
        """Let the agent make a move, and then each other character. Returns why it failed, or None.

        The events are added to; whoever steps the environment counts `turns`. `walked_to` names what the move brought the agent to, of which an event is to tell.
        """
        error, events = self.life.do(0, move, self.turns)
        self._events += events
        if walked_to and error is None:
            self._events += (self.life.approach(0, walked_to, self.turns),)
        self._notice_goal()
        self._let_others_act()
        self.step_count += 1
        self._truncated = not self._terminated and self.step_count >= self.max_steps
        return error

    def _let_others_act(self) -> None:
        life = self.life
        for actor in range(1, len(life.floor.house.characters)):
            if self._terminated:
                return
            move = OTHERS_MOVES[standing.roll(self._generator, len(OTHERS_MOVES))]
            if move == STEP and not life.floor.can_enter(ahead(life.floor.poses[actor])):
                move = TURN_RIGHT
            error, events = life.do(actor, move, self.turns)
            if not error:  # what another one tries in vain, nobody needs to know
                self._events += events
            self._notice_goal()

    def path_to(self, name: str) -> list[int] | None:
        """Return the fewest moves that bring the agent to something: a text walk, on the grid.

        They end beside it, looking at it; for a thing in, on or held by something, beside that; for a room in it. Empty
        if the agent is there, holds it, or is meant; None if there is no way now, as other characters are in the way.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: there is nothing of this name in the house.
        """
        life = self.life
        house = life.floor.house
        if name not in house.place_of:
            raise WorldError(
                f"there is no {name!r} in this house",
                where="HouseholdGrid: path_to",
                mend=nearest(name, house.names).strip() or "Name an entity of this house.",
            )
        return life.path(0, house.place_of[name])

    # -- snapshots ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return all of the state: the household's, cells and directions, goal, generator, step count, how it ended.

        MiniGrid's form and the text restore each other's; where they stand alike, they differ in `turns` alone.
        """
        life = self.life
        return Snapshot(
            self.world_id,
            (
                life.floor.house.text,
                life.engine.changes(),
                life.floor.to_json(),
                self._goal.text,
                self._goal.predicates,
            ),
            (int(self._generator[0]), self.step_count, self.turns, self._terminated, self._truncated),
        )

    def _return_to(self, snapshot: Snapshot) -> None:
        """Return to `snapshot`, of this or another grid. The last events are not kept.

        Raises:
            WorldError: the snapshot is not of this world, or it is damaged.
        """
        where = "HouseholdGrid: restore"
        check_kind(snapshot, self.world_id, where)
        try:
            text, changes, cells, words, predicates = snapshot.state
            generator, steps, turns, terminated, truncated = snapshot.bookkeeping
            life = self._idle(text)
            life.engine.restore(changes, generator)
            life.floor.restore(cells, life.rooms(), life.on_floor())
            goal = self._goal if self._goal.predicates is predicates else Goal(words, predicates)
        except (TypeError, ValueError, LookupError) as error:
            raise WorldError(f"the snapshot is damaged ({error})", where=where) from None
        self._check_size(life.floor.house)
        self._spare = self._life
        self._generator = np.array([generator], np.uint64)
        self.step_count, self.turns = steps, turns
        self._terminated, self._truncated, self._events = terminated, truncated, ()
        self._enter(life)
        self._take_goal(goal)

    def _idle(self, text: str) -> GridHousehold:
        """Return a household of the house that a text describes, other than the one that is lived in.

        Searching comes back to one house again and again: two are kept in turns, and a damaged snapshot spoils neither
        the state that is nor the house.
        """
        now, spare = self._life, self._spare
        if spare is not None and spare.floor.house.text == text:
            return spare
        if now is not None and now.floor.house.text == text:
            return GridHousehold(Engine(now.engine.premises), now.floor.twin())
        house = House.from_text(text)
        return GridHousehold(Engine(premises_of(house)), Floor(house))

    def _check_size(self, house: House) -> None:
        """Check that a house can be shown here.

        Raises:
            WorldError: it cannot.
        """
