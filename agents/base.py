"""The Agent and Planner protocols, and the table of agents.

To add an agent: a module with a `NAMEConfig(Config)` and a class, and one line in `AGENTS`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

from worldschool.config import Config, build_config
from worldschool.envs import World
from worldschool.errors import ConfigError, nearest
from worldschool.records import Goal, Plan


class Agent(Protocol):
    """Chooses actions. One agent lives for one episode, so an episode depends on its own seed alone."""

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode with this goal and the world's first info."""
        ...

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the next action, or None to end the episode (nothing more to do)."""
        ...


class Planner(Protocol):
    """Finds plans by searching a world through snapshot and restore; leaves the world as it was found."""

    def plan(self, world: World, goal: Goal, budget: int) -> Plan:
        """Return the best plan found within `budget` simulations."""
        ...


@dataclass(frozen=True)
class AgentSpec:
    """One row of the table: where the configuration class and the agent's class are, as "module:Class"."""

    config: str
    agent: str


AGENTS: dict[str, AgentSpec] = {
    "random": AgentSpec("worldschool.agents.random:RandomConfig", "worldschool.agents.random:RandomAgent"),
    "mcts": AgentSpec("worldschool.agents.mcts:MCTSConfig", "worldschool.agents.mcts:MCTSAgent"),
}


def agent_config(name: str, values: dict[str, Any], source: str = "agent") -> Config:
    """Check an agent's settings.

    Raises:
        ConfigError: there is no such agent, or a setting is not accepted.
    """
    if name not in AGENTS:
        raise ConfigError(
            f"there is no agent {name!r}",
            where=f"{source}.name",
            mend=f"Known agents: {', '.join(AGENTS)}.{nearest(name, AGENTS)}",
        )
    cls: type[Config] = _load(AGENTS[name].config)
    return build_config(cls, values, source)


def make_agent(name: str, config: Config, world: World, seed: int) -> Agent:
    """Make an agent for one episode. `seed` fixes all of its choices; planners search copies of `world`'s state."""
    made: Agent = _load(AGENTS[name].agent)(config, world, seed)
    return made


def _load(entry_point: str) -> Any:
    module, name = entry_point.split(":")
    return getattr(importlib.import_module(module), name)
