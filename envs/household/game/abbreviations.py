"""Actions written short: "g app" for "grab apple"."""

from __future__ import annotations

from collections.abc import Sequence


def meanings(text: str, actions: Sequence[str]) -> list[str]:
    """Return the actions that a text is short for; "g apple" is not for "grab apple 2" where there is a "grab apple"."""
    found = [action for action in actions if is_short_for(text, action)]
    whole = [action for action in found if action.split()[-1] == text.casefold().split()[-1]]
    return whole if len(whole) == 1 else found


def is_short_for(text: str, action: str) -> bool:
    """Return whether each word of a text begins a word of an action, in order, the first the first.

    "p ap t" is short for "put apple on table".
    """
    words = text.casefold().split()
    rest = action.casefold().split()
    if not words or not rest[0].startswith(words[0]):
        return False
    rest = rest[1:]
    for word in words[1:]:
        while rest and not rest[0].startswith(word):
            rest = rest[1:]
        if not rest:
            return False
        rest = rest[1:]
    return True
