"""What can be had without understanding: answers by rules that read only the story's surface.

A probe's score means something where it is above these.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence

from worldschool.records import Example

Rule = Callable[[Example, dict[str, object]], str]


def shortcut_answers(examples: Sequence[Example]) -> dict[str, list[str]]:
    """Return each applicable rule's answer to each example (see the rules below)."""
    if not examples:
        return {}
    task = examples[0].task
    rules: dict[str, Rule] = {}
    if task in ("object_path", "object_location"):
        rules = {"last_place": last_place, "most_mentioned": most_mentioned}
        if task == "object_path":
            rules["last_two"] = last_two
    answers = {
        name: [rule(example, json.loads(example.meta)) for example in examples]
        for name, rule in rules.items()
    }
    if examples[0].options is not None:
        majority = Counter(example.answer for example in examples).most_common(1)[0][0]
        answers["majority"] = [majority for _ in examples]
    return answers


def last_place(example: Example, meta: dict[str, object]) -> str:
    """Answer the last room of whoever last handled the thing."""
    return _rooms_of_last_handler(meta)[-1:][0] if _rooms_of_last_handler(meta) else ""


def last_two(example: Example, meta: dict[str, object]) -> str:
    """Answer the last two rooms of whoever last handled the thing."""
    return ", ".join(_rooms_of_last_handler(meta)[-2:])


def most_mentioned(example: Example, meta: dict[str, object]) -> str:
    """Answer the room that the story mentions most (among the options, if there are any); for a path, the two."""
    story = str(meta["story"])
    rooms = example.options or _rooms(meta)
    counts = Counter({room: len(re.findall(rf"\b{re.escape(room)}\b", story)) for room in rooms})
    best = [room for room, _ in counts.most_common(2 if example.task == "object_path" else 1)]
    return ", ".join(sorted(best, key=story.find))


def _rooms_of_last_handler(meta: dict[str, object]) -> list[str]:
    sentences = str(meta["story"]).split(". ")
    told = [
        sentence for sentence in sentences if re.search(rf"\bthe {re.escape(str(meta['thing']))}\b", sentence)
    ]
    if not told:
        return []
    handler = told[-1].split(" ")[0]
    found = []
    for sentence in sentences:
        if sentence.split(" ")[0] == handler:
            found += [room for room in _rooms(meta) if re.search(rf"\bthe {re.escape(room)}\b", sentence)][:1]
    return found


def _rooms(meta: dict[str, object]) -> tuple[str, ...]:
    rooms = meta["rooms"]
    return tuple(str(room) for room in rooms) if isinstance(rooms, list) else ()
