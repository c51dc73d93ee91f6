"""The household as a World: a small house in text, one or several characters, and a goal."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

from gymnasium.error import ResetNeeded

from worldschool.envs.household import goals, language, vocabulary
from worldschool.envs.household.actions import (
    FORMS,
    USEFUL_FORMS,
    Action,
    ActionError,
    act,
    legal_actions,
    parse,
)
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.houses import generate
from worldschool.envs.household.script import scripted_action
from worldschool.envs.household.state import House, State
from worldschool.envs.world import World
from worldschool.errors import WorldError
from worldschool.records import Entity, Event, Fact, Goal, Snapshot
from worldschool.spaces import AnyText

NO_GOAL = Goal("")


class HouseholdEnv(World):
    """Rooms with furniture and things that characters carry about.

    Actions: "walk to ROOM", "grab THING", "put THING on SURFACE", "put THING in CONTAINER" (or vessel), "drop THING",
    "open CONTAINER", "close CONTAINER", "switch on DEVICE", "switch off DEVICE", "look". With control="all" each
    begins with the name of the character whose turn it is: "Mary: grab apple". Case and spacing do not matter. What
    each needs and changes is the table in actions.py; a character has two hands, closed containers hide what is in
    them, and a vessel carries what it holds.

    Turns: with control="self" the agent acts the first character, and after it each other character does one random
    legal action. With control="all" one character acts a step, in a fixed rotation; an action that fails uses up the
    turn too.

    Observations: what the character that acts next sees, in exact names, in sorted order (language.observation).
    An event's `seen_by` names who is in the room of the act (for a walk, in either room), whatever `observe` says.

    Goal: looked at after every single action. When it holds the episode terminates with reward 1.0, and nobody acts
    after that; every other reward is 0.0. After `max_steps` steps without it the episode is truncated.

    info: "events" (tuple of Event), "success" (the goal was reached), "error" (what was wrong with the action and
    what to do instead, or None), "split", "actor" (who acts next), and with info_legal=True "legal_actions".

    Args:
        render_mode: None, or "ansi" for `render` to return what the next character sees with every room told.
        settings: the fields of HouseholdConfig.

    Raises:
        WorldError: a setting is unknown or its value not accepted.
    """

    world_id: ClassVar[str] = "worldschool/Household-v0"
    version: ClassVar[str] = "1"
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        self._config = HouseholdConfig.build(settings)
        if render_mode not in (None, "ansi"):
            raise WorldError(
                f"found {render_mode!r}", where="Household: render_mode", mend="Accepted: None, 'ansi'."
            )
        self.render_mode = render_mode
        self.observation_space = AnyText(max_length=16384)
        self.action_space = AnyText(max_length=200)
        self._state: State | None = None
        self._goal = NO_GOAL
        self._turn = 0
        self._generator = 0
        self._steps = 0
        self._terminated = False
        self._truncated = False
        self._events: tuple[Event, ...] = ()

    @property
    def config(self) -> dict[str, Any]:
        """Every setting as plain JSON values; `render_mode` changes nothing in the world and is left out."""
        return self._config.to_json()

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
        options = options or {}
        for name in options:
            if name != "goal":
                raise WorldError(
                    f"unknown option {name!r}", where="Household: reset", mend="Accepted: 'goal'."
                )
        rng = Random(int(self.np_random.integers(1 << 62)))
        self._state = generate(self._config, rng)
        self._turn, self._steps, self._terminated, self._truncated, self._events = 0, 0, False, False, ()
        self._generator = rng.getrandbits(64)
        self._goal = NO_GOAL
        if "goal" in options:
            self.set_goal(options["goal"])
        elif self._config.goal == "random":
            self._goal = goals.draw_goal(self._state, self._actor, rng.randint(*self._config.goal_size), rng)
        return self._observation(), self._info(None)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Let the character whose turn it is do `action`, and with control="self" the others theirs.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended.
        """
        self._now()
        if self._terminated or self._truncated:
            raise WorldError(
                "the episode has ended", where="Household: step", mend="Call reset, or restore a snapshot."
            )
        self._events = ()
        error = self._attempt(action)
        self._notice_goal()
        if self._config.control == "all":
            self._turn = (self._turn + 1) % len(self._now().house.characters)
        else:
            self._let_others_act()
        self._steps += 1
        self._truncated = not self._terminated and self._steps >= self._config.max_steps
        reward = 1.0 if self._terminated else 0.0
        return self._observation(), reward, self._terminated, self._truncated, self._info(error)

    def render(self) -> str | None:
        """Return, with render_mode="ansi", what the next character sees, every room told; otherwise None."""
        if self.render_mode is None:
            return None
        return language.observation(self._now(), self._actor, every_room=True)

    # -- World ------------------------------------------------------------------------------------------------------

    def legal_actions(self) -> list[str]:
        """Return the actions of the next character that would succeed, sorted; none once the episode has ended."""
        state = self._now()
        if self._terminated or self._truncated:
            return []
        forms = FORMS if self._config.actions == "all" else USEFUL_FORMS
        prefix = f"{self._actor}: " if self._config.control == "all" else ""
        return sorted(f"{prefix}{action}" for action in legal_actions(state, self._actor, forms))

    def snapshot(self) -> Snapshot:
        """Return all of the state: house, places, settings, turn and goal; generator, step count and how it ended."""
        state = self._now()
        return Snapshot(
            self.world_id,
            (state.house.layout, *state.values, self._turn, self._goal.text, self._goal.predicates),
            (self._generator, self._steps, self._terminated, self._truncated),
        )

    def restore(self, snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
        """Return to `snapshot`, of this or another household with the same settings. The last events are not kept.

        Raises:
            WorldError: the snapshot is not a household's.
        """
        if snapshot.world != self.world_id:
            problem = f"the snapshot is of {snapshot.world!r}"
            raise WorldError(problem, where="Household: restore", mend=f"Restore one of {self.world_id!r}.")
        try:
            layout, places, settings, turn, text, predicates = snapshot.state
            generator, steps, terminated, truncated = snapshot.bookkeeping
            known = self._state.house if self._state is not None else None
            # Searching restores the same house again and again: then not even its hash is computed.
            house = known if known is not None and known.layout is layout else House.from_layout(layout)
            state = State.from_values(house, places, settings)
            house.characters[turn]  # an index out of range shows here, before anything is replaced
        except (TypeError, ValueError, LookupError) as error:
            raise WorldError(f"the snapshot is damaged ({error})", where="Household: restore") from None
        self._state, self._turn, self._generator, self._steps = state, turn, generator, steps
        self._terminated, self._truncated, self._events = terminated, truncated, ()
        if self._goal.predicates is not predicates or self._goal.text != text:
            self._goal = Goal(text, predicates)
        return self._observation(), self._info(None)

    @property
    def goal(self) -> Goal:
        """The goal of this episode; without predicates when there is none."""
        return self._goal

    def set_goal(self, goal: Goal) -> None:
        """Replace the goal. An episode that had terminated goes on; a goal that holds is noticed at the next step.

        Raises:
            WorldError: a predicate names something that is not in this house, or could never hold.
        """
        goals.check(self._now().house, goal)
        self._goal = goal
        self._terminated = False

    def satisfied(self, goal: Goal) -> tuple[bool, ...]:
        """Return, for each of the goal's predicates in order, whether it holds now."""
        state = self._now()
        return tuple(goals.holds(state, predicate) for predicate in goal.predicates)

    def events(self) -> tuple[Event, ...]:
        """Return the events of the last step, in the order of acting; none after reset or restore."""
        return self._events

    def entities(self) -> tuple[Entity, ...]:
        """Return every room, piece of furniture, object and character, sorted by name."""
        return self._now().house.entities

    def facts(self) -> tuple[Fact, ...]:
        """Return every relation that holds now, sorted by subject, relation and object."""
        return self._now().facts()

    @classmethod
    def narrate(cls, events: Sequence[Event], style: str, rng: Random) -> list[str]:
        """Tell the events that succeeded, one sentence each: "plain", "varied" or "brief" (language.narrate).

        Raises:
            WorldError: the style is unknown.
        """
        return language.narrate(events, style, rng)

    @classmethod
    def phrase(cls, name: str) -> str:
        """Return "the apple", "the second apple" for "apple 2", or a character's bare name."""
        return vocabulary.phrase(name)

    @classmethod
    def narrate_action(cls, action: str) -> str:
        """Return an action as an English instruction: "walk to kitchen" gives "Walk to the kitchen."

        Raises:
            WorldError: the text has no action's form.
        """
        return language.narrate_action(action)

    @classmethod
    def goal_text(cls, goal: Goal) -> str:
        """Return what a goal wants true: "the apple is on the desk and the lamp is on"."""
        return goals.goal_text(goal.predicates)

    # -- one step ---------------------------------------------------------------------------------------------------

    def _now(self) -> State:
        if self._state is None:
            raise ResetNeeded("Household: call reset (or restore a snapshot) first.")
        return self._state

    @property
    def _actor(self) -> str:
        """The character whose turn it is."""
        return self._now().house.characters[self._turn]

    def _attempt(self, text: str) -> str | None:
        """Do the agent's action. Returns what was wrong with it, or None."""
        try:
            action = parse(self._now().house, self._without_name(text))
        except ActionError as error:
            return str(error)
        return self._do(self._actor, action)

    def _without_name(self, text: str) -> str:
        """Return an action without the name before it, which control="all" asks for and "self" refuses."""
        name, colon, rest = text.partition(":")
        named = name.strip().casefold() if colon else ""
        actor = self._actor
        if self._config.control == "self":
            if named and named in map(str.casefold, self._now().house.characters):
                raise ActionError(
                    f"Actions bear no name here; write {rest.strip()[:80]!r} without {name.strip()!r}."
                )
            return text
        if named != actor.casefold():
            raise ActionError(f"It is {actor}'s turn; begin the action with '{actor}: '.")
        return rest

    def _do(self, actor: str, action: Action) -> str | None:
        """Apply one character's action and record its event. Returns why it failed, or None."""
        self._state, event, problem = act(self._now(), actor, action, self._steps)
        self._events += (event,)
        return problem

    def _notice_goal(self) -> None:
        self._terminated = goals.all_hold(self._now(), self._goal)

    def _let_others_act(self) -> None:
        for character in self._now().house.characters[1:]:
            if self._terminated:
                return
            action, self._generator = scripted_action(self._now(), character, self._generator)
            self._do(character, action)
            self._notice_goal()

    def _observation(self) -> str:
        return language.observation(self._now(), self._actor, every_room=self._config.observe == "full")

    def _info(self, error: str | None) -> dict[str, Any]:
        info: dict[str, Any] = {
            "events": self._events,
            "success": self._terminated,
            "error": error,
            "split": self._now().house.split,
            "actor": self._actor,
        }
        if self._config.info_legal:
            info["legal_actions"] = self.legal_actions()
        return info
