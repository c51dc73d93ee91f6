"""Containment: the apple is in the bowl that is in the fridge; where is the apple, also when the bowl was carried on?

Random lives nest things rarely, so stories are acted out (`acting`): things and vessels are brought into each other, onto
and into furniture, and what holds something is moved again. Several things are asked about that end in different places, so that
of the options none is likelier than another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from worldschool.envs import world_class
from worldschool.envs.household.errands import Contents, Errand, contents_of
from worldschool.experience.builders.acting import act_out, in_order, moved, shared_out
from worldschool.experience.builders.base import (
    BuilderSettings,
    Skipped,
    choose_from,
    make_example,
    question,
)
from worldschool.experience.builders.story import Story, characters_of, rooms_of, tell
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Example

Kind: TypeAlias = Literal["place", "room"]
FEW_VESSELS = Skipped("the house has no two vessels into each of which something fits")
NO_CHAIN = Skipped(
    "no two things came to be in different places, each in something that is in or on something else"
)
NESTED = 0.6
"""How often a vessel ends in another one, where one is large enough."""
ASIDE = 0.3
"""How often an errand that is not needed is about something else, rather than a way to where something ends."""
ANOTHER = 0.4
"""How often somebody else does the next errand."""


class ContainmentSettings(BuilderSettings):
    """Settings of the containment builder."""

    options: int = Field(default=4, ge=2)
    """Places or rooms to choose from, in each of which something is that could be asked about; fewer where there are fewer,
    at least two."""
    errands: tuple[int, int] = (5, 10)
    """Least and most errands of a story: each brings one thing somewhere."""
    minimum: int = Field(default=2, ge=1)
    """Links from a thing to the furniture at the end of its chain, at least: 2 is an apple in a bowl in a fridge."""
    kinds: tuple[Kind, ...] = Field(default=("place", "room"), min_length=1)
    """"place": what a thing is in or on in the end, through all that it is in; "room": in which room."""


class _Ended(NamedTuple):
    """Where a thing is in the end: its chain without the room, its room, and how often what it is in was moved with it."""

    thing: str
    chain: list[str]
    room: str
    moves: int

    def answer(self, kind: Kind) -> str:
        return self.chain[-1] if kind == "place" else self.room


def build(
    episode: Episode, settings: ContainmentSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Act out a story, and ask where a thing is that is in something that is somewhere."""
    house = contents_of(episode)
    errands = _drawn(house, settings, rng)
    if errands is None:
        yield FEW_VESSELS
        return
    acted = act_out(episode, errands)
    if isinstance(acted, Skipped):
        yield acted
        return
    lived, _ = acted
    story = tell(lived, settings.style, story_seed)
    if story is None:
        yield NO_CHAIN
        return
    ended = [one for one in _ended(lived, story, house) if len(one.chain) >= min(2, settings.minimum)]
    kinds = list(settings.kinds)
    rng.shuffle(kinds)
    found = [(kind, one, options) for kind in kinds for one, options in _asked(kind, ended, settings, rng)]
    if not found:
        yield NO_CHAIN
    for kind, one, options in found[: settings.per_episode]:
        yield _example(lived, story, kind, one, options, story_seed)


def _drawn(house: Contents, settings: ContainmentSettings, rng: Random) -> list[Errand] | None:
    """Return errands that bring vessels to different furniture and things into them, some by way of other places."""
    vessels = [one for one in house.vessels if any(house.takes(one, thing) for thing in house.things)]
    vessels = rng.sample(vessels, min(len(vessels), rng.choice((2, 3, 3))))
    furniture = [*house.surfaces, *house.containers]
    furniture = rng.sample(furniture, min(len(furniture), len(vessels) + 2))
    if len(vessels) < 2 or len(furniture) < len(vessels):
        return None
    routes = _routes(house, vessels, furniture, rng)
    if routes is None:
        return None
    things = [name for name in house.things if name not in routes]
    rng.shuffle(things)
    for _ in range(rng.randint(*settings.errands) - len(routes)):
        name = rng.choice(sorted(routes))
        if rng.random() < ASIDE and things:  # something that nobody asks about
            routes[things.pop()] = [rng.choice(furniture)]
        else:
            through = [
                *furniture,
                *(one for one in vessels if name not in vessels and house.takes(one, name)),
            ]
            routes[name].insert(0, rng.choice([one for one in through if one != routes[name][0]]))
    chains = [[("bring", name, place) for place in route] for name, route in routes.items()]
    return shared_out(in_order(chains, rng), house.people, ANOTHER, rng)


