"""The training loss: cross-entropy on the completions, computed only where there is something to learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from worldschool.learners.finetune.data import Batch, Row, collate_rows
from worldschool.learners.retention.base import Retention
from worldschool.models.causal import base_of, mask_for

TOKENS_PER_FORWARD = 4096


def completion_loss(model: Any, batch: Batch) -> torch.Tensor:
    """Return the weighted sum of token negative log-likelihoods (nats) at the batch's targets."""
    base = base_of(model)
    out = base.get_decoder()(
        input_ids=batch.inputs.input_ids,
        attention_mask=mask_for(base, batch.inputs.attention_mask),
        position_ids=batch.inputs.position_ids,
        use_cache=False,
    )
    # Rows are picked before the output layer, the widest of all: only answers pay for it.
    hidden = out.last_hidden_state.flatten(0, 1)[batch.predictors]
    logits = base.get_output_embeddings()(hidden).float()
    losses = torch.nn.functional.cross_entropy(logits, batch.labels, reduction="none")
    return (losses * batch.weights).sum()


def accumulate_gradients(
    model: Any, rows: Sequence[Row], retention: Retention, pad: int, device: torch.device, step: int = 0
) -> tuple[float, float]:
    """Add the gradient of one step's whole loss, L_V + lambda * penalty, to the adapter's `.grad`.

    L_V is the weighted mean of token negative log-likelihoods over the step's targets. Long steps are computed in
    several forward passes; the sum is the same.

    Returns:
        L_V in nats and the penalty before lambda.
    """
    total_weight = sum(weight for row in rows for weight in row.weights)
    loss_value = 0.0
    for part in _parts(rows):
        loss = completion_loss(model, collate_rows(part, pad, device)) / total_weight
        loss.backward()  # type: ignore[no-untyped-call]
        loss_value += loss.item()
    penalty_value = 0.0
    if retention.strength > 0:
        penalty = retention.penalty(step)
        (retention.strength * penalty).backward()  # type: ignore[no-untyped-call]
        penalty_value = penalty.item()
    return loss_value, penalty_value


def _parts(rows: Sequence[Row]) -> list[list[Row]]:
    parts: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: -len(row.packed)):
        if parts and (len(parts[-1]) + 1) * len(parts[-1][0].packed) <= TOKENS_PER_FORWARD:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts
