"""The goals of a catalogue as a sequence: each is made when it is asked for, those of a template never listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar, overload

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from worldschool.envs.shop.catalogue.columns import goal_of_row
from worldschool.envs.shop.catalogue.mapped import MappedRows
from worldschool.envs.shop.goals import GoalTemplate, ShopGoal
from worldschool.envs.shop.products import Product
from worldschool.records import Split

_Scalar = TypeVar("_Scalar", bound=np.generic)


class GoalView(Sequence[ShopGoal]):
    """Goals by number.

    Args:
        rows: goals, and templates of many.
        product: row to product.
        order: int64, shape (goals,): the place of each number among the goals as `rows` give them; None: as they are.
    """

    def __init__(
        self, rows: MappedRows, product: Callable[[int], Product], count: int, order: NDArray[np.int64] | None
    ) -> None:
        self._rows, self._product, self._count, self._order = rows, product, count, order

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> ShopGoal: ...
    @overload
    def __getitem__(self, number: slice) -> list[ShopGoal]: ...
    def __getitem__(self, number: int | slice) -> ShopGoal | list[ShopGoal]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(self._count))]
        if number < 0:
            number += self._count
        if not 0 <= number < self._count:
            raise IndexError(f"goal {number} of {self._count}")
        place = number if self._order is None else int(self._order[number])
        row, within = place, 0
        if self._starts is not None:
            row = int(np.searchsorted(self._starts, place, side="right")) - 1
            within = place - int(self._starts[row])
        goal = goal_of_row(self._rows[row])
        return goal.goal(within, self._product(goal.row)) if isinstance(goal, GoalTemplate) else goal

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """How often each goal is drawn, relative to the others; float64, shape (goals,)."""
        return self._by_number(self._rows.column("weight").to_numpy())

    def numbers_of(self, split: Split) -> NDArray[np.int64]:
        """Return the numbers of a split's goals, rising."""
        belongs = pc.fill_null(pc.equal(self._rows.column("split"), split), False).to_numpy()
        return np.flatnonzero(self._by_number(belongs)).astype(np.int64)

    def _by_number(self, of_rows: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Return of each goal's number what its row has."""
        if self._starts is not None:
            of_rows = np.repeat(of_rows, self._counts)
        return of_rows if self._order is None else of_rows[self._order]

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """How many goals each row stands for."""
        counts: NDArray[np.int64] = pc.fill_null(self._rows.column("combinations"), 1).to_numpy()
        return counts

    @cached_property
    def _starts(self) -> NDArray[np.int64] | None:
        """The place of each row's first goal; None where every row is one goal."""
        if len(self._rows) == self._count and (self._counts == 1).all():
            return None
        starts = np.zeros(len(self._counts), np.int64)
        np.cumsum(self._counts[:-1], out=starts[1:])
        return starts
