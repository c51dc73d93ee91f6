"""The Agent and Planner protocols, and the table of agents.

To add an agent: a module with a `NAMEConfig(Config)` and a class, and one line in `AGENTS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from worldschool.config import Config, build_config
from worldschool.envs import World
from worldschool.errors import ConfigError, nearest
from worldschool.records import Episode, Goal, Plan


class Agent(Protocol):
    """Chooses actions. One agent lives for one episode, so an episode depends on its own seed alone."""

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode with this goal and the world's first info."""
        ...

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the next action, or None to end the episode (nothing more to do)."""
        ...


@runtime_checkable
class GoalProposer(Protocol):
    """An agent that chooses its own goal: the recorder asks it after the world's reset and sets what it proposes."""

    def propose(self, observation: str, info: dict[str, Any]) -> Goal | None:
        """Return the goal of the episode that has just begun, or None to keep the world's."""
        ...


@runtime_checkable
class Onlooker(Protocol):
    """An agent that can be told of a step that somebody else chose for its character."""

    def notice(self, observation: str, info: dict[str, Any], action: str) -> None:
        """Take note of what was seen and done instead of asking `act`."""
        ...


class RoundState(Protocol):
    """What an agent knows at the start of a round, learned from the episodes of all rounds before; never changed.

    A run advances in rounds of fixed size: every episode of a round is lived with the state that the round began with,
    so that the episodes are the same whatever the number of workers.
    """

    @classmethod
    def begin(cls, config: Any) -> Self:
        """Return what is known before the first round."""
        ...

    def after(self, episodes: Sequence[Episode]) -> Self:
        """Return what is known after a round; depends on this state and its episodes, in index order, alone."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values; equal states give equal values."""
        ...

    @classmethod
    def from_json(cls, config: Any, values: dict[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            DatasetError: the values are not such a state.
        """
        ...


class Planner(Protocol):
    """Finds plans by searching a world through snapshot and restore; leaves the world as it was found."""

    def plan(self, world: World, goal: Goal, budget: int) -> Plan:
        """Return the best plan found within `budget` simulations."""
        ...


@dataclass(frozen=True)
class AgentSpec:
    """One row of the table: where the configuration, the agent and, if it learns, its state are, as "module:Class"."""

    config: str
    agent: str
    state: str | None = None


AGENTS: dict[str, AgentSpec] = {
    "random": AgentSpec("worldschool.agents.random:RandomConfig", "worldschool.agents.random:RandomAgent"),
    "mcts": AgentSpec("worldschool.agents.mcts:MCTSConfig", "worldschool.agents.mcts:MCTSAgent"),
    "curriculum": AgentSpec(
        "worldschool.agents.curriculum.config:CurriculumConfig",
        "worldschool.agents.curriculum.agent:CurriculumAgent",
        "worldschool.agents.curriculum.state:CurriculumState",
    ),
    "shopper": AgentSpec(
        "worldschool.agents.shopper:ShopperConfig", "worldschool.agents.shopper:ShopperAgent"
    ),
    "follower": AgentSpec(
        "worldschool.agents.follower:FollowerConfig", "worldschool.agents.follower:FollowerAgent"
    ),
    "language": AgentSpec(
        "worldschool.agents.language.config:LanguageConfig", "worldschool.agents.language.agent:LanguageAgent"
    ),
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
    known = sorted(cls.model_fields)
    unknown = [key for key in values if key not in cls.model_fields]
    if unknown:
        # Of a preset whose agent was exchanged all keys may be another agent's: they are told at once, by the agent's name.
        hint = nearest(unknown[0], known) or f" --set {source}.settings={{}} leaves out all that was given."
        raise ConfigError(
            f"the agent {name!r} has no setting {', '.join(map(repr, unknown))}",
            where=f"{source}.settings",
            mend=f"It has: {', '.join(known)}.{hint}",
        )
    return build_config(cls, values, f"{source}.settings")


def make_agent(name: str, config: Config, world: World, seed: int, state: RoundState | None = None) -> Agent:
    """Make an agent for one episode. `seed` fixes all of its choices; planners search copies of `world`'s state.

    Args:
        name: of the table.
        config: what `agent_config` returned.
        world: the world that the agent will act in.
        seed: fixes all of its choices.
        state: for an agent that learns, what it knows at the start of its round; None: nothing yet.
    """
    spec = AGENTS[name]
    made: Agent
    if spec.state is None:
        made = _load(spec.agent)(config, world, seed)
    else:
        made = _load(spec.agent)(
            config, world, seed, _load(spec.state).begin(config) if state is None else state
        )
    return made


def state_class(name: str) -> type[RoundState] | None:
    """Return the class of what an agent learns from round to round, or None for one that does not learn."""
    entry_point = AGENTS[name].state
    found: type[RoundState] | None = None if entry_point is None else _load(entry_point)
    return found


def _load(entry_point: str) -> Any:
    module, name = entry_point.split(":")
    return getattr(importlib.import_module(module), name)
