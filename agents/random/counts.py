"""Count-based exploration: what was tried or brought about least is what is tried next.

Exploration bonuses fall with how often something was met: Strehl and Littman 2008 ("An analysis of model-based interval
estimation for Markov decision processes") add beta / sqrt(n(s, a)) to the reward, Tang et al. 2017 ("#Exploration: a study of
count-based exploration") beta / sqrt(n(phi(s))) with phi a hash that lets like states share a count. There is no reward here,
so the bonus alone decides, and phi is read off the action's text:

    n(a)  = tries of this action by this character
          + tries of it in this very state (`Snapshot.position`)
          + times that what it names came together: for "put apple on desk" that the apple came onto, into or beside
            the desk's name in a fact, for "grab apple" that the character came to hold it
    b(n)  = 1 / sqrt(1 + n)

A verb is drawn in proportion to w * max b(n(a))^k * b(n(verb)) over its legal actions, w its weight, and then one of its
actions in proportion to b(n(a))^k: some fifty places can be walked to for one thing that can be grabbed, and drawn from one
urn the walks would crowd out the rest. Drawing, and not taking the largest, breaks the rounds that greed goes in.

Everything is counted within one episode, and looked up in the present state alone: nothing is tried out beforehand.
"""

from __future__ import annotations

import math
from collections import Counter
from random import Random
from typing import Any

from worldschool.agents.random.config import RandomConfig
from worldschool.agents.random.verbs import ActionNames, actor_of, by_verb
from worldschool.envs import World


def bonus(count: int) -> float:
    """Return 1 / sqrt(1 + count), what is left of the novelty of something met `count` times; in (0, 1]."""
    return 1.0 / math.sqrt(1 + count)


class CountBased:
    """Draws actions by their bonus; counts for each character are its own."""

    def __init__(self, config: RandomConfig, world: World, random: Random) -> None:
        self._weights, self._greed = config.verb_weights, config.count.greed
        self._world, self._random = world, random
        self._names: ActionNames | None = None
        self._tries: Counter[tuple[str, ...]] = Counter()
        self._meetings: Counter[frozenset[str]] = Counter()
        self._together: frozenset[frozenset[str]] = frozenset()

    def choose(self, actions: list[str], info: dict[str, Any]) -> str | None:
        """Return one of some legal actions; None if all of them have weight 0."""
        self._look()
        actor, state = actor_of(actions, info), self._world.snapshot().position
        verbs = {verb: some for verb, some in by_verb(actions).items() if self._weights.get(verb, 1.0) > 0}
        if not verbs:
            return None
        drawn = {verb: [self._bonus(actor, state, action) for action in some] for verb, some in verbs.items()}
        weights = [
            self._weights.get(verb, 1.0) * max(drawn[verb]) * bonus(self._tries[actor, verb])
            for verb in verbs
        ]
        verb = self._random.choices(list(verbs), weights)[0]
        action = self._random.choices(verbs[verb], drawn[verb])[0]
        self._tries.update([(actor, verb), (actor, "", action), (state, actor, "", action)])
        return action

    def _bonus(self, actor: str, state: str, action: str) -> float:
        assert self._names is not None
        names = self._names(action)
        about = frozenset(names[:2] if len(names) > 1 else (actor, *names))
        count = self._tries[actor, "", action] + self._tries[state, actor, "", action] + self._meetings[about]
        return math.pow(bonus(count), self._greed)

    def _look(self) -> None:
        """Count which two came together since the last step."""
        if self._names is None:
            self._names = ActionNames(entity.name for entity in self._world.entities())
        now = frozenset(
            frozenset((fact.subject, fact.object)) for fact in self._world.facts() if fact.relation != "STATE"
        )
        self._meetings.update(now - self._together)
        self._together = now
