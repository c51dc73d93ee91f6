"""Searches that an instruction suggests: what a shopper who only reads the instruction might type.

`ShopEnv.legal_actions` offers them, since there is no end of what could be searched for. Nothing but the instruction is read.
"""

from __future__ import annotations

import re
from functools import lru_cache

PRICE_CLAUSE = re.compile(
    r"(?:,|\band\b|\bwith\b|\bfor\b|\s)*\b(?:price[ds]?|costs?|costing|budget|under|below|less than|lower than|cheaper than|"
    r"at most|no more than|up to|not over|within|max(?:imum)?)\b[^$\d,.;]*\$?\s*\d[\d,]*(?:\.\d+)?(?:\s*(?:dollars|usd|bucks))?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_][^\s,;:!?()\"]*")
_LITTLE = frozenset(
    ["a", "am", "an", "and", "any", "are", "as", "at", "be", "buy", "by", "can", "could", "do", "find", "for", "from", "get", "give", "good", "had", "has", "have", "help", "i", "i'd", "i'm", "if", "in", "ideally", "is", "it", "its", "kind", "like", "look", "looking", "me", "my", "myself", "need", "needed", "of", "on", "one", "or", "please", "preferably", "purchase", "search", "searching", "shop", "shopping", "should", "show", "some", "something", "such", "that", "the", "them", "these", "they", "this", "those", "to", "us", "very", "want", "wanted", "we", "which", "who", "will", "with", "would", "you"]
)
MOST_WORDS = 12
"""Words of the longest query."""


@lru_cache(maxsize=4096)
def queries_of(instruction: str) -> tuple[str, ...]:
    """Return queries, the fullest first, no two alike; one at least, where the instruction has a word at all.

    They are the words that carry meaning, prices left out: all of them, and the first and last two and three.
    """
    asked = PRICE_CLAUSE.sub(" ", instruction).lower()
    words = [word.rstrip(".'’") for word in _WORD.findall(asked)]
    telling = [word for word in words if word and word not in _LITTLE][:MOST_WORDS]
    if not telling:
        telling = words[:MOST_WORDS]
    parts = [telling, telling[-3:], telling[:3], telling[-2:], telling[:2]]
    return tuple(dict.fromkeys(" ".join(part) for part in parts if part))
