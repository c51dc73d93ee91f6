"""Examples as token rows: questions about one story share its tokens."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch

from worldschool.errors import DatasetError
from worldschool.learners.finetune.shots import answer_tokens
from worldschool.models.causal import encode_pair
from worldschool.models.packing import Packed, PackedBatch, collate, common_prefix, pack
from worldschool.records import Example

SHARED_TOKENS_MINIMUM = 16


@dataclass(frozen=True)
class Row:
    """One story with its questions.

    Attributes:
        packed: the tokens (see `models.packing`).
        targets: indices in `packed.tokens` whose token is learned.
        predictors: for each target, the index whose output predicts it.
        weights: for each target, its example's weight.
        examples: how many examples the row holds.
    """

    packed: Packed
    targets: tuple[int, ...]
    predictors: tuple[int, ...]
    weights: tuple[float, ...]
    examples: int


@dataclass(frozen=True)
class TrainingData:
    """Rows to train on and the examples that were left out, with the reason."""

    rows: tuple[Row, ...]
    excluded: tuple[tuple[str, str], ...]

    @property
    def examples(self) -> int:
        """How many examples the rows hold."""
        return sum(row.examples for row in self.rows)

    @property
    def tokens(self) -> int:
        """How many tokens the rows hold; a shared story counts once."""
        return tokens_of(self.rows)


def tokens_of(rows: Sequence[Row]) -> int:
    """Return how many tokens rows hold; a shared story counts once."""
    return sum(len(row.packed) for row in rows)


def weight_of(rows: Sequence[Row]) -> float:
    """Return the sum of the targets' weights: what a step's loss is divided by."""
    return sum(weight for row in rows for weight in row.weights)


class _Encoded(NamedTuple):
    """An example's tokens: its prompt's, its completion's, and which of the prompt's are learned, too; and how many examples it is."""

    head: list[int]
    tail: list[int]
    also: list[int]
    weight: float
    examples: int = 1

    def __len__(self) -> int:
        return len(self.head) + len(self.tail)


def build_rows(
    tokenizer: Any,
    examples: Sequence[Example],
    max_length: int,
    learn_shots: bool = False,
    where: str = "examples",
) -> TrainingData:
    """Tokenise examples and lay those about one episode out behind their common prompt.

    Args:
        tokenizer: of the model to be trained.
        examples: in any order; those of one episode that follow each other are grouped.
        max_length: examples of more tokens are left out; rows are cut so that none is longer than twice this, nor
            than the longest example if that is more.
        learn_shots: whether the answers of worked examples in the prompts are learned, too (`shots.answer_spans`).
        where: the setting that names the examples, for the error.

    Raises:
        DatasetError: no example is left.
    """
    excluded: list[tuple[str, str]] = []
    rows: list[Row] = []
    for _, group in groupby(examples, key=lambda example: example.episode_id):
        fitting = []
        for example in group:
            head, tail = encode_pair(tokenizer, example.prompt, example.completion)
            if len(head) + len(tail) > max_length:
                excluded.append(
                    (example.example_id, f"{len(head) + len(tail)} tokens, more than {max_length}")
                )
            elif not head or not tail:
                excluded.append((example.example_id, "its prompt or completion is empty"))
            elif not example.weight > 0:
                excluded.append((example.example_id, f"its weight is {example.weight}"))
            else:
                also = answer_tokens(tokenizer, example.prompt) if learn_shots else []
                also = [at for at in also if 0 < at < len(head)]
                fitting.append(_Encoded(head, tail, also, example.weight))
        rows += _pack_group(_chained(fitting), max_length)
    if not rows:
        reason = f"The first was left out because: {excluded[0][1]}." if excluded else None
        raise DatasetError(f"none of the {len(excluded)} examples can be used", where=where, mend=reason)
    return TrainingData(tuple(rows), tuple(excluded))


def tell_excluded(data: TrainingData, what: str = "examples") -> None:
    """Say on standard error how many examples were left out, and why the first was."""
    if data.excluded:
        example, reason = data.excluded[0]
        print(
            f"fine-tune: {len(data.excluded)} of {data.examples + len(data.excluded)} {what} were left out; "
            f"the first is {example}: {reason}",
            file=sys.stderr,
        )


def _chained(group: Sequence[_Encoded]) -> list[_Encoded]:
    """Make one of examples whose prompts go on where the one before has ended, as an agent's do from step to step."""
    found: list[_Encoded] = []
    for one in group:
        before = found[-1] if found else None
        if before is not None and one.weight == before.weight:
            whole = before.head + before.tail
            if one.head[: len(whole)] == whole:
                learned = {*before.also, *range(len(before.head), len(whole)), *one.also}
                found[-1] = _Encoded(
                    one.head, one.tail, sorted(learned), one.weight, before.examples + one.examples
                )
                continue
        found.append(one)
    return found


