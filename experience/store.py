"""The episode store: a directory of Parquet shards that survives being killed at any moment.

    dataset.json            schema, resolved configuration, run seed, shard size, versions
    shards/NNNNNN.parquet   episodes with index in [N * shard_size, (N + 1) * shard_size)
    manifest.jsonl          one line a committed shard: name, rows, first and last index, sha256

A shard counts when its manifest line does. The file is whole on disk before its line is written; a line torn by a
crash is dropped, and a shard file without a line is ignored and written again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from worldschool.errors import DatasetError, OutputError, UserError
from worldschool.experience.manifest import Manifest, Shard, shard_name
from worldschool.experience.schema import EPISODE, content_hash, to_rows, to_table
from worldschool.files import read_json, write_atomic, write_json
from worldschool.records import EPISODE_SCHEMA, Episode, Split
from worldschool.runs import package_versions

DATASET_SCHEMA = "worldschool.dataset/1"
STEPS_PER_ROW_GROUP = 500
COLLECT_AGAIN = (
    "Delete its line in manifest.jsonl and run the same `worldschool collect` command again to mend it."
)


@dataclass(frozen=True)
class Totals:
    """Counts over all committed episodes."""

    episodes: int
    successes: int
    steps: int
    errors: int


class EpisodeStore:
    """A dataset directory. Made by `create` or `open`; iterating gives the episodes in index order."""

    def __init__(self, directory: Path, description: dict[str, Any]) -> None:
        self.directory = directory
        self.description = description
        self.run_seed: int = description["run_seed"]
        self.shard_size: int = description["shard_size"]
        self._manifest = Manifest(directory / "manifest.jsonl")
        self._shards = self._manifest.shards

    @classmethod
    def create(
        cls,
        directory: Path | str,
        config: dict[str, Any],
        run_seed: int,
        shard_size: int,
        dynamics: dict[str, str] | None = None,
    ) -> EpisodeStore:
        """Begin a dataset.

        Args:
            directory: made if it is missing.
            config: the resolved configuration, plain JSON values.
            run_seed: the seed of the run, kept in the description.
            shard_size: episodes in a shard, the unit of commit.
            dynamics: world id to version of its dynamics.

        Raises:
            OutputError: the directory already holds a dataset.
        """
        directory = Path(directory)
        if (directory / "dataset.json").exists():
            raise OutputError(
                "this directory holds a dataset already", where=str(directory), mend="Give another directory."
            )
        description = {
            "schema": DATASET_SCHEMA,
            "episode_schema": EPISODE_SCHEMA,
            "config": config,
            "run_seed": run_seed,
            "shard_size": shard_size,
            "versions": package_versions(),
            "dynamics": dynamics or {},
        }
        (directory / "shards").mkdir(parents=True, exist_ok=True)
        write_json(directory / "dataset.json", description)
        return cls(directory, description)

    @classmethod
    def open(cls, directory: Path | str, *, empty_ok: bool = False) -> EpisodeStore:
        """Open a dataset.

        Args:
            directory: the dataset directory.
            empty_ok: accept one without a committed shard, as a run that is just beginning has.

        Raises:
            DatasetError: there is no dataset, it is empty or damaged, or a newer release made it.
        """
        directory = Path(directory)
        if not directory.is_dir():
            raise DatasetError(
                "there is no such directory",
                where=str(directory),
                mend="Make one with `worldschool collect`.",
            )
        path = directory / "dataset.json"
        if not path.exists():
            raise DatasetError(
                "this directory is no dataset: dataset.json is missing",
                where=str(directory),
                mend="Give the directory that `worldschool collect` wrote.",
            )
        try:
            description = read_json(path, what="a dataset description")
        except UserError as error:
            raise DatasetError(error.problem, where=str(path)) from None
        _check_description(description, path)
        store = cls(directory, description)
        if not store._shards and not empty_ok:
            raise DatasetError(
                "the dataset is empty: no shard is committed",
                where=str(directory / "manifest.jsonl"),
                mend="Run `worldschool collect` with this directory and let it finish a shard.",
            )
        return store

    def commit_shard(self, k: int, episodes: Sequence[Episode]) -> None:
        """Write shard `k` and then its manifest line, each flushed to disk; after this it survives any crash.

        Args:
            k: the shard's number, not committed yet.
            episodes: those with index in [k * shard_size, (k + 1) * shard_size), in order; the last shard may be short.

        Raises:
            ValueError: the episodes are not those of the shard, or it is committed already.
        """
        if k in self._shards:
            raise ValueError(f"shard {k} is committed already")
        first = k * self.shard_size
        indices = [episode.index for episode in episodes]
        if (
            not indices
            or indices != list(range(first, first + len(indices)))
            or len(indices) > self.shard_size
        ):
            raise ValueError(f"shard {k} holds indices from {first} on in order, not {indices[:3]}...")
        data = _encode(episodes)
        name = shard_name(k)
        write_atomic(self.directory / "shards" / name, data)
        shard = Shard(name, len(indices), indices[0], indices[-1], sha256(data).hexdigest())
        self._manifest.append(shard)

    def committed_shards(self) -> list[int]:
        """Return the numbers of the committed shards, sorted."""
        return sorted(self._shards)

    def __len__(self) -> int:
        return sum(shard.rows for shard in self._shards.values())

    def __iter__(self) -> Iterator[Episode]:
        return self.scan()

    def scan(self, split: Split | None = None) -> Iterator[Episode]:
        """Yield the episodes (of one split, if given) in index order; one row group is in memory at a time.

        Raises:
            DatasetError: a shard is missing or damaged, when it is reached.
        """
        for row in self.rows():
            if split is None or row["split"] == split:
                yield Episode.from_json(row)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the stored rows (the form of `Episode.to_json`) in index order.

        Raises:
            DatasetError: a shard is missing or damaged, when it is reached.
        """
        for k in self.committed_shards():
            file = self._open_shard(self._shards[k])
            for group in range(file.num_row_groups):
                yield from to_rows(file.read_row_group(group))

    def read(self, episode_id: str) -> Episode:
        """Return one episode.

        Raises:
            DatasetError: there is none with this id.
        """
        for shard in self._likely_first(episode_id):
            file = self._open_shard(shard)
            ids = file.read(columns=["episode_id"]).column(0).to_pylist()
            if episode_id in ids:
                return Episode.from_json(to_rows(file.read().slice(ids.index(episode_id), 1))[0])
        raise DatasetError(f"there is no episode {episode_id!r}", where=str(self.directory))

    def totals(self) -> Totals:
        """Count episodes, successes, steps and errors; reads those columns only.

        Raises:
            DatasetError: a shard is missing or damaged.
        """
        episodes = successes = steps = errors = 0
        for k in self.committed_shards():
            table = self._open_shard(self._shards[k]).read(columns=["success", "length", "error"])
            episodes += table.num_rows
            successes += sum(table.column("success").to_pylist())
            steps += sum(table.column("length").to_pylist())
            errors += table.num_rows - table.column("error").null_count
        return Totals(episodes, successes, steps, errors)

    def content_hash(self) -> str:
        """Return the sha256 of all episodes in index order, whatever the shards (see `schema.content_hash`)."""
        return content_hash(self.rows())

    def verify(self) -> list[str]:
        """Check every shard against the manifest; returns the problems found, one sentence each, or an empty list."""
        problems: list[str] = []
        expected = 0
        for k in self.committed_shards():
            shard = self._shards[k]
            if shard.first != expected:
                problems.append(f"{self._path(shard)}: begins at index {shard.first}, expected {expected}.")
            expected = shard.last + 1
            try:
                found = self._open_shard(shard).read(columns=["index"]).column(0).to_pylist()
            except DatasetError as error:
                problems.append(str(error))
                continue
            if found != list(range(shard.first, shard.last + 1)) or len(found) != shard.rows:
                problems.append(
                    f"{self._path(shard)}: its indices are not {shard.first} to {shard.last} in order, "
                    f"as manifest.jsonl says."
                )
        return problems

    def _path(self, shard: Shard) -> Path:
        return self.directory / "shards" / shard.shard

    def _likely_first(self, episode_id: str) -> list[Shard]:
        """Return the shards, first the one that the index in the id's last part points to."""
        index = episode_id.rpartition("-")[2]
        likely = int(index) // self.shard_size if index.isdecimal() else -1
        return [self._shards[k] for k in sorted(self._shards, key=lambda k: (k != likely, k))]

    def _open_shard(self, shard: Shard) -> Any:
        """Return the shard as a pyarrow ParquetFile, its bytes and columns checked."""
        path = self._path(shard)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise DatasetError(
                "this committed shard is missing", where=str(path), mend=COLLECT_AGAIN
            ) from None
        except OSError as error:
            raise DatasetError(f"the shard cannot be read: {error}", where=str(path)) from None
        found = sha256(data).hexdigest()
        if found != shard.sha256:
            raise DatasetError(
                f"the file was changed or damaged: its sha256 is {found[:12]}..., manifest.jsonl says "
                f"{shard.sha256[:12]}...",
                where=str(path),
                mend=COLLECT_AGAIN,
            )
        try:
            file = pq.ParquetFile(pa.BufferReader(data))
        except (pa.ArrowException, OSError) as error:
            raise DatasetError(
                f"this is no readable Parquet file: {error}", where=str(path), mend=COLLECT_AGAIN
            ) from None
        metadata = file.schema_arrow.metadata or {}
        _check_schema(metadata.get(b"schema", b"").decode(), EPISODE_SCHEMA, path)
        missing = [name for name in EPISODE.names if name not in file.schema_arrow.names]
        if missing:
            raise DatasetError(f"columns are missing: {', '.join(missing)}", where=str(path))
        return file


