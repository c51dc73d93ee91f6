"""Perplexity: how well a model still knows ordinary language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from worldschool.errors import ModelError
from worldschool.models.language import LocalModel
from worldschool.progress import Advance, silent


@dataclass(frozen=True)
class TextLoss:
    """Negative log-likelihood of texts under one model.

    Attributes:
        nll: `[documents]` sums of token negative log-likelihoods, nats.
        tokens: `[documents]` how many tokens were predicted.
        bytes: `[documents]` UTF-8 bytes of the documents.
    """

    nll: tuple[float, ...]
    tokens: tuple[int, ...]
    bytes: tuple[int, ...]

    @property
    def perplexity(self) -> float:
        """exp of the mean token negative log-likelihood in nats."""
        return math.exp(sum(self.nll) / sum(self.tokens))

    @property
    def bits_per_byte(self) -> float:
        """Total negative log-likelihood in bits over the texts' UTF-8 bytes."""
        return sum(self.nll) / math.log(2) / sum(self.bytes)


@torch.inference_mode()
def text_loss(
    model: LocalModel,
    documents: Sequence[str],
    window: int = 512,
    advance: Advance = silent,
    stride: int | None = None,
) -> TextLoss:
    """Score every token of every document once, but the first, which has nothing before it.

    A document longer than `window` tokens, or than the model's context, is cut into windows that begin `stride` tokens
    apart. A window counts only the tokens that no window before it has counted; the others are context, so every token
    but those of a document's first window is predicted from at least window - stride tokens. No window spans two
    documents. (The strided evaluation of Hugging Face's guide to perplexity, document by document.)

    Args:
        model: whose loss.
        documents: in order; empty ones have no tokens.
        window: longest stretch read at once, in tokens, at least 2.
        advance: told of every document done.
        stride: from 1 to window - 1, which is the default: windows that share one token, so that none is lost at a cut.

    Raises:
        ModelError: the window is shorter than 2 tokens, the stride does not fit it, or a loss is no finite number.
    """
    window = min(window, model.context_length)
    stride = window - 1 if stride is None else stride
    if window < 2 or not 1 <= stride < window:
        raise ModelError(
            f"windows of {window} tokens cannot begin {stride} tokens apart",
            where=model.name,
            mend="Choose a window of two tokens or more, no longer than the model's context, and a stride below it.",
        )
    nll, counts = [0.0] * len(documents), [0] * len(documents)
    for number, tokens in enumerate(model.encode(documents)):
        for piece, new in windows(tokens, window, stride):
            # One at a time: windows are as long as a batch should be, and padding would only add work.
            nll[number] += _sequence_nll(model, piece, new) if new else 0.0
            counts[number] += new
        if not math.isfinite(nll[number]):
            raise ModelError(
                f"the loss of document {number} is {nll[number]}",
                where=model.name,
                mend="The model's weights may be damaged, or its dtype too narrow: try float32.",
            )
        advance()
    return TextLoss(tuple(nll), tuple(counts), tuple(len(document.encode()) for document in documents))


def windows(tokens: list[int], window: int, stride: int) -> list[tuple[list[int], int]]:
    """Return (tokens of a window, how many at its end are counted), so that all but the first token are counted once."""
    found = []
    counted = 1
    for start in range(0, max(len(tokens) - 1, 1), stride):
        end = min(start + window, len(tokens))
        found.append((tokens[start:end], max(end - counted, 0)))
        counted = end
        if end == len(tokens):
            break
    return found


def _sequence_nll(model: LocalModel, tokens: Sequence[int], new: int) -> float:
    ids = torch.tensor([tokens], device=model.device)
    hidden = model.decoder(input_ids=ids, use_cache=False).last_hidden_state[0, -new - 1 : -1]
    return float(torch.nn.functional.cross_entropy(model.logits(hidden), ids[0, -new:], reduction="sum"))
