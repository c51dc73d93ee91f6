"""Where work is done: in this process (`Here`), in others on this machine (processes.py), in a Ray cluster
(ray_executor.py).

What is done is a `Task` made of plain values: each worker begins it once and then keeps what it made (its world). Items
are handed out one at a time, results come back as they are finished; which worker did an item never shows in a result.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol

from worldschool.errors import WorldschoolError

Do = Callable[[Any, str | None], Any]
"""Does one item, given what is shared by all items of this time."""
Say = Callable[[str], None]
"""Is told, in one sentence, what happened to a worker."""


class Task(Protocol):
    """What workers do; plain values, so that it travels to other processes and machines."""

    def begin(self) -> Do:
        """Make what is kept between items; called once in every worker."""
        ...


class Executor(Protocol):
    """Does items of a task. Used from one thread, closed when done."""

    def run(
        self, items: Iterable[Any], count: int, shared: str | None, stop: Callable[[], bool]
    ) -> Generator[tuple[Any, Any]]:
        """Yield (item, result) for every item, in any order; returns early, with what is ready, once `stop()` is true.

        Args:
            items: asked for one by one as workers become free.
            count: how many there are at most, so that the last ones are shared out evenly.
            shared: passed with every item; None if there is nothing.
            stop: looked at several times a second.

        Raises:
            UserError: the task raised it.
            TaskFailed: the task raised anything else, or an item cost several workers.
        """
        ...

    def close(self) -> None:
        """End the workers."""
        ...


class TaskFailed(WorldschoolError):
    """A task raised what it should not, or its worker died again and again."""


class Here:
    """Does everything in this process, one item after the other."""

    def __init__(self, task: Task) -> None:
        self._do = task.begin()

    def run(
        self, items: Iterable[Any], count: int, shared: str | None, stop: Callable[[], bool]
    ) -> Generator[tuple[Any, Any]]:
        """Yield (item, result) in the order of the items; what the task raises is passed on as it is."""
        for item in items:
            yield item, self._do(item, shared)
            if stop():
                return

    def close(self) -> None:
        """Do nothing; there are no workers."""
