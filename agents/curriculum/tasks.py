"""What a curriculum asks of a world: which tasks there are in its present state; and tasks at the level of kinds.

A world that knows its own predicates has a row in `GENERATORS`; for any other, tasks are what random walks brought about
(goal babbling: Rolf, Steil and Gienger 2010), which is reachable by construction.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol, TypeAlias

from worldschool.canonical import blake2b_hex, canonical_json
from worldschool.envs import World
from worldschool.errors import WorldError
from worldschool.records import Entity, Fact, Goal, Predicate

GENERATORS: dict[str, str] = {
    "worldschool/Household-v0": "worldschool.envs.household.tasks:HouseholdTasks",
    "worldschool/HouseholdGrid-v0": "worldschool.envs.household.grid.tasks:GridTasks",
    "worldschool/Shop-v0": "worldschool.envs.shop.tasks:ShopTasks",
}
"""World id to "module:Class", which takes the world and is a `TaskGenerator`."""

TRIES = 16
WALKS, WALK_STEPS = 12, 24

AbstractTask: TypeAlias = tuple[Predicate, ...]
"""Predicates about kinds of things, sorted; the same in every house."""


class TaskGenerator(Protocol):
    """The tasks of one world in the state in which the generator was made."""

    def offers(self) -> Mapping[str, Sequence[Predicate]]:
        """Return what may be asked, by relation, sorted: no predicate holds now, and each can be reached in principle."""
        ...

    def fits(self, predicates: Sequence[Predicate]) -> bool:
        """Return whether predicates could hold all at once."""
        ...

    def activities(self, rng: Random) -> Sequence[Goal]:
        """Return larger goals that the world itself knows, not reached yet; `rng` draws among them."""
        ...

    def goal(self, predicates: Sequence[Predicate]) -> Goal:
        """Return predicates as a goal in English."""
        ...

    def kind(self, name: str) -> str:
        """Return what an entity is to a planner; entities of one kind are handled alike ("container")."""
        ...

    def describe(self) -> str:
        """Return what there is, in a few lines, for a language model that is to think up a task."""
        ...

    def read(self, text: str) -> Goal:
        """Read a task in English.

        Raises:
            WorldError: it cannot be read, or could never be reached; the message says why.
        """
        ...


def task_generator(world: World) -> TaskGenerator:
    """Return the generator of a world in its present state: its own if it has one, else `BabbledTasks`."""
    entry_point = GENERATORS.get(world.world_id)
    if entry_point is None:
        return BabbledTasks(world)
    module, name = entry_point.split(":")
    made: TaskGenerator = getattr(importlib.import_module(module), name)(world)
    return made


def draw_task(tasks: TaskGenerator, size: int, rng: Random) -> Goal | None:
    """Draw a goal of exactly `size` predicates, none of which holds: relations alike, then predicates alike.

    Args:
        tasks: of the world now.
        size: how many predicates; at least 1.
        rng: draws.

    Returns:
        The goal, or None where so many that fit together were not found.
    """
    offers = tasks.offers()
    chosen: list[Predicate] = []
    for _ in range(TRIES * size if offers else 0):
        predicate = rng.choice(offers[rng.choice(list(offers))])
        if predicate not in chosen and tasks.fits([*chosen, predicate]):
            chosen.append(predicate)
            if len(chosen) == size:
                return tasks.goal(chosen)
    return None


def abstract_predicates(tasks: TaskGenerator, predicates: Sequence[Predicate]) -> AbstractTask:
    """Return predicates with kinds in place of entities, sorted: the same task in every house.

    "Put the apple in the fridge" and "store the pear in the freezer" are both (("INSIDE", "thing", "container"),). A
    predicate that is wanted twice, of different things, is there twice.
    """
    return tuple(sorted((abstract_predicate(tasks, one) for one in predicates), key=_text_order))


def abstract_predicate(tasks: TaskGenerator, predicate: Predicate) -> Predicate:
    """Return a predicate with kinds in place of entities."""
    name, subject, target = predicate
    return name, _kind(tasks, subject), None if target is None else _kind(tasks, target)


def task_digest(task: AbstractTask) -> str:
    """Return 16 hexadecimal digits for an abstract task."""
    return blake2b_hex(canonical_json([list(row) for row in task]))[:16]


def draw_like(tasks: TaskGenerator, task: AbstractTask, rng: Random) -> Goal | None:
    """Draw a goal of this house that is an abstract task; None where the house has not what it takes."""
    offered = [one for offers in tasks.offers().values() for one in offers]
    for _ in range(TRIES):
        chosen: list[Predicate] = []
        for wanted in task:
            fitting = [
                one
                for one in offered
                if one not in chosen
                and abstract_predicate(tasks, one) == wanted
                and tasks.fits([*chosen, one])
            ]
            if not fitting:
                break
            chosen.append(rng.choice(fitting))
        else:
            return tasks.goal(chosen)
    return None


def _kind(tasks: TaskGenerator, argument: str) -> str:
    # "class:apple" names a class, which stands for itself.
    return argument if argument.startswith("class:") else tasks.kind(argument)


def family_of(goal: Goal) -> str:
    """Return the task family whose progress is estimated: how many predicates, and of which relations.

    "2 INSIDE+STATE" is any goal of two predicates with those relations, "3 ON" one of three with ON alone. Families are
    coarse so that each is tried often enough to tell whether it is being learned: with 5 relations there are 5 of one
    predicate, 15 of two, 25 of three, 30 of four and 31 of any more.
    """
    relations = sorted({name.partition(":")[0] for name, _, _ in goal.predicates})
    return f"{len(goal.predicates)} {'+'.join(relations)}"


def start_digest(world_id: str, entities: Sequence[Entity], facts: Sequence[Fact]) -> str:
    """Return 32 hexadecimal digits for a start: what there is and where; the same whatever the goal is."""
    rows = [world_id, [one.to_json() for one in entities], [fact.to_json() for fact in facts]]
    return blake2b_hex(canonical_json(rows))


def proposal_digest(start: str, goal: Goal) -> str:
    """Return 16 hexadecimal digits for a goal asked in a start; equal for all wordings of a goal."""
    return blake2b_hex(f"{start} {goal.key}")[:16]


class BabbledTasks:
    """Tasks for a world that has no generator of its own: facts that random walks from here brought about.

    Several predicates fit together when one walk saw them hold at once. Walks are drawn from the state itself, so that
    equal states have equal tasks. The world is left as it was found.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._classes = {entity.name: entity.class_ for entity in world.entities()}
        self._moments: list[frozenset[Predicate]] | None = None

    def _seen(self) -> list[frozenset[Predicate]]:
        """Return what held newly at each moment of the walks; walked when first asked for."""
        if self._moments is None:
            world, start = self._world, self._world.snapshot()
            known = {_predicate(fact) for fact in world.facts()}
            rng = Random(start.position)
            moments: dict[frozenset[Predicate], None] = {}
            for _ in range(WALKS):
                world.restore(start)
                for _ in range(WALK_STEPS):
                    actions = world.legal_actions()
                    if not actions:
                        break
                    world.step(rng.choice(actions))
                    moments[frozenset(_predicate(fact) for fact in world.facts()) - known] = None
            world.restore(start)
            self._moments = [moment for moment in moments if moment]
        return self._moments

    def offers(self) -> dict[str, list[Predicate]]:
        """Return every fact seen newly, sorted, by relation."""
        found: dict[str, list[Predicate]] = {}
        for predicate in sorted({one for moment in self._seen() for one in moment}, key=_text_order):
            found.setdefault(predicate[0].partition(":")[0], []).append(predicate)
        return dict(sorted(found.items()))

    def fits(self, predicates: Sequence[Predicate]) -> bool:
        """Return whether one moment of a walk saw all of them."""
        return any(moment.issuperset(predicates) for moment in self._seen())

    def activities(self, rng: Random) -> list[Goal]:
        """Return nothing: such a world knows no larger goals."""
        del rng
        return []

    def goal(self, predicates: Sequence[Predicate]) -> Goal:
        """Return predicates as a goal, in words as plain as the predicates."""
        ordered = Goal("", tuple(predicates)).predicates
        return Goal(f"Make it so that {' and '.join(map(_statement, ordered))}.", ordered)

    def kind(self, name: str) -> str:
        """Return the entity's class.

        Raises:
            KeyError: there is no such entity.
        """
        return self._classes[name]

    def describe(self) -> str:
        """Return the names of all entities."""
        return f"There is: {', '.join(self._classes)}."

    def read(self, text: str) -> Goal:
        """Read a task; only the goals' own wording is understood here.

        Raises:
            WorldError: the text is not one.
        """
        wanted = text.strip().casefold()
        for moment in self._seen():
            for one in moment:
                if self.goal([one]).text.casefold().rstrip(".") == wanted.rstrip("."):
                    return self.goal([one])
        raise WorldError(f"{text!r} cannot be read", where="task")


def _predicate(fact: Fact) -> Predicate:
    if fact.relation == "STATE":
        return f"STATE:{fact.object}", fact.subject, None
    return fact.relation, fact.subject, fact.object


def _text_order(predicate: Predicate) -> tuple[str, ...]:
    return tuple(part or "" for part in predicate)


def _statement(predicate: Predicate) -> str:
    name, subject, target = predicate
    if target is None:
        return f"{subject} is {name.removeprefix('STATE:')}"
    return f"{subject} {'holds' if name == 'HOLDS' else f'is {name}'.lower()} {target}"
