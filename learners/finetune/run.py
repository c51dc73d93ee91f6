"""`worldschool finetune`: examples in, a standard PEFT adapter directory out."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from worldschool.errors import ConfigError, DatasetError
from worldschool.experience.examples import read_examples
from worldschool.files import write_atomic, write_json
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.finetune.data import TrainingData, build_rows
from worldschool.learners.finetune.retaining import KINDS, fisher_for, make_retention, pieces_for
from worldschool.learners.finetune.trainer import Trainer, add_adapter, curve_json
from worldschool.learners.fisher.information import Fisher
from worldschool.models.causal import load_causal_lm, model_fingerprint
from worldschool.progress import progress
from worldschool.records import Example
from worldschool.runs import claim_output, package_versions, source_commit

TRAINING_SCHEMA = "worldschool.training/1"


def finetune(config: FinetuneConfig, out: Path) -> Path:
    """Fine-tune as configured into the PEFT adapter directory `out`; an interrupted run goes on, a finished one is kept.

    Raises:
        UserError: the model, the examples or the Fisher cannot be used, or `out` belongs to another run.
    """
    examples = select_examples(config)
    known = claim_output(out, "finetune", config.to_json(), config.seed)
    if known and (out / "training.json").exists():
        return out
    model, tokenizer = load_for_training(config)
    data = prepare_rows(model, tokenizer, examples, config)
    fisher = fisher_for(model, tokenizer, config, out)
    trainer = make_trainer(model, tokenizer, data, fisher, config)
    trainer.restore(out / "checkpoint")
    with progress("fine-tune", config.max_steps, "steps", trainer.steps_done) as advance:
        trainer.train(out, advance)
    _write_adapter(trainer, data, config, out)
    return out


def load_for_training(config: FinetuneConfig) -> tuple[Any, Any]:
    """Load the model, with the attention that trains faster.

    On a CPU the backward pass of torch's fused attention takes three times the plain one's at the length of a story:
    a whole step is 14% faster without it (EPYC, two cores, rows of about 130 tokens, float32 and bfloat16 alike).

    Raises:
        ModelError: the model cannot be found or loaded.
    """
    model, tokenizer = load_causal_lm(config.model, config.dtype)
    if model.device.type == "cpu":
        model.set_attn_implementation("eager")
    return model, tokenizer


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


def prepare_rows(model: Any, tokenizer: Any, examples: list[Example], config: FinetuneConfig) -> TrainingData:
    """Tokenise examples for this model; those that do not fit are left out and told on standard error."""
    context = int(getattr(model.config, "max_position_embeddings", 2048))
    data = build_rows(tokenizer, examples, min(config.max_length or context, context))
    if data.excluded:
        example, reason = data.excluded[0]
        print(
            f"fine-tune: {len(data.excluded)} of {len(examples)} examples were left out; the first is {example}: {reason}",
            file=sys.stderr,
        )
    return data


def make_trainer(
    model: Any, tokenizer: Any, data: TrainingData, fisher: Fisher | None, config: FinetuneConfig
) -> Trainer:
    """Attach the adapter and put the trainer together; a Fisher is wanted when EWC is among the retention's kinds."""
    pieces = pieces_for(model, tokenizer, config.retention)  # sampled before there is an adapter
    adapted = add_adapter(model, config)
    retention = make_retention(adapted, fisher, pieces, config.retention)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    return Trainer(adapted, data.rows, retention, config, int(pad))


def _write_adapter(trainer: Trainer, data: TrainingData, config: FinetuneConfig, out: Path) -> None:
    trainer.model.save_pretrained(str(out))
    for file in out.glob("adapter_model.*"):
        file.chmod(0o644)
    write_atomic(out / "README.md", _model_card(trainer, data, config))
    record = {
        "schema": TRAINING_SCHEMA,
        "config": config.to_json(),
        "model_fingerprint": model_fingerprint(trainer.model),
        "steps": trainer.steps_done,
        "examples": trainer.examples,
        "tokens": trainer.tokens,
        "excluded": [{"example_id": name, "reason": reason} for name, reason in data.excluded],
        "curve": curve_json(trainer.curve),
        "seconds": trainer.seconds,
        "versions": package_versions(),
        "commit": source_commit(),
    }
    write_json(out / "training.json", record)  # last: its presence says that the run is complete


def _model_card(trainer: Trainer, data: TrainingData, config: FinetuneConfig) -> str:
    held = " and ".join(
        f"{KINDS[kind]} (strength {strength:g})" for kind, strength in config.retention.strengths().items()
    )
    last = trainer.curve[-1]
    return f"""---
base_model: {config.model}
library_name: peft
tags: [worldschool, lora, ewc]
---
# A LoRA adapter trained on simulated experience

Made by `worldschool finetune` for {config.model}: {trainer.steps_done} steps, {trainer.examples} examples,
{trainer.tokens} tokens, learning rate {config.learning_rate:g}, rank {config.lora.r} on
{", ".join(config.lora.target_modules)}. Held near the base model by {held or "nothing (plain LoRA)"}. The last step's loss was
{last.loss:.3f} nats and its penalty {last.penalty:.3g}. {len(data.excluded)} examples were left out.
`training.json` has everything, `run.json` the configuration.

    from peft import PeftModel
    model = PeftModel.from_pretrained(base_model, "this directory")
"""
