"""How much of a house random exploration covers in 100 steps: each strategy in the same houses, with the same seeds.

python -m benchmarks.exploration [--quick] [--json OUT]

placements   different pairs of a thing (or character) and the place, room or hand it came to, those of the start left out
events       different kinds of what was done: (verb, class of what it was done to)
rooms        different rooms that somebody acting was in
moved        different things that somebody moved
ms           milliseconds of a step, the agent's choice included

Means over houses with bootstrap intervals (95%); what is ahead of uniform is the mean of the differences house by house, with
its interval. Steps are actions: on the grid a walk is one, whatever its moves.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.agents.base import Agent, agent_config, make_agent
from worldschool.envs import make
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.runner import episode_seeds
from worldschool.experience.tracker import Tracker
from worldschool.probes.statistics import PairedDifference, mean_interval, paired_difference
from worldschool.records import Episode, Goal

STEPS = 100
HOUSEHOLD, GRID = "worldschool/Household-v0", "worldschool/HouseholdGrid-v0"
# The grid's own limit counts moves: there the agent stops after STEPS actions.
WORLDS: dict[str, tuple[str, dict[str, Any]]] = {
    "household": (HOUSEHOLD, {"max_steps": STEPS}),
    "household, two act": (HOUSEHOLD, {"max_steps": STEPS, "characters": 2, "control": "all"}),
    "grid": (GRID, {"max_steps": 1_000_000}),
}
STRATEGIES: dict[str, dict[str, Any]] = {
    "uniform": {},
    "count": {"strategy": "count"},
    "babble": {"strategy": "babble"},
    "babble, no search": {"strategy": "babble", "babble": {"simulations": 0}},
}


class Coverage(NamedTuple):
    """What one episode covered."""

    placements: int
    events: int
    rooms: int
    moved: int
    ms: float


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__ or "").parse_args()
    houses = 6 if options.quick else 60
    figures: dict[str, Figure] = {}
    for world, (world_id, settings) in WORLDS.items():
        covered = {
            strategy: [_explore(world_id, settings, agent, options.seed, house) for house in range(houses)]
            for strategy, agent in STRATEGIES.items()
        }
        _print_table(world, covered, options.seed)
        figures |= _figures(world, covered, options.seed)
    print()
    report(figures, options.seed, options.json)


class _For:
    """An agent that stops after some steps."""

    def __init__(self, agent: Agent, steps: int) -> None:
        self._agent, self._left = agent, steps

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        self._agent.reset(goal, info)

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        self._left -= 1
        return self._agent.act(observation, info) if self._left >= 0 else None


def _explore(
    world_id: str, settings: dict[str, Any], strategy: dict[str, Any], seed: int, house: int
) -> Coverage:
    world = make(world_id, goal="none", **settings)
    world_seed, agent_seed = episode_seeds(seed, house)
    config = agent_config("random", strategy)
    agent = _For(make_agent("random", config, world, agent_seed), STEPS)
    label = EpisodeLabel("", seed, house, world_seed, "random", "{}", "train")
    began = time.perf_counter()
    episode = record_episode(world, agent, label, strict=True)
    return _coverage(episode, 1000 * (time.perf_counter() - began) / episode.length)


def _coverage(episode: Episode, ms: float) -> Coverage:
    tracker, classes = Tracker(episode.initial_facts), episode.classes
    at_first = {(name, tracker.place(name)) for name in classes}
    actors = {name for name, class_ in classes.items() if class_ == "character"}
    placements, events, rooms, moved = set(), set(), {tracker.room(name) for name in actors}, set()
    for event in episode.events:
        if not event.succeeded:
            continue
        tracker.apply(event)
        about = event.object or event.target or ""
        events.add((event.verb, classes.get(about)))
        changed = event.actor if event.verb == "walk" else event.object
        if changed is not None:
            placements.add((changed, tracker.place(changed)))
        if event.verb == "walk":
            rooms.add(tracker.room(event.actor))
        elif event.target is not None and event.target != event.source and event.object is not None:
            moved.add(event.object)
    return Coverage(len(placements - at_first), len(events), len(rooms), len(moved), ms)


def _print_table(world: str, covered: dict[str, list[Coverage]], seed: int) -> None:
    print(f"\n{world}: {len(covered['uniform'])} houses, {STEPS} steps in each")
    print(f"{'':<20}" + "".join(f"{field:<25}" for field in Coverage._fields))
    for strategy, episodes in covered.items():
        means = [mean_interval(_column(episodes, field), seed) for field in Coverage._fields]
        cells = [f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]" for mean in means]
        print(f"{strategy:<20}" + "".join(f"{cell:<25}" for cell in cells))
        if strategy != "uniform":
            more = [_ahead(covered, strategy, field, seed) for field in Coverage._fields[:-1]]
            cells = [f"{one.difference:+.2f} [{one.low:+.2f}, {one.high:+.2f}]" for one in more]
            print(f"{'  over uniform':<20}" + "".join(f"{cell:<25}" for cell in cells))


def _figures(world: str, covered: dict[str, list[Coverage]], seed: int) -> dict[str, Figure]:
    """Return each strategy's means beside uniform's, and the low ends of how much they are ahead."""
    figures = {}
    for strategy, episodes in covered.items():
        name = f"{world} {strategy}".replace(",", "").replace(" ", "_")
        for field in Coverage._fields:
            unit = "ms/step" if field == "ms" else f"{field}/{STEPS} steps"
            uniform = mean_interval(_column(covered["uniform"], field), seed).value
            peer = None if strategy == "uniform" else Peer("uniform", uniform)
            value = mean_interval(_column(episodes, field), seed).value
            figures[f"{name}_{field}"] = Figure(value, unit, field != "ms", peer)
            if strategy != "uniform" and field != "ms":
                low = _ahead(covered, strategy, field, seed).low
                figures[f"{name}_{field}_ahead_at_least"] = Figure(low, unit, True)
    return figures


def _ahead(covered: dict[str, list[Coverage]], strategy: str, field: str, seed: int) -> PairedDifference:
    return paired_difference(_column(covered[strategy], field), _column(covered["uniform"], field), seed)


def _column(episodes: Sequence[Coverage], field: str) -> list[float]:
    return [float(getattr(one, field)) for one in episodes]


if __name__ == "__main__":
    main()
