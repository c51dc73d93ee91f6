"""The log-probability of every token of given completions, each prompt computed once for all of its completions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from worldschool.errors import ModelError
from worldschool.models.causal import mask_for
from worldschool.models.packing import Packed, batches_by_length, collate, common_prefix, pack
from worldschool.models.prefix import SharedPrefix
from worldschool.progress import Advance

if TYPE_CHECKING:
    from worldschool.models.language import LocalModel

TOKENS_PER_BATCH = 2048
PROMPTS_ENCODED_AT_ONCE = 256
"""Prompts tokenised together, each once with every completion; only the packed rows are kept."""
POSITIONS_AT_ONCE = 256
"""Positions whose logits over the whole vocabulary are held at a time."""


class NotFiniteError(ModelError):
    """A model's logits are no numbers.

    Attributes:
        prompt: index of the prompt at which it showed.
    """

    prompt = 0

    @classmethod
    def at(cls, prompt: int, model: str) -> NotFiniteError:
        """Return the error for the prompt with this index, asked of the model of this name."""
        error = cls(
            f"the model's logits are not finite numbers (prompt {prompt})",
            where=model,
            mend="Its weights may be damaged, or its dtype too narrow: try float32.",
        )
        error.prompt = prompt
        return error


@dataclass(frozen=True)
class ScoredTokens:
    """A completion's tokens, and the log-probability (nats) of each after all that precedes it."""

    tokens: tuple[int | str, ...]
    logprobs: tuple[float, ...]


@dataclass(frozen=True)
class _Row:
    """A prompt with its completions behind it; of completion i the last `counts[i]` tokens are scored."""

    packed: Packed
    counts: tuple[int, ...]

    def scored(self) -> list[tuple[int, int]]:
        """Return, for each scored token in order, its index and the index of the token that predicts it."""
        found = []
        ends = [*self.packed.starts[1:], len(self.packed)]
        for start, end, count in zip(self.packed.starts, ends, self.counts, strict=True):
            for at in range(end - count, end):
                found.append((at, self.packed.starts[0] - 1 if at == start else at - 1))
        return found


def token_logprobs(
    model: LocalModel,
    prompts: Sequence[str],
    completions: Sequence[Sequence[str]],
    advance: Advance,
    *,
    aligned: bool = False,
) -> list[list[ScoredTokens]]:
    """Return each completion's tokens with their log-probabilities; same shape as `completions`.

    Completions are laid out behind their prompt under a mask (`packing`), rows of similar length share a batch, and
    what all prompts begin with (worked examples, say) is computed once.

    Args:
        model: whose log-probabilities.
        prompts: one or more completions are scored after each.
        completions: for each prompt.
        advance: told of every prompt done.
        aligned: whether all completions of a prompt begin at the same token. Otherwise each begins where its own text
            does, or with the token that straddles that place.

    Raises:
        ModelError: a prompt is empty, or does not fit the context with its longest completion.
        NotFiniteError: a log-probability is no number.
    """
    rows: list[_Row] = []
    for start in range(0, len(prompts), PROMPTS_ENCODED_AT_ONCE):
        part = slice(start, start + PROMPTS_ENCODED_AT_ONCE)
        pairs = _encoded(model, prompts[part], completions[part])
        rows += [_row(model, one, aligned) for one in pairs]
    if not rows:
        return []
    results: list[list[ScoredTokens]] = [[] for _ in rows]
    # The token that predicts a row's first completion is computed with the row.
    shared = SharedPrefix(
        model, [row.packed.tokens for row in rows], [row.packed.starts[0] - 1 for row in rows]
    )
    for batch in batches_by_length([len(row.packed) - shared.length for row in rows], TOKENS_PER_BATCH):
        values = _batch_logprobs(model, shared, [rows[index] for index in batch])
        for index, logprobs in zip(batch, values, strict=True):
            if any(math.isnan(value) for value in logprobs):
                raise NotFiniteError.at(index, model.name)
            results[index] = _by_completion(rows[index], logprobs)
        advance(len(batch))
    return results


