"""An agent that acts at random: it covers a world and gives the raw material for counting and tracking questions."""

from __future__ import annotations

from random import Random
from typing import Annotated, Any

from pydantic import Field

from worldschool.config import Config
from worldschool.envs import World
from worldschool.records import Goal

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]

ACTOR_MARK = ": "
"""Ends the "NAME: " prefix of an action where one agent speaks for all characters."""


class RandomConfig(Config):
    """Settings of the random agent."""

    verb_weights: dict[str, Weight] = Field(default_factory=dict)
    """Weight of each verb (the first word of an action, after any "NAME: "); verbs not named have 1.0, and a verb of
    weight 0 is never chosen. Empty: every legal action is as likely as any other, whatever its verb."""


def verb_of(action: str) -> str:
    """Return the first word of `action` after any "NAME: " prefix ("Mary: walk to kitchen" -> "walk")."""
    words = action.split(ACTOR_MARK, 1)[-1].split()
    return words[0] if words else ""


class RandomAgent:
    """Chooses among the legal actions: a verb by weight, then uniformly inside the verb."""

    def __init__(self, config: RandomConfig, world: World, seed: int) -> None:
        self._weights = config.verb_weights
        self._world = world
        self._random = Random(seed)

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode; the goal is left aside."""

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return a legal action, or None if there is none (or all of them have weight 0)."""
        legal = info.get("legal_actions")
        actions: list[str] = self._world.legal_actions() if legal is None else legal
        if not actions:
            return None
        if not self._weights:
            return self._random.choice(actions)
        by_verb: dict[str, list[str]] = {}
        for action in actions:
            by_verb.setdefault(verb_of(action), []).append(action)
        weights = [self._weights.get(verb, 1.0) for verb in by_verb]
        if not any(weights):
            return None
        verb = self._random.choices(list(by_verb), weights)[0]
        return self._random.choice(by_verb[verb])
