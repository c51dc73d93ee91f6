"""The fake world and an agent that learns, for runs in processes of their own; as a script it is `worldschool collect`.

Worker processes import the script again, and so have both.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Self

import worldschool.envs.world as worlds
from worldschool.agents.base import AGENTS, AgentSpec
from worldschool.config import Config
from worldschool.envs import World
from worldschool.errors import DatasetError
from worldschool.records import Episode, Goal

NAME = "worldschool_collecting_fakes"
GOALS = (
    Goal("Hold the key.", (("HOLDS", "Mary", "key"),)),
    Goal("Open the chest.", (("STATE:open", "chest", None),)),
    Goal("Be in room 1.", (("AT", "Mary", "room 1"),)),
)


class LearnerConfig(Config):
    """Settings of the fake learner."""

    goals: int = 3
    """How many of GOALS it proposes in turn."""


class Learned:
    """How often each action was done in all rounds before, and how many rounds there were."""

    def __init__(self, rounds: int, done: dict[str, int]) -> None:
        self.rounds, self.done = rounds, done

    @classmethod
    def begin(cls, config: Any) -> Self:
        return cls(0, {})

    def after(self, episodes: Sequence[Episode]) -> Learned:
        done = Counter(self.done)
        for episode in episodes:
            done.update(step.action for step in episode.steps)
        return Learned(self.rounds + 1, dict(done))

    def to_json(self) -> dict[str, Any]:
        return {"rounds": self.rounds, "done": self.done}

    @classmethod
    def from_json(cls, config: Any, values: dict[str, Any]) -> Self:
        try:
            return cls(values["rounds"], values["done"])
        except KeyError as error:
            raise DatasetError(f"{error} is missing", where="the learner's state") from None


class LearnerAgent:
    """Proposes a goal by round, then does what was done least."""

    def __init__(self, config: LearnerConfig, world: World, seed: int, learned: Learned) -> None:
        self._config, self._learned, self._random = config, learned, Random(seed)

    def propose(self, observation: str, info: dict[str, Any]) -> Goal | None:
        return GOALS[self._learned.rounds % self._config.goals]

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        self._goal = goal

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        actions = list(info["legal_actions"])
        self._random.shuffle(actions)
        return min(actions, key=lambda action: self._learned.done.get(action, 0))


def _corridor() -> type[World]:
    if "worldschool_fakes" not in sys.modules:
        path = Path(__file__).parents[1] / "fakes.py"
        spec = importlib.util.spec_from_file_location("worldschool_fakes", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["worldschool_fakes"] = module
        spec.loader.exec_module(module)
    found: type[World] = sys.modules["worldschool_fakes"].CorridorWorld
    return found


def register() -> None:
    """Put the fakes into the tables of worlds and agents, under this module's name."""
    sys.modules[NAME] = sys.modules[__name__]
    AGENTS["learner"] = AgentSpec(f"{NAME}:LearnerConfig", f"{NAME}:LearnerAgent", f"{NAME}:Learned")
    spec = worlds.WorldSpec(_corridor().world_id, "worldschool_fakes:CorridorWorld")
    if spec not in worlds.WORLDS:
        worlds.WORLDS = (*worlds.WORLDS, spec)


if __name__ in ("__main__", "__mp_main__"):
    register()

if __name__ == "__main__":
    from worldschool.cli.main import main

    main(["collect", *sys.argv[1:]])
