"""Which part of a split an episode belongs to: by its `split` column, or by its world; never by the episode itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from itertools import accumulate

import pyarrow as pa

from worldschool.errors import ConfigError

SHARES_MEND = "Write them like train=0.8,validation=0.2."
PART_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def by_column(table: pa.Table) -> list[str]:
    """Return each row's part: its `split`."""
    found: list[str] = table.column("split").to_pylist()
    return found


def by_world(shares: Mapping[str, float], seed: int) -> Callable[[pa.Table], list[str]]:
    """Return what gives each row its part: where the blake2b digest of seed, world and world seed, as a number in
    [0, 1), falls.

    Args:
        shares: part name to its share; they sum to 1.
        seed: fixes which world falls where.

    Raises:
        ConfigError: the shares are none, or a name cannot be a directory's.
    """
    _check(shares)
    bounds = list(zip(shares, [*accumulate(shares.values())][:-1] + [1.0], strict=True))

    def part(world: str, world_seed: int) -> str:
        digest = hashlib.blake2b(f"{seed} {world} {world_seed}".encode(), digest_size=8).digest()
        drawn = (int.from_bytes(digest, "big") >> 11) / 2**53
        return next(name for name, bound in bounds if drawn < bound)

    def part_of(table: pa.Table) -> list[str]:
        return list(map(part, table.column("world").to_pylist(), table.column("seed").to_pylist()))

    return part_of


def read_shares(text: str) -> dict[str, float]:
    """Read shares like "train=0.8,validation=0.2".

    Raises:
        ConfigError: it is not written like that.
    """
    shares: dict[str, float] = {}
    for piece in text.split(","):
        name, equals, number = piece.strip().partition("=")
        try:
            share = float(number)
        except ValueError:
            equals = ""
        if not equals or name in shares:
            raise ConfigError(f"{piece!r} is no share, or is there twice", where="shares", mend=SHARES_MEND)
        shares[name] = share
    return shares


def _check(shares: Mapping[str, float]) -> None:
    for name, share in shares.items():
        if not PART_NAME.fullmatch(name):
            raise ConfigError(f"{name!r} cannot be the name of a part", where="shares", mend=SHARES_MEND)
        if not 0 < share <= 1:
            raise ConfigError(
                f"the share of {name} is {share}, not between 0 and 1", where="shares", mend=SHARES_MEND
            )
    if not shares or abs(sum(shares.values()) - 1) > 1e-6:
        raise ConfigError(
            f"the shares sum to {sum(shares.values()):g}, not to 1", where="shares", mend=SHARES_MEND
        )
