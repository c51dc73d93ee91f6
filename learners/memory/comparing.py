"""Which episodes of a memory a language model is asked to compare, so that rules come of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from worldschool.learners.memory.entries import Entry
from worldschool.learners.memory.insights import Insights, Read
from worldschool.learners.memory.memory import Memory


def compare_failures(
    memory: Memory, insights: Insights, ask: Callable[[str], str], most: int, seed: int
) -> list[Read]:
    """Have failures compared, each with the success at the nearest goal, and the rules changed accordingly.

    ExpeL (Zhao et al. 2023) compares a task's own failure and success; goals here are seldom tried twice, so it is the nearest.

    Args:
        memory: open for writing.
        insights: its rules.
        ask: gives a language model's reply to a prompt.
        most: comparisons; the failures are drawn, those that were added last the likeliest.
        seed: of what is drawn.

    Returns:
        How each reply was read.

    Raises:
        MemoryStoreError: another process is writing.
    """
    world = insights.world or None
    failures = memory.listed("trajectory", world=world, success=False)
    read = []
    for failure in _drawn(failures, most, Random(seed)):
        nearest = memory.search(failure.key, 1, "trajectory", world=world, success=True)
        if not nearest:
            break  # nothing succeeded yet
        read.append(insights.update(ask, failure.key, nearest[0].entry, failure))
    return read


def _drawn(found: Sequence[Entry], most: int, rng: Random) -> list[Entry]:
    """Draw without putting back; the last of n is n times as likely as the first."""
    keyed = sorted(
        ((rng.random() ** (1 / place), place) for place, _ in enumerate(found, start=1)), reverse=True
    )
    return [found[place - 1] for _, place in keyed[:most]]
