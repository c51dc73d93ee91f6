"""A moment told in words: where things are, and the states on the way to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from worldschool.envs import world_class
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Fact

TOLD_STATES = {"open": "open", "closed": "closed", "on": "on", "off": "off", "plugged_out": "unplugged"}
"""States that matter to a plan, and how each is told; dirt matters where something is to be clean."""


def describe(episode: Episode, facts: Sequence[Fact], names: Iterable[str], dirt: bool = False) -> list[str]:
    """Say where each thing is, up to its room, and the states on the way; nothing is said twice.

    Args:
        episode: whose world tells it.
        facts: what holds at the moment.
        names: the things, in the order of telling.
        dirt: whether it is told what is dirty.
    """
    phrase = world_class(episode.world).phrase
    tracker = Tracker(facts)
    told = TOLD_STATES | ({"dirty": "dirty"} if dirt else {})
    states: dict[str, list[str]] = {}
    for fact in facts:
        if fact.relation == "STATE" and fact.object in told:
            states.setdefault(fact.subject, []).append(told[fact.object])
    sentences = []
    for name in names:
        for link in [name, *tracker.chain(name)[:-1]]:
            place = tracker.place(link)
            if place is None or place[0] == "AT":
                continue
            subject = phrase(link)
            upper = f"{subject[0].upper()}{subject[1:]}"
            if place[0] == "HOLDS":
                sentences.append(f"{phrase(place[1])} holds {subject}.")
            else:
                sentences.append(f"{upper} is {'on' if place[0] == 'ON' else 'in'} {phrase(place[1])}.")
            sentences += [f"{upper} is {state}." for state in states.get(link, ())]
    return list(dict.fromkeys(sentences))


def where_is(episode: Episode, facts: Sequence[Fact], actor: str) -> str:
    """Return "Mary is in the kitchen.", or nothing if that is not known."""
    room = Tracker(facts).room(actor)
    phrase = world_class(episode.world).phrase
    return f"{phrase(actor)} is in {phrase(room)}." if room else ""


def movable(episode: Episode) -> list[str]:
    """Return what is held, lies on something or is in something at the start, characters left out; sorted."""
    people = {entity.name for entity in episode.entities if entity.class_ == "character"}
    held = {fact.object for fact in episode.initial_facts if fact.relation == "HOLDS"}
    placed = {fact.subject for fact in episode.initial_facts if fact.relation in ("ON", "INSIDE")}
    return sorted(held | (placed - people))


def touched(episode: Episode, events: Iterable[Event]) -> set[str]:
    """Return the things and pieces of furniture that events are about: all but characters and rooms."""
    apart = {entity.name for entity in episode.entities if entity.class_ in ("room", "character")}
    names = {name for event in events for name in (event.object, event.source, event.target) if name}
    return names - apart
