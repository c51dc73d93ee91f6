"""Greedy generation in batches, what all prompts begin with computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from worldschool.models.likelihood import NotFiniteError
from worldschool.models.packing import batches_by_length
from worldschool.models.prefix import SharedPrefix
from worldschool.progress import Advance

if TYPE_CHECKING:
    from worldschool.models.language import LocalModel

SEQUENCES_PER_BATCH = 64
TOKENS_PER_BATCH = 32768
"""Of prompts and what may be generated; bounds the memory that keys and values take."""


def first_line(text: str) -> str:
    """Return the first line that is not empty, without outer spaces: what counts of a generated text."""
    return text.strip("\n").split("\n")[0].strip()


def greedy(model: LocalModel, prompts: Sequence[str], max_new_tokens: int, advance: Advance) -> list[str]:
    """Return each prompt's continuation by the likeliest token each time: see `LanguageModel.generate`.

    Raises:
        ModelError: a prompt is empty, or does not fit the context with what may be generated.
        NotFiniteError: a logit is no number.
    """
    encoded = model.encode(prompts)
    for tokens in encoded:
        model.check_length(len(tokens), len(tokens) + max_new_tokens)
    texts = [""] * len(prompts)
    lengths = [len(tokens) + max_new_tokens for tokens in encoded]
    for batch in batches_by_length(lengths, TOKENS_PER_BATCH, SEQUENCES_PER_BATCH):
        try:
            found = _batch(model, [encoded[index] for index in batch], max_new_tokens)
        except NotFiniteError as error:
            raise NotFiniteError.at(batch[error.prompt], model.name) from None
        for index, text in zip(batch, found, strict=True):
            texts[index] = text
        advance(len(batch))
    return texts


def _batch(model: LocalModel, prompts: Sequence[list[int]], max_new_tokens: int) -> list[str]:
    shared = SharedPrefix(model, prompts, [len(prompt) - 1 for prompt in prompts])
    ids, mask, positions = _padded(model, prompts, shared.length)
    cache = shared.cache(len(prompts))
    produced: list[list[int]] = [[] for _ in prompts]
    texts, finished = [""] * len(prompts), [False] * len(prompts)
    for _ in range(max_new_tokens):
        out = model.decoder(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        )
        cache = out.past_key_values
        logits = model.logits(out.last_hidden_state[:, -1])
        _check_finite(logits, finished, model.name)
        chosen = logits.argmax(-1)
        for row, token in enumerate(chosen.tolist()):
            if finished[row]:
                continue
            produced[row].append(token)
            texts[row] = model.tokenizer.decode(produced[row], skip_special_tokens=True)
            finished[row] = token in model.end_ids or "\n" in texts[row].lstrip("\n")
        if all(finished):
            break
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    return [first_line(text) for text in texts]


def _padded(
    model: LocalModel, prompts: Sequence[list[int]], shared: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids and positions `[rows, width]` behind the shared tokens, and the mask `[rows, shared + width]`."""
    width = max(len(prompt) for prompt in prompts) - shared
    ids = torch.full((len(prompts), width), model.pad_id, dtype=torch.int64)
    mask = torch.zeros((len(prompts), shared + width), dtype=torch.int64)
    mask[:, :shared] = 1
    for row, prompt in enumerate(prompts):  # padded on the left, so that all rows end together
        count = len(prompt) - shared
        ids[row, width - count :] = torch.tensor(prompt[shared:])
        mask[row, shared + width - count :] = 1
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, shared:]
    return ids.to(model.device), mask.to(model.device), positions.to(model.device)


def _check_finite(logits: torch.Tensor, finished: Sequence[bool], name: str) -> None:
    # A largest logit that is finite says that none is NaN or +inf; -inf forbids a token and is no fault.
    largest = logits.max(-1).values
    for row, fine in enumerate(largest.isfinite().tolist()):
        if not fine and not finished[row]:
            raise NotFiniteError.at(row, name)
