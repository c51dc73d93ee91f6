"""Token sequences that share a prefix, laid out so that the prefix is computed once.

Several continuations of one text (the options of a question, the questions about a story) are written one after
another behind it; a mask lets each see the prefix and itself, and position ids restart at the prefix's end. Every
token's logits, and every gradient, are those of the separate sequences; the prefix's work is done once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

Tokens = Sequence[int]


@dataclass(frozen=True)
class Packed:
    """One row: a prefix and its continuations.

    Attributes:
        tokens: prefix, then each continuation.
        positions: position id of each token.
        segments: 0 for the prefix, 1, 2, ... for the continuations.
        starts: index in `tokens` at which each continuation begins.
    """

    tokens: tuple[int, ...]
    positions: tuple[int, ...]
    segments: tuple[int, ...]
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.tokens)


def pack(prefix: Tokens, continuations: Sequence[Tokens]) -> Packed:
    """Lay out `continuations` behind `prefix`. The prefix must not be empty: its last token predicts the first ones."""
    if not prefix:
        raise ValueError("pack: the prefix is empty")
    tokens, positions, segments, starts = list(prefix), list(range(len(prefix))), [0] * len(prefix), []
    for number, continuation in enumerate(continuations, start=1):
        starts.append(len(tokens))
        tokens += continuation
        positions += range(len(prefix), len(prefix) + len(continuation))
        segments += [number] * len(continuation)
    return Packed(tuple(tokens), tuple(positions), tuple(segments), tuple(starts))


def common_prefix(sequences: Sequence[Tokens]) -> int:
    """Return how many leading tokens all `sequences` share."""
    if not sequences:
        return 0
    ordered = [tuple(sequence) for sequence in sequences]
    shortest, longest = min(ordered), max(ordered)  # in lexicographic order the extremes differ first
    for index, (one, other) in enumerate(zip(shortest, longest, strict=False)):
        if one != other:
            return index
    return min(len(shortest), len(longest))


@dataclass(frozen=True)
class PackedBatch:
    """Rows padded on the right, as tensors.

    Attributes:
        input_ids: `[rows, length]` int64.
        position_ids: `[rows, length]` int64.
        attention_mask: `[rows, 1, length, length]` bool, True where a query may look.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    attention_mask: torch.Tensor


def collate(rows: Sequence[Packed], pad: int, device: torch.device | str = "cpu") -> PackedBatch:
    """Pad `rows` to one length with the token `pad` and build their mask."""
    length = max(len(row) for row in rows)
    input_ids = torch.full((len(rows), length), pad, dtype=torch.int64)
    position_ids = torch.zeros((len(rows), length), dtype=torch.int64)
    segments = torch.full((len(rows), length), -1, dtype=torch.int64)
    for number, row in enumerate(rows):
        input_ids[number, : len(row)] = torch.tensor(row.tokens)
        position_ids[number, : len(row)] = torch.tensor(row.positions)
        segments[number, : len(row)] = torch.tensor(row.segments)
    same = segments[:, :, None] == segments[:, None, :]
    of_prefix = (segments == 0)[:, None, :]
    causal = torch.ones((length, length), dtype=torch.bool).tril()
    mask = (same | of_prefix) & causal
    # Padding looks at itself (`same`), so no row of the mask is empty and no softmax is 0/0.
    return PackedBatch(input_ids.to(device), position_ids.to(device), mask[:, None].to(device))


def batches_by_length(
    lengths: Sequence[int], tokens: int | None, sequences: int | None = None
) -> list[list[int]]:
    """Group indices so that a batch holds similar lengths and at most `tokens` tokens with padding, or `sequences`.

    Longest first: if memory does not suffice, that shows at once. Deterministic.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    found: list[list[int]] = []
    for index in order:
        if found:
            batch = found[-1]
            size = len(batch) + 1
            if (tokens is None or size * lengths[batch[0]] <= tokens) and (
                sequences is None or size <= sequences
            ):
                batch.append(index)
                continue
        found.append([index])
    return found
