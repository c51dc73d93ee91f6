"""Shortcuts: rules that answer from a prompt's surface, without following what happened.

Whoever builds questions keeps them from paying (worldschool.experience.questions.balance); whoever asks questions shows what they
would have scored. A rule gives each option a number; it answers with an option of the highest, ties at random, so its
credit is 1 / (number of options that tie) if the right one is among them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from worldschool.records import Example

YES_NO = ("yes", "no")
"""The options of a question that is answered by one of them."""


class Text:
    """A text in which names are looked for; what was found once is remembered."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in re.finditer(r"\. |\n", text))]
        self.words = frozenset(re.findall(r"\w+", text.lower()))
        self._places: dict[str, list[int]] = {}

    def places(self, name: str) -> list[int]:
        """Return where a name begins, each time that it occurs as whole words."""
        if name not in self._places:
            found = re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", self.text) if name in self.text else ()
            self._places[name] = [one.start() for one in found]
        return self._places[name]

    def sentences(self, *names: str) -> list[int]:
        """Return the numbers of the sentences in which all of the names occur, sorted."""
        found = [{bisect_right(self.starts, place) - 1 for place in self.places(name)} for name in names]
        return sorted(set.intersection(*found)) if found else []

    def subject(self, sentence: int) -> str:
        """Return a sentence's first word: mostly who does what it tells."""
        return self.text[self.starts[sentence] :].partition(" ")[0]


_text = lru_cache(maxsize=8)(Text)


class Surface:
    """What a rule may look at: the text that tells what happened, the question's names, and the options.

    Attributes:
        text: the story if there is one, else the prompt.
        options: as they are offered.
        keys: one text an option, by which it is looked for in the text: the option itself, or the name it is about.
        about: names that the question is about, in the order of asking.
        first: how many things the question says were there at first.
        rooms: the rooms that there are.
        denies: whether the question asks if something is not so.
    """

    def __init__(self, example: Example, meta: dict[str, Any]) -> None:
        self.text = _text(str(meta.get("story", example.prompt)))
        self.options = example.options or ()
        self.keys: Sequence[str] = meta.get("keys") or self.options
        about = meta.get("about") or [meta.get("thing") or meta.get("place")]
        self.about = [str(name) for name in about if name]
        self.first = int(meta.get("first", 0))
        self.rooms = [str(room) for room in meta.get("rooms", ())]
        self.denies = bool(meta.get("denies"))


Rule: TypeAlias = Callable[[Surface], list[float] | None]
"""Takes the surface, returns a number for each option (the higher the rather), or None where it says nothing."""


def _recency(surface: Surface) -> list[float]:
    return [max(surface.text.places(key), default=-1) for key in surface.keys]


def _primacy(surface: Surface) -> list[float]:
    return [-min(surface.text.places(key), default=len(surface.text.text)) for key in surface.keys]


def _most_mentioned(surface: Surface) -> list[float]:
    return [len(surface.text.places(key)) for key in surface.keys]


def _least_mentioned(surface: Surface) -> list[float]:
    return [-count for count in _most_mentioned(surface)]


def _unseen(surface: Surface) -> list[float]:
    """Take an option that the text does not name."""
    return [-float(bool(surface.text.places(key))) for key in surface.keys]


def _nearest_mention(surface: Surface) -> list[float] | None:
    """Take the option that is named nearest to the last mention of what the question is about."""
    asked = surface.text.places(surface.about[0]) if surface.about else []
    if not asked:
        return None
    return [
        -min((abs(place - asked[-1]) for place in surface.text.places(key)), default=len(surface.text.text))
        for key in surface.keys
    ]


def _last_place(surface: Surface) -> list[float] | None:
    """Take the option that was named last of whoever was last told to do something with what is asked about."""
    return _last_of_handler(surface, surface.keys)


def _last_of_handler(surface: Surface, names: Sequence[str]) -> list[float] | None:
    """Return, for each name, the last sentence in which whoever last handled the thing is told with it; -1: none."""
    text = surface.text
    handled = text.sentences(surface.about[0]) if surface.about else []
    if not handled:
        return None
    actor = text.subject(handled[-1])
    return [
        max((number for number in text.sentences(name) if text.subject(number) == actor), default=-1)
        for name in names
    ]


def _longest(surface: Surface) -> list[float]:
    return [len(option) for option in surface.options]


def _shortest(surface: Surface) -> list[float]:
    return [-len(option) for option in surface.options]


def _overlap(surface: Surface) -> list[float]:
    """Take the option of whose words the greatest share is in the text."""
    shares = []
    for option in surface.options:
        own = set(re.findall(r"\w+", option.lower()))
        shares.append(len(own & surface.text.words) / max(1, len(own)))
    return shares


def _least_overlap(surface: Surface) -> list[float]:
    return [-share for share in _overlap(surface)]


def _together(surface: Surface) -> list[float] | None:
    """Say yes to two names that some sentence names together; to a question that denies, no."""
    if len(surface.about) < 2:
        return None
    return _yes(surface, bool(surface.text.sentences(*surface.about[:2])))


