"""Settings of `worldschool probe`."""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from worldschool.config import Config
from worldschool.errors import nearest
from worldschool.models.completions import ENDPOINT
from worldschool.probes.published.settings import PublishedSettings

Normalization: TypeAlias = Literal["sum", "tokens", "bytes", "unconditional"]


BASE = "base"
"""What the base model is called in results."""


def few_shot_name(shots: int) -> str:
    """Return what the base model behind so many worked examples is called."""
    return f"{BASE}, {shots}-shot"


def files_of(examples: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the files, or directories, that a setting names."""
    if examples is None:
        return ()
    return (examples,) if isinstance(examples, str) else examples


def slug(name: str) -> str:
    """Return a name as a part of a file's name: what is no letter or digit is a dash."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


class SuiteSettings(Config):
    """One task's items."""

    items: int = Field(default=100, ge=1)
    """How many are asked, at most."""
    balance: bool = True
    """For multiple choice: draw so that every answer, and every position of the right option, is as frequent."""
    max_new_tokens: int = Field(default=24, ge=1)
    """For generation: longest answer, in tokens."""
    normalization: Normalization = "tokens"
    """How an option's log-likelihood is normalised: "sum" (not), "tokens" (mean of its tokens), "bytes" (by its UTF-8
    bytes) or "unconditional" (less that of the option after `neutral`)."""
    neutral: str = Field(default="Answer:", min_length=1)
    """For "unconditional": what options are scored after without a question."""
    decoding: Literal["free", "constrained"] | None = None
    """Have answers generated: freely and then parsed, or so that one of the options (`candidates` where there are none) can
    be written only. Null: options are scored, anything else is generated freely."""
    candidates: tuple[str, ...] = ()
    """For constrained decoding of items without options: what may be written; empty: all answers of the suite's items."""


class ControlSettings(Config):
    """Which of the models are there to show what a score is worth; the base model behind worked examples always is one."""

    permuted_answers: str | None = None
    """Name of the adapter that was trained on examples whose answers were exchanged at random (`permute_answers`): what it
    gains is not learned from stories. Null: there is none."""


class ProbeConfig(Config):
    """What to ask of which models."""

    model: str = "smollm2-135m"
    """The base model: a pulled model's name, a Hugging Face directory, a hub name, or a server's model as
    "endpoint:http://HOST:PORT/v1#MODEL"."""
    adapters: dict[str, str] = Field(default_factory=dict)
    """Name to PEFT adapter directory (or another "endpoint:" model); each is asked zero-shot and compared with the base model."""
    controls: ControlSettings = Field(default_factory=ControlSettings)
    """Which adapters are controls: reported beside the others, and never as something that was learned."""
    examples: str | tuple[str, ...] | None = None
    """Held-out examples to ask: a file, or an output directory of `worldschool examples`, or several; null: published suites
    only."""
    published: dict[str, PublishedSettings] = Field(default_factory=dict)
    """Suites that others published, read from the user's copy: a name, and format (e2wm, babi or robothow), path, items."""
    shots: str | tuple[str, ...] | None = None
    """Examples of another split, from one file or several, to show the base model first; null: the base model is asked zero-shot only."""
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
    text_window: int = Field(default=512, ge=2)
    """Longest stretch of a text that a model reads at once, in tokens; its context if that is shorter."""
    text_stride: int | None = Field(default=None, ge=1)
    """Tokens counted in each window after a text's first; the others before them are context only. Null: the window less
    one, so that windows do not overlap."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the weights, the same for all models compared; auto: float32 on a CPU, bfloat16 on an accelerator."""
    seed: int = 0
    """Which items and shots are drawn, and the bootstrap."""

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not files_of(self.examples) and not self.published:
            raise ValueError("there is nothing to ask: give `examples`, `published` suites, or both")
        if not files_of(self.examples) and (self.suites or self.shots is not None):
            raise ValueError("`suites` and `shots` are about `examples`, and there are none")
        return self

    @model_validator(mode="after")
    def _names_tell_models_apart(self) -> Self:
        known = {slug(name): name for name in (BASE, few_shot_name(self.shot_count))}
        for name in self.adapters:
            if not name.strip():
                raise ValueError("the name of an adapter is empty: results are told by names")
            if slug(name) in known:
                raise ValueError(
                    f"the adapter name {name!r} is too much like {known[slug(name)]!r} to tell results apart: choose "
                    "one that differs by a letter or digit"
                )
            known[slug(name)] = name
        control = self.controls.permuted_answers
        if control is not None and control not in self.adapters:
            raise ValueError(
                f"`controls.permuted_answers` is {control!r}, which is none of `adapters`"
                f" ({', '.join(self.adapters) or 'there are none'}){nearest(control, self.adapters)}"
            )
        return self

    @model_validator(mode="after")
    def _can_measure_perplexity(self) -> Self:
        served = [name for name in (self.model, *self.adapters.values()) if name.startswith(ENDPOINT)]
        if served and self.texts:
            raise ValueError(
                f"perplexity needs a model in this process, and {served[0]} is behind a server: "
                "set `texts: []` to ask questions only"
            )
        if self.text_stride is not None and self.text_stride >= self.text_window:
            raise ValueError(
                f"`text_stride` ({self.text_stride}) should be below `text_window` ({self.text_window})"
            )
        return self
