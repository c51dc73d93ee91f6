"""`worldschool finetune`: examples in, a standard PEFT adapter directory out."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from worldschool.errors import ConfigError, DatasetError, ModelError
from worldschool.experience.examples import read_examples
from worldschool.files import write_atomic, write_json
from worldschool.learners.finetune.adapter import add_adapter
from worldschool.learners.finetune.arguments import training_arguments
from worldschool.learners.finetune.card import model_card
from worldschool.learners.finetune.checkpoints import FOLDER
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.finetune.data import Row, TrainingData, build_rows, tell_excluded, tokens_of
from worldschool.learners.finetune.retaining import check_pieces, fisher_for, make_retention, pieces_for
from worldschool.learners.finetune.trainer import Trainer, curve_json
from worldschool.learners.finetune.watching import NLL, RISE, Watch, Watched, read_watched
from worldschool.learners.fisher.information import Fisher
from worldschool.models.allocation import keep_freed_memory
from worldschool.models.causal import context_of, load_causal_lm, model_fingerprint, pad_token
from worldschool.models.support import check_supported
from worldschool.progress import progress, silent
from worldschool.records import Example
from worldschool.runs import claim_output, giving_back, package_versions, source_commit

TRAINING_SCHEMA = "worldschool.training/1"

FUSED_FROM = 256
"""Tokens of a row, on average, from which fused attention trains faster on a CPU."""


def finetune(config: FinetuneConfig, out: Path) -> Path:
    """Fine-tune as configured into the PEFT adapter directory `out`; an interrupted run goes on, a finished one is kept.

    Started by `accelerate launch` or torchrun, every process calls this: the steps' rows are shared out, the first one writes.

    Raises:
        UserError: the model, the examples or the Fisher cannot be used, `out` belongs to another run, or no adapter that was
            measured forgot as little as is asked for.
    """
    examples = select_examples(config)
    arguments = training_arguments(config, out)
    with arguments.main_process_first(local=False):
        known = claim_output(out, "finetune", config.to_json(), config.seed)
        if known and (out / "training.json").exists():
            return out
    with giving_back(out) if arguments.should_save and not known else nullcontext():
        trainer, data = _prepare(config, arguments, examples, out)
    with (
        progress("fine-tune", config.max_steps, "steps")
        if arguments.should_save
        else nullcontext(silent) as advance
    ):
        trainer.run(advance)
    kept = kept_step(trainer)
    if arguments.should_save:
        _write_adapter(trainer, data, config, kept, out)
        shutil.rmtree(out / FOLDER, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    return out


def _prepare(
    config: FinetuneConfig, arguments: TrainingArguments, examples: list[Example], out: Path
) -> tuple[Trainer, TrainingData]:
    """Return the trainer and what it trains on; all that can be checked is checked before Fisher information is measured."""
    model, tokenizer = load_for_training(config)
    check_pieces(model, config.retention)
    data = prepare_rows(model, tokenizer, examples, config, tell=arguments.should_save)
    watched = read_watched(
        model, tokenizer, examples, config, longest(model, config), tell=arguments.should_save
    )
    with arguments.main_process_first(local=False):
        fisher = fisher_for(model, tokenizer, config, out)
    return make_trainer(model, tokenizer, data, fisher, config, arguments, watched), data


def kept_step(trainer: Trainer) -> int:
    """Return the step whose adapter a run leaves.

    Raises:
        ModelError: whenever it was measured, more was forgotten than is allowed, or the loss was no number.
    """
    state = trainer.state
    if trainer.watch is None:
        return int(state.global_step)
    if state.best_global_step:
        return int(state.best_global_step)
    if trainer.config.validation.forgetting is None:
        raise ModelError(
            "the loss on held-out examples was no number whenever it was measured, so no adapter was kept",
            where="validation.examples",
            mend="Lower `learning_rate`, or load the model in float32 and look whether its weights are numbers; give another --out.",
        )
    rises = [entry[RISE] for entry in state.log_history if RISE in entry]
    raise ModelError(
        f"perplexity had risen by {min(rises, default=math.nan):.2%} or more whenever it was measured, and "
        f"{trainer.config.validation.forgetting:.2%} is allowed, so no adapter was kept",
        where="validation.forgetting",
        mend="Raise `retention.strength`, lower `learning_rate`, or measure more often (`validation.steps`); give another --out.",
    )


def load_for_training(config: FinetuneConfig) -> tuple[Any, Any]:
    """Load the model, on a CPU with the attention that is faster there for short texts (`choose_attention`).

    On a CPU the process keeps the memory that it frees from then on (`keep_freed_memory`).

    Raises:
        ModelError: the model cannot be found or loaded, or not be trained on texts that share a story.
    """
    model, tokenizer = load_causal_lm(config.model, config.dtype)
    check_supported(model)
    if model.device.type == "cpu":
        keep_freed_memory()
        model.set_attn_implementation("eager")
    return model, tokenizer


def choose_attention(model: Any, rows: Sequence[Row]) -> None:
    """Set the attention that trains faster on rows of this length, where the model has both kinds.

    On a CPU the backward pass of torch's fused attention costs more than the plain one's at the length of a story, and less at that
    of several. A whole step of SmolLM2-135M on two cores, plain against fused: rows of about 130 tokens 14% faster (EPYC, float32
    and bfloat16), of 190 alike, of 450 18% slower (Xeon, float32).
    """
    if model.device.type == "cpu":
        long = tokens_of(rows) >= FUSED_FROM * len(rows)
        fused = long and getattr(model, "_supports_sdpa", False)
        model.set_attn_implementation("sdpa" if fused else "eager")


def select_examples(config: FinetuneConfig) -> list[Example]:
    """Read the configured examples of the configured tasks.

    Raises:
        DatasetError: a file cannot be read, or no example is of these tasks.
    """
    found = [example for path in config.examples for example in read_examples(path)]
    kept = [example for example in found if config.tasks is None or example.task in config.tasks]
    if not kept:
        raise DatasetError(
            f"no example is of the tasks {', '.join(config.tasks or ())}",
            where="tasks",
            mend=f"The files hold: {', '.join(sorted({example.task for example in found}))}.",
        )
    return _weighted(kept, config)


def _weighted(examples: list[Example], config: FinetuneConfig) -> list[Example]:
    tasks = {example.task for example in examples}
    for task, weight in config.weights.items():
        if task not in tasks or not 0 < weight < float("inf"):
            problem = "no example is of this task" if task not in tasks else f"{weight} is no weight"
            raise ConfigError(
                problem,
                where=f"weights.{task}",
                mend=f"Give a number above 0 to any of: {', '.join(sorted(tasks))}.",
            )
    if not config.weights:
        return examples
    return [replace(one, weight=one.weight * config.weights.get(one.task, 1.0)) for one in examples]


def prepare_rows(
    model: Any, tokenizer: Any, examples: list[Example], config: FinetuneConfig, tell: bool = True
) -> TrainingData:
    """Tokenise examples for this model; those that do not fit are left out and told on standard error."""
    data = build_rows(tokenizer, examples, longest(model, config), config.learn_shots)
    if tell:
        tell_excluded(data)
    return data


def longest(model: Any, config: FinetuneConfig) -> int:
    """Return how many tokens an example may have."""
    context = context_of(model)
    return min(config.max_length or context, context)


def make_trainer(
    model: Any,
    tokenizer: Any,
    data: TrainingData,
    fisher: Fisher | None,
    config: FinetuneConfig,
    arguments: TrainingArguments,
    watched: Watched | None = None,
) -> Trainer:
    """Attach the adapter and put the trainer together.

    Args:
        model: the base model.
        tokenizer: the model's.
        data: the rows to train on.
        fisher: wanted when EWC is among the retention's kinds.
        config: the run's settings.
        arguments: from `training_arguments`.
        watched: what is measured on the way.
    """
    pieces = pieces_for(model, tokenizer, config.retention)  # sampled before there is an adapter
    choose_attention(model, data.rows)
    adapted = add_adapter(model, config)
    remembering = make_retention(adapted, fisher, pieces, config.retention)
    pad = pad_token(tokenizer)
    watch = None if watched is None else Watch(adapted, *watched, config.validation, pad)
    return Trainer(adapted, data.rows, remembering, config, pad, arguments, watch)


def _write_adapter(
    trainer: Trainer, data: TrainingData, config: FinetuneConfig, kept: int, out: Path
) -> None:
    trainer.model.save_pretrained(str(out))
    for file in out.glob("adapter_model.*"):
        file.chmod(0o644)
    write_atomic(out / "README.md", model_card(trainer, len(data.excluded), config, kept))
    record = {
        "schema": TRAINING_SCHEMA,
        "config": config.to_json(),
        "model_fingerprint": model_fingerprint(trainer.model),
        "steps": int(trainer.state.global_step),
        "kept_step": kept,
        "evaluations": [
            {name: value for name, value in entry.items() if name == "step" or name.startswith("eval_")}
            for entry in trainer.state.log_history
            if NLL in entry or RISE in entry
        ],
        "examples": trainer.examples,
        "tokens": trainer.tokens,
        "excluded": [{"example_id": name, "reason": reason} for name, reason in data.excluded],
        "curve": curve_json(trainer.curve),
        "seconds": trainer.seconds,
        "versions": package_versions(),
        "commit": source_commit(),
    }
    write_json(out / "training.json", record)  # last: its presence says that the run is complete
