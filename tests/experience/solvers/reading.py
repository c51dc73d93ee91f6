"""A story read sentence by sentence: who did what to which thing, from English alone.

Nothing of worldschool is imported: wordings were written down here by reading stories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Deed:
    """One thing that somebody did: `what` is the verb, `thing` what it was done to, `where` the place it says."""

    who: str
    what: str
    thing: str = ""
    link: str = ""
    where: str = ""

    @property
    def act(self) -> tuple[str, str]:
        """What was done, leaving out who and where: a walk is known by where it leads."""
        return self.what, self.where if self.what == "walk" else self.thing


_T, _W = r"(?P<thing>the .+?)", r"(?P<where>the .+?)"
# The first that fits the whole of what follows a name is what it says.
_PHRASES: tuple[tuple[str, str], ...] = (
    ("be", rf"was in {_W}"),
    ("walk", rf"(?:walked|went|moved) to {_W}"),
    ("approach", rf"(?:went over to|stepped up to|walked up to) {_T}"),
    ("unwear", rf"(?:took off|slipped off|got out of) {_T}"),
    ("wear", rf"(?:put on|slipped on|got dressed in) {_T}"),
    ("plug", rf"(?:plugged in|connected|put in the plug of) {_T}"),
    ("unplug", rf"(?:unplugged|disconnected|pulled the plug of) {_T}"),
    ("drop", rf"(?:dropped|put down) {_T}"),
    ("drop", rf"left {_T} there"),
    ("grab", rf"(?:picked up|took|grabbed) {_T} from (?P<where>.+)"),
    ("sit", rf"(?:sat down on|took a seat on|settled on) {_T}"),
    ("lie", rf"(?:lay down on|stretched out on) {_T}"),
    ("grab", rf"(?:picked up|took|grabbed) {_T}"),
    ("put", rf"(?:put|placed|set|left) {_T} (?P<link>on|in) {_W}"),
    ("pour", rf"(?:poured|emptied) {_T} (?P<link>in)to {_W}"),
    ("open", rf"(?:opened|pulled open) {_T}"),
    ("close", rf"(?:closed|shut) {_T}"),
    ("on", rf"(?:turned|switched) on {_T}"),
    ("off", rf"(?:turned|switched) off {_T}"),
    ("wash", rf"(?:washed|cleaned) {_T}"),
    ("wash", rf"gave {_T} a wash"),
    ("wipe", rf"(?:wiped down|wiped) {_T}(?: clean)?"),
    ("stand", r"(?:stood up|got up|got to their feet)"),
    ("look", r"(?:looked|glanced) around"),
)
_READ = tuple((what, re.compile(pattern)) for what, pattern in _PHRASES)


def read_clause(clause: str) -> Deed:
    """Return what a clause such as "Mary took the apple" says.

    Raises:
        ValueError: it says something else.
    """
    who, _, rest = clause.partition(" ")
    for what, pattern in _READ:
        if found := pattern.fullmatch(rest):
            return Deed(who, what, **found.groupdict(default=""))
    raise ValueError(f"what does this say? {clause!r}")


def read_story(story: str) -> list[Deed]:
    """Return what a story says, in order; a sentence may go on about other things that were put to the same place."""
    deeds = []
    for sentence in filter(None, re.split(r"\.(?: |$)", story)):
        first, *others = sentence.split(", ")
        deeds.append(read_clause(first))
        for other in others:
            found = re.fullmatch(r"(?:then|and finally) (the .+?)(?: next to it)?", other)
            if found is None or deeds[-1].what != "put":
                raise ValueError(f"how does this go on? {sentence!r}")
            deeds.append(Deed(deeds[-1].who, "put", found[1], deeds[-1].link, deeds[-1].where))
    return deeds


class Memory:
    """Where everybody and everything is, as far as a story has told."""

    def __init__(self) -> None:
        self.rooms: dict[str, str] = {}
        self.places: dict[str, tuple[str, str]] = {}
        self.stands: dict[str, str] = {}

    def follow(self, deed: Deed) -> None:
        """Take one deed into account."""
        here = self.rooms.get(deed.who, "")
        if deed.what in ("walk", "be"):
            self.rooms[deed.who] = deed.where
        elif deed.what in ("grab", "unwear"):
            self.places[deed.thing] = ("hand", deed.who)
        elif deed.what == "wear":
            self.places[deed.thing] = ("body", deed.who)
        elif deed.what in ("put", "pour"):
            if deed.where not in self.places:
                self.stands[deed.where] = here
            self.places[deed.thing] = (deed.link, deed.where)
        elif deed.what == "drop":
            self.places[deed.thing] = ("floor", here)

    def chain(self, thing: str) -> list[str]:
        """What a thing is on, in or with, innermost first, as far as it was told; the last may be a room."""
        found: list[str] = []
        while thing in self.places:
            thing = self.places[thing][1]
            found.append(thing)
        return found

    def room(self, name: str) -> str:
        """The room of a person or a thing; empty if it was not told."""
        last = [name, *self.chain(name)][-1]
        if name in self.places and self.places[[name, *self.chain(name)][-2]][0] == "floor":
            return last
        return self.rooms.get(last) or self.stands.get(last, "")


CHANGES = ("grab", "put", "drop", "pour", "wear", "unwear")
"""Deeds after which the thing is somewhere else, or may be."""


def paths(deeds: list[Deed]) -> dict[str, list[str]]:
    """Return, for each thing that somebody handled, the rooms it was in from then on, without repeats in a row."""
    memory, found = Memory(), {}
    for deed in deeds:
        if deed.what in CHANGES and deed.thing not in found:
            found[deed.thing] = [memory.rooms[deed.who]]
        memory.follow(deed)
        for thing, path in found.items():
            room = memory.room(thing)
            if room and room != path[-1]:
                path.append(room)
    return found
