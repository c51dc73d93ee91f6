"""Stories for the desk question: what is brought where and taken away again is drawn, and what then happened is told.

Numbers are drawn so that how much happens in a story tells nothing about any of its places: with as many things, on as
many places, there are as many errands, however many are left on the place that is asked about. Otherwise whoever counts
words would know the answer better than by guessing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from worldschool.envs import world_class
from worldschool.envs.household.errands import Contents, Errand
from worldschool.experience.builders.acting import in_order, shared_out
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event

GOING_ON = 2
"""How often at most a story goes on in one sentence ("then the lime next to it"). How often it does is drawn before anything
else: if it did wherever it can, "then" would tell of large numbers."""
ANOTHER = 0.3
"""How often somebody else does the next errand."""


class Numbers(NamedTuple):
    """How many things are in a story.

    Attributes:
        left: on each place in the end.
        taken: that were on each place, and are elsewhere in the end.
        elsewhere: that are on none of the places in the end.
    """

    left: list[int]
    taken: list[int]
    elsewhere: int


def draw_numbers(places: int, items: tuple[int, int], brought: int, rng: Random) -> Numbers:
    """Draw the numbers of a story; the first place has any number of `items` as often as any other.

    On two places and more there are always as many things together, on one place and elsewhere as well.

    Args:
        places: how many.
        items: least and most on each.
        brought: how many are brought to each, at least as many as can be left.
        rng: draws.
    """
    least, most = items
    if places == 1:
        left = [rng.randint(least, most)]
        elsewhere = 1 + most - left[0]
    else:
        rest, left, elsewhere = places * (least + most) // 2, [], 1
        for others in range(places - 1, -1, -1):
            left.append(rng.randint(max(least, rest - others * most), min(most, rest - others * least)))
            rest -= left[-1]
    return Numbers(left, [brought - one for one in left], elsewhere)


def draw_errands(
    numbers: Numbers, places: Sequence[str], outside: Sequence[str], things: list[str], rng: Random
) -> list[tuple[str, str]] | None:
    """Return what is brought where, (thing, place) in order; None if things cannot be taken as the numbers say.

    What is taken from one place is put on another one, or elsewhere.

    Args:
        numbers: of things, place by place.
        places: that may be asked about.
        outside: other surfaces.
        things: of which as many are used up as it takes.
        rng: draws.
    """
    ends = [place for place, left in zip(places, numbers.left, strict=True) for _ in range(left)]
    ends += [rng.choice(outside) for _ in range(numbers.elsewhere)]
    starts = [place for place, taken in zip(places, numbers.taken, strict=True) for _ in range(taken)]
    ends += [rng.choice(outside) for _ in range(len(starts) - len(ends))]
    if len(ends) > len(things):
        return None
    rng.shuffle(ends)
    if not _moved_on(starts, ends, rng):
        return None
    used = [things.pop() for _ in ends]
    chains = [
        [*([(thing, starts[at])] if at < len(starts) else []), (thing, end)]
        for at, (thing, end) in enumerate(zip(used, ends, strict=True))
    ]
    return list(in_order(chains, rng))


def _moved_on(starts: Sequence[str], ends: list[str], rng: Random) -> bool:
    """Exchange ends until nothing ends where it started; return whether that was found."""
    for _ in range(1000):
        same = [at for at, (start, end) in enumerate(zip(starts, ends, strict=False)) if start == end]
        if not same:
            return True
        one, other = rng.choice(same), rng.randrange(len(ends))
        ends[one], ends[other] = ends[other], ends[one]
    return False


def with_others(
    errands: Sequence[tuple[str, str]],
    others: int,
    outside: Sequence[str],
    house: Contents,
    things: list[str],
    rng: Random,
) -> list[Errand]:
    """Return the errands with so many others among them, and who does each."""
    found = [("bring", thing, place) for thing, place in errands]
    for _ in range(others):
        found.insert(rng.randint(0, len(found)), _other(house, things, outside, rng))
    return shared_out(found, house.people, ANOTHER, rng)


def _other(house: Contents, rest: list[str], outside: Sequence[str], rng: Random) -> tuple[str, str, str]:
    """Return something to do that has nothing to do with the places."""
    kind = rng.choice(("bring", "bring", "visit", "use"))
    if kind == "bring" and rest:
        return kind, rest.pop(), rng.choice(outside)
    if kind == "use" and house.containers:
        return kind, "", rng.choice(house.containers)
    return "visit", "", rng.choice(house.rooms)


def empty_surfaces(episode: Episode, house: Contents) -> list[str]:
    """Return the surfaces that have nothing on them at the start."""
    start = Tracker(episode.initial_facts)
    return [place for place in house.surfaces if not start.contents(place, "ON")]


def loose_things(episode: Episode, house: Contents) -> list[str]:
    """Return what can be carried and is in nobody's hands at the start."""
    held = {fact.object for fact in episode.initial_facts if fact.relation == "HOLDS"}
    return [name for name in house.things if name not in held]


def told_events(events: Sequence[Event]) -> list[Event]:
    """Return what is told: not how somebody got to a thing or to its place, nor that a thing is picked up to be put down.

    That somebody picks up what was put somewhere before is told.
    """
    placed: set[str] = set()
    found: list[Event] = []
    for event, following in [*pairwise(events), *((one, None) for one in events[-1:])]:
        if event.verb == "walk":
            alone = following is None or following.actor != event.actor or following.verb == "walk"
            if event.source != event.target and alone:
                found.append(event)
        elif event.verb == "grab":
            if event.object in placed or following is None:
                found.append(event)
        elif event.verb in ("open", "close"):
            if following is None or following.actor != event.actor or following.verb not in ("grab", "put"):
                found.append(event)
        else:
            found.append(event)
            if event.object:
                placed.add(event.object)
    return found


def sentences_of(episode: Episode, told: Sequence[Event], style: str, rng: Random) -> list[str]:
    """Return the sentences; what one character puts on one place without a break may be told in one."""
    world = world_class(episode.world)
    could = [at for at in range(1, len(told)) if _goes_on(told[at - 1], told[at])]
    going_on = set(rng.sample(could, min(len(could), rng.randint(0, GOING_ON))))
    sentences: list[str] = []
    at = 0
    while at < len(told):
        run = at + 1
        while run in going_on:
            run += 1
        first = world.narrate([told[at]], style, rng)[0].removesuffix(".")
        others = [world.phrase(str(one.object)) for one in told[at + 1 : run]]
        parts = [f"then {thing}{'' if number else ' next to it'}" for number, thing in enumerate(others)]
        if len(parts) > 1:
            parts[-1] = f"and finally {others[-1]}"
        sentences.append(f"{', '.join([first, *parts])}.")
        at = run
    return sentences


def _goes_on(first: Event, event: Event) -> bool:
    return (event.actor, event.verb, event.target, event.relation) == (
        first.actor,
        "put",
        first.target,
        "ON",
    ) and first.verb == "put"
