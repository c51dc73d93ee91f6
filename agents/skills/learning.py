"""What an episode teaches: it is lived again from its seed, and every part that reached something becomes a skill."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from worldschool.agents.plans import shorten
from worldschool.agents.skills.library import SkillLibrary
from worldschool.agents.skills.patterns import abstracted, make_skill, name_pattern
from worldschool.envs import World
from worldschool.records import Episode, Fact, Goal, Predicate, Skill, Snapshot

LONGEST = 16
"""Actions of the longest part that is made a skill."""
MOST_TOGETHER = 3
"""Predicates about the same things that are learned as one skill, beside each alone."""


@dataclass(frozen=True)
class Relived:
    """An episode lived again.

    Attributes:
        goal: what was to be reached.
        actions: what was done.
        states: the world before each action, and after the last.
        held: which predicates of the goal held in each of these states.
    """

    goal: Goal
    actions: tuple[str, ...]
    states: tuple[Snapshot, ...]
    held: tuple[tuple[bool, ...], ...]

    @property
    def missing(self) -> tuple[Predicate, ...]:
        """The predicates that did not hold at the end."""
        return tuple(one for one, holds in zip(self.goal.predicates, self.held[-1], strict=True) if not holds)

    def order(self) -> list[list[Predicate]]:
        """Return the predicates in the order in which they were reached for good, those of one time together.

        What held from the start until the end is left out, and what did not hold at the end.
        """
        since: dict[int, list[Predicate]] = {}
        for place, predicate in enumerate(self.goal.predicates):
            lacking = [time for time, held in enumerate(self.held) if not held[place]]
            if lacking and lacking[-1] < len(self.held) - 1:
                since.setdefault(lacking[-1], []).append(predicate)
        return [since[time] for time in sorted(since)]


def goal_of(episode: Episode) -> Goal:
    """Return an episode's goal."""
    rows = json.loads(episode.goal_predicates)
    return Goal(episode.goal, tuple((name, subject, target) for name, subject, target in rows))


def relive(world: World, episode: Episode) -> Relived:
    """Live an episode again in a world of its configuration; the world stands at its end afterwards.

    Raises:
        WorldError: the world, which may be of another version, has not what the goal names.
    """
    goal = goal_of(episode)
    world.reset(seed=episode.seed)
    world.set_goal(goal)
    states, held = [world.snapshot()], [world.satisfied(goal)]
    for step in episode.steps:
        _, _, terminated, truncated, _ = world.step(step.action)
        states.append(world.snapshot())
        held.append(world.satisfied(goal))
        if terminated or truncated:
            break
    actions = tuple(step.action for step in episode.steps)[: len(states) - 1]
    return Relived(goal, actions, tuple(states), tuple(held))


def skills_of(
    world: World, lived: Relived, library: SkillLibrary, kind: Callable[[str], str], episode_id: str
) -> list[Skill]:
    """Return the skills that a successful life shows, in the order in which they were used.

    Each predicate that came true is one, and so are those of up to `MOST_TOGETHER` that are about the same things (food
    in the oven, the oven closed, the oven on: their order matters). Its plan is what was done from when something else
    had last been reached until then, without the actions that it does not need. What held of the things in it when
    it began are its preconditions, until another episode shows that some of it is not needed (`library.merged`).

    Args:
        world: one in which `lived` was lived; where it stands afterwards is not defined.
        lived: a life that reached its goal.
        library: what is known already: parts that it has are not shortened again.
        kind: gives an entity's kind.
        episode_id: noted in the skills.
    """
    names = name_pattern(entity.name for entity in world.entities())
    found: list[Skill] = []
    for wanted, first, last in _parts(lived):
        if not 0 < last - first <= LONGEST:
            continue
        start = lived.states[first]
        world.restore(start)
        facts: tuple[Fact, ...] = world.facts()
        actions: tuple[str, ...] = lived.actions[first:last]
        occurrence = abstracted(wanted, actions, facts, names)
        if not library.has(occurrence.pattern):
            goal = Goal(lived.goal.text, wanted)
            short = shorten(world, goal, start, actions)
            if not short:
                continue  # others undid it meanwhile, or nothing needs to be done for it
            short = with_fewer_names(world, goal, start, short, names)
            occurrence = abstracted(wanted, short, facts, names)
        found.append(make_skill(occurrence, kind, episode_id))
    return found


