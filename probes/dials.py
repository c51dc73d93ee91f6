"""Scores by dial: how much harder is it with longer paths, more characters, more things in the way?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

DIALS = ("length", "revisits", "distractors", "characters", "indirection", "facts", "statements")
"""Dials that scores are broken down by; what else an example's `dials` hold is not."""
MOST_LEVELS = 8
RANGES = 4
"""A dial with more than `MOST_LEVELS` settings is cut into so many ranges of about as many items."""
_NUMBER = re.compile(r"-?\d+")


def levels_of(dials: Sequence[str]) -> dict[str, list[str | None]]:
    """Return each dial's setting for every item, as a text: "3", or "12-15" where settings are many.

    Args:
        dials: an item's dials, a JSON object of numbers, for each item.

    Returns:
        Dial to settings, None where an item has none; dials that are the same for all items are left out.
    """
    rows = [json.loads(one or "{}") for one in dials]
    found: dict[str, list[str | None]] = {}
    for dial in DIALS:
        values = [int(row[dial]) if isinstance(row.get(dial), int) else None for row in rows]
        known = sorted(value for value in values if value is not None)
        if len(set(known)) > 1:
            named = _named(known)
            found[dial] = [None if value is None else named[value] for value in values]
    return found


def order_of(setting: str) -> int:
    """Return the number that a setting begins with: what settings are sorted by."""
    number = _NUMBER.match(setting)
    if number is None:
        raise ValueError(f"no setting of a dial: {setting!r}")
    return int(number[0])


def _named(known: Sequence[int]) -> Mapping[int, str]:
    """Return what each setting is called; `known` is sorted."""
    distinct = list(dict.fromkeys(known))
    if len(distinct) <= MOST_LEVELS:
        return {value: str(value) for value in distinct}
    groups: dict[int, list[int]] = {}
    for value in distinct:
        # Where the middle of its items is, among all: a setting is never cut in two.
        first = known.index(value)
        middle = first + known.count(value) / 2
        groups.setdefault(min(RANGES - 1, int(RANGES * middle / len(known))), []).append(value)
    return {
        value: f"{group[0]}-{group[-1]}" if len(group) > 1 else str(value)
        for group in groups.values()
        for value in group
    }


def by_dial(dials: Sequence[str], scores: Sequence[float]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the mean score and number of items of every setting of every dial.

    Args:
        dials: an item's dials, a JSON object, for each item.
        scores: one for each item.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for dial, settings in levels_of(dials).items():
        of: dict[str, list[float]] = {}
        for setting, score in zip(settings, scores, strict=True):
            if setting is not None:
                of.setdefault(setting, []).append(score)
        found[dial] = {
            setting: {"value": sum(values) / len(values), "n": len(values)}
            for setting, values in sorted(of.items(), key=lambda pair: order_of(pair[0]))
        }
    return found
