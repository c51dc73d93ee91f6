"""Embedders: texts to vectors of unit length, so that an inner product is a cosine.

To add an embedder: a class with the attributes and the method of `Embedder`, and one line in `EMBEDDERS`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from worldschool.errors import ModelError, nearest
from worldschool.models.completions import ENDPOINT
from worldschool.models.pull import PULLABLE, resolve_model

Vectors: TypeAlias = npt.NDArray[np.float32]

LIBRARY = "sentence-transformers:"
"""What the name of an embedder begins with that the sentence-transformers package is to read."""

WORD = re.compile(r"\w+")


class Embedder(Protocol):
    """Turns texts into vectors.

    Attributes:
        name: what `make_embedder` makes it from again.
        dimension: the length of a vector.
        fingerprint: changes when the vectors do; vectors of two fingerprints are never compared.
    """

    name: str
    dimension: int
    fingerprint: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors, shape (len(texts), dimension), each of length 1; no texts give (0, dimension)."""
        ...


class HashingEmbedder:
    """Signed feature hashing of words and pairs of neighbouring words (Weinberger et al. 2009, arXiv:0902.2206).

    Needs no model and gives the same vectors on every machine; knows spelling, not meaning.

    Args:
        dimension: the length of a vector, at least 1.
    """

    def __init__(self, dimension: int = 384) -> None:
        if dimension < 1:
            raise ValueError(f"dimension must be at least 1, received {dimension}")
        self.name = "hashing"
        self.dimension = dimension
        self.fingerprint = f"hashing/1/{dimension}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`. A text without words gives the first unit vector."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for feature in _word_features(text):
                number = _feature_hash(feature)
                # The top bit gives the sign, so that collisions cancel on average instead of adding up.
                row[number % self.dimension] += 1.0 if number >> 63 else -1.0
        return _unit_rows(vectors)


def _word_features(text: str) -> list[str]:
    words = WORD.findall(text.lower())
    return words + [f"{first} {second}" for first, second in pairwise(words)]


@lru_cache(maxsize=1 << 16)
def _feature_hash(feature: str) -> int:
    return int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _unit_rows(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[lengths[:, 0] == 0, 0] = 1.0
    lengths[lengths == 0] = 1.0
    vectors /= lengths
    return vectors


class SentenceEncoder:
    """A transformer encoder, mean pooled over the tokens (Reimers and Gurevych 2019, arXiv:1908.10084), on the CPU.

    Equals sentence-transformers for models that pool by the mean and normalise, all-MiniLM-L6-v2 among them, without
    needing that package. Texts are cut at `MAX_TOKENS`.

    Args:
        name_or_path: a pulled model's name, a directory, or a hub name.

    Raises:
        ModelError: it cannot be found or loaded.
    """

    MAX_TOKENS = 256  # what all-MiniLM-L6-v2 was trained with
    TEXTS_PER_BATCH = 64

    def __init__(self, name_or_path: str) -> None:
        path = Path(name_or_path).expanduser()
        known = name_or_path in PULLABLE or not path.is_dir()
        # A directory is named in full: a memory opened from elsewhere must find it again.
        self.name = name_or_path if known else str(path.resolve())
        self._tokenizer, self._model = _load_encoder(name_or_path)
        self.dimension = int(self._model.config.hidden_size)
        positions = int(getattr(self._model.config, "max_position_embeddings", self.MAX_TOKENS))
        self._max_tokens = min(self.MAX_TOKENS, positions)
        self.fingerprint = self._fingerprint()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`. Texts of similar length share a batch; the rows come back in the order given."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), self.TEXTS_PER_BATCH):
            batch = order[start : start + self.TEXTS_PER_BATCH]
            vectors[batch] = self._pooled([texts[i] for i in batch])
        return _unit_rows(vectors)

    def _pooled(self, texts: list[str]) -> Vectors:
        import torch

        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = self._model(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"].unsqueeze(-1).float()
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        pooled: Vectors = mean.numpy()
        return pooled

    def _fingerprint(self) -> str:
        from worldschool.models.causal import model_fingerprint

        parts = [
            model_fingerprint(self._model),
            self._tokenizer.backend_tokenizer.to_str(),
            f"mean of up to {self._max_tokens} tokens",
        ]
        return f"encoder/1/{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"


def _load_encoder(name_or_path: str) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    found = resolve_model(name_or_path)
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(found)
        model = AutoModel.from_pretrained(found)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"this cannot be loaded as a sentence encoder: {str(error).strip().splitlines()[0]}",
            where=name_or_path,
            mend=f"Known embedders: {', '.join(EMBEDDERS)}; or give a directory or hub name of an encoder."
            f"{nearest(name_or_path, EMBEDDERS)}",
        ) from None
    return tokenizer, model.float().eval()


EMBEDDERS: dict[str, Callable[[], Embedder]] = {
    "hashing": HashingEmbedder,
    "minilm": lambda: SentenceEncoder("minilm"),
}
"""Makers of the embedders known by name; any other name is that of a sentence encoder."""


def make_embedder(name: str) -> Embedder:
    """Make an embedder: a name in `EMBEDDERS`, "endpoint:URL#MODEL", or a directory or hub name of a sentence encoder.

    A directory of sentence-transformers that does more than pool by the mean is read by that package, which has to be installed, and
    so is anything named "sentence-transformers:DIRECTORY OR HUB NAME".

    Raises:
        ModelError: there is no such encoder, or it cannot be loaded, pulled or reached.
    """
    if name.startswith(ENDPOINT):
        from worldschool.models.served_embedder import EndpointEmbedder

        return EndpointEmbedder(name)
    if name.startswith(LIBRARY) or _needs_library(name):
        from worldschool.models.library_embedder import LibraryEmbedder

        return LibraryEmbedder(name.removeprefix(LIBRARY))
    maker = EMBEDDERS.get(name)
    return maker() if maker is not None else SentenceEncoder(name)


def _needs_library(name: str) -> bool:
    """Return whether this is a directory of sentence-transformers of which `SentenceEncoder` would make other vectors."""
    path = Path(name).expanduser()
    try:
        modules = json.loads((path / "modules.json").read_text(encoding="utf-8"))
        kinds = [str(module["type"]).rpartition(".")[2] for module in modules]
        pooling = next(module["path"] for module in modules if str(module["type"]).endswith(".Pooling"))
        settings = json.loads((path / pooling / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return False
    # Named in one word by newer releases, by a switch for each before.
    mean = settings.get("pooling_mode") == "mean" or settings.get("pooling_mode_mean_tokens") is True
    others = [key for key, value in settings.items() if key.startswith("pooling_mode_") and value is True]
    others = [key for key in others if key != "pooling_mode_mean_tokens"]
    return not mean or bool(others) or not set(kinds) <= {"Transformer", "Pooling", "Normalize"}
