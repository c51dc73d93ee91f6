"""Work in a Ray cluster: a running one, or one that is started on this machine and shut down again.

Ray is an optional dependency. Its actors are given plain values only, the same as worker processes are.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from worldschool.errors import ConfigError
from worldschool.experience.running.crew import Crew, Desk, Worker, WorkerDied
from worldschool.experience.running.executors import Say, Task

OBJECT_STORE_BYTES = 256 * 1024 * 1024
"""Shared memory of a cluster that is started here: what travels is small."""
SECONDS_TO_CONNECT = 5.0


@dataclass(eq=False)
class _Actor(Worker):
    handle: Any = field(kw_only=True)
    answers: deque[Any] = field(default_factory=deque)
    """What was asked and not yet answered, in order; references of Ray."""


class RayActors(Crew):
    """Does items in actors of a Ray cluster, one CPU each.

    Args:
        task: what they do.
        workers: how many actors; those that the cluster has no room for are not waited for.
        address: of a running cluster; None takes $RAY_ADDRESS or the cluster that this process is connected to, and
            otherwise starts one on this machine.
        say: told of workers that died.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster at this address.
    """

    def __init__(
        self, task: Task, workers: int, address: str | None = None, say: Say = lambda text: None
    ) -> None:
        super().__init__(workers, say)
        self._ray = _import_ray()
        self._task = task
        self._started = not self._ray.is_initialized()
        if self._started:
            _connect(self._ray, address or os.environ.get("RAY_ADDRESS"), workers)
        self._actor_class = self._ray.remote(Desk)

    def close(self) -> None:
        """End the actors, and leave the cluster if this executor joined or started it."""
        super().close()
        if self._started and self._ray.is_initialized():
            self._ray.shutdown()

    def _start(self) -> _Actor:
        handle = self._actor_class.options(num_cpus=1, max_restarts=0).remote()
        return _Actor(handle=handle, answers=deque([handle.begin.remote(self._task)]))

    def _send(self, worker: _Actor, news: str | None, item: Any) -> None:
        worker.answers.append(worker.handle.do.remote(news, item))

    def _arrived(self, seconds: float) -> list[_Actor]:
        first = {worker.answers[0]: worker for worker in self._workers if worker.answers}
        if not first:
            return []
        arrived, _ = self._ray.wait(list(first), num_returns=len(first), timeout=0)
        if not arrived and seconds > 0:
            arrived, _ = self._ray.wait(list(first), num_returns=1, timeout=seconds)
        return [first[reference] for reference in arrived]

    def _answer(self, worker: _Actor) -> tuple[str, Any]:
        try:
            kind, told = self._ray.get(worker.answers.popleft())
        except self._ray.exceptions.RayActorError as error:
            raise WorkerDied(str(error).strip().splitlines()[0]) from None
        return kind, told

    def _end(self, workers: Sequence[_Actor]) -> None:
        for worker in workers:
            self._ray.kill(worker.handle)


def _import_ray() -> Any:
    os.environ.setdefault(
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0"
    )  # a warning about GPUs, which are not used here
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "Ray is not installed", where="executor", mend="Install it with `pip install 'worldschool[ray]'`."
        ) from None
    return ray


def _connect(ray: Any, address: str | None, workers: int) -> None:
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        ray.init(
            address="local",
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            **quiet,
        )
        return
    try:
        _look_for(address)  # Ray itself tries for many minutes
        ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"no Ray cluster answers at {address!r}: {str(error).strip().splitlines()[0]}",
            where="ray_address",
            mend="Start one with `ray start --head`, or leave ray_address out to start one on this machine. If it runs and "
            "asks for a token, set RAY_AUTH_MODE=token.",
        ) from None


def _look_for(address: str) -> None:
    """Connect to "HOST:PORT" or "ray://HOST:PORT" and hang up; any other address ("auto") is left to Ray.

    Raises:
        OSError: nobody listens there.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS_TO_CONNECT).close()
