"""Which matrices a LoRA adapter changes, and whether the change of each is s B A, as closed-form penalties need it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from worldschool.errors import ModelError
from worldschool.models.causal import base_of

LINEAR_ONLY = (
    "Retention in closed form holds LoRA adapters whose update is s B A: LoRA and rsLoRA, with any initial values that "
    "leave the base weights as they are."
)


class Adapted(NamedTuple):
    """One adapted matrix of the base model.

    Attributes:
        weight: its name in the base model.
        a: A, [r, d_in].
        b: B, [d_out, r].
        scale: s: alpha / r, of rsLoRA (Kalajdzievski 2023, arXiv:2312.03732) alpha / sqrt r.
        swapped: whether the base model keeps the matrix as [d_in, d_out], as GPT-2's Conv1D does.
    """

    weight: str
    a: torch.Tensor
    b: torch.Tensor
    scale: float
    swapped: bool


def lora_layers(model: Any) -> dict[str, Any]:
    """Return the LoRA-wrapped modules of a model by their names in the base model; in PEFT's wrapper or by transformers' `add_adapter`."""
    found = {}
    for name, module in base_of(model).named_modules():
        if hasattr(module, "lora_A") and hasattr(module, "base_layer") and len(module.lora_A):
            found[name] = module
    return found


def adapted_matrices(model: Any) -> list[Adapted]:
    """Return every matrix that a PEFT model's adapter changes.

    Raises:
        ModelError: the adapter's update is not s B A, several adapters are active, or something else is trained that no
            penalty would hold.
    """
    kinds = sorted({str(config.peft_type.value) for config in model.peft_config.values()})
    if kinds != ["LORA"]:
        raise ModelError(f"the adapter is of the kind {', '.join(kinds)}", where="adapter", mend=LINEAR_ONLY)
    found = [
        _adapted(name, module)
        for name, module in lora_layers(model).items()
        if any(adapter in module.lora_A for adapter in module.active_adapters)  # another adapter's otherwise
    ]
    held = {id(tensor) for one in found for tensor in (one.a, one.b)}
    loose = [
        name for name, tensor in model.named_parameters() if tensor.requires_grad and id(tensor) not in held
    ]
    if loose:
        raise ModelError(
            f"{len(loose)} trained parameters are no LoRA factors of linear layers, and nothing would hold them; "
            f"the first is {loose[0]}",
            where="adapter",
            mend=f"{LINEAR_ONLY} Leave out `modules_to_save`, `trainable_token_indices`, embeddings, and `bias`.",
        )
    return found


def _adapted(name: str, module: Any) -> Adapted:
    active = list(module.active_adapters)
    if len(active) != 1:
        raise ModelError(
            f"{len(active)} adapters are active on {name} ({', '.join(active)})",
            where="adapter",
            mend="Train one adapter at a time.",
        )
    adapter = active[0]
    variant = (getattr(module, "lora_variant", None) or {}).get(adapter)
    if variant is not None or getattr(module, "use_dora", {}).get(adapter):
        kind = type(variant).__name__ if variant is not None else "DoRA"
        raise ModelError(
            f"the adapter on {name} is a variant of LoRA ({kind}) whose update is not s B A",
            where="adapter",
            mend=LINEAR_ONLY,
        )
    a, b = module.lora_A[adapter].weight, module.lora_B[adapter].weight
    if a.ndim != 2 or b.ndim != 2:
        raise ModelError(
            f"the adapter on {name} is of a convolution, not of a matrix", where="adapter", mend=LINEAR_ONLY
        )
    return Adapted(
        f"{name}.weight", a, b, float(module.scaling[adapter]), bool(getattr(module, "fan_in_fan_out", False))
    )
