"""Texts and queries to terms, as Lucene's DefaultEnglishAnalyzer (in Anserini 0.14.3) makes them.

Words are found by Unicode's word boundaries (UAX #29) as Lucene's StandardTokenizer reads them, "'s" is taken off, letters are
lowered, 33 stop words go, and Porter's stemmer in Martin Porter's own later form is applied.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex

STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "if",
        "in",
        "into",
        "is",
        "it",
        "no",
        "not",
        "of",
        "on",
        "or",
        "such",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "will",
        "with",
    ]
)
LONGEST_TOKEN = 255
"""Characters of a token; longer ones are cut into pieces."""
POSSESSIVES = ("'s", "\u2019s", "\uff07s", "'S", "\u2019S", "\uff07S")


def _with_marks(kinds: str) -> str:
    """Return the pattern of one character of some kinds and the marks that belong to it (rule WB4)."""
    return f"(?:[{kinds}][{_MARKS}]*)"


_MARKS = r"\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}"
_LETTER = _with_marks(r"\p{WB=ALetter}\p{WB=Hebrew_Letter}")
_HEBREW = _with_marks(r"\p{WB=Hebrew_Letter}")
_NUMBER = _with_marks(r"\p{WB=Numeric}")
_KATAKANA = _with_marks(r"\p{WB=Katakana}")
_JOINER = _with_marks(r"\p{WB=ExtendNumLet}")
_IN_WORD = _with_marks(r"\p{WB=MidLetter}\p{WB=MidNumLet}\p{WB=Single_Quote}")
_IN_NUMBER = _with_marks(r"\p{WB=MidNum}\p{WB=MidNumLet}\p{WB=Single_Quote}")
_WORD = (
    rf"(?:{_KATAKANA}(?:{_JOINER}*{_KATAKANA})*"
    rf"|(?:{_HEBREW}(?:{_with_marks(chr(39))}|{_with_marks(chr(34))}{_HEBREW})"
    rf"|{_NUMBER}(?:(?:{_JOINER}*|{_IN_NUMBER}){_NUMBER})*"
    rf"|{_LETTER}(?:(?:{_JOINER}*|{_IN_WORD}){_LETTER})*)+)"
)
_PICTURE = r"(?:\p{Extended_Pictographic}[\uFE0F\p{EMod}]?[\U000E0020-\U000E007F]*)"
TOKEN = regex.compile(
    rf"{_JOINER}*+{_WORD}(?:{_JOINER}++{_WORD})*{_JOINER}*+"
    rf"|\p{{RI}}\p{{RI}}"
    rf"|{_PICTURE}(?:\u200D{_PICTURE})*"
    rf"|[0-9#*]\uFE0F?\u20E3"
    rf"|[\p{{Han}}\p{{Hiragana}}][{_MARKS}]*"
    rf"|(?:[\p{{LB=SA}}][{_MARKS}]*)+"
    rf"|{_JOINER}++(*SKIP)(*FAIL)"
)
"""A token; where two kinds begin at one place, the first that is written here is taken.

The last alternative passes over low lines that no word follows, all at once: looked at from each of them, a million would take
days.
"""


def terms_of(text: str) -> list[str]:
    """Return the terms of a text in order, repeats included."""
    found = []
    for token in TOKEN.findall(text):
        for start in range(0, len(token), LONGEST_TOKEN):
            term = term_of(token[start : start + LONGEST_TOKEN])
            if term:
                found.append(term)
    return found


@lru_cache(maxsize=1 << 18)
def term_of(token: str) -> str:
    """Return the term that one token becomes; empty for a stop word."""
    if token.endswith(POSSESSIVES):
        token = token[:-2]
    token = token.lower()
    if token in STOP_WORDS:
        return ""
    stemmed: str = _stemmer().stem(token, to_lowercase=False)
    return stemmed


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer  # takes half a second to import

    return PorterStemmer(mode=PorterStemmer.MARTIN_EXTENSIONS)
