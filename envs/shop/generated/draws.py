"""Random numbers of one thing: all drawn from a key, whatever was drawn for other things."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
_WORDS = 128
_UNPACK = struct.Struct(f"<{_WORDS}H").unpack


class Draws:
    """A stream of random numbers that a key decides: 16-bit words of SHAKE-256 (FIPS 202) of the key.

    A choice among n is within n / 65536 of fair, which is why n may be 4,096 at most. No generator of the standard library
    starts as fast: a product has one of these of its own.
    """

    __slots__ = ("_block", "_key", "_words")

    def __init__(self, key: str) -> None:
        self._key, self._block = key, 0
        self._refill()

    def _refill(self) -> None:
        digest = hashlib.shake_256(f"{self._block} {self._key}".encode()).digest(2 * _WORDS)
        self._words: Iterator[int] = iter(_UNPACK(digest))
        self._block += 1

    def below(self, count: int) -> int:
        """Return a number from 0 to count - 1."""
        for word in self._words:
            return word * count >> 16
        self._refill()
        return self.below(count)

    def one_of(self, things: Sequence[T]) -> T:
        """Return one of some things."""
        for word in self._words:  # As `below`, whose call this saves.
            return things[word * len(things) >> 16]
        self._refill()
        return self.one_of(things)

    def some_of(self, things: Sequence[T], count: int) -> list[T]:
        """Return `count` of some things (all, if there are fewer), in random order."""
        left = list(things)
        count = min(count, len(left))
        for place in range(count):
            other = place + self.below(len(left) - place)
            left[place], left[other] = left[other], left[place]
        return left[:count]

    def share(self) -> float:
        """Return a number in [0, 1) with 32 bits."""
        return (self.below(1 << 16) * 65536 + self.below(1 << 16)) / 4294967296
