"""How somebody says what is wanted: the ways that are no action's form, and a request taken apart into clauses."""

from __future__ import annotations

import re
from functools import lru_cache

from worldschool.envs.household.words.wordings import ASKED
from worldschool.records import Predicate

SITTING, LYING = ("STATE:sitting", "me", None), ("STATE:lying", "me", None)
# "me" is who is told; {x} and {y} are names.
_STATEMENTS: dict[str, Predicate] = {
    "(?:put|place|store|keep) {x} (?:in|into|inside) {y}": ("INSIDE", "x", "y"),
    "{x} is inside {y}": ("INSIDE", "x", "y"),
    "{x} is in {y}": ("INSIDE", "x", "y"),
    "{x} is on top of {y}": ("ON", "x", "y"),
    "{x} is on {y}": ("ON", "x", "y"),
    "{y} is wearing {x}": ("ON", "x", "y"),
    "{x} is holding {y}": ("HOLDS", "x", "y"),
    "{x} holds {y}": ("HOLDS", "x", "y"),
    "{x} is (?:switched |turned )?on": ("STATE:on", "x", None),
    "{x} is (?:switched |turned )?off": ("STATE:off", "x", None),
    "{x} is open": ("STATE:open", "x", None),
    "{x} is (?:closed|shut)": ("STATE:closed", "x", None),
    "{x} is plugged in": ("STATE:plugged_in", "x", None),
    "{x} is (?:unplugged|plugged out)": ("STATE:plugged_out", "x", None),
    "{x} is clean": ("STATE:clean", "x", None),
    "{x} is sitting(?: down)?": ("STATE:sitting", "x", None),
    "{x} is lying(?: down)?": ("STATE:lying", "x", None),
    "(?:bring|take|carry|move) {x} (?:in)?to {y}": ("INSIDE", "x", "y"),
}
# What the wordings of goals (`wordings.ASKED`) ask for.
_ASKED_OF: dict[str, tuple[Predicate, ...]] = {
    "ON": (("ON", "x", "y"),),
    "INSIDE": (("INSIDE", "x", "y"),),
    "INSIDE room": (("INSIDE", "x", "y"),),
    "HOLDS": (("HOLDS", "me", "y"),),
    "AT": (("AT", "me", "y"),),
    "wear": (("ON", "x", "me"),),
    "rest": (("ON", "me", "y"),),
    "sit": (("ON", "me", "y"), SITTING),
    "lie": (("ON", "me", "y"), LYING),
    "sitting": (SITTING,),
    "lying": (LYING,),
    **{
        state: ((f"STATE:{state}", "x", None),)
        for state in ("open", "closed", "on", "off", "plugged_in", "plugged_out", "clean")
    },
}
_ASKS = re.compile(
    r"^(?:task\s*\d*\s*:|goal\s*:|please|(?:your|the) task is to|you are to|make sure that|i want you to|-|\d+[.)])\s*"
)
_BETWEEN = re.compile(r"\s*(?:,\s*(?:and\s+)?(?:then\s+)?|;\s*|\.\s+|\s+and\s+(?:then\s+)?|\s+then\s+)")
IT = re.compile(r"\bit\b")


def clauses_of(text: str) -> list[str]:
    """Return a request without what only asks ("please", "your task is to"), casefolded, in its parts.

    A part may be less than a clause: of "wash the cup and the pan" they are "wash the cup" and "the pan".
    """
    asked = " ".join(text.split()).casefold().strip(" .!\"'")
    while asked != (less := _ASKS.sub("", asked).strip()):
        asked = less
    return _BETWEEN.split(asked)


_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def bare_name(written: str) -> str:
    """Return a name without its article, and "apple 2" for "second apple"."""
    name = re.sub(r"^(?:the|a|an|my|your|some|this|that)\s+", "", written)
    first, _, rest = name.partition(" ")
    return f"{rest} {_ORDINALS.index(first) + 2}" if first in _ORDINALS else name


@lru_cache(maxsize=1)
def templates() -> tuple[tuple[re.Pattern[str], tuple[Predicate, ...]], ...]:
    """Return every way of saying what is wanted that is no action's, and what it asks for."""
    found: list[tuple[re.Pattern[str], tuple[Predicate, ...]]]
    found = [(_pattern(template), (made,)) for template, made in _STATEMENTS.items()]
    for asked, made in _ASKED_OF.items():
        found += [(_pattern(wording), made) for wording in ASKED[asked]]
    return tuple(found)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(template.replace("{x}", "(?P<x>.+)").replace("{y}", "(?P<y>.+)"))
