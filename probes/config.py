"""Settings of `worldschool probe`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from worldschool.config import Config


class SuiteSettings(Config):
    """One task's items."""

    items: int = Field(default=100, ge=1)
    """How many are asked, at most."""
    balance: bool = True
    """For multiple choice: draw so that every answer, and every position of the right option, is as frequent."""
    max_new_tokens: int = Field(default=24, ge=1)
    """For generation: longest answer, in tokens."""


class ProbeConfig(Config):
    """What to ask of which models."""

    model: str = "smollm2-135m"
    """The base model: a pulled model's name, a Hugging Face directory or a hub name."""
    adapters: dict[str, str] = Field(default_factory=dict)
    """Name to PEFT adapter directory; each is asked zero-shot and compared with the base model."""
    examples: str
    """Held-out examples to ask: a file, or an output directory of `worldschool examples`."""
    shots: str | None = None
    """Examples of another split to show the base model first; null: the base model is asked zero-shot only."""
    shot_count: int = Field(default=3, ge=1)
    """How many are shown."""
    shot_sets: int = Field(default=4, ge=1)
    """How many different sets of shots take turns over the items."""
    suites: dict[str, SuiteSettings] = Field(default_factory=dict)
    """Task to its settings; empty: every task in the file, with the defaults."""
    texts: tuple[str, ...] = ("pydoc:heldout", "prose")
    """General texts for perplexity (see worldschool.models.texts)."""
    text_tokens: int = Field(default=6000, ge=100)
    """About how many tokens of each text are scored; the beginning of every document, so that each has its share."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the weights, the same for all models compared; auto: float32 on a CPU, bfloat16 on an accelerator."""
    seed: int = 0
    """Which items and shots are drawn, and the bootstrap."""
