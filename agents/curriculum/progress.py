"""How fast a task family is being learned.

The estimate is bidirectional learning progress of Kanitscheider et al. 2021, "Multi-task curriculum learning in a
complex, visual, hard-exploration domain: Minecraft". After each attempt with outcome x (1 solved, 0 not), with rate a:

    fast <- fast + a (x - fast)          an exponential moving average of success
    slow <- slow + a (fast - slow)       an average of that average, which lags behind it

    progress = | f(F) - f(S) |,          f(p) = (1 - q) p / (p + q (1 - 2 p)),   q = 0.1

f magnifies change where success is rare (its slope is (1 - q) / q at 0 and q / (1 - q) at 1). Both directions count: a
family that is being forgotten is worth trying again (absolute learning progress: Oudeyer, Kaplan and Hafner 2007; Portelas
et al. 2019). Where success is certain or hopeless the two averages agree and progress is 0.

Both averages begin at 0. The paper's tasks are indeed hopeless at first; where they are not, a family that never failed
would seem to be learned. So F and S are the averages without the pull of their start, as in Kingma and Ba 2015 (Adam):
each is divided by what it would be after as many successes, 1 - (1 - a)^n for fast and 1 - (1 + a n) (1 - a)^n for slow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

REWEIGHT = 0.1
"""The q above; the paper's value."""


@dataclass(frozen=True)
class Progress:
    """What is known of one family.

    Attributes:
        attempts: how often it was tried.
        successes: how often it was solved.
        fast: moving average of success, in [0, 1].
        slow: moving average of `fast`, in [0, 1].
    """

    attempts: int = 0
    successes: int = 0
    fast: float = 0.0
    slow: float = 0.0

    def after(self, solved: bool, rate: float) -> Progress:
        """Return what is known after one more attempt; `rate` is a of the formula, in (0, 1]."""
        fast = self.fast + rate * (float(solved) - self.fast)
        slow = self.slow + rate * (fast - self.slow)
        return Progress(self.attempts + 1, self.successes + solved, fast, slow)

    def success(self, rate: float) -> float:
        """Return F of the formula, the recent success rate, in [0, 1]; 0 untried. `rate` is that of `after`."""
        return min(1.0, self.fast / (1 - (1 - rate) ** self.attempts)) if self.attempts else 0.0

    def progress(self, rate: float) -> float:
        """Return the learning progress of the formula, in [0, 1]; 0 untried. `rate` is that of `after`."""
        if not self.attempts:
            return 0.0
        lagging = self.slow / (1 - (1 + rate * self.attempts) * (1 - rate) ** self.attempts)
        return abs(reweighted(self.success(rate)) - reweighted(min(1.0, lagging)))

    def to_json(self) -> list[float]:
        """Return the four numbers."""
        return [self.attempts, self.successes, self.fast, self.slow]

    @classmethod
    def from_json(cls, values: Sequence[float]) -> Progress:
        """Read what `to_json` gave.

        Raises:
            ValueError, TypeError: the values are not such numbers.
        """
        attempts, successes, fast, slow = values
        found = cls(int(attempts), int(successes), float(fast), float(slow))
        if not (0 <= found.successes <= found.attempts and 0 <= found.fast <= 1 and 0 <= found.slow <= 1):
            raise ValueError(f"these are no attempts, successes and averages: {list(values)}")
        return found


def reweighted(success: float) -> float:
    """Return f(p) of the module's formula, which takes [0, 1] to [0, 1] and magnifies small p."""
    return (1 - REWEIGHT) * success / (success + REWEIGHT * (1 - 2 * success))


def novelty(attempts: int) -> float:
    """Return 1 / sqrt(1 + attempts): the count-based bonus (Strehl and Littman 2008), 1 for what was never tried."""
    return 1 / math.sqrt(1 + attempts)
