"""ROUGE-1, ROUGE-2 and ROUGE-L of one text against one reference, with stemming.

Source: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries". Words are read as the Python package rouge-score
reads them (lower case; runs of a-z and 0-9; those of more than three letters stemmed as Porter 1980 does, in NLTK's form),
so that the numbers are those that papers report; a test compares the two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

_WORD = re.compile(r"[a-z0-9]+")
SHORTEST_STEMMED = 4
"""Shorter words stay as they are."""


def rouge(prediction: str, reference: str) -> dict[str, float]:
    """Return the F1 scores "rouge_1", "rouge_2" and "rouge_l", each in [0, 1]; 0 where a text has no words.

    Of n-grams, precision and recall count those that both texts have (each as often as the text with fewer of it); ROUGE-L
    takes the longest common subsequence of words in their place.
    """
    predicted, wanted = words(prediction), words(reference)
    common = _longest_common_subsequence(predicted, wanted)
    return {
        "rouge_1": _of_ngrams(predicted, wanted, 1),
        "rouge_2": _of_ngrams(predicted, wanted, 2),
        "rouge_l": _f1(common, len(predicted), len(wanted)),
    }


def words(text: str) -> list[str]:
    """Return the stemmed words of a text."""
    return [_stem(word) for word in _WORD.findall(text.lower())]


def _of_ngrams(predicted: Sequence[str], wanted: Sequence[str], n: int) -> float:
    one, other = _ngrams(predicted, n), _ngrams(wanted, n)
    return _f1((one & other).total(), one.total(), other.total())


def _ngrams(found: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(found[at : at + n]) for at in range(len(found) - n + 1))


def _f1(common: int, predicted: int, wanted: int) -> float:
    return 2 * common / (predicted + wanted) if common else 0.0


def _longest_common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    row = [0] * (len(other) + 1)
    for left in one:
        diagonal = 0
        for at, right in enumerate(other, start=1):
            diagonal, row[at] = row[at], diagonal + 1 if left == right else max(row[at], row[at - 1])
    return row[-1]


@cache
def _stem(word: str) -> str:
    return str(_stemmer().stem(word)) if len(word) >= SHORTEST_STEMMED else word


@cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer  # a second of imports, for who scores written texts

    return PorterStemmer()
