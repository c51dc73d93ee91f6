"""Episodes as JSON lines and back, losing nothing: the content hash is the same afterwards.

episodes.jsonl     one line an episode, its keys those of `Episode.to_json`
description.json   what dataset.json held: configuration, run seed, shard size
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worldschool.errors import DatasetError, UserError
from worldschool.experience.storage.datasets import MadeDataset
from worldschool.experience.storage.description import checked_description
from worldschool.experience.storage.writing import writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, sha256_file, whole_file, write_json
from worldschool.progress import Advance, silent
from worldschool.records import Episode
from worldschool.runs import claim_output

EPISODES_FILE = "episodes.jsonl"
DESCRIPTION = "description.json"
SHARD_SIZE = 32
"""Episodes in a shard of a dataset whose description was not kept."""


@contextmanager
def line_writer(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Give a function that writes one JSON line; the file gets its name when all is written, or is not there."""
    with whole_file(path) as file:

        def write(row: dict[str, Any]) -> None:
            file.write((json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode())

        yield write


def write_episodes(store: EpisodeStore, out: Path, advance: Advance = silent) -> int:
    """Write a dataset's episodes and its description into a directory; returns how many episodes there are."""
    count = 0
    with line_writer(out / EPISODES_FILE) as write:
        for row in store.rows():
            write(row)
            count += 1
            advance(1)
    write_json(out / DESCRIPTION, {**store.description, "gaps": not store.complete})
    return count


def import_episodes(path: Path | str, out: Path | str, advance: Advance = silent) -> MadeDataset:
    """Make a dataset of JSON lines of episodes.

    Args:
        path: a file, or a directory that holds `episodes.jsonl`; with a `description.json` beside it the dataset is
            described as it was, without one its indices may have gaps.
        out: the dataset directory.
        advance: told of every episode.

    Raises:
        DatasetError: the file is missing or empty, or a line is no episode.
        OutputError: `out` belongs to something else or cannot be written.
    """
    path, out = Path(path), Path(out)
    path = path / EPISODES_FILE if path.is_dir() else path
    with writing(out):
        return _import(path, out, advance)


def _import(path: Path, out: Path, advance: Advance) -> MadeDataset:
    episodes = read_episodes(path)
    first = next(episodes, None)
    if first is None:
        raise DatasetError("there is no episode in it", where=str(path))
    described = _description(path.with_name(DESCRIPTION), first)
    begun = claim_output(out, "dataset import", {"file": str(path), "sha256": sha256_file(path)})
    if begun and (out / "dataset.json").exists():
        store = EpisodeStore.open(out, empty_ok=True)
    else:
        store = EpisodeStore.create(
            out,
            described["config"],
            described["run_seed"],
            described["shard_size"],
            described.get("dynamics"),
            gaps=bool(described.get("gaps")),
            sources=described.get("sources", []),
        )
    with store:
        store.hold()
        known = len(store)
        for number, episode in enumerate(read_episodes(path)):
            if number >= known:
                store.append([episode])
            advance(1)
    totals = store.totals()
    return MadeDataset(str(out), totals.episodes, totals.steps)


def read_episodes(path: Path) -> Iterator[Episode]:
    """Yield the episodes of a file of JSON lines.

    Raises:
        DatasetError: the file cannot be read, or a line is no episode; it is named.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _episode(line, f"{path}, line {number}")
    except FileNotFoundError:
        raise DatasetError(
            "there is no such file of episodes",
            where=str(path),
            mend="Make one with `worldschool export DATASET --to jsonl`.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"the file cannot be read: {error}", where=str(path)) from None


def _episode(line: str, where: str) -> Episode:
    try:
        return Episode.from_json(json.loads(line))
    except KeyError as error:
        raise DatasetError(f"this is no episode: {error} is missing", where=where) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise DatasetError(f"this is no episode: {error}", where=where) from None


def _description(path: Path, first: Episode) -> dict[str, Any]:
    if not path.exists():
        config = {"imported": EPISODES_FILE}
        return {"config": config, "run_seed": first.run_seed, "shard_size": SHARD_SIZE, "gaps": True}
    try:
        return checked_description(read_json(path, what="a dataset description"), path)
    except UserError as error:
        raise DatasetError(error.problem, where=str(path), mend=error.mend) from None
