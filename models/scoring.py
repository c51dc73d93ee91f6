"""Perplexity: how well a model still knows ordinary language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from worldschool.models.language import LocalModel, base_of, batches_by_length
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
    model: LocalModel, documents: Sequence[str], window: int = 512, advance: Advance = silent
) -> TextLoss:
    """Score every token of every document once, but the first, which has nothing before it.

    A document longer than `window` tokens, or than the model's context, is cut into windows; each begins with the
    last token of the one before, so that no token is lost at a cut. No window spans two documents.
    """
    window = min(window, model.context_length)
    pieces: list[tuple[int, list[int]]] = []
    for number, document in enumerate(documents):
        tokens = model.tokenizer(document, verbose=False)["input_ids"]
        for start in range(0, max(len(tokens) - 1, 1), window - 1):
            pieces.append((number, tokens[start : start + window]))
    nll, counts = [0.0] * len(documents), [0] * len(documents)
    for batch in batches_by_length([len(piece) for _, piece in pieces], 2048):
        for index in batch:  # windows are as long as a batch should be; padding would only add work
            number, piece = pieces[index]
            if len(piece) > 1:
                nll[number] += _sequence_nll(model, piece)
                counts[number] += len(piece) - 1
        advance(len(batch))
    return TextLoss(tuple(nll), tuple(counts), tuple(len(document.encode()) for document in documents))


def _sequence_nll(model: LocalModel, tokens: Sequence[int]) -> float:
    ids = torch.tensor([tokens], device=model.device)
    hidden = base_of(model.model).get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[0, :-1]
    logits = base_of(model.model).get_output_embeddings()(hidden).float()
    return float(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum"))
