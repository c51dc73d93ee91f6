"""Settings of the curriculum."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from worldschool.agents.language.config import RecallSettings
from worldschool.agents.mcts import MCTSConfig
from worldschool.config import Config

if TYPE_CHECKING:
    from worldschool.models.language import LanguageModel


class WordsConfig(Config):
    """A language model that proposes tasks in words."""

    model: str
    """A pulled model's name, a model directory or a hub name; it runs in this process and decodes greedily, so that the
    same episode gives the same proposals."""
    adapter: str | None = None
    """A PEFT adapter directory on top of it."""
    share: float = Field(default=0.5, gt=0, le=1)
    """Share of the episodes whose goal it is asked for; the others, and those where nothing it says can be used, take one
    from the world's own tasks."""
    tries: int = Field(default=3, ge=1)
    """How often it is asked in one episode; each time it is told why the last proposal was refused."""
    max_new_tokens: int = Field(default=40, ge=1)
    """Tokens of one proposal at most."""
    solvable_within: int = Field(default=0, ge=0)
    """Also refuse a task for which a plan is not found within so many simulations; 0: do not search beforehand."""


class Tries(Config):
    """An agent that tries what no plan is found for."""

    name: str = "follower"
    """Of the table of agents; one that does not learn by itself."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Its settings, without `recall` and `adapter`, which the curriculum passes on."""


class CurriculumConfig(Config):
    """Settings of the curriculum, of the skills and of the search under it."""

    goals: Literal["curriculum", "uniform", "uniform_steps", "world"] = "curriculum"
    """"curriculum": proposed by progress, novelty and horizon. "uniform": drawn from all tasks of 1 to `horizon`
    predicates, each number alike. "uniform_steps": the same, each number n in proportion to 1 / n, so that about as many steps
    go to each. "world": the world's own goals."""
    progress: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Weight of learning progress (in [0, 1]) in a score; 0 leaves novelty and horizon."""
    novelty: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    """Weight of novelty in a score: the mean of 1 / sqrt(1 + attempts) over the tasks there are, in [0, 1]."""
    floor: float = Field(default=0.05, gt=0, allow_inf_nan=False)
    """What every score has besides, so that nothing is left for good and forgetting would be noticed."""
    rate: float = Field(default=0.1, gt=0, le=1)
    """The rate a of the moving averages of success: what one more attempt counts."""
    horizon: int = Field(default=8, ge=1)
    """Most predicates of a goal."""
    unlock_success: float = Field(default=0.5, ge=0, le=1)
    """Goals of one predicate more are proposed once the longest so far succeed at this rate."""
    unlock_attempts: int = Field(default=8, ge=1)
    """How often the longest goals so far must have been tried before."""
    candidates: int = Field(default=8, ge=1)
    """Tasks of each size that are drawn in a house, for one to be chosen."""
    retry_share: float = Field(default=0.1, ge=0, le=1)
    """Share of the episodes that try a task again that failed, in another house and with what is known of the failure."""
    skills: bool = True
    """Learn skills, and the order in which the parts of a goal are reached, and use both; without, every link of a plan is
    searched for, in any order."""
    skill_limit: int = Field(default=256, ge=1)
    """Most skills that are kept; beyond it those of fewest successes are forgotten."""
    retries: int = Field(default=1, ge=0)
    """How often the agent plans again in the same episode, from the state reached, after an attempt that failed."""
    search: MCTSConfig | None = MCTSConfig(simulations=200)
    """The search for what no skill covers; `simulations` is the budget of each attempt, for all its links together. null: none."""
    tries: Tries | None = None
    """Who goes on, step by step, where neither a skill nor the search finds a way; null: nobody, the episode ends."""
    recall: RecallSettings | None = None
    """A memory: its skills are used, where it has any, in place of those learned in this run; whoever `tries` consults its notes."""
    adapter: str | None = None
    """A PEFT adapter, for whoever `tries`."""
    known: str | None = None
    """A file with the state to begin with, as another run left it; null: nothing is known."""
    remembered: int = Field(default=8192, ge=1)
    """Proposals and abstract tasks that the state remembers, the latest ones; 16 bytes each and up."""
    words: WordsConfig | None = None
    """A language model that proposes tasks too; none by default."""

    @model_validator(mode="after")
    def _someone_can_try(self) -> Self:
        from worldschool.agents.base import agent_config, state_class

        if self.words is not None and self.words.solvable_within and self.search is None:
            raise ValueError("words.solvable_within searches for plans: give `search`, or leave it out")
        if self.tries is None:
            if self.adapter is not None:
                raise ValueError("`adapter` is for whoever `tries`: give `tries`")
            return self
        fields = type(agent_config(self.tries.name, self.tries.settings, "agent.settings.tries")).model_fields
        if state_class(self.tries.name) is not None:
            raise ValueError(f"tries.name: {self.tries.name!r} learns by itself: choose another agent")
        for name, given in (("recall", self.recall), ("adapter", self.adapter)):
            if self.tries.settings.get(name) is not None:
                raise ValueError(f"tries.settings.{name} is given by `{name}` beside `tries`: leave it out")
            if name == "adapter" and given is not None and name not in fields:
                raise ValueError(f"the agent {self.tries.name!r} has no setting `{name}`")
        return self


@lru_cache(maxsize=2)
def load_model(words: WordsConfig) -> LanguageModel:
    """Load the language model that settings name, once a process.

    Raises:
        ModelError: there is no such model or adapter, or files are missing from it.
    """
    from worldschool.models.language import LocalModel

    return LocalModel.load(words.model, words.adapter)