def _last_together(surface: Surface) -> list[float] | None:
    """The same of the last sentence in which the first name occurs."""
    if len(surface.about) < 2:
        return None
    last = surface.text.sentences(surface.about[0])[-1:]
    return _yes(surface, bool(last) and last[0] in surface.text.sentences(*surface.about[:2]))


def _yes(surface: Surface, together: bool) -> list[float] | None:
    if surface.options != YES_NO:
        return None
    return [1.0, 0.0] if together != surface.denies else [0.0, 1.0]


def _told_before(surface: Surface) -> list[float] | None:
    """Say yes if the first name is in the sentence before one that has the second."""
    return _beside(surface, -1)


def _told_after(surface: Surface) -> list[float] | None:
    """Say yes if the first name is in the sentence after one that has the second."""
    return _beside(surface, 1)


def _beside(surface: Surface, step: int) -> list[float] | None:
    if len(surface.about) < 2:
        return None
    first, second = (surface.text.sentences(name) for name in surface.about[:2])
    return _yes(surface, any(number + step in first for number in second))


def _mentions(surface: Surface) -> list[float] | None:
    """Count the sentences that name what the question is about."""
    return _number(surface, len(surface.text.sentences(surface.about[0])) if surface.about else 0)


def _mentions_and_first(surface: Surface) -> list[float] | None:
    """The same, and what the question says was there at first."""
    return _number(surface, surface.first + len(surface.text.sentences(*surface.about[:1])))


def _number(surface: Surface, counted: int) -> list[float] | None:
    if not all(option.isdigit() for option in surface.options):
        return None
    return [-abs(int(option) - counted) for option in surface.options]


RULES: dict[str, Rule] = {
    "recency": _recency,
    "primacy": _primacy,
    "most_mentioned": _most_mentioned,
    "least_mentioned": _least_mentioned,
    "unseen": _unseen,
    "nearest_mention": _nearest_mention,
    "last_place": _last_place,
    "longest": _longest,
    "shortest": _shortest,
    "overlap": _overlap,
    "least_overlap": _least_overlap,
    "together": _together,
    "last_together": _last_together,
    "told_before": _told_before,
    "told_after": _told_after,
    "mentions": _mentions,
    "mentions_and_first": _mentions_and_first,
}
"""Rules about options; whoever adds one names it in a builder's row."""


def _last_two(surface: Surface) -> str:
    """Answer the last two rooms of whoever last handled the thing."""
    return ", ".join(_rooms_of_handler(surface)[-2:])


def _last_room(surface: Surface) -> str:
    """Answer the last room of whoever last handled the thing."""
    return ", ".join(_rooms_of_handler(surface)[-1:])


def _rooms_of_handler(surface: Surface) -> list[str]:
    last = _last_of_handler(surface, surface.rooms) or []
    named = sorted((number, room) for number, room in zip(last, surface.rooms, strict=False) if number >= 0)
    return [room for _, room in named]


def _most_mentioned_two(surface: Surface) -> str:
    """Answer the two rooms that the story names most, in the order of their first mention."""
    counted = sorted(surface.rooms, key=lambda room: -len(surface.text.places(room)))[:2]
    return ", ".join(sorted(counted, key=surface.text.text.find))


def _latest_two(surface: Surface) -> str:
    """Answer the two rooms that the story names last."""
    named = sorted((places[-1], room) for room in surface.rooms if (places := surface.text.places(room)))
    return ", ".join(room for _, room in named[-2:])


WRITTEN_RULES: dict[str, Callable[[Surface], str]] = {
    "last_two": _last_two,
    "most_mentioned_two": _most_mentioned_two,
    "latest_two": _latest_two,
    "last_room": _last_room,
}
"""Rules that write an answer, for questions without options."""
WRITTEN_AS = {
    "recency": "latest_two",
    "last_place": "last_room",
    "last_two": "last_two",
    "most_mentioned": "most_mentioned_two",
}
"""What a rule about options is called, to the one that writes an answer in the same spirit."""


def rule_credits(
    example: Example, names: Sequence[str], meta: dict[str, Any] | None = None
) -> dict[str, float]:
    """Return, for each named rule that says something about an example, its credit in [0, 1].

    Args:
        example: what is asked.
        names: of the rules.
        meta: `example.meta`, if it was read already.
    """
    if not names:
        return {}
    surface = Surface(example, json.loads(example.meta) if meta is None else meta)
    found = {}
    for name in names:
        if name in WRITTEN_RULES:
            found[name] = float(WRITTEN_RULES[name](surface) == example.answer)
        elif example.answer_index is not None and (scores := RULES[name](surface)) is not None:
            best = max(scores)
            found[name] = (scores[example.answer_index] == best) / scores.count(best)
    return found


def chance_of(example: Example) -> float:
    """Return how likely a guess is right.

    A path is guessed by whoever knows its length and the rooms: 1 / (r (r - 1)^(length - 1)). Other written answers
    cannot be guessed.
    """
    if example.options is not None:
        return 1 / len(example.options)
    rooms = len(json.loads(example.meta).get("rooms", ()))
    length = json.loads(example.dials).get("length", 0)
    return 1 / (rooms * (rooms - 1) ** (length - 1)) if rooms > 1 and length else 0.0
