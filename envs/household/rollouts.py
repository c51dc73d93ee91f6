"""Random rollouts of a household without returning to Python: for planners, and to see how likely a goal is by chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.engine import Engine
from worldschool.envs.household.scene import rollouts as compiled
from worldschool.envs.household.scene.memory import State
from worldschool.errors import WorldError

LOG_ENTRIES = 1 << 15
"""Words that an undo log holds; a rollout that changes more is taken back by a copy of the memory."""
RANDOM = -1


class Outcomes(NamedTuple):
    """What became of each rollout.

    Attributes:
        reached: int32 [n]: the step in which the goal came to hold, from 1; 0: it did not.
        steps: how many steps were made in all.
    """

    reached: NDArray[np.int32]
    steps: int

    def returns(self, discount: float = 1.0) -> NDArray[np.float64]:
        """Return each rollout's discounted return, float64 [n]: discount ** (step - 1) where the goal was reached, else 0."""
        powers: NDArray[np.float64] = np.power(discount, np.maximum(self.reached - 1, 0), dtype=np.float64)
        return np.where(self.reached > 0, powers, 0.0)


class Rollouts:
    """Futures of a house's states: each begins in the engine's state of the moment, and is taken back.

    Args:
        engine: the house. Its state is the same after every call.
        goal: int16 [k, 3]: rows of `scene.goals`, as `Engine.draw_goal` gives them; without rows nothing is reached.
        scripted: whether the other characters act at random after the first (control="self"); otherwise the characters
            take turns (control="all").
        generator: 64 bits, from which everything is drawn; the engine's own is left alone.
    """

    def __init__(
        self, engine: Engine, goal: NDArray[np.int16], scripted: bool = True, generator: int = 0
    ) -> None:
        self._engine = engine
        self._goal = np.ascontiguousarray(goal, np.int16).reshape(-1, 3)
        self._scripted = int(scripted)
        self._generator = np.array([generator], np.uint64)
        premises = engine.premises
        self._allowed = np.zeros(premises.effective, np.int8)
        self._bits = np.zeros((3, premises.layout.words), np.uint64)
        self._log, self._top = np.zeros((LOG_ENTRIES, 2), np.uint64), np.zeros(1, np.int64)

    def run(self, firsts: NDArray[np.int64] | int, depth: int, turn: int = 0) -> Outcomes:
        """Play one rollout for each first action, up to `depth` steps or until the goal holds.

        Args:
            firsts: int64 [n]: the first action of each, an index of `premises.candidates`, RANDOM (-1) for a random legal
                one; or a number, of how many rollouts begin at random. One that cannot be done now changes nothing.
            depth: steps, from 1.
            turn: which character acts first.

        Raises:
            WorldError: the depth or the turn is out of range.
        """
        premises = self._engine.premises
        people = len(premises.house.characters)
        if depth < 1 or not 0 <= turn < people:
            raise WorldError(
                f"found depth {depth}, turn {turn}",
                where="Rollouts: run",
                mend=f"Give a depth from 1 and a turn from 0 to {people - 1}.",
            )
        begun = np.full(firsts, RANDOM) if isinstance(firsts, int) else np.asarray(firsts, np.int64)
        reached = np.zeros(len(begun), np.int32)
        memory = self._engine.memory
        steps = compiled.play_out(
            premises.scene, premises.rules.table, State(memory, self._log, self._top), turn, begun, depth,
            premises.candidates, premises.effective, self._goal, len(self._goal), self._scripted, self._generator,
            self._bits, self._allowed, memory.copy(), reached,
        )  # fmt: skip
        return Outcomes(reached, int(steps))
