"""What is read in an action's text: whose it is, its verb, and the names in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

ACTOR_MARK = ": "
"""Ends the "NAME: " prefix of an action where one agent speaks for all characters."""


def verb_of(action: str) -> str:
    """Return the first word of `action` after any "NAME: " prefix ("Mary: walk to kitchen" -> "walk")."""
    words = action.split(ACTOR_MARK, 1)[-1].split()
    return words[0] if words else ""


def by_verb(actions: Iterable[str]) -> dict[str, list[str]]:
    """Return the actions of each verb, in order of first appearance."""
    found: dict[str, list[str]] = {}
    for action in actions:
        found.setdefault(verb_of(action), []).append(action)
    return found


def actor_of(actions: Sequence[str], info: Mapping[str, object]) -> str:
    """Return who acts next: the name before the colon, else what the world says; "" where there is no telling."""
    name, mark, _ = actions[0].partition(ACTOR_MARK)
    return name if mark else str(info.get("actor", ""))


class ActionNames:
    """Finds the names of a world's entities in its actions.

    Args:
        names: of all entities.
    """

    def __init__(self, names: Iterable[str]) -> None:
        # Longest first, so that "apple 2" is not read as "apple".
        known = sorted(names, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)") if known else None
        self._found: dict[str, tuple[str, ...]] = {}

    def __call__(self, action: str) -> tuple[str, ...]:
        """Return the names in an action, in order; whose action it is does not count."""
        found = self._found.get(action)
        if found is None:
            text = action.split(ACTOR_MARK, 1)[-1]
            found = tuple(self._pattern.findall(text)) if self._pattern else ()
            self._found[action] = found
        return found
