"""What a run will need, before it is begun: a few steps are taken and thrown away."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from worldschool.learners.finetune.arguments import training_arguments
from worldschool.learners.finetune.config import FinetuneConfig, ValidationSettings
from worldschool.learners.finetune.data import Row, tokens_of
from worldschool.learners.finetune.retaining import check_pieces, fisher_bytes, fisher_for, sampled_share
from worldschool.learners.finetune.run import (
    load_for_training,
    longest,
    make_trainer,
    prepare_rows,
    select_examples,
)
from worldschool.learners.finetune.trainer import Trainer
from worldschool.learners.finetune.watching import read_watched
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import blank_fisher, matching_parameters
from worldschool.models.texts import sample_texts
from worldschool.progress import clock, silent
from worldschool.records import Example

STEPS = 3
"""Steps taken: one that warms up, and two that are measured."""
PIECES = 2
SAMPLED = 4
"""Pieces that the Fisher information is measured on, and tokens of each sampled piece that are drawn."""


@dataclass(frozen=True)
class Needs:
    """What a run will need on this machine.

    Attributes:
        examples: that can be trained on.
        excluded: that cannot.
        tokens: of one round through the examples.
        steps: optimizer steps.
        trained_tokens: of all steps.
        rounds: how often the examples are gone through.
        step_seconds: of a step of the usual size.
        training_seconds: of all steps, without what is measured on the way.
        fisher_seconds: to sample texts and measure the Fisher information; 0 where none is measured.
        memory_bytes: the most that was held: the process's memory on a CPU, the accelerator's there.
        fisher_bytes: what the Fisher information takes beside it while it is measured.
        trained_parameters: of the adapter.
    """

    examples: int
    excluded: int
    tokens: int
    steps: int
    trained_tokens: int
    rounds: float
    step_seconds: float
    training_seconds: float
    fisher_seconds: float
    memory_bytes: int
    fisher_bytes: int
    trained_parameters: int

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    def told(self) -> str:
        """Return it as lines to read."""
        left_out = f", {self.excluded} left out" if self.excluded else ""
        lines = [
            f"examples    {self.examples}{left_out}; {self.tokens} tokens",
            f"training    {self.steps} steps, {self.trained_tokens} tokens ({self.rounds:.2g} times through the examples)",
            f"adapter     {self.trained_parameters} parameters",
            f"time        {clock(self.training_seconds)} for the steps ({self.step_seconds:.2f} s each)"
            + (f", {clock(self.fisher_seconds)} for the Fisher information" if self.fisher_seconds else ""),
            f"memory      {_size(self.memory_bytes)} at most"
            + (f", and {_size(self.fisher_bytes)} for the Fisher information" if self.fisher_bytes else ""),
        ]
        return "\n".join(lines)


def dry_run(config: FinetuneConfig) -> Needs:
    """Find out what `finetune` with this configuration will need; nothing is written.

    Raises:
        UserError: as `finetune` would, as far as can be told without the Fisher information.
    """
    examples = select_examples(config)
    training_arguments(config, Path())  # refuses what cannot be reported to
    model, tokenizer = load_for_training(config)
    check_pieces(model, config.retention)
    data = prepare_rows(model, tokenizer, examples, config)
    read_watched(model, tokenizer, examples, config, longest(model, config))
    named = config.retention.fisher is not None
    fisher_seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        fisher = None
        measured = "ewc" in config.retention.strengths() and not named
        if named:
            fisher = fisher_for(model, tokenizer, config, out)
        elif measured:
            fisher_seconds = _time_fisher(model, tokenizer, config)
            fisher = blank_fisher(model, config.lora.target_modules)
        trainer = _short(model, tokenizer, data, fisher, config, out)
        plan = trainer.steps
        by_size = sorted(plan, key=tokens_of)
        heaviest, usual = by_size[-1], by_size[len(by_size) // 2]
        trainer.steps = [heaviest, usual, usual]
        trainer.run()
        seconds = [point.seconds for point in trainer.curve]
    step = median(seconds[1:])
    trained = sum(map(tokens_of, plan))
    return Needs(
        data.examples,
        len(data.excluded),
        data.tokens,
        len(plan),
        trained,
        trained / data.tokens,
        step,
        step * trained / tokens_of(usual),
        fisher_seconds,
        peak_memory(),
        fisher_bytes(model, config) if measured else 0,
        sum(tensor.numel() for tensor in trainer.model.parameters() if tensor.requires_grad),
    )


def time_steps(config: FinetuneConfig, examples: Sequence[Example]) -> tuple[float, float]:
    """Return seconds and tokens of one optimizer step, the mean of two after one that warms up; of a run of three steps or more."""
    model, tokenizer = load_for_training(config)
    data = prepare_rows(model, tokenizer, list(examples), config)
    fisher = None
    if "ewc" in config.retention.strengths():
        fisher = blank_fisher(model, config.lora.target_modules)
    with tempfile.TemporaryDirectory() as folder:
        trainer = _short(model, tokenizer, data, fisher, config, Path(folder))
        steps: list[list[Row]] = trainer.steps[:STEPS]
        trainer.steps = steps
        trainer.run()
        return (
            sum(point.seconds for point in trainer.curve[1:]) / (len(steps) - 1),
            sum(map(tokens_of, steps[1:])) / (len(steps) - 1),
        )


def _short(
    model: Any,
    tokenizer: Any,
    data: Any,
    fisher: Fisher | None,
    config: FinetuneConfig,
    out: Path,
) -> Trainer:
    """Return a trainer of the whole run's steps that stops after a few, writes nothing that lasts and reports nowhere."""
    apart = config.model_copy(update={"report_to": (), "validation": ValidationSettings()})
    brief = apart.model_copy(update={"max_steps": STEPS, "checkpoint_steps": STEPS + 1})
    return make_trainer(model, tokenizer, data, fisher, apart, training_arguments(brief, out))


def _time_fisher(model: Any, tokenizer: Any, config: FinetuneConfig) -> float:
    """Return the seconds that sampling texts and measuring the Fisher information will take."""
    settings = config.retention.measure
    names = matching_parameters(model, config.lora.target_modules)
    words = int(model.config.vocab_size)
    pieces = [
        [(7 * place + 13 * number) % words for place in range(settings.tokens)] for number in range(PIECES)
    ]
    compute_fisher(model, pieces[:1], names, form=settings.form)
    started = time.perf_counter()
    compute_fisher(model, pieces, names, form=settings.form, labels=settings.labels)
    seconds = (time.perf_counter() - started) * settings.samples / PIECES
    count = sampled_share(settings)
    if count:
        started = time.perf_counter()
        drawn = min(SAMPLED, settings.tokens)
        sample_texts(model, tokenizer, count, drawn, settings.seed, silent)
        seconds += (time.perf_counter() - started) * settings.tokens / drawn
    return seconds


def peak_memory() -> int:
    """Return the most bytes that were held so far: of the accelerator where there is one, of this process otherwise."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"
