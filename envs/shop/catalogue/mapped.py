"""Rows of Arrow IPC files, mapped into memory and read one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from worldschool.errors import WorldError

BATCHES_KEPT = 4096
"""Batches that are kept as objects, the last used; what is in them stays in the file."""
MEND = "Make the catalogue again; what is written here is not what was stored."


class MappedRows:
    """The rows of a file whose record batches all have one size, the last one aside.

    A batch is checked in full when it is first touched, so that a damaged file is told and never read out of bounds.

    Args:
        path: an Arrow IPC file.
        schema: of it.
        batch: rows of a record batch.
        count: rows of the file.

    Raises:
        WorldError: the file is missing, damaged or of another schema or size.
    """

    def __init__(self, path: Path, schema: pa.Schema, batch: int, count: int) -> None:
        self._path, self._batch, self._count = path, batch, count
        self._file = open_arrow(path)
        self._names = schema.names
        if not self._file.schema.equals(schema) or self._file.num_record_batches != -(-count // batch):
            raise WorldError("this file is of another catalogue", where=str(path), mend=MEND)
        self._places = {name: place for place, name in enumerate(schema.names)}
        self._kept = lru_cache(maxsize=BATCHES_KEPT)(lambda number: _Columns(self._read(number)))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> dict[str, Any]:
        """Return a row: column name to its value, as Python objects."""
        columns, place = self._at(row)
        return {name: columns[at][place].as_py() for at, name in enumerate(self._names)}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield every row; batches are not kept."""
        for number in range(self._file.num_record_batches):
            yield from self._read(number).to_pylist()

    def value(self, row: int, name: str) -> Any:
        """Return one value of a row."""
        return self.values(row, (name,))[0]

    def values(self, row: int, names: Sequence[str]) -> list[Any]:
        """Return some values of a row; what else is in it is not touched."""
        columns, place = self._at(row)
        return [columns[self._places[name]][place].as_py() for name in names]

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a whole column, its values where the file has them."""
        batches = [self._read(number) for number in range(self._file.num_record_batches)]
        place = self._places[name]
        return pa.chunked_array(
            [batch.column(place) for batch in batches], self._file.schema.field(place).type
        )

    def _at(self, row: int) -> tuple[_Columns, int]:
        if not 0 <= row < self._count:
            raise IndexError(f"row {row} of {self._count}")
        number, place = divmod(row, self._batch)
        return self._kept(number), place

    def _read(self, number: int) -> pa.RecordBatch:
        expected = min(self._batch, self._count - number * self._batch)
        return read_batch(self._file, number, expected, self._path, full=True)


class _Columns(dict[int, Any]):
    """The columns of a batch, each made an object when it is first asked for: it takes longer than reading a value."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        super().__init__()
        self._batch = batch

    def __missing__(self, place: int) -> Any:
        self[place] = column = self._batch.column(place)
        return column


def open_arrow(path: Path) -> Any:
    """Open an Arrow IPC file, mapped into memory.

    Raises:
        WorldError: it is missing or damaged.
    """
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except (OSError, pa.ArrowException) as error:
        raise WorldError(f"this file cannot be read ({error})", where=str(path), mend=MEND) from None


def read_batch(file: Any, number: int, expected: int, path: Path, full: bool) -> pa.RecordBatch:
    """Return a record batch once it was checked to have so many rows, and to be whole.

    Args:
        file, path: the file, open.
        number: of the batch.
        expected: rows that it has to have.
        full: check every offset and text, too, which reads the whole batch; not needed where there are only numbers.

    Raises:
        WorldError: it is not so.
    """
    try:
        batch = file.get_batch(number)
        batch.validate(full=full)
        if batch.num_rows != expected:
            raise ValueError(f"{batch.num_rows} rows in place of {expected}")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise WorldError(f"batch {number} is damaged ({error})", where=str(path), mend=MEND) from None
    return batch


def single_batch(path: Path, count: int, schema: pa.Schema) -> pa.RecordBatch:
    """Return the one record batch of a file of numbers and ids.

    Args:
        path: the file.
        count: rows that it has to have.
        schema: the file's.

    Raises:
        WorldError: the file is missing, damaged or of another schema or size.
    """
    file = open_arrow(path)
    if not file.schema.equals(schema) or file.num_record_batches != 1:
        raise WorldError("this file is of another catalogue", where=str(path), mend=MEND)
    return read_batch(file, 0, count, path, full=False)
