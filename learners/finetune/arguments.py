"""A run's settings as transformers' Trainer takes them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments
from transformers.integrations import get_reporting_integration_callbacks

from worldschool.errors import ConfigError
from worldschool.learners.finetune.checkpoints import FOLDER
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.finetune.watching import SCORE
from worldschool.learners.retention.callback import refuse_sharding

DAY = 24 * 3600


def training_arguments(config: FinetuneConfig, out: Path) -> TrainingArguments:
    """Return the Trainer's own settings for a run; among several processes this makes them known to each other.

    Raises:
        ConfigError: `report_to` names what is not known or not installed, or the model would be shared out among processes.
    """
    refuse_sharding()
    measured = config.validation.wanted
    often = config.validation.steps if measured else config.checkpoint_steps
    arguments = TrainingArguments(
        output_dir=str(out / FOLDER),
        run_name=out.name,
        max_steps=config.max_steps,
        per_device_train_batch_size=1,  # one item is one optimizer step
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        optim="adamw_torch",
        max_grad_norm=config.gradient_clip,
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if measured else "no",
        eval_steps=often,
        save_strategy="steps",
        save_steps=often,
        save_total_limit=2,  # while one is written, the one before it is whole
        load_best_model_at_end=measured,
        metric_for_best_model=SCORE if measured else None,
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        report_to=list(config.report_to),
        seed=config.seed,
        disable_tqdm=True,
        remove_unused_columns=False,
        **(_checkpointing() if config.gradient_checkpointing else {}),
        ddp_find_unused_parameters=False,
        ddp_timeout=DAY,  # the others wait while one measures the Fisher information
        use_cpu=not torch.cuda.is_available(),
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # several devices: one process each, never DataParallel
    _check_reports(arguments)
    return arguments


def _check_reports(arguments: TrainingArguments) -> None:
    try:
        for callback in get_reporting_integration_callbacks(arguments.report_to):
            callback()
    except (ValueError, RuntimeError, ImportError) as error:
        raise ConfigError(
            str(error).strip().splitlines()[0],
            where="report_to",
            mend="Install what it names, or leave it out.",
        ) from None


def _checkpointing() -> dict[str, Any]:
    """Return how gradient checkpointing is asked for; transformers renamed it on its way through version 5."""
    known = {field.name for field in fields(TrainingArguments)}
    name = next(one for one in ("activation_checkpointing", "gradient_checkpointing") if one in known)
    return {name: True, f"{name}_kwargs": {"use_reentrant": False}}


def learning_rate(step: int, config: FinetuneConfig) -> float:
    """Return the rate of a 0-based step: a linear rise over `warmup * max_steps` steps, then a linear fall to zero."""
    rising = max(1, round(config.warmup * config.max_steps))
    if step < rising:
        return config.learning_rate * (step + 1) / rising
    return config.learning_rate * (config.max_steps - step) / max(1, config.max_steps - rising + 1)
