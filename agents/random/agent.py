"""The random agent: gives each step to its strategy."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from worldschool.agents.random.babbling import GoalBabbling
from worldschool.agents.random.config import RandomConfig
from worldschool.agents.random.counts import CountBased
from worldschool.agents.random.uniform import Uniform
from worldschool.envs import World
from worldschool.records import Goal


class Strategy(Protocol):
    """Chooses among legal actions, for all the characters that the agent acts; one lives for one episode."""

    def choose(self, actions: list[str], info: dict[str, Any]) -> str | None:
        """Return one of some legal actions, at least one; None if all of them have weight 0."""
        ...


STRATEGIES: dict[str, Callable[[RandomConfig, World, Random], Strategy]] = {
    "uniform": Uniform,
    "count": CountBased,
    "babble": GoalBabbling,
}


class RandomAgent:
    """Explores at random, by the strategy that its settings name; the episode's goal is left aside."""

    def __init__(self, config: RandomConfig, world: World, seed: int) -> None:
        self._config, self._world = config, world
        self._random = Random(seed)
        self._strategy = STRATEGIES[config.strategy](config, world, self._random)

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode; the goal is left aside, and what was counted before forgotten."""
        self._strategy = STRATEGIES[self._config.strategy](self._config, self._world, self._random)

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return a legal action, or None if there is none (or all of them have weight 0)."""
        legal = info.get("legal_actions")
        actions: list[str] = self._world.legal_actions() if legal is None else legal
        return self._strategy.choose(actions, info) if actions else None
