from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldschool.errors import ConfigError
from worldschool.experience.running.crew import Assignments, Crew, Desk, Worker, WorkerDied
from worldschool.experience.running.executors import Here, TaskFailed


@dataclass(frozen=True)
class Doubling:
    """A task: twice the item, and what is shared."""

    fails_at: int | None = None
    error: type[Exception] = ValueError

    def begin(self) -> Callable[[int, str | None], tuple[int, str | None]]:
        if self.fails_at == -1:
            raise self.error("cannot begin")
        return self.do

    def do(self, item: int, shared: str | None) -> tuple[int, str | None]:
        if item == self.fails_at:
            raise self.error(f"no {item} today")
        return 2 * item, shared


@dataclass(eq=False)
class Fake(Worker):
    number: int = 0
    desk: Desk = field(default_factory=Desk)
    answers: deque[Any] = field(default_factory=deque)
    dead: bool = False


class FakeCrew(Crew):
    """Workers in this process. `deaths` holds (item, how often a worker dies of it); the slowest is served last."""

    def __init__(
        self, task: Doubling, workers: int, deaths: dict[int, int], starts_that_fail: int = 0
    ) -> None:
        self.said: list[str] = []
        super().__init__(workers, self.said.append)
        self.task, self.deaths, self.starts_that_fail = task, dict(deaths), starts_that_fail
        self.started = 0
        self.ended: list[int] = []
        self.sent: list[tuple[int, str | None, int]] = []

    def _start(self) -> Fake:
        self.started += 1
        worker = Fake(number=self.started)
        if self.starts_that_fail:
            self.starts_that_fail -= 1
            worker.dead = True
        else:
            worker.answers.append(worker.desk.begin(self.task))
        return worker

    def _send(self, worker: Fake, news: str | None, item: int) -> None:
        self.sent.append((worker.number, news, item))
        if self.deaths.get(item, 0) and not worker.dead:
            self.deaths[item] -= 1
            worker.dead = True
        elif not worker.dead:
            worker.answers.append(worker.desk.do(news, item))

    def _arrived(self, seconds: float) -> list[Fake]:
        ready = [worker for worker in self._workers if worker.answers or worker.dead]
        return ready[-1:]

    def _answer(self, worker: Fake) -> tuple[str, Any]:
        if worker.answers:
            kind, told = worker.answers.popleft()
            return kind, told
        raise WorkerDied("SIGKILL")

    def _end(self, workers: Sequence[Fake]) -> None:
        self.ended += [worker.number for worker in workers]


def never() -> bool:
    return False


@given(
    st.integers(0, 12),
    st.integers(1, 5),
    st.dictionaries(st.integers(0, 11), st.integers(1, 2), max_size=4),
)
def test_every_item_is_done_once_whoever_dies(count: int, workers: int, deaths: dict[int, int]) -> None:
    crew = FakeCrew(Doubling(), workers, deaths)
    results = list(crew.run(iter(range(count)), count, "s", never))
    assert sorted(results) == [(n, (2 * n, "s")) for n in range(count)]
    crew.close()
    assert sorted(crew.ended) == list(range(1, crew.started + 1)), "every worker was ended"
    assert len(crew.said) == sum(times for item, times in deaths.items() if item < count)


def test_what_is_shared_is_sent_once_to_each_worker_and_again_when_it_changes() -> None:
    crew = FakeCrew(Doubling(), 2, {5: 1})
    assert dict(crew.run(range(8), 8, "a", never)) == {n: (2 * n, "a") for n in range(8)}
    assert dict(crew.run(range(8), 8, "b", never)) == {n: (2 * n, "b") for n in range(8)}
    news = [(worker, told) for worker, told, _ in crew.sent if told is not None]
    assert len(news) == len(set(news)) and {told for _, told in news} == {"a", "b"}


def test_an_item_that_kills_its_workers_is_given_up() -> None:
    crew = FakeCrew(Doubling(), 2, {3: 9})
    with pytest.raises(
        TaskFailed, match="3 workers died at episode 3, the last with SIGKILL.*same command continues"
    ):
        list(crew.run(range(8), 8, None, never))
    assert crew.said == ["a worker died (SIGKILL); another takes over its work"] * 3


def test_workers_that_cannot_start_are_given_up() -> None:
    crew = FakeCrew(Doubling(), 2, {}, starts_that_fail=9)
    with pytest.raises(TaskFailed, match="die while they start.*__main__"):
        list(crew.run(range(8), 8, None, never))
    assert dict(FakeCrew(Doubling(), 2, {}, starts_that_fail=2).run(range(3), 3, None, never))[2] == (4, None)


@pytest.mark.parametrize("at", [-1, 4])
def test_what_a_task_raises_reaches_the_coordinator(at: int) -> None:
    with pytest.raises(TaskFailed, match=r"a worker failed:\n(.|\n)*ValueError: (no 4 today|cannot begin)"):
        list(FakeCrew(Doubling(at), 2, {}).run(range(8), 8, None, never))
    with pytest.raises(ConfigError, match="no 4 today|cannot begin"):
        list(FakeCrew(Doubling(at, ConfigError), 2, {}).run(range(8), 8, None, never))
    for error in (
        EOFError,
        ConnectionError,
    ):  # an agent may raise these; it is not the coordinator that is gone
        with pytest.raises(TaskFailed, match=error.__name__):
            list(FakeCrew(Doubling(at, error), 2, {}).run(range(8), 8, None, never))


def test_a_stop_gives_what_is_ready_and_asks_for_no_more() -> None:
    crew = FakeCrew(Doubling(), 2, {})
    results: list[Any] = []
    results.extend(crew.run(range(100), 100, None, lambda: bool(crew.sent[6:])))
    assert 1 <= len(results) <= len(crew.sent) < 10


def test_here_stops_after_the_item_under_way() -> None:
    results: list[Any] = []
    looks = iter([False] * 4 + [True])
    results.extend(Here(Doubling()).run(range(100), 100, None, lambda: next(looks)))
    assert [item for item, _ in results] == [0, 1, 2, 3, 4]


def test_workers_have_an_item_in_reserve_but_not_at_the_end() -> None:
    assignments = Assignments(range(5), 5, 2)
    assert [assignments.next_for(held) for held in (0, 1, 2, 0, 1)] == [0, 1, None, 2, 3]
    assert not assignments.exhausted
    assert assignments.next_for(1) is None, "the last item waits for who is free"
    assert assignments.next_for(0) == 4 and assignments.next_for(0) is None and assignments.exhausted
    assignments.take_back([3, 4], "SIGKILL")
    assert not assignments.exhausted and assignments.next_for(0) == 3
