"""Recalled experience as a part of a prompt: data that is quoted and bounded, never instructions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from worldschool.agents.language.prompt import NOTES
from worldschool.learners.memory.entries import Entry, Recalled

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""What is not seen, or turns text around."""
LONGEST_LINE = 400
CUT = " [...]"


def quoted(text: str, longest: int) -> str:
    """Return text with every line marked as quoted, at most `longest` characters of it.

    Whatever it says, it stays behind the marks: line breaks of every kind become marked lines, and characters that are not seen are
    taken out. What is too long is cut at a line's end, and says so.
    """
    lines = []
    left = longest
    for line in text.splitlines():
        clean = CONTROL.sub("", line).rstrip()
        if len(clean) > LONGEST_LINE:
            clean = clean[: LONGEST_LINE - len(CUT)] + CUT
        left -= len(clean) + 3
        if left < 0:
            lines.append(f">{CUT}")
            break
        lines.append(f"> {clean}")
    return "\n".join(lines)


def told(found: Sequence[Recalled], longest: int = 2000, each: int = 600) -> str:
    """Return what was recalled as a part of a prompt, "" if nothing was.

    Args:
        found: best first; those that do not fit any more are left out.
        longest: characters in all, about.
        each: characters of one entry.
    """
    parts: list[str] = []
    left = longest - len(NOTES)
    for number, one in enumerate(found, start=1):
        part = f"{number}. {told_one(one.entry, each)}"
        left -= len(part) + 1
        if left < 0:
            break
        parts.append(part)
    return "\n".join([NOTES, *parts]) if parts else ""


def told_one(entry: Entry, longest: int) -> str:
    """Return one entry as a part of a prompt: a title of our own words, and what it says behind marks."""
    return f"{_title(entry)}\n{quoted(entry.body, longest)}"


def _title(entry: Entry) -> str:
    """Return what kind of note this is, in our own words only."""
    if entry.kind == "insight":
        return "A rule that was drawn from experience:"
    if entry.kind == "skill":
        return "A plan that worked:"
    if entry.success is None:
        return "What happened once:"
    return "An episode that succeeded:" if entry.success else "A warning, an episode that failed:"
