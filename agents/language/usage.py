"""What language models were asked, and what that came to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

VARIABLE = "WORLDSCHOOL_USAGE"
"""Environment variable with the folder that every process adds to: workers inherit it."""


@dataclass
class Usage:
    """What was asked of a model.

    Attributes:
        calls: requests.
        prompt_tokens: read; a prompt that several actions are scored behind counts once.
        completion_tokens: written, or scored.
        seconds: waited.
        unmatched: written actions that were no legal one, nor like one.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    unmatched: int = 0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def add(self, other: Usage) -> None:
        """Count what another says, too; and for whoever collects (`collected_in`)."""
        self._add(other)
        folder = os.environ.get(VARIABLE)
        if folder:
            # A line a request: what a process was asked before it was killed has cost something, too.
            Path(folder).mkdir(parents=True, exist_ok=True)
            with (Path(folder) / f"{os.getpid()}.txt").open("a") as file:
                file.write(" ".join(map(str, astuple(other))) + "\n")

    def _add(self, other: Usage) -> None:
        self.calls += other.calls
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.seconds += other.seconds
        self.unmatched += other.unmatched


@contextmanager
def collected_in(folder: Path) -> Iterator[None]:
    """Have this process, and those that it starts meanwhile on this machine, add to a folder what they ask of models.

    The folder is made with the first request.
    """
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def read_usage(folder: Path) -> Usage:
    """Return the sum of what was added to a folder; a line that was cut off by a kill is passed over."""
    found = Usage()
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text().splitlines():
            parts = line.split()
            if len(parts) == len(astuple(found)):
                calls, read, written, seconds, unmatched = parts
                found._add(Usage(int(calls), int(read), int(written), float(seconds), int(unmatched)))
    return found
