"""Tree search over any world's snapshots: `envs.search.TreeSearch` in Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from worldschool.agents.plans import GoalNames, shorten
from worldschool.envs import World
from worldschool.envs.search import ActionStatistics, Progress, Rule, SearchTerms, Unseen
from worldschool.records import Goal, Snapshot

GOAL_REWARD = 1.0

Priors: TypeAlias = Callable[[World, Goal, Sequence[str]], Sequence[float]]
"""(world, goal, legal actions) -> a weight above 0 for each action, in the world's present state."""
Value: TypeAlias = Callable[[World, Goal], float]
"""(world, goal) -> the discounted return that is expected from the world's present state, in [0, 1]."""


def uct_score(mean: float, visits: int, parent_visits: int, exploration: float) -> float:
    """Return the upper confidence bound Q + c * sqrt(ln N / n) of an action (UCB1 applied to trees).

    Args:
        mean: Q, mean return of the action.
        visits: n, how often the action was taken here; at least 1.
        parent_visits: N, how often an action was chosen here; at least 1.
        exploration: the constant c.
    """
    return mean + exploration * math.sqrt(math.log(parent_visits) / visits)


def puct_score(mean: float, visits: int, parent_visits: int, prior: float, exploration: float) -> float:
    """Return Q + c * P * sqrt(N) / (1 + n) (Silver et al. 2017, "Mastering the game of Go without human knowledge").

    Args:
        mean: Q, mean return of the action.
        visits: n, how often the action was taken here.
        parent_visits: N, how often an action was chosen here.
        prior: P, in [0, 1].
        exploration: the constant c.
    """
    return mean + exploration * prior * math.sqrt(parent_visits) / (1 + visits)


@dataclass(slots=True)
class _Edge:
    """One action of one node: its statistics, and what it led to (`child` is None where the episode ended)."""

    reward: float
    child: _Node | None
    prior: float
    reaches_goal: bool = False
    visits: int = 0
    total: float = 0.0


@dataclass(slots=True)
class _Node:
    """A state: its `untried` actions with their weights, and the edges of those that were tried.

    `path` is how the search first came there, and `whole` the weight of all its actions.
    """

    snapshot: Snapshot
    potential: float
    path: tuple[str, ...]
    untried: dict[str, float]
    whole: float
    edges: dict[str, _Edge] = field(default_factory=dict)
    visits: int = 0


