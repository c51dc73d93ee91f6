"""Settings of `worldschool finetune`."""

from __future__ import annotations

from typing import Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from worldschool.config import Config


class LoraSettings(Config):
    """The low-rank adapter (Hu et al. 2021)."""

    r: int = Field(default=16, ge=1)
    """Rank."""
    alpha: float = Field(default=32.0, gt=0)
    """The adapter's product is scaled by alpha / r."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the adapter."""
    target_modules: tuple[str, ...] | Literal["attention", "all-linear"] = "attention"
    """Last names of the adapted layers; or "attention", those of attention whatever the model calls them; or "all-linear"."""


class FisherSettings(Config):
    """How the Fisher information is measured when no directory is given."""

    texts: tuple[str, ...] = Field(default=("pydoc:fisher", "sampled"), min_length=1)
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


Kind: TypeAlias = Literal["ewc", "l2", "kl", "replay"]
STRENGTHS: dict[str, float] = {"ewc": 5e4, "l2": 0.1, "kl": 1.0, "replay": 1.0, "none": 0.0}
"""What each way's penalty is multiplied by unless told otherwise; EWC's and L2's are calibrated (docs/learners.md)."""


class GeneralSettings(Config):
    """General text that `kl` and `replay` remember by."""

    texts: tuple[str, ...] = Field(default=("pydoc:fisher", "sampled"), min_length=1)
    """Names or paths (see worldschool.models.texts); "sampled" is drawn from the model itself."""
    samples: int = Field(default=96, ge=1)
    """Pieces of text in all, shared evenly among `texts`."""
    tokens: int = Field(default=64, ge=2)
    """Tokens of each piece."""
    batch: int = Field(default=4, ge=1)
    """Pieces that each step looks at."""
    seed: int = 0
    """Which pieces are drawn, what is sampled, and which of them a step looks at."""


class RetentionSettings(Config):
    """What holds the model near its old self."""

    kind: Literal["ewc", "l2", "kl", "replay", "none"] = "ewc"
    """Elastic weight consolidation; the squared distance from the start; divergence from the base model's predictions on
    general text; learning general text, too; or nothing (plain LoRA)."""
    strength: float = Field(default=STRENGTHS["ewc"], ge=0)
    """What the penalty is multiplied by; lambda of L_V + lambda * sum F (theta - theta*)^2 for EWC, calibrated for F of the mean
    token NLL per text at this learning rate (docs/learners.md). May be written `lambda`. Left out: 5e4 for ewc, 0.1 for l2, 1 for kl and replay."""
    also: dict[Kind, float] = Field(default_factory=dict)
    """Further kinds at the same time, each with its strength: `{replay: 0.5}`."""
    fisher: str | None = None
    """For EWC: a Fisher directory to use; made (and kept in OUT/fisher) when this is null."""
    measure: FisherSettings = FisherSettings()
    """How it is made."""
    general: GeneralSettings = GeneralSettings()
    """For `kl` and `replay`."""

    @classmethod
    def before_override(cls, values: dict[str, Any], key: str, value: Any) -> None:
        """A strength gives way to another, by either name; and to another kind, whose units are not its own."""
        other_kind = key == "kind" and value != values.get("kind", cls.model_fields["kind"].default)
        if other_kind or key in ("strength", "lambda"):
            values.pop("strength", None)
            values.pop("lambda", None)

    @model_validator(mode="before")
    @classmethod
    def _strength_of_kind(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        if "lambda" in given:
            if "strength" in given:
                raise ValueError("`lambda` and `strength` are one setting: give one of them")
            given = {("strength" if key == "lambda" else key): value for key, value in given.items()}
        if given.get("kind") in STRENGTHS and "strength" not in given:
            return given | {"strength": STRENGTHS[given["kind"]]}
        return given

    @model_validator(mode="after")
    def _each_kind_once(self) -> Self:
        if self.kind in self.also:
            raise ValueError(f"`also` has {self.kind!r}, which is `kind` already: name it once")
        if any(strength < 0 for strength in self.also.values()):
            raise ValueError(f"`also` has a strength that is no number from 0 up: {self.also}")
        return self

    def strengths(self) -> dict[Kind, float]:
        """Return every kind that holds the model, and its strength."""
        if self.kind == "none":
            return dict(self.also)
        return {self.kind: self.strength, **self.also}


class ValidationSettings(Config):
    """What is measured on the way, and when that ends a run; nothing by default.

    With any of it the adapter that a run leaves is the best one measured, not the last: of those that forgot no more than
    `forgetting`, the one with the lowest loss on `examples` (without examples, the last).
    """

    examples: tuple[str, ...] = ()
    """Example files of held-out experience, none of which is trained on."""
    items: int = Field(default=200, ge=1)
    """Examples of them that are asked, of any task: those of episodes drawn once."""
    patience: int | None = Field(default=None, ge=1)
    """Stop after so many measurements in a row without a lower loss on `examples`."""
    forgetting: float | None = Field(default=None, gt=0)
    """Stop when the perplexity of any of `texts` has risen by more than this share (0.02: 2%)."""
    texts: tuple[str, ...] = ("prose:validation",)
    """General texts, measured when `forgetting` is set (see worldschool.models.texts)."""
    samples: int = Field(default=16, ge=1)
    """Pieces of each text."""
    tokens: int = Field(default=128, ge=2)
    """Tokens of each piece."""
    steps: int = Field(default=20, ge=1)
    """Optimizer steps between measurements; the last step is measured, too."""

    @model_validator(mode="after")
    def _patience_needs_examples(self) -> Self:
        if self.patience is not None and not self.examples:
            raise ValueError("`patience` waits for a lower loss on `examples`, and there are none: name some")
        return self

    @property
    def wanted(self) -> bool:
        """Whether anything is measured."""
        return bool(self.examples) or self.forgetting is not None


class FinetuneConfig(Config):
    """One fine-tuning run."""

    model: str = "smollm2-135m"
    """A pulled model's name, a Hugging Face directory or a hub name."""
    examples: tuple[str, ...] = Field(min_length=1)
    """Example files (Parquet or JSON lines); E2WM's own training files, too."""
    weights: dict[str, float] = Field(default_factory=dict)
    """Task to what its examples' weights are multiplied by; tasks that are not named keep theirs."""
    tasks: tuple[str, ...] | None = None
    """Use only examples of these tasks; null: all."""
    lora: LoraSettings = LoraSettings()
    """The adapter."""
    retention: RetentionSettings = RetentionSettings()
    """What holds the model near its old self."""
    validation: ValidationSettings = ValidationSettings()
    """What is measured on the way, and when that ends the run."""
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
    learn_shots: bool = False
    """Learn the answers of worked examples in a prompt, too: more to learn from a token where prompts have some."""
    max_length: int | None = Field(default=None, ge=8)
    """Examples longer than this many tokens are left out and counted; null: the model's context."""
    gradient_clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient of the examples' loss, and of `kl` and `replay`; what `ewc` and `l2` add is not in it."""
    checkpoint_steps: int = Field(default=20, ge=1)
    """A checkpoint is kept every so many steps, from which an interrupted run goes on, and at every measurement of `validation`."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the frozen weights; the adapter is always float32."""
    gradient_checkpointing: bool = False
    """Compute activations again on the way back: less memory, about a third more time."""
    report_to: tuple[str, ...] = ()
    """Where transformers' Trainer reports to beside training.json: "tensorboard", "wandb", "mlflow" and others it knows."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Order of the examples and the adapter's initial values."""
