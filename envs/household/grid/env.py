"""The household as a MiniGrid environment: the same houses, starts, goals and rules, on cells, with seven moves."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from worldschool.envs.household import goals
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.grid.floor import Floor, ahead, padded_size
from worldschool.envs.household.grid.moves import DROP, MOVES, PICKUP, STEP, TOGGLE, TURN_RIGHT, GridHousehold
from worldschool.envs.household.grid.screen import HouseholdScreen
from worldschool.envs.household.houses import House, draw_episode
from worldschool.envs.household.lived_in import NO_GOAL, LivedIn
from worldschool.envs.household.premises import premises_of
from worldschool.envs.household.scene import standing
from worldschool.envs.world import check_kind
from worldschool.errors import WorldError, nearest
from worldschool.records import Event, Goal, Snapshot
from worldschool.spaces import AnyText

TEXT_ONLY = ("observe", "actions", "info_legal", "wording")
"""Settings of the text household that mean nothing here."""
DEFAULTS: dict[str, Any] = {"goal": "random", "max_steps": 250}
MISSION_LENGTH = 96
"""What FlatObsWrapper has space for."""
OTHERS_MOVES = (0, TURN_RIGHT, STEP, STEP, STEP, STEP, PICKUP, DROP, TOGGLE)
"""What another character does in a step: one of these, each as likely. Where the way is barred, it turns."""


class HouseholdGridEnv(LivedIn, HouseholdScreen):
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

    world_id: ClassVar[str] = "worldschool/HouseholdGrid-v0"
    version: ClassVar[str] = "1"

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
        self._config = _checked(settings)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise WorldError(
                f"found {render_mode!r}",
                where="HouseholdGrid: render_mode",
                mend="Accepted: None, 'human', 'rgb_array'.",
            )
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
        self._generator = np.zeros(1, np.uint64)
        self._goal, self._asked = NO_GOAL, NO_GOAL
        self._truncated = False
        self._events: tuple[Event, ...] = ()

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
        options = options or {}
        for name in options:
            if name != "goal":
                raise WorldError(
                    f"unknown option {name!r}", where="HouseholdGrid: reset", mend="Accepted: 'goal'."
                )
        self._asked = options.get("goal", NO_GOAL)
        observation, _ = super().reset(seed=seed)
        return observation, self._info(None)

    def _gen_grid(self, width: int, height: int) -> None:
        """Draw house, start and goal as `HouseholdEnv.reset` does, then where everybody stands."""
        house, size, generator, rng = draw_episode(self._config, self.np_random)
        engine = Engine(premises_of(house), generator)
        engine.begin()
        goal = self._asked
        if goal is not NO_GOAL:
            goals.check(house, goal)
        elif self._config.goal == "random":
            goal = goals.from_rows(house, engine.draw_goal(size), house.characters[0])
        life = GridHousehold(engine, Floor(house))
        life.floor.draw(life.rooms(), life.on_floor(), rng)
        life.stand()
        self._generator[0] = engine.generator
        self._terminated, self._truncated, self._events = False, False, ()
        self._enter(life)
        self._take_goal(goal)

    def step(self, action: int) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Let the agent make a move, and then each other character.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended, or there is no such action.
        """
        life = self.life
        if self._terminated or self._truncated:
            raise WorldError(
                "the episode has ended",
                where="HouseholdGrid: step",
                mend="Call reset, or restore a snapshot.",
            )
        if not self.action_space.contains(action):
            told = ", ".join(f"{number} {name}" for number, name in enumerate(MOVES))
            raise WorldError(f"found {action!r}", where="HouseholdGrid: action", mend=f"Accepted: {told}.")
        error, self._events = life.do(0, int(action), self.step_count)
        self._notice_goal()
        self._let_others_act()
        self.step_count += 1
        self._truncated = not self._terminated and self.step_count >= self.max_steps
        self._show()
        if self.render_mode == "human":
            self.render()
        reward = 1.0 if self._terminated else 0.0
        return self.gen_obs(), reward, self._terminated, self._truncated, self._info(error)

    def _let_others_act(self) -> None:
        life = self.life
        for actor in range(1, len(life.floor.house.characters)):
            if self._terminated:
                return
            move = OTHERS_MOVES[standing.roll(self._generator, len(OTHERS_MOVES))]
            if move == STEP and not life.floor.can_enter(ahead(life.floor.poses[actor])):
                move = TURN_RIGHT
            error, events = life.do(actor, move, self.step_count)
            if not error:  # what another one tries in vain, nobody needs to know
                self._events += events
            self._notice_goal()

    # -- what the household knows -------------------------------------------------------------------------------------

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

    def snapshot(self) -> Snapshot:
        """Return all of the state: the household's, cells and directions, goal, generator, step count, how it ended."""
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
            (int(self._generator[0]), self.step_count, self._terminated, self._truncated),
        )

    def restore(self, snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return to `snapshot`, of this or another grid with the same settings. The last events are not kept.

        Raises:
            WorldError: the snapshot is not of this world, its house does not fit this grid, or it is damaged.
        """
        where = "HouseholdGrid: restore"
        check_kind(snapshot, self.world_id, where)
        try:
            text, changes, cells, words, predicates = snapshot.state
            generator, steps, terminated, truncated = snapshot.bookkeeping
            house = House.from_text(text)
            engine = Engine(premises_of(house))
            engine.restore(changes, generator)
            life = GridHousehold(engine, Floor(house))
            life.floor.restore(cells, life.rooms(), life.on_floor())
            goal = Goal(words, predicates)
        except (TypeError, ValueError, LookupError) as error:
            raise WorldError(f"the snapshot is damaged ({error})", where=where) from None
        if house.plan.width > self.width or house.plan.height > self.height:
            problem = f"its house of {house.plan.width} by {house.plan.height} cells is larger than this grid"
            raise WorldError(problem, where=where, mend="Restore it in a grid of the same settings.")
        self._generator[0] = generator
        self.step_count, self._terminated, self._truncated, self._events = steps, terminated, truncated, ()
        self._enter(life)
        self._take_goal(goal)
        return self.gen_obs(), self._info(None)

    # -- goals and info ----------------------------------------------------------------------------------------------

    def _now(self) -> Engine:
        return self.life.engine

    def _take_goal(self, goal: Goal) -> None:
        self._goal = goal
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


def _checked(settings: dict[str, Any]) -> HouseholdConfig:
    """Return the settings of the household, checked."""
    config = HouseholdConfig.build({**DEFAULTS, **settings})
    plain = HouseholdConfig()
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
    for name in TEXT_ONLY:
        if getattr(config, name) != getattr(plain, name):
            raise WorldError(
                f"found {getattr(config, name)!r}",
                where=f"HouseholdGrid: {name}",
                mend="Leave it out on the grid.",
            )
    return config
