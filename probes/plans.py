"""Plans that models wrote, executed in the world they are about.

A plan's sentences are read as actions, and done from the start that its question describes until one cannot be done. Two
things are told of it: could it be done (VirtualHome's executability: Puig et al. 2018; Huang et al. 2022, "Language Models
as Zero-Shot Planners"), and does the goal hold where it ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from worldschool.envs import World, world_class
from worldschool.errors import UserError, WorldError
from worldschool.experience.builders.reliving import kept_world
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json
from worldschool.probes.paths import find_from
from worldschool.progress import Advance, silent
from worldschool.records import Example, Goal

PLAN_TASKS = ("plan_generation", "plan_generation_confusing", "shopping_plan")
"""Tasks whose answers are plans in a world of ours."""


@dataclass(frozen=True)
class Start:
    """Where a plan begins, and what it is to reach.

    Attributes:
        world: the registered id.
        config: its configuration, JSON.
        seed: what it is reset with.
        goal: what is to hold at the end.
    """

    world: str
    config: str
    seed: int
    goal: Goal


@dataclass(frozen=True)
class Execution:
    """What became of a plan.

    Attributes:
        steps: how many sentences it has.
        done: how many were done before the first that could not be.
        success: whether the goal holds where it ended.
        problem: why the first that could not be done could not; None if all could.
    """

    steps: int
    done: int
    success: bool
    problem: str | None = None

    @property
    def executable(self) -> bool:
        """Whether there is a step, and every step could be done."""
        return self.steps > 0 and self.done == self.steps

    @property
    def share(self) -> float:
        """Which share of the steps could be done until the first that could not; 0 of an empty plan."""
        return self.done / self.steps if self.steps else 0.0


def starts_of(items: Sequence[Example], examples: Sequence[Path] = ()) -> dict[str, Start]:
    """Return where plans begin, by item id; items of which that is not known are left out.

    An item says so itself (`meta`: start, goal_predicates), or its episode does: the datasets that a file of examples was
    built from are named in the `run.json` beside it.

    Args:
        items: of tasks of any kind; those that are no plan tasks are left out.
        examples: the files of examples, or the directories that they are in.
    """
    plans = [one for one in items if one.task in PLAN_TASKS]
    found = {one.example_id: start for one in plans if (start := _own_start(one)) is not None}
    left = [one for one in plans if one.example_id not in found]
    if left:
        datasets = list(dict.fromkeys(found for one in examples for found in _datasets(one)))
        episodes = _episodes({one.episode_id for one in left}, datasets)
        for one in left:
            row = episodes.get(one.episode_id)
            if row is not None:
                predicates = json.loads(one.meta).get("goal_predicates") or json.loads(row["goal_predicates"])
                goal = _goal(row["goal"], predicates)
                found[one.example_id] = Start(row["world"], row["world_config"], int(row["seed"]), goal)
    return found


def _own_start(item: Example) -> Start | None:
    """Return where an item says that it begins; None where it does not say so, or not in a form that can be used."""
    meta = json.loads(item.meta)
    start, predicates = meta.get("start"), meta.get("goal_predicates")
    if not isinstance(start, dict) or not predicates:
        return None
    world, config, seed = (start.get(name) for name in ("world", "world_config", "seed"))
    if not isinstance(world, str) or not isinstance(config, str) or not isinstance(seed, int):
        return None
    return Start(world, config, seed, _goal("", predicates))


def _goal(text: str, predicates: Iterable[Sequence[str | None]]) -> Goal:
    return Goal(text, tuple((str(one[0]), str(one[1]), one[2]) for one in predicates))


def _datasets(examples: Path) -> list[Path]:
    """Return the datasets that examples were built from: paths from here, or from a folder above the examples."""
    record = (examples if examples.is_dir() else examples.parent) / "run.json"
    try:
        config = read_json(record, what="a run record").get("config") or {}
    except UserError:
        return []
    found = (find_from(str(one), record) for one in config.get("datasets") or ())
    return [one for one in found if one is not None and one.is_dir()]


def _episodes(wanted: set[str], datasets: Sequence[Path]) -> dict[str, Mapping[str, str]]:
    columns = ["episode_id", "world", "world_config", "seed", "goal", "goal_predicates"]
    found: dict[str, Mapping[str, str]] = {}
    for directory in datasets:
        try:
            for row in EpisodeStore.open(directory).rows(columns):
                if row["episode_id"] in wanted:
                    found.setdefault(row["episode_id"], row)
        except UserError:  # a dataset that was moved or changed since: its plans are not executed
            continue
    return found


def read_plan(world: str, text: str) -> list[str]:
    """Return a plan's sentences as actions of the world with this id (see `World.read_instructions`).

    Raises:
        WorldError: there is no such world.
    """
    return world_class(world).read_instructions(text)


def execute(text: str, start: Start) -> Execution:
    """Execute a plan.

    Args:
        text: its sentences.
        start: where it begins and what it is for.

    Raises:
        WorldError: there is no such world, or it cannot be made or begun like that.
    """
    world = _begun(start)
    actions = read_plan(start.world, text)
    done, problem, ended = 0, None, False
    for action in actions:
        if ended:
            problem = "the episode had ended"
            break
        _, _, terminated, truncated, info = world.step(action)
        if info["error"] is not None:
            problem = str(info["error"])
            break
        done += 1
        ended = terminated or truncated
    return Execution(len(actions), done, all(world.satisfied(start.goal)), problem)


def _begun(start: Start) -> World:
    try:
        world = kept_world(start.world, start.config)
    except ValueError as error:
        raise WorldError(f"the stored configuration cannot be read: {error}", where=start.world) from None
    world.reset(seed=start.seed)
    # Without a goal a world does not end when the goal is reached: what is written after that is tried too.
    world.set_goal(Goal("", ()))
    return world


def execute_all(
    items: Sequence[Example],
    plans: Sequence[str],
    starts: Mapping[str, Start],
    advance: Advance = silent,
) -> list[Execution | None]:
    """Execute each item's plan; None for items whose start is not known, or whose world this release cannot begin.

    Args:
        items: what was asked.
        plans: what was answered, as many.
        starts: see `starts_of`.
        advance: told of every item.
    """
    found: list[Execution | None] = [None] * len(items)
    known = [at for at, one in enumerate(items) if one.example_id in starts]
    # Plans in one world follow each other: making a world costs more than a plan.
    for at in sorted(known, key=lambda at: (starts[items[at].example_id].config, at)):
        try:
            found[at] = execute(plans[at], starts[items[at].example_id])
        except WorldError:
            continue
        advance()
    return found
