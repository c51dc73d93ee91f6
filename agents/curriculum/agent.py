"""The agent: proposes a goal, plans to it with its skills, and tries again differently when that fails."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from worldschool.agents.curriculum.config import CurriculumConfig, load_model
from worldschool.agents.curriculum.proposals import propose_goal
from worldschool.agents.curriculum.state import CurriculumState
from worldschool.agents.curriculum.tasks import (
    TaskGenerator,
    abstract_predicate,
    abstract_predicates,
    start_digest,
    task_generator,
)
from worldschool.agents.curriculum.words import Asked, Refusal, propose_in_words
from worldschool.agents.mcts import MCTS
from worldschool.agents.skills.planner import Feedback, SkillPlanner
from worldschool.envs import World
from worldschool.records import Goal, Predicate

if TYPE_CHECKING:
    from worldschool.models.language import LanguageModel


class CurriculumAgent:
    """Lives one episode for the curriculum. Whether the goal is reached is for the world to say.

    Args:
        config: the settings.
        world: the world it acts in; it plans in copies of its state.
        seed: fixes all of its choices.
        state: what is known at the start of the round.
        model: proposes tasks in words; None: what the settings name, if they name one.

    Raises:
        ModelError: the language model that the settings name cannot be loaded.
    """

    def __init__(
        self,
        config: CurriculumConfig,
        world: World,
        seed: int,
        state: CurriculumState,
        model: LanguageModel | None = None,
    ) -> None:
        self._config, self._world, self._state, self._model = config, world, state, model
        if model is None and config.words is not None:
            self._model = load_model(config.words)
        self._seed = seed
        self._random = Random(seed)
        self._search = MCTS(config.search, seed)
        self._goal = Goal("")
        self._steps: list[str] = []
        self._feedback = Feedback()
        self._retries_left = 0
        self.refused: tuple[Refusal, ...] = ()
        """Proposals in words that were refused in this episode, and why."""

    def propose(self, observation: str, info: dict[str, Any]) -> Goal | None:
        """Return the goal for the episode that has just begun, or None to keep the world's."""
        world = self._world
        tasks = task_generator(world)
        start = start_digest(world.world_id, world.entities(), world.facts())
        goal = self._in_words(tasks, start)
        return goal if goal is not None else propose_goal(self._state, tasks, start, self._random)

    def _in_words(self, tasks: TaskGenerator, start: str) -> Goal | None:
        words = self._config.words
        model = self._model
        if words is None or model is None or self._random.random() >= words.share:
            return None
        planner = self._planner(tasks)
        budget = words.solvable_within
        check = (lambda goal: planner.plan(self._world, goal, budget).success) if budget else None
        proposed = propose_in_words(model, words, Asked(self._state, tasks, start, check))
        self.refused = proposed.refused
        return proposed.goal

    def _planner(self, tasks: TaskGenerator) -> SkillPlanner:
        known = self._state if self._config.skills else CurriculumState.begin(self._config)
        return SkillPlanner(known.library, known.order, self._search, tasks.kind, self._seed)

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Plan from the world's present state, with what is known of earlier failures at this task."""
        self._goal = goal
        self._retries_left = self._config.retries
        self._steps = []
        if goal.predicates and not all(self._world.satisfied(goal)):
            tasks = task_generator(self._world)
            self._skills = self._planner(tasks)
            self._feedback = feedback_on(self._state, tasks, goal)
            self._steps = self._plan()

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the next action, or None when the goal is reached or no way on is found."""
        if not self._goal.predicates or all(self._world.satisfied(self._goal)):
            return None
        legal = info.get("legal_actions")
        if legal is None:
            legal = self._world.legal_actions()
        while not self._steps or self._steps[-1] not in legal:
            if self._retries_left == 0:
                return None
            self._retries_left -= 1
            self._steps = self._plan()
        return self._steps.pop()

    def _plan(self) -> list[str]:
        """Return the actions of a new plan as far as one is found, the next one last."""
        attempt = self._skills.attempt(
            self._world, self._goal, self._config.search.simulations, self._feedback
        )
        self._feedback = Feedback(attempt.missing, self._feedback.attempts + 1)
        return list(reversed(attempt.actions))


def feedback_on(state: CurriculumState, tasks: TaskGenerator, goal: Goal) -> Feedback:
    """Return what is known of earlier failures at a goal's abstract task, as feedback on this goal."""
    known = state.failure_of(abstract_predicates(tasks, goal.predicates))
    if known is None:
        return Feedback()
    failed: list[Predicate] = [
        one for one in goal.predicates if abstract_predicate(tasks, one) in known.failed
    ]
    return Feedback(frozenset(failed), known.attempts)
