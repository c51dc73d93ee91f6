"""Work in worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from worldschool.experience.running.crew import Crew, Desk, Worker, WorkerDied
from worldschool.experience.running.executors import Say, Task

SECONDS_TO_END = 5.0
"""How long a worker is given to end before it is killed."""


@dataclass(eq=False)
class _Process(Worker):
    process: BaseProcess = field(kw_only=True)
    link: Connection = field(kw_only=True)


class Processes(Crew):
    """Does items in worker processes on this machine, started by "spawn"."""

    def __init__(self, task: Task, workers: int, say: Say = lambda text: None) -> None:
        super().__init__(workers, say)
        self._task = task

    def _start(self) -> _Process:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(self._task, theirs), daemon=True)
        process.start()
        theirs.close()  # the worker has the only other end: its death is seen as an end of file
        return _Process(process=process, link=ours)

    def _send(self, worker: _Process, news: str | None, item: Any) -> None:
        with suppress(ConnectionError):
            worker.link.send((news, item))

    def _arrived(self, seconds: float) -> list[_Process]:
        arrived = wait([worker.link for worker in self._workers], seconds)
        return [worker for worker in self._workers if worker.link in arrived]

    def _answer(self, worker: _Process) -> tuple[str, Any]:
        try:
            kind, told = worker.link.recv()
        except (EOFError, ConnectionError):
            worker.process.join(SECONDS_TO_END)
            raise WorkerDied(_ending(worker.process.exitcode)) from None
        return kind, told

    def _end(self, workers: Sequence[_Process]) -> None:
        for worker in workers:
            worker.link.close()
            worker.process.terminate()
        for worker in workers:
            worker.process.join(SECONDS_TO_END)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def _serve(task: Task, link: Connection) -> None:
    """Do the items that the coordinator sends, until it is gone. Answers (kind, value), see `Desk`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the coordinator decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    desk = Desk()
    answer = desk.begin(task)
    with suppress(EOFError, ConnectionError):  # the coordinator is gone; nothing of ours is wanted any more
        link.send(answer)
        while answer[0] in ("ready", "done"):
            answer = desk.do(*link.recv())
            link.send(answer)


def _end_with_parent() -> None:
    """End this process when its parent dies, be it in the middle of a long search."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
