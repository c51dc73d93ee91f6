"""Files of examples: Parquet or JSON lines, written one example after another, whole or absent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from worldschool.errors import DatasetError
from worldschool.files import whole_file
from worldschool.records import EXAMPLE_SCHEMA, Example

EXAMPLES_STEM = "examples"
EXAMPLES_FILE = f"{EXAMPLES_STEM}.parquet"
ROWS_AT_ONCE = 1000
"""Examples written at once, a row group of the Parquet file."""

ARROW_SCHEMA = pyarrow.schema(
    [
        ("example_id", pyarrow.string()),
        ("task", pyarrow.string()),
        ("prompt", pyarrow.string()),
        ("completion", pyarrow.string()),
        ("answer", pyarrow.string()),
        ("split", pyarrow.string()),
        ("episode_id", pyarrow.string()),
        ("builder", pyarrow.string()),
        ("builder_version", pyarrow.int32()),
        ("seed", pyarrow.int64()),
        ("options", pyarrow.list_(pyarrow.string())),
        ("answer_index", pyarrow.int32()),
        ("dials", pyarrow.string()),
        ("weight", pyarrow.float64()),
        ("meta", pyarrow.string()),
    ],
    metadata={"schema": EXAMPLE_SCHEMA},
)


@contextmanager
def writer(path: Path) -> Iterator[Callable[[Example], None]]:
    """Give a function that writes one example after another: Parquet, or JSON lines where the name ends in .jsonl.

    The file gets its name when all is written; after an error or a kill there is none.
    """
    lines = path.suffix == ".jsonl"
    with whole_file(path) as file:
        rows: list[dict[str, Any]] = []
        parquet = None if lines else pyarrow.parquet.ParquetWriter(file, ARROW_SCHEMA, compression="zstd")

        def flush() -> None:
            if parquet is None:
                file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
            else:
                parquet.write_table(pyarrow.Table.from_pylist(rows, ARROW_SCHEMA))
            rows.clear()

        def write(example: Example) -> None:
            rows.append(example.to_json())
            if len(rows) == ROWS_AT_ONCE:
                flush()

        try:
            yield write
            flush()
        finally:
            if parquet is not None:
                parquet.close()


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write examples as Parquet, or as JSON lines where the name ends in .jsonl; atomically."""
    with writer(path) as write:
        for example in examples:
            write(example)


E2WM_FIELDS = {"input", "ref"}
"""What a line of E2WM's training files has, and no example of ours."""


def read_examples(path: Path | str) -> list[Example]:
    """Read a file of examples, or the one in an output directory of `worldschool examples`.

    Raises:
        DatasetError: the file is missing, damaged, empty, of an unknown version or lacks a field.
    """
    return list(iterate_examples(path))


def iterate_examples(path: Path | str) -> Iterator[Example]:
    """Yield what `read_examples` returns, one row group (or line) in memory at a time.

    Raises:
        DatasetError: as `read_examples`; what is wrong with a row, when it is reached.
    """
    path = _file_of(Path(path))
    number = 0
    try:
        for row in _read_jsonl(path) if path.suffix == ".jsonl" else _read_parquet(path):
            number += 1
            yield published_example(row, path, number) if set(row) == E2WM_FIELDS else _example(row, path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"the file cannot be read: {error}", where=str(path)) from None
    if number == 0:
        raise DatasetError(
            "there is no example in it", where=str(path), mend="Build it from a fuller dataset."
        )


def published_example(row: Mapping[str, Any], path: Path, number: int) -> Example:
    """Return a line of E2WM's training files, `{input, ref}`, as an example of a task named after its file.

    Worked examples stand in the prompt; what is learned is " ", the reference and a line's end (Xiang et al. 2023).

    Args:
        row: the line.
        path: train_TASK.jsonl, or any other name.
        number: of the line, from 1.

    Raises:
        DatasetError: a field is no text, or empty.
    """
    prompt, answer = row["input"], row["ref"]
    for field, text in (("input", prompt), ("ref", answer)):
        if not isinstance(text, str) or not text.strip():
            raise DatasetError(f"line {number}: `{field}` is no text", where=str(path))
    task = f"e2wm_{path.stem.removeprefix('train_')}"
    return Example(
        example_id=f"{task}-{number}",
        task=task,
        prompt=prompt.rstrip(),
        completion=f" {answer.strip()}\n",
        answer=answer.strip(),
        split="train",
        episode_id=f"{task}-{number}",
        builder="e2wm",
        builder_version=1,
        seed=0,
    )


def _file_of(path: Path) -> Path:
    if path.is_dir():
        lines = path / f"{EXAMPLES_STEM}.jsonl"
        path = lines if lines.exists() else path / EXAMPLES_FILE
    if not path.exists():
        raise DatasetError(
            "there is no such file of examples", where=str(path), mend="Make one with `worldschool examples`."
        )
    return path


def _example(row: dict[str, Any], path: Path) -> Example:
    try:
        return Example.from_json(row)
    except TypeError as error:
        missing = str(error).split("missing ")[-1]
        raise DatasetError(f"an example lacks fields: {missing}", where=str(path)) from None


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    with pyarrow.parquet.ParquetFile(path) as file:
        schema = (file.schema_arrow.metadata or {}).get(b"schema", EXAMPLE_SCHEMA.encode()).decode()
        if schema != EXAMPLE_SCHEMA:
            raise ValueError(f"its schema is {schema!r}, this release reads {EXAMPLE_SCHEMA!r}")
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group).to_pylist()


def _read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                raise ValueError(f"line {number} is not JSON") from None
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is not a JSON object")  # noqa: TRY004 (told as a DatasetError)
            yield row
