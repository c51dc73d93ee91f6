"""Which episodes of a dataset are shown: the first ones, or a seeded sample."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from random import Random

from worldschool.errors import ConfigError, DatasetError, nearest
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.schema import to_episodes
from worldschool.experience.store import EpisodeStore
from worldschool.records import SPLITS, Episode


class Selection:
    """Some episodes of a dataset, in index order.

    Args:
        store: the dataset.
        limit: at most so many.
        split: of this split only.
        sample: None for the first ones; else the seed by which they are drawn from all.

    Attributes:
        available: how many episodes there were to choose from.

    Raises:
        ConfigError: there is no such split.
        DatasetError: the dataset has no episode of the split, or a shard is damaged.
    """

    def __init__(
        self, store: EpisodeStore, limit: int, split: str | None = None, sample: int | None = None
    ) -> None:
        self._store, self._where = store, None if split is None else _of_split(split)
        self.available = sum(table.num_rows for table in store.tables(["split"], where=self._where))
        if not self.available:
            raise DatasetError(
                f"no episode is of the split {split!r}" if split else "there are no episodes",
                where=str(store.directory),
                mend="Leave --split away to see what there is." if split else None,
            )
        count = min(limit, self.available)
        self._places: Sequence[int] = (
            range(count) if sample is None else sorted(Random(sample).sample(range(self.available), count))
        )

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Episode]:
        """Yield the episodes; one row group of the dataset is in memory at a time.

        Raises:
            DatasetError: a shard is damaged.
        """
        first = 0
        for table in self._store.tables(where=self._where):
            begin, end = (bisect_left(self._places, place) for place in (first, first + table.num_rows))
            yield from to_episodes(table.take([place - first for place in self._places[begin:end]]))
            first += table.num_rows
            if end == len(self._places):
                return


def _of_split(split: str) -> EpisodeFilter:
    for known in SPLITS:
        if known == split:
            return EpisodeFilter(split=known)
    raise ConfigError(
        f"there is no split {split!r}",
        where="--split",
        mend=f"Accepted: {', '.join(SPLITS)}.{nearest(split, SPLITS)}",
    )
