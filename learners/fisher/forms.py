"""Two forms of a matrix's Fisher information, and what each makes of a penalty.

Elastic weight consolidation (Kirkpatrick et al. 2017) adds sum_ij F_ij D_ij^2 to the loss, D being how far a matrix is
from its start. Both forms give its value and its gradients in closed form, so that no autograd graph is built for it.

- `Exact` has F as it was measured, one number a weight.
- `Factored` has F = R C^T with nonnegative R [rows, k] and C [columns, k], as Adafactor (Shazeer and Stern 2018,
  arXiv:1804.04235) keeps second moments with k = 1. With F's row sums r, column sums c and their total t, r c^T / t is of all
  matrices of rank 1 the nearest to F in generalised Kullback-Leibler divergence (Lee and Seung 2001): the derivative of
  sum_ij (u_i v_j - F_ij log u_i v_j) by u_i is zero where u_i sum_j v_j = r_i, and that by v_j where v_j sum_i u_i = c_j. So
  row and column sums are all that has to be measured, and rows and columns keep their sums.

For LoRA (Hu et al. 2021), D = s B A with A [r, d_in] and B [d_out, r].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch


class Pull(NamedTuple):
    """A penalty's value, a scalar, and its gradients by the two factors of a low-rank change.

    Attributes:
        value: sum F D^2, float32.
        by_a: float32 [r, d_in].
        by_b: float32 [d_out, r].
    """

    value: torch.Tensor
    by_a: torch.Tensor
    by_b: torch.Tensor


@dataclass(frozen=True)
class Exact:
    """One number a weight.

    Attributes:
        values: float32, of the parameter's shape, all >= 0.
    """

    values: torch.Tensor

    @property
    def shape(self) -> torch.Size:
        """The parameter's shape."""
        return self.values.shape

    @property
    def rank(self) -> int | None:
        """None: it has none."""
        return None

    def dense(self) -> torch.Tensor:
        """Return F, of the parameter's shape."""
        return self.values

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return what is stored, by the end of its name."""
        return {"": self.values}

    def transposed(self) -> Exact:
        """Return the same for the transposed matrix."""
        return Exact(self.values.T.contiguous())

    def to(self, device: torch.device) -> Exact:
        """Return the same on a device."""
        return Exact(self.values.to(device))

    def low_rank_pull(self, a: torch.Tensor, b: torch.Tensor, scale: float) -> Pull:
        """Return the penalty on D = s B A and its gradients, in O(d_out d_in r).

        With G = F * D: the value is sum D * G, the gradients are 2 s B^T G by A and 2 s G A^T by B. The product B A is formed once.

        Args:
            a: [r, d_in].
            b: [d_out, r].
            scale: s.
        """
        a, b = a.detach().to(self.values.dtype), b.detach().to(self.values.dtype)
        change = (b @ a).mul_(scale)
        weighted = change * self.values
        value = torch.dot(change.flatten(), weighted.flatten())
        return Pull(value, (b.T @ weighted).mul_(2 * scale), (weighted @ a.T).mul_(2 * scale))

    def pull(self, change: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the penalty on any change D and its gradient 2 F * D, for full fine-tuning."""
        change = change.detach().to(self.values.dtype)
        weighted = change * self.values
        return torch.dot(change.flatten(), weighted.flatten()), weighted.mul_(2)


@dataclass(frozen=True)
class Factored:
    """A nonnegative low-rank approximation, F = R C^T.

    Attributes:
        rows: R, float32 [rows, k], >= 0.
        columns: C, float32 [columns, k], >= 0.
    """

    rows: torch.Tensor
    columns: torch.Tensor

    @classmethod
    def of_sums(cls, rows: torch.Tensor, columns: torch.Tensor) -> Factored:
        """Return rank 1 from F's row sums [rows] and column sums [columns]."""
        total = columns.sum()
        scaled = columns / total if total > 0 else columns
        return cls(rows.reshape(-1, 1).contiguous(), scaled.reshape(-1, 1).contiguous())

    @property
    def shape(self) -> torch.Size:
        """The parameter's shape."""
        return torch.Size((len(self.rows), len(self.columns)))

    @property
    def rank(self) -> int | None:
        """k."""
        return self.rows.shape[1]

    def dense(self) -> torch.Tensor:
        """Return R C^T, of the parameter's shape."""
        return self.rows @ self.columns.T

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return what is stored, by the end of its name."""
        return {".row": self.rows, ".col": self.columns}

    def transposed(self) -> Factored:
        """Return the same for the transposed matrix."""
        return Factored(self.columns, self.rows)

    def to(self, device: torch.device) -> Factored:
        """Return the same on a device."""
        return Factored(self.rows.to(device), self.columns.to(device))

    def low_rank_pull(self, a: torch.Tensor, b: torch.Tensor, scale: float) -> Pull:
        """Return the penalty on D = s B A and its gradients, in O((d_out + d_in) r^2 k): no matrix of D's size is formed.

        With u and v the columns of R and C, of each of the k: sum_ij u_i v_j (B A)_ij^2 is the squared Frobenius norm of
        (diag(sqrt u) B) (A diag(sqrt v)), which is the sum over P * Q of two r x r matrices, P = B^T diag(u) B and
        Q = A diag(v) A^T. Both are symmetric, so the gradients are 2 s^2 P A diag(v) by A and 2 s^2 diag(u) B Q by B.

        Args:
            a: [r, d_in].
            b: [d_out, r].
            scale: s.
        """
        a, b = a.detach().to(self.rows.dtype), b.detach().to(self.rows.dtype)
        value = a.new_zeros(())
        by_a, by_b = torch.zeros_like(a), torch.zeros_like(b)
        for u, v in zip(self.rows.T, self.columns.T, strict=True):
            ub, av = u[:, None] * b, a * v
            p, q = b.T @ ub, av @ a.T
            value = value + torch.dot(p.flatten(), q.flatten())
            by_a.addmm_(p, av)
            by_b.addmm_(ub, q)
        return Pull(value * scale**2, by_a.mul_(2 * scale**2), by_b.mul_(2 * scale**2))

    def pull(self, change: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the penalty on any change D and its gradient 2 F * D, for full fine-tuning."""
        return Exact(self.dense()).pull(change)


Importance: TypeAlias = Exact | Factored
"""One parameter's Fisher information."""


def factor(values: torch.Tensor, rank: int, steps: int = 200) -> Factored:
    """Return the nonnegative approximation of a matrix that is near in generalised Kullback-Leibler divergence.

    Rank 1 is exact (see above). Higher ranks start from it, split by a fixed pattern, and follow the multiplicative updates of
    Lee and Seung 2001, which never raise the divergence.

    Args:
        values: float32 [rows, columns], >= 0.
        rank: k, at least 1.
        steps: updates of each factor.
    """
    one = Factored.of_sums(values.sum(1), values.sum(0))
    if rank == 1:
        return one
    spread = torch.Generator().manual_seed(rank)
    rows = one.rows * (0.5 + torch.rand(len(one.rows), rank, generator=spread)) / rank
    columns = one.columns * (0.5 + torch.rand(len(one.columns), rank, generator=spread))
    tiny = torch.finfo(torch.float32).tiny
    for _ in range(steps):
        rows *= (values / (rows @ columns.T).clamp_min(tiny)) @ columns / columns.sum(0).clamp_min(tiny)
        columns *= (values / (rows @ columns.T).clamp_min(tiny)).T @ rows / rows.sum(0).clamp_min(tiny)
    return Factored(rows.contiguous(), columns.contiguous())