def _routes(
    house: Contents, vessels: Sequence[str], furniture: Sequence[str], rng: Random
) -> dict[str, list[str]] | None:
    """Return where each vessel ends, and a thing for each that ends in it; None if there is none for one of them.

    A vessel ends on furniture of its own, sometimes in another vessel.
    """
    ends = rng.sample(furniture, len(vessels))
    routes = {vessel: [end] for vessel, end in zip(vessels, ends, strict=True)}
    larger = [one for one in vessels[:-1] if house.takes(one, vessels[-1])]
    if len(vessels) > 2 and larger and rng.random() < NESTED:
        routes[vessels[-1]] = [rng.choice(larger)]
    for vessel in vessels:
        fitting = [name for name in house.things if house.takes(vessel, name) and name not in routes]
        if not fitting:
            return None
        routes[rng.choice(fitting)] = [vessel]
    return routes


def _ended(episode: Episode, story: Story, house: Contents) -> Iterator[_Ended]:
    """Yield everything that was put into something, and of which every link that it is in or on was told."""
    told = moved(story.events)
    latest = {thing: place for thing, _, place in told}
    end = _end(episode, story.events)
    rooms = set(rooms_of(episode))
    moves = _moves(episode, story.events)
    for thing in sorted(latest):
        chain = [name for name in end.chain(thing) if name not in rooms]
        room = end.room(thing)
        if not chain or room is None or set(chain) & set(house.people):
            continue
        links = [thing, *chain]
        if all(latest.get(links[at]) == links[at + 1] for at in range(len(chain))):
            yield _Ended(thing, chain, room, moves.get(thing, 0))


def _asked(
    kind: Kind, ended: Sequence[_Ended], settings: ContainmentSettings, rng: Random
) -> list[tuple[_Ended, tuple[str, ...]]]:
    """Return things to ask about, each in or on another one of the options, in random order; none if all are in one.

    One of them being asked about at random, whatever a story tells makes each option as likely as any other.
    """
    of: dict[str, list[_Ended]] = {}
    for one in ended:
        of.setdefault(one.answer(kind), []).append(one)
    if len(of) < 2:
        return []
    offered = tuple(rng.sample(sorted(of), min(len(of), settings.options)))
    deep = [[one for one in of[option] if len(one.chain) >= settings.minimum] for option in offered]
    found = [(rng.choice(same), offered) for same in deep if same]
    rng.shuffle(found)
    return found


def _end(episode: Episode, events: Sequence[Event]) -> Tracker:
    tracker = Tracker(episode.initial_facts)
    for event in events:
        tracker.apply(event)
    return tracker


def _moves(episode: Episode, events: Sequence[Event]) -> dict[str, int]:
    """Return how often each thing was carried along since it was last put somewhere itself."""
    tracker = Tracker(episode.initial_facts)
    found: dict[str, int] = {}
    for event in events:
        if event.object and event.relation in ("ON", "INSIDE", "HOLDS") and event.verb != "walk":
            found[event.object] = 0
            if event.relation != "HOLDS":
                for thing in list(found):
                    if event.object in tracker.chain(thing):
                        found[thing] += 1
        tracker.apply(event)
    return found


def _example(
    episode: Episode, story: Story, kind: Kind, one: _Ended, options: Sequence[str], story_seed: int
) -> Example:
    phrase = world_class(episode.world).phrase
    if kind == "place":
        text = (
            f"Which of these is {phrase(one.thing)} in or on in the end, by itself or within something else?"
        )
    else:
        text = f"In which room is {phrase(one.thing)} in the end?"
    offered = tuple(phrase(option) for option in options)
    return make_example(
        "containment",
        episode,
        story_seed,
        question(story.text, f"{text} {choose_from(offered)}"),
        phrase(one.answer(kind)),
        options=offered,
        dials={
            "length": len(offered),
            "indirection": len(one.chain) + (kind == "room"),
            "moves": one.moves,
            "sentences": story.sentences,
            "distractors": len({thing for thing, _, _ in moved(story.events)}) - len(one.chain),
            "characters": len(characters_of(episode)),
        },
        meta={
            "story": story.text,
            "kind": kind,
            "cue": kind,
            "about": [phrase(one.thing)],
            "chain": one.chain,
        },
    )
