"""Plans that an episode holds: the one for its goal, and one for everything that was brought about on the way.

Any run of steps that makes a predicate true is a plan for it. What is not needed is left out by executing: a plan here
was lived again from the episode's start and reaches its goal, and without any step or run of steps it does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from worldschool.agents.plans import shorten
from worldschool.envs import world_class
from worldschool.experience.builders.activities import of_another_split
from worldschool.experience.builders.base import Skipped
from worldschool.experience.builders.describing import touched
from worldschool.experience.builders.latest import Latest
from worldschool.experience.builders.reliving import CHANGED, Relived, relive
from worldschool.experience.builders.story import characters_of
from worldschool.experience.tracker import Tracker
from worldschool.records import Episode, Event, Fact, Goal

SEVERAL = Skipped("several characters act, so no step stands alone")
NO_PLAN = Skipped("nothing was brought about by a plan of a fitting length")
LONGEST_LIVED = 60
"""Episodes with more steps give no sub-goals: shortening tries steps and runs of steps, which grows with the square."""


@dataclass(frozen=True)
class LivedPlan:
    """A plan from an episode's start.

    Attributes:
        task: what is to be done, an English sentence.
        goal: what is true at the end.
        actions: none of them can be left out.
        names: the things and pieces of furniture that it touches.
        kind: "goal" for the episode's own goal, "subgoal" for what else was brought about.
    """

    task: str
    goal: Goal
    actions: tuple[str, ...]
    names: frozenset[str]
    kind: str


def start_of(episode: Episode) -> dict[str, object]:
    """Return where an episode began, as plain JSON values: what it takes to carry a plan out without its dataset."""
    return {"world": episode.world, "world_config": episode.world_config, "seed": episode.seed}


_latest: Latest[tuple[LivedPlan, ...] | Skipped] = Latest()


def lived_plans(episode: Episode, subgoals: int) -> tuple[LivedPlan, ...] | Skipped:
    """Return the plans of an episode, its goal's first, or why there is none.

    Args:
        episode: of one character, in a world that can be lived again.
        subgoals: at most so many plans beside the goal's; which ones depends on the episode alone.
    """
    return _latest.get(episode, subgoals, lambda: _lived_plans(episode, subgoals))


def _lived_plans(episode: Episode, subgoals: int) -> tuple[LivedPlan, ...] | Skipped:
    if len(characters_of(episode)) > 1:
        return SEVERAL
    if not any(event.succeeded for event in episode.events):
        return NO_PLAN
    relived = relive(episode)
    if relived is None:
        return CHANGED
    found = [*_goal_plan(episode, relived)]
    known = {plan.goal.key for plan in found}
    wanted = subgoals + len(found)
    if episode.length <= LONGEST_LIVED:
        for subgoal, at in _brought_about(episode, relived):
            if len(found) == wanted:
                break
            if (
                subgoal.key not in known
                and (plan := _subgoal_plan(episode, relived, subgoal, at)) is not None
            ):
                known.add(subgoal.key)
                found.append(plan)
    return tuple(found) or NO_PLAN


def _goal_plan(episode: Episode, relived: Relived) -> Iterator[LivedPlan]:
    goal = Goal(episode.goal, tuple(tuple(one) for one in json.loads(episode.goal_predicates)))
    if not episode.success or not goal.predicates or of_another_split(episode):
        return
    done = [step.action for step in episode.steps if step.events and step.events[0].succeeded]
    actions = shorten(relived.world, goal, relived.start, done)
    if actions:
        yield LivedPlan(episode.goal, goal, actions, _names(episode, relived, actions), "goal")


def _subgoal_plan(episode: Episode, relived: Relived, goal: Goal, at: int) -> LivedPlan | None:
    """Return the plan for what step `at` brought about, shortened; the steps about its things are tried first."""
    event = episode.steps[at].events[0]
    world = world_class(episode.world)
    last = episode.steps[at].action
    for done in (_about(episode, relived, event, at), _succeeded(episode, at)):
        actions = shorten(relived.world, goal, relived.start, done)
        if actions is None:
            continue
        if actions[-1] != last:  # something else did it too: the last step would not tell the task
            return None
        names = _names(episode, relived, actions)
        return LivedPlan(world.narrate_action(last), goal, actions, names, "subgoal")
    return None


def _brought_about(episode: Episode, relived: Relived) -> list[tuple[Goal, int]]:
    """Return what single steps made true that did not hold at the start; kinds take turns, inside one at random."""
    rooms = {entity.name for entity in episode.entities if entity.class_ == "room"}
    started = set(relived.facts[0])
    by_kind: dict[str, list[tuple[Goal, int]]] = {}
    for at, step in enumerate(episode.steps):
        event = step.events[0] if step.events else None
        if event is None or not event.succeeded or event.verb == "walk" or event.object is None:
            continue
        before = set(relived.facts[at])
        for fact in relived.facts[at + 1]:
            if fact in before or fact in started or event.object not in (fact.subject, fact.object):
                continue
            if fact.relation != "AT" and fact.object not in rooms:
                by_kind.setdefault(fact.relation, []).append((Goal("", (_predicate(fact),)), at))
    rng = Random(f"subgoals:{episode.episode_id}")
    for kind in sorted(by_kind):
        rng.shuffle(by_kind[kind])
    longest = max(map(len, by_kind.values()), default=0)
    return [
        found[turn] for turn in range(longest) for _, found in sorted(by_kind.items()) if turn < len(found)
    ]


def _predicate(fact: Fact) -> tuple[str, str, str | None]:
    if fact.relation == "STATE":
        return f"STATE:{fact.object}", fact.subject, None
    return fact.relation, fact.subject, fact.object


def _about(episode: Episode, relived: Relived, event: Event, at: int) -> list[str]:
    """Return the succeeded actions up to step `at` about what it is about, and what that was in at the start."""
    start = Tracker(relived.facts[0])
    names = {name for name in (event.object, event.target) if name}
    names |= {link for name in tuple(names) for link in start.chain(name)[:-1]}
    names.discard(event.actor)
    return [
        step.action
        for step in episode.steps[: at + 1]
        if step.events
        and step.events[0].succeeded
        and names.intersection({step.events[0].object, step.events[0].target})
    ]


def _succeeded(episode: Episode, at: int) -> list[str]:
    return [step.action for step in episode.steps[: at + 1] if step.events and step.events[0].succeeded]


def _names(episode: Episode, relived: Relived, actions: Sequence[str]) -> frozenset[str]:
    relived.world.restore(relived.start)
    events: list[Event] = []
    for action in actions:
        relived.world.step(action)
        events += relived.world.events()
    return frozenset(touched(episode, events))
