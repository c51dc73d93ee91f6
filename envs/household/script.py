"""What the characters do that no agent controls: random legal actions from a generator that is one integer.

Python's and NumPy's generators hold kilobytes of state or are slow to save; a snapshot wants a number. This is
SplitMix64 (Steele, Lea and Flood 2014), which passes BigCrush and whose state is 64 bits.
"""

from __future__ import annotations

from worldschool.envs.household.actions import Action, legal_actions
from worldschool.envs.household.state import State

_MASK = (1 << 64) - 1


def draw(generator: int, count: int) -> tuple[int, int]:
    """Return a number from 0 to `count - 1`, and the generator's next state. Both states are 64-bit."""
    generator = (generator + 0x9E3779B97F4A7C15) & _MASK
    z = generator
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) * count) >> 64, generator


def scripted_action(state: State, actor: str, generator: int) -> tuple[Action, int]:
    """Return a random legal action of `actor` (walking is always one), and the generator's next state."""
    choices = legal_actions(state, actor)
    index, generator = draw(generator, len(choices))
    return choices[index], generator
