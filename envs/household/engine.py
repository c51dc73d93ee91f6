"""One house being lived in: its state, what somebody can do there now, and doing it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene import entries
from worldschool.envs.household.scene.goals import GOAL_WIDTH
from worldschool.envs.household.scene.kernel import apply
from worldschool.envs.household.state import View


class Engine:
    """A state of a house, changed by actions. Actions are indices of `premises.candidates`.

    Args:
        premises: the house, compiled.
        generator: 64 bits, from which everything is drawn that this house draws.
    """

    def __init__(self, premises: Premises, generator: int = 0) -> None:
        self.premises = premises
        self._state = premises.new_state()
        self._generator = np.array([generator], np.uint64)
        self._legal = np.zeros(len(premises.candidates), np.int8)
        self._bits = np.zeros((3, premises.layout.words), np.uint64)
        self._view: View | None = None

    def begin(self) -> None:
        """Draw where everything is at first."""
        self._state.memory[:] = self.premises.bare
        entries.begin(self.premises.scene, self._state, self.premises.chances, self._generator)
        self._view = None

    def draw_goal(self, size: int) -> NDArray[np.int16]:
        """Draw a goal of up to `size` rows (`scene.goals`), none of which holds now; fewer where the house has no more."""
        goal = np.zeros((size, GOAL_WIDTH), np.int16)
        drawn = entries.ask(
            self.premises.scene, self._state, self.premises.chances, self._generator, size, goal
        )
        return goal[:drawn]

    @property
    def view(self) -> View:
        """The state as it is now, by name."""
        if self._view is None:
            self._view = View(self.premises, self._state.memory.copy())
        return self._view

    def act(self, actor: int, candidate: int) -> str:
        """Let a character do an action. Returns "", or the reason why not; then nothing is changed."""
        action, x, y = self.premises.candidates[candidate].tolist()
        rules = self.premises.rules
        self._state.top[0] = 0  # there is no log: nothing of this is to be undone
        code = apply(self.premises.scene, rules.table, self._state, action, actor, x, y)
        if not code:
            self._view = None
        reason: str = rules.reasons[code]
        return reason

    def legal(self, actor: int, effective: bool = True) -> NDArray[np.int8]:
        """Return for each candidate (each effective one) whether a character could do it now: int8, 0 or 1.

        The array is written to again by the next call.
        """
        count = self.premises.effective if effective else len(self.premises.candidates)
        entries.find_legal(
            self.premises.scene, self.premises.rules.table, self._state, actor, self.premises.candidates, count,
            self._bits, self._legal,
        )  # fmt: skip
        return self._legal[:count]

    def choose(self, actor: int) -> int:
        """Return a random legal action of a character, effective ones only; -1 if there is none."""
        found: int = entries.choose(
            self.premises.scene, self.premises.rules.table, self._state, actor, self.premises.candidates,
            self.premises.effective, self._bits, self._legal, self._generator,
        )  # fmt: skip
        return found

    # -- snapshots ----------------------------------------------------------------------------------------------------

    @property
    def generator(self) -> int:
        """The generator's 64 bits."""
        return int(self._generator[0])

    @property
    def memory(self) -> NDArray[np.uint64]:
        """The state's memory (`scene.memory`); whoever writes to it calls `changed`."""
        memory: NDArray[np.uint64] = self._state.memory
        return memory

    def changed(self) -> None:
        """Take notice that the memory was written to."""
        self._view = None

    def changes(self) -> str:
        """Return how the state differs from the bare house: hexadecimal (place, word) pairs, equal for equal states."""
        memory = self.memory
        places = np.flatnonzero(memory != self.premises.bare)
        words: NDArray[np.uint64] = memory[places]
        return places.astype("<u2").tobytes().hex() + words.astype("<u8").tobytes().hex()

    def restore(self, changes: str, generator: int) -> None:
        """Return to the state that `changes` gave.

        Raises:
            ValueError: the text is not of a state of this house.
        """
        if not 0 <= generator < 1 << 64:
            raise ValueError("the generator is no number of 64 bits")
        data = bytes.fromhex(changes)
        count, rest = divmod(len(data), 10)
        places = np.frombuffer(data[: 2 * count], "<u2")
        if rest or (count and places.max() >= len(self.premises.bare)):
            raise ValueError("the changes are not of this house")
        self._state.memory[:] = self.premises.bare
        self._state.memory[places] = np.frombuffer(data[2 * count :], "<u8")
        self._generator[0] = generator
        self._view = None
