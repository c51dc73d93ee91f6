"""Uniform exploration: every legal action alike, or verbs by weight."""

from __future__ import annotations

from random import Random
from typing import Any

from worldschool.agents.random.config import RandomConfig
from worldschool.agents.random.verbs import by_verb
from worldschool.envs import World


class Uniform:
    """Without weights draws any action; with weights a verb by weight, then uniformly inside the verb."""

    def __init__(self, config: RandomConfig, world: World, random: Random) -> None:
        self._weights = config.verb_weights
        self._random = random

    def choose(self, actions: list[str], info: dict[str, Any]) -> str | None:
        """Return one of some legal actions; None if all of them have weight 0."""
        if not self._weights:
            return self._random.choice(actions)
        verbs = by_verb(actions)
        weights = [self._weights.get(verb, 1.0) for verb in verbs]
        if not any(weights):
            return None
        verb = self._random.choices(list(verbs), weights)[0]
        return self._random.choice(verbs[verb])
