"""What every household that can be asked in names shares: its goal, what happened last, and what holds now."""

from __future__ import annotations

from worldschool.envs.household import goals
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.state import View
from worldschool.records import Entity, Event, Fact, Goal

NO_GOAL = Goal("")


class LivedIn:
    """A house and how far its episode has come; environments derive from it and say which engine is theirs."""

    _goal: Goal = NO_GOAL
    _terminated: bool = False
    _events: tuple[Event, ...] = ()

    def _now(self) -> Engine:
        """Return the house as it is.

        Raises:
            ResetNeeded: there was no reset yet.
        """
        raise NotImplementedError

    def _take_goal(self, goal: Goal) -> None:
        self._goal = goal

    def _notice_goal(self) -> None:
        self._terminated = goals.all_hold(self._now().view, self._goal)

    @property
    def goal(self) -> Goal:
        """The goal of this episode; without predicates when there is none."""
        return self._goal

    def set_goal(self, goal: Goal) -> None:
        """Replace the goal. An episode that had terminated goes on; a goal that holds is noticed at the next step.

        Raises:
            WorldError: a predicate names something that is not in this house, or could never hold.
        """
        goals.check(self._now().premises.house, goal)
        self._take_goal(goal)
        self._terminated = False

    def satisfied(self, goal: Goal) -> tuple[bool, ...]:
        """Return, for each of the goal's predicates in order, whether it holds now."""
        view = self._now().view
        return tuple(goals.holds(view, predicate) for predicate in goal.predicates)

    def events(self) -> tuple[Event, ...]:
        """Return the events of the last step, in the order of acting; none after reset or restore."""
        return self._events

    def entities(self) -> tuple[Entity, ...]:
        """Return every room, piece of furniture, object and character, sorted by name."""
        return self._now().premises.house.entities

    @property
    def view(self) -> View:
        """The state now, read by name."""
        return self._now().view

    def facts(self) -> tuple[Fact, ...]:
        """Return everything that holds now, hidden things too, sorted by subject, relation and object."""
        return self._now().view.facts()

    def graph(self) -> SceneGraph:
        """Return the state as VirtualHome's scene graph; a thing's id is its place in the order of the house, from 1."""
        engine = self._now()
        return engine.premises.graph(engine.memory)
