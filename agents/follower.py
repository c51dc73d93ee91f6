"""A scripted agent that follows recalled plans: what a memory is worth, without a language model's own skill.

A plan was for another goal: names of its goal are exchanged for those of the present one, predicate by predicate, and a step that
cannot be done is replaced by the legal action that does the same here, or left out. Where no plan is left, it explores.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any

from pydantic import Field

from worldschool.agents.language.config import RecallSettings
from worldschool.agents.language.recall import Note, Recall, make_recall
from worldschool.agents.skills.patterns import name_pattern
from worldschool.config import Config
from worldschool.envs import World
from worldschool.records import Goal, Predicate

BRACKETED = re.compile(r"(?P<head>\w+)\[(?P<what>.*)\]", re.DOTALL)
PRODUCT = re.compile(r"b0\w{8}", re.IGNORECASE)


class FollowerConfig(Config):
    """Settings of the follower."""

    recall: RecallSettings | None = None
    """Where plans come from; null: from nowhere, it explores."""
    focus: float = Field(default=0.5, ge=0, le=1)
    """Exploring, how often an action is drawn among those that name something of the goal, where there are any."""


class FollowerAgent:
    """Follows plans, the best first.

    Args:
        config: see `FollowerConfig`.
        world: the one to act in.
        seed: of what is drawn.
        recall: instead of what the settings name.

    Attributes:
        notes: what was recalled for this episode.
        followed: of these, those that an action was taken from.
    """

    def __init__(
        self, config: FollowerConfig, world: World, seed: int, *, recall: Recall | None = None
    ) -> None:
        self._config, self._world = config, world
        self._random = Random(seed)
        self._recall = recall or (make_recall(config.recall) if config.recall is not None else None)
        self.notes: Sequence[Note] = ()
        self.followed: list[Note] = []
        self._goal = Goal("")
        self._steps: list[tuple[Note, str]] | None = None
        self._done: set[str] = set()

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode; plans are recalled when the first observation is there."""
        self._goal, self._steps, self.notes = goal, None, ()
        self.followed, self._done = [], set()

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the next step of a plan that can be done, or one drawn; None if nothing can be done."""
        legal = info.get("legal_actions")
        actions: list[str] = self._world.legal_actions() if legal is None else legal
        if not actions:
            return None
        if self._steps is None:
            self._steps = self._recalled(observation)
        while self._steps:
            note, step = self._steps.pop(0)
            found = fitting(step, actions, self._goal.text, observation, self._done)
            if found is not None:
                if note not in self.followed:
                    self.followed.append(note)
                self._done.add(found)
                return found
        return self._explored(actions)

    def notice(self, observation: str, info: dict[str, Any], action: str) -> None:
        """Take a step that was chosen for it as done, once, in the plan that it follows."""
        if self._steps is None:
            self._steps = self._recalled(observation)
        place = next((place for place, (_, step) in enumerate(self._steps) if step == action), None)
        if place is not None:
            del self._steps[place]
        self._done.add(action)

    def _recalled(self, observation: str) -> list[tuple[Note, str]]:
        if self._recall is None:
            return []
        found = self._recall.recall(self._goal.text, observation, self._world.world_id)
        self.notes = [note for note in found if note.plan and note.success is not False]
        return [(note, step) for note in self.notes for step in adapted(note, self._goal.predicates)]

    def _explored(self, actions: Sequence[str]) -> str:
        names = {part for _, *parts in self._goal.predicates for part in parts if part is not None}
        named = [action for action in actions if any(name in action for name in names)]
        if named and self._random.random() < self._config.focus:
            return self._random.choice(named)
        return self._random.choice(list(actions))


def adapted(note: Note, goal: Sequence[Predicate]) -> list[str]:
    """Return a note's plan about the things of another goal.

    Each predicate of the goal is given the first of the note's that is of its relation and was not given away; the names of the one stand
    for those of the other.
    """
    left = list(note.goal)
    exchanged: dict[str, str] = {}
    for relation, *parts in goal:
        other = next((one for one in left if one[0] == relation), None)
        if other is not None:
            left.remove(other)
            for theirs, ours in zip(other[1:], parts, strict=True):
                if theirs is not None and ours is not None:
                    exchanged.setdefault(theirs, ours)
    if not exchanged:
        return list(note.plan)
    names = name_pattern(exchanged)
    return [names.sub(lambda found: exchanged[found.group()], step) for step in note.plan]


def fitting(step: str, actions: Sequence[str], goal: str, observation: str, done: set[str]) -> str | None:
    """Return the legal action that does what a step of a plan says: itself, or on a web page the one that does the same there.

    A search is the one of the most words; a product is the first on the page; anything else that is clicked is something new that
    the goal names.
    """
    if step in actions:
        return step
    planned = BRACKETED.fullmatch(step)
    if planned is None:
        return None
    alike = [action for action in actions if action.startswith(f"{planned['head']}[")]
    if planned["head"] == "search":
        return max(alike, key=lambda action: len(action.split()), default=None)
    things = {action: action[len(planned["head"]) + 1 : -1] for action in alike}
    if PRODUCT.fullmatch(planned["what"]):
        page = observation.lower()
        shown = [
            action for action, what in things.items() if PRODUCT.fullmatch(what) and what.lower() in page
        ]
        return min(shown, key=lambda action: page.index(things[action].lower()), default=None)
    wanted = goal.lower()
    named = [
        action
        for action, what in things.items()
        if action not in done and re.search(rf"(?<!\w){re.escape(what.lower())}(?!\w)", wanted)
    ]
    return max(named, key=len, default=None)
