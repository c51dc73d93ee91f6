"""One episode: an agent lives in a world from reset to end, and everything is written down."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from worldschool.agents.base import Agent, GoalProposer
from worldschool.canonical import canonical_json
from worldschool.envs import World
from worldschool.errors import ModelError
from worldschool.models.completions import RequestRefusedError
from worldschool.records import Entity, Episode, Fact, Goal, Split, Step
from worldschool.version import __version__

ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class EpisodeLabel:
    """What an episode is called and where it comes from.

    Attributes:
        episode_id: unique in its dataset.
        run_seed: the seed of the run.
        index: the episode's place in the run.
        seed: what the world is reset with.
        agent: name of the agent.
        agent_config: its resolved settings, as canonical JSON.
        split: which split the world is drawn from.
        activity: name of a larger activity the goal belongs to; None leaves it to the world to say (info["activity"]).
    """

    episode_id: str
    run_seed: int
    index: int
    seed: int
    agent: str
    agent_config: str
    split: Split
    activity: str | None = None


def record_episode(
    world: World, agent: Agent, label: EpisodeLabel, *, goal: Goal | None = None, strict: bool = False
) -> Episode:
    """Let `agent` live one episode in `world` and return its record.

    An agent that proposes goals (`GoalProposer`) is asked after the world's reset; everything recorded of the start is
    then of the world with the goal proposed. The episode ends when the world ends it or the agent has nothing more to
    do. An exception in the agent or the world ends it too: the record then holds the steps until there, `error` the
    exception's type and message, and it is no success. The return is the undiscounted sum of rewards.

    Args:
        world: reset here with the label's seed.
        agent: a new one, made for this episode.
        label: the episode's id and origin.
        goal: stands in for the one that the world draws; an agent may still propose another.
        strict: raise the exception instead of recording it.

    Raises:
        ModelError: the agent's model cannot be asked (its server is away, or wants another key): of no episode more than of
            another. A request that the server refuses, such as one that is too long for it, is recorded.
    """
    life = _Life()
    error: str | None = None
    try:
        _live(world, agent, label.seed, goal, life)
    except Exception as exception:
        if strict or (isinstance(exception, ModelError) and not isinstance(exception, RequestRefusedError)):
            raise
        error = describe(exception)
        life.terminated = life.truncated = life.success = False
    return Episode(
        episode_id=label.episode_id,
        run_seed=label.run_seed,
        index=label.index,
        world=world.world_id,
        world_version=world.version,
        world_config=canonical_json(world.config),
        seed=label.seed,
        agent=label.agent,
        agent_config=label.agent_config,
        split=label.split,
        goal=life.goal.text,
        goal_predicates=life.goal.key,
        activity=label.activity or life.activity,
        entities=life.entities,
        initial_facts=life.initial_facts,
        initial_observation=life.initial_observation,
        initial_state_hash=life.initial_state_hash,
        steps=tuple(life.steps),
        terminated=life.terminated,
        truncated=life.truncated,
        success=life.success,
        return_=float(sum(step.reward for step in life.steps)),
        length=len(life.steps),
        error=error,
        package_version=__version__,
    ).sealed()


def begin_with(world: World, goal: Goal) -> tuple[str, dict[str, Any]]:
    """Give a world that was just reset another goal; returns the observation and info of that beginning.

    Raises:
        WorldError: the goal names something that is not in this world.
    """
    world.set_goal(goal)
    return world.restore(world.snapshot())  # the one way to be told again what is seen


def describe(exception: Exception) -> str:
    """Return the exception's type and message, the same in every process."""
    message: Any = ADDRESS.sub("0x...", f"{type(exception).__name__}: {exception}")
    return str(message.encode(errors="backslashreplace").decode())


@dataclass
class _Life:
    """What is known of an episode so far; what a failing episode leaves behind."""

    goal: Goal = field(default_factory=lambda: Goal(""))
    activity: str | None = None
    entities: tuple[Entity, ...] = ()
    initial_facts: tuple[Fact, ...] = ()
    initial_observation: str = ""
    initial_state_hash: str = ""
    steps: list[Step] = field(default_factory=list)
    terminated: bool = False
    truncated: bool = False
    success: bool = False

    def begin(self, world: World, observation: str, info: dict[str, Any]) -> None:
        """Write down how the episode begins.

        Raises:
            UnicodeEncodeError: a text is no Unicode.
        """
        for text in (observation, world.goal.text, world.goal.key):
            text.encode()
        self.goal, self.entities, self.initial_facts = world.goal, world.entities(), world.facts()
        self.initial_observation, self.initial_state_hash = observation, world.snapshot().position
        self.success, self.activity = bool(info["success"]), info.get("activity")


def _live(world: World, agent: Agent, seed: int, goal: Goal | None, life: _Life) -> None:
    observation, info = world.reset(seed=seed)
    life.begin(world, observation, info)
    if goal is not None and goal != world.goal:
        observation, info = begin_with(world, goal)
        life.begin(world, observation, info)
    if isinstance(agent, GoalProposer):
        proposed = agent.propose(observation, info)
        if proposed is not None and proposed != world.goal:
            observation, info = begin_with(world, proposed)
            life.begin(world, observation, info)
    agent.reset(world.goal, info)
    while not (life.terminated or life.truncated):
        legal = world.legal_actions()
        action = agent.act(observation, {**info, "legal_actions": legal})
        if action is None:
            return
        observation, reward, terminated, truncated, info = world.step(action)
        life.steps.append(_step(world, observation, action, float(reward), len(legal)))
        life.terminated, life.truncated, life.success = terminated, truncated, bool(info["success"])


def _step(world: World, observation: str, action: str, reward: float, legal: int) -> Step:
    """Return the record of a step just taken.

    Raises:
        ValueError: the reward is not finite or a text is no Unicode, which no file format here can hold.
    """
    if not math.isfinite(reward):
        raise ValueError(f"the world gave the reward {reward}")
    for text in (observation, action):
        text.encode()  # lone surrogates raise UnicodeEncodeError
    return Step(observation, action, reward, world.snapshot().position, legal, world.events())
