"""Repairing a damaged dataset: what can be proved whole is kept, the rest is taken out, and nothing is deleted.

A shard is whole when its bytes have the checksum of its manifest line. Of a damaged one, a row group is whole when its
bytes and the footer's have theirs. Where the line itself is lost, a shard is whole when every page has the checksum that
Parquet keeps beside it, all values can be decoded, and the indices are those of the shard.

    damaged/NNNNNN.parquet             damaged files, as they were found
    manifest.jsonl.before-repair       the manifest as it was found (dataset.json.before-repair likewise)
    salvaged/                          a dataset (with gaps) of the whole row groups of damaged shards
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from worldschool.errors import DatasetError
from worldschool.experience.storage.description import DESCRIPTION_FILE, recovered_description, release_of
from worldschool.experience.storage.manifest import Shard, read_lines, shard_name, write_manifest
from worldschool.experience.storage.salvage import decoded, parts_of, sound_row_groups
from worldschool.experience.storage.schema import UnknownVersionError, faults
from worldschool.experience.storage.shards import encode_shard
from worldschool.experience.storage.verification import inspect
from worldschool.experience.storage.writing import beside, writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import sha256_file, sync_directory, write_atomic, write_json
from worldschool.locking import lock_directory
from worldschool.progress import Advance, silent


@dataclass(frozen=True)
class Loss:
    """A shard that was damaged.

    Attributes:
        shard: its file's name.
        why: what was wrong.
        episodes: how many it held, as far as that is known.
        salvaged: how many of them were kept.
        first: index of its first episode, if known.
        last: index of its last episode, if known.
    """

    shard: str
    why: str
    episodes: int | None
    salvaged: int
    first: int | None
    last: int | None


@dataclass(frozen=True)
class Repair:
    """What `repair` did.

    Attributes:
        kept: shards that were whole.
        adopted: shards of these whose manifest line was lost and is there again.
        corrected: shards of these whose manifest line told a wrong number of episodes or wrong indices.
        losses: shards that were damaged.
        salvaged_to: the dataset that holds what was kept of them; None where they stayed in place, or nothing was kept.
        description_rebuilt: whether dataset.json was made again.
        changed: whether anything was written.
    """

    kept: int
    adopted: int
    corrected: int
    losses: tuple[Loss, ...]
    salvaged_to: str | None
    description_rebuilt: bool
    changed: bool


def repair(directory: Path | str, advance: Advance = silent) -> Repair:
    """Make a damaged dataset one that `verify` passes, keeping every episode that is provably whole.

    A shard that lost episodes is no longer committed, so that `worldschool collect` with the same configuration lives
    exactly these again; its whole row groups are kept in `salvaged/`. Datasets with gaps (made from others) keep them in
    place, in a shorter shard. A dataset without damage is left as it is.

    Args:
        directory: the dataset directory.
        advance: told of every shard.

    Raises:
        DatasetError: it is no dataset, one of a newer release, or dataset.json is lost and cannot be made again.
        OutputError: another process writes to it, or the disk is full.
    """
    directory = Path(directory)
    description, rebuilt = recovered_description(directory)
    lock = lock_directory(directory, owner := _Owner())
    assert lock.belongs_to(owner)
    with lock.mutex, writing(directory):
        return _Repairing(directory, description, advance).run(rebuilt)


class _Owner:
    """Holds the lock while the dataset is repaired."""


class _Repairing:
    """One repair: looks at every shard first, then writes, in an order in which a kill leaves nothing worse."""

    def __init__(self, directory: Path, description: dict[str, Any], advance: Advance) -> None:
        self.directory, self.description, self._advance = directory, description, advance
        self.gaps = bool(description.get("gaps"))
        self.lines = read_lines(directory / "manifest.jsonl")
        shards = directory / "shards"
        files = {int(path.stem): path for path in shards.glob("[0-9]*.parquet") if path.stem.isdecimal()}
        self.numbers = {k: path for k, path in files.items() if path.name == shard_name(k)}
        self.numbers |= {k: shards / shard.shard for k, shard in self.lines.shards.items()}
        self.whole: dict[int, Shard] = {}
        self.adopted = self.corrected = 0
        self.salvaged: dict[int, pa.Table] = {}
        self.losses: list[Loss] = []

    def run(self, rebuilt: bool) -> Repair:
        """Repair the dataset; `rebuilt` tells that its description was lost and made again."""
        for k in sorted(self.lines.shards):
            self._look_at(k, self.lines.shards[k])
            self._advance(1)
        if self.lines.damaged or not (self.directory / "manifest.jsonl").exists():
            self._adopt()
        changed = bool(rebuilt or self.losses or self.lines.damaged or self.adopted or self.corrected)
        salvaged_to = self._write(rebuilt) if changed else None
        return Repair(
            len(self.whole), self.adopted, self.corrected, tuple(self.losses), salvaged_to, rebuilt, changed
        )

    def _look_at(self, k: int, shard: Shard) -> None:
        path = self._path(shard)
        try:
            found = inspect(path, shard, release_of(self.description))
            why = found.wrong[0] if found.wrong else self._misplaced(k, found.keys)
        except UnknownVersionError:
            raise  # no damage: a newer release wrote it
        except DatasetError as error:
            why = error.problem
        if why is None:
            indices = [index for index, _ in found.keys]
            self.whole[k] = replace(shard, rows=len(indices), first=indices[0], last=indices[-1])
            self.corrected += self.whole[k] != shard
            return
        table = sound_row_groups(path, shard)
        rows = 0 if table is None else table.num_rows
        if table is not None:
            self.salvaged[k] = table
        self.losses.append(Loss(shard.shard, why, shard.rows, rows, shard.first, shard.last))

    def _misplaced(self, k: int, keys: Sequence[tuple[int, str]]) -> str | None:
        """Return why the episodes of a shard, each (index, episode_id), are not those of shard `k`, or None."""
        if not keys:
            return "it holds no episode"
        size = self.description["shard_size"]
        indices = [index for index, _ in keys]
        if self.gaps:
            ordered = list(keys) == sorted(set(keys))
            return None if ordered else "its episodes are not in order of (index, episode_id)"
        if indices != list(range(k * size, k * size + len(indices))) or len(indices) > size:
            return f"its indices are not {k * size} and on, in order"
        if len(indices) < size and k < max(self.numbers):
            return f"it holds {len(indices)} episodes, not {size}"
        return None

    def _adopt(self) -> None:
        """Give whole shards without a line a line again: it may be among the damaged ones."""
        for k, path in sorted(self.numbers.items()):
            if k in self.lines.shards:
                continue
            shard = self._proved(path, k)
            if shard is None:
                self.losses.append(
                    Loss(path.name, "its manifest line is lost, and it is not whole", None, 0, None, None)
                )
            else:
                self.whole[k] = shard
                self.adopted += 1

    def _proved(self, path: Path, k: int) -> Shard | None:
        """Return the line of a shard that lost it, or None where the file is not provably whole."""
        table = decoded(path)
        if table is None or faults(table):
            return None
        indices = table.column("index").to_pylist()
        keys = list(zip(indices, table.column("episode_id").to_pylist(), strict=True))
        digest = sha256_file(path)
        if self._misplaced(k, keys) is not None:
            return None
        return Shard(path.name, len(indices), indices[0], indices[-1], digest, parts_of(table, digest))

    def _write(self, rebuilt: bool) -> str | None:
        if rebuilt:
            _keep_copy(self.directory / DESCRIPTION_FILE)
            write_json(self.directory / DESCRIPTION_FILE, self.description)
        for loss in self.losses:
            self._set_aside(loss.shard)
        salvaged_to = None
        shards = dict(self.whole)
        if self.gaps:
            for k, table in self.salvaged.items():
                shards[k] = self._shortened(k, table)
        elif self.salvaged:
            salvaged_to = str(self._write_salvaged())
        _keep_copy(self.directory / "manifest.jsonl")
        write_manifest(self.directory / "manifest.jsonl", shards.values())
        for loss in self.losses:
            path = self.directory / "shards" / loss.shard
            if beside(path).exists():
                beside(path).replace(path)
            else:
                path.unlink(missing_ok=True)
        sync_directory(self.directory / "shards")
        return salvaged_to

    def _set_aside(self, name: str) -> None:
        path = self.directory / "shards" / name
        if path.exists():
            folder = self.directory / "damaged"
            folder.mkdir(exist_ok=True)
            shutil.copy2(path, _free(folder / name))

    def _shortened(self, k: int, table: pa.Table) -> Shard:
        """Write what is left of a shard beside it; the manifest will commit it."""
        encoded = encode_shard(table)
        path = self.directory / "shards" / shard_name(k)
        write_atomic(beside(path), encoded.data)
        indices = table.column("index")
        first, last = indices[0].as_py(), indices[-1].as_py()
        return Shard(path.name, table.num_rows, first, last, encoded.sha256, encoded.parts)

    def _write_salvaged(self) -> Path:
        out = _free(self.directory / "salvaged")
        source = {"directory": str(self.directory), "shards": [shard_name(k) for k in sorted(self.salvaged)]}
        of = self.description
        with EpisodeStore.create(
            out,
            {"salvaged": of["config"]},
            of["run_seed"],
            of["shard_size"],
            of.get("dynamics"),
            gaps=True,
            sources=[source],
        ) as store:
            for k in sorted(self.salvaged):
                store.append_table(self.salvaged[k])
        return out

    def _path(self, shard: Shard) -> Path:
        path = self.directory / "shards" / shard.shard
        if beside(path).exists() and sha256_file(beside(path)) == shard.sha256:
            beside(path).replace(path)  # a killed writer had committed it
        return path


def _keep_copy(path: Path) -> None:
    if path.exists():
        copy = _free(path.with_name(f"{path.name}.before-repair"))
        shutil.copy2(path, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())


def _free(path: Path) -> Path:
    """Return a path that is not there yet: this one, or with -2, -3, ... added."""
    if not path.exists():
        return path
    number = 2
    while (numbered := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    return numbered
