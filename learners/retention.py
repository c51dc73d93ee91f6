"""Retention: what holds a model near its old self while it learns.

EWC with LoRA (Xiang et al. 2023, joining Kirkpatrick et al. 2017 and Hu et al. 2021): an adapted matrix differs from
its original by s B A, so that

    penalty = sum_ij F_ij (s (B A)_ij)^2 ,      loss = L_V + lambda * penalty

summed over the adapted matrices. The penalty is small as `learners.fisher` measures F; a trained adapter's is between
1e-7 and 1e-5, which is why a useful lambda is large (see docs/learners.md for the calibration).
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher import Fisher


class Retention(Protocol):
    """A penalty added to the training loss."""

    strength: float

    def penalty(self) -> torch.Tensor:
        """Return the penalty at the adapter's current weights, a scalar, before it is multiplied by `strength`."""
        ...


class NoRetention:
    """Plain fine-tuning: nothing holds the model back."""

    strength = 0.0

    def penalty(self) -> torch.Tensor:
        """Return zero."""
        return torch.zeros(())


class EWC:
    """Elastic weight consolidation of a LoRA-adapted model, exact diagonal Fisher.

    Args:
        model: a PEFT model with LoRA layers.
        fisher: made for its base model, covering every adapted matrix.
        strength: lambda, >= 0.

    Raises:
        FisherError: the Fisher is for another model or lacks an adapted matrix.
    """

    def __init__(self, model: Any, fisher: Fisher, strength: float, where: str = "fisher") -> None:
        fisher.check_model(model, where)
        self.strength = strength
        self._layers: list[tuple[torch.Tensor, torch.Tensor, float, torch.Tensor]] = []
        for name, module in lora_layers(model).items():
            weight = f"{name}.weight"
            if weight not in fisher.values:
                raise FisherError(
                    f"it has no values for the adapted matrix {weight}",
                    where=where,
                    mend="Make the Fisher over the same target_modules as the adapter.",
                )
            (adapter,) = module.active_adapters
            a, b = module.lora_A[adapter].weight, module.lora_B[adapter].weight
            values = fisher.values[weight].to(a.device)
            if getattr(module, "fan_in_fan_out", False):  # GPT-2's Conv1D keeps its weight as [d_in, d_out]
                values = values.T.contiguous()
            self._layers.append((a, b, float(module.scaling[adapter]), values))

    def penalty(self) -> torch.Tensor:
        """Return sum F (s B A)^2 over the adapted matrices."""
        total = torch.zeros((), device=self._layers[0][0].device)
        for a, b, scale, importance in self._layers:
            total = total + WeightedSquare.apply(a, b, scale, importance)  # type: ignore[no-untyped-call]
        return total


class WeightedSquare(torch.autograd.Function):
    """sum F (s B A)^2 of one matrix, with its gradients written out.

    With G = F * (s B A): d/dB = 2 s G A^T and d/dA = 2 s B^T G. G is computed once, in the forward pass, and the
    `[d_out, d_in]` product is not kept.
    """

    @staticmethod
    def forward(
        ctx: Any, a: torch.Tensor, b: torch.Tensor, scale: float, importance: torch.Tensor
    ) -> torch.Tensor:
        """Args: `a` `[r, d_in]`, `b` `[d_out, r]`, `importance` `[d_out, d_in]`. Returns a scalar."""
        change = (b.float() @ a.float()).mul_(scale)
        weighted = change * importance
        value = torch.dot(change.flatten(), weighted.flatten())
        ctx.save_for_backward(
            (b.float().T @ weighted).mul_(2 * scale).to(a.dtype),
            (weighted @ a.float().T).mul_(2 * scale).to(b.dtype),
        )
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients for `a` and `b`."""
        by_a, by_b = ctx.saved_tensors
        return gradients[0] * by_a, gradients[0] * by_b, None, None


def lora_layers(model: Any) -> dict[str, Any]:
    """Return the LoRA-wrapped modules of a PEFT model by their names in the base model."""
    found = {}
    for name, module in model.get_base_model().named_modules():
        if hasattr(module, "lora_A") and hasattr(module, "base_layer") and len(module.lora_A):
            found[name] = module
    return found
