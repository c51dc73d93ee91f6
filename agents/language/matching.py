"""Which legal action a written one is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process

LIKE = 85.0
"""Least likeness, 0 to 100, of an action that is taken for what was written."""
ARTICLES = frozenset({"a", "an", "the"})
LABEL = re.compile(r"^\W*(?:action|act)\s*\d*\s*[:>]\s*", re.IGNORECASE)


def matched(written: str, legal: Sequence[str]) -> str | None:
    """Return the legal action that a text names, or None if it names none.

    One that is equal but for case, quotes, punctuation and articles; else the one that the text begins with, the longest of several; else
    the most alike by edit distance, if it is alike enough.

    Args:
        written: a line that a model wrote.
        legal: what can be done.
    """
    text = _plain(LABEL.sub("", written))
    if not text:
        return None
    plain = {_plain(action): action for action in reversed(legal)}
    if text in plain:
        return plain[text]
    begun = [action for action in plain if text.startswith(f"{action} ")]
    if begun:
        return plain[max(begun, key=len)]
    found = process.extractOne(text, list(plain), scorer=fuzz.ratio, score_cutoff=LIKE)
    return None if found is None else plain[found[0]]


def _plain(text: str) -> str:
    words = re.sub(r"[^\w\[\]:$.%&'-]+", " ", text.lower()).strip(" .'").split()
    return " ".join(word for word in words if word not in ARTICLES)
