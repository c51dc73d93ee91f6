"""What is in a dataset, at a glance; no step is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median

from worldschool.experience.store import EpisodeStore

COLUMNS = (
    "split",
    "world",
    "world_version",
    "agent",
    "activity",
    "success",
    "length",
    "error",
    "return",
    "seed",
)


@dataclass(frozen=True)
class Summary:
    """Counts over a dataset.

    Attributes:
        directory: where it is.
        episodes, steps, errors: how many; errors are episodes that ended by an exception.
        successes: episodes that reached their goal.
        worlds: world and version of its dynamics ("NAME, version V") to episodes.
        agents, splits, activities: name to episodes.
        world_seeds: how many different seeds the worlds were reset with.
        shortest, median_length, longest: steps of an episode.
        mean_return: mean undiscounted return.
        shards: committed shards.
        size: bytes of their files.
        gaps: whether indices may be missing.
    """

    directory: str
    episodes: int
    steps: int
    errors: int
    successes: int
    worlds: dict[str, int]
    agents: dict[str, int]
    splits: dict[str, int]
    activities: dict[str, int]
    world_seeds: int
    shortest: int
    median_length: float
    longest: int
    mean_return: float
    shards: int
    size: int
    gaps: bool

    @property
    def bytes_per_step(self) -> float:
        """Bytes of the shards over steps."""
        return self.size / max(self.steps, 1)


def summarize(store: EpisodeStore) -> Summary:
    """Count what a dataset holds; it has an episode, at least.

    Raises:
        DatasetError: a shard is missing or damaged.
    """
    lengths: list[int] = []
    returns = 0.0
    successes = errors = 0
    worlds, agents, splits, activities = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    seeds = set()
    for row in store.rows(COLUMNS):
        lengths.append(row["length"])
        returns += row["return"]
        successes += row["success"]
        errors += row["error"] is not None
        worlds[f"{row['world']}, version {row['world_version']}"] += 1
        agents[row["agent"]] += 1
        splits[row["split"]] += 1
        activities.update([row["activity"]] if row["activity"] is not None else [])
        seeds.add((row["world"], row["seed"]))
    return Summary(
        directory=str(store.directory),
        episodes=len(lengths),
        steps=sum(lengths),
        errors=errors,
        successes=successes,
        worlds=dict(worlds.most_common()),
        agents=dict(agents.most_common()),
        splits=dict(splits.most_common()),
        activities=dict(activities.most_common()),
        world_seeds=len(seeds),
        shortest=min(lengths),
        median_length=median(lengths),
        longest=max(lengths),
        mean_return=returns / len(lengths),
        shards=len(store.committed_shards()),
        size=sum(path.stat().st_size for path in store.shard_files()),
        gaps=store.gaps,
    )
