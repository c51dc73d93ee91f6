"""The desk question and its family: how many items are on the desk, and which, among much that does not matter?

"Emily put a phone on the desk, then a lime next to it, and finally an apple" is one fixed question (`golden`). The
variants are acted out (`acting`): things are brought to a place, some are taken away again, others go elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from worldschool.envs import world_class
from worldschool.envs.household.errands import Errand, House, house_of
from worldschool.experience.builders.acting import act_out
from worldschool.experience.builders.base import (
    BuilderSettings,
    Skipped,
    choose_from,
    make_example,
    question,
)
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Example

NUMBERS = ("0", "1", "2", "3", "4")
TOO_LITTLE = Skipped("the house has too few empty surfaces, or too few things to put on them")
GOING_ON = 2
"""How often at most a story goes on in one sentence ("then the lime next to it"). How often it does is drawn before anything
else: if it did wherever it can, "then" would tell of large numbers."""
Kind: TypeAlias = Literal["how many", "which"]

GOLDEN_STORY = "Emily put a phone on the desk, then a lime next to it, and finally an apple"
GOLDEN = Example(
    example_id="desk-golden",
    task="desk",
    prompt=f"Question: {GOLDEN_STORY}; how many items are on the desk?\nAnswer:",
    completion=" 3\n",
    answer="3",
    split="heldout",
    episode_id="golden",
    builder="desk",
    builder_version=1,
    seed=0,
    options=NUMBERS,
    answer_index=3,
    dials='{"characters":1,"distractors":0,"length":3,"revisits":0,"sentences":1}',
    meta='{"about":["the desk"],"cue":"golden","kind":"how many"}',
)
"""The question with which worldschool began."""


class DeskSettings(BuilderSettings):
    """Settings of the desk builder."""

    places: int = Field(default=3, ge=1)
    """Surfaces that things are brought to, at most; any of them may be asked about."""
    items: tuple[int, int] = (0, 4)
    """Least and most items that are left on each."""
    taken: int = Field(default=2, ge=0, le=4)
    """At most so many are taken away again from each."""
    others: tuple[int, int] = (1, 4)
    """Least and most errands that have nothing to do with these places."""
    options: int = Field(default=4, ge=2)
    """Things to choose from when it is asked which; fewer where fewer are told of, at least two."""
    kinds: tuple[Kind, ...] = Field(default=("how many", "which"), min_length=1)
    """What is asked."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("items", "others"):
            least, most = getattr(self, name)
            if not 0 <= least <= most:
                raise ValueError(f"{name} ({least}, {most}) is not a least and a most, from 0")
        if self.items[1] >= len(NUMBERS):
            raise ValueError(f"items: at most {len(NUMBERS) - 1} can be asked about, found {self.items[1]}")
        return self


