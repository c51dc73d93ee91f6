"""Elastic weight consolidation of a LoRA adapter, and plain L2 to the start, its special case of weights that all matter alike.

EWC with LoRA (Xiang et al. 2023, joining Kirkpatrick et al. 2017 and Hu et al. 2021): an adapted matrix differs from
its original by s B A, so that

    penalty = sum_ij F_ij (s (B A)_ij)^2 ,      loss = L_V + lambda * penalty

summed over the adapted matrices. The penalty is small as `learners.fisher.measuring` measures F: a trained adapter's is
between 1e-6 and 2e-4, which is why a useful lambda is large (see docs/learners.md for the calibration).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher.forms import Factored, Importance
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.retention.adapted import Adapted, adapted_matrices
from worldschool.learners.retention.base import add_to_gradient


class _Held(NamedTuple):
    """One adapted matrix: its factors, s, and how much each of its weights matters."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float
    importance: Importance


class HeldMatrices:
    """A penalty sum F (s B A)^2 over adapted matrices, whatever F is.

    Attributes:
        strength: lambda, >= 0.
    """

    def __init__(self, held: Sequence[_Held], strength: float) -> None:
        self._held, self.strength = list(held), strength

    def penalty(self, step: int = 0) -> torch.Tensor:
        """Return sum F (s B A)^2, to be differentiated by autograd."""
        total = torch.zeros((), device=self._held[0].a.device)
        for one in self._held:
            total = total + LowRankPenalty.apply(*one)  # type: ignore[no-untyped-call]
        return total

    def add_gradients(self) -> torch.Tensor:
        """See `base.Held`."""
        total = torch.zeros((), device=self._held[0].a.device)
        for one in self._held:
            pull = one.importance.low_rank_pull(one.a, one.b, one.scale)
            total = total + pull.value
            add_to_gradient(one.a, pull.by_a.mul_(self.strength))
            add_to_gradient(one.b, pull.by_b.mul_(self.strength))
        return total


class EWC(HeldMatrices):
    """Elastic weight consolidation of a LoRA-adapted model.

    Args:
        model: a PEFT model with LoRA layers.
        fisher: made for its base model, covering every adapted matrix, in any form.
        strength: lambda, >= 0.
        where: what the Fisher is called in errors.

    Raises:
        FisherError: the Fisher is for another model, or lacks an adapted matrix or has it in another shape.
        ModelError: the adapter's update is not s B A (see `adapted.adapted_matrices`).
    """

    def __init__(self, model: Any, fisher: Fisher, strength: float, where: str = "fisher") -> None:
        adapted = adapted_matrices(model)
        fisher.check_model(model, where)
        super().__init__([_held(one, fisher, where) for one in adapted], strength)


class L2(HeldMatrices):
    """The squared distance from the start, sum (s B A)^2: EWC with F = 1, which needs no Fisher information.

    Args:
        model: a PEFT model with LoRA layers.
        strength: lambda, >= 0.

    Raises:
        ModelError: the adapter's update is not s B A (see `adapted.adapted_matrices`).
    """

    def __init__(self, model: Any, strength: float) -> None:
        ones = [
            _Held(
                one.a, one.b, one.scale, Factored(_ones(one.b.shape[0], one.a), _ones(one.a.shape[1], one.a))
            )
            for one in adapted_matrices(model)
        ]
        super().__init__(ones, strength)


def _ones(size: int, like: torch.Tensor) -> torch.Tensor:
    return torch.ones(size, 1, device=like.device)


def _held(one: Adapted, fisher: Fisher, where: str) -> _Held:
    if one.weight not in fisher.values:
        raise FisherError(
            f"it has no values for the adapted matrix {one.weight}",
            where=where,
            mend="Make the Fisher over the same target_modules as the adapter.",
        )
    importance = fisher.values[one.weight].to(one.a.device)
    if one.swapped:
        importance = importance.transposed()
    if importance.shape != (one.b.shape[0], one.a.shape[1]):
        raise FisherError(
            f"its values for {one.weight} are of shape {tuple(fisher.values[one.weight].shape)}, "
            f"the adapter changes a matrix of {(one.b.shape[0], one.a.shape[1])}",
            where=where,
            mend="Make the Fisher again, of the model that the adapter is for.",
        )
    return _Held(one.a, one.b, one.scale, importance)


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
