"""Embedders behind an OpenAI-compatible server: POST URL/embeddings."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from worldschool.errors import ModelError
from worldschool.models.completions import ENDPOINT, Server, parse_name
from worldschool.models.embedders import Vectors

TEXTS_PER_REQUEST = 64
LONGEST_CHARACTERS = 2000
"""Of a text that is sent: servers refuse what is longer than their model's context, and most encoders read 512 tokens."""


class EndpointEmbedder:
    """An embedder that a server runs; its API key is read from the environment variable WORLDSCHOOL_API_KEY.

    One text is embedded at once, to see how long a vector is. Which weights a server has cannot be seen: two that answer to one name
    with vectors of one length are taken for the same.

    Args:
        name: "endpoint:http://HOST:PORT/v1#MODEL".
        timeout_s: for one request.
        sleep: waits so many seconds before a request is sent again.

    Raises:
        ModelError: the name is not well formed, or the server cannot be reached or refuses.
    """

    def __init__(
        self, name: str, timeout_s: float = 60.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        url, self._model = parse_name(name)
        self.name = name
        self._server = Server(url, timeout_s, sleep)
        self.dimension = len(self._asked(["dimension"])[0])
        self.fingerprint = f"endpoint/1/{name.removeprefix(ENDPOINT)}/{self.dimension}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`. Texts are cut at `LONGEST_CHARACTERS`.

        Raises:
            ModelError: the server cannot be reached or refuses, or its vectors are not of one length, or not numbers.
        """
        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), TEXTS_PER_REQUEST):
            rows = self._asked(
                [text[:LONGEST_CHARACTERS] for text in texts[start : start + TEXTS_PER_REQUEST]]
            )
            if any(len(row) != self.dimension for row in rows):
                raise ModelError(f"not all vectors have {self.dimension} numbers", where=self.name)
            found[start : start + len(rows)] = rows
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise ModelError("a vector is zero or no number", where=self.name)
        unit: Vectors = found / lengths
        return unit

    def _asked(self, texts: list[str]) -> list[list[float]]:
        # Some servers refuse an empty text.
        body = {"model": self._model, "input": [text or " " for text in texts], "encoding_format": "float"}
        return self._server.embed(body, len(texts))
