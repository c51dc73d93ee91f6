"""Monte Carlo tree search: reaches goals in any world that can be snapshotted.

The search is UCT (Kocsis and Szepesvari 2006, "Bandit based Monte-Carlo Planning"). In state s it takes the action

    argmax_a  Q(s, a) + c * sqrt( ln N(s) / N(s, a) )

with Q the mean discounted return seen after (s, a), N the visit counts and c the exploration constant. The reward is
1 on reaching the goal and 0 otherwise, so a plan of T actions returns gamma^(T - 1).

Shaping adds F(s, s') = gamma * Phi(s') - Phi(s) to every reward, with Phi the share of the goal's predicates that
hold and Phi = 0 in states that end the episode. Ng, Harada and Russell 1999 ("Policy invariance under reward
transformations") prove that a potential-based F leaves the optimal policies as they were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import Field

from worldschool.agents.plans import GoalNames, shorten
from worldschool.config import Config
from worldschool.envs import World
from worldschool.records import Goal, Plan, Snapshot

GOAL_REWARD = 1.0


class MCTSConfig(Config):
    """Settings of the Monte Carlo tree search."""

    simulations: int = Field(default=4000, ge=1)
    """Simulations one search may spend."""
    exploration: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """The constant c of UCT; returns lie in [0, 1]. Small, because a predicate that came true is worth following: with 1.4
    half as many of the household's goals of two predicates were reached within 400 simulations."""
    discount: float = Field(default=0.98, gt=0, le=1)
    """gamma: what a reward is worth one step later. Below 1 it makes short plans better than long ones."""
    rollout_depth: int = Field(default=20, ge=0)
    """Random actions after a new node."""
    max_depth: int = Field(default=30, ge=1)
    """Longest path inside the tree."""
    shaping: bool = True
    """Add the potential-based reward: a predicate that comes true is felt before the whole goal is reached."""
    transpositions: bool = True
    """Share one node among all paths to the same `Snapshot.position`; otherwise the search is a plain tree."""
    stop_at_first: bool = True
    """Return the first plan found, shortened; otherwise spend the whole budget and return the best."""
    focus: float = Field(default=32.0, ge=1, allow_inf_nan=False)
    """How much more likely a rollout takes an action for each name in it that matters to the goal (an entity the goal
    names, or what contains it): weight focus ** names. With more than 1, a node's actions are also tried in that
    order, a few at a time (see `widening`). 1 is plain UCT with uniform rollouts."""
    widening: float = Field(default=0.5, gt=0, le=1)
    """Where focus is on, a node visited n times may have 2 * n ** widening children, at least 2 (progressive widening,
    Coulom 2007): likely actions are followed deep before unlikely ones are tried, and none is shut out for ever."""
    replans: int = Field(default=2, ge=0)
    """How often the agent searches again when its plan no longer fits the world."""


def uct_score(mean: float, visits: int, parent_visits: int, exploration: float) -> float:
    """Return the upper confidence bound Q + c * sqrt(ln N / n) of an action (UCB1 applied to trees).

    Args:
        mean: Q, mean return of the action.
        visits: n, how often the action was taken here; at least 1.
        parent_visits: N, how often an action was chosen here; at least 1.
        exploration: the constant c.
    """
    return mean + exploration * math.sqrt(math.log(parent_visits) / visits)


@dataclass(slots=True)
class _Edge:
    """One action of one node: its statistics, and what it led to (`child` is None where the episode ended)."""

    reward: float
    child: _Node | None
    reaches_goal: bool = False
    visits: int = 0
    total: float = 0.0


@dataclass(slots=True)
class _Node:
    """A state: `untried` actions, the next one last, and the edges of those that were tried."""

    snapshot: Snapshot
    potential: float
    untried: list[str]
    edges: dict[str, _Edge] = field(default_factory=dict)
    visits: int = 0