def build(
    episode: Episode, settings: DeskSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Act out a story in the episode's house, and ask about the surfaces in it that were empty at first."""
    house = house_of(episode)
    drawn = _drawn(episode, house, settings, rng)
    if drawn is None:
        yield TOO_LITTLE
        return
    acted = act_out(episode, drawn)
    if isinstance(acted, Skipped):
        yield acted
        return
    lived, _ = acted
    events = tuple(event for event in lived.events if event.succeeded)
    told = _told(events)
    if not told:
        yield TOO_LITTLE
        return
    sentences = _sentences(episode, told, settings.style, Random(story_seed))
    story = " ".join(sentences)
    end = Tracker(episode.initial_facts)
    for event in events:
        end.apply(event)
    places = _empty(episode, sorted({str(one.target) for one in told if one.relation == "ON"}), house)
    asked = [(kind, place) for place in places for kind in settings.kinds]
    rng.shuffle(asked)
    yielded = 0
    for kind, place in asked:
        if yielded == settings.per_episode:
            return
        on = end.contents(place, "ON")
        found = _question(episode, kind, place, on, told, settings, rng)
        if found is None:
            continue
        yielded += 1
        text, answer, options, about = found
        came = sum(one.target == place and one.relation == "ON" for one in told)
        yield make_example(
            "desk",
            episode,
            story_seed,
            question(story, text),
            answer,
            options=options,
            dials={
                "length": len(on),
                "revisits": came - len(on),
                "distractors": sum(one.verb != "grab" and one.target != place for one in told),
                "characters": len({one.actor for one in told}),
                "sentences": len(sentences),
            },
            meta={"story": story, "kind": kind, "cue": kind, "place": place, "about": about},
        )


def golden() -> Iterator[Example]:
    """Yield the question that is always asked, where held-out questions are."""
    yield GOLDEN


def _question(
    episode: Episode,
    kind: Kind,
    place: str,
    on: Sequence[str],
    told: Sequence[Event],
    settings: DeskSettings,
    rng: Random,
) -> tuple[str, str, tuple[str, ...], list[str]] | None:
    """Return a question, its answer, its options and what it is about; None if it cannot be asked."""
    phrase = world_class(episode.world).phrase
    if kind == "how many":
        if len(on) >= len(NUMBERS):
            return None
        return f"How many items are on {phrase(place)}?", str(len(on)), NUMBERS, [phrase(place)]
    handled = sorted({str(one.object) for one in told if one.object and one.verb in ("put", "grab")})
    wrong = [phrase(thing) for thing in handled if thing not in on]
    right = [phrase(thing) for thing in handled if thing in on]
    if not right or not wrong:
        return None
    answer = rng.choice(right)
    options = [answer, *rng.sample(wrong, min(len(wrong), settings.options - 1))]
    rng.shuffle(options)
    text = f"Which of these is on {phrase(place)} in the end? {choose_from(options)}"
    return text, answer, tuple(options), [phrase(place)]


def _drawn(episode: Episode, house: House, settings: DeskSettings, rng: Random) -> list[Errand] | None:
    """Return the errands of a story, or None if the house does not have what it takes."""
    free = _empty(episode, house.surfaces, house)
    things = [name for name in house.things if not _held(episode, name)]
    rng.shuffle(things)
    rng.shuffle(free)
    places = free[: settings.places]
    left = _left(len(places), settings, rng)
    taken = [_taken(wanted, settings, rng) for wanted in left]
    if len(house.surfaces) < 2 or not places or len(things) < sum(left) + sum(taken):
        return None
    errands: list[tuple[str, str, str]] = []
    for place, wanted, gone in zip(places, left, taken, strict=True):
        errands = _merged(errands, _about(place, house, things, wanted, gone, rng), rng)
    if not errands:
        return None
    for _ in range(rng.randint(*settings.others)):
        errands.insert(rng.randint(0, len(errands)), _other(house, things, house.surfaces, rng))
    actor = rng.choice(house.people)
    found = []
    for kind, thing, where in errands:
        if rng.random() < 0.3:
            actor = rng.choice(house.people)
        found.append(Errand(actor, kind, thing, where))
    return found


def _left(places: int, settings: DeskSettings, rng: Random) -> list[int]:
    """Return how many items are left on each place: any number on any, but together always as many.

    Otherwise how often something is put anywhere would tell how many there are on the one that is asked about.
    """
    least, most = settings.items
    rest, found = places * (least + most) // 2, []
    for others in range(places - 1, -1, -1):
        found.append(rng.randint(max(least, rest - others * most), min(most, rest - others * least)))
        rest -= found[-1]
    rng.shuffle(found)
    return found


def _taken(wanted: int, settings: DeskSettings, rng: Random) -> int:
    """Return how many are taken away again: about as often some as not, however many are left."""
    if wanted == 0:  # else nobody would have come near the place
        return rng.randint(1, max(1, settings.taken))
    return rng.randint(1, settings.taken) if settings.taken and rng.random() < 0.85 else 0


def _about(
    place: str, house: House, things: list[str], wanted: int, taken: int, rng: Random
) -> list[tuple[str, str, str]]:
    """Return the errands about one place, which use up things: as many come as are wanted and taken away again."""
    coming = [things.pop() for _ in range(wanted + taken)]
    errands = [("bring", thing, place) for thing in coming]
    elsewhere = [name for name in house.surfaces if name != place]
    for thing in rng.sample(coming, taken):  # some time after it came
        after = errands.index(("bring", thing, place)) + 1
        errands.insert(rng.randint(after, len(errands)), ("bring", thing, rng.choice(elsewhere)))
    return errands


def _merged(
    one: list[tuple[str, str, str]], other: list[tuple[str, str, str]], rng: Random
) -> list[tuple[str, str, str]]:
    """Return both lists in one, each in its order, in stretches of random length."""
    found, queues = [], [list(one), list(other)]
    turn = rng.randrange(2)
    while queues[0] or queues[1]:
        for _ in range(rng.randint(1, 3)):
            if queues[turn]:
                found.append(queues[turn].pop(0))
        turn = 1 - turn
    return found


def _other(house: House, rest: list[str], elsewhere: Sequence[str], rng: Random) -> tuple[str, str, str]:
    """Return something to do that has nothing to do with the place."""
    kind = rng.choice(("bring", "bring", "visit", "use"))
    if kind == "bring" and rest:
        return kind, rest.pop(), rng.choice(elsewhere)
    if kind == "use" and house.containers:
        return kind, "", rng.choice(house.containers)
    return "visit", "", rng.choice(house.rooms)


def _told(events: Sequence[Event]) -> list[Event]:
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


def _sentences(episode: Episode, told: Sequence[Event], style: str, rng: Random) -> list[str]:
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


def _empty(episode: Episode, places: Sequence[str], house: House) -> list[str]:
    """Return the surfaces that have nothing on them at the start."""
    start = Tracker(episode.initial_facts)
    return [place for place in places if place in house.surfaces and not start.contents(place, "ON")]


def _held(episode: Episode, thing: str) -> bool:
    return any(fact.relation == "HOLDS" and fact.object == thing for fact in episode.initial_facts)
