"""The errors a user can meet.

A `UserError` is the user's input: the command line prints it as one paragraph, without a traceback, and exits
with code 2. Anything else that escapes is our fault: a traceback and exit code 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WorldschoolError(Exception):
    """Base of every error raised on purpose."""


class UserError(WorldschoolError):
    """The input is at fault. The message names the place, what was found and the mend.

    Args:
        problem: what was found, in one sentence without its full stop.
        where: the file, field or argument at fault ("collect.yaml: episodes").
        mend: what to do instead, a full sentence.
    """

    def __init__(self, problem: str, *, where: str | None = None, mend: str | None = None) -> None:
        self.problem, self.where, self.mend = problem, where, mend
        text = f"{where}: {problem}" if where else problem
        if not text.endswith((".", "?", "!")):
            text += "."
        super().__init__(f"{text} {mend}" if mend else text)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling that process pools use.
        return _rebuild, (type(self), self.problem, self.where, self.mend)


def _rebuild(cls: type[UserError], problem: str, where: str | None, mend: str | None) -> UserError:
    return cls(problem, where=where, mend=mend)


class ConfigError(UserError):
    """A configuration file or an override has an unknown key, a wrong type or a value out of range."""


class OutputError(UserError):
    """An output directory belongs to another configuration, or cannot be written."""


class DatasetError(UserError):
    """A dataset or a file of examples is missing, empty, damaged or of an unknown version."""


class ModelError(UserError):
    """A model cannot be found, loaded or fetched."""


class FisherError(UserError):
    """A Fisher directory is damaged or was made for another model."""


class MemoryStoreError(UserError):
    """A memory directory is missing, empty or of an unknown version."""


class WorldError(UserError):
    """A world's id, configuration, goal or snapshot is not one it can use."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the known name closest to `name`, or an empty string."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {found[0]!r}?" if found else ""
