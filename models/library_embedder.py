"""Embedders that the sentence-transformers package reads: any pooling, dense layers, prompts."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from worldschool.errors import ModelError
from worldschool.models.embedders import LIBRARY, Vectors


class LibraryEmbedder:
    """A model of sentence-transformers, on the CPU.

    Args:
        name_or_path: a directory or hub name.

    Raises:
        ModelError: the package is not installed, or the model cannot be loaded.
    """

    def __init__(self, name_or_path: str) -> None:
        try:
            library: Any = importlib.import_module("sentence_transformers")
        except ImportError:
            raise ModelError(
                "this embedder needs sentence-transformers, which is not installed",
                where=name_or_path,
                mend="Install it: pip install sentence-transformers.",
            ) from None
        path = Path(name_or_path).expanduser()
        named = str(path.resolve()) if path.is_dir() else name_or_path
        try:
            self._model = library.SentenceTransformer(named, device="cpu")
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"sentence-transformers cannot load this: {str(error).strip().splitlines()[0]}",
                where=name_or_path,
            ) from None
        self.name = f"{LIBRARY}{named}"
        probe = self.embed(["What are the vectors of this model like?"])
        self.dimension = int(probe.shape[1])
        # The vectors are what counts, and rounding is not: the package's own parts have no fingerprint.
        self.fingerprint = f"library/1/{hashlib.sha256(np.round(probe, 3).tobytes()).hexdigest()}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        found: Vectors = self._model.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(found, dtype=np.float32)
