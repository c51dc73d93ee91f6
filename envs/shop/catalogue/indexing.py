"""Keeps a catalogue's search index: built once, by one process, and only opened afterwards."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from worldschool.envs.shop.search.engines import SearchIndex
from worldschool.errors import UserError
from worldschool.files import cache_folder


def saved_index(
    folder: Path, digest: str, kind: type[SearchIndex], build: Callable[[], SearchIndex]
) -> SearchIndex:
    """Open the search index of a catalogue; where there is none yet, build it and save it.

    It is kept in the catalogue's folder under the digest of its content, so that other content has another index; where
    that folder cannot be written, in worldschool's cache folder. Processes that want it at once wait for the first of them.

    Args:
        folder: the catalogue's.
        digest: of its content.
        kind: which index; its `FORMAT` is part of the name.
        build: makes the index.
    """
    name = f"{kind.FORMAT.removeprefix('worldschool.').replace('/', '-')}-{digest[:16]}"
    places = (folder / name, cache_folder() / "shop" / name)
    for place in places:
        if (place / "index.json").exists():
            with suppress(UserError, EOFError):
                return kind.open(place)
    built: SearchIndex | None = None
    for place in places:
        try:
            with _locked(place):
                with suppress(UserError, EOFError):
                    return kind.open(place)
                if built is None:
                    built = build()
                _save(built, place)
                return kind.open(place)
        except OSError:  # it cannot be written there
            continue
    return build() if built is None else built


def _save(index: SearchIndex, place: Path) -> None:
    """Save an index under its final name at once; what was there and could not be opened goes."""
    temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
    try:
        index.save(temporary)
        temporary.chmod(0o755)
        if place.exists():
            place.rename(temporary / "damaged")
        temporary.rename(place)
        shutil.rmtree(place / "damaged", ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold the lock of an index that is to be built."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{place.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
