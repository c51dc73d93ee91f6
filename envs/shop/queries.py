"""Searches that an instruction suggests: what a shopper who only reads the instruction might type.

`ShopEnv.legal_actions` offers them, since there is no end of what could be searched for. Nothing but the instruction is read.
"""

from __future__ import annotations

import re
from functools import lru_cache

_AMOUNT = r"\$?\s*\d[\d,]*(?:\.\d+)?(?:\s*(?:dollars|usd|bucks))?"
PRICE_CLAUSE = re.compile(
    r"(?:,|\band\b|\bwith\b|\bfor\b|\bthat\b|\s)*\b(?:"
    r"(?:price[ds]?|costs?|costing|budget|under|below|less than|lower than|cheaper than|at most|no more than|up to|not over|"
    rf"within|max(?:imum)?)\b[^$\d,.;]*{_AMOUNT}"
    rf"|(?:i have|only have|with)\s+(?:only\s+)?{_AMOUNT}\s+(?:to spend|or less)"
    rf"|{_AMOUNT}\s+or less)",
    re.IGNORECASE,
)
"""A part of an instruction that bounds the price; its last number is the bound."""
_WORD = re.compile(r"[^\W_][^\s,;:!?()\"]*")
_FUNCTION_WORDS = """
a also am an and any are as at be buy by can choose comes could do find for friend from get give go good had has have help
hey hi i i'd i'll i'm if in ideally is it its kind let like look looking made make me must my myself need needed needs of on
one or order pair please preferably purchase search searching shop shopping should show some something such take thank thanks
that the them then there these they this those to us use very want wanted we what where which who will with would you
"""
_LITTLE = frozenset(_FUNCTION_WORDS.split())
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
