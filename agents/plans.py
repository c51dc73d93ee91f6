"""What planners share: which names matter to a goal, and plans without needless steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from worldschool.envs import World
from worldschool.records import Goal, Snapshot


class GoalNames:
    """Weighs actions by how many names in them matter to a goal.

    These are the entities that the goal names, and at the search's start whatever contains them (the cupboard that the
    cup is in, the room of the cupboard).
    """

    def __init__(self, world: World, goal: Goal, focus: float) -> None:
        self._focus = focus
        self._names = _with_containers(world, _named(world, goal))
        # Longest first, so that "apple 2" is not read as "apple".
        known = sorted((entity.name for entity in world.entities()), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)")
        self._weights: dict[str, float] = {}

    def weight(self, action: str) -> float:
        """Return focus ** (number of different names in `action` that matter), at least 1."""
        found = self._weights.get(action)
        if found is None:
            matter = self._names.intersection(self._pattern.findall(action))
            found = self._weights[action] = float(self._focus ** len(matter))
        return found


def _named(world: World, goal: Goal) -> set[str]:
    """Return the entities a goal speaks of; `class:apple` stands for all of its class."""
    arguments = {part for _, *parts in goal.predicates for part in parts if part is not None}
    return {
        entity.name
        for entity in world.entities()
        if entity.name in arguments or f"class:{entity.class_}" in arguments
    }


def _with_containers(world: World, names: set[str]) -> set[str]:
    containers: dict[str, str] = {}
    for fact in world.facts():
        if fact.relation == "HOLDS":
            containers[fact.object] = fact.subject
        elif fact.relation != "STATE":
            containers[fact.subject] = fact.object
    found: set[str] = set()
    for name in names:
        place: str | None = name
        while place is not None and place not in found:
            found.add(place)
            place = containers.get(place)
    return found


def shorten(world: World, goal: Goal, start: Snapshot, actions: Sequence[str]) -> tuple[str, ...] | None:
    """Leave out of a plan every step and every run of steps that the goal does not need.

    Args:
        world: the world to replay in; where it stands afterwards is not defined.
        goal: what the plan reaches.
        start: where the plan begins.
        actions: the plan.

    Returns:
        The plan, or None if replaying `actions` does not reach the goal.
    """
    trial = replay(world, goal, start, actions)
    if trial is None:
        return None
    plan, states = trial
    halves = [len(plan) >> shift for shift in range(1, len(plan).bit_length())]
    # Halving sizes first: they cut a long random plan down cheaply. Then every size, until nothing more can go.
    for every_size in (False, True):
        changed = True
        while changed:
            changed = False
            sizes = range(len(plan) - 1, 0, -1) if every_size else halves
            for begin, end in _blocks(len(plan), sizes):
                shorter = replay(world, goal, states[begin], plan[end:])
                if shorter is not None:
                    plan, states = plan[:begin] + shorter[0], states[:begin] + shorter[1]
                    changed = True
                    break
    return tuple(plan)


def _blocks(length: int, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    for size in sizes:
        for begin in range(length - size + 1):
            yield begin, begin + size


def replay(
    world: World, goal: Goal, start: Snapshot, actions: Sequence[str]
) -> tuple[list[str], list[Snapshot]] | None:
    """Take `actions` from `start`: the steps up to the goal and the state before each, or None without the goal."""
    world.restore(start)
    states: list[Snapshot] = []
    for done, action in enumerate(actions, start=1):
        states.append(world.snapshot())
        _, _, terminated, truncated, info = world.step(action)
        if info["error"] is not None:
            return None  # one of the steps left out was needed for this one
        if all(world.satisfied(goal)):
            return list(actions[:done]), states
        if terminated or truncated:
            return None
    return None
