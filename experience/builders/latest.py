"""What several builders compute for one episode is computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from worldschool.records import Episode

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """Remembers what was computed for the latest episode, and nothing of any other: memory stays small."""

    def __init__(self) -> None:
        self._episode: Episode | None = None
        self._known: dict[Hashable, Value] = {}

    def get(self, episode: Episode, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return what `compute` gives for this episode and key, which must decide it."""
        if self._episode is not episode:  # by identity: comparing two episodes would cost more than computing
            self._episode, self._known = episode, {}
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]
