"""General English: what the Fisher information is measured on and what perplexity is measured on.

A text is named: "pydoc" is the prose that every CPython carries in `pydoc_data.topics`, cut by topic into two halves
that share nothing ("pydoc:fisher" and "pydoc:heldout"); "prose" is letters, a story and news written for worldschool
and shipped with it, for perplexity only, and "prose:validation" a smaller one, for choosing settings; anything else is a
file or a directory of .txt files, one document a file.
pydoc's text differs between Python versions, so results on it are compared within one version only; the fingerprint
tells.
"""

from __future__ import annotations

import hashlib
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from worldschool.errors import UserError
from worldschool.models.causal import logits_of, without_dropout
from worldschool.progress import Advance, silent

PROSE = {"prose": ("letters.txt", "story.txt", "news.txt"), "prose:validation": ("validation.txt",)}
DOCUMENT_MARK = "---"


@dataclass(frozen=True)
class Text:
    """Named documents of general text."""

    name: str
    documents: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) over the documents in order."""
        digest = hashlib.sha256()
        for document in self.documents:
            digest.update(f"{len(document)}:{document}".encode())
        return digest.hexdigest()


def load_text(name: str) -> Text:
    """Load a named text, a file or a directory (see the module's docstring).

    Raises:
        UserError: there is no such text, or it is empty.
    """
    if name in ("pydoc", "pydoc:fisher", "pydoc:heldout"):
        documents = _pydoc(name.partition(":")[2])
    elif name in PROSE:
        documents = _prose(name)
    else:
        documents = _from_path(Path(name))
    kept = tuple(document for document in documents if document.strip())
    if not kept:
        raise UserError("there is no text in it", where=name, mend="Give a text with at least one document.")
    return Text(name, kept)


def _pydoc(half: str) -> list[str]:
    from pydoc_data.topics import topics

    names = sorted(topics)
    if half:
        names = [name for name in names if _in_fisher_half(name) == (half == "fisher")]
    return [topics[name] for name in names]


def _in_fisher_half(topic: str) -> bool:
    return hashlib.sha256(f"pydoc:{topic}".encode()).digest()[0] % 2 == 0


def _prose(text_name: str) -> list[str]:
    folder = importlib.resources.files("worldschool.models") / "prose"
    documents: list[str] = []
    for name in PROSE[text_name]:
        text = (folder / name).read_text(encoding="utf-8")
        documents += [part.strip() for part in f"\n{text}\n".split(f"\n{DOCUMENT_MARK}\n")]
    return documents


def _from_path(path: Path) -> list[str]:
    if path.is_dir():
        files = sorted(path.glob("*.txt"))
    elif path.is_file():
        files = [path]
    else:
        raise UserError(
            "there is no such text",
            where=str(path),
            mend='Give a .txt file, a directory of them, or one of "pydoc:fisher", "pydoc:heldout", "prose", '
            '"prose:validation".',
        )
    try:
        return [file.read_text(encoding="utf-8") for file in files]
    except UnicodeDecodeError as error:
        raise UserError(f"this is not UTF-8 text: {error}", where=str(path)) from None


def chunks(tokenizer: Any, documents: Sequence[str], tokens: int, count: int, seed: int) -> list[list[int]]:
    """Cut documents into pieces of exactly `tokens` tokens and draw `count` of them without replacement.

    Pieces never span two documents; shorter rests are left out. With too few pieces, all are returned.
    """
    pieces = []
    for document in documents:
        ids = tokenizer(document, verbose=False)["input_ids"]  # longer than the context is no fault here
        pieces += [ids[at : at + tokens] for at in range(0, len(ids) - tokens + 1, tokens)]
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(pieces), generator=generator).tolist()
    return [pieces[i] for i in sorted(order[:count])]


@torch.inference_mode()
def sample_texts(
    model: Any, tokenizer: Any, count: int, tokens: int, seed: int, advance: Advance = silent
) -> list[list[int]]:
    """Draw `count` texts of `tokens` tokens from the model itself: what it would say when nobody asks.

    Ancestral sampling at temperature 1 among the 50 likeliest tokens, in one batch, after a first word drawn from a
    fixed list of common openings; seeded; dropout is off.

    Returns:
        `[count][tokens]` token ids.
    """
    from transformers import DynamicCache

    generator = torch.Generator().manual_seed(seed)
    starts = [tokenizer(word)["input_ids"] for word in OPENINGS]
    width = min(len(start) for start in starts)
    rows = [starts[i % len(starts)][:width] for i in range(count)]
    ids = produced = torch.tensor(rows, device=model.device)
    cache, decoder = DynamicCache(config=model.config), model.get_decoder()
    with without_dropout(model):
        while produced.shape[1] < tokens:
            hidden = decoder(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state[:, -1]
            # A matrix here: three dimensions would make torch copy the output layer's weights for every row.
            best = logits_of(model, hidden).float().cpu().topk(50)
            drawn = torch.multinomial(best.values.softmax(-1), 1, generator=generator)
            ids = best.indices.gather(1, drawn).to(model.device)
            produced = torch.cat([produced, ids], dim=1)
            advance(1)
    sampled: list[list[int]] = produced.tolist()
    return sampled


OPENINGS = (
    "The", "In", "When", "A", "It", "We", "I", "This", "There", "One", "For", "As",
    "He", "She", "They", "If", "After", "Many", "What", "How",
)  # fmt: skip
