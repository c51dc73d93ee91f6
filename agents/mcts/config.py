"""Settings of the Monte Carlo tree search."""

from __future__ import annotations

from pydantic import Field

from worldschool.config import Config
from worldschool.envs.search import Rule, SearchTerms, Shaping


class MCTSConfig(Config):
    """Settings of the Monte Carlo tree search."""

    simulations: int = Field(default=4000, ge=1)
    """Simulations one search may spend: selection, expansion, a rollout, and the return backed up."""
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds one search may take besides; None: any. Not for runs that are stored: time is not reproducible."""
    rule: Rule = "uct"
    """How an action is selected: "uct" (Kocsis and Szepesvari 2006) or "puct" (Silver et al. 2017)."""
    exploration: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """The constant c of the rule; returns lie in [0, 1]. Small, because a predicate that came true is worth following: with 1.4
    half as many of the household's goals of two predicates were reached within 400 simulations."""
    discount: float = Field(default=0.98, gt=0, le=1)
    """gamma: what a reward is worth one step later. Below 1 it makes short plans better than long ones."""
    rollout_depth: int = Field(default=25, ge=0)
    """Random actions after a new node."""
    max_depth: int = Field(default=30, ge=1)
    """Longest path inside the tree."""
    shaping: Shaping = "progress"
    """The potential of the shaped reward: "progress", the world's own estimate of how far it is on its way (where it has none,
    as "predicates"), "predicates", the share of the goal's predicates that hold, or "none"."""
    transpositions: bool = True
    """Share one node among all paths to the same `Snapshot.position`; otherwise the search is a plain tree."""
    stop_at_first: bool = True
    """Return the first plan found, shortened; otherwise spend the whole budget and return the best."""
    advance: int | None = Field(default=50, ge=1)
    """After so many simulations without a plan the search goes on from the state of the highest potential that it saw, or from
    the first state again where it saw none higher, with twice as many before the next time. None: it stays at the root."""
    focus: float = Field(default=32.0, ge=1, allow_inf_nan=False)
    """How much more likely a rollout takes an action for each name in it that matters to the goal (an entity the goal
    names, or what contains it): weight focus ** names. With more than 1, a node's actions are tried in an order drawn by
    the same weights, a few at a time (see `widening`). 1 is uniform."""
    widening: float = Field(default=0.5, gt=0, le=1)
    """Where focus is on, a node visited n times may have 2 * n ** widening children, at least 2 (progressive widening,
    Coulom 2007): likely actions are followed deep before unlikely ones are tried, and none is shut out for ever."""
    compiled: bool = True
    """Use the world's own compiled search where it has one, and no `priors` or `value` is given."""
    prior_model: str | None = None
    """A language model (directory or hub name) that gives the priors: how likely it finds each action; None: the focus does."""
    replans: int = Field(default=2, ge=0)
    """How often the agent searches again when its plan no longer fits the world."""

    @property
    def terms(self) -> SearchTerms:
        """What a search is told of these."""
        return SearchTerms(
            rule=self.rule,
            exploration=self.exploration,
            discount=self.discount,
            rollout_depth=self.rollout_depth,
            max_depth=self.max_depth,
            shaping=self.shaping,
            transpositions=self.transpositions,
            stop_at_first=self.stop_at_first,
            focus=self.focus,
            widening=self.widening,
        )
