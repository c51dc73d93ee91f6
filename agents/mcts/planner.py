"""The planner: one search in a world, compiled or through snapshots, within a budget."""

from __future__ import annotations

import time
from random import Random

from worldschool.agents.mcts.config import MCTSConfig
from worldschool.agents.mcts.priors import language_model_priors
from worldschool.agents.mcts.tree import GOAL_REWARD, Priors, SnapshotSearch, Value
from worldschool.agents.plans import replay
from worldschool.envs import World
from worldschool.envs.search import ActionStatistics, CompiledSearch, TreeSearch
from worldschool.records import Goal, Plan

BETWEEN_LOOKS = 16
"""Simulations between two looks at the clock."""


class MCTS:
    """Planner by Monte Carlo tree search.

    One instance draws all its choices from one generator: the same seed and the same calls give the same plans, unless
    seconds limit them.

    Args:
        config: the settings.
        seed: fixes all choices.
        priors: how likely each action is, in place of the focus (see `tree.Priors`): the policy of PUCT. None: those of
            the language model that `config.prior_model` names, if it names one.
        value: what to expect of a state, in place of rollouts (see `tree.Value`).

    Raises:
        ModelError: there is no model of that name.
    """

    def __init__(
        self,
        config: MCTSConfig | None = None,
        seed: int = 0,
        *,
        priors: Priors | None = None,
        value: Value | None = None,
    ) -> None:
        self.config = config or MCTSConfig()
        self.root: tuple[ActionStatistics, ...] = ()
        """What the last search found out about each action of the state that it began in, most visited first."""
        self._random = Random(seed)
        if priors is None and self.config.prior_model is not None:
            priors = language_model_priors(self.config.prior_model)
        self._priors, self._value = priors, value

    def plan(self, world: World, goal: Goal, budget: int | None = None) -> Plan:
        """Search for actions that make every predicate of `goal` true.

        The plan was replayed from the present state through the world's own `step` and reached the goal, and no step or
        run of steps can be left out of it; `value` is gamma^(T - 1) for T actions (1.0 for none). A goal without
        predicates is never reached. The world is left as it was found.

        Args:
            world: any world that has not ended.
            goal: what to reach; it stands in for the world's own goal during the search.
            budget: simulations at most; None takes the configuration's.

        Raises:
            WorldError: the goal names something that is not in this world.
        """
        self.root = ()
        if not goal.predicates:
            return Plan((), False, 0, 0.0)
        found_as = world.snapshot()
        try:
            # The world ends when its own goal is reached; with ours in its place it ends where we do, not before.
            world.set_goal(goal)
            if all(world.satisfied(goal)):
                return Plan((), True, 0, GOAL_REWARD)
            begun = world.snapshot()
            simulations = self.config.simulations if budget is None else budget
            search = self._search(world, goal, simulations)
            spent = drive(search, self.config, simulations)
            self.root = search.root()
            if search.plan is None or replay(world, goal, begun, search.plan) is None:
                return Plan((), False, spent, 0.0)
            return Plan(
                search.plan, True, spent, GOAL_REWARD * self.config.discount ** (len(search.plan) - 1)
            )
        finally:
            world.restore(found_as)

    def _search(self, world: World, goal: Goal, simulations: int) -> TreeSearch:
        if (
            self.config.compiled
            and self._priors is None
            and self._value is None
            and isinstance(world, CompiledSearch)
        ):
            compiled = world.search(goal, self.config.terms, simulations, self._random.getrandbits(64))
            if compiled is not None:
                return compiled
        return SnapshotSearch(world, goal, self.config.terms, self._random, self._priors, self._value)


def drive(search: TreeSearch, config: MCTSConfig, budget: int) -> int:
    """Let a search make up to `budget` simulations, in stages as `config` says; returns how many it made."""
    deadline = None if config.seconds is None else time.monotonic() + config.seconds
    stage = budget if config.advance is None else config.advance
    spent, left = 0, stage
    while spent < budget and (deadline is None or time.monotonic() < deadline):
        done = search.run(min(left, budget - spent, budget if deadline is None else BETWEEN_LOOKS))
        spent += done
        left -= done
        if search.plan is not None and config.stop_at_first:
            break
        if left <= 0:
            # With a plan there is nothing to go on to; what is left of the budget may make it shorter.
            if search.plan is None and spent < budget and not search.advance():
                stage *= 2
            left = stage
    return spent
