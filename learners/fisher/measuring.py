"""Measuring the diagonal Fisher information of a language model on general text, at its original weights.

For N texts, with L_j the mean token negative log-likelihood of text j in nats (Kirkpatrick et al. 2017; Xiang et al.
2023, eq. for F):

    F_i = (1/N) sum_j (dL_j / dtheta_i)^2        at theta = theta*

Labels are the texts' own next tokens (the empirical Fisher), or drawn from what the model expects there (the true Fisher;
Kunstner, Hennig and Balles 2019, arXiv:1905.12558, on how they differ). The reduction matters for the scale of lambda: with
the mean over a text's T tokens, as here, F is T^2 times smaller than with their sum.

Gradients are exact and a text's own. Where every parameter is the weight of a linear layer of its own, texts of about one
length go forward and back together (`gradients`, `squares`); otherwise one at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import psutil
import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher.gradients import (
    Gradients,
    Labels,
    OneByOne,
    Text,
    TextLabels,
    Together,
    own_layers,
)
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.partial import Partial
from worldschool.learners.fisher.squares import Squares, squares_of
from worldschool.models.causal import (
    base_of,
    base_parameters,
    model_fingerprint,
    without_adapter,
    without_dropout,
)
from worldschool.models.support import check_supported
from worldschool.progress import Advance, silent

Form: TypeAlias = Literal["factored", "exact"]
BATCH_TOKENS = 512
"""Tokens of a batch, padding included, at most (or one text): logits take 200 KB a token with 50,000 words."""
LOOKED_AT = 8
"""Tokens of a text that are enough to see how the layers are called."""
KEPT_EVERY = 2048
"""Predicted tokens after which what was summed is kept, where it is kept."""


def compute_fisher(
    model: Any,
    texts: Sequence[Text],
    parameters: Sequence[str],
    advance: Advance = silent,
    names: Sequence[str] = (),
    *,
    form: Form = "exact",
    labels: Labels = "data",
    seed: int = 0,
    batch_tokens: int = BATCH_TOKENS,
    keep: Path | None = None,
) -> Fisher:
    """Compute the diagonal Fisher information of `model` over `texts`.

    Args:
        model: a transformers causal language model, whose weights are left as they are; adapters and dropout are off meanwhile.
        texts: token ids of N texts of two or more tokens each.
        parameters: names of the parameters wanted (see `parameters.matching_parameters`).
        advance: told of every text.
        names: what the texts are called, for the record.
        form: of matrices: every weight, or rank 1 (`forms`). Vectors are exact.
        labels: "data": the texts' own; "model": drawn from the model at every place of the texts.
        seed: of the labels drawn.
        batch_tokens: of texts that go through the model together, at most.
        keep: a file where sums are kept on the way, so that an interrupted measurement goes on; removed at the end.

    Returns:
        The Fisher information, in float32 (float64 of a model in float64).

    Raises:
        FisherError: there are no texts, a text's loss or gradients are not numbers, the sums do not fit into memory, or
            `keep` is damaged.
        ModelError: the model changes its logits in a way that is not known (`support.check_supported`).
    """
    usable = [list(text) for text in texts if len(text) > 1]
    if not usable:
        raise FisherError(
            "there is no text of two or more tokens to measure the Fisher information on",
            where=", ".join(names) or "texts",
            mend="Give a longer text, or lower `tokens`.",
        )
    base = base_of(model)
    check_supported(base, packed=False)
    weights = base_parameters(base)
    _check_memory(sum(weights[name].numel() for name in parameters), form, base.device)
    sums = {name: squares_of(weights[name], form) for name in parameters}
    data = _fingerprint(usable, labels, seed)
    of = {
        "model": model_fingerprint(base),
        "data": data,
        "form": form,
        "parameters": hashlib.sha256(repr(sorted(parameters)).encode()).hexdigest(),
    }
    partial = Partial(keep, sums, of)
    # Within, no weight asks for a gradient but those wanted; `without_adapter` gives that back.
    with without_adapter(base), without_dropout(base):
        for tensor in weights.values():
            tensor.requires_grad_(False)
        gradients = _gradients(base, {name: weights[name] for name in parameters}, sums, usable, labels, seed)
        advance(partial.done)
        _add_all(gradients, usable, batch_tokens, partial, advance)
    found = Fisher(
        {name: one.mean(len(usable)) for name, one in sums.items()},
        model_fingerprint(base),
        data,
        len(usable),
        sum(len(text) - 1 for text in usable),
        tuple(names),
        labels,
    )
    _check(found, names)
    partial.forget()
    return found


def _check_memory(numbers: int, form: Form, device: torch.device) -> None:
    """Refuse what will not fit, before anything is measured.

    Raises:
        FisherError: the sums of the exact form are larger than the memory that is free.
    """
    if form == "factored":
        return
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    needed = numbers * torch.finfo(torch.float32).bits // 8
    if needed > free:
        raise FisherError(
            f"the exact form of {numbers} weights takes {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free",
            where="form",
            mend="Take the factored form, or name fewer modules.",
        )


def _gradients(
    base: Any,
    weights: dict[str, Any],
    sums: dict[str, Squares],
    texts: Sequence[Text],
    labels: Labels,
    seed: int,
) -> Gradients:
    predicted = TextLabels(labels, seed)
    layers = own_layers(base, list(weights), min(texts, key=len)[:LOOKED_AT])
    if layers is None:
        return OneByOne(base, weights, sums, predicted)
    return Together(base, layers, sums, predicted)


def _add_all(
    gradients: Gradients, texts: Sequence[Text], batch_tokens: int, partial: Partial, advance: Advance
) -> None:
    """Add the texts that are not in the sums yet, the longest first where several go together."""
    order = list(range(len(texts)))
    if gradients.together:
        order.sort(key=lambda at: (-len(texts[at]), at))
    unkept = 0
    for batch in _batches(order[partial.done :], texts, batch_tokens if gradients.together else 1):
        gradients.add([texts[at] for at in batch], batch)
        partial.done += len(batch)
        unkept += sum(len(texts[at]) for at in batch)
        if unkept >= KEPT_EVERY:
            partial.keep()
            unkept = 0
        advance(len(batch))


def _batches(order: Sequence[int], texts: Sequence[Text], tokens: int) -> Iterator[list[int]]:
    """Yield the numbers of texts that go together, `tokens` in all with what fills them up, or a single one."""
    batch: list[int] = []
    for at in order:
        if batch and (len(batch) + 1) * max(len(texts[one]) for one in (*batch, at)) > tokens:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _fingerprint(texts: Sequence[Text], labels: Labels, seed: int) -> str:
    """Return the sha256 (hex) of what the gradients are of; of labels from the data it is the token ids' alone."""
    what = repr(texts) if labels == "data" else repr((texts, labels, seed))
    return hashlib.sha256(what.encode()).hexdigest()


def _check(fisher: Fisher, names: Sequence[str]) -> None:
    """Refuse what did not come out as numbers.

    Raises:
        FisherError: naming the parameter.
    """
    for name, one in fisher.values.items():
        if not all(bool(torch.isfinite(tensor.sum())) for tensor in one.tensors().values()):
            raise FisherError(
                f"the squared gradients of {name} are not numbers",
                where=", ".join(names) or "texts",
                mend="Load the model in float32 or bfloat16 and look whether its weights are numbers.",
            )
