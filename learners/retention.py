"""Retention: what holds a model near its old self while it learns.

EWC with LoRA (Xiang et al. 2023, joining Kirkpatrick et al. 2017 and Hu et al. 2021): an adapted matrix differs from
its original by s B A, so that

    penalty = sum_ij F_ij (s (B A)_ij)^2 ,      loss = L_V + lambda * penalty

summed over the adapted matrices. The penalty is small as `learners.fisher.measuring` measures F; a trained adapter's is between
1e-7 and 1e-5, which is why a useful lambda is large (see docs/learners.md for the calibration).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher.forms import Importance
from worldschool.learners.fisher.information import Fisher


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


class _Held(NamedTuple):
    """One adapted matrix: its factors, s, and how much each of its weights matters."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float
    importance: Importance


class EWC:
    """Elastic weight consolidation of a LoRA-adapted model.

    Args:
        model: a PEFT model with LoRA layers.
        fisher: made for its base model, covering every adapted matrix, in any form.
        strength: lambda, >= 0.

    Raises:
        FisherError: the Fisher is for another model, or lacks an adapted matrix or has it in another shape.
    """

    def __init__(self, model: Any, fisher: Fisher, strength: float, where: str = "fisher") -> None:
        fisher.check_model(model, where)
        self.strength = strength
        self._held = [_held(name, module, fisher, where) for name, module in lora_layers(model).items()]

    def penalty(self) -> torch.Tensor:
        """Return sum F (s B A)^2 over the adapted matrices, to be differentiated by autograd."""
        total = torch.zeros((), device=self._held[0].a.device)
        for one in self._held:
            total = total + LowRankPenalty.apply(*one)  # type: ignore[no-untyped-call]
        return total

    def add_gradients(self) -> torch.Tensor:
        """Add lambda times the penalty's gradient to each factor's `.grad`, without autograd; return the penalty, a scalar.

        Of a factor that has no gradient yet, it becomes the gradient.
        """
        total = torch.zeros((), device=self._held[0].a.device)
        for one in self._held:
            pull = one.importance.low_rank_pull(one.a, one.b, one.scale)
            total = total + pull.value
            for factor, gradient in ((one.a, pull.by_a), (one.b, pull.by_b)):
                added = gradient.mul_(self.strength).to(factor.dtype)
                factor.grad = added if factor.grad is None else factor.grad.add_(added)
        return total


def _held(name: str, module: Any, fisher: Fisher, where: str) -> _Held:
    weight = f"{name}.weight"
    if weight not in fisher.values:
        raise FisherError(
            f"it has no values for the adapted matrix {weight}",
            where=where,
            mend="Make the Fisher over the same target_modules as the adapter.",
        )
    (adapter,) = module.active_adapters
    a, b = module.lora_A[adapter].weight, module.lora_B[adapter].weight
    importance = fisher.values[weight].to(a.device)
    if getattr(module, "fan_in_fan_out", False):  # GPT-2's Conv1D keeps its weight as [d_in, d_out]
        importance = importance.transposed()
    if importance.shape != (b.shape[0], a.shape[1]):
        raise FisherError(
            f"its values for {weight} are of shape {tuple(fisher.values[weight].shape)}, "
            f"the adapter changes a matrix of {(b.shape[0], a.shape[1])}",
            where=where,
            mend="Make the Fisher again, of the model that the adapter is for.",
        )
    return _Held(a, b, float(module.scaling[adapter]), importance)


class LowRankPenalty(torch.autograd.Function):
    """sum F (s B A)^2 of one matrix, with its gradients in closed form (`Importance.low_rank_pull`)."""

    @staticmethod
    def forward(
        ctx: Any, a: torch.Tensor, b: torch.Tensor, scale: float, importance: Importance
    ) -> torch.Tensor:
        """Args: `a` `[r, d_in]`, `b` `[d_out, r]`, `importance` of a `[d_out, d_in]` matrix. Returns a scalar."""
        pull = importance.low_rank_pull(a, b, scale)
        ctx.save_for_backward(pull.by_a.to(a.dtype), pull.by_b.to(b.dtype))
        return pull.value

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
