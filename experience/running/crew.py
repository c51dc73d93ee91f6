"""What worker processes and Ray actors have in common: items are handed out, the dead are replaced."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from worldschool.errors import UserError
from worldschool.experience.running.executors import Do, Say, Task, TaskFailed

MOST_DEATHS = 3
"""How many workers an item may cost before it is given up."""
SECONDS_BETWEEN_LOOKS = 0.2
"""How often a wait for results looks whether the run is to stop."""
START_MEND = (
    "If a script of yours calls this with several workers, call it under `if __name__ == '__main__':`, because workers "
    "import the script again."
)


class Assignments:
    """Which items are to be done: hands them out, takes back those of the dead, counts what each has cost.

    Attributes:
        exhausted: whether there was nothing left when somebody last asked.
    """

    def __init__(self, items: Iterable[Any], count: int, workers: int) -> None:
        self.exhausted = count == 0
        self._waiting, self._again = iter(items), deque[Any]()
        self._left, self._workers = count, workers
        self._deaths: Counter[Any] = Counter()

    def next_for(self, held: int) -> Any | None:
        """Return an item for a worker that holds `held` of them, or None: it has enough, or there is none left.

        A worker has its next item in hand before it is done with the first, except when the items come to an end:
        then the last ones go to whoever is free.
        """
        if held >= (2 if self._left >= self._workers else 1):
            return None
        if self._again:
            return self._again.popleft()
        self._left -= 1
        item = next(self._waiting, None)
        self.exhausted = item is None
        return item

    def take_back(self, items: Sequence[Any], cause: str) -> None:
        """Give the items of a worker that died to others; it was busy with the first of them.

        Raises:
            TaskFailed: that item has cost as many workers as it may.
        """
        if not items:
            return
        self._deaths[items[0]] += 1
        if self._deaths[items[0]] >= MOST_DEATHS:
            raise TaskFailed(
                f"{MOST_DEATHS} workers died at {_name(items[0])}, the last with {cause}; it may need more memory than "
                "there is. What was committed is safe, and the same command continues."
            )
        self._again.extend(items)
        self.exhausted = False


class WorkerDied(Exception):
    """A worker is gone; the message says how it ended ("SIGKILL", "exit code 1")."""


@dataclass(eq=False)
class Worker:
    """A worker as its coordinator knows it: the items it holds, the one it is busy with first."""

    held: deque[Any] = field(default_factory=deque)
    shared: str | None = None
    ready: bool = False


class Crew(ABC):
    """Workers that are started once and kept until `close`; those that die are replaced."""

    def __init__(self, workers: int, say: Say = lambda text: None) -> None:
        self._number, self._say = workers, say
        self._workers: list[Any] = []
        self._failed_starts = 0

    def run(
        self, items: Iterable[Any], count: int, shared: str | None, stop: Callable[[], bool]
    ) -> Generator[tuple[Any, Any]]:
        """Yield (item, result) as workers finish."""
        assignments = Assignments(items, count, self._number)
        while len(self._workers) < min(self._number, count):
            self._workers.append(self._start())
        while True:
            stopping = stop()
            if not stopping:
                self._hand_out(assignments, shared)
            if assignments.exhausted and not any(worker.held for worker in self._workers):
                return
            arrived = self._arrived(0.0 if stopping else SECONDS_BETWEEN_LOOKS)
            if stopping and not arrived:
                return
            for worker in arrived:
                yield from self._receive(worker, assignments)

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        self._end(self._workers)
        self._workers = []

    def _hand_out(self, assignments: Assignments, shared: str | None) -> None:
        ready = [worker for worker in self._workers if worker.ready]
        for worker in sorted(ready, key=lambda worker: len(worker.held)):
            while (item := assignments.next_for(len(worker.held))) is not None:
                worker.held.append(item)
                news = shared if shared != worker.shared else None
                worker.shared = shared
                self._send(worker, news, item)

    def _receive(self, worker: Any, assignments: Assignments) -> Iterator[tuple[Any, Any]]:
        try:
            kind, told = self._answer(worker)
        except WorkerDied as death:
            self._replace(worker, assignments, str(death))
            return
        if kind == "ready":
            worker.ready = True
        elif kind == "done":
            yield worker.held.popleft(), told
        else:
            raise told if kind == "refused" else TaskFailed(f"a worker failed:\n{told}")

    def _replace(self, worker: Any, assignments: Assignments, cause: str) -> None:
        self._workers.remove(worker)
        self._end([worker])
        self._say(f"a worker died ({cause}); another takes over its work")
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= MOST_DEATHS:
                raise TaskFailed(f"workers die while they start, the last with {cause}. {START_MEND}")
        assignments.take_back(list(worker.held), cause)
        self._workers.append(self._start())

    @abstractmethod
    def _start(self) -> Any:
        """Start a worker."""

    @abstractmethod
    def _send(self, worker: Any, news: str | None, item: Any) -> None:
        """Give a worker an item; one that is dead shows it when it is asked for its answer."""

    @abstractmethod
    def _arrived(self, seconds: float) -> list[Any]:
        """Wait at most so long; returns the workers that have an answer or are dead."""

    @abstractmethod
    def _answer(self, worker: Any) -> tuple[str, Any]:
        """Return the answer (see `Desk`) of a worker that `_arrived` named.

        Raises:
            WorkerDied: it is dead.
        """

    @abstractmethod
    def _end(self, workers: Sequence[Any]) -> None:
        """End these workers; some may be dead."""


class Desk:
    """What a worker keeps between items. Every answer is (kind, value): ("ready", None) or ("done", result), or what
    ends the worker: ("refused", a UserError) or ("failed", a traceback)."""

    def __init__(self) -> None:
        self._do: Do | None = None
        self._shared: str | None = None

    def begin(self, task: Task) -> tuple[str, Any]:
        """Begin the task."""
        try:
            self._do = task.begin()
        except Exception as error:  # noqa: BLE001 (told to the coordinator, which raises)
            return _failure(error)
        return "ready", None

    def do(self, news: str | None, item: Any) -> tuple[str, Any]:
        """Do an item; `news` is what is shared from now on, None if that stays as it is."""
        assert self._do is not None
        self._shared = news if news is not None else self._shared
        try:
            return "done", self._do(item, self._shared)
        except Exception as error:  # noqa: BLE001 (told to the coordinator, which raises)
            return _failure(error)


def _failure(error: Exception) -> tuple[str, Any]:
    if isinstance(error, UserError | TaskFailed):
        return "refused", error
    return "failed", "".join(traceback.format_exception(error))


def _name(item: Any) -> str:
    return f"episode {getattr(item, 'index', item)}"
