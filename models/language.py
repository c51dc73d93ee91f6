"""Language models behind one protocol that scores, chooses and generates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch

from worldschool.errors import ModelError
from worldschool.models.causal import (
    add_adapter,
    base_of,
    check_adapter,
    context_of,
    encode_pair,
    load_causal_lm,
    logits_of,
    model_fingerprint,
    pad_token,
)
from worldschool.models.completions import ENDPOINT, parse_name
from worldschool.models.constrained import walk
from worldschool.models.generating import greedy
from worldschool.models.likelihood import ScoredTokens, token_logprobs
from worldschool.models.support import check_supported
from worldschool.progress import Advance, silent


@dataclass(frozen=True)
class CompletionScore:
    """Sum of token log-probabilities (nats) of one completion, and over how many tokens and bytes."""

    logprob: float
    tokens: int
    bytes: int

    @classmethod
    def of(cls, scored: ScoredTokens, text: str) -> CompletionScore:
        """Return the score of a completion, from its tokens' log-probabilities and its text."""
        return cls(sum(scored.logprobs), len(scored.tokens), len(text.encode()))


class LanguageModel(Protocol):
    """What probes and agents need of a mind."""

    name: str
    fingerprint: str
    context_length: int

    def score(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[list[CompletionScore]]:
        """Return the score of each completion after its prompt; same shape as `completions`."""
        ...

    def generate(self, prompts: Sequence[str], max_new_tokens: int, advance: Advance = silent) -> list[str]:
        """Return the greedy continuation of each prompt: its first line that is not empty, without outer spaces."""
        ...


class ProbedModel(LanguageModel, Protocol):
    """What probes need beyond `LanguageModel`."""

    def choose(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[int]:
        """Return, for each prompt, the index of the completion that greedy decoding writes if it can only write those."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Return how many tokens each text is, or None where only a server knows."""
        ...


class LocalModel:
    """A Hugging Face causal language model in this process, with or without a PEFT adapter.

    Attributes:
        model: the transformers or peft module, in evaluation mode.
        tokenizer: its tokenizer.
        name: what it was loaded from.
        fingerprint: see `model_fingerprint`; that of the base model, whatever the adapter.
        context_length: see `context_of`.

    Raises:
        ModelError: texts that share a story cannot be computed with it (`support.check_supported`).
    """

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.name = name
        self.fingerprint = model_fingerprint(base_of(model))
        self.context_length = context_of(model)
        check_supported(model)

    @classmethod
    def load(cls, name_or_path: str, adapter: Path | str | None = None, dtype: str = "auto") -> LocalModel:
        """Load a pulled model's name, a directory or a hub name, and a PEFT adapter directory on top.

        Raises:
            ModelError: there is no such model or adapter, or files are missing from it.
        """
        model, tokenizer = load_causal_lm(name_or_path, dtype)
        if adapter is not None:
            model = add_adapter(model, Path(adapter))
        return cls(model, tokenizer, name_or_path)

    @torch.inference_mode()
    def score(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[list[CompletionScore]]:
        """See `LanguageModel.score`. Each prompt is computed once for all of its completions."""
        scored = token_logprobs(self, prompts, completions, advance)
        return [
            [CompletionScore.of(one, text) for one, text in zip(row, texts, strict=True)]
            for row, texts in zip(scored, completions, strict=True)
        ]

    @torch.inference_mode()
    def choose(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[int]:
        """See `ProbedModel.choose`; the decisions of `constrained.walk`, all from one pass over each prompt."""
        return [walk(row) for row in token_logprobs(self, prompts, completions, advance, aligned=True)]

    @torch.inference_mode()
    def generate(self, prompts: Sequence[str], max_new_tokens: int, advance: Advance = silent) -> list[str]:
        """See `LanguageModel.generate`. A prefix that all prompts of a batch share is computed once."""
        return greedy(self, prompts, max_new_tokens, advance)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is, special tokens that the tokenizer adds included."""
        return [len(tokens) for tokens in self.encode(texts)]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenise texts, however long."""
        if not texts:
            return []
        found: list[list[int]] = self.tokenizer(list(texts), verbose=False)["input_ids"]
        return found

    def encode_pair(self, prompt: str, completion: str) -> tuple[list[int], list[int]]:
        """Tokenise a prompt and its completion as one text, and cut between them.

        Where a token straddles the cut it is counted with the completion, so the prompt may lose its last token.
        """
        return encode_pair(self.tokenizer, prompt, completion)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the float32 logits `[..., vocabulary]` of hidden states `[..., d]`."""
        return logits_of(self.model, hidden).float()

    @property
    def decoder(self) -> Any:
        """The transformer without its output layer."""
        return base_of(self.model).get_decoder()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        found: torch.device = next(self.model.parameters()).device
        return found

    @property
    def pad_id(self) -> int:
        """The token that fills rows up; what it is changes nothing."""
        return pad_token(self.tokenizer)

    @cached_property
    def end_ids(self) -> set[int]:
        """The tokens that end a text."""
        ends = {self.tokenizer.eos_token_id}
        for config in (base_of(self.model).generation_config, base_of(self.model).config):
            found = getattr(config, "eos_token_id", None)
            ends |= set(found) if isinstance(found, list) else {found}
        return {end for end in ends if end is not None}

    def check_length(self, before: int, tokens: int) -> None:
        """Check that something comes before a completion, and that prompt and completion fit the context.

        Args:
            before: tokens before the completion.
            tokens: of both together.

        Raises:
            ModelError: it is not so.
        """
        if not before:
            raise ModelError(
                "a prompt is empty, so nothing predicts the first token after it",
                where=self.name,
                mend="Give every prompt at least one whole token.",
            )
        if tokens > self.context_length:
            raise ModelError(
                f"a prompt and its completion take {tokens} tokens, more than the context of {self.context_length}",
                where=self.name,
                mend="Shorten the prompts, or use a model with a longer context.",
            )


def load_model(name: str, adapter: str | None = None, dtype: str = "auto") -> ProbedModel:
    """Load a model to probe: `LocalModel.load`, or a server's where the name begins with "endpoint:", or answers that were
    recorded where it begins with "recorded:".

    An adapter that a server holds is itself such a name.

    Raises:
        ModelError: there is no such model or adapter, or a server's name is not well formed.
    """
    if name.startswith("recorded:"):
        from worldschool.models.recorded import RecordedModel

        return RecordedModel(name.removeprefix("recorded:"))
    if adapter is not None:
        check_adapter_of(name, adapter)
    remote = adapter if adapter is not None and adapter.startswith(ENDPOINT) else name
    if not remote.startswith(ENDPOINT):
        return LocalModel.load(name, adapter, dtype)
    from worldschool.models.endpoint import EndpointModel

    return EndpointModel.named(remote)


def check_adapter_of(name: str, adapter: str) -> None:
    """Check that `load_model` will find an adapter; nothing is loaded, and no server asked.

    Raises:
        ModelError: there is none, a server's name is not well formed, or a local adapter is for a server's model.
    """
    if adapter.startswith(ENDPOINT):
        parse_name(adapter)
    elif name.startswith(ENDPOINT):
        raise ModelError(
            "a local adapter cannot be put on a server's model",
            where=adapter,
            mend=f"Let the server hold it and name it like {ENDPOINT}http://HOST:PORT/v1#ADAPTER.",
        )
    else:
        check_adapter(Path(adapter))
