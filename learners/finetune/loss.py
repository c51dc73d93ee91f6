"""The training loss: cross-entropy on the completions, computed only where there is something to learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from worldschool.learners.finetune.data import Batch, Row
from worldschool.models.causal import base_of, mask_for

TOKENS_PER_FORWARD = 4096
TOKENS_OF_A_PASS = 64
"""How many tokens' time a pass takes beside its tokens' (SmolLM2-135M on two cores: about 0.15 s)."""


def completion_loss(model: Any, batch: Batch, base: Any = None) -> torch.Tensor:
    """Return the weighted sum of token negative log-likelihoods (nats) at the batch's targets; see `completion_losses`."""
    return completion_losses(model, batch, base).sum()


def completion_losses(model: Any, batch: Batch, base: Any = None) -> torch.Tensor:
    """Return the weighted negative log-likelihood (nats) of each of the batch's targets, [targets].

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
    return losses * batch.weights


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
    """Group rows into forward passes, the longest rows first, so that little is computed on what fills rows up.

    Of all ways to cut the rows, in order of length, into passes of at most `TOKENS_PER_FORWARD` tokens (or one row), the one
    with the fewest tokens in all is taken; a pass counts `TOKENS_OF_A_PASS` more than it holds.
    """
    ordered = sorted(rows, key=lambda row: -len(row.packed))
    lengths = [len(row.packed) for row in ordered]
    cost, first = [0], [0]  # of the first n rows; where their last pass begins
    for end in range(1, len(ordered) + 1):
        options = [
            (cost[start] + TOKENS_OF_A_PASS + (end - start) * lengths[start], start)
            for start in range(end)
            if end - start == 1 or (end - start) * lengths[start] <= TOKENS_PER_FORWARD
        ]
        least, start = min(options)
        cost.append(least)
        first.append(start)
    parts: list[list[Row]] = []
    end = len(ordered)
    while end:
        parts.insert(0, ordered[first[end] : end])
        end = first[end]
    return parts
