"""Sums of squared per-text gradients, added up while one backward pass over a batch of texts goes by.

For a linear layer with inputs x_t (d_in) and loss gradients g_t (d_out) at its outputs, the gradient of one text's loss by
the weight is sum_t g_t x_t^T = G^T X, with G [T, d_out] and X [T, d_in]. A batch's backward pass gives every text's G and X
(texts do not see each other), so that the weights' own gradients, which would be the texts' sum, are never asked for.

Row and column sums of the squares need no d_out by d_in matrix either where a text is short:

    sum_j (G^T X)_ij^2 = sum_tu g_ti g_ui (x_t . x_u)      so rows are  sum_t ((X X^T) G * G)_ti ,
    columns likewise                                                    sum_t ((G G^T) X * X)_tj ,

which takes 4 T^2 (d_in + d_out) operations in place of 2 T d_in d_out: the identity by which Li et al. 2022 (arXiv:2110.05679) get
norms of per-sample gradients, kept apart by row and column.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

from worldschool.learners.fisher.forms import Exact, Factored, Importance

LONG = 3
"""A text is too long for the sums without a matrix where LONG * T (d_in + d_out) > d_in d_out. By operations it would be 2; they are
done in float32, the matrix may be had in bfloat16. Measured on two cores, layers of SmolLM2-135M, texts of 32 to 256 tokens."""


class Squares(Protocol):
    """A sum of squared gradients of one parameter."""

    def add(self, gradient: torch.Tensor) -> None:
        """Add the square of one text's gradient, of the parameter's shape; it may be overwritten."""
        ...

    def add_batch(self, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
        """Add the squares of the gradients G^T X of a batch of texts, [texts, T, d_in] and [texts, T, d_out]."""
        ...

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the sums, by the end of their names."""
        ...

    def mean(self, texts: int) -> Importance:
        """Return the sums divided by the number of texts, on the CPU; the sums are used up."""
        ...


class ExactSquares:
    """Every weight's sum, in float32 (float64 for a model in float64)."""

    def __init__(self, parameter: torch.Tensor) -> None:
        self._sum = torch.zeros(parameter.shape, dtype=_dtype(parameter), device=parameter.device)

    def add(self, gradient: torch.Tensor) -> None:
        """See `Squares`."""
        gradient = gradient.to(self._sum.dtype)
        self._sum.addcmul_(gradient, gradient)

    def add_batch(self, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
        """See `Squares`; one product a text, so that no more than one gradient is held."""
        for x, g in zip(inputs, outputs, strict=True):
            self.add(g.T @ x)

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `Squares`."""
        return {"": self._sum}

    def mean(self, texts: int) -> Exact:
        """See `Squares`."""
        return Exact(self._sum.div_(texts).cpu())  # in place: a second one of this size may not fit


class FactoredSquares:
    """Row sums and column sums of every weight's sum."""

    def __init__(self, parameter: torch.Tensor) -> None:
        self._rows = torch.zeros(parameter.shape[0], dtype=_dtype(parameter), device=parameter.device)
        self._columns = torch.zeros(parameter.shape[1], dtype=_dtype(parameter), device=parameter.device)

    def add(self, gradient: torch.Tensor) -> None:
        """See `Squares`."""
        values = gradient.to(self._rows.dtype)
        squared = values.mul_(values)  # in place: to allocate takes longer than to multiply
        self._rows += squared.sum(1)
        self._columns += squared.sum(0)

    def add_batch(self, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
        """See `Squares`."""
        length, d_in, d_out = inputs.shape[1], inputs.shape[2], outputs.shape[2]
        if LONG * length * (d_in + d_out) > d_in * d_out:
            for x, g in zip(inputs, outputs, strict=True):
                self.add(g.T @ x)
            return
        x, g = inputs.to(self._rows.dtype), outputs.to(self._rows.dtype)
        self._rows += (torch.bmm(torch.bmm(x, x.transpose(1, 2)), g) * g).sum((0, 1))
        self._columns += (torch.bmm(torch.bmm(g, g.transpose(1, 2)), x) * x).sum((0, 1))

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `Squares`."""
        return {".row": self._rows, ".col": self._columns}

    def mean(self, texts: int) -> Factored:
        """See `Squares`."""
        # Rounding may leave a sum of squares a little below zero.
        rows, columns = ((one / texts).clamp_min(0).cpu() for one in (self._rows, self._columns))
        return Factored.of_sums(rows, columns)


class Captured:
    """A linear layer whose inputs and output gradients go to `squares`, until `close`.

    Args:
        module: a Linear, or transformers' Conv1D, whose weight is [d_in, d_out].
        squares: of its weight.
    """

    def __init__(self, module: Any, squares: Squares) -> None:
        self._squares = squares
        self._swapped = not isinstance(module, torch.nn.Linear)
        self.calls = 0
        self._handle = module.register_forward_hook(self._seen)

    def _seen(self, module: Any, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        self.calls += 1
        inputs = args[0].detach()

        def went_back(gradient: torch.Tensor) -> None:
            pair = (gradient, inputs) if self._swapped else (inputs, gradient)
            self._squares.add_batch(*pair)

        output.register_hook(went_back)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Stop looking."""
        self._handle.remove()


def squares_of(parameter: torch.Tensor, form: str) -> Squares:
    """Return sums of zero for a parameter; vectors have no factors, and are exact in any form."""
    return (
        FactoredSquares(parameter) if form == "factored" and parameter.ndim == 2 else ExactSquares(parameter)
    )


def _dtype(parameter: torch.Tensor) -> torch.dtype:
    return torch.float64 if parameter.dtype == torch.float64 else torch.float32
