"""Progress on standard error: a bar with a rate and an estimate where there is a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
def progress(title: str, total: int, unit: str, done: int = 0) -> Iterator[Advance]:
    """Show progress through `total` things called `unit` (plural); `done` were finished by an earlier run."""
    if sys.stderr.isatty():
        yield from _bar(title, total, unit, done)
    else:
        yield from _lines(title, total, unit, done)


def _bar(title: str, total: int, unit: str, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(f"{unit}, {{task.fields[rate]}}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=total, completed=done, note="", rate="")
        count = 0

        def advance(n: int = 1, note: str = "") -> None:
            nonlocal count
            count += n
            bars.update(task, advance=n, note=note, rate=_rate(count, start))

        yield advance


def _lines(title: str, total: int, unit: str, done: int) -> Iterator[Advance]:
    start = shown = time.monotonic()
    count = 0

    def advance(n: int = 1, note: str = "") -> None:
        nonlocal count, shown
        count += n
        now = time.monotonic()
        if now - shown >= SECONDS_BETWEEN_LINES or done + count >= total:
            shown = now
            left = (total - done - count) * (now - start) / max(count, 1)
            print(
                f"{title}: {done + count}/{total} {unit}, {_rate(count, start)}, {left:.0f} s left {note}".rstrip(),
                file=sys.stderr,
                flush=True,
            )

    yield advance


def _rate(count: int, start: float) -> str:
    return f"{count / max(time.monotonic() - start, 1e-9):.3g}/s"
