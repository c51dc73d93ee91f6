"""What an agent that learns knows at the start of each round of a run; derived from the store, and kept beside it.

    rounds/NNNNNN.json    the state after N rounds: what round N is lived with

A file counts only while it fits the store: it names the digest of the shards that it was learned from. Missing, stale
or damaged ones are folded again from the stored episodes, so all of them can be deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from worldschool.agents.base import RoundState, state_class
from worldschool.canonical import blake2b_hex, canonical_json
from worldschool.config import Config
from worldschool.errors import ConfigError, UserError
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.manifest import Manifest
from worldschool.experience.storage.writing import writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, write_json
from worldschool.records import Episode
from worldschool.version import __version__

ROUND_SCHEMA = "worldschool.round/1"
KEPT = 2
"""Files that are kept: the newest, which continues the run, and the one before."""


class Rounds:
    """The states of one run's rounds.

    Args:
        store: the run's dataset.
        agent: name of an agent that learns.
        settings: its configuration.
        size: episodes in a round, a multiple of the store's shard size.

    Raises:
        ConfigError: it is no such multiple.
    """

    def __init__(self, store: EpisodeStore, agent: str, settings: Config, size: int) -> None:
        found = state_class(agent)
        assert found is not None, f"{agent} does not learn"
        check_round_size(size, store.shard_size)
        self.size = size
        self._store, self._class, self._settings = store, found, settings
        self._folder = store.directory / "rounds"
        self._known: tuple[int, str] | None = None

    def state(self, number: int) -> str:
        """Return what is known at the start of round `number`, as canonical JSON; all rounds before are committed."""
        if self._known is None or self._known[0] > number:
            self._known = self._newest_kept(number)
        learned, text = self._known
        if learned < number:
            episodes = self._stored(learned * self.size, number * self.size)
            while learned < number:
                text = self._after(text, list(islice(episodes, self.size)))
                learned += 1
            self._keep(number, text)
        return text

    def learn(self, number: int, episodes: Sequence[Episode]) -> None:
        """Learn from round `number`, all of it committed, in index order."""
        text = self._after(self.state(number), episodes)
        self._keep(number + 1, text)

    def _after(self, text: str, episodes: Sequence[Episode]) -> str:
        # Every state goes through its text, so that it is the same whether it was kept in memory or read from a file.
        assert len(episodes) == self.size
        state = self._read(text).after(tuple(episodes))
        return canonical_json(state.to_json())

    def _read(self, text: str) -> RoundState:
        return self._class.from_json(self._settings, json.loads(text))

    def _stored(self, first: int, end: int) -> Iterator[Episode]:
        """Yield the stored episodes with first <= index < end."""
        return self._store.scan(where=EpisodeFilter(first=first, last=end - 1))

    def _newest_kept(self, most: int) -> tuple[int, str]:
        """Return the number and text of the newest kept state that fits the store, up to `most`, else the first."""
        for number in sorted(self._kept(), reverse=True):
            if number <= most:
                try:
                    values = read_json(self._path(number), what="the state of a round")
                    if values == self._described(number, values["state"]):
                        return number, canonical_json(values["state"])
                except (UserError, LookupError, TypeError, ValueError):
                    continue  # damaged: it is made again
        return 0, canonical_json(self._class.begin(self._settings).to_json())

    def _keep(self, number: int, text: str) -> None:
        self._known = number, text
        with writing(self._store.directory, len(self._store)):
            write_json(self._path(number), self._described(number, json.loads(text)))
            for other in self._kept():
                if other <= number - KEPT:
                    self._path(other).unlink(missing_ok=True)

    def _described(self, number: int, state: Any) -> dict[str, Any]:
        shards = Manifest(self._store.directory / "manifest.jsonl").shards
        count = number * self.size // self._store.shard_size
        return {
            "schema": ROUND_SCHEMA,
            "round": number,
            "episodes": number * self.size,
            "learned_from": sha256("".join(shards[k].sha256 for k in range(count)).encode()).hexdigest(),
            "package_version": __version__,
            "digest": blake2b_hex(canonical_json(state)),
            "state": state,
        }

    def _kept(self) -> list[int]:
        return [int(path.stem) for path in self._folder.glob("[0-9]*.json") if path.stem.isdecimal()]

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.json"


def check_round_size(size: int, shard_size: int) -> None:
    """Check that a round is a whole number of shards: what is learned from must be committed.

    Raises:
        ConfigError: it is not.
    """
    if size % shard_size:
        divisors = [str(n) for n in range(1, size + 1) if size % n == 0]
        raise ConfigError(
            f"the rounds of an agent that learns are whole shards, and {size} is no multiple of shard_size {shard_size}",
            where="round_size",
            mend=f"Give another round_size, or a shard_size of {', '.join(divisors)}.",
        )
