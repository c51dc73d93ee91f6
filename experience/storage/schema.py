"""The Parquet form of an Episode, and the content hash of episodes.

One row is one episode, its fields those of `Episode.to_json`: what SCHEMAS calls worldschool.episode/1, and the facts
that held at the beginning (`initial_facts`). `READERS` has a line for every version that this release reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from worldschool.canonical import canonical_json
from worldschool.errors import DatasetError
from worldschool.experience.storage.columns import from_records, leaves, to_dicts, to_records
from worldschool.records import EPISODE_SCHEMA, SPLITS, Episode

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
        ("digest", pa.string()),
    ],
    metadata={"schema": EPISODE_SCHEMA},
)

ADDED_COLUMNS = ("digest",)
"""Columns that came after the first release of the schema: a shard may lack them, and "" then stands in them."""

NULLABLE = frozenset(
    ["activity", "error"] + [f"steps.events.{name}" for name in ("object", "source", "target", "relation")]
)
"""Columns, nested ones with dotted names, that may hold null."""

WITHOUT_STEPS = tuple(name for name in EPISODE.names if name != "steps")
"""Every column but the one that holds nearly all of the bytes."""


@dataclass(frozen=True)
class Reader:
    """How a version of the schema is read.

    Attributes:
        columns: what a file of this version has, at least.
        upgrade: makes a table of all its columns one of `EPISODE`; None where the columns are those of today.
    """

    columns: tuple[str, ...]
    upgrade: Callable[[pa.Table], pa.Table] | None = None


READERS: dict[str, Reader] = {
    EPISODE_SCHEMA: Reader(tuple(name for name in EPISODE.names if name not in ADDED_COLUMNS)),
}
"""Schema to its reader. A version that a release has written stays here for good."""


def reader_of(schema: pa.Schema, where: str, release: str | None = None) -> Reader:
    """Return the reader of a Parquet file's schema.

    Args:
        schema: the file's, with its metadata.
        where: names the file in the errors.
        release: the release of worldschool that wrote it, if that is known.

    Raises:
        DatasetError: the version is unknown, or a column is missing or of another type.
    """
    version = (schema.metadata or {}).get(b"schema", b"").decode(errors="replace")
    check_version(version, tuple(READERS), where, release)
    reader = READERS[version]
    missing = [name for name in reader.columns if name not in schema.names]
    if missing:
        raise DatasetError(f"columns are missing: {', '.join(missing)}", where=where)
    for name in schema.names if reader.upgrade is None else ():
        if name in EPISODE.names and schema.field(name).type != EPISODE.field(name).type:
            found, expected = schema.field(name).type, EPISODE.field(name).type
            raise DatasetError(
                f"the column {name!r} holds {str(found)[:60]}, not {str(expected)[:60]}", where=where
            )
    return reader


class UnknownVersionError(DatasetError):
    """A file is of a version that this release does not read."""


def check_version(found: object, known: Sequence[str], where: str, release: str | None = None) -> None:
    """Check that a `schema` entry is one of those that this release reads.

    Raises:
        UnknownVersionError: it is not; a newer version's release is named as far as it is known.
        DatasetError: it is no version of this schema at all.
    """
    if found in known:
        return
    newest = known[-1]
    family, _, major = str(found).partition("/")
    if family != newest.partition("/")[0]:
        raise DatasetError(f"the schema {newest!r} is expected, found {found!r}", where=where)
    wanted = f"{release} (which wrote this) or a later one" if release else f"one that knows version {major}"
    package = f"'worldschool>={release}'" if release else "worldschool"
    raise UnknownVersionError(
        f"the schema is {found!r} and this release reads {' and '.join(map(repr, known))}",
        where=where,
        mend=f"A newer worldschool release reads version {major}: {wanted}. Upgrade with `pip install -U {package}`.",
    )


def to_table(episodes: Sequence[Episode]) -> pa.Table:
    """Return one row an episode, in the order given.

    Raises:
        DatasetError: a value does not fit its column; the episode is named.
    """
    try:
        return from_records(episodes, EPISODE)
    except ValueError as error:
        for episode in episodes:  # which one is it?
            try:
                from_records([episode], EPISODE)
            except ValueError as own:
                raise DatasetError(
                    f"it holds a value that cannot be stored: {own}",
                    where=f"episode {getattr(episode, 'episode_id', episode)!r}",
                ) from None
        raise DatasetError(f"the episodes cannot be stored together: {error}") from None


def to_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a table in the form that `Episode.from_json` reads; columns it does not know are left out."""
    return to_dicts(table.select([name for name in table.column_names if name in EPISODE.names]))


def to_episodes(table: pa.Table) -> list[Episode]:
    """Return the episodes of a table; the inverse of `to_table`."""
    return to_records(table.select([name for name in table.column_names if name in EPISODE.names]))


def faults(table: pa.Table) -> list[str]:
    """Return what is wrong with the values of a whole table, one clause each; an empty list if nothing is.

    Checked are nulls where none may be, splits that are none, rewards and returns that are not finite, and lengths that
    are not the number of steps.
    """
    found = []
    finite = {"return", "steps.reward"}
    for name, values in leaves(table):
        if values.null_count and name not in NULLABLE:
            found.append(f"{name} is null {_times(values.null_count)}")
        elif name in finite and (
            wrong := len(values) - pc.sum(pc.is_finite(values)).as_py() if len(values) else 0
        ):
            found.append(f"{name} is not finite {_times(wrong)}")
    if not found:
        ids = table.column("episode_id")
        strange = pc.invert(pc.is_in(table.column("split"), pa.array(SPLITS)))
        other = pc.not_equal(pc.list_value_length(table.column("steps")), table.column("length"))
        for wrong, clause in (
            (strange, f"a split that is none of {', '.join(SPLITS)}"),
            (other, "another length than it has steps"),
        ):
            named = ids.filter(wrong).to_pylist()
            found += [f"{named[0]!r} has {clause}"] if named else []
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def content_hash(rows: Iterable[dict[str, Any]]) -> str:
    """Return the sha256, in hexadecimal, of episode rows.

    What is hashed is each row's canonical JSON (sorted keys, no spaces, UTF-8, floats by `repr`) and a newline, so the
    hash does not depend on shards, file bytes or the version of pyarrow. `digest` follows from the other fields and is
    left out, so that datasets from before it hash as they did.

    Args:
        rows: `Episode.to_json` forms, in index order.
    """
    digest = hashlib.sha256()
    for row in rows:
        content = {name: value for name, value in row.items() if name not in ADDED_COLUMNS}
        digest.update(canonical_json(content).encode())
        digest.update(b"\n")
    return digest.hexdigest()
