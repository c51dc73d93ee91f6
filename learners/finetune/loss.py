"""The training loss: cross-entropy on the completions, computed only where there is something to learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from worldschool.learners.finetune.data import Batch, Row
from worldschool.models.causal import base_of, mask_for

TOKENS_PER_FORWARD = 4096


def completion_loss(model: Any, batch: Batch, base: Any = None) -> torch.Tensor:
    """Return the weighted sum of token negative log-likelihoods (nats) at the batch's targets.

    Args:
        model: a transformers causal language model, alone, in PEFT's wrapper or in one for several processes.
        batch: from `data.collate_rows`.
        base: the transformers model inside, where `model` does not tell.
    """
    base = base_of(model) if base is None else base
    with _only_at(base.get_output_embeddings(), batch.predictors):
        logits = model(
            input_ids=batch.inputs.input_ids,
            attention_mask=mask_for(base, batch.inputs.attention_mask),
            position_ids=batch.inputs.position_ids,
            use_cache=False,
        ).logits[0]
    losses = torch.nn.functional.cross_entropy(logits.float(), batch.labels, reduction="none")
    return (losses * batch.weights).sum()


@contextmanager
def _only_at(output_layer: Any, places: torch.Tensor) -> Iterator[None]:
    """Have the output layer, the widest of all, see these places only, [1, places, d]; what follows it is as ever."""
    handle = output_layer.register_forward_pre_hook(
        lambda _, given: (given[0].flatten(0, 1)[places].unsqueeze(0), *given[1:])
    )
    try:
        yield
    finally:
        handle.remove()


def forward_passes(rows: Sequence[Row]) -> list[list[Row]]:
    """Group rows into forward passes of at most `TOKENS_PER_FORWARD` tokens with padding (or one row), the longest first."""
    parts: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: -len(row.packed)):
        if parts and (len(parts[-1]) + 1) * len(parts[-1][0].packed) <= TOKENS_PER_FORWARD:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts
