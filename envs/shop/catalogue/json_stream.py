"""Reads large JSON files piece by piece: the elements of a list, or the members of an object, one in memory at a time."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import IO, Any, Self

from worldschool.errors import WorldError

CHUNK = 1 << 20
"""Characters read at once; more of them while one element is longer."""
LONGEST = 1 << 28
"""Characters of one element, about; more are taken for a quotation mark that is missing."""
_LONGEST_LITERAL = 16
"""Characters: an error so near to the end of what was read may be none when more is read, as in "fals" or "\\u20"."""
_SPACES = " \t\n\r"
_AFTER_VALUE = frozenset(f"{_SPACES},:]}}")


def elements_of(path: Path) -> Iterator[Any]:
    """Yield the elements of the list that a JSON file (perhaps .gz) is.

    Raises:
        WorldError: the file cannot be read, or is no JSON list.
    """
    yield from _parts(path, "[]", "a list", _Text.value)


def members_of(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the object that a JSON file (perhaps .gz) is.

    Raises:
        WorldError: the file cannot be read, or is no JSON object.
    """
    yield from _parts(path, "{}", "an object", _Text.member)


def _parts(path: Path, brackets: str, what: str, read: Callable[[_Text], Any]) -> Iterator[Any]:
    """Yield what is between two brackets, apart by commas; `read` takes one part from the text."""
    opening, closing = brackets[0], brackets[1]
    with _Text(path) as text:
        text.take(opening, what)
        if text.peek() == closing:
            text.take(closing, what)
        else:
            yield read(text)
            while text.take(f",{closing}", what) == ",":
                yield read(text)
        text.end()


class _Text:
    """A file's text from a place on; what was read is let go."""

    def __init__(self, path: Path) -> None:
        self._path, self._decoder = path, JSONDecoder()
        self._text, self._at, self._passed, self._ended = "", 0, 0, False
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            if self._path.suffix == ".gz":
                self._file = gzip.open(self._path, "rt", encoding="utf-8-sig")
            else:
                self._file = self._path.open(encoding="utf-8-sig")
        except OSError as error:
            raise WorldError(f"this file cannot be opened ({error})", where=str(self._path)) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def peek(self) -> str:
        """Return the next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACES:
                    return self._text[self._at]
                self._at += 1
            if not self._more(CHUNK):
                return ""

    def take(self, characters: str, what: str) -> str:
        """Return the next character, which has to be one of these, and go on behind it."""
        found = self.peek()
        if not found or found not in characters:
            expected = " or ".join(map(repr, characters))
            raise self._wrong(
                f"expected {expected} of {what}, found {found!r}" if found else f"{what} does not end"
            )
        self._at += 1
        return found

    def value(self) -> Any:
        """Return the next value, and go on behind it."""
        self.peek()
        size = CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                # A number may go on where the text read so far ends, even "1" before ".".
                if self._text[end : end + 1] in _AFTER_VALUE or not self._more(size):
                    self._at = end
                    return value
            except JSONDecodeError as error:
                unfinished = error.pos > len(self._text) - _LONGEST_LITERAL or error.msg.startswith(
                    "Unterminated"
                )
                if not unfinished or len(self._text) - self._at > LONGEST or not self._more(size):
                    raise self._wrong(error.msg, error.pos) from None
            except RecursionError:
                raise self._wrong("values are nested too deep") from None
            size *= 2

    def member(self) -> tuple[str, Any]:
        """Return the next name and value of an object, and go on behind them."""
        if self.peek() != '"':
            raise self._wrong(f"expected a name in quotes, found {self.peek()!r}")
        name = str(self.value())
        self.take(":", "a member")
        return name, self.value()

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise self._wrong(f"something follows the end: {self.peek()!r}")

    def _more(self, size: int) -> bool:
        """Read on; returns whether there was anything."""
        assert self._file is not None
        try:
            read = "" if self._ended else self._file.read(size)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise self._wrong(f"the file is damaged ({error})") from None
        self._ended = not read
        if read:
            self._passed += self._at
            self._text, self._at = self._text[self._at :] + read, 0
        return bool(read)

    def _wrong(self, problem: str, at: int | None = None) -> WorldError:
        place = self._passed + (self._at if at is None else at)
        return WorldError(
            f"{problem}, at character {place}",
            where=str(self._path),
            mend="Name the file that is asked for, whole.",
        )
