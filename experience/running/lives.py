"""The task of a collecting run: episode `index` of a run, from its seeds and the state of its round alone."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from worldschool.agents.base import Agent, RoundState, agent_config, make_agent, state_class
from worldschool.canonical import canonical_json
from worldschool.config import Config
from worldschool.envs import World, make
from worldschool.errors import UserError
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.running.executors import TaskFailed
from worldschool.records import Episode, Goal, Split


def episode_seeds(run_seed: int, index: int) -> tuple[int, int]:
    """Return the seeds of an episode's world and of its agent, both in [0, 2**63).

    The world's is SeedSequence([run_seed, index]).generate_state(1, uint64)[0] >> 1; the agent's comes from that
    sequence's first child, so the agent's choices are independent of the world's.
    """
    sequence = np.random.SeedSequence([run_seed, index])
    (child,) = sequence.spawn(1)
    world, agent = (int(part.generate_state(1, np.uint64)[0]) >> 1 for part in (sequence, child))
    return world, agent


@dataclass(frozen=True)
class Lives:
    """What a worker needs to live any episode of a run; plain values, so that it travels to other processes.

    Attributes:
        digest: of the resolved configuration, the first part of every episode's id.
        strict: raise what an episode fails with, instead of recording it.
        goals: episode i has the goal i modulo their number; none: the world draws one.
    """

    world: str
    world_config: dict[str, Any]
    agent: str
    agent_settings: dict[str, Any]
    split: Split
    run_seed: int
    digest: str
    strict: bool
    goals: tuple[Goal, ...] = ()

    def begin(self) -> Callable[[int, str | None], Episode]:
        """Return what lives an episode, given its index and the state of its round as JSON (see `rounds.py`)."""
        return _Living(self).live


class _Living:
    """The world kept between episodes, and the state of the round read once."""

    def __init__(self, lives: Lives) -> None:
        self._lives = lives
        self._settings = agent_config(lives.agent, lives.agent_settings, "agent")
        self._written = canonical_json(self._settings.to_json())
        self._world: World | None = None
        self._read: tuple[str | None, RoundState | None] = (None, None)

    def live(self, index: int, state: str | None) -> Episode:
        """Live one episode.

        Raises:
            UserError: the agent cannot be made of its settings; or the episode failed, and the run is strict.
            TaskFailed: the episode failed, and the run is strict.
        """
        lives = self._lives
        world = self._world = self._world or make(lives.world, **lives.world_config)
        world_seed, agent_seed = episode_seeds(lives.run_seed, index)
        label = EpisodeLabel(
            f"{lives.digest}-{lives.run_seed:016x}-{index:08d}",
            lives.run_seed,
            index,
            world_seed,
            lives.agent,
            self._written,
            lives.split,
        )
        agent = _make_agent(lives.agent, self._settings, world, agent_seed, self._state(state))
        goal = lives.goals[index % len(lives.goals)] if lives.goals else None
        try:
            episode = record_episode(world, agent, label, goal=goal, strict=lives.strict)
        except UserError:
            raise
        except Exception as error:
            told = "".join(traceback.format_exception(error))
            raise TaskFailed(f"episode {index} (world seed {world_seed}) failed:\n{told}") from error
        if episode.error is not None:
            self._world = None  # a world that failed may be left in any state
        return episode

    def _state(self, text: str | None) -> RoundState | None:
        if text is not None and text != self._read[0]:
            found = state_class(self._lives.agent)
            assert found is not None
            self._read = text, found.from_json(self._settings, json.loads(text))
        return self._read[1] if text is not None else None


def _make_agent(name: str, config: Config, world: World, seed: int, state: RoundState | None) -> Agent:
    """Make the agent; one that cannot be made fails when its episode begins, and so is recorded like any failure.

    Raises:
        UserError: its settings are at fault (a model that is not there): so would every other episode's be.
    """
    try:
        return make_agent(name, config, world, seed, state)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 (raised again inside the episode)
        return _Unmade(error)


class _Unmade:
    """Stands for an agent that could not be made."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Raise what making it raised."""
        raise self._error

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Never come to this."""
        raise AssertionError