def _check_schema(found: str | None, expected: str, path: Path) -> None:
    if found == expected:
        return
    family, _, major = (found or "").partition("/")
    if family != expected.partition("/")[0]:
        raise DatasetError(f"the schema {expected!r} is expected, found {found!r}", where=str(path))
    raise DatasetError(
        f"the schema is {found!r} and this release reads {expected!r}",
        where=str(path),
        mend=f"A newer worldschool release reads version {major}: upgrade with `pip install -U worldschool`.",
    )


def _check_description(description: Any, path: Path) -> None:
    if not isinstance(description, dict):
        raise DatasetError("a JSON object is expected", where=str(path))
    _check_schema(description.get("schema"), DATASET_SCHEMA, path)
    for key in ("run_seed", "shard_size"):
        if not isinstance(description.get(key), int):
            raise DatasetError(f"{key} is missing or no integer", where=str(path))


def _encode(episodes: Sequence[Episode]) -> bytes:
    """Return the episodes as a Parquet file, in row groups of about STEPS_PER_ROW_GROUP steps."""
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, EPISODE, compression="zstd") as writer:
        for group in _row_groups(episodes):
            writer.write_table(to_table(group))
    return buffer.getvalue()


def _row_groups(episodes: Sequence[Episode]) -> Iterator[list[Episode]]:
    group: list[Episode] = []
    steps = 0
    for episode in episodes:
        group.append(episode)
        steps += episode.length
        if steps >= STEPS_PER_ROW_GROUP:
            yield group
            group, steps = [], 0
    if group:
        yield group