def encoded_row(
    model: LocalModel, prompt: str, completions: Sequence[str]
) -> tuple[list[int], list[list[int]], list[int]]:
    """Return the tokens that all texts of a prompt and a completion share, those behind for each, and how many of these are scored.

    Raises:
        ModelError: the prompt is empty, or does not fit the context with its longest completion.
    """
    (pairs,) = _encoded(model, [prompt], [completions])
    shared, behind = _behind(model, pairs)
    return pairs[0][0][:shared], behind, [len(tail) for _, tail in pairs]


def _encoded(
    model: LocalModel, prompts: Sequence[str], completions: Sequence[Sequence[str]]
) -> list[list[tuple[list[int], list[int]]]]:
    """Return (tokens before, tokens of the completion) for each, tokenised as one text and cut between them."""
    texts = list(prompts)
    for prompt, options in zip(prompts, completions, strict=True):
        texts += [prompt + option for option in options]
    tokens = iter(model.encode(texts))  # all at once: fast tokenizers work in parallel
    heads = [next(tokens) for _ in prompts]
    found = []
    for head, options in zip(heads, completions, strict=True):
        pairs = []
        for _ in options:
            whole = next(tokens)
            cut = common_prefix([head, whole])
            pairs.append((whole[:cut], whole[cut:]))
        found.append(pairs)
    return found


def _row(model: LocalModel, pairs: list[tuple[list[int], list[int]]], aligned: bool) -> _Row:
    shared, behind = _behind(model, pairs)
    scored = behind if aligned else [tail for _, tail in pairs]
    return _Row(pack(pairs[0][0][:shared], behind), tuple(len(tokens) for tokens in scored))


def _behind(model: LocalModel, pairs: list[tuple[list[int], list[int]]]) -> tuple[int, list[list[int]]]:
    """Return how many tokens all texts share, of their prompt's at most, and what stands behind in each."""
    shared = min(common_prefix([head + tail for head, tail in pairs]), *(len(head) for head, _ in pairs))
    model.check_length(shared, max(len(head) + len(tail) for head, tail in pairs))
    return shared, [(head + tail)[shared:] for head, tail in pairs]


def _batch_logprobs(model: LocalModel, shared: SharedPrefix, rows: Sequence[_Row]) -> list[list[float]]:
    """Return, for each row, the log-probabilities of its scored tokens in order."""
    hidden = _hidden(model, shared, [row.packed for row in rows])
    places = [(number, *place) for number, row in enumerate(rows) for place in row.scored()]
    values: list[float] = []
    for start in range(0, len(places), POSITIONS_AT_ONCE):
        some = places[start : start + POSITIONS_AT_ONCE]
        at = [number for number, _, _ in some], [before - shared.length for _, _, before in some]
        logprobs = model.logits(hidden[at]).log_softmax(-1)
        targets = torch.tensor([rows[n].packed.tokens[token] for n, token, _ in some], device=model.device)
        values += logprobs.gather(1, targets[:, None])[:, 0].tolist()
    following = iter(values)
    return [[next(following) for _ in range(sum(row.counts))] for row in rows]


def _hidden(model: LocalModel, shared: SharedPrefix, rows: Sequence[Packed]) -> torch.Tensor:
    """Return the rows' hidden states `[rows, length - shared, d]` behind the tokens that all rows share."""
    packed = collate(rows, model.pad_id, model.device)
    skipped = shared.length
    hidden: torch.Tensor = model.decoder(
        input_ids=packed.input_ids[:, skipped:],
        attention_mask=mask_for(model.model, packed.attention_mask[:, :, skipped:]),
        position_ids=packed.position_ids[:, skipped:],
        past_key_values=shared.cache(len(rows)) if skipped else None,
        use_cache=bool(skipped),
    ).last_hidden_state
    return hidden


def _by_completion(row: _Row, logprobs: Sequence[float]) -> list[ScoredTokens]:
    indices = [at for at, _ in row.scored()]
    found, start = [], 0
    for count in row.counts:
        part = slice(start, start + count)
        tokens = tuple(row.packed.tokens[at] for at in indices[part])
        found.append(ScoredTokens(tokens, tuple(logprobs[part])))
        start += count
    return found
