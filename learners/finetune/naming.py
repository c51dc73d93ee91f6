"""What a configuration names is looked for before anything else is done, by commands that fine-tune late or many times."""

from __future__ import annotations

from pathlib import Path

from worldschool.experience.examples import read_examples
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.fisher.information import read_about
from worldschool.models.pull import resolve_model
from worldschool.models.texts import load_text


def check_named(config: FinetuneConfig) -> None:
    """Look for the model, the texts, the Fisher information and the held-out examples that a run will want.

    A model that `worldschool models pull` knows is pulled. The examples to train on are not looked for: `select_examples` reads them.

    Raises:
        UserError: one is missing.
    """
    resolve_model(config.model)
    for path in config.validation.examples:
        read_examples(path)
    for name in wanted_texts(config):
        load_text(name)
    retention = config.retention
    if "ewc" in retention.strengths() and retention.fisher is not None:
        read_about(Path(retention.fisher))


def wanted_texts(config: FinetuneConfig) -> list[str]:
    """Return the names of the general texts that a run will read, those that the model samples not among them."""
    retention, validation = config.retention, config.validation
    kinds = set(retention.strengths())
    found: dict[str, None] = {}
    if "ewc" in kinds and retention.fisher is None:
        found |= dict.fromkeys(retention.measure.texts)
    if {"kl", "replay"} & kinds:
        found |= dict.fromkeys(retention.general.texts)
    if validation.forgetting is not None:
        found |= dict.fromkeys(validation.texts)
    return [name for name in found if name != "sampled"]
