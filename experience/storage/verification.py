"""Whether a dataset is what its manifest says: bytes, schema, values, indices and ids of every shard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from worldschool.errors import DatasetError
from worldschool.experience.storage.description import read_description, release_of
from worldschool.experience.storage.manifest import Shard, read_lines, shard_name
from worldschool.experience.storage.schema import faults
from worldschool.experience.storage.shards import ShardFile
from worldschool.experience.storage.writing import beside
from worldschool.progress import Advance, silent


@dataclass(frozen=True)
class Problem:
    """Something damaged: the file, what is wrong with it, and what to do."""

    where: str
    problem: str
    mend: str

    def __str__(self) -> str:
        return str(DatasetError(self.problem, where=self.where, mend=self.mend))


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        problems: damage; none where all is well.
        notes: what is not there yet or not counted, a sentence each; no damage.
        shards: committed shards.
        episodes: episodes in the shards that could be read.
        steps: steps of those.
        size: bytes of the committed shards.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    shards: int
    episodes: int
    steps: int
    size: int


@dataclass
class ShardContents:
    """What is in one shard that could be read.

    Attributes:
        keys: each episode's (index, episode_id), in order.
        steps: how many there are.
        wrong: what is wrong with the values, a clause each.
    """

    keys: list[tuple[int, str]] = field(default_factory=list)
    steps: int = 0
    wrong: list[str] = field(default_factory=list)


def verify(directory: Path | str, advance: Advance = silent) -> Verification:
    """Check a dataset without changing it.

    Every shard's bytes are compared with its checksum and decoded; its schema, its values (see `schema.faults`), its
    indices and the manifest's word on them are checked, and that no id is there twice. A shard that is not committed
    is no damage: a run that was interrupted lacks some, and completes them when it is continued.

    Args:
        directory: the dataset directory.
        advance: told of every shard.

    Raises:
        DatasetError: it is no dataset, or one of a newer release.
    """
    directory = Path(directory)
    description = read_description(directory)
    release = release_of(description)
    lines = read_lines(directory / "manifest.jsonl")
    mend = f"Run `worldschool repair {directory}`."
    problems = [
        Problem(f"{directory / 'manifest.jsonl'}, line {bad.number}", "this line is damaged", mend)
        for bad in lines.damaged
    ]
    order = _Order(bool(description.get("gaps")), description["shard_size"])
    episodes = steps = size = 0
    for k in sorted(lines.shards):
        shard = lines.shards[k]
        path = directory / "shards" / shard.shard
        path = beside(path) if _committed_beside(path, shard) else path
        try:
            found = inspect(path, shard, release)
        except DatasetError as error:
            problems.append(Problem(str(path), error.problem, mend))
            order.skip(k, shard)
        else:
            wrong = [*found.wrong, *order.faults(k, shard, found.keys, last=k == max(lines.shards))]
            problems += [Problem(str(path), text, mend) for text in wrong]
            episodes, steps = episodes + len(found.keys), steps + found.steps
            size += path.stat().st_size
        advance(1)
    notes = [*order.notes, *_notes(directory, lines.shards, lines.torn)]
    return Verification(tuple(problems), tuple(notes), len(lines.shards), episodes, steps, size)


def inspect(path: Path, shard: Shard, release: str | None = None) -> ShardContents:
    """Read a whole shard and check its values.

    Raises:
        DatasetError: the file is missing or damaged, or none that this release reads.
    """
    found = ShardContents()
    with ShardFile(path, shard, {}, release) as file:
        for group in range(file.groups):
            table = file.read(group)
            found.wrong += faults(table)
            if not found.wrong:
                found.steps += sum(table.column("length").to_pylist())
                ids = table.column("episode_id").to_pylist()
                found.keys += zip(table.column("index").to_pylist(), ids, strict=True)
    return found


class _Order:
    """Follows indices and ids through the shards of a dataset."""

    def __init__(self, gaps: bool, size: int) -> None:
        self.notes: list[str] = []
        self._gaps, self._size = gaps, size
        self._next = 0  # number of the shard that comes next
        self._last: tuple[int, str] | None = None
        self._ids: set[str] = set()

    def skip(self, k: int, shard: Shard) -> None:
        """Pass over a shard that cannot be read."""
        self._missing(k)
        self._last = (shard.last, "")

    def faults(self, k: int, shard: Shard, keys: list[tuple[int, str]], last: bool) -> Iterable[str]:
        """Yield what is wrong with a shard's place among the others; `keys` are its (index, episode_id)."""
        self._missing(k)
        if not keys:
            return
        indices = [index for index, _ in keys]
        if (shard.rows, shard.first, shard.last) != (len(keys), indices[0], indices[-1]):
            yield (
                f"it holds {len(keys)} episodes with indices {indices[0]} to {indices[-1]}, and manifest.jsonl says "
                f"{shard.rows} from {shard.first} to {shard.last}"
            )
        if self._gaps:
            joined = [*([self._last] if self._last else []), *keys]
            if any(one >= other for one, other in pairwise(joined)):
                yield "its episodes are not in order of (index, episode_id)"
        elif indices != list(range(k * self._size, k * self._size + len(keys))):
            yield f"its indices are not {k * self._size} and on, in order"
        elif len(keys) > self._size or (len(keys) < self._size and not last):
            yield f"it holds {len(keys)} episodes, not {self._size}"
        self._last = keys[-1]
        before = len(self._ids)
        twice = sorted(self._ids.intersection(episode_id for _, episode_id in keys))
        self._ids.update(episode_id for _, episode_id in keys)
        if len(self._ids) < before + len(keys):
            named = f"the id {twice[0]!r} is there" if twice else "an id is there"
            yield f"{named} more than once"

    def _missing(self, k: int) -> None:
        """Note shards that are not there, where all of them should be in the end."""
        if k > self._next and not self._gaps:
            names = shard_name(self._next) + (f" to {shard_name(k - 1)}" if k - 1 > self._next else "")
            self.notes.append(
                f"{names}: not committed (episodes {self._next * self._size} to {k * self._size - 1}). The same "
                "`worldschool collect` command collects them."
            )
        self._next = k + 1


def _committed_beside(path: Path, shard: Shard) -> bool:
    """Return whether a killed writer had committed this shard, but not put it in its place."""
    if not beside(path).exists():
        return False
    try:
        with ShardFile(beside(path), shard, {}):
            return True
    except DatasetError:
        return False


def _notes(directory: Path, shards: dict[int, Shard], torn: bool) -> Iterable[str]:
    if torn:
        yield "manifest.jsonl: its last line was torn by a kill and does not count."
    counted = {shard.shard for shard in shards.values()}
    for path in sorted((directory / "shards").glob("*.parquet")):
        if path.name not in counted:
            yield f"{path}: a file without a line in manifest.jsonl does not count."
