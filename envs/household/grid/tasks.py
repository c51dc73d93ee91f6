"""What may be asked of a character on the grid: of the household's tasks those that its moves can do."""

from __future__ import annotations

from collections.abc import Iterator

from worldschool.envs.household.tasks import HouseholdTasks
from worldschool.records import Predicate

BEYOND_MOVES = ("STATE:plugged_out", "STATE:clean", "STATE:sitting", "STATE:lying")
"""Unplugging, washing, wiping, sitting and lying are no moves of the grid."""


class GridTasks(HouseholdTasks):
    """Tasks for the first character of a household on the grid, in its present state.

    Args:
        world: a household on the grid after its reset; read, never changed.
    """

    def _possible(self) -> Iterator[Predicate]:
        for predicate in super()._possible():
            name, subject, target = predicate
            if name not in BEYOND_MOVES and not (name == "ON" and self._me in (subject, target)):
                yield predicate
