"""Which parameters the Fisher information is measured of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher.forms import Factored
from worldschool.learners.fisher.information import Fisher
from worldschool.models.causal import base_of, base_parameters, model_fingerprint

Targets: TypeAlias = Sequence[str] | Literal["attention", "all-linear"]
"""Names of layers (their last parts, or whole), or which of a model's linear layers: those of attention, or all but the output layer."""


def matching_parameters(model: Any, targets: Targets) -> list[str]:
    """Return the names of the weight matrices of the layers that are meant, in the model's order.

    Args:
        model: a transformers causal language model, with an adapter or without.
        targets: which.

    Raises:
        FisherError: there is none.
    """
    weights = base_parameters(model)
    if isinstance(targets, str):
        linear = linear_layers(model)
        chosen = [name for name in linear if targets == "all-linear" or _of_attention(name)]
        found = [f"{name}.weight" for name in chosen]
    else:
        pattern = re.compile(rf"(^|\.)({'|'.join(map(re.escape, targets))})\.weight$")
        found = [name for name, tensor in weights.items() if pattern.search(name) and tensor.ndim == 2]
    if not found:
        kinds = sorted({name.split(".")[-2] for name in weights if name.endswith(".weight")})
        named = targets if isinstance(targets, str) else ", ".join(targets)
        raise FisherError(
            f"no weight matrix of this model is called {named}",
            where="target_modules",
            mend=f"This model has: {', '.join(kinds)}.",
        )
    return found


def linear_layers(model: Any) -> list[str]:
    """Return the names of a model's linear layers (transformers' Conv1D among them) but for its output layer."""
    from transformers.pytorch_utils import Conv1D

    base = base_of(model)
    output = base.get_output_embeddings()
    found = {
        name.replace(".base_layer", ""): None
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not output and ".lora_" not in name
    }
    return list(found)


def short_names(model: Any, targets: Targets) -> list[str]:
    """Return what PEFT is to be told: the layers' last names where no other layer has them, else their whole names."""
    chosen = [name.removesuffix(".weight") for name in matching_parameters(model, targets)]
    last = {name.rpartition(".")[2] for name in chosen}
    others = {name.rpartition(".")[2] for name in set(linear_layers(model)) - set(chosen)}
    return chosen if last & others else sorted(last)


def _of_attention(name: str) -> bool:
    parent = name.rpartition(".")[0].rpartition(".")[2]
    return "attn" in parent or "attention" in parent


def blank_fisher(model: Any, target_modules: Targets) -> Fisher:
    """Return a factored Fisher of zeros for these modules: it holds nothing, and costs a step what a real one does.

    Raises:
        FisherError: the model has no such modules.
    """
    weights = base_parameters(model)
    names = matching_parameters(model, target_modules)
    return Fisher(
        {name: Factored(*(torch.zeros(size, 1) for size in weights[name].shape)) for name in names},
        model_fingerprint(model),
        "",
        0,
        0,
    )
