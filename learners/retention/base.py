"""What a way to remember is: a penalty that autograd differentiates, or one that adds its own gradient."""

from __future__ import annotations

from typing import Protocol

import torch


class Retention(Protocol):
    """A penalty added to the training loss."""

    strength: float

    def penalty(self, step: int = 0) -> torch.Tensor:
        """Return the penalty at the present weights, a scalar, before it is multiplied by `strength`.

        Args:
            step: optimizer steps done; what is drawn for a step depends on it and on nothing before it.
        """
        ...


class Held(Protocol):
    """A penalty that adds its own gradient, without autograd."""

    strength: float

    def add_gradients(self) -> torch.Tensor:
        """Add lambda times the penalty's gradient to the trained tensors' `.grad`; return the penalty, a scalar.

        Of a tensor that has no gradient yet, it becomes the gradient.
        """
        ...


def add_to_gradient(tensor: torch.Tensor, gradient: torch.Tensor) -> None:
    """Add to a tensor's `.grad`, in its own dtype; where there is none, that is it."""
    added = gradient.to(tensor.dtype)
    tensor.grad = added if tensor.grad is None else tensor.grad.add_(added)
