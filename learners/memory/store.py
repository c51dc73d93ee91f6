"""The entries and vectors of a memory in SQLite: the source of truth that everything else is rebuilt from."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from worldschool.errors import MemoryStoreError
from worldschool.learners.memory.database import TABLES, connect, explained
from worldschool.learners.memory.entries import Entry
from worldschool.models.embedders import Vectors
from worldschool.version import __version__

MEMORY_SCHEMA = "worldschool.memory/1"
DATABASE = "memory.sqlite"

COLUMNS = tuple(field.name for field in dataclasses.fields(Entry))


class Rows(NamedTuple):
    """What entries are found by, in the order of adding; `last` is the last one's `created_index`, -1 without any."""

    ids: list[str]
    keys: list[str]
    last: int


class MemoryStore:
    """The tables of one memory, open for reading and writing.

    Every method that changes something commits before it returns. Little-endian float32 vectors are kept for each
    entry and embedder fingerprint.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection) -> None:
        self.directory = directory
        self._connection = connection

    @classmethod
    def create(cls, directory: Path, meta: dict[str, str]) -> MemoryStore:
        """Make a new store, with values of the memory itself (`get_meta`).

        Raises:
            MemoryStoreError: there is a memory here already, or the directory cannot be written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MemoryStoreError(
                f"the directory cannot be made: {error.strerror}", where=str(directory)
            ) from None
        with _opened(directory, "rwc") as store, store._writing() as run:
            if store._has_tables():
                raise MemoryStoreError(
                    "there is a memory here already",
                    where=str(directory),
                    mend="Open it to add to it, or give another directory.",
                )
            for statement in TABLES.split(";"):
                run.execute(statement)
            for key, value in {**meta, "schema": MEMORY_SCHEMA, "package_version": __version__}.items():
                store._set(key, value)
        return store

    @classmethod
    def open(cls, directory: Path) -> MemoryStore:
        """Open the store of an existing memory.

        Raises:
            MemoryStoreError: there is none, it is damaged, or of a version this release does not read.
        """
        path = directory / DATABASE
        if not path.is_file():
            what = "no memory.sqlite in it" if directory.is_dir() else "there is no such directory"
            raise MemoryStoreError(
                f"this is not a memory ({what})",
                where=str(directory),
                mend="Fill one with `worldschool remember`.",
            )
        with _opened(directory, "rw") as store:
            if not store._has_tables():
                raise MemoryStoreError(
                    "this file holds no memory",
                    where=str(path),
                    mend="Remove it and fill a memory with `worldschool remember`.",
                )
            store._check_schema(path)
        return store

    @staticmethod
    def exists(directory: Path) -> bool:
        """Return whether a memory was made here; a file from a creation that was killed does not count."""
        if not (directory / DATABASE).is_file():
            return False
        with _opened(directory, "rw") as store:
            found = store._has_tables()
        store.close()
        return found

    def close(self) -> None:
        """Close the file; the store cannot be used any more."""
        self._connection.close()

    def get_meta(self, key: str) -> str | None:
        """Return a value of the memory itself ("schema", "embedder", ...)."""
        row = self._query("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value of the memory itself."""
        with self._writing():
            self._set(key, value)

    def known_ids(self, ids: Sequence[str]) -> set[str]:
        """Return those of `ids` that are entries already."""
        return {id_ for id_ in ids if self._query("SELECT 1 FROM entries WHERE id = ?", (id_,)).fetchone()}

    def add(self, entries: Sequence[Entry], embedder: str, vectors: Vectors) -> int:
        """Add entries and their vectors, all or none; an id that is known already is passed over.

        Args:
            entries: their `created_index` is given here, in order.
            embedder: the fingerprint of what made `vectors`.
            vectors: float32, shape (len(entries), dimension).

        Returns:
            How many were new.
        """
        added = 0
        with self._writing() as run:
            following = int(
                run.execute("SELECT COALESCE(MAX(created_index), -1) + 1 FROM entries").fetchone()[0]
            )
            for entry, vector in zip(entries, vectors, strict=True):
                row = dataclasses.astuple(dataclasses.replace(entry, created_index=following + added))
                marks = ", ".join("?" * len(COLUMNS))
                done = run.execute(f"INSERT INTO entries VALUES ({marks}) ON CONFLICT (id) DO NOTHING", row)
                if done.rowcount:
                    self._put_vector(entry.id, embedder, vector)
                    added += 1
        return added

    def put_vectors(self, ids: Sequence[str], embedder: str, vectors: Vectors) -> None:
        """Keep vectors, shape (len(ids), dimension), of entries that had none from this embedder."""
        with self._writing():
            for id_, vector in zip(ids, vectors, strict=True):
                self._put_vector(id_, embedder, vector)

    def entries(self, ids: Sequence[str]) -> list[Entry]:
        """Return the entries of these ids, in the order given; unknown ids are left out."""
        query = f"SELECT {', '.join(COLUMNS)} FROM entries WHERE id = ?"
        found = (self._query(query, (id_,)).fetchone() for id_ in ids)
        return [_entry(row) for row in found if row is not None]

    def keys_without_vector(self, embedder: str, after: int = -1) -> list[tuple[str, str]]:
        """Return id and key of entries whose `created_index` is above `after` that have no vector from this embedder."""
        return self._query(
            "SELECT id, key FROM entries WHERE created_index > ? AND NOT EXISTS "
            "(SELECT 1 FROM embeddings WHERE entry_id = id AND embedder = ?) ORDER BY created_index",
            (after, embedder),
        ).fetchall()

    def rows(self) -> Rows:
        """Return what every entry is found by, without vectors, in the order of adding."""
        return _rows(
            self._query("SELECT created_index, id, key FROM entries ORDER BY created_index").fetchall()
        )

    def embedded_rows(self, embedder: str, dimension: int, after: int = -1) -> tuple[Rows, Vectors]:
        """Return the entries whose `created_index` is above `after`, and their vectors, shape (n, dimension).

        One statement reads both, so they belong together even while another process adds.
        """
        found = self._query(
            "SELECT created_index, id, key, vector FROM entries JOIN embeddings ON id = entry_id "
            "WHERE embedder = ? AND created_index > ? ORDER BY created_index",
            (embedder, after),
        ).fetchall()
        joined = b"".join(row[3] for row in found)
        return _rows(found), np.frombuffer(joined, dtype="<f4").astype(np.float32).reshape(-1, dimension)

    def findable(self, kind: str | None) -> set[str]:
        """Return the ids that a search may return: not replaced by another, and of `kind` if it is given."""
        query = "SELECT id FROM entries WHERE superseded_by IS NULL"
        rows = self._query(f"{query} AND kind = ?", (kind,)) if kind else self._query(query)
        return {row[0] for row in rows}

    def has_superseded(self) -> bool:
        """Return whether any entry was replaced by another."""
        return (
            self._query("SELECT 1 FROM entries WHERE superseded_by IS NOT NULL LIMIT 1").fetchone()
            is not None
        )

    def count_up(self, ids: Sequence[str], *columns: str) -> None:
        """Add one to counters ("retrieved", "used", "succeeded") of these entries, in one transaction."""
        raised = ", ".join(f"{column} = {column} + 1" for column in columns)
        with self._writing() as run:
            run.executemany(f"UPDATE entries SET {raised} WHERE id = ?", [(id_,) for id_ in ids])

    def count(self) -> int:
        """Return how many entries there are."""
        return int(self._query("SELECT COUNT(*) FROM entries").fetchone()[0])

    def last_index(self) -> int:
        """Return the highest `created_index`, -1 without entries; changes with every addition."""
        return int(self._query("SELECT COALESCE(MAX(created_index), -1) FROM entries").fetchone()[0])

    def tally(self, column: str) -> dict[Any, int]:
        """Return how many entries have each value of a column."""
        return dict(
            self._query(f"SELECT {column}, COUNT(*) FROM entries GROUP BY {column} ORDER BY {column}")
        )

    def total(self, column: str) -> int:
        """Return the sum of a counter over all entries."""
        return int(self._query(f"SELECT COALESCE(SUM({column}), 0) FROM entries").fetchone()[0])

    def _query(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        with explained(self.directory / DATABASE):
            return self._connection.execute(sql, values)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with explained(self.directory / DATABASE):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back when the disk is full
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _set(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _put_vector(self, entry_id: str, embedder: str, vector: Any) -> None:
        blob = np.asarray(vector, dtype="<f4").tobytes()
        self._connection.execute(
            "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", (entry_id, embedder, blob)
        )

    def _has_tables(self) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
        return self._connection.execute(query).fetchone() is not None

    def _check_schema(self, path: Path) -> None:
        found = self.get_meta("schema") or "none"
        if found != MEMORY_SCHEMA:
            raise MemoryStoreError(
                f"the memory's version is {found}; this release (worldschool {__version__}) reads {MEMORY_SCHEMA}",
                where=str(path),
                mend=f"It was written by worldschool {self.get_meta('package_version') or '(unknown)'}: use that.",
            )


@contextmanager
def _opened(directory: Path, mode: str) -> Iterator[MemoryStore]:
    """Give a store to be checked; it stays open unless the body raises."""
    path = directory / DATABASE
    with explained(path):
        store = MemoryStore(directory, connect(path, mode))
        try:
            yield store
        except BaseException:
            store.close()
            raise


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(COLUMNS, row, strict=True))
    values["success"] = None if values["success"] is None else bool(values["success"])
    return Entry(**values)


def _rows(found: list[tuple[Any, ...]]) -> Rows:
    return Rows([row[1] for row in found], [row[2] for row in found], found[-1][0] if found else -1)
