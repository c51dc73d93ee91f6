"""Which episodes are meant: conditions on what is known of an episode without its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from worldschool.config import Config
from worldschool.experience.storage.schema import to_table
from worldschool.records import Episode, Split


class EpisodeFilter(Config):
    """Conditions that must all hold; what is left out is not asked about."""

    split: Split | None = None
    """Lived in worlds of this split."""
    success: bool | None = None
    """True: reached its goal. False: did not."""
    failed: bool | None = None
    """True: ended by an exception. False: did not."""
    world: str | None = None
    """Registered id of the world."""
    agent: str | None = None
    """Name of the agent."""
    activity: str | None = None
    """Name of the activity that the goal belongs to."""
    goal: str | None = None
    """Words that the goal's English holds, in capitals or not."""
    min_length: int | None = Field(default=None, ge=0)
    """Steps at least."""
    max_length: int | None = Field(default=None, ge=0)
    """Steps at most."""
    first: int | None = Field(default=None, ge=0)
    """Index at least."""
    last: int | None = Field(default=None, ge=0)
    """Index at most."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> EpisodeFilter:
        for lower, upper in (("min_length", "max_length"), ("first", "last")):
            low, high = getattr(self, lower), getattr(self, upper)
            if low is not None and high is not None and low > high:
                raise ValueError(f"{lower} {low} is more than {upper} {high}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the conditions read."""
        return tuple(dict.fromkeys(CONDITIONS[name][0] for name in self._asked()))

    @property
    def empty(self) -> bool:
        """Whether nothing is asked, so that every episode is meant."""
        return not self._asked()

    def mask(self, table: pa.Table) -> pa.Array:
        """Return which rows of a table are meant: `[rows]` bool, without nulls.

        Args:
            table: has the columns in `columns`, at least.
        """
        mask = pa.array([True] * table.num_rows, pa.bool_())
        for name, value in self._asked().items():
            column, test = CONDITIONS[name]
            holds = test(table.column(column).combine_chunks(), value)
            mask = pc.and_(mask, pc.fill_null(holds, False))
        return mask

    def matches(self, episode: Episode) -> bool:
        """Return whether one episode is meant."""
        return bool(self.mask(to_table([episode]))[0].as_py())

    def _asked(self) -> dict[str, Any]:
        return {name: value for name, value in self if value is not None}


CONDITIONS: dict[str, tuple[str, Callable[[pa.Array, Any], pa.Array]]] = {
    "split": ("split", pc.equal),
    "success": ("success", pc.equal),
    "failed": ("error", lambda column, wanted: pc.equal(pc.is_valid(column), wanted)),
    "world": ("world", pc.equal),
    "agent": ("agent", pc.equal),
    "activity": ("activity", pc.equal),
    "goal": ("goal", lambda column, words: pc.match_substring(column, words, ignore_case=True)),
    "min_length": ("length", pc.greater_equal),
    "max_length": ("length", pc.less_equal),
    "first": ("index", pc.greater_equal),
    "last": ("index", pc.less_equal),
}
"""Setting to its column and the test that the column must pass."""
