"""Language models behind an OpenAI-compatible server: POST URL/completions.

A name is "endpoint:http://HOST:PORT/v1#MODEL". An API key is read from the environment variable WORLDSCHOOL_API_KEY when
a request is sent; it is in no name, no record and no message. Scores need a server that returns the prompt's own tokens with their
log-probabilities ("echo" with "logprobs", which vLLM has and many hosted services have not).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from worldschool.errors import ModelError
from worldschool.models.completions import ENDPOINT, RequestRefusedError, Server, parse_name
from worldschool.models.constrained import walk
from worldschool.models.generating import first_line
from worldschool.models.language import CompletionScore
from worldschool.models.likelihood import NotFiniteError, ScoredTokens
from worldschool.progress import Advance, silent

PROMPTS_PER_REQUEST = 16


class EndpointModel:
    """A model that a server runs.

    Args:
        url: the server's base address, such as "http://localhost:8000/v1".
        model: what the server calls the model.
        timeout_s: for one request.
        sleep: waits so many seconds before a request is sent again.

    Attributes:
        name: "endpoint:URL#MODEL".
        fingerprint: of the name alone: what weights a server has cannot be seen.
        context_length: without bound, for only the server knows it; it refuses what is too long.

    Raises:
        ModelError: the address is not one.
    """

    def __init__(
        self, url: str, model: str, timeout_s: float = 120.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name = f"{ENDPOINT}{url}#{model}"
        self.fingerprint = hashlib.sha256(f"endpoint/1 {url.rstrip('/')} {model}".encode()).hexdigest()
        self.context_length = 1 << 30
        self._model = model
        self._server = Server(url, timeout_s, sleep)
        self._at_once = PROMPTS_PER_REQUEST

    @classmethod
    def named(cls, name: str) -> EndpointModel:
        """Return the model of a name "endpoint:URL#MODEL".

        Raises:
            ModelError: the name is not well formed, or holds a user name or password.
        """
        return cls(*parse_name(name))

    def score(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[list[CompletionScore]]:
        """See `LanguageModel.score`. The server computes each prompt again for each completion, or caches it itself."""
        return [
            [CompletionScore.of(one, text) for one, text in zip(row, texts, strict=True)]
            for row, texts in zip(self._scored(prompts, completions, advance), completions, strict=True)
        ]

    def choose(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[int]:
        """See `ProbedModel.choose`."""
        # Candidates share their prompt's tokens, which decide nothing.
        return [walk(row) for row in self._scored(prompts, completions, advance, whole=True)]

    def generate(self, prompts: Sequence[str], max_new_tokens: int, advance: Advance = silent) -> list[str]:
        """See `LanguageModel.generate`."""
        choices = self._completed(prompts, {"max_tokens": max_new_tokens}, advance)
        return [first_line(str(choice.get("text", ""))) for choice in choices]

    def _completed(
        self, prompts: Sequence[str], settings: dict[str, Any], advance: Advance = silent
    ) -> list[dict[str, Any]]:
        """Return the answer to each prompt; a server that takes one prompt a request, as transformers' does, is asked so."""
        found: list[dict[str, Any]] = []
        while len(found) < len(prompts):
            some = list(prompts[len(found) : len(found) + self._at_once])
            prompt = some if self._at_once > 1 else some[0]
            body = {"model": self._model, "prompt": prompt, "temperature": 0.0}
            try:
                found += self._server.complete(body | settings, len(some))
            except RequestRefusedError:
                if self._at_once == 1:
                    raise
                self._at_once = 1
                continue
            advance(len(some))
        return found

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """Return None: only the server knows."""
        return None

    def _scored(
        self,
        prompts: Sequence[str],
        completions: Sequence[Sequence[str]],
        advance: Advance,
        whole: bool = False,
    ) -> list[list[ScoredTokens]]:
        """Return the completions' tokens, or all tokens but the first of prompt and completion."""
        found = []
        for number, (prompt, options) in enumerate(zip(prompts, completions, strict=True)):
            # Some servers refuse to write nothing; the one token is dropped again.
            settings = {"max_tokens": 1, "echo": True, "logprobs": 1}
            choices = self._completed([prompt + option for option in options], settings)
            row = [
                _echoed(choice, prompt, option, whole, self.name)
                for option, choice in zip(options, choices, strict=True)
            ]
            if any(math.isnan(value) for one in row for value in one.logprobs):
                raise NotFiniteError.at(number, self.name)
            found.append(row)
            advance()
        return found


def _echoed(choice: dict[str, Any], prompt: str, completion: str, whole: bool, name: str) -> ScoredTokens:
    """Return a completion's tokens from a server's answer that begins with the prompt.

    A token that straddles the end of the prompt counts with the completion, as in `LocalModel`.
    """
    given = choice.get("logprobs") or {}
    tokens, values, offsets = (given.get(key) for key in ("tokens", "token_logprobs", "text_offset"))
    if not tokens or not values or not offsets or not str(choice.get("text", "")).startswith(prompt):
        raise ModelError(
            "the server does not return the prompt's tokens with their log-probabilities (echo with logprobs)",
            where=name,
            mend="Use a server that does, such as vLLM's, or have answers written: decoding: free.",
        )
    start, end = len(prompt), len(prompt) + len(completion)
    following = [*offsets[1:], math.inf]
    kept = [
        at
        for at, (offset, after) in enumerate(zip(offsets, following, strict=True))
        if at > 0 and offset < end and (whole or after > start or offset >= start)
    ]
    if following[0] > start:
        raise ModelError(
            "a prompt is empty, so nothing predicts the first token after it",
            where=name,
            mend="Give every prompt at least one whole token.",
        )
    logprobs = [math.nan if values[at] is None else float(values[at]) for at in kept]
    return ScoredTokens(tuple(str(tokens[at]) for at in kept), tuple(logprobs))
