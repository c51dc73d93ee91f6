"""Examples: built from datasets of episodes, written and read as Parquet or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow
import pyarrow.parquet
from pydantic import Field

from worldschool.config import Config
from worldschool.errors import DatasetError
from worldschool.experience.builders.base import BuilderSettings, builder_settings, run_builder
from worldschool.experience.store import EpisodeStore
from worldschool.files import write_atomic
from worldschool.progress import Advance, silent
from worldschool.records import EXAMPLE_SCHEMA, Episode, Example
from worldschool.runs import claim_output

EXAMPLES_FILE = "examples.parquet"

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


class ExamplesConfig(Config):
    """Settings of `worldschool examples`."""

    datasets: tuple[str, ...] = Field(min_length=1)
    """Dataset directories, as `worldschool collect` writes them."""
    builders: dict[str, dict[str, Any]] = Field(min_length=1)
    """Builder name to its settings."""
    seed: int = 0
    """Fixes wordings and choices."""
    limit: int | None = Field(default=None, ge=1)
    """At most this many examples of each builder."""


def build_examples(
    episodes: Iterable[Episode], builders: dict[str, BuilderSettings], seed: int, advance: Advance = silent
) -> Iterator[Example]:
    """Yield every builder's examples, episode by episode, so that questions about one story follow each other."""
    for episode in episodes:
        for name, settings in builders.items():
            yield from run_builder(name, episode, settings, seed)
        advance(1)


def examples_command(config: ExamplesConfig, out: Path, advance: Advance = silent) -> Path:
    """Build the configured examples into `out/examples.parquet`; done already, it is left as it is.

    Raises:
        DatasetError: a dataset is missing or empty, or nothing could be built from it.
    """
    builders = {name: builder_settings(name, values, "builders") for name, values in config.builders.items()}
    stores = [EpisodeStore.open(Path(directory)) for directory in config.datasets]
    target = out / EXAMPLES_FILE
    if claim_output(out, "examples", config.to_json(), config.seed) and target.exists():
        return target
    counts = dict.fromkeys(builders, 0)
    kept = []
    episodes = (episode for store in stores for episode in store)
    for example in build_examples(episodes, builders, config.seed, advance):
        if config.limit is None or counts[example.task] < config.limit:
            counts[example.task] += 1
            kept.append(example)
    if not kept:
        raise DatasetError(
            "none of the builders found anything to ask about in these episodes",
            where=", ".join(config.datasets),
            mend="Collect longer episodes, or use other builders.",
        )
    write_examples(target, kept)
    return target


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write examples as Parquet, or as JSON lines where the name ends in .jsonl; atomically."""
    rows = [example.to_json() for example in examples]
    if path.suffix == ".jsonl":
        write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, ARROW_SCHEMA), sink, compression="zstd")
    write_atomic(path, sink.getvalue().to_pybytes())


def read_examples(path: Path | str) -> list[Example]:
    """Read a file of examples, or the one in an output directory of `worldschool examples`.

    Raises:
        DatasetError: the file is missing, damaged, empty, of an unknown version or lacks a field.
    """
    path = Path(path)
    if path.is_dir():
        path = path / EXAMPLES_FILE
    if not path.exists():
        raise DatasetError(
            "there is no such file of examples", where=str(path), mend="Make one with `worldschool examples`."
        )
    try:
        rows = _read_jsonl(path) if path.suffix == ".jsonl" else _read_parquet(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"the file cannot be read: {error}", where=str(path)) from None
    try:
        examples = [Example.from_json(row) for row in rows]
    except TypeError as error:
        missing = str(error).split("missing ")[-1]
        raise DatasetError(f"an example lacks fields: {missing}", where=str(path)) from None
    if not examples:
        raise DatasetError(
            "there is no example in it", where=str(path), mend="Build it from a fuller dataset."
        )
    return examples


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    table = pyarrow.parquet.read_table(path)
    schema = (table.schema.metadata or {}).get(b"schema", EXAMPLE_SCHEMA.encode()).decode()
    if schema != EXAMPLE_SCHEMA:
        raise ValueError(f"its schema is {schema!r}, this release reads {EXAMPLE_SCHEMA!r}")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _read_jsonl(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise ValueError(f"line {number} is not JSON") from None
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is not a JSON object")  # noqa: TRY004 (told as a DatasetError)
        rows.append(row)
    return rows


def permute_answers(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return the examples with their answers exchanged at random among those of one task: a control.

    Whoever learns from these learns what answers look like, and how often each is right, but nothing about stories.
    Every example gets the answer of another episode, unless one episode has more than half of them.
    """
    rng = Random(seed)
    given: dict[int, Example] = {}
    for task in sorted({example.task for example in examples}):
        indices = [i for i, example in enumerate(examples) if example.task == task]
        # Sorted by episode and turned by half, episodes meet others as long as none has half of the examples.
        rng.shuffle(indices)
        indices.sort(key=lambda i: examples[i].episode_id)
        givers = indices[len(indices) // 2 :] + indices[: len(indices) // 2]
        for at, index in enumerate(indices):
            given[index] = examples[givers[at]]
    return [
        replace(
            example, completion=given[i].completion, answer=given[i].answer, options=None, answer_index=None
        )
        for i, example in enumerate(examples)
    ]
