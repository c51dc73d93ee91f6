"""Settings of the language-model agent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from worldschool.config import Config


class RecallSettings(Config):
    """Where notes from earlier episodes come from."""

    use: str = Field(pattern=r"^[\w.]+:\w+$")
    """A class that is a `Recall`, as "module:Class"; `settings` are its named arguments."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Such as `path` and `k`."""


class LanguageConfig(Config):
    """Settings of the language-model agent."""

    model: str = "smollm2-135m"
    """A pulled model's name, a directory, a hub name, "endpoint:URL#MODEL", or "recorded:FILE" (`models.recorded`)."""
    adapter: str | None = None
    """A PEFT adapter directory over the model."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the weights; auto: float32 on a CPU, bfloat16 on an accelerator."""
    mode: Literal["score", "generate"] = "score"
    """Have the model compare all legal actions, or write one, which is matched with them."""
    think: bool = False
    """Have a thought written before each action (ReAct: Yao et al. 2022, arXiv:2210.03629)."""
    context: int = Field(default=2048, ge=64)
    """Tokens of a prompt at most, the model's own bound if that is less: notes go first, then the oldest observations are folded."""
    new_tokens: int = Field(default=32, ge=1)
    """Tokens of a thought, and of a written action, at most."""
    normalization: Literal["sum", "tokens"] = "tokens"
    """Actions are compared by the log-likelihood of their texts, or by its mean over tokens."""
    contrast: float = Field(default=0.0, ge=0)
    """How much of an action's log-likelihood behind the same prompt without goal and notes is taken off: 1 compares actions by the
    pointwise mutual information with the goal (as Holtzman et al. 2021, arXiv:2104.08315, do with answers and questions). Takes twice
    the tokens; small models, which otherwise repeat what they did, act towards the goal with it."""
    temperature: float = Field(default=0.0, ge=0)
    """0: the likeliest action; above, actions are drawn by their scores over this."""
    again: float = Field(default=1.0, ge=0)
    """Nats taken off an action's score for each time that it was done in the very same view: small models repeat themselves. One after
    which nothing that is seen had changed is not done again there, unless there is no other."""
    recall: RecallSettings | None = None
    """Notes that are consulted at the start of an episode; null: none."""
