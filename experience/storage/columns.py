"""Episodes as Arrow columns and back, without a dict for every step on the way.

Nested fields are flattened level by level: all steps of a table are one list, all their events another, so that Arrow
converts long plain lists. The same walk backwards makes records, or the plain rows that files and hashes speak in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from typing import Any

import pyarrow as pa

from worldschool.records import Entity, Episode, Event, Fact, Step

ATTRIBUTES = {"class": "class_", "return": "return_"}
"""Columns whose name is a word of Python, and the records' attribute."""


def from_records(records: Sequence[Any], schema: pa.Schema) -> pa.Table:
    """Return one row a record, in the order given; the attributes are the schema's names.

    Raises:
        ValueError: a value is none of its column's type; the column is named.
    """
    columns = []
    for field in schema:
        try:
            columns.append(_column(field.type, _attributes(field.name, records)))
        except (pa.ArrowException, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise ValueError(f"{field.name}: {error}") from None
    return pa.Table.from_arrays(columns, schema=schema)


def to_records(table: pa.Table) -> list[Episode]:
    """Return the episodes of a table whose columns are exactly the fields of Episode, in any order."""
    columns = [_tuples(_whole(table.column(name))) for name in table.column_names]
    names = [ATTRIBUTES.get(name, name) for name in table.column_names]
    return [Episode(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def to_dicts(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows as plain values: dicts, lists and scalars; equal to `table.to_pylist()`."""
    return _dicts(table.column_names, [_lists(_whole(column)) for column in table.columns])


def leaves(table: pa.Table) -> Iterable[tuple[str, pa.Array]]:
    """Yield every column and, with dotted names, every nested one ("steps", "steps.action"), flattened."""
    for name in table.column_names:
        yield from _leaves(name, _whole(table.column(name)))


def _leaves(name: str, array: pa.Array) -> Iterable[tuple[str, pa.Array]]:
    yield name, array
    if pa.types.is_list(array.type):
        inner = array.flatten()
        if pa.types.is_struct(inner.type):
            yield from _leaves(name, inner)
        else:
            yield f"{name}.item", inner
    elif pa.types.is_struct(array.type):
        for field, child in zip(array.type, array.flatten(), strict=True):
            yield from _leaves(f"{name}.{field.name}", child)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
    )


def _attributes(name: str, records: Sequence[Any]) -> list[Any]:
    return list(map(attrgetter(ATTRIBUTES.get(name, name)), records))


def _column(kind: pa.DataType, values: list[Any]) -> pa.Array:
    if pa.types.is_list(kind):
        offsets = pa.array(accumulate(map(len, values), initial=0), pa.int32())
        return pa.ListArray.from_arrays(
            offsets, _column(kind.value_type, list(chain.from_iterable(values))), type=kind
        )
    if pa.types.is_struct(kind):
        children = [_column(field.type, _attributes(field.name, values)) for field in kind]
        return pa.StructArray.from_arrays(children, fields=list(kind))
    return pa.array(values, kind)


def _tuples(array: pa.Array) -> list[Any]:
    """Return the values as the records hold them: tuples for lists, records for structs."""
    if pa.types.is_list(array.type):
        return [tuple(part) for part in _cut(array, _tuples)]
    if pa.types.is_struct(array.type):
        columns = {
            ATTRIBUTES.get(field.name, field.name): _tuples(child)
            for field, child in zip(array.type, array.flatten(), strict=True)
        }
        record = _record_of(set(columns))
        return list(map(record, *(columns[name] for name in _FIELDS[record])))
    values: list[Any] = array.to_pylist()
    return values


def _lists(array: pa.Array) -> list[Any]:
    """Return the values as plain JSON would hold them."""
    if pa.types.is_list(array.type):
        return list(_cut(array, _lists))
    if pa.types.is_struct(array.type):
        return _dicts([field.name for field in array.type], [_lists(child) for child in array.flatten()])
    values: list[Any] = array.to_pylist()
    return values


def _cut(array: pa.Array, read: Callable[[pa.Array], list[Any]]) -> Iterable[list[Any]]:
    """Yield the values of each list of a list array; `read` turns the flattened array into them."""
    flat, offsets = read(array.flatten()), array.offsets.to_pylist()
    start = offsets[0] if offsets else 0
    return (flat[begin - start : end - start] for begin, end in pairwise(offsets))


def _dicts(names: list[str], columns: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


_FIELDS: dict[type[Any], tuple[str, ...]] = {
    record: tuple(record.__dataclass_fields__) for record in (Step, Event, Entity, Fact)
}


def _record_of(names: set[str]) -> type[Any]:
    """Return the record that has these fields."""
    return next(record for record, fields in _FIELDS.items() if set(fields) == names)
