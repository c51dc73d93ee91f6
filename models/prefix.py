"""What all sequences of a batch begin with, computed once: its keys and values are repeated for every row."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from worldschool.models.causal import base_of
from worldschool.models.packing import common_prefix

if TYPE_CHECKING:
    from worldschool.models.language import LocalModel

SHARED_PREFIX_MINIMUM = 16
"""Shorter beginnings are computed again for every sequence: copying would cost as much."""


class SharedPrefix:
    """The tokens that all `sequences` begin with, and their keys and values.

    Args:
        model: whose keys and values.
        sequences: at least one.
        most: may be shared of each at most; the last token that is to predict something is never shared.

    Attributes:
        length: how many tokens are shared; 0 where sharing does not pay.
    """

    def __init__(self, model: LocalModel, sequences: Sequence[Sequence[int]], most: Sequence[int]) -> None:
        self._model = model
        self.length = min(common_prefix(sequences), *most) if len(sequences) > 1 else 0
        if self.length < SHARED_PREFIX_MINIMUM:
            self.length = 0
        self._cache: Any = None
        if self.length:
            ids = torch.tensor([list(sequences[0][: self.length])], device=model.device)
            self._cache = model.decoder(input_ids=ids, use_cache=True).past_key_values

    def cache(self, rows: int) -> Any:
        """Return a cache of the shared tokens for `rows` sequences, to be written to; an empty one if none are shared."""
        if self._cache is None:
            from transformers import DynamicCache

            return DynamicCache(config=base_of(self._model.model).config)
        repeated = copy.deepcopy(self._cache)
        repeated.batch_repeat_interleave(rows)
        return repeated
