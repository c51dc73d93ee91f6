"""Questions about a story answered from its text: one function for each way of asking."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.experience.solvers.reading import Deed, Memory, paths, read_clause, read_story

Answerer = Callable[[list[Deed], "re.Match[str]", list[str]], str]


def answer(prompt: str, options: list[str] | None) -> str:
    """Return the answer to a prompt: a story, a question about it, "Answer:".

    Args:
        prompt: all of it.
        options: what can be answered; null where the answer is written.

    Raises:
        ValueError: the story or the question cannot be read.
    """
    found = re.fullmatch(r"(?:(?P<story>.+)\n)?Question: (?P<asked>.+)\nAnswer:", prompt)
    if found is None:
        raise ValueError(f"this is no question: {prompt!r}")
    asked, given = found["asked"], options or []
    listed = re.search(r" Choose from: (.+)\.$", asked)
    if listed:
        given = listed[1].split("; ")
        asked = asked[: listed.start()]
    deeds = read_story(found["story"] or "")
    for pattern, reply in _QUESTIONS:
        if match := re.fullmatch(pattern, asked):
            return reply(deeds, match, given)
    raise ValueError(f"what is asked? {asked!r}")


def after(deeds: list[Deed]) -> Memory:
    """Return what is known after all of the story."""
    memory = Memory()
    for deed in deeds:
        memory.follow(deed)
    return memory


def only(found: list[str]) -> str:
    """Return the only one there is.

    Raises:
        ValueError: there is none, or there are several.
    """
    if len(set(found)) != 1:
        raise ValueError(f"not one answer: {found}")
    return found[0]


def moment(deeds: list[Deed], clause: str) -> int:
    """Return which deed a clause tells of."""
    told = read_clause(clause)
    found = [at for at, deed in enumerate(deeds) if deed.who == told.who and deed.act == told.act]
    if len(found) != 1:
        raise ValueError(f"told {len(found)} times: {clause!r}")
    return found[0]


def _path(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    return ", ".join(room.removeprefix("the ") for room in paths(deeds)[asked["thing"]])


def _now(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    return paths(deeds)[asked["thing"]][-1].removeprefix("the ")


def _beside(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    path = paths(deeds)[asked["thing"]]
    (at,) = [at for at, room in enumerate(path) if room == asked["room"]]
    return path[at + (1 if asked["way"] == "after" else -1)].removeprefix("the ")


def _count(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    memory, place = Memory(), (asked["link"], asked["place"])
    for thing in re.split(r", | and ", asked["first"] or ""):
        if thing:
            memory.places[thing[0].lower() + thing[1:]] = place
    for deed in deeds:
        memory.follow(deed)
    return str(sum(where == place for where in memory.places.values()))


def _held(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    memory = after(deeds)
    if asked["first"]:
        raise ValueError("somebody held something at first")
    return str(sum(where == ("hand", asked["who"]) for where in memory.places.values()))


def _visits(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    walks = [deed for deed in deeds if deed.what == "walk" and deed.who == asked["who"]]
    return str(sum(deed.where == asked["room"] for deed in walks))


def _rooms(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    return str(len({deed.where for deed in deeds if deed.what == "walk" and deed.who == asked["who"]}))


def _order(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    places = sorted((moment(deeds, clause), clause) for clause in (asked["one"], asked["other"]))
    return places[0 if asked["order"] == "first" else 1][1]


def _which_did(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    acts = {deed.act for deed in deeds if deed.who == asked["who"]}
    return only([option for option in options if read_clause(option).act in acts])


def _next(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    at = moment(deeds, asked["clause"])
    following = next(deed for deed in deeds[at + 1 :] if deed.who == asked["who"])
    return only([option for option in options if read_clause(option).act == following.act])


def _untouched(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    touched = {deed.thing for deed in deeds if deed.who == asked["who"]}
    return only([option for option in options if option not in touched])


def _never(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    path = paths(deeds)[asked["thing"]]
    return only([option for option in options if option not in path])


def _is_it(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    memory, place = after(deeds), asked["place"]
    is_room = place in {deed.where for deed in deeds if deed.what in ("walk", "be")}
    if is_room:
        holds = memory.room(asked["thing"]) == place
    else:
        holds = memory.places.get(asked["thing"]) == (asked["link"], place)
    return "yes" if holds == (not asked["no"]) else "no"


def _saw(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    at = moment(deeds, asked["clause"])
    memory = after(deeds[:at])
    return "yes" if memory.rooms[asked["who"]] == memory.rooms[deeds[at].who] else "no"


def _memory_when(deeds: list[Deed], when: str) -> Memory:
    return after(deeds if when == "in the end" else deeds[: moment(deeds, when.removeprefix("when ")) + 1])


def _what_held(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    memory = _memory_when(deeds, asked["when"])
    return only([option for option in options if memory.places.get(option) == ("hand", asked["who"])])


def _who_held(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    memory = _memory_when(deeds, asked["when"])
    return only([option for option in options if memory.places.get(asked["thing"]) == ("hand", option)])


def _within(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    return only([option for option in options if option in after(deeds).chain(asked["thing"])])


def _room_of(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    return only([option for option in options if after(deeds).room(asked["thing"]) == option])


def _which_on(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    memory = after(deeds)
    return only([option for option in options if memory.places.get(option) == ("on", asked["place"])])


def _golden(deeds: list[Deed], asked: re.Match[str], options: list[str]) -> str:
    things = [thing for thing in re.findall(r"\ban? (\w+)", asked["told"]) if thing != asked["place"]]
    return str(len(set(things)))


_FIRST = r"(?:(?P<first>[^.]+) (?:was|were) (?:on|in) .+ at first\. )?"
_QUESTIONS: tuple[tuple[str, Answerer], ...] = (
    (r"What is the order of the rooms where (?P<thing>the .+) appeared\?", _path),
    (r"Where is (?P<thing>the .+) now\?", _now),
    (r"Where was (?P<thing>the .+) (?P<way>before|after) (?P<room>the .+)\?", _beside),
    (rf"{_FIRST}How many items is (?P<who>\w+) holding(?: now)?\?", _held),
    (rf"{_FIRST}How many items are (?P<link>on|in) (?P<place>the .+?)(?: now)?\?", _count),
    (r"How many times did (?P<who>\w+) go into (?P<room>the .+)\?", _visits),
    (r"How many different rooms did (?P<who>\w+) go into\?", _rooms),
    (r"Which happened (?P<order>first|later): (?P<one>.+), or (?P<other>.+)\?", _order),
    (r"Which of these did (?P<who>\w+) do\?", _which_did),
    (r"What did (?P<who>\w+) do next after this: (?P<clause>.+)\?", _next),
    (r"Which of these did (?P<who>\w+) not touch\?", _untouched),
    (r"In which of these rooms was (?P<thing>the .+) never\?", _never),
    (
        r"Is it true that in the end (?P<thing>the .+) is (?P<no>not )?(?P<link>on|in) (?P<place>the .+)\?",
        _is_it,
    ),
    (r"Did (?P<who>\w+) see it when (?P<clause>.+)\?", _saw),
    (r"Which of these (?:is|was) (?P<who>\w+) holding (?P<when>in the end|when .+)\?", _what_held),
    (r"Who (?:is|was) holding (?P<thing>the .+?) (?P<when>in the end|when .+)\?", _who_held),
    (
        r"Which of these is (?P<thing>the .+) in or on in the end, by itself or within something else\?",
        _within,
    ),
    (r"In which room is (?P<thing>the .+) in the end\?", _room_of),
    (r"Which of these is on (?P<place>the .+) in the end\?", _which_on),
    (r"(?P<told>.+ put a .+ on the (?P<place>\w+), .+); how many items are on the (?P=place)\?", _golden),
)
READABLE = (
    "object_path",
    "object_location",
    "counting",
    "which_came_first",
    "character_action",
    "negation",
    "witness",
    "holding",
    "containment",
    "desk",
)
"""Tasks whose answers follow from the text alone."""
