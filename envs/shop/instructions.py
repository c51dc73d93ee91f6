"""Reading shopping instructions back as actions: what `telling.narrate_action` writes, and what is near it."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"(?<=[.!\"”])\s+(?=(?:then |now |next,? )?(?:search|click|buy)\b)", re.IGNORECASE)
_QUOTED = re.compile(
    r"(?:then |now |next,? )?(?P<verb>search|click)(?: for| on)?:?\s*[\"“](?P<argument>.*)[\"”]\s*\.?",
    re.IGNORECASE,
)
_BUY = re.compile(r"(?:then |now |next,? )?buy (?:it|this|the product)(?: now)?\s*[.!]?", re.IGNORECASE)


def read_instructions(text: str) -> list[str]:
    """Return a text's sentences as actions of the shop; one that is no instruction stays as it is, and cannot be done.

    'Search for "red mug". Buy it now.' gives ["search[red mug]", "click[buy now]"].
    """
    return [_action(one.strip()) for one in _SENTENCE.split(text.strip()) if one.strip()]


def _action(sentence: str) -> str:
    if _BUY.fullmatch(sentence):
        return "click[buy now]"
    found = _QUOTED.fullmatch(sentence)
    return f"{found['verb'].lower()}[{found['argument'].lower()}]" if found else sentence
