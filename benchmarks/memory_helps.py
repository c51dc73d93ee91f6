"""Does a memory help? A scripted agent that follows recalled plans, on held-out goals in the household and the shop.

    python -m benchmarks.memory_helps [--goals 200] [--seeds 5] [--embedder hashing] [--json OUT]

The memory holds what MCTS (household) and the scripted shopper (shop) lived on training houses and products; the goals are about held-out
ones, with other names, things and products. The agent (`agents.follower`) is the same each time; what differs is what it recalls:

    empty     nothing: it explores
    random    entries drawn from the same memory, whatever the goal
    recall    the three nearest to the goal
    credit    the same, ranked by what following them came to as well, in practice on training goals that both had

Each goal is tried with every seed (of exploring and drawing); the intervals are over goals, paired.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.agents.follower import FollowerAgent, FollowerConfig
from worldschool.agents.language.recall import Note, Recall
from worldschool.envs import World, make
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.runner import AgentSettings, CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.learners.memory import MemoryRecall, remember
from worldschool.probes.statistics import mean_interval, paired_difference
from worldschool.records import Episode

WORLDS: dict[str, tuple[str, dict[str, Any], AgentSettings]] = {
    "household": (
        "worldschool/Household-v0",
        {"rooms": [3, 4], "objects": [4, 6], "goal": "random", "max_steps": 20},
        AgentSettings(name="mcts", settings={"simulations": 1000}),
    ),
    "shop": (
        "worldschool/Shop-v0",
        {"products": 2000, "max_steps": 30},
        AgentSettings(name="shopper"),
    ),
}
K, VALUE = 3, 0.3


class Empty:
    """Recalls nothing."""

    def recall(self, goal: str, observation: str, world: str) -> Sequence[Note]:
        """Return no notes."""
        return ()

    def credit(self, note: Note, success: bool) -> None:
        """Count nothing."""


class Drawn:
    """Recalls what any of many goals would have recalled."""

    def __init__(self, recall: Recall, goals: Sequence[str], seed: int, count: int = 3) -> None:
        self._recall, self._goals, self._random, self._count = recall, goals, Random(seed), count

    def recall(self, goal: str, observation: str, world: str) -> Sequence[Note]:
        """Return the nearest notes to goals that are drawn."""
        drawn = self._random.sample(self._goals, self._count)
        return [self._recall.recall(one, observation, world)[0] for one in drawn]

    def credit(self, note: Note, success: bool) -> None:
        """Count nothing."""


def main() -> None:
    """Measure and report."""
    options = _options()
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in WORLDS:
            figures |= _world(name, Path(folder) / name, options)
    report(figures, options.seed, options.json)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument("--goals", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=400, help="that the memory holds")
    parser.add_argument("--practice", type=int, default=400, help="training goals, for credit")
    parser.add_argument("--embedder", default="hashing")
    options = parser.parse_args()
    if options.quick:
        options.goals, options.seeds, options.episodes, options.practice = 6, 2, 12, 6
    return options


def _world(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Figure]:
    world_id, settings, teacher = WORLDS[name]
    config = CollectConfig(
        world=world_id, world_config=settings, agent=teacher, episodes=options.episodes, seed=options.seed
    )
    collect(config, folder / "lived")
    lived = list(EpisodeStore.open(folder / "lived").scan())
    remember(lived, folder / "memory", options.embedder)
    practice = make(world_id, **settings, split="train")
    trained = range(10_000, 10_000 + options.practice)
    with closing(MemoryRecall(folder / "memory", k=K, failures=False, value=0.0)) as recall:
        for seed in trained:
            _live(practice, recall, seed, seed, credit=True)
    heldout = make(world_id, **settings, split="heldout")
    scores = {
        way: [
            [_live(heldout, recall, goal, run, credit=False) for run in range(options.seeds)]
            for goal in range(options.goals)
        ]
        for way, recall in _ways(folder, lived, options)
    }
    return _figures(name, scores)


def _ways(folder: Path, lived: Sequence[Episode], options: argparse.Namespace) -> list[tuple[str, Recall]]:
    plain = MemoryRecall(folder / "memory", k=K, failures=False, value=0.0)
    credited = MemoryRecall(folder / "memory", k=K, failures=False, value=VALUE)
    drawn = Drawn(plain, [episode.goal for episode in lived if episode.success], options.seed, K)
    return [("empty", Empty()), ("random", drawn), ("recall", plain), ("credit", credited)]


def _live(world: World, recall: Recall, goal: int, run: int, credit: bool) -> Episode:
    agent = FollowerAgent(FollowerConfig(), world, run, recall=recall)
    label = EpisodeLabel(f"{goal}-{run}", 0, 0, goal, "follower", "{}", "heldout")
    episode = record_episode(world, agent, label, strict=True)
    if credit:
        for note in agent.followed:
            recall.credit(note, episode.success)
    return episode


def _figures(name: str, lived: dict[str, list[list[Episode]]]) -> dict[str, Figure]:
    success = {way: [np.mean([one.success for one in row]) for row in rows] for way, rows in lived.items()}
    returns = {way: [np.mean([one.return_ for one in row]) for row in rows] for way, rows in lived.items()}
    figures = {}
    for way, values in success.items():
        found = mean_interval(values)
        told = f"succeed [{found.low:.3f}, {found.high:.3f}]; mean return {np.mean(returns[way]):.3f}"
        figures[f"{name}: {way}"] = Figure(found.value, told, True)
    for way, over in (("recall", "empty"), ("recall", "random"), ("random", "empty"), ("credit", "recall")):
        gain = paired_difference(success[way], success[over])
        told = f"[{gain.low:+.3f}, {gain.high:+.3f}], p {gain.p:.2g}"
        peer = Peer(over, float(np.mean(success[over])))
        figures[f"{name}: {way} over {over}"] = Figure(gain.difference, told, True, peer)
    return figures


if __name__ == "__main__":
    main()
