"""Goal babbling: goals drawn at random, pursued one after the other by cheap means.

Rolf, Steil and Gienger 2010 ("Goal babbling permits direct learning of inverse kinematics") explore by trying to reach goals
in place of trying out actions; Baranes and Oudeyer 2013 ("Active learning of inverse models with intrinsically motivated goal
exploration in robots") call the variant that draws goals uniformly SAGG-Random. Here a goal is one predicate that the world
offers (`curriculum.tasks`), does not hold now and was not drawn before in this episode: relations alike, then predicates
alike. It is pursued by a plan, where a few simulations of tree search find one, and otherwise for some steps by random
actions, drawn in proportion to

    verb weight * focus ** (names in the action that matter to the goal) * (1 + tries of it for this goal) ** -4

The search steps copies of the world's state, at most `simulations` times 50 steps a goal; the world is left as it was.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from worldschool.agents.curriculum.tasks import task_generator
from worldschool.agents.mcts import MCTS, MCTSConfig
from worldschool.agents.plans import GoalNames
from worldschool.agents.random.config import RandomConfig
from worldschool.agents.random.uniform import Uniform
from worldschool.agents.random.verbs import ACTOR_MARK, actor_of, verb_of
from worldschool.envs import World
from worldschool.errors import WorldError
from worldschool.records import Goal, Predicate

DRAWS = 8
"""How often a goal is drawn again that was drawn before or holds."""
ROLLOUT_DEPTH, MAX_DEPTH = 20, 30
WEARINESS = 4


@dataclass
class _Pursuit:
    """A goal on the way: what matters to it, how many steps are left, and what was tried."""

    goal: Goal
    names: GoalNames
    steps: int
    tries: Counter[str] = field(default_factory=Counter)


class GoalBabbling:
    """Draws goals and pursues them. Characters pursue goals of their own, but for plans, which move all of them."""

    def __init__(self, config: RandomConfig, world: World, random: Random) -> None:
        self._config, self._world, self._random = config, world, random
        self._any = Uniform(config, world, random)
        self._plan: list[str] = []
        self._pursuits: dict[str, _Pursuit] = {}
        self._drawn: set[Predicate] = set()

    def choose(self, actions: list[str], info: dict[str, Any]) -> str | None:
        """Return one of some legal actions; None if all of them have weight 0."""
        if self._plan and self._plan[-1] in actions:
            return self._plan.pop()
        self._plan = []
        actor = actor_of(actions, info)
        pursuit = self._pursuits.get(actor)
        if pursuit is None or pursuit.steps == 0 or all(self._world.satisfied(pursuit.goal)):
            self._pursuits.pop(actor, None)
            goal = self._draw(actor, named=ACTOR_MARK in actions[0])
            if goal is None:
                return self._any.choose(actions, info)
            self._plan = self._search(goal)
            if self._plan:
                return self._plan.pop()
            names = GoalNames(self._world, goal, self._config.babble.focus)
            pursuit = self._pursuits[actor] = _Pursuit(goal, names, self._config.babble.patience)
        return self._towards(pursuit, actions)

    def _draw(self, actor: str, named: bool) -> Goal | None:
        """Return a goal for a character; None if the world offers none."""
        offers = task_generator(self._world).offers()
        if not offers:
            return None
        people = {entity.name for entity in self._world.entities() if entity.class_ == "character"}
        found: Goal | None = None
        for _ in range(DRAWS):
            relation, *parts = self._random.choice(offers[self._random.choice(list(offers))])
            if named:  # offers are for the world's first character
                parts = [actor if part in people else part for part in parts]
            found = Goal("", ((relation, str(parts[0]), parts[1]),))
            if found.predicates[0] not in self._drawn and not all(self._world.satisfied(found)):
                break
        assert found is not None
        self._drawn.update(found.predicates)
        return found

    def _search(self, goal: Goal) -> list[str]:
        """Return the actions of a plan, the next one last; nothing if none is found within the budget."""
        simulations = self._config.babble.simulations
        if simulations == 0:
            return []
        settings = MCTSConfig(simulations=simulations, rollout_depth=ROLLOUT_DEPTH, max_depth=MAX_DEPTH)
        planner = MCTS(settings, self._random.getrandbits(63))
        try:
            plan = planner.plan(self._world, goal)
        except WorldError:  # not every predicate of a fact is one that the world accepts as a goal
            return []
        if any(self._config.verb_weights.get(verb_of(action), 1.0) == 0 for action in plan.actions):
            return []
        return list(reversed(plan.actions))

    def _towards(self, pursuit: _Pursuit, actions: list[str]) -> str | None:
        weights = [self._weight(pursuit, action) for action in actions]
        if not any(weights):
            return None
        pursuit.steps -= 1
        action = self._random.choices(actions, weights)[0]
        pursuit.tries[action] += 1
        return action

    def _weight(self, pursuit: _Pursuit, action: str) -> float:
        wanted = self._config.verb_weights.get(verb_of(action), 1.0)
        return wanted * pursuit.names.weight(action) / math.pow(1 + pursuit.tries[action], WEARINESS)
