"""Gymnasium spaces that the rooms share."""

from __future__ import annotations

import string
from typing import Any

from gymnasium.spaces import Text


class AnyText(Text):
    """A Text space whose members are all strings.

    Gymnasium's Text accepts only a fixed character set; simulated worlds and language models write any.
    `contains` therefore takes every `str`; `sample` draws letters and spaces, up to `max_length` of them.
    """

    def __init__(self, max_length: int, *, seed: int | None = None) -> None:
        super().__init__(max_length=max_length, min_length=1, charset=string.ascii_letters + " ", seed=seed)

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a string."""
        return isinstance(x, str)

    def __repr__(self) -> str:
        return f"AnyText({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyText) and other.max_length == self.max_length
