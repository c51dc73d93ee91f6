"""The agent that plans by tree search and follows its plan."""

from __future__ import annotations

from typing import Any

from worldschool.agents.mcts.config import MCTSConfig
from worldschool.agents.mcts.planner import MCTS
from worldschool.envs import World
from worldschool.records import Goal


class MCTSAgent:
    """Plans to the goal when the episode begins, then follows the plan.

    When the plan's next action is not legal any more, or the plan ends short of the goal, it searches again, at most
    `replans` times. With nothing found, or nothing left to do, it ends the episode.
    """

    def __init__(self, config: MCTSConfig, world: World, seed: int) -> None:
        self._planner = MCTS(config, seed)
        self._world = world
        self._goal = Goal("")
        self._steps: list[str] = []
        self._replans_left = config.replans

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Search for a plan from the world's present state."""
        self._goal = goal
        self._replans_left = self._planner.config.replans
        self._steps = self._search()

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the plan's next action, or None when the goal is reached or no plan is found."""
        if not self._goal.predicates or all(self._world.satisfied(self._goal)):
            return None
        legal = info.get("legal_actions")
        if legal is None:
            legal = self._world.legal_actions()
        while not self._steps or self._steps[-1] not in legal:
            if self._replans_left == 0:
                return None
            self._replans_left -= 1
            self._steps = self._search()
        return self._steps.pop()

    def _search(self) -> list[str]:
        """Return the actions of a new plan, the next one last."""
        return list(reversed(self._planner.plan(self._world, self._goal).actions))