def with_fewer_names(
    world: World, goal: Goal, start: Snapshot, actions: Sequence[str], names: re.Pattern[str]
) -> tuple[str, ...]:
    """Return a plan that names as few things beside its goal's as it can: each is replaced by one that it has to name.

    A search walks to whatever is beside the fridge and then opens the fridge. Such a plan is about a thing that another
    house has not; "walk to fridge" instead is tried out, and taken if the goal is still reached. `world` stands anywhere
    afterwards.
    """
    plan = tuple(actions)
    asked = dict.fromkeys(part for _, *parts in goal.predicates for part in parts if part is not None)
    for name in dict.fromkeys(found for action in actions for found in names.findall(action)):
        for other in asked if name not in asked else ():
            exchanged = {name: other}
            changed = tuple(_renamed(action, names, exchanged) for action in plan)
            if reaches(world, goal, start, changed):
                plan = changed
                break
    return plan


def _renamed(action: str, names: re.Pattern[str], exchanged: Mapping[str, str]) -> str:
    return names.sub(lambda found: exchanged.get(found.group(), found.group()), action)


def reaches(world: World, goal: Goal, start: Snapshot, actions: Sequence[str]) -> bool:
    """Return whether actions from `start` all succeed and reach a goal; `world` stands where they led."""
    world.restore(start)
    for action in actions:
        _, _, terminated, truncated, info = world.step(action)
        if info["error"] is not None:
            return False
        if terminated or truncated:
            break
    return bool(goal.predicates) and all(world.satisfied(goal))


def _parts(lived: Relived) -> Iterator[tuple[tuple[Predicate, ...], int, int]]:
    """Yield (predicates, first state, last state): what came true, from when, until when; in order of the last."""
    reached: list[tuple[int, Predicate]] = []
    for place, predicate in enumerate(lived.goal.predicates):
        times = [time for time, held in enumerate(lived.held) if held[place]]
        if times and times[0] > 0:
            reached.append((times[0], predicate))
    reached.sort()
    for number, (last, predicate) in enumerate(reached):
        earlier = [time for time, _ in reached[:number] if time < last]
        yield (predicate,), max(earlier, default=0), last
    for group in _together([predicate for _, predicate in reached]):
        times = [time for time, predicate in reached if predicate in group]
        earlier = [time for time, predicate in reached if predicate not in group and time < times[0]]
        together = [t for t in range(times[-1], len(lived.held)) if _all_held(lived, t, group)]
        if together:
            yield group, max(earlier, default=0), together[0]


def _all_held(lived: Relived, time: int, group: Sequence[Predicate]) -> bool:
    held = dict(zip(lived.goal.predicates, lived.held[time], strict=True))
    return all(held[predicate] for predicate in group)


def _together(predicates: Sequence[Predicate]) -> list[tuple[Predicate, ...]]:
    """Return groups of 2 to `MOST_TOGETHER` predicates that are linked by the things they are about, sorted.

    A link is a thing that one predicate moves or sets and another is about. Who holds a thing is no link: that would be
    in every goal.
    """
    groups: list[set[Predicate]] = []
    for predicate in predicates:
        linked = [group for group in groups if any(are_linked(predicate, other) for other in group)]
        groups = [group for group in groups if group not in linked]
        groups.append({predicate}.union(*linked))
    chosen = [group for group in groups if 2 <= len(group) <= MOST_TOGETHER]
    return [tuple(sorted(group, key=lambda one: tuple(part or "" for part in one))) for group in chosen]


def are_linked(one: Predicate, other: Predicate) -> bool:
    """Return whether one of two predicates is about a thing that the other moves or sets."""
    return _set_by(one) in _about(other) or _set_by(other) in _about(one)


def _about(predicate: Predicate) -> tuple[str | None, ...]:
    name, subject, target = predicate
    return (target,) if name == "HOLDS" else (subject, target)


def _set_by(predicate: Predicate) -> str | None:
    name, subject, target = predicate
    return target if name == "HOLDS" else subject
