"""Keeping a memory small and true: near-duplicates are merged, and what was acted on and went badly fades."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field
from rapidfuzz import fuzz

from worldschool.config import Config
from worldschool.learners.memory.entries import Entry, Filter
from worldschool.learners.memory.keeper import IndexKeeper
from worldschool.learners.memory.ranking import worth
from worldschool.learners.memory.store import MemoryStore
from worldschool.progress import Advance, silent

NEIGHBOURS = 8
AT_ONCE = 256


class Consolidation(Config):
    """When entries are merged, and when they fade."""

    key: float = Field(default=0.97, ge=0, le=1)
    """Least cosine of the keys of two that are merged."""
    body: float = Field(default=0.95, ge=0, le=1)
    """Least likeness of their bodies: 1 less their edit distance over their lengths' sum (of insertions and deletions)."""
    uses: int = Field(default=4, ge=1)
    """How often an entry was acted on, at least, before it may fade."""
    worth: float = Field(default=0.25, ge=0, le=1)
    """It fades if it is expected to go well less often than this (`ranking.worth`)."""


class Consolidated(NamedTuple):
    """How many entries were merged into others, and how many faded."""

    merged: int
    faded: int


def consolidate(
    store: MemoryStore, keeper: IndexKeeper, settings: Consolidation, on_progress: Advance = silent
) -> Consolidated:
    """Go through all entries that can be found, in the order of adding; the older of two near-duplicates stays.

    Only entries of one kind, world and success are merged: that something failed where it went well before is no repetition.
    """
    index = keeper.current()
    places = keeper.allowed(Filter())
    merged = faded = 0
    gone: set[int] = set()
    everyone = list(range(len(index))) if places is None else places.places.tolist()
    for start in range(0, len(everyone), AT_ONCE):
        batch = everyone[start : start + AT_ONCE]
        near = index.search(index.vectors(batch), NEIGHBOURS, places)
        for place, hits in zip(batch, near, strict=True):
            older = [
                other
                for other, cosine in hits
                if other < place and cosine >= settings.key and other not in gone
            ]
            kept = _duplicated(store, place, older, settings.body)
            if kept is not None:
                entry = store.at([place])[place]
                store.merge(kept.id, entry.id, "almost the same")
                gone.add(place)
                merged += 1
        on_progress(len(batch))
    for place in everyone:
        if place not in gone:
            entry = store.at([place])[place]
            if entry.used >= settings.uses and worth(entry) < settings.worth:
                store.fade(entry.id, f"went well {entry.succeeded} of {entry.used} times")
                faded += 1
    return Consolidated(merged, faded)


def _duplicated(store: MemoryStore, place: int, older: list[int], least: float) -> Entry | None:
    """Return the oldest entry that this one repeats, if there is one."""
    if not older:
        return None
    entries = store.at([place, *older])
    one = entries[place]
    for at in sorted(older):
        other = entries[at]
        if (one.kind, one.world, one.success) == (other.kind, other.world, other.success) and (
            fuzz.ratio(one.body, other.body) >= 100 * least
        ):
            return other
    return None