class MCTS:
    """Planner by Monte Carlo tree search.

    It plans through the world's own `step`, so step limits and scripted characters are part of what it foresees.
    One instance draws all its choices from one generator: the same seed and the same calls give the same plans.
    """

    def __init__(self, config: MCTSConfig | None = None, seed: int = 0) -> None:
        self.config = config or MCTSConfig()
        self._random = Random(seed)

    def plan(self, world: World, goal: Goal, budget: int | None = None) -> Plan:
        """Search for actions that make every predicate of `goal` true.

        The plan was replayed from the present state and reached the goal, and no step or run of steps can be left out
        of it; `value` is gamma^(T - 1) for T actions (1.0 for none). A goal without predicates is never reached.
        The world is left as it was found.

        Args:
            world: any world that has not ended.
            goal: what to reach; it stands in for the world's own goal during the search.
            budget: simulations at most; None takes the configuration's.

        Raises:
            WorldError: the goal names something that is not in this world.
        """
        if not goal.predicates:
            return Plan((), False, 0, 0.0)
        found_as = world.snapshot()
        try:
            # The world ends when its own goal is reached; with ours in its place it ends where we do, not before.
            world.set_goal(goal)
            if all(world.satisfied(goal)):
                return Plan((), True, 0, GOAL_REWARD)
            search = _Search(world, goal, self.config, self._random)
            return search.run(self.config.simulations if budget is None else budget)
        finally:
            world.restore(found_as)


