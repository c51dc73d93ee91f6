"""What a world offers that can search its own futures without returning to Python, and what such a search is told.

Planners (`agents.mcts`) use it where it is there, and search through snapshots elsewhere; settings and results are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from worldschool.records import Goal

Rule: TypeAlias = Literal["uct", "puct"]
Shaping: TypeAlias = Literal["none", "predicates", "progress"]


@dataclass(frozen=True)
class SearchTerms:
    """The settings of a tree search; `agents.mcts.MCTSConfig` says what each does and gives the defaults.

    With a `max_depth` of 0 there is no tree, and every simulation is a rollout from the root: random shooting.
    """

    rule: Rule
    exploration: float
    discount: float
    rollout_depth: int
    max_depth: int
    shaping: Shaping
    transpositions: bool
    stop_at_first: bool
    focus: float
    widening: float


@dataclass(frozen=True)
class ActionStatistics:
    """What a search found out about one action of its root.

    Attributes:
        action: as the world takes it.
        visits: N(s, a), how often the search took it.
        value: Q(s, a), the mean shaped return; 0.0 without a visit.
        prior: P(s, a), its share of the weight of the root's legal actions, in [0, 1].
    """

    action: str
    visits: int
    value: float
    prior: float


class TreeSearch(Protocol):
    """A tree that grows by simulations from the world's state when it was made."""

    @property
    def plan(self) -> tuple[str, ...] | None:
        """The shortest plan found, from the first state, without needless steps; None: none yet."""
        ...

    def run(self, simulations: int) -> int:
        """Make up to so many simulations, fewer if the first plan is to end the search; returns how many."""
        ...

    def advance(self) -> bool:
        """Begin a new tree at the state of the highest potential seen, or at the first state if there is none higher.

        Returns whether it is a higher one.
        """
        ...

    def root(self) -> tuple[ActionStatistics, ...]:
        """Return the statistics of the first tree's root, most visited first."""
        ...


@runtime_checkable
class CompiledSearch(Protocol):
    """A world with a search of its own."""

    def search(self, goal: Goal, terms: SearchTerms, simulations: int, seed: int) -> TreeSearch | None:
        """Return a search for `goal` from the present state, or None where this world cannot search for that.

        Args:
            goal: every predicate of it could hold in this world.
            terms: the settings.
            simulations: how many it has to have room for.
            seed: fixes all of its choices.
        """
        ...


@runtime_checkable
class Progress(Protocol):
    """A world that can tell how far it is on its way to a goal: a potential for reward shaping."""

    def progress(self, goal: Goal) -> float:
        """Return a number in [0, 1] that depends on the state and the goal alone, 1 where every predicate holds."""
        ...


@runtime_checkable
class Unseen(Protocol):
    """A world that can be stepped without making its observation, which a search has no use for."""

    def step_unseen(self, action: str) -> tuple[bool, bool]:
        """Do what `step` does and return its `terminated` and `truncated`; raises as it does."""
        ...
