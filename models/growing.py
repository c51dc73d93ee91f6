"""Scores behind a prompt that grows from call to call, as an agent's does: what it began with before is not computed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from worldschool.models.causal import base_of
from worldschool.models.likelihood import row_logprobs
from worldschool.models.packing import Packed, common_prefix

if TYPE_CHECKING:
    from worldschool.models.language import CompletionScore, LocalModel


class GrowingPrompt:
    """Keeps the keys and values of the prompt that was scored behind last.

    Scores are those of `LanguageModel.score` up to rounding. What is kept begins with this object, so that equal calls give equal
    scores whatever the model was asked before.

    Args:
        model: that scores.

    Attributes:
        computed: tokens of prompts that were computed so far, those that were kept left out.
    """

    def __init__(self, model: LocalModel) -> None:
        self._model = model
        self._tokens: tuple[int, ...] = ()
        self._cache: Any = None
        self.computed = 0

    @torch.inference_mode()
    def score(self, prompt: str, completions: Sequence[str]) -> list[CompletionScore]:
        """Return the score of each completion after the prompt.

        Raises:
            ModelError: the prompt is empty, does not fit the context with the longest completion, or a score is no number.
        """
        from worldschool.models.language import CompletionScore

        scored = row_logprobs(self._model, prompt, completions, self._begin)
        self._end()
        return [CompletionScore.of(one, text) for one, text in zip(scored, completions, strict=True)]

    def _begin(self, row: Packed) -> KeptPrefix:
        """Return what the row begins with, of what is kept; its last token before the completions is computed anew."""
        from transformers import DynamicCache

        prompt = row.tokens[: row.starts[0]]
        length = min(common_prefix([prompt, self._tokens]), len(prompt) - 1) if self._cache is not None else 0
        if length:
            self._cut(length)
        else:
            self._cache = DynamicCache(config=base_of(self._model.model).config)
        self._tokens = prompt
        self.computed += len(prompt) - length
        return KeptPrefix(length, self._cache)

    def _end(self) -> None:
        """Take the completions out of what is kept; a cache that slides cannot be cut, and is dropped."""
        if any(getattr(layer, "is_sliding", False) for layer in self._cache.layers):
            self._tokens, self._cache = (), None
        else:
            self._cut(len(self._tokens))

    def _cut(self, length: int) -> None:
        over = self._cache.get_seq_length() - length
        if over:
            self._cache.crop(-over)


class KeptPrefix:
    """The beginning of one row, with its keys and values; what is computed behind it is added to them.

    Attributes:
        length: in tokens.
    """

    def __init__(self, length: int, cache: Any) -> None:
        self.length, self._cache = length, cache

    def past(self, rows: int) -> Any:
        """Return the keys and values, to be written to."""
        assert rows == 1, "a growing prompt is one row"
        return self._cache
