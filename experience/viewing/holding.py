"""Which predicates of a goal hold after each step, worked out from an episode's initial facts and events alone.

This is for episodes that cannot be executed again. What a thing is ON, INSIDE, held by or AT follows from events; its
states do not, so a STATE predicate is unknown from the first event that touches its subject.
"""

from __future__ import annotations

import json
from typing import TypeAlias

from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Fact, Goal, Predicate

Held: TypeAlias = tuple[bool | None, ...]
"""For each predicate of a goal, in order: holds, does not, or is not known."""
CLASS, STATE = "class:", "STATE:"


def goal_of(episode: Episode) -> Goal:
    """Return an episode's goal as a record.

    Raises:
        ValueError, TypeError: the predicates are no list of [name, subject, object or null].
    """
    rows = json.loads(episode.goal_predicates or "[]")
    if not isinstance(rows, list):
        raise TypeError("the goal's predicates are no list")
    predicates: list[Predicate] = []
    for row in rows:
        name, subject, target = row
        if not (isinstance(name, str) and isinstance(subject, str) and isinstance(target, str | None)):
            raise TypeError("a predicate of the goal is not [name, subject, object or null]")
        predicates.append((name, subject, target))
    return Goal(episode.goal, tuple(predicates))


def held_by_events(episode: Episode, goal: Goal) -> list[Held]:
    """Return what holds at the start and after each step: length + 1 rows, one value a predicate."""
    following = _Following(episode)
    rows = [following.held(goal)]
    for step in episode.steps:
        for event in step.events:
            following.tracker.apply(event)
            if event.succeeded and event.object is not None:
                following.touched.add(event.object)
        rows.append(following.held(goal))
    return rows


class _Following:
    """An episode's facts, followed through its events."""

    def __init__(self, episode: Episode) -> None:
        self.tracker = Tracker(episode.initial_facts)
        self.touched: set[str] = set()
        self._classes = episode.classes
        self._states = {fact for fact in episode.initial_facts if fact.relation == "STATE"}

    def held(self, goal: Goal) -> Held:
        return tuple(self._holds(*predicate) for predicate in goal.predicates)

    def _holds(self, name: str, subject: str, target: str | None) -> bool | None:
        subjects, targets = self._members(subject), self._members(target or "")
        if name.startswith(STATE):
            if self.touched & set(subjects):
                return None
            word = name.removeprefix(STATE)
            return any(Fact(one, "STATE", word) in self._states for one in subjects)
        if name == "HOLDS":
            return any(self.tracker.place(thing) == ("HOLDS", one) for thing in targets for one in subjects)
        if name == "ON":
            return any(self.tracker.place(one) == ("ON", place) for one in subjects for place in targets)
        if name in ("INSIDE", "AT"):
            return any(self._is_inside(one, targets) for one in subjects)
        return None

    def _members(self, argument: str) -> list[str]:
        if argument.startswith(CLASS):
            wanted = argument.removeprefix(CLASS)
            return [name for name, class_ in self._classes.items() if class_ == wanted]
        return [argument]

    def _is_inside(self, name: str, targets: list[str]) -> bool:
        """Return whether something is in one of `targets`, or in a room that is one, through all that holds it."""
        seen: set[str] = set()
        while (place := self.tracker.place(name)) is not None and name not in seen:
            seen.add(name)  # facts from a file may go round in a circle
            relation, holder = place
            if relation in ("INSIDE", "AT") and holder in targets:
                return True
            name = holder
        return name in targets and name not in seen
