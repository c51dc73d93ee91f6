"""How a memory's SQLite file is laid out, opened, and its errors told.

It is in WAL mode: what was committed survives a kill at any instant, and readers do not wait for a writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worldschool.errors import MemoryStoreError
from worldschool.learners.memory.entries import KINDS

SECONDS_FOR_LOCK = 30.0

FIRST_TABLES = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ({", ".join(repr(kind) for kind in KINDS)})),
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    world TEXT NOT NULL,
    goal TEXT NOT NULL,
    success INTEGER,
    value REAL,
    retrieved INTEGER NOT NULL,
    used INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    superseded_by TEXT REFERENCES entries (id),
    created_index INTEGER NOT NULL UNIQUE,
    provenance TEXT NOT NULL
);
CREATE TABLE embeddings (
    entry_id TEXT NOT NULL REFERENCES entries (id),
    embedder TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (entry_id, embedder)
);
CREATE INDEX findable ON entries (kind, superseded_by, id);
CREATE INDEX superseded ON entries (id) WHERE superseded_by IS NOT NULL
"""
"""Of worldschool.memory/1."""

SECOND_TABLES = """
CREATE TABLE commits (last INTEGER PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE faded (entry_id TEXT PRIMARY KEY REFERENCES entries (id)) WITHOUT ROWID;
CREATE TABLE history (
    seq INTEGER PRIMARY KEY,
    entry_id TEXT NOT NULL REFERENCES entries (id),
    what TEXT NOT NULL CHECK (what IN ('superseded', 'merged', 'faded', 'restored', 'valued')),
    by TEXT REFERENCES entries (id),
    reason TEXT NOT NULL
);
CREATE INDEX history_of ON history (entry_id)
"""
"""What worldschool.memory/2 has beside them: after which entry each addition ended, and the sha256 of everything up to there; what
is not found any more though it is kept; and what became of entries, and why."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open the file in SQLite's `mode` ("rw" or "rwc"); transactions are begun and ended by the caller."""
    # isolation_level None: the module's own transactions would commit behind our back.
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=SECONDS_FOR_LOCK, isolation_level=None
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into ours; errors of our own statements pass."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "syntax" in str(error) or "no such column" in str(error):
            raise
        raise MemoryStoreError(
            f"the memory cannot be read or written: {error}",
            where=str(path),
            mend="Check that the directory can be written, that the disk has space and that no other process holds it.",
        ) from None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise MemoryStoreError(
            f"the file is damaged or no memory: {error}",
            where=str(path),
            mend="Restore it from a copy, or remove the directory and fill it anew.",
        ) from None
