"""Containment: the apple is in the bowl that is in the fridge; where is the apple, also when the bowl was carried on?

Random lives nest things rarely, so stories are acted out (`acting`): things and vessels are brought into each other, onto
and into furniture, and what holds something is moved again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from worldschool.envs import world_class
from worldschool.envs.household.errands import Errand, House, house_of
from worldschool.experience.builders.acting import act_out, moved
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
FEW_VESSELS = Skipped("the house has no vessel that something fits into")
NO_CHAIN = Skipped("nothing came to be in something that is in or on something else")


class ContainmentSettings(BuilderSettings):
    """Settings of the containment builder."""

    options: int = Field(default=4, ge=2)
    """Places or rooms to choose from; fewer where fewer are told of, at least two."""
    errands: tuple[int, int] = (5, 10)
    """Least and most errands of a story: each brings one thing somewhere."""
    minimum: int = Field(default=2, ge=1)
    """Links from a thing to the furniture at the end of its chain, at least: 2 is an apple in a bowl in a fridge."""
    kinds: tuple[Kind, ...] = Field(default=("place", "room"), min_length=1)
    """"place": what a thing is in or on in the end, through all that it is in; "room": in which room."""


class _Asked(NamedTuple):
    """A question: a thing, its chain without the room, its room, and how often what it is in was moved with it."""

    kind: Kind
    thing: str
    chain: list[str]
    room: str
    moves: int


def build(
    episode: Episode, settings: ContainmentSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Act out a story, and ask where a thing is that is in something that is somewhere."""
    house = house_of(episode)
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
    asked = (
        []
        if story is None
        else [one for one in _questions(lived, story, house) if one.kind in settings.kinds]
    )
    asked = [one for one in asked if len(one.chain) >= settings.minimum]
    if story is None or not asked:
        yield NO_CHAIN
        return
    rng.shuffle(asked)
    yielded = 0
    for one in asked:
        if yielded == settings.per_episode:
            return
        example = _example(lived, settings, story, one, story_seed, rng, house)
        if example is not None:
            yielded += 1
            yield example


def _drawn(house: House, settings: ContainmentSettings, rng: Random) -> list[Errand] | None:
    """Return errands that bring things and vessels about, into each other more often than not."""
    chosen = rng.sample(house.vessels, min(len(house.vessels), 3))
    fitting = [thing for thing in house.things if any(house.takes(one, thing) for one in chosen)]
    chosen_things = rng.sample(fitting, min(len(fitting), 4))
    furniture = [*house.surfaces, *house.containers]
    furniture = rng.sample(furniture, min(len(furniture), 5))
    if not chosen or not chosen_things or len(furniture) < 2:
        return None
    inside: dict[str, str] = {}
    actor = rng.choice(house.people)
    found = []
    for _ in range(rng.randint(*settings.errands)):
        if rng.random() < 0.4:
            actor = rng.choice(house.people)
        thing = rng.choice([*chosen * 2, *chosen_things])
        vessels = [one for one in chosen if house.takes(one, thing) and thing not in _above(one, inside)]
        place = rng.choice(vessels if vessels and rng.random() < 0.6 else furniture)
        if inside.get(thing) == place:
            continue
        inside[thing] = place
        found.append(Errand(actor, "bring", thing, place))
    return found


def _above(name: str, inside: dict[str, str]) -> list[str]:
    """Return a name and everything that it is in or on, as planned."""
    found = [name]
    while (following := inside.get(found[-1])) is not None:
        found.append(following)
    return found


def _questions(episode: Episode, story: Story, house: House) -> Iterator[_Asked]:
    """Yield a question for everything that was put into something; every link that is asked about was told."""
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
            yield _Asked("place", thing, chain, room, moves.get(thing, 0))
            yield _Asked("room", thing, chain, room, moves.get(thing, 0))


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
    episode: Episode,
    settings: ContainmentSettings,
    story: Story,
    asked: _Asked,
    story_seed: int,
    rng: Random,
    house: House,
) -> Example | None:
    phrase = world_class(episode.world).phrase
    if asked.kind == "place":
        right = asked.chain[-1]
        # Only where a vessel was put can a chain end, and a vessel is somewhere itself: other options would tell.
        ends = {place for thing, _, place in moved(story.events) if thing in house.vessels}
        others = sorted(ends - {*asked.chain, *house.vessels})
        text = f"Which of these is {phrase(asked.thing)} in or on in the end, by itself or within something else?"
    else:
        right = asked.room
        named = {str(event.target) for event in story.events if event.verb == "walk"}
        others = sorted(named - {right})
        text = f"In which room is {phrase(asked.thing)} in the end?"
    if not others:
        return None
    options = [phrase(one) for one in (right, *rng.sample(others, min(len(others), settings.options - 1)))]
    rng.shuffle(options)
    return make_example(
        "containment",
        episode,
        story_seed,
        question(story.text, f"{text} {choose_from(options)}"),
        phrase(right),
        options=tuple(options),
        dials={
            "length": len(options),
            "indirection": len(asked.chain) + (asked.kind == "room"),
            "moves": asked.moves,
            "sentences": story.sentences,
            "distractors": len({thing for thing, _, _ in moved(story.events)}) - len(asked.chain),
            "characters": len(characters_of(episode)),
        },
        meta={
            "story": story.text,
            "kind": asked.kind,
            "cue": asked.kind,
            "about": [phrase(asked.thing)],
            "chain": asked.chain,
        },
    )
