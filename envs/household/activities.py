"""Everyday activities in a house: which it offers, and what exactly is to be done there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import NamedTuple, TypeAlias

from worldschool.envs.household.activity_rows import ACTIVITIES, SORTS, Activity, Role
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.goals import all_hold, from_rows, holds
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.state import View
from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS
from worldschool.envs.household.words.missions import activity_instruction
from worldschool.envs.household.words.wordings import Choose, plainly
from worldschool.records import Goal, Predicate
from worldschool.splits import split_of_activity

Bound: TypeAlias = dict[str, tuple[str, ...]]
"""Role to the entities that play it."""

ME = "me"


def draw_goal(
    config: HouseholdConfig, engine: Engine, actor: str, size: int, rng: Random
) -> tuple[str | None, Goal]:
    """Return a goal as the settings ask for it, with the name of the activity it is from, if it is from one.

    Args:
        config: `goal` "activity" asks for an activity that the house offers, "random" for a random goal, which is also
            drawn where the house offers none; `wording` "varied" words it by `rng`.
        engine: the house and its state.
        actor: who is to reach it.
        size: how many predicates a random goal has, where the house has so many.
        rng: draws the activity; a random goal is drawn by the engine's own generator.
    """
    choose: Choose = rng.choice if config.wording == "varied" else plainly
    if config.goal == "activity":
        drawn = draw_activity(engine.premises, engine.view, actor, rng, choose)
        if drawn is not None:
            return drawn
    return None, from_rows(engine.premises.house, engine.draw_goal(size), actor, choose)


def draw_activity(
    premises: Premises, view: View, actor: str, rng: Random, choose: Choose = plainly
) -> tuple[str, Goal] | None:
    """Return an activity that a house offers and that is not done yet, as its name and a goal; None if there is none.

    Activities are split by name (`splits.split_of_activity`): a house offers those of its own split.

    Args:
        premises: the house.
        view: the state now.
        actor: who is to do it.
        rng: draws the activity and what it is done with.
        choose: picks the wordings of the goal.
    """
    # Weighted, without putting back (Efraimidis and Spirakis 2006).
    offered = [
        activity for activity in ACTIVITIES if split_of_activity(activity.name) == premises.house.split
    ]
    order = sorted(offered, key=lambda activity: rng.random() ** (1 / activity.weight), reverse=True)
    for activity in order:
        predicates = instantiate(premises, activity, actor, rng, view)
        goal = Goal("", predicates or ())
        if goal.predicates and not all_hold(view, goal):
            name = choose(activity.names)
            text = activity_instruction(name, goal.predicates, actor, choose)
            return activity.name, Goal(text, goal.predicates)
    return None


def instantiate(
    premises: Premises, activity: Activity, actor: str, rng: Random, view: View | None = None
) -> tuple[Predicate, ...] | None:
    """Return an activity's conditions about things of a house, or None if the house has not what it takes.

    Every condition is one that some action of this house brings about.

    Args:
        premises: the house.
        activity: a row of `ACTIVITIES`.
        actor: who is to do it.
        rng: draws the things.
        view: the state; with it, of several things those are taken that are not yet as they are to be.
    """
    stage = _Stage(premises, activity, rng, view)
    bound = next(stage.bindings({ME: (actor,)}, list(activity.roles)), None)
    return None if bound is None else tuple(_bound_conditions(activity, bound))


class _Stage(NamedTuple):
    """One activity looking for what it takes."""

    premises: Premises
    activity: Activity
    rng: Random
    view: View | None

    def bindings(self, bound: Bound, roles: list[str]) -> Iterator[Bound]:
        """Yield the ways to fill the roles that are left: each of a single one, and of several some that are fit."""
        if not roles:
            yield bound
            return
        name, rest = roles[0], roles[1:]
        role = self.activity.roles[name]
        found = [one for one in _candidates(self.premises, role, bound) if self._is_fit(name, one, bound)]
        self.rng.shuffle(found)
        if role.most == 1:
            for one in found:
                yield from self.bindings({**bound, name: (one,)}, rest)
        elif len(found) >= role.least:
            count = self.rng.randint(role.least, min(role.most, len(found)))
            yield from self.bindings({**bound, name: tuple(found[:count])}, rest)

    def _is_fit(self, name: str, one: str, bound: Bound) -> bool:
        """Return whether the conditions about an entity in a role, as far as others are filled, can be brought about."""
        conditions = [
            each for each in _bound_conditions(self.activity, {**bound, name: (one,)}) if one in each[1:]
        ]
        several = self.activity.roles[name].most > 1
        if several and self.view is not None and all(holds(self.view, each) for each in conditions):
            return False
        return all(_is_possible(self.premises, each, bound) for each in conditions)


def _candidates(premises: Premises, role: Role, bound: Bound) -> list[str]:
    house = premises.house
    taken = {name for names in bound.values() for name in names}
    of = classes_of(role.of)
    found = [
        name
        for name in house.names
        if name not in taken and (name if house.kind_of[name] == "room" else house.class_of[name]) in of
    ]
    if not role.near:
        return found
    rooms = {name: room for name, _, room in house.furniture}
    (near,) = bound[role.near]
    return [name for name in found if rooms.get(name) == rooms.get(near, near)]


@lru_cache(maxsize=256)
def classes_of(of: str) -> frozenset[str]:
    """Return the classes of sorts and classes that are parted by commas."""
    found: set[str] = set()
    for part in of.split(", "):
        if part in SORTS:
            found |= classes_of(SORTS[part])
        elif part.split()[0].isupper():
            found |= _with_property(*part.partition(" ")[::2])
        else:
            found.add(part)
    return frozenset(found)


def _with_property(property_: str, which: str) -> set[str]:
    if which == "furniture":
        return {name for name, row in FURNITURE.items() if property_ in row.properties}
    return {
        name for name, row in OBJECTS.items() if property_ in row.properties and (not which or row.washable)
    }


def _bound_conditions(activity: Activity, bound: Bound) -> Iterator[Predicate]:
    """Yield the conditions about the entities that play the roles; of several each."""
    for condition in activity.conditions:
        name, *roles = condition.split()
        if all(role in bound for role in roles):
            for subject in bound[roles[0]]:
                for target in bound[roles[1]] if len(roles) == 2 else (None,):
                    yield name, subject, target


def _is_possible(premises: Premises, predicate: Predicate, bound: Bound) -> bool:
    """Return whether some action of this house brings a predicate about."""
    name, subject, target = predicate
    if target == bound[ME][0]:
        actions = [f"wear {subject}"]
    elif subject == bound[ME][0]:
        actions = {
            "ON": [f"sit on {target}", f"lie on {target}"],
            "HOLDS": [f"grab {target}"],
            "AT": [f"walk to {target}"],
        }.get(name, ["stand up"])
    else:
        actions = [action.format(subject, target) for action in _BRINGING_ABOUT[name]]
    return any(action in premises.by_text for action in actions)


_BRINGING_ABOUT: dict[str, tuple[str, ...]] = {
    "ON": ("put {} on {}",),
    "INSIDE": ("put {} in {}",),
    "STATE:open": ("open {}",),
    "STATE:closed": ("close {}",),
    "STATE:on": ("switch on {}",),
    "STATE:off": ("switch off {}",),
    "STATE:plugged_in": ("plug in {}",),
    "STATE:clean": ("wash {}", "wipe {}"),
}
