"""Remembering by general text: stay near the base model's predictions on it (KL), or go on learning it (replay).

Both look at a few pieces of text in every step, drawn by the step's own seed, so that a run that goes on draws what an uninterrupted
one would.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import torch

from worldschool.errors import FisherError
from worldschool.models.causal import without_dropout


class _GeneralText:
    """Pieces of general text, some of which are looked at in each step.

    Args:
        model: a PEFT model.
        pieces: token ids, all of one length of two or more.
        strength: what the penalty is multiplied by.
        batch: pieces a step.
        seed: of the draws.
    """

    def __init__(
        self, model: Any, pieces: Sequence[Sequence[int]], strength: float, batch: int = 4, seed: int = 0
    ) -> None:
        if not pieces or len({len(piece) for piece in pieces}) != 1 or len(pieces[0]) < 2:
            raise FisherError(
                "there are no pieces of general text of one length to remember by",
                where="retention.general",
                mend="Give longer texts, or lower `tokens`.",
            )
        self.strength = strength
        self._model, self._pieces, self._seed = model, [list(piece) for piece in pieces], seed
        self._batch = min(batch, len(self._pieces))

    def _drawn(self, step: int) -> torch.Tensor:
        """Return int64 [batch, tokens]."""
        chosen = Random(f"{self._seed}:{step}").sample(self._pieces, self._batch)
        return torch.tensor(chosen, device=next(self._model.parameters()).device)

    def _logprobs(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the log-probabilities of what follows each token, float32 [batch, tokens - 1, words]."""
        logits = self._model(input_ids=ids, use_cache=False).logits[:, :-1]
        return torch.nn.functional.log_softmax(logits.float(), -1)


class KLToBase(_GeneralText):
    """The Kullback-Leibler divergence of the model's predictions from the base model's, in nats a token.

    The base model is the same weights with the adapter switched off (as in learning without forgetting, Li and Hoiem 2016,
    arXiv:1606.09282, and the reference of RLHF's penalty), so no second model is held; dropout is off for both, which would be
    a divergence of its own:

        penalty = mean over places of  sum_w p_base(w) ( log p_base(w) - log p(w) )
    """

    def penalty(self, step: int = 0) -> torch.Tensor:
        """See `base.Retention`."""
        ids = self._drawn(step)
        with without_dropout(self._model):
            with torch.no_grad(), self._model.disable_adapter():
                base = self._logprobs(ids)
            now = self._logprobs(ids)
        return torch.nn.functional.kl_div(now, base, reduction="none", log_target=True).sum(-1).mean()


class Replay(_GeneralText):
    """The mean token negative log-likelihood of general text, in nats: it is learned on beside the task."""

    def penalty(self, step: int = 0) -> torch.Tensor:
        """See `base.Retention`."""
        ids = self._drawn(step)
        return torch.nn.functional.nll_loss(self._logprobs(ids).flatten(0, 1), ids[:, 1:].flatten())
