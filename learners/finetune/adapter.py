"""The LoRA adapter that is trained: put on a model, and its parameters."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from worldschool.errors import ConfigError
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.fisher.parameters import short_names


def add_adapter(model: Any, config: FinetuneConfig) -> Any:
    """Attach a new LoRA adapter with seeded initial values; only it is trainable.

    Raises:
        ConfigError: the model has no such target modules.
    """
    from peft import LoraConfig, get_peft_model

    wanted = config.lora.target_modules
    # Names that are given are PEFT's to judge; what they match need not be matrices.
    names = short_names(model, wanted) if isinstance(wanted, str) else list(wanted)
    torch.manual_seed(config.seed)
    settings = LoraConfig(
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=names,
        task_type="CAUSAL_LM",
        bias="none",
    )
    try:
        with warnings.catch_warnings():  # peft asks transformers for a name that is on its way out
            warnings.simplefilter("ignore", FutureWarning)
            adapted = get_peft_model(model, settings)
    except ValueError as error:
        raise ConfigError(str(error).splitlines()[0], where="lora.target_modules") from None
    for parameter in trainable(adapted):
        parameter.data = parameter.data.float()
    return adapted


def trainable(model: Any) -> list[torch.nn.Parameter]:
    """Return the parameters that training changes, in a fixed order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
