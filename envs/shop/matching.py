"""When two phrases count as the same: WebShop's fuzzy comparison of attributes and options, and its colour words.

The comparison is thefuzz 0.19.0's `token_set_ratio` as WebShop pins it, without python-Levenshtein: Python's own
`difflib.SequenceMatcher` compares the sorted words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TypeAlias

from rapidfuzz import fuzz

Phrase: TypeAlias = str | tuple[str, str]
"""A phrase, or the (name, value) of an option, which WebShop compares as Python writes the pair."""

SAME_ABOVE = 85
"""Phrases of a higher ratio are the same."""
_LATIN_1 = {code: None for code in range(128, 256)}
_NO_WORD = re.compile(r"\W")

COLOURS = [
    "alabaster",
    "apricot",
    "aqua",
    "ash",
    "asphalt",
    "azure",
    "banana",
    "beige",
    "black",
    "blue",
    "blush",
    "bordeaux",
    "bronze",
    "brown",
    "burgundy",
    "camel",
    "camo",
    "caramel",
    "champagne",
    "charcoal",
    "cheetah",
    "chestnut",
    "chocolate",
    "christmas",
    "coffee",
    "cognac",
    "copper",
    "coral",
    "cranberry",
    "cream",
    "crystal",
    "dark",
    "denim",
    "eggplant",
    "elephant",
    "espresso",
    "fuchsia",
    "gold",
    "granite",
    "grape",
    "graphite",
    "grass",
    "gray",
    "green",
    "grey",
    "heather",
    "indigo",
    "ivory",
    "ivy",
    "khaki",
    "lavender",
    "lemon",
    "leopard",
    "light",
    "lilac",
    "lime",
    "magenta",
    "maroon",
    "mauve",
    "merlot",
    "midnight",
    "mint",
    "mocha",
    "multicolor",
    "mushroom",
    "mustard",
    "natural",
    "navy",
    "nude",
    "olive",
    "orange",
    "peach",
    "pewter",
    "pink",
    "plum",
    "purple",
    "rainbow",
    "red",
    "rose",
    "royal",
    "rust",
    "sand",
    "sapphire",
    "seashell",
    "silver",
    "skull",
    "slate",
    "steel",
    "stone",
    "stonewash",
    "sunflower",
    "tan",
    "taupe",
    "teal",
    "tiger",
    "turquoise",
    "violet",
    "walnut",
    "wheat",
    "white",
    "wine",
    "yellow",
]
"""The words that an option's colour is reduced to, in the order in which they are looked for."""


def token_set_ratio(one: Phrase, other: Phrase) -> int:
    """Return how alike the sets of words of two phrases are, from 0 to 100; 100 if one set holds the other.

    Letters from U+0080 to U+00FF are dropped, whatever is no letter, digit or underscore separates words, and case does not
    count. With t0 the common words, t1 and t2 those followed by the rest of each phrase (sorted), it is the largest ratio of
    (t0, t1), (t0, t2) and (t1, t2); a ratio is 200 M / T rounded, M the matching characters and T all of them.
    """
    first, second = _words(one), _words(other)
    if not first or not second:
        return 0
    common, joined_first, joined_second = _sorted_sets(first, second)
    pairs = ((common, joined_first), (common, joined_second), (joined_first, joined_second))
    return max(_ratio(a, b) for a, b in pairs)


@lru_cache(maxsize=1 << 16)
def is_same(one: Phrase, other: Phrase) -> bool:
    """Return whether two phrases count as the same: whether their `token_set_ratio` is above `SAME_ABOVE`."""
    first, second = _words(one), _words(other)
    if not first or not second:
        return False
    if first & second and (first <= second or second <= first):
        return True
    common, joined_first, joined_second = _sorted_sets(first, second)
    pairs = ((common, joined_first), (common, joined_second), (joined_first, joined_second))
    return any(_could_be_same(a, b) and _ratio(a, b) > SAME_ABOVE for a, b in pairs)


def colour_of(phrase: Phrase) -> Phrase:
    """Return the first of `COLOURS` that a phrase contains, even inside a word ("bored" is red); else the phrase.

    Of an option's pair, a name or value has to be a colour word itself.
    """
    return next((colour for colour in COLOURS if colour in phrase), phrase)


def colour_word_of(phrase: str) -> str:
    """Return the first of `COLOURS` that is a word of a phrase, case aside; else the phrase in lower case."""
    words = _words(phrase)
    return next((colour for colour in COLOURS if colour in words), phrase.lower())


@lru_cache(maxsize=1 << 16)
def _words(phrase: Phrase) -> frozenset[str]:
    return frozenset(_NO_WORD.sub(" ", str(phrase).translate(_LATIN_1)).lower().split())


def _sorted_sets(first: frozenset[str], second: frozenset[str]) -> tuple[str, str, str]:
    common = " ".join(sorted(first & second))
    rests: Sequence[str] = [
        " ".join(sorted(mine - theirs)) for mine, theirs in ((first, second), (second, first))
    ]
    joined_first, joined_second = (f"{common} {rest}".strip() for rest in rests)
    return common, joined_first, joined_second


def _ratio(one: str, other: str) -> int:
    if not one or not other:
        return 0
    return 100 if one == other else round(100 * SequenceMatcher(None, one, other).ratio())


def _could_be_same(one: str, other: str) -> bool:
    """Return whether the longest common subsequence allows a ratio above `SAME_ABOVE`: difflib never finds more of it."""
    return fuzz.ratio(one, other, score_cutoff=SAME_ABOVE) > 0
