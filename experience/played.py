"""What a person did in a world, as episodes of a dataset: acted again from the seed, and recorded like any other life.

The person's agent is "person". The world may have been another one of the same settings, in a web site or a game; a seed
and the actions are all that is kept of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from worldschool.canonical import short_digest
from worldschool.envs import World
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.store import EpisodeStore
from worldschool.records import Episode, Goal
from worldschool.runs import claim_output

AGENT = "person"
SHARD_SIZE = 100
"""Episodes in a shard; the last one is written again with every episode."""


class PlayedEpisodes:
    """A dataset that grows by what people do; a context manager.

    Args:
        directory: made if it is missing; one that the same command and settings began is continued.
        world: what the actions are done in again; nothing else may use it.
        command: as run.json names it ("play shop").

    Raises:
        OutputError: the directory holds something else, or another process writes to it.
    """

    def __init__(self, directory: Path | str, world: World, command: str) -> None:
        directory = Path(directory)
        described = {"world": world.world_id, "world_config": world.config}
        claim_output(directory, command, described, 0)
        self._world = world
        if (directory / "dataset.json").exists():
            self._store = EpisodeStore.open(directory, empty_ok=True)
            self._store.hold()
        else:
            dynamics = {world.world_id: world.version}
            self._store = EpisodeStore.create(directory, described, 0, SHARD_SIZE, dynamics)

    def __len__(self) -> int:
        """How many episodes are committed."""
        return len(self._store)

    def add(self, seed: int, actions: Sequence[str]) -> Episode:
        """Record what was done and commit it; returns the episode.

        Args:
            seed: what the world was reset with.
            actions: in order; the episode ends with the last of them.

        Raises:
            OutputError: it cannot be written yet; it waits, and is committed with the next one or by `close`.
        """
        index = len(self._store) + self._store.waiting
        split = self._world.config["split"]
        # Datasets of several people are read together: what was done tells episodes of one place apart.
        digest = short_digest([self._world.world_id, self._world.config, seed, list(actions)])
        label = EpisodeLabel(f"{AGENT}-{digest}-{index:08d}", 0, index, seed, AGENT, "{}", split)
        episode = record_episode(self._world, _Again(actions), label)
        self._store.append([episode])
        self._store.flush()
        return episode

    def close(self) -> None:
        """Commit what waits and let another process write.

        Raises:
            OutputError: it cannot be written.
        """
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Again:
    """Does given actions, one after the other."""

    def __init__(self, actions: Sequence[str]) -> None:
        self._actions = list(actions)

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin with the first."""
        self._left = iter(self._actions)

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the next, or None after the last."""
        return next(self._left, None)
