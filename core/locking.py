"""One writer at a time: a lock on a file in a directory, let go by the death of its process."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import weakref
from pathlib import Path
from typing import Any

from worldschool.errors import OutputError

LOCK_FILE = ".lock"
UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What file systems without locks answer; there, nothing keeps two writers apart."""

_held: weakref.WeakValueDictionary[str, WriterLock] = weakref.WeakValueDictionary()


class WriterLock:
    """The right to write into a directory, held by this process while this object lives.

    Within a process the right goes to whoever asked last (an interrupted call may still be held by a traceback, and the
    next call must be able to continue its work); the one before is told by `check`.

    Attributes:
        mutex: to be held while something is written.
    """

    def __init__(self, path: Path) -> None:
        self.mutex = threading.RLock()
        self._owner: weakref.ref[Any] | None = None
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                os.close(self._file)
                self._file = -1
                raise
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            os.close(self._file)

    def forget(self) -> None:
        """Close the file that a forked process inherited; its parent keeps the lock."""
        os.close(self._file)
        self._file = -1

    def give_to(self, owner: object) -> None:
        """Make `owner` the one that may write."""
        with self.mutex:
            self._owner = weakref.ref(owner)

    def belongs_to(self, owner: object) -> bool:
        """Return whether `owner` is the one that may write."""
        return self._file >= 0 and self._owner is not None and self._owner() is owner


def lock_directory(directory: Path, owner: object, what: str = "dataset") -> WriterLock:
    """Return the lock of a directory, for `owner` to keep as long as it writes.

    Args:
        directory: what is written into.
        owner: who may write from now on, in this process.
        what: what the directory is, for the error.

    Raises:
        OutputError: another process holds it, or the directory cannot be written.
    """
    key = str(directory.resolve())
    path = directory / LOCK_FILE
    lock = _held.get(key)
    if lock is None:
        try:
            lock = WriterLock(path)
        except BlockingIOError:
            raise OutputError(
                f"another process{_who(path)} is writing to this {what}",
                where=str(directory),
                mend="Wait until it has ended, or give another directory.",
            ) from None
        except OSError as error:
            raise OutputError(
                f"this directory cannot be written: {error.strerror or error}", where=str(directory)
            ) from None
        _held[key] = lock
    lock.give_to(owner)
    return lock


def _who(path: Path) -> str:
    try:
        number = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f" (number {number})" if number.isdecimal() else ""


def _forget_in_child() -> None:
    for lock in list(_held.values()):
        lock.forget()
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)
