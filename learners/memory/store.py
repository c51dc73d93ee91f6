"""The entries and vectors of a memory in SQLite: the source of truth that everything else is rebuilt from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worldschool.canonical import canonical_json
from worldschool.errors import MemoryStoreError
from worldschool.learners.memory.database import FIRST_TABLES, SECOND_TABLES, connect, explained
from worldschool.learners.memory.entries import Change, Entry, Filter
from worldschool.models.embedders import Vectors
from worldschool.version import __version__

MEMORY_SCHEMA = "worldschool.memory/2"
EARLIER = "worldschool.memory/1"
DATABASE = "memory.sqlite"
EMPTY = ""
"""The digest of no entries."""

COLUMNS = tuple(field.name for field in dataclasses.fields(Entry))


class Commit(NamedTuple):
    """The end of an addition: the newest entry's `created_index`, -1 without any, and the sha256 (hex) of all up to it."""

    last: int
    digest: str


class MemoryStore:
    """The tables of one memory, open for reading and writing.

    Every method that changes something commits before it returns. Entries are never removed, so that `created_index` counts from 0
    without gaps. Little-endian float32 vectors are kept for each entry and embedder fingerprint.
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
            for statement in (*FIRST_TABLES.split(";"), *SECOND_TABLES.split(";")):
                run.execute(statement)
            for key, value in {**meta, "schema": MEMORY_SCHEMA, "package_version": __version__}.items():
                store._set(key, value)
        return store

    @classmethod
    def open(cls, directory: Path) -> MemoryStore:
        """Open the store of an existing memory; one of the version before is brought up to this one.

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
            store._upgrade()
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
        added: list[Entry] = []
        marks = ", ".join("?" * len(COLUMNS))
        with self._writing() as run:
            before = self.last_commit()
            for entry, vector in zip(entries, vectors, strict=True):
                placed = dataclasses.replace(entry, created_index=before.last + 1 + len(added))
                row = dataclasses.astuple(placed)
                done = run.execute(f"INSERT INTO entries VALUES ({marks}) ON CONFLICT (id) DO NOTHING", row)
                if done.rowcount:
                    self._put_vector(entry.id, embedder, vector)
                    added.append(placed)
            self._commit(before, [(entry.id, entry.key) for entry in added])
        return len(added)

    def last_commit(self) -> Commit:
        """Return where the newest addition ended."""
        row = self._query("SELECT last, digest FROM commits ORDER BY last DESC LIMIT 1").fetchone()
        return Commit(-1, EMPTY) if row is None else Commit(*row)

    def digest_at(self, last: int) -> str | None:
        """Return the digest of the addition that ended with this entry; None if none did."""
        if last < 0:
            return EMPTY
        row = self._query("SELECT digest FROM commits WHERE last = ?", (last,)).fetchone()
        return None if row is None else str(row[0])

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

    def at(self, places: Iterable[int]) -> dict[int, Entry]:
        """Return the entries of these `created_index`."""
        query = f"SELECT {', '.join(COLUMNS)} FROM entries WHERE created_index = ?"
        found = (self._query(query, (int(place),)).fetchone() for place in places)
        entries = (_entry(row) for row in found if row is not None)
        return {entry.created_index: entry for entry in entries}

    def vectors(self, embedder: str, dimension: int, after: int, at_most: int) -> Vectors:
        """Return the vectors of the entries that follow `after`, shape (n <= at_most, dimension), in the order of adding.

        Raises:
            MemoryStoreError: a vector is of another length.
        """
        found = self._query(
            "SELECT vector FROM entries JOIN embeddings ON id = entry_id "
            "WHERE embedder = ? AND created_index > ? AND created_index <= ? ORDER BY created_index",
            (embedder, after, after + at_most),
        ).fetchall()
        if any(len(row[0]) != 4 * dimension for row in found):
            raise MemoryStoreError(
                f"not every vector of {embedder} has {dimension} numbers",
                where=str(self.directory / DATABASE),
                mend="Restore it from a copy, or open the memory with another embedder, which embeds its entries again.",
            )
        joined = b"".join(row[0] for row in found)
        return np.frombuffer(joined, dtype="<f4").astype(np.float32).reshape(-1, dimension)

    def findable(self, wanted: Filter) -> NDArray[np.int64] | None:
        """Return the ascending `created_index` of all that a search may return; None: of every entry."""
        conditions, values = ["superseded_by IS NULL", "id NOT IN (SELECT entry_id FROM faded)"], []
        for column, value in wanted._asdict().items():
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        if (
            not values
            and not self._query(
                "SELECT EXISTS (SELECT 1 FROM entries WHERE superseded_by IS NOT NULL) OR EXISTS (SELECT 1 FROM faded)"
            ).fetchone()[0]
        ):
            return None
        query = f"SELECT created_index FROM entries WHERE {' AND '.join(conditions)} ORDER BY created_index"
        return np.fromiter((row[0] for row in self._query(query, values)), dtype=np.int64)

    def version(self) -> tuple[int, int]:
        """Return what changes whenever any process added an entry, or changed which are found; counts do not matter."""
        changes = self._query("SELECT COALESCE(MAX(seq), 0) FROM history").fetchone()[0]
        return self.last_commit().last, int(changes)

    # -- what becomes of entries -------------------------------------------------------------------------------------

    def supersede(self, old: str, new: str, reason: str) -> None:
        """Have an entry replaced by another: it is kept, and not found any more."""
        with self._writing() as run:
            run.execute("UPDATE entries SET superseded_by = ? WHERE id = ?", (new, old))
            self._note(old, "superseded", new, reason)

    def merge(self, kept: str, dropped: str, reason: str) -> None:
        """Have an entry stand for another, with both's counts; its provenance names what was merged into it."""
        with self._writing() as run:
            run.execute("UPDATE entries SET superseded_by = ? WHERE id = ?", (kept, dropped))
            run.execute(
                "UPDATE entries SET (retrieved, used, succeeded) = (SELECT entries.retrieved + other.retrieved, "
                "entries.used + other.used, entries.succeeded + other.succeeded FROM entries AS other WHERE other.id = ?) "
                "WHERE id = ?",
                (dropped, kept),
            )
            one, other = (json.loads(entry.provenance) for entry in self.entries([kept, dropped]))
            one["merged"] = [*one.get("merged", []), other, *other.pop("merged", [])]
            run.execute("UPDATE entries SET provenance = ? WHERE id = ?", (canonical_json(one), kept))
            self._note(dropped, "merged", kept, reason)

    def fade(self, entry_id: str, reason: str) -> None:
        """Have an entry not found any more, until it is restored."""
        with self._writing() as run:
            if run.execute("INSERT OR IGNORE INTO faded VALUES (?)", (entry_id,)).rowcount:
                self._note(entry_id, "faded", None, reason)

    def restore(self, entry_id: str, reason: str) -> None:
        """Have an entry that faded, or was replaced, found again."""
        with self._writing() as run:
            changed = run.execute("DELETE FROM faded WHERE entry_id = ?", (entry_id,)).rowcount
            changed += run.execute(
                "UPDATE entries SET superseded_by = NULL WHERE id = ? AND superseded_by IS NOT NULL",
                (entry_id,),
            ).rowcount
            if changed:
                self._note(entry_id, "restored", None, reason)

    def set_value(self, entry_id: str, value: float, reason: str) -> None:
        """Give an entry another value."""
        with self._writing() as run:
            run.execute("UPDATE entries SET value = ? WHERE id = ?", (value, entry_id))
            self._note(entry_id, "valued", None, f"{value:g}: {reason}")

    def history(self, entry_id: str) -> list[Change]:
        """Return what became of an entry, in order."""
        query = "SELECT what, by, reason FROM history WHERE entry_id = ? ORDER BY seq"
        return [Change(*row) for row in self._query(query, (entry_id,))]

    # -- counts ------------------------------------------------------------------------------------------------------

    def count_up(self, ids: Sequence[str], *columns: str) -> None:
        """Add one to counters ("retrieved", "used", "succeeded") of these entries, in one transaction."""
        raised = ", ".join(f"{column} = {column} + 1" for column in columns)
        with self._writing() as run:
            run.executemany(f"UPDATE entries SET {raised} WHERE id = ?", [(id_,) for id_ in ids])

    def count(self) -> int:
        """Return how many entries there are."""
        return int(self._query("SELECT COUNT(*) FROM entries").fetchone()[0])

    def faded_count(self) -> int:
        """Return how many entries have faded."""
        return int(self._query("SELECT COUNT(*) FROM faded").fetchone()[0])

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

    def _commit(self, before: Commit, added: Sequence[tuple[str, str]]) -> None:
        """Note that an addition ended; its digest is that of the one before and of what was added."""
        if not added:
            return
        digest = hashlib.sha256(before.digest.encode())
        for pair in added:
            digest.update(f"{canonical_json(pair)}\n".encode())
        row = (before.last + len(added), digest.hexdigest())
        self._connection.execute("INSERT INTO commits VALUES (?, ?)", row)

    def _note(self, entry_id: str, what: str, by: str | None, reason: str) -> None:
        self._connection.execute(
            "INSERT INTO history (entry_id, what, by, reason) VALUES (?, ?, ?, ?)",
            (entry_id, what, by, reason),
        )

    def _upgrade(self) -> None:
        """Bring a memory of the version before up to this one."""
        if self.get_meta("schema") == MEMORY_SCHEMA:
            return
        with self._writing() as run:
            if self.get_meta("schema") == MEMORY_SCHEMA:  # another process was faster
                return
            for statement in SECOND_TABLES.split(";"):
                run.execute(statement)
            rows = self._query("SELECT id, key FROM entries ORDER BY created_index").fetchall()
            self._commit(Commit(-1, EMPTY), rows)
            self._set("schema", MEMORY_SCHEMA)
            self._set("package_version", __version__)

    def _has_tables(self) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
        return self._connection.execute(query).fetchone() is not None

    def _check_schema(self, path: Path) -> None:
        found = self.get_meta("schema") or "none"
        if found not in (MEMORY_SCHEMA, EARLIER):
            raise MemoryStoreError(
                f"the memory's version is {found}; this release (worldschool {__version__}) reads {EARLIER} and {MEMORY_SCHEMA}",
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
