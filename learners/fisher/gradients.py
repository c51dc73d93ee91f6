"""Squared gradients of single texts: by autograd, one text at a time, or of a batch of texts in one backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Literal, Protocol, TypeAlias

import torch

from worldschool.learners.fisher.squares import Captured, Squares
from worldschool.models.causal import logits_of

Labels: TypeAlias = Literal["data", "model"]
Text: TypeAlias = Sequence[int]


class TextLabels:
    """What each place of a text is to predict.

    Args:
        labels: "data": the next token; "model": one drawn from what the model expects there.
        seed: of what is drawn, which depends on a text's number and not on the texts beside it.
    """

    def __init__(self, labels: Labels, seed: int) -> None:
        self._drawn, self._seed = labels == "model", seed

    def of(self, text: Text, number: int, logits: torch.Tensor) -> torch.Tensor:
        """Return int64 [T - 1], for logits [T - 1, words]."""
        if not self._drawn:
            return torch.tensor(text[1:], device=logits.device)
        # torch's generator reads 32 bits of a seed.
        generator = torch.Generator().manual_seed(Random(f"{self._seed}:{number}").getrandbits(32))
        likely = logits.detach().softmax(-1).cpu()
        return torch.multinomial(likely, 1, generator=generator)[:, 0].to(logits.device)


class Gradients(Protocol):
    """Adds the squared gradients of texts to sums."""

    together: bool
    """Whether several texts may be given at once."""

    def add(self, texts: Sequence[Text], numbers: Sequence[int]) -> None:
        """Add those of some texts, each of its own mean loss; `numbers` are the texts' among all."""
        ...


class OneByOne:
    """Any parameters of any model, as autograd gives them.

    Args:
        base: a transformers causal language model.
        weights: the parameters wanted.
        sums: of each, by the same names.
        labels: what is predicted.
    """

    together = False

    def __init__(
        self, base: Any, weights: dict[str, torch.Tensor], sums: dict[str, Squares], labels: TextLabels
    ) -> None:
        self._base, self._weights, self._sums, self._labels = base, weights, sums, labels
        for tensor in weights.values():
            tensor.requires_grad_(True)

    def add(self, texts: Sequence[Text], numbers: Sequence[int]) -> None:
        """See `Gradients`."""
        for text, number in zip(texts, numbers, strict=True):
            ids = torch.tensor([list(text)], device=self._base.device)
            hidden = self._base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[0, :-1]
            logits = logits_of(self._base, hidden)
            loss = torch.nn.functional.cross_entropy(logits, self._labels.of(text, number, logits))
            gradients = torch.autograd.grad(loss, list(self._weights.values()))
            for name, gradient in zip(self._weights, gradients, strict=True):
                self._sums[name].add(gradient)


class Together:
    """Weights of linear layers: one backward pass for a batch of texts, that asks for no weight's gradient.

    Texts are filled up on the right, where nothing looks: attention is causal, and places behind a text have no loss.

    Args:
        base: a transformers causal language model, no parameter of which asks for a gradient.
        layers: the layers whose weights are wanted (see `own_layers`).
        sums: of each, by the same names.
        labels: what is predicted.
    """

    together = True

    def __init__(
        self, base: Any, layers: dict[str, Any], sums: dict[str, Squares], labels: TextLabels
    ) -> None:
        self._base, self._layers, self._sums, self._labels = base, layers, sums, labels

    def add(self, texts: Sequence[Text], numbers: Sequence[int]) -> None:
        """See `Gradients`."""
        captured = [Captured(module, self._sums[name]) for name, module in self._layers.items()]
        embedding = self._base.get_input_embeddings().register_forward_hook(_asking_for_gradients)
        try:
            ids = _filled_up(texts, self._base.device)
            hidden = self._base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
            logits = logits_of(
                self._base, torch.cat([hidden[row, : len(text) - 1] for row, text in enumerate(texts)])
            )
            losses = []
            for text, number, own in zip(
                texts, numbers, torch.split(logits, [len(text) - 1 for text in texts]), strict=True
            ):
                losses.append(torch.nn.functional.cross_entropy(own, self._labels.of(text, number, own)))
            torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        finally:
            embedding.remove()
            for one in captured:
                one.close()


def own_layers(base: Any, parameters: Sequence[str], text: Text) -> dict[str, Any] | None:
    """Return the linear layer that each parameter is the weight of, if all can be seen text by text; else None.

    Not so: what is no linear layer's weight; a weight that is another module's as well, as a tied embedding is; a layer
    that does not get a batch as [texts, tokens, features] exactly once, as a mixture's experts do not.

    Args:
        base: a transformers causal language model.
        parameters: names.
        text: any, to look how the layers are called.
    """
    from transformers.pytorch_utils import Conv1D

    owners: dict[int, int] = {}
    for module in base.modules():
        for tensor in module.parameters(recurse=False):
            owners[id(tensor)] = owners.get(id(tensor), 0) + 1
    found = {}
    for name in parameters:
        owner, _, last = name.rpartition(".")
        module = base.get_submodule(owner)
        if (
            last != "weight"
            or not isinstance(module, torch.nn.Linear | Conv1D)
            or owners[id(module.weight)] > 1
        ):
            return None
        found[name] = module
    shapes: dict[str, list[torch.Size]] = {name: [] for name in found}
    handles = [
        module.register_forward_hook(lambda _, args, __, name=name: shapes[name].append(args[0].shape))
        for name, module in found.items()
    ]
    try:
        with torch.no_grad():
            base.get_decoder()(input_ids=_filled_up([text, text], base.device), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    alike = all(len(seen) == 1 and seen[0][:-1] == (2, len(text)) for seen in shapes.values())
    return found if alike else None


def _filled_up(texts: Sequence[Text], device: torch.device) -> torch.Tensor:
    longest = max(map(len, texts))
    return torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts], device=device)


def _asking_for_gradients(module: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
    """Have gradients go back through everything behind the embedding, though no weight asks for one."""
    return output.requires_grad_()
