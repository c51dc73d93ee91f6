"""Settings of `worldschool loop`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from worldschool.agents.base import agent_config, state_class
from worldschool.config import Config
from worldschool.experience.runner import AgentSettings
from worldschool.learners.finetune import FinetuneConfig
from worldschool.records import Split


class MemoryLearning(Config):
    """Learning by writing experience down."""

    embedder: str = "hashing"
    """See docs/models.md; minilm finds by meaning."""
    skills: bool = False
    """Whether skills are learned, too."""
    k: int = Field(default=3, ge=1)
    """Notes that an agent consults."""
    least: float = Field(default=-1.0, ge=-1, le=1)
    """Cosine that a note has with the goal, at least; what is near depends on the embedder (hashing: about 0.5)."""
    value: float = Field(default=0.3, ge=0)
    """Weight of what notes were worth, beside similarity's 1."""
    failures: bool = False
    """Whether failures are recalled, too, as warnings."""
    insights: int = Field(default=0, ge=0)
    """Failures of a round that a language model compares with a success, to keep short rules (`learners.memory.Insights`); the
    strongest three are told with every episode's notes."""
    insights_model: str | None = None
    """Whose rules they are: a model as the language-model agent's `model`; null: the agent's own."""


class Imitation(FinetuneConfig):
    """Learning by fine-tuning on what succeeded. The loop's own are `examples` and `seed`."""

    examples: tuple[str, ...] = ()
    """Left out."""

    @field_validator("examples")
    @classmethod
    def _the_loop_s_own(cls, examples: tuple[str, ...]) -> tuple[str, ...]:
        if examples:
            raise ValueError("these are the loop's own: leave them out")
        return examples

    def on(self, examples: Path, seed: int) -> FinetuneConfig:
        """Return the settings of one run."""
        return FinetuneConfig.model_validate({**self.to_json(), "examples": [str(examples)], "seed": seed})


class LoopConfig(Config):
    """Rounds of collecting, learning and probing."""

    world: str = "worldschool/Household-v0"
    """Registered id of the world."""
    world_config: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the world, without `split`."""
    agent: AgentSettings = AgentSettings(name="follower")
    """Who practises and is probed: an agent whose settings have `recall`, for a memory, and `adapter`, for fine-tuning. One that
    proposes its own goals (`curriculum`) practises on these, and is probed on the world's, as every agent is."""
    rounds: int = Field(default=5, ge=1)
    """Rounds of practice."""
    episodes: int = Field(default=60, ge=1)
    """Of one round's practice, in worlds of the train split."""
    probed: int = Field(default=60, ge=1)
    """Goals that every round is probed on, the same each time."""
    probed_split: Split = "validation"
    """Of which split they are; choose by "validation", report on "heldout"."""
    memory: MemoryLearning | None = MemoryLearning()
    """null: no memory."""
    finetune: Imitation | None = None
    """Settings of `worldschool finetune` without `examples` and `seed`: successes are imitated, in the language-model agent's own prompts. null: no
    weights are changed."""
    texts: tuple[str, ...] = ("prose:validation",)
    """General texts on which forgetting is measured, where weights are changed."""
    workers: int = Field(default=1, ge=1)
    """Processes that collect; the episodes are the same whatever their number."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of the worlds, the agents, and what is learned."""

    @model_validator(mode="after")
    def _agent_can_learn(self) -> Self:
        if self.memory is None and self.finetune is None and not self.agent_learns:
            raise ValueError("nothing is learned: give `memory`, `finetune`, or both")
        fields = type(agent_config(self.agent.name, self.agent.settings)).model_fields
        for wanted, field in ((self.memory, "recall"), (self.finetune, "adapter")):
            if wanted is not None and field not in fields:
                raise ValueError(
                    f"the agent {self.agent.name!r} has no setting `{field}`: choose language or follower"
                )
        for field in ("recall", "adapter", "known"):
            if self.agent.settings.get(field) is not None:
                raise ValueError(f"agent.settings.{field} is set by the loop: leave it out")
        if self.memory is not None and self.memory.insights and self.insights_model is None:
            raise ValueError("memory.insights are drawn by a language model: give `memory.insights_model`")
        return self

    @property
    def agent_learns(self) -> bool:
        """Whether the agent learns from round to round by itself: the curriculum what to propose, and its skills."""
        return state_class(self.agent.name) is not None

    @property
    def insights_model(self) -> str | None:
        """The language model that draws rules."""
        if self.memory is not None and self.memory.insights_model is not None:
            return self.memory.insights_model
        acting = self.agent.settings.get("tries") or {
            "name": self.agent.name,
            "settings": self.agent.settings,
        }
        settings = agent_config(acting.get("name", ""), acting.get("settings", {}))
        return getattr(settings, "model", None)
