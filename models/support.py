"""Whether a model can be computed as worldschool does it: tried on a few tokens before anything is measured or trained.

Stories are shared: several texts stand in one row behind the tokens that they have in common, and a mask and position ids keep
them apart (`packing`). A model for which that is not enough, because a layer carries a state from token to token or takes
distances from the places in the row, would give wrong numbers without a word. So would one that changes its logits in a way that
`causal.logits_of` does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from worldschool.errors import ModelError
from worldschool.models.causal import base_of, logits_of, mask_for, without_dropout
from worldschool.models.packing import collate, pack

STORY, CONTINUATION = 6, 4
"""Tokens of what is tried: a story and two texts behind it."""
EXACT, ROUGH = 1e-4, 0.05
"""How far logits may be apart, as a share of their spread: in float32 and float64 (rounding is 1e-6); in half precision (MPT's
distances, which are wrong in a shared row, make 0.06 on a tiny model)."""


def check_supported(model: Any, packed: bool = True) -> None:
    """Compare worldschool's way to compute a model with the model's own forward pass, on a few tokens.

    Args:
        model: a transformers causal language model, with an adapter or without.
        packed: whether texts will stand behind a story that they share; else only the logits are compared.

    Raises:
        ModelError: the two differ by more than rounding.
    """
    base = base_of(model)
    story, *texts = _tried(int(base.config.get_text_config().vocab_size))
    with torch.no_grad(), without_dropout(base):
        own = [_own_logits(base, [*story, *text])[len(story) :] for text in texts]
        if packed:
            found = _packed_logits(base, story, texts)
        else:
            found = [_plain_logits(base, [*story, *text])[len(story) :] for text in texts]
    for alone, here in zip(own, found, strict=True):
        if not _alike(alone, here):
            shared = "texts that share a story" if packed else "logits"
            raise _refusal(base, shared, "its logits come out otherwise than by its own forward pass")


def _tried(words: int) -> list[list[int]]:
    """Return the story and the texts: tokens from all over the vocabulary."""
    lengths = (STORY, CONTINUATION, CONTINUATION)
    step = max(1, words // (sum(lengths) + 1))
    ids = iter(range(step, words + step * sum(lengths), step))
    return [[next(ids) % words for _ in range(length)] for length in lengths]


def _own_logits(base: Any, ids: Sequence[int]) -> torch.Tensor:
    logits: torch.Tensor = base(input_ids=torch.tensor([ids], device=base.device), use_cache=False).logits[0]
    return logits


def _plain_logits(base: Any, ids: Sequence[int]) -> torch.Tensor:
    inputs = torch.tensor([ids], device=base.device)
    return logits_of(base, base.get_decoder()(input_ids=inputs, use_cache=False).last_hidden_state[0])


def _packed_logits(base: Any, story: Sequence[int], texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    row = pack(story, texts)
    batch = collate([row], 0, base.device)
    try:
        hidden = base.get_decoder()(
            input_ids=batch.input_ids,
            attention_mask=mask_for(base, batch.attention_mask),
            position_ids=batch.position_ids,
            use_cache=False,
        ).last_hidden_state[0]
    except torch.OutOfMemoryError:
        raise
    except (ValueError, RuntimeError, TypeError, IndexError) as error:  # of layers that expect another mask
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        problem = f"it takes no mask of a row's own ({why})"
        raise _refusal(base, "texts that share a story", problem) from None
    ends = [(start, start + len(text)) for start, text in zip(row.starts, texts, strict=True)]
    return [logits_of(base, hidden[start:end]) for start, end in ends]


def _alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Compare by the mean square: in half precision a mixture's token may go to another expert, which is rounding, too."""
    exact = one.dtype in (torch.float32, torch.float64)
    if not bool(torch.isfinite(one).all()):
        return True  # refused where it is met, with more to say
    one, other = one.double(), other.double()
    spread = (one - one.mean(-1, keepdim=True)).square().mean().sqrt()
    return bool((one - other).square().mean().sqrt() <= (EXACT if exact else ROUGH) * spread)


def _refusal(base: Any, what: str, problem: str) -> ModelError:
    return ModelError(
        f"{what} cannot be computed with {type(base).__name__}: {problem}",
        where=str(base.config._name_or_path) or "model",
        mend="Take a transformer whose attention takes masks and position ids (Llama, Qwen, Gemma, SmolLM, GPT-2 and most others).",
    )