class SnapshotSearch:
    """A tree search through a world's own `step`, so that step limits and scripted characters are part of what it foresees.

    The world stands anywhere after a call; whoever uses it restores it.

    Args:
        world: where the search begins; its goal is `goal`, which does not hold.
        goal: what to reach.
        terms: the settings.
        random: draws all choices.
        priors: weights of actions; None: the focus gives them.
        value: an estimate in place of rollouts.
    """

    def __init__(
        self,
        world: World,
        goal: Goal,
        terms: SearchTerms,
        random: Random,
        priors: Priors | None = None,
        value: Value | None = None,
    ) -> None:
        self._world, self._goal, self._terms, self._random = world, goal, terms, random
        self._priors, self._value = priors, value
        self._weigh = GoalNames(world, goal, terms.focus).weight if terms.focus > 1 else None
        self._progress = world.progress if isinstance(world, Progress) else None
        self._step_unseen = world.step_unseen if isinstance(world, Unseen) else None
        self._start = world.snapshot()
        self._plan: tuple[str, ...] | None = None
        self._tried_plans: set[tuple[str, ...]] = set()
        self._first_root: _Node | None = None
        self._plant(())

    def _plant(self, path: tuple[str, ...]) -> None:
        """Begin a tree where the world stands."""
        self._nodes: dict[str, _Node] = {}
        self._root = self._highest = self._node(path, self._potential(self._world.satisfied(self._goal)))[0]

    @property
    def plan(self) -> tuple[str, ...] | None:
        """The shortest plan found, replayed and without needless steps; None: none yet."""
        return self._plan

    def run(self, simulations: int) -> int:
        """Make up to so many simulations, fewer if the first plan is to end the search; returns how many."""
        for made in range(1, simulations + 1):
            self._simulate()
            if self._plan is not None and self._terms.stop_at_first:
                return made
        return simulations

    def advance(self) -> bool:
        """Begin a new tree at the state of the highest potential seen, else at the first state; returns which."""
        if self._first_root is None:
            self._first_root = self._root
        higher = self._highest is not self._root
        self._world.restore(self._highest.snapshot if higher else self._start)
        self._plant(self._highest.path if higher else ())
        return higher

    def root(self) -> tuple[ActionStatistics, ...]:
        """Return the statistics of the first tree's root, most visited first."""
        node = self._root if self._first_root is None else self._first_root
        found = [
            ActionStatistics(
                action, edge.visits, edge.total / edge.visits if edge.visits else 0.0, edge.prior
            )
            for action, edge in node.edges.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.visits, one.action)))

    # -- one simulation -----------------------------------------------------------------------------------------------

    def _simulate(self) -> None:
        """Walk down the tree, grow it by one action, roll out from there and back the return up."""
        if self._terms.max_depth == 0:  # no tree at all: random shooting
            self._world.restore(self._root.snapshot)
            _, tail = self._rollout(self._root)
            if tail:
                self._keep([*self._root.path, *tail])
            return
        path: list[tuple[_Node, _Edge]] = []
        actions: list[str] = []
        on_path = {id(self._root)}
        node, leaf = self._root, 0.0
        while len(path) < self._terms.max_depth:
            action, is_new = self._select(node)
            if action is None:
                leaf = -node.potential  # nothing can be done here
                break
            if is_new:
                node.edges[action], is_new = self._expand(node, action)
            edge = node.edges[action]
            path.append((node, edge))
            actions.append(action)
            if edge.child is None:
                if edge.reaches_goal:
                    self._keep([*self._root.path, *actions])
                break
            if is_new:
                leaf, tail = self._evaluate(edge.child)
                if tail:
                    self._keep([*self._root.path, *actions, *tail])
                break
            if id(edge.child) in on_path:
                leaf = -edge.child.potential  # going round in a circle reaches nothing
                break
            node = edge.child
            on_path.add(id(node))
        self._back_up(path, leaf)

    def _step(self, action: str) -> tuple[bool, bool]:
        """Step the world; returns whether the episode terminated, and whether it was truncated."""
        if self._step_unseen is not None:
            return self._step_unseen(action)
        _, _, terminated, truncated, _ = self._world.step(action)
        return terminated, truncated

    def _select(self, node: _Node) -> tuple[str | None, bool]:
        """Return an untried action (True) if the node may grow, else the one of the highest score; None: a dead end."""
        if node.untried and len(node.edges) < self._children_allowed(node):
            (action,) = self._random.choices(list(node.untried), list(node.untried.values()))
            return action, True
        best, highest = None, -math.inf
        for action, edge in node.edges.items():
            score = self._score(self._terms.rule, node, edge)
            if score > highest:
                best, highest = action, score
        return best, False

    def _score(self, rule: Rule, node: _Node, edge: _Edge) -> float:
        mean = edge.total / edge.visits
        if rule == "puct":
            return puct_score(mean, edge.visits, node.visits, edge.prior, self._terms.exploration)
        return uct_score(mean, edge.visits, node.visits, self._terms.exploration)

    def _children_allowed(self, node: _Node) -> float:
        if self._weigh is None and self._priors is None:
            return math.inf
        return max(2.0, 2 * math.pow(node.visits, self._terms.widening))

    def _expand(self, node: _Node, action: str) -> tuple[_Edge, bool]:
        """Take `action` from `node`; returns its edge, and whether it led to a new node (the world stands there)."""
        prior = node.untried.pop(action) / node.whole
        self._world.restore(node.snapshot)
        terminated, truncated = self._step(action)
        held = self._world.satisfied(self._goal)
        if all(held):
            return _Edge(GOAL_REWARD - node.potential, None, prior, reaches_goal=True), False
        if terminated or truncated:
            return _Edge(-node.potential, None, prior), False
        potential = self._potential(held)
        child, is_new = self._node((*node.path, action), potential)
        if child.potential > self._highest.potential:
            self._highest = child
        return _Edge(self._terms.discount * potential - node.potential, child, prior), is_new

    def _node(self, path: tuple[str, ...], potential: float) -> tuple[_Node, bool]:
        """Return the node of the world's present state, and whether it is new."""
        snapshot = self._world.snapshot()
        key = snapshot.position if self._terms.transpositions else str(len(self._nodes))
        if key in self._nodes:
            return self._nodes[key], False
        legal = self._world.legal_actions()
        untried = dict(zip(legal, self._weights(legal), strict=True))
        self._nodes[key] = _Node(snapshot, potential, path, untried, sum(untried.values()))
        return self._nodes[key], True

    def _weights(self, legal: Sequence[str]) -> Sequence[float]:
        if self._priors is not None:
            return self._priors(self._world, self._goal, legal)
        return [1.0] * len(legal) if self._weigh is None else [self._weigh(action) for action in legal]

    def _evaluate(self, node: _Node) -> tuple[float, list[str] | None]:
        """Return the shaped return from a new node, where the world stands, and the actions of a rollout to the goal."""
        if self._value is not None:
            return self._value(self._world, self._goal) - node.potential, None
        return self._rollout(node)

    def _rollout(self, node: _Node) -> tuple[float, list[str] | None]:
        """Act at random from `node`, where the world stands.

        Returns:
            The shaped return and, if the goal was reached, the actions. Shaping telescopes: the sum over T steps of
            gamma^t * (r + gamma * Phi(s') - Phi(s)) is the unshaped return + gamma^T * Phi(s_T) - Phi(s_0).
        """
        world, discount = self._world, self._terms.discount
        actions: list[str] = []
        legal: Sequence[str] = world.legal_actions()
        for depth in range(self._terms.rollout_depth):
            if not legal:
                return -node.potential, None
            actions.append(self._draw(legal))
            terminated, truncated = self._step(actions[-1])
            held = world.satisfied(self._goal)
            if all(held):
                return GOAL_REWARD * discount**depth - node.potential, actions
            if terminated or truncated:
                return -node.potential, None
            legal = world.legal_actions()
        potential = self._potential(world.satisfied(self._goal)) if actions else node.potential
        return discount ** len(actions) * potential - node.potential, None

    def _draw(self, legal: Sequence[str]) -> str:
        if self._weigh is None:
            return self._random.choice(legal)
        return self._random.choices(legal, [self._weigh(action) for action in legal])[0]

    def _potential(self, held: Sequence[bool]) -> float:
        """Return Phi of the world's present state, where the predicates that hold are known."""
        if self._terms.shaping == "none":
            return 0.0
        if self._terms.shaping == "progress" and self._progress is not None:
            return self._progress(self._goal)
        return sum(held) / len(held)

    def _back_up(self, path: Sequence[tuple[_Node, _Edge]], leaf: float) -> None:
        """Add the return G_t = r_t + gamma * G_(t+1) to every edge of the path; G after the last one is `leaf`."""
        value = leaf
        for node, edge in reversed(path):
            value = edge.reward + self._terms.discount * value
            edge.total += value
            edge.visits += 1
            node.visits += 1

    def _keep(self, actions: Sequence[str]) -> None:
        """Shorten a plan that reached the goal in the search, and keep it if it is the shortest so far."""
        if tuple(actions) in self._tried_plans:
            return
        self._tried_plans.add(tuple(actions))
        plan = shorten(self._world, self._goal, self._start, actions)
        if plan is not None and (self._plan is None or len(plan) < len(self._plan)):
            self._plan = plan
