"""The compiled tree search as planners use it: `envs.search.TreeSearch` over a `Space`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.scene.memory import State
from worldschool.envs.household.search import entries
from worldschool.envs.household.search.progress import ESTIMATE, NO_SHAPING, SHARE, Wanted
from worldschool.envs.household.search.space import Space
from worldschool.envs.household.search.tree import PUCT, UCT, Found, Scratch, Task, Terms, Tree
from worldschool.envs.search import ActionStatistics, SearchTerms

LOG_ENTRIES = 1 << 15
"""Words that a simulation may change; an action changes some dozens at most."""
MOST_NODES = 1 << 20
"""Nodes that a tree has at most: about 60 MB. It grows no more then, and the search goes on in it."""
EDGES_PER_NODE = 2
SHAPINGS = {"none": NO_SHAPING, "predicates": SHARE, "progress": ESTIMATE}


class CompiledTreeSearch:
    """A tree search in compiled code.

    Args:
        space: what is searched.
        terms: the settings.
        simulations: how many to have room for.
        seed: fixes all choices.
    """

    def __init__(self, space: Space, terms: SearchTerms, simulations: int, seed: int) -> None:
        self._space, self._terms = space, terms
        self._room = min(simulations + 1, MOST_NODES)
        self._numbers = _as_numbers(terms)
        self._task = Task(
            Wanted(space.rows, space.starts), space.candidates, space.weights, np.cumsum(space.weights),
            space.others, space.turns, space.turn, space.horizon,
        )  # fmt: skip
        count = len(space.candidates)
        generator = np.array([space.generator], np.uint64)
        self._scratch = Scratch(
            np.array([seed & (1 << 64) - 1], np.uint64), generator, generator.copy(),
            np.zeros((3, space.words), np.uint64), np.zeros(count, np.int8), np.zeros(count, np.int8),
        )  # fmt: skip
        self._log, self._top = np.zeros((LOG_ENTRIES, 2), np.uint64), np.zeros(1, np.int64)
        self._state = State(space.memory.copy(), self._log, self._top)
        self._prefix: list[int] = []
        self._best: list[int] | None = None
        self._first_root: tuple[ActionStatistics, ...] | None = None
        self._plant()

    def _plant(self) -> None:
        """Begin a tree at the state as it is."""
        self._tree = _empty_tree(self._room)
        depth = self._numbers.max_depth + self._numbers.rollout_depth + 1
        plan, best, path, nodes, edges = (np.zeros(depth, np.int64) for _ in range(5))
        self._found = Found(plan, best, np.zeros(2, np.int64), np.zeros(1), path, nodes, edges)

    def _work(self, what: int, actions: NDArray[np.int64], count: int, **others: Any) -> int:
        values = {"state": self._state, "task": self._task, "scratch": self._scratch} | others
        done: int = entries.work(
            what, self._space.scene, self._space.table, values["state"], values["task"], self._numbers, self._tree,
            self._found, values["scratch"], actions, count,
        )  # fmt: skip
        return done

    @property
    def plan(self) -> tuple[str, ...] | None:
        """The shortest plan found, from the first state; None: none yet."""
        if self._best is None:
            return None
        return tuple(self._space.text(candidate, place) for place, candidate in enumerate(self._best))

    def run(self, simulations: int) -> int:
        """Make up to so many simulations; returns how many."""
        before, shortest = int(self._tree.sizes[2]), int(self._found.lengths[0])
        self._work(entries.RUN, self._found.path, simulations)
        length = int(self._found.lengths[0])
        if length and length != shortest:
            self._keep([*self._prefix, *self._found.plan[:length].tolist()])
        return int(self._tree.sizes[2]) - before

    def _keep(self, plan: list[int]) -> None:
        if self._prefix:
            plan = self._trimmed(plan)
        if self._best is None or len(plan) < len(self._best):
            self._best = plan

    def _trimmed(self, plan: list[int]) -> list[int]:
        """Return a plan of several stages, from the first state, without needless steps."""
        space = self._space
        actions = np.array(plan, np.int64)
        left = self._work(
            entries.TRIM,
            actions,
            len(plan),
            state=State(space.memory.copy(), self._log, self._top),
            task=self._task._replace(turn=space.turn, horizon=space.horizon),
            scratch=self._scratch._replace(begun=np.array([space.generator], np.uint64)),
        )
        return list(actions[:left].tolist()) if left else plan

    def advance(self) -> bool:
        """Begin a new tree at the state of the highest potential seen, else at the first state again."""
        if self._first_root is None:
            self._first_root = self._statistics()
        length = int(self._found.lengths[1])
        higher = length > 0 and len(self._prefix) + length < self._space.horizon
        if higher:
            steps = self._found.best[:length].copy()
            self._work(entries.GO, steps, length)
            self._prefix += steps.tolist()
        else:
            self._state = State(self._space.memory.copy(), self._log, self._top)
            self._scratch.begun[0] = np.uint64(self._space.generator)
            self._prefix = []
        done = len(self._prefix)
        turn = (self._space.turn + done) % self._space.turns if self._space.turns > 1 else self._space.turn
        self._task = self._task._replace(turn=turn, horizon=self._space.horizon - done)
        self._plant()
        return higher

    def root(self) -> tuple[ActionStatistics, ...]:
        """Return the statistics of the first tree's root, most visited first."""
        return self._statistics() if self._first_root is None else self._first_root

    def _statistics(self) -> tuple[ActionStatistics, ...]:
        tree, found = self._tree, []
        edge = int(tree.first[0])
        while edge >= 0:
            visits = int(tree.edge_visits[edge])
            value = float(tree.totals[edge]) / visits if visits else 0.0
            action = self._space.text(int(tree.actions[edge]), len(self._prefix))
            found.append(ActionStatistics(action, visits, value, float(tree.priors[edge])))
            edge = int(tree.following[edge])
        return tuple(sorted(found, key=lambda one: (-one.visits, one.action)))


def _as_numbers(terms: SearchTerms) -> Terms:
    return Terms(
        rule=PUCT if terms.rule == "puct" else UCT,
        exploration=float(terms.exploration),
        discount=float(terms.discount),
        rollout_depth=terms.rollout_depth,
        max_depth=terms.max_depth,
        shaping=SHAPINGS[terms.shaping],
        transpositions=int(terms.transpositions),
        stop_at_first=int(terms.stop_at_first),
        widening=float(terms.widening if terms.focus > 1 else np.inf),
    )


def _empty_tree(room: int) -> Tree:
    slots = 1 << (2 * room + 1).bit_length()
    edges = EDGES_PER_NODE * room + 1

    def numbers(size: int) -> NDArray[np.int32]:
        return np.zeros(size, np.int32)

    return Tree(
        visits=numbers(room), children=numbers(room), legal=numbers(room), first=numbers(room),
        potentials=np.zeros(room), keys=np.zeros(room, np.uint64), stamps=np.zeros(room, np.int64),
        slots=np.zeros(slots, np.int64), actions=numbers(edges), child=numbers(edges), following=numbers(edges),
        edge_visits=numbers(edges), rewards=np.zeros(edges), totals=np.zeros(edges), priors=np.zeros(edges),
        sizes=np.zeros(3, np.int64),
    )  # fmt: skip
