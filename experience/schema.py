"""The Parquet form of an Episode, and the content hash of episodes.

One row is one episode, its fields those of `Episode.to_json`: what SCHEMAS calls worldschool.episode/1, and the facts
that held at the beginning (`initial_facts`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from worldschool.canonical import canonical_json
from worldschool.records import EPISODE_SCHEMA, Episode

EVENT = pa.struct(
    [
        ("t", pa.int32()),
        ("actor", pa.string()),
        ("verb", pa.string()),
        ("object", pa.string()),
        ("source", pa.string()),
        ("target", pa.string()),
        ("relation", pa.string()),
        ("succeeded", pa.bool_()),
        ("seen_by", pa.list_(pa.string())),
    ]
)

STEP = pa.struct(
    [
        ("observation", pa.string()),
        ("action", pa.string()),
        ("reward", pa.float64()),
        ("state_hash", pa.string()),
        ("legal_actions", pa.int32()),
        ("events", pa.list_(EVENT)),
    ]
)

ENTITY = pa.struct([("name", pa.string()), ("class", pa.string())])

FACT = pa.struct([("subject", pa.string()), ("relation", pa.string()), ("object", pa.string())])

EPISODE = pa.schema(
    [
        ("episode_id", pa.string()),
        ("run_seed", pa.int64()),
        ("index", pa.int64()),
        ("world", pa.string()),
        ("world_version", pa.string()),
        ("world_config", pa.string()),
        ("seed", pa.int64()),
        ("agent", pa.string()),
        ("agent_config", pa.string()),
        ("split", pa.string()),
        ("goal", pa.string()),
        ("goal_predicates", pa.string()),
        ("activity", pa.string()),
        ("entities", pa.list_(ENTITY)),
        ("initial_facts", pa.list_(FACT)),
        ("initial_observation", pa.string()),
        ("initial_state_hash", pa.string()),
        ("steps", pa.list_(STEP)),
        ("terminated", pa.bool_()),
        ("truncated", pa.bool_()),
        ("success", pa.bool_()),
        ("return", pa.float64()),
        ("length", pa.int32()),
        ("error", pa.string()),
        ("package_version", pa.string()),
    ],
    metadata={"schema": EPISODE_SCHEMA},
)


def to_table(episodes: Sequence[Episode]) -> pa.Table:
    """Return one row an episode, in the order given."""
    return pa.Table.from_pylist([episode.to_json() for episode in episodes], schema=EPISODE)


def to_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a table in the form that `Episode.from_json` reads; columns it does not know are left out."""
    known = [name for name in table.column_names if name in EPISODE.names]
    rows: list[dict[str, Any]] = table.select(known).to_pylist()
    return rows


def to_episodes(table: pa.Table) -> list[Episode]:
    """Return the episodes of a table; the inverse of `to_table`."""
    return [Episode.from_json(row) for row in to_rows(table)]


def content_hash(rows: Iterable[dict[str, Any]]) -> str:
    """Return the sha256, in hexadecimal, of episode rows.

    What is hashed is each row's canonical JSON (sorted keys, no spaces, UTF-8, floats by `repr`) and a newline, so the
    hash does not depend on shards, file bytes or the version of pyarrow.

    Args:
        rows: `Episode.to_json` forms, in index order.
    """
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical_json(row).encode())
        digest.update(b"\n")
    return digest.hexdigest()
