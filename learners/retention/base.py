"""What every way to remember is, and none at all."""

from __future__ import annotations

from collections.abc import Sequence
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

    def add_gradients(self) -> torch.Tensor:
        """Add lambda times the penalty's gradient to the trained tensors' `.grad`; return the penalty, a scalar.

        Of a tensor that has no gradient yet, it becomes the gradient.
        """
        ...


class NoRetention:
    """Plain fine-tuning: nothing holds the model back."""

    strength = 0.0

    def penalty(self, step: int = 0) -> torch.Tensor:
        """Return zero."""
        return torch.zeros(())


class Combined:
    """Several ways at once: the sum of their penalties, each times its own strength.

    Args:
        parts: what holds the model.
    """

    strength = 1.0

    def __init__(self, parts: Sequence[Retention]) -> None:
        self.parts = tuple(parts)

    def penalty(self, step: int = 0) -> torch.Tensor:
        """See `Retention`."""
        found = [part.strength * part.penalty(step) for part in self.parts]
        return torch.stack(found).sum()


def add_to_gradient(tensor: torch.Tensor, gradient: torch.Tensor) -> None:
    """Add to a tensor's `.grad`, in its own dtype; where there is none, that is it."""
    added = gradient.to(tensor.dtype)
    tensor.grad = added if tensor.grad is None else tensor.grad.add_(added)
