"""The agent: proposes a goal, plans to it with its skills, and tries again differently when that fails.

Where no plan is found another agent may go on, a language model with notes from a memory, say (`CurriculumConfig.tries`): with goals
that are proposed, steps that are tried, success that the world says and skills that are kept this is the circle of Voyager
(Wang et al. 2023, arXiv:2305.16291), with plans in the place of programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from worldschool.agents.base import Agent, Onlooker, agent_config, make_agent
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
from worldschool.agents.language.recall import SkillSource, make_recall
from worldschool.agents.mcts import MCTS, MCTSConfig
from worldschool.agents.skills.library import SkillLibrary
from worldschool.agents.skills.order import Order
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
        ModelError: a language model that the settings name cannot be loaded.
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
        self._search = MCTS(config.search or MCTSConfig(), seed)
        self._budget = config.search.simulations if config.search else 0
        self._library = _library(config, world, state)
        self._other = _other(config, world, seed)
        self._goal = Goal("")
        self._steps: list[str] = []
        self._feedback = Feedback()
        self._retries_left = 0
        self._went_on = False
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
        order = self._state.order if self._config.skills else Order()
        return SkillPlanner(self._library, order, self._search, tasks.kind, self._seed)

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Plan from the world's present state, with what is known of earlier failures at this task."""
        self._goal = goal
        self._retries_left = self._config.retries if self._budget else 0
        self._steps, self._went_on = [], False
        if self._other is not None:
            self._other.reset(goal, info)
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
        while not self._can(legal) and self._retries_left:
            self._retries_left -= 1
            self._steps = self._plan()
        if self._other is None:
            return self._steps.pop() if self._can(legal) else None
        if not self._can(legal) and self._went_on:
            self._steps = self._by_skills()  # what it did may have made one possible
        self._went_on = not self._can(legal)
        if self._went_on:
            return self._other.act(observation, info)
        action = self._steps.pop()
        if isinstance(self._other, Onlooker):
            self._other.notice(observation, info, action)
        return action

    def _can(self, legal: Sequence[str]) -> bool:
        """Return whether the plan has a next step, and it can be done."""
        return bool(self._steps) and self._steps[-1] in legal

    def _plan(self) -> list[str]:
        """Return the actions of a new plan as far as one is found, the next one last."""
        attempt = self._skills.attempt(self._world, self._goal, self._budget, self._feedback)
        self._feedback = Feedback(attempt.missing, self._feedback.attempts + 1)
        return list(reversed(attempt.actions))

    def _by_skills(self) -> list[str]:
        """Return the actions of a plan by skills alone that undoes nothing, the next one last."""
        return list(reversed(self._skills.attempt(self._world, self._goal, 0).actions))


def _library(config: CurriculumConfig, world: World, state: CurriculumState) -> SkillLibrary:
    """Return the skills that may be used: the memory's if it has some, else those of this run."""
    if not config.skills:
        return SkillLibrary()
    if config.recall is not None:
        source = make_recall(config.recall)
        found = source.skills(world.world_id) if isinstance(source, SkillSource) else SkillLibrary()
        if found:
            return found
    return state.library


def _other(config: CurriculumConfig, world: World, seed: int) -> Agent | None:
    """Make whoever goes on where no plan is found."""
    if config.tries is None:
        return None
    settings = dict(config.tries.settings)
    fields = type(agent_config(config.tries.name, settings)).model_fields
    given = {"recall": config.recall, "adapter": config.adapter}
    settings |= {name: value for name, value in given.items() if value is not None and name in fields}
    return make_agent(config.tries.name, agent_config(config.tries.name, settings), world, seed)


def feedback_on(state: CurriculumState, tasks: TaskGenerator, goal: Goal) -> Feedback:
    """Return what is known of earlier failures at a goal's abstract task, as feedback on this goal."""
    known = state.failure_of(abstract_predicates(tasks, goal.predicates))
    if known is None:
        return Feedback()
    failed: list[Predicate] = [
        one for one in goal.predicates if abstract_predicate(tasks, one) in known.failed
    ]
    return Feedback(frozenset(failed), known.attempts)
