"""Plans for conjunctive goals as chains: a skill where one fits, a search where none does, one link after another.

Every link is tried out in a snapshot before it is used, and is used only if the world then says that what the link was for
holds. So a skill is never trusted, and scripted characters act in the trial as they will act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from random import Random

from worldschool.agents.base import Planner
from worldschool.agents.plans import shorten
from worldschool.agents.skills.binding import Scene, bound_skills
from worldschool.agents.skills.learning import are_linked, reaches
from worldschool.agents.skills.library import SkillLibrary
from worldschool.agents.skills.order import Order
from worldschool.envs import World
from worldschool.errors import WorldError
from worldschool.records import Goal, Plan, Predicate, Snapshot

TRIALS = 8
"""Bound skills that are tried out for one target before it is given up for now."""
SHORTENED = 8
"""Plans of up to so many actions are shortened in every way; of longer ones only single actions are left out."""


@dataclass(frozen=True)
class Feedback:
    """What is known from an attempt that failed; an attempt with feedback goes about it differently.

    Attributes:
        failed: the predicates that were not reached. They come first and get the whole budget between them.
        attempts: how many attempts were made before; from 1 on a link may undo what held already, which is then done
            again later.
    """

    failed: frozenset[Predicate] = frozenset()
    attempts: int = 0


@dataclass(frozen=True)
class Attempt:
    """A chain as far as it came.

    Attributes:
        actions: of all links.
        missing: predicates that do not hold after them; empty if the goal is reached.
        simulations: what the searches spent.
        skills: names of the skills used, in order.
    """

    actions: tuple[str, ...]
    missing: frozenset[Predicate]
    simulations: int
    skills: tuple[str, ...]


@dataclass
class _Link:
    """One part of a chain, tried out: its actions, and the world after them."""

    actions: tuple[str, ...]
    after: Snapshot
    held: tuple[bool, ...]
    skill: str | None = None


class SkillPlanner:
    """Planner that chains skills and searches.

    Args:
        library: the skills it may use.
        order: in which order parts of a goal are tried.
        search: finds plans for what no skill covers.
        kind: gives an entity's kind in the world that is planned in.
        seed: fixes the order among parts of which little is known.
    """

    def __init__(
        self,
        library: SkillLibrary,
        order: Order,
        search: Planner,
        kind: Callable[[str], str],
        seed: int = 0,
    ) -> None:
        self._library = library
        self._order = order
        self._search = search
        self._kind = kind
        self._random = Random(seed)

    def plan(self, world: World, goal: Goal, budget: int) -> Plan:
        """Return a plan (see `agents.base.Planner`); `value` is 1.0 for one that reaches the goal, else 0.0."""
        attempt = self.attempt(world, goal, budget)
        reached = bool(goal.predicates) and not attempt.missing
        return Plan(attempt.actions if reached else (), reached, attempt.simulations, float(reached))

    def attempt(self, world: World, goal: Goal, budget: int, feedback: Feedback | None = None) -> Attempt:
        """Come as far towards a goal as skills and searches do. The world is left as it was found.

        Args:
            world: one that has not ended.
            goal: what to reach.
            budget: simulations for all searches together.
            feedback: what failed before.

        Raises:
            WorldError: the goal names something that is not in this world.
        """
        found_as = world.snapshot()
        try:
            world.set_goal(goal)
            order = self._order.arranged(goal.predicates, self._kind, self._random)
            feedback = feedback or Feedback()
            first = [one for one in order if one in feedback.failed]
            order = [*first, *(one for one in order if one not in feedback.failed)]
            return _Chain(world, goal, order, budget, feedback, self._library, self._search, self._kind).run()
        finally:
            world.restore(found_as)


@dataclass
class _Chain:
    """One attempt under way. `here` is the world after the links so far."""

    world: World
    goal: Goal
    order: Sequence[Predicate]
    budget: int
    feedback: Feedback
    library: SkillLibrary
    search: Planner
    kind: Callable[[str], str]
    actions: list[str] = field(default_factory=list)
    skills: list[str] = field(default_factory=list)
    spent: int = 0
    ended_short: bool = False
    """Whether what was tried last ended the episode before the goal held: buying does, in a shop."""

    def run(self) -> Attempt:
        """Add links until the goal is reached or no further one is found."""
        start = self.here = self.world.snapshot()
        self.held = self.world.satisfied(self.goal)
        passed = {start.position}
        links = 0
        for _ in range(2 * len(self.goal.predicates) + 2):
            if all(self.held):
                break
            link = next((one for one in self._links() if one.after.position not in passed), None)
            if link is None:
                break
            links += 1
            self.here, self.held = link.after, link.held
            passed.add(link.after.position)
            self.actions += link.actions
            self.skills += [] if link.skill is None else [link.skill]
        missing = self._missing()
        actions = tuple(self.actions)
        if not missing and links > 1:  # one link alone was shortened when it was found or learned
            actions = trimmed(self.world, self.goal, start, actions)
        return Attempt(actions, frozenset(missing), self.spent, tuple(self.skills))

    def _missing(self) -> list[Predicate]:
        """Return what does not hold, in the order in which it is tried."""
        held = dict(zip(self.goal.predicates, self.held, strict=True))
        return [one for one in self.order if not held[one]]

    def _links(self) -> Iterator[_Link]:
        """Yield the links that could come next, lazily, each tried out: skills, then searches."""
        missing = self._missing()
        self.world.restore(self.here)
        names = (entity.name for entity in self.world.entities())
        scene = Scene(self.world.facts(), names, self.kind)
        for wanted in _targets(missing):
            yield from self._by_skill(wanted, scene)
        yield from self._by_search(missing)

    def _by_skill(self, wanted: Sequence[Predicate], scene: Scene) -> Iterator[_Link]:
        for bound in bound_skills(self.library, wanted, scene)[:TRIALS]:
            link = self._tried(bound.actions, wanted)
            if link is not None:
                link.skill = bound.skill.name
                yield link

    def _by_search(self, missing: Sequence[Predicate]) -> Iterator[_Link]:
        """Search for one predicate at a time, together with all that holds; each gets its share of what is left."""
        failed = [one for one in missing if one in self.feedback.failed]
        targets = failed or list(missing)
        for number, target in enumerate(targets):
            share = (self.budget - self.spent) // (len(targets) - number)
            if share < 1:
                continue
            held = zip(self.goal.predicates, self.held, strict=True)
            kept = [] if self.feedback.attempts else [one for one, holds in held if holds]
            self.world.restore(self.here)
            try:
                plan = self.search.plan(self.world, Goal(self.goal.text, (*kept, target)), share)
            except WorldError:
                # A part of a goal need not be one: WebShop's rules refuse a wish without an attribute.
                yield from self._by_search_together(missing)
                return
            self.spent += plan.simulations
            link = self._tried(plan.actions, (target,)) if plan.success else None
            if link is None and self.ended_short:
                yield from self._by_search_together(missing)
                return
            if link is not None:
                yield link

    def _by_search_together(self, missing: Sequence[Predicate]) -> Iterator[_Link]:
        """Search for everything at once, with all that is left: here one part's last step ends the episode."""
        self.world.restore(self.here)
        plan = self.search.plan(self.world, self.goal, self.budget - self.spent)
        self.spent += plan.simulations
        link = self._tried(plan.actions, missing) if plan.success else None
        if link is not None:
            yield link

    def _tried(self, actions: Sequence[str], wanted: Sequence[Predicate]) -> _Link | None:
        """Take actions from `here`; return the link if `wanted` then holds and nothing that held was lost.

        From the second attempt on what held may be lost, if what the link is for is reached.
        """
        self.world.restore(self.here)
        self.ended_short = False
        taken: list[str] = []
        held = self.held
        for action in actions:
            _, _, terminated, truncated, info = self.world.step(action)
            if info["error"] is not None:
                return None
            taken.append(action)
            held = self.world.satisfied(self.goal)
            if terminated or truncated:
                if not all(held):
                    self.ended_short = terminated
                    return None  # the episode's last step, short of the goal
                break
        now = dict(zip(self.goal.predicates, held, strict=True))
        kept = all(now[one] for one, before in zip(self.goal.predicates, self.held, strict=True) if before)
        if not all(now[one] for one in wanted) or not (kept or self.feedback.attempts > 0):
            return None
        return _Link(tuple(taken), self.world.snapshot(), held)


def _targets(missing: Sequence[Predicate]) -> list[tuple[Predicate, ...]]:
    """Return what skills are sought for: three predicates about the same things, two of them, and each one alone."""
    pairs = [pair for pair in combinations(missing, 2) if are_linked(*pair)]
    found: list[tuple[Predicate, ...]] = [
        three
        for three in (combinations(missing, 3) if len(pairs) > 1 else ())
        if sum(pair in pairs for pair in combinations(three, 2)) > 1
    ]
    return [*found, *pairs, *((one,) for one in missing)]


def trimmed(world: World, goal: Goal, start: Snapshot, actions: Sequence[str]) -> tuple[str, ...]:
    """Leave needless actions out of a plan that reaches its goal; where `world` stands afterwards is not defined."""
    if len(actions) <= SHORTENED:
        shorter = shorten(world, goal, start, actions)
        return tuple(actions) if shorter is None else shorter
    plan = list(actions)
    for place in reversed(range(len(actions))):
        shorter_plan = plan[:place] + plan[place + 1 :]
        if reaches(world, goal, start, shorter_plan):
            plan = shorter_plan
    return tuple(plan)
