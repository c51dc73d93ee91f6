"""Progress on standard error: a bar with a rate and an estimate where there is a terminal, else a line now and then.

A long run also keeps a log beside its output (`Log`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

SECONDS_BETWEEN_LINES = 10.0


class Advance(Protocol):
    """Tell the bar that `n` more are done; `note` is shown at its end."""

    def __call__(self, n: int = 1, note: str = "") -> None:
        """Advance by `n`."""
        ...


def silent(n: int = 1, note: str = "") -> None:
    """Accept progress and show nothing: the default where no bar is wanted."""


@contextmanager
def progress(
    title: str, total: int | None, unit: str, done: int = 0, budget_s: float | None = None
) -> Iterator[Advance]:
    """Show progress through `total` things called `unit` (plural).

    Args:
        title: what is being done.
        total: how many there are; None where only a time budget ends the work.
        unit: what they are called.
        done: how many were finished by an earlier run.
        budget_s: seconds after which the work ends, if it has such a budget.
    """
    if sys.stderr.isatty():
        yield from _bar(title, unit, _Pace(total, done, budget_s))
    else:
        yield from _lines(title, unit, _Pace(total, done, budget_s))


class Log:
    """A file of dated lines, appended to; nothing reads it back. Where it cannot be written, there is none.

    Args:
        path: the file, in a directory that exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, text: str) -> None:
        """Append a line: the time in UTC and `text`, whatever line breaks it has made spaces."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with suppress(OSError), self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{stamp} {' '.join(text.split())}\n")


def say(text: str) -> None:
    """Tell something that the user should see now, as a line of its own, beside any bar."""
    print(text, file=sys.stderr, flush=True)


class _Pace:
    """How far the work is, how fast it goes and how long it will take.

    The rate counts from the first thing done: what comes before is mostly preparation.
    """

    def __init__(self, total: int | None, done: int, budget_s: float | None) -> None:
        self.total, self.done, self.start = total, done, time.monotonic()
        self._budget_s = budget_s
        self._first: tuple[int, float] | None = (
            None  # how many were done at the first advance, and when that was
        )

    def advance(self, n: int) -> None:
        """Count `n` more."""
        self.done += n
        if self._first is None:
            self._first = self.done, time.monotonic()

    @property
    def share(self) -> str:
        """Return "30/100", or "30" where there is no total."""
        return f"{self.done}/{self.total}" if self.total is not None else f"{self.done}"

    @property
    def told(self) -> str:
        """Return the mean rate of this run and what remains, ", 3.1/s, 42 s left", as far as they are known."""
        now = time.monotonic()
        rate = 0.0
        if self._first is not None and self.done > self._first[0]:
            rate = (self.done - self._first[0]) / max(now - self._first[1], 1e-9)
        left = []
        if self.total is not None and (rate or self.done >= self.total):
            left.append((self.total - self.done) / max(rate, 1e-9))
        if self._budget_s is not None:
            left.append(max(0.0, self.start + self._budget_s - now))
        return (f", {rate:.3g}/s" if rate else "") + (f", {clock(min(left))} left" if left else "")


def _bar(title: str, unit: str, pace: _Pace) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=24),
        TextColumn(f"{{task.fields[share]}} {unit}{{task.fields[pace]}}"),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=pace.total, completed=pace.done, note="", share=pace.share, pace="")

        def advance(n: int = 1, note: str = "") -> None:
            pace.advance(n)
            bars.update(task, completed=pace.done, note=note, share=pace.share, pace=pace.told)

        yield advance


def _lines(title: str, unit: str, pace: _Pace) -> Iterator[Advance]:
    shown = pace.start

    def advance(n: int = 1, note: str = "") -> None:
        nonlocal shown
        pace.advance(n)
        now = time.monotonic()
        if now - shown >= SECONDS_BETWEEN_LINES or (pace.total is not None and pace.done >= pace.total):
            shown = now
            say(f"{title}: {pace.share} {unit}{pace.told} {note}".rstrip())

    yield advance


def clock(seconds: float) -> str:
    """Return a duration as people read it: "42 s", "3:07" (minutes) or "2:05:00" (hours)."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
