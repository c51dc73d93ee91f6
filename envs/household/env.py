"""The household as a World: a small house in text, one or several characters, and a goal."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

from gymnasium.error import ResetNeeded

from worldschool.envs.household import vocabulary
from worldschool.envs.household.actions import (
    LOOK,
    NEVER,
    Action,
    ActionError,
    UnreadableAction,
    action_of,
    event_of,
    nearest_action,
    parse,
)
from worldschool.envs.household.activities import draw_goal
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.goals import check
from worldschool.envs.household.houses import House, draw_episode
from worldschool.envs.household.lived_in import NO_GOAL, LivedIn
from worldschool.envs.household.premises import premises_of
from worldschool.envs.household.words import missions, stories
from worldschool.envs.household.words.observation import observation
from worldschool.envs.household.words.refusals import refusal, static_refusal
from worldschool.envs.household.words.wordings import by_state, plainly
from worldschool.envs.search import SearchTerms, TreeSearch
from worldschool.envs.settings import check_choice, check_options
from worldschool.envs.world import World, check_kind
from worldschool.errors import WorldError
from worldschool.records import Event, Goal, Snapshot
from worldschool.spaces import AnyText

MOST_TOLD = 10_000
"""Observations of restored moments that are remembered."""


class HouseholdEnv(LivedIn, World):
    """Rooms with furniture and things that characters carry about.

    The dynamics are VirtualHome's in dialect "house" (scene/actions.py, scene/dialects.py), compiled. A character has to
    be close to what it touches: "walk to fridge" brings it there, "walk to kitchen" only into the room.

    Actions are written as in the table in forms.py: "walk to PLACE", "grab THING", "put THING on SURFACE", "put THING in
    CONTAINER" (or a larger vessel), "drop THING", "open CONTAINER", "switch on DEVICE", "sit on SEAT" and so on. With
    control="all" each begins with the name of the character whose turn it is: "Mary: grab apple". Case and spacing do
    not matter; synonyms, articles and VirtualHome's program lines are read too (synonyms.py). A character has two hands,
    closed containers hide what is in them, and a vessel carries what it holds.

    Turns: with control="self" the agent acts the first character, and after it each other character does one random
    legal action. With control="all" one character acts a step, in a fixed rotation; an action that fails uses up the
    turn too.

    Observations: what the character that acts next sees, in exact names, in sorted order (observation.py); with
    wording="varied" in words that depend on the state alone.
    An event's `seen_by` names who is in the room of the act (for a walk, in either room), whatever `observe` says.

    Goal: looked at after every single action. When it holds the episode terminates with reward 1.0, and nobody acts
    after that; every other reward is 0.0. After `max_steps` steps without it the episode is truncated.

    info: "events" (tuple of Event), "success" (the goal was reached), "error" (what was wrong with the action and
    what to do instead, or None), "split", "actor" (who acts next), "activity" (the everyday activity that the goal is
    drawn from, or None), and with info_legal=True "legal_actions".

    Args:
        render_mode: None, or "ansi" for `render` to return what the next character sees with every room told.
        settings: the fields of HouseholdConfig.

    Raises:
        WorldError: a setting is unknown or its value not accepted.
    """

    world_id: ClassVar[str] = "worldschool/Household-v0"
    version: ClassVar[str] = "3"
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        self._config = HouseholdConfig.build(settings)
        check_choice("Household", "render_mode", render_mode, (None, "ansi"))
        self.render_mode = render_mode
        self.observation_space = AnyText(max_length=16384)
        self.action_space = AnyText(max_length=200)
        self._engine: Engine | None = None
        self._goal = NO_GOAL
        self._activity: str | None = None
        self._turn = 0
        self._steps = 0
        self._terminated = False
        self._truncated = False
        self._events: tuple[Event, ...] = ()
        self._told: dict[tuple[str, str, int], str] = {}
        self._latest: str | None = None

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
        options = check_options("Household", options, ("goal",))
        house, size, generator, rng = draw_episode(self._config, self.np_random)
        self._engine = Engine(premises_of(house), generator)
        self._engine.begin()
        self._latest = None
        self._turn, self._steps, self._terminated, self._truncated, self._events = 0, 0, False, False, ()
        self._goal, self._activity = NO_GOAL, None
        if "goal" in options:
            self.set_goal(options["goal"])
        elif self._config.goal != "none":
            self._activity, self._goal = draw_goal(self._config, self._engine, self._actor, size, rng)
        return self._observation(), self._info(None)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Let the character whose turn it is do `action`, and with control="self" the others theirs.

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
        house = self._now().premises.house
        if self._terminated or self._truncated:
            raise WorldError(
                "the episode has ended", where="Household: step", mend="Call reset, or restore a snapshot."
            )
        self._events, self._latest = (), None  # the page before is not told as this moment's
        error = self._attempt(action)
        self._notice_goal()
        if self._config.control == "all":
            self._turn = (self._turn + 1) % len(house.characters)
        else:
            self._let_others_act()
        self._steps += 1
        self._truncated = not self._terminated and self._steps >= self._config.max_steps
        return error

    def render(self) -> str | None:
        """Return, with render_mode="ansi", what the next character sees, every room told; otherwise None."""
        if self.render_mode is None:
            return None
        return observation(self._now().view, self._actor, every_room=True)

    # -- World ------------------------------------------------------------------------------------------------------

    def legal_actions(self) -> list[str]:
        """Return the actions of the next character that would succeed, sorted; none once the episode has ended."""
        engine = self._now()
        if self._terminated or self._truncated:
            return []
        legal = engine.legal(self._turn, effective=self._config.actions == "useful")
        texts = engine.premises.texts
        found = [texts[candidate] for candidate in legal.nonzero()[0].tolist()]
        if self._config.actions == "all":
            found.append("look")
        found.sort()
        return [f"{self._actor}: {text}" for text in found] if self._config.control == "all" else found

    def snapshot(self) -> Snapshot:
        """Return all of the state: house, places, states, turn and goal; generator, step count and how it ended."""
        engine = self._now()
        moment = (engine.premises.house.text, engine.changes(), self._turn)
        if self._latest is not None:  # whoever takes a snapshot comes back
            self._remember(moment, self._latest)
        return Snapshot(
            self.world_id,
            (
                moment[0],
                moment[1],
                self._turn,
                self._goal.text,
                self._goal.predicates,
                *([] if self._activity is None else [self._activity]),
            ),
            (engine.generator, self._steps, self._terminated, self._truncated),
        )

    def restore(self, snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
        """Return to `snapshot`, of this or another household with the same settings. The last events are not kept.

        Raises:
            WorldError: the snapshot is not a household's.
        """
        check_kind(snapshot, self.world_id, "Household: restore")
        try:
            text, changes, turn, words, predicates, *activity = snapshot.state
            (drawn_from,) = activity or (None,)
            generator, steps, terminated, truncated = snapshot.bookkeeping
            engine = self._engine
            # Searching restores the same house again and again: then nothing is looked up.
            if engine is None or engine.premises.house.text is not text:
                engine = Engine(premises_of(House.from_text(text)))
            engine.premises.house.characters[turn]  # out of range shows here, before anything is replaced
            engine.restore(changes, generator)
        except (TypeError, ValueError, LookupError) as error:
            raise WorldError(f"the snapshot is damaged ({error})", where="Household: restore") from None
        self._engine, self._turn, self._steps = engine, turn, steps
        self._terminated, self._truncated, self._events = terminated, truncated, ()
        self._activity = drawn_from
        if self._goal.predicates is not predicates or self._goal.text != words:
            self._goal = Goal(words, predicates)
        return self._observation_of((text, changes, turn)), self._info(None)

    def search(self, goal: Goal, terms: SearchTerms, simulations: int, seed: int) -> TreeSearch | None:
        """Return a compiled tree search from the present state (`envs.search.CompiledSearch`).

        Its actions are the effective ones, whatever `actions` says: no other helps to reach a goal.

        Raises:
            WorldError: a predicate names something that is not in this house, or could never hold.
        """
        from worldschool.envs.household.search.questions import space_of
        from worldschool.envs.household.search.solver import CompiledTreeSearch

        engine = self._now()
        check(engine.premises.house, goal)
        space = space_of(
            engine,
            goal,
            terms.focus,
            turn=self._turn,
            take_turns=self._config.control == "all",
            horizon=self._config.max_steps - self._steps,
        )
        return CompiledTreeSearch(space, terms, simulations, seed)

    def progress(self, goal: Goal) -> float:
        """Return how far the house is on its way to a goal, in [0, 1] (`search.questions.progress`)."""
        from worldschool.envs.household.search.questions import progress

        return progress(self._now(), goal, self._turn)

    @property
    def activity(self) -> str | None:
        """The everyday activity that the goal is drawn from ("set the table"), if it is from one."""
        return self._activity

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
        """Return an action as an English instruction: "walk to kitchen" gives "Walk to the kitchen."

        Args:
            action: the action, as `step` takes it.
            style: one of `stories.STYLES` (stories.narrate_action).
            rng: draws the wordings of the styles "varied" and "brief".

        Raises:
            WorldError: the text has no action's form, or the style is unknown.
        """
        return stories.narrate_action(action, style, rng)

    @classmethod
    def goal_text(cls, goal: Goal) -> str:
        """Return what a goal wants true: "the apple is on the desk and the lamp is on"."""
        return missions.goal_text(goal.predicates)

    # -- one step ---------------------------------------------------------------------------------------------------

    def _now(self) -> Engine:
        if self._engine is None:
            raise ResetNeeded("Household: call reset (or restore a snapshot) first.")
        return self._engine

    @property
    def _actor(self) -> str:
        """The character whose turn it is."""
        return self._now().premises.house.characters[self._turn]

    def _attempt(self, text: str) -> str | None:
        """Do the agent's action. Returns what was wrong with it, or None."""
        try:
            action = parse(self._now().premises, self._without_name(text))
        except UnreadableAction as error:
            return error.guessing(nearest_action(text, self.legal_actions()))
        except ActionError as error:
            return str(error)
        return self._do(self._turn, action)

    def _without_name(self, text: str) -> str:
        """Return an action without the name before it, which control="all" asks for and "self" refuses."""
        name, colon, rest = text.partition(":")
        named = name.strip().casefold() if colon else ""
        actor = self._actor
        if self._config.control == "self":
            if named and named in map(str.casefold, self._now().premises.house.characters):
                raise ActionError(
                    f"Actions bear no name here; write {rest.strip()[:80]!r} without {name.strip()!r}."
                )
            return text
        if named != actor.casefold():
            raise ActionError(f"It is {actor}'s turn; begin the action with '{actor}: '.")
        return rest

    def _do(self, turn: int, action: Action) -> str | None:
        """Apply one character's action and record its event. Returns why it failed, or None."""
        engine = self._now()
        actor, before = engine.premises.house.characters[turn], engine.view
        if action.x == actor:
            reason: str | None = f"{actor} cannot do that to {actor}; choose something else."
        elif action.candidate == NEVER:
            reason = static_refusal(engine.premises, action.form, action.x, action.y)
        elif action.candidate == LOOK:
            reason = None
        else:
            reason = engine.act(turn, action.candidate)
            reason = refusal(before, actor, action.form, action.x, action.y, reason) if reason else None
        event = event_of(action, actor, before, engine.view, self._steps, succeeded=reason is None)
        self._events += (event,)
        return reason

    def _take_goal(self, goal: Goal) -> None:
        if goal != self._goal:
            self._goal, self._activity = goal, None

    def _let_others_act(self) -> None:
        engine = self._now()
        for turn in range(1, len(engine.premises.house.characters)):
            if self._terminated:
                return
            candidate = engine.choose(turn)
            if candidate >= 0:
                self._do(turn, action_of(engine.premises, candidate))
            self._notice_goal()

    def _observation(self) -> str:
        engine = self._now()
        varied = self._config.wording == "varied"
        choose = by_state(engine.memory.tobytes(), self._actor.encode()) if varied else plainly
        self._latest = observation(engine.view, self._actor, self._config.observe == "full", choose)
        return self._latest

    def _observation_of(self, moment: tuple[str, str, int]) -> str:
        """Return the observation, which a search that comes back to the same moments again and again writes but once."""
        told = self._told.get(moment)
        if told is None:
            told = self._observation()
            self._remember(moment, told)
        self._latest = told
        return told

    def _remember(self, moment: tuple[str, str, int], told: str) -> None:
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
        self._told[moment] = told

    def _info(self, error: str | None) -> dict[str, Any]:
        info: dict[str, Any] = {
            "events": self._events,
            "success": self._terminated,
            "error": error,
            "split": self._now().premises.house.split,
            "actor": self._actor,
            "activity": self._activity,
        }
        if self._config.info_legal:
            info["legal_actions"] = self.legal_actions()
        return info