def _pack_group(group: list[_Encoded], max_length: int) -> list[Row]:
    """Lay examples out in rows: each joins the row of those before it where that makes fewer tokens of both."""
    rows: list[Row] = []
    taken: list[_Encoded] = []
    shared, size = 0, 0
    for one in group:
        if taken:
            common = min(shared, common_prefix([taken[0].head, one.head]))
            joined = size + len(one) - common + (len(taken) - 1) * (shared - common)
            if common >= SHARED_TOKENS_MINIMUM and joined < size + len(one) and joined <= 2 * max_length:
                taken.append(one)
                shared, size = common, joined
                continue
            rows.append(_row(taken, shared))
        taken, shared, size = [one], len(one.head), len(one)
    return [*rows, _row(taken, shared)] if taken else rows


def _row(group: list[_Encoded], shared: int) -> Row:
    """Lay examples out behind their first `shared` tokens; what is learned of these is learned once."""
    packed = pack(group[0].head[:shared], [one.head[shared:] + one.tail for one in group])
    # An agent's steps may come in any order: one that is packed later can learn more of what all share than the first.
    learned_once = {at: one.weight for one in reversed(group) for at in one.also if at < shared}
    places = [(at, at - 1, weight) for at, weight in sorted(learned_once.items())]
    for start, one in zip(packed.starts, group, strict=True):
        learned = [at for at in one.also if at >= shared] + list(range(len(one.head), len(one)))
        for at in learned:
            here = start + at - shared
            places.append((here, shared - 1 if at == shared else here - 1, one.weight))
    targets, predictors, weights = zip(*places, strict=True)
    return Row(packed, targets, predictors, weights, sum(one.examples for one in group))


def text_row(tokens: Sequence[int]) -> Row:
    """Return a row that learns every token of a text but its first."""
    after = len(tokens) - 1
    targets = tuple(range(1, len(tokens)))
    return Row(pack(tokens[:1], [tokens[1:]]), targets, tuple(range(after)), (1.0,) * after, 1)


def batches(rows: Sequence[Row], batch_examples: int, seed: int) -> Iterator[list[Row]]:
    """Yield batches of at least `batch_examples` examples for ever, in a new seeded order each time round."""
    epoch = 0
    batch: list[Row] = []
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(len(rows))
        for index in order:
            batch.append(rows[index])
            if sum(row.examples for row in batch) >= batch_examples:
                yield batch
                batch = []
        epoch += 1


@dataclass(frozen=True)
class Batch:
    """One forward pass.

    Attributes:
        inputs: the padded rows.
        predictors: `[targets]` flat indices into `[rows * length]` outputs.
        labels: `[targets]` int64 token ids.
        weights: `[targets]` float32.
    """

    inputs: PackedBatch
    predictors: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor


def collate_rows(rows: Sequence[Row], pad: int, device: torch.device | str) -> Batch:
    """Pad rows to one length and flatten their targets."""
    inputs = collate([row.packed for row in rows], pad, device)
    length = inputs.input_ids.shape[1]
    predictors = [number * length + at for number, row in enumerate(rows) for at in row.predictors]
    labels = [row.packed.tokens[at] for row in rows for at in row.targets]
    weights = [weight for row in rows for weight in row.weights]
    return Batch(
        inputs,
        torch.tensor(predictors, device=device),
        torch.tensor(labels, device=device),
        torch.tensor(weights, dtype=torch.float32, device=device),
    )
