"""Settings of `worldschool finetune`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from worldschool.config import Config

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")


class LoraSettings(Config):
    """The low-rank adapter (Hu et al. 2021)."""

    r: int = Field(default=16, ge=1)
    """Rank."""
    alpha: float = Field(default=32.0, gt=0)
    """The adapter's product is scaled by alpha / r."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the adapter."""
    target_modules: tuple[str, ...] = ATTENTION
    """Last names of the adapted linear layers."""


class FisherSettings(Config):
    """How the Fisher information is measured when no directory is given."""

    texts: tuple[str, ...] = ("pydoc:fisher", "sampled")
    """General texts: names or paths (see worldschool.models.texts); "sampled" is drawn from the model itself."""
    samples: int = Field(default=48, ge=1)
    """Pieces of text in all, shared evenly among `texts`."""
    tokens: int = Field(default=128, ge=2)
    """Tokens of each piece."""
    form: Literal["factored", "exact"] = "factored"
    """What is kept of each matrix: rank 1 from its row and column sums, or one number a weight (docs/learners.md)."""
    labels: Literal["data", "model"] = "data"
    """What is predicted: the texts' own next tokens (the empirical Fisher), or ones drawn from the model (the true one)."""
    seed: int = 0
    """Which pieces are drawn, and what is sampled."""


class RetentionSettings(Config):
    """What holds the model near its old self."""

    kind: Literal["ewc", "none"] = "ewc"
    """Elastic weight consolidation, or nothing (plain LoRA)."""
    strength: float = Field(default=5e4, ge=0)
    """lambda of L_V + lambda * sum F (theta - theta*)^2; calibrated for F of the mean token NLL per text,
    at this learning rate (docs/learners.md)."""
    fisher: str | None = None
    """A Fisher directory to use; made (and kept in OUT/fisher) when this is null."""
    measure: FisherSettings = FisherSettings()
    """How it is made."""


class FinetuneConfig(Config):
    """One fine-tuning run."""

    model: str = "smollm2-135m"
    """A pulled model's name, a Hugging Face directory or a hub name."""
    examples: tuple[str, ...] = Field(min_length=1)
    """Example files (Parquet or JSON lines)."""
    tasks: tuple[str, ...] | None = None
    """Use only examples of these tasks; null: all."""
    lora: LoraSettings = LoraSettings()
    """The adapter."""
    retention: RetentionSettings = RetentionSettings()
    """What holds the model near its old self."""
    learning_rate: float = Field(default=3e-4, gt=0)
    """Peak learning rate of AdamW; linear warm-up, then linear decay to zero."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = Field(default=0.0, ge=0)
    """AdamW's decoupled weight decay on the adapter."""
    batch_examples: int = Field(default=16, ge=1)
    """Examples of one optimizer step, at least (a story's questions stay together)."""
    max_steps: int = Field(default=100, ge=1)
    """Optimizer steps; the examples are gone through again, in another order, as often as that takes."""
    max_length: int | None = Field(default=None, ge=8)
    """Examples longer than this many tokens are left out and counted; null: the model's context."""
    gradient_clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    checkpoint_steps: int = Field(default=20, ge=1)
    """A checkpoint is kept every so many steps, from which an interrupted run goes on."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the frozen weights; the adapter is always float32."""
    seed: int = 0
    """Order of the examples and the adapter's initial values."""
