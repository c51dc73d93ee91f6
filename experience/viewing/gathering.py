"""The episodes of a page, gathered one by one until it is as large as it may become."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from worldschool.experience.viewing.frames import (
    BLOCK,
    BLOCKS_A_SHEET,
    SHEET_COLUMNS,
    FrameBook,
    PackedFrames,
)
from worldschool.experience.viewing.holding import Held, goal_of, held_by_events
from worldschool.experience.viewing.packing import TextTable, pack, page_json
from worldschool.experience.viewing.relive import Relived, Reliver
from worldschool.records import Episode, Goal


class Gathering:
    """Episodes as the page holds them.

    Args:
        most: bytes that all may take; the first episode is taken however large it is.
        reliver: executes episodes again; None: they are not.

    Attributes:
        rows: what `pack` gave of each episode; "frames" is filled in by `pictures`.
        texts: what the rows' numbers stand for.
        drawable: how many of the rows' episodes could be drawn.
    """

    def __init__(self, most: int, reliver: Reliver | None) -> None:
        self.rows: list[dict[str, Any]] = []
        self.texts = TextTable()
        self.drawable = 0
        self._most, self._reliver = most, reliver
        self._size = 0
        self._book = FrameBook()
        self._frames: list[PackedFrames | None] = []

    def take(self, episode: Episode) -> bool:
        """Add an episode; returns False, and adds nothing, if there is no space left."""
        goal = _readable_goal(episode)
        lived, frames = self._relive(episode, goal or Goal(episode.goal))
        row = pack(episode, goal, _held(episode, goal, lived), lived, self.texts)
        self._size += len(page_json(row).encode()) + 1
        if self.rows and self._size + self.texts.size > self._most:
            return False
        self.rows.append(row)
        self._frames.append(frames)
        self.drawable += lived is not None and lived.drawable
        return True

    def pictures(self) -> dict[str, Any]:
        """Give the rows their frames, from the first on as many as there is space for; returns the blocks they name."""
        space = self._most - self._size - self.texts.size
        blocks = 0
        for row, frames in zip(self.rows, self._frames, strict=True):
            if frames is not None and frames.size <= space:
                row["frames"] = frames.to_json()
                blocks = frames.blocks
        sheets = [b64encode(sheet).decode() for sheet in self._book.sheets(blocks)]
        return {"block": BLOCK, "columns": SHEET_COLUMNS, "a_sheet": BLOCKS_A_SHEET, "sheets": sheets}

    def _relive(self, episode: Episode, goal: Goal) -> tuple[Relived | None, PackedFrames | None]:
        if self._reliver is None:
            return None, None
        lived = self._reliver.relive(episode, goal, self._book.add if self._book.size < self._most else None)
        return lived, self._book.end()


def _readable_goal(episode: Episode) -> Goal | None:
    try:
        return goal_of(episode)
    except (ValueError, TypeError):
        return None


def _held(episode: Episode, goal: Goal | None, lived: Relived | None) -> list[Held]:
    """Return what held when: as the world told it, or, if it lived something else, as the events do."""
    if goal is None:
        return []
    if lived is not None and lived.differs is None:
        return lived.held
    return held_by_events(episode, goal)
