"""One canonical encoding of values, on which every content hash rests."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Encode `value` as JSON with sorted keys, no spaces and UTF-8 left as it is; floats by `repr`.

    Equal values give equal text in every process. NaN and infinities raise ValueError: no record holds them.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def blake2b_hex(text: str) -> str:
    """Return the 128-bit blake2b digest of `text` as 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def short_digest(value: Any) -> str:
    """Return 8 hexadecimal digits of the sha256 of `value`'s canonical encoding."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:8]
