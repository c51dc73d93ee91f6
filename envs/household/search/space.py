"""What the compiled search reads of a scene: who acts, what may be tried and how likely, and the goal in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.scene.memory import Scene, Table


@dataclass(frozen=True)
class Space:
    """Where a search begins, and among what it searches.

    Attributes:
        scene, table: as the dynamics take them.
        memory: uint64: the first state; never written to.
        rows: int16 [r, 3], starts: int64 [p + 1]: the goal, as in `progress.Wanted`.
        candidates: int16 [c, 3]: actions that may be tried, as `masks.legal` takes them.
        weights: float64 [c]: how likely each is, above 0.
        others: how many of the candidates scripted characters choose from; 0: nobody else acts.
        turns: how many characters take turns; 1: one acts alone.
        turn: who acts first.
        horizon: steps until the episode is truncated.
        generator: 64 bits: what scripted characters draw from.
        text: (candidate, place in the plan) to the action as it is told.
    """

    scene: Scene
    table: Table
    memory: NDArray[np.uint64]
    rows: NDArray[np.int16]
    starts: NDArray[np.int64]
    candidates: NDArray[np.int16]
    weights: NDArray[np.float64]
    horizon: int
    text: Callable[[int, int], str]
    others: int = 0
    turns: int = 1
    turn: int = 0
    generator: int = 0

    @property
    def words(self) -> int:
        """Words of a row of bits."""
        traits: Any = self.scene.traits
        return int(traits.shape[1])
