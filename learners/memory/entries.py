"""What a memory holds: entries, and how an episode is told as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from worldschool.canonical import canonical_json
from worldschool.records import Episode, Step

Kind: TypeAlias = Literal["trajectory", "skill", "insight"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NAMES_IN_KEY = 8


@dataclass(frozen=True)
class Entry:
    """One thing remembered.

    Attributes:
        id: unique in its memory and made from the content, so that the same thing is not kept twice.
        key: the text it is found by.
        body: the text that is read when it was found.
        goal: the English goal, "" where there was none.
        success: whether the goal was reached; None where that makes no sense.
        value: the return of an episode, the worth of a skill; None if unknown.
        retrieved: how often a search returned it.
        used: how often it was acted on; `succeeded` of these times with success.
        superseded_by: the id of the entry that replaced it; a replaced entry is kept but not found.
        created_index: its place in the order of adding, from 0; -1 before it is added.
        provenance: JSON: where it came from (episode_id, agent, split, ...).
    """

    id: str
    kind: Kind
    key: str
    body: str
    world: str
    goal: str = ""
    success: bool | None = None
    value: float | None = None
    retrieved: int = 0
    used: int = 0
    succeeded: int = 0
    superseded_by: str | None = None
    created_index: int = -1
    provenance: str = "{}"


class Filter(NamedTuple):
    """Which entries a search may return; None: whatever it is."""

    kind: Kind | None = None
    world: str | None = None
    success: bool | None = None


class Change(NamedTuple):
    """What became of an entry.

    Attributes:
        what: "superseded", "merged", "faded", "restored" or "valued" (given another value).
        by: the id of the entry that stands for it now, if one does.
        reason: why, in words.
    """

    what: str
    by: str | None
    reason: str


class Recalled(NamedTuple):
    """An entry that a search found, and the cosine of its key with the query, -1 to 1."""

    entry: Entry
    score: float


def trajectory_entries(episode: Episode, window: int | None = None) -> list[Entry]:
    """Tell an episode as entries: as a whole, or in windows of so many actions that begin half a window apart.

    A window is found by what happened in it beside the episode's goal, and tells what was seen when it began.

    Raises:
        ValueError: `window` is less than 2.
    """
    if window is None or len(episode.steps) <= window:
        return [trajectory_entry(episode)]
    if window < 2:
        raise ValueError(f"window must be at least 2, received {window}")
    whole = trajectory_entry(episode)
    found = []
    for first in range(0, len(episode.steps) - window // 2, window // 2):
        steps = episode.steps[first : first + window]
        seen = episode.steps[first - 1].observation if first else episode.initial_observation
        part = replace(episode, steps=steps, initial_observation=seen)
        key = _what_happened(part)
        goal = episode.goal.strip()
        found.append(
            replace(
                whole,
                id=f"{whole.id}:{first}-{first + len(steps)}",
                key=f"{goal} ({key})" if goal else key,
                body=_told(part, first, len(episode.steps)),
            )
        )
    return found


def trajectory_entry(episode: Episode) -> Entry:
    """Tell an episode as an entry: the key is its goal, or a short description where it had none."""
    provenance: dict[str, Any] = {
        "episode_id": episode.episode_id,
        "world_version": episode.world_version,
        "agent": episode.agent,
        "split": episode.split,
        "seed": episode.seed,
        "goal_predicates": episode.goal_predicates,
        "activity": episode.activity,
    }
    return Entry(
        id=f"trajectory:{episode.episode_id}",
        kind="trajectory",
        key=episode.goal.strip() or _what_happened(episode),
        body=_told(episode),
        world=episode.world,
        goal=episode.goal,
        success=episode.success if episode.goal.strip() else None,
        value=episode.return_,
        provenance=canonical_json(provenance),
    )


def _what_happened(episode: Episode) -> str:
    """Describe a goal-less episode by who acted and where: "what happened with Mary and Ann in kitchen, garage"."""
    events = episode.events
    who = _distinct(event.actor for event in events)
    walks = [event for event in events if event.relation == "AT"]
    places = _distinct(place for walk in walks for place in (walk.source, walk.target) if place)
    objects = _distinct(event.object for event in events if event.object and event not in walks)
    text = "what happened"
    if who:
        text += f" with {_listed(who)}"
    if places:
        text += f" in {', '.join(places)}"
    elif objects:
        text += f" to {', '.join(objects)}"
    return text if events else f"{text} in {episode.world}"


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))[:NAMES_IN_KEY]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _told(episode: Episode, first: int = 0, of: int | None = None) -> str:
    """Tell an episode, or its steps from `first` on, of so many."""
    has_goal = bool(episode.goal.strip())
    lines = [f"Goal: {episode.goal.strip()}"] if has_goal else []
    lines.append(f"{'Before' if first else 'At first'}: {episode.initial_observation.strip()}")
    for number, step in enumerate(episode.steps, start=first + 1):
        lines.append(f"{number}. {step.action}{_failure(step)}")
        # Without a goal, what was seen is what there is to remember; with one, the actions are the recipe.
        if not has_goal and step.observation.strip():
            lines.append(f"   {step.observation.strip()}")
    if of is not None and first + len(episode.steps) < of:
        lines.append(f"Outcome: it went on, for {of - first - len(episode.steps)} more actions.")
    else:
        lines.append(f"Outcome: {_outcome(episode, has_goal, of)}.")
    return "\n".join(lines)


def _failure(step: Step) -> str:
    return " (failed)" if step.events and not any(event.succeeded for event in step.events) else ""


def _outcome(episode: Episode, has_goal: bool, of: int | None = None) -> str:
    count = len(episode.steps) if of is None else of
    actions = "1 action" if count == 1 else f"{count} actions"
    if episode.error:
        return f"the episode broke off after {actions}: {episode.error.strip().rstrip('.')}"
    if not has_goal:
        return f"the episode ended after {actions}"
    if episode.success:
        return f"the goal was reached with {actions}"
    return f"the goal was not reached with {actions}"
