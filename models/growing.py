"""Scores behind a prompt that grows from call to call, as an agent's does: what it began with before is not computed again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from worldschool.models.causal import base_of, mask_for
from worldschool.models.likelihood import NotFiniteError, ScoredTokens, encoded_row
from worldschool.models.packing import common_prefix
from worldschool.models.token_tree import TokenTree

if TYPE_CHECKING:
    from worldschool.models.language import CompletionScore, LocalModel


class GrowingPrompt:
    """Keeps the keys and values of the prompt that was scored behind last, and computes what completions begin with once.

    Scores are those of `LanguageModel.score` up to rounding. What is kept begins with this object, so that equal calls give equal
    scores whatever the model was asked before.

    Args:
        model: that scores.

    Attributes:
        computed: tokens that were computed so far.
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

        before, behind, counts = encoded_row(self._model, prompt, completions)
        tree = TokenTree.of(behind)
        values = self._logprobs(tuple(before), tree)
        if any(math.isnan(value) for value in values):
            raise NotFiniteError.at(0, self._model.name)
        found = []
        for path, count, text in zip(tree.paths, counts, completions, strict=True):
            nodes = path[len(path) - count :]
            scored = ScoredTokens(
                tuple(tree.tokens[node] for node in nodes), tuple(values[node] for node in nodes)
            )
            found.append(CompletionScore.of(scored, text))
        return found

    def _logprobs(self, prompt: tuple[int, ...], tree: TokenTree) -> list[float]:
        """Return the log-probability (nats) of each node after the prompt and what is above it."""
        kept = self._keep(prompt)
        new = len(prompt) - kept
        self.computed += new + len(tree.tokens)
        device = self._model.device
        positions = [*range(kept, len(prompt)), *(len(prompt) + depth for depth in tree.depths)]
        hidden = self._model.decoder(
            input_ids=torch.tensor([[*prompt[kept:], *tree.tokens]], device=device),
            attention_mask=mask_for(
                self._model.model, tree.visible(len(prompt), kept)[None, None].to(device)
            ),
            position_ids=torch.tensor([positions], device=device),
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state[0]
        self._forget_nodes(prompt)
        # A node is predicted by its parent, a root by the prompt's last token; each predictor's logits are computed once.
        predictors = sorted(set(tree.parents))
        places = torch.tensor([new + parent for parent in predictors], device=device)
        logprobs = self._model.logits(hidden[places]).log_softmax(-1)
        rows = {parent: row for row, parent in enumerate(predictors)}
        at = [rows[parent] for parent in tree.parents], list(tree.tokens)
        values: list[float] = logprobs[at].tolist()
        return values

    def _keep(self, prompt: tuple[int, ...]) -> int:
        """Cut what is kept to what this prompt begins with, too; return how long that is. Its last token is computed anew."""
        from transformers import DynamicCache

        length = min(common_prefix([prompt, self._tokens]), len(prompt) - 1) if self._cache is not None else 0
        if length:
            self._cut(length)
        else:
            self._cache = DynamicCache(config=base_of(self._model.model).config)
        return length

    def _forget_nodes(self, prompt: tuple[int, ...]) -> None:
        """Keep the prompt alone; a cache that slides cannot be cut, and is dropped."""
        self._tokens = prompt
        if any(getattr(layer, "is_sliding", False) for layer in self._cache.layers):
            self._tokens, self._cache = (), None
        else:
            self._cut(len(prompt))

    def _cut(self, length: int) -> None:
        over = self._cache.get_seq_length() - length
        if over:
            self._cache.crop(-over)