class _Search:
    """One search: the nodes grown so far and the best plan found."""

    def __init__(self, world: World, goal: Goal, config: MCTSConfig, random: Random) -> None:
        self.world, self.goal, self.config, self.random = world, goal, config, random
        self.weigh = GoalNames(world, goal, config.focus).weight if config.focus > 1 else None
        self.nodes: dict[str, _Node] = {}
        self.start = world.snapshot()
        self.root = self._node(self.start, self._potential(world.satisfied(goal)))[0]
        self.best: tuple[str, ...] | None = None
        self.tried_plans: set[tuple[str, ...]] = set()

    def run(self, budget: int) -> Plan:
        """Spend up to `budget` simulations and return the best plan."""
        spent = 0
        while spent < budget and not (self.best and self.config.stop_at_first):
            spent += 1
            self._simulate()
        if self.best is None:
            return Plan((), False, spent, 0.0)
        return Plan(self.best, True, spent, GOAL_REWARD * self.config.discount ** (len(self.best) - 1))

    def _simulate(self) -> None:
        """Walk down the tree, grow it by one action, roll out from there and back the return up."""
        path: list[tuple[_Node, _Edge]] = []
        actions: list[str] = []
        on_path = {id(self.root)}
        node, leaf = self.root, 0.0
        while len(path) < self.config.max_depth:
            action = self._select(node)
            if action is None:
                leaf = -node.potential  # nothing can be done here
                break
            is_new = False
            if action not in node.edges:
                node.edges[action], is_new = self._expand(node, action)
            edge = node.edges[action]
            path.append((node, edge))
            actions.append(action)
            if edge.child is None:
                if edge.reaches_goal:
                    self._keep(actions)
                break
            if is_new:
                leaf, tail = self._rollout(edge.child)
                if tail:
                    self._keep(actions + tail)
                break
            if id(edge.child) in on_path:
                leaf = -edge.child.potential  # going round in a circle reaches nothing
                break
            node = edge.child
            on_path.add(id(node))
        self._back_up(path, leaf)

    def _select(self, node: _Node) -> str | None:
        """Return the next untried action if the node may grow, else the one of highest UCT score; None: a dead end."""
        if node.untried and len(node.edges) < self._children_allowed(node):
            return node.untried.pop()
        best, highest = None, -math.inf
        for action, edge in node.edges.items():
            score = uct_score(edge.total / edge.visits, edge.visits, node.visits, self.config.exploration)
            if score > highest:
                best, highest = action, score
        return best

    def _children_allowed(self, node: _Node) -> float:
        if self.weigh is None:
            return math.inf
        return max(2.0, 2 * math.pow(node.visits, self.config.widening))

    def _expand(self, node: _Node, action: str) -> tuple[_Edge, bool]:
        """Take `action` from `node`; returns its edge, and whether it led to a new node (the world stands there)."""
        self.world.restore(node.snapshot)
        _, _, terminated, truncated, _ = self.world.step(action)
        held = self.world.satisfied(self.goal)
        if all(held):
            return _Edge(GOAL_REWARD - node.potential, None, reaches_goal=True), False
        if terminated or truncated:
            return _Edge(-node.potential, None), False
        potential = self._potential(held)
        child, is_new = self._node(self.world.snapshot(), potential)
        return _Edge(self.config.discount * potential - node.potential, child), is_new

    def _node(self, snapshot: Snapshot, potential: float) -> tuple[_Node, bool]:
        """Return the node of the world's present state, and whether it is new."""
        key = snapshot.position if self.config.transpositions else str(len(self.nodes))
        if key in self.nodes:
            return self.nodes[key], False
        untried = list(self.world.legal_actions())
        self.random.shuffle(untried)
        if self.weigh is not None:
            untried.sort(key=self.weigh)  # stable: the order inside one weight stays random
        self.nodes[key] = _Node(snapshot, potential, untried)
        return self.nodes[key], True

    def _rollout(self, node: _Node) -> tuple[float, list[str] | None]:
        """Act at random from `node`, where the world stands.

        Returns:
            The shaped return and, if the goal was reached, the actions. Shaping telescopes: the sum over T steps of
            gamma^t * (r + gamma * Phi(s') - Phi(s)) is the unshaped return + gamma^T * Phi(s_T) - Phi(s_0).
        """
        world, discount = self.world, self.config.discount
        potential, actions = node.potential, []
        legal: Sequence[str] = node.untried
        for depth in range(self.config.rollout_depth):
            if not legal:
                return -node.potential, None
            actions.append(self._draw(legal))
            _, _, terminated, truncated, _ = world.step(actions[-1])
            held = world.satisfied(self.goal)
            if all(held):
                return GOAL_REWARD * discount**depth - node.potential, actions
            if terminated or truncated:
                return -node.potential, None
            potential = self._potential(held)
            legal = world.legal_actions()
        return discount ** len(actions) * potential - node.potential, None

    def _draw(self, legal: Sequence[str]) -> str:
        if self.weigh is None:
            return self.random.choice(legal)
        return self.random.choices(legal, [self.weigh(action) for action in legal])[0]

    def _potential(self, held: Sequence[bool]) -> float:
        return sum(held) / len(held) if self.config.shaping else 0.0

    def _back_up(self, path: Sequence[tuple[_Node, _Edge]], leaf: float) -> None:
        """Add the return G_t = r_t + gamma * G_(t+1) to every edge of the path; G after the last one is `leaf`."""
        value = leaf
        for node, edge in reversed(path):
            value = edge.reward + self.config.discount * value
            edge.total += value
            edge.visits += 1
            node.visits += 1

    def _keep(self, actions: Sequence[str]) -> None:
        """Shorten a plan that reached the goal in the search, and keep it if it is the shortest so far."""
        if tuple(actions) in self.tried_plans:
            return
        self.tried_plans.add(tuple(actions))
        plan = shorten(self.world, self.goal, self.start, actions)
        if plan is not None and (self.best is None or len(plan) < len(self.best)):
            self.best = plan


class MCTSAgent:
    """Plans to the goal when the episode begins, then follows the plan.

    When the plan's next action is not legal any more, or the plan ends short of the goal, it searches again, at most
    `replans` times. With nothing found, or nothing left to do, it ends the episode.
    """

    def __init__(self, config: MCTSConfig, world: World, seed: int) -> None:
        self._planner = MCTS(config, seed)
        self._world = world
        self._goal = Goal("")
        self._steps: list[str] = []
        self._replans_left = config.replans

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Search for a plan from the world's present state."""
        self._goal = goal
        self._replans_left = self._planner.config.replans
        self._steps = self._search()

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the plan's next action, or None when the goal is reached or no plan is found."""
        if not self._goal.predicates or all(self._world.satisfied(self._goal)):
            return None
        legal = info.get("legal_actions")
        if legal is None:
            legal = self._world.legal_actions()
        while not self._steps or self._steps[-1] not in legal:
            if self._replans_left == 0:
                return None
            self._replans_left -= 1
            self._steps = self._search()
        return self._steps.pop()

    def _search(self) -> list[str]:
        """Return the actions of a new plan, the next one last."""
        return list(reversed(self._planner.plan(self._world, self._goal).actions))
