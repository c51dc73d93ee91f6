"""A writer in a process of its own that is killed between two of its calls to the system, and what must hold after.

The child counts its calls that touch files (see CALLS) and sends itself SIGKILL before the chosen one. What it was told
to be committed it writes into a pipe, so that the parent knows what must not be lost.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

CALLS = frozenset(
    [
        "open",
        "write",
        "fsync",
        "replace",
        "rename",
        "ftruncate",
        "truncate",
        "pwrite",
        "flock",
        "close",
        "chmod",
        "mkdir",
        "unlink",
        "flush",
        "seek",
    ]
)
Work = Callable[[Callable[[int], None]], None]
"""Writes into a dataset, and tells the number of committed episodes each time that it grows."""


def run_killed(work: Work, at: int | None) -> tuple[int, int]:
    """Run `work` in a child process that dies before its call number `at` (None: never).

    Returns:
        How many episodes it was told to have committed, and how many calls it made (0 if it was killed).
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        _live(work, at, tell)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        lines = pipe.read().split()
    _, status = os.waitpid(child, 0)
    if at is None or not os.WIFSIGNALED(status):
        assert os.waitstatus_to_exitcode(status) == 0, "the writer failed"
    else:
        assert os.WTERMSIG(status) == signal.SIGKILL
    numbers = [int(line) for line in lines if line.isdigit()]
    calls = next((int(line[1:]) for line in lines if line.startswith(b"c")), 0)
    return max(numbers, default=0), calls


def _live(work: Work, at: int | None, tell: int) -> None:
    calls = 0

    def count(frame: FrameType, event: str, function: Any) -> None:
        nonlocal calls
        if event == "c_call" and getattr(function, "__name__", "") in CALLS:
            calls += 1
            if calls == at:
                os.kill(os.getpid(), signal.SIGKILL)

    def committed(episodes: int) -> None:
        sys.setprofile(None)
        os.write(tell, b"%d\n" % episodes)
        sys.setprofile(count)

    code = 1
    try:
        sys.setprofile(count)
        work(committed)
        sys.setprofile(None)
        os.write(tell, b"c%d\n" % calls)
        code = 0
    finally:
        os._exit(code)
