"""Does a memory help a language model? SmolLM2-135M scores legal actions, with nothing, random entries or recalled ones as notes.

    python -m benchmarks.memory_language [--model smollm2-135m] [--goals 40] [--seeds 3] [--budget 12000] [--json OUT]

The memory holds what MCTS lived in training houses; the goals are of held-out houses, with other names and things. The agent
(`agents.language`) is the same each time; what differs is what it recalls:

    empty     nothing
    random    an entry drawn from the memory's successes, whatever the goal
    recall    the success at the nearest goal

Every way has as many tokens for an episode, read and written, a prompt that all legal actions are scored behind counted once: who
reads notes has fewer steps. Each goal is tried with every seed (of actions, which are drawn by their scores, and of entries); the
intervals are over goals, paired. What a finished way has shown is kept in --out, and an interrupted run goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Figure, Peer, arguments, report
from benchmarks.memory_helps import Drawn, Empty
from worldschool.agents.language import LanguageAgent, LanguageConfig, Recall
from worldschool.envs import World, make
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.runner import AgentSettings, CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, write_json
from worldschool.learners.memory import MemoryRecall, remember
from worldschool.models.language import ProbedModel, load_model
from worldschool.probes.statistics import mean_interval, paired_difference
from worldschool.progress import progress
from worldschool.records import Goal

WORLD = "worldschool/Household-v0"
HOUSE: dict[str, Any] = {"rooms": [2, 3], "objects": [3, 4], "goal": "random", "max_steps": 20}
WAYS = ("empty", "random", "recall")


@dataclass(frozen=True)
class Shown:
    """What one episode came to."""

    success: bool
    steps: int
    tokens: int
    seconds: float


class Budgeted:
    """An agent that ends its episode when its tokens are spent."""

    def __init__(self, agent: LanguageAgent, tokens: int) -> None:
        self.agent, self._tokens = agent, tokens

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self.agent.reset(goal, info)

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the agent's action while there are tokens left."""
        if self.agent.usage.tokens >= self._tokens:
            return None
        return self.agent.act(observation, info)


def main() -> None:
    """Measure and report."""
    options = _options()
    if options.way:
        _way(options.way, options)
        return
    shown = {way: _way(way, options) for way in WAYS}
    report(_figures(shown), options.seed, options.json)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--goals", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=12_000, help="tokens of an episode")
    parser.add_argument("--contrast", type=float, default=1.0, help="see `LanguageConfig.contrast`")
    parser.add_argument("--way", choices=WAYS, help="only live this one's episodes; another call reports")
    parser.add_argument("--temperature", type=float, default=0.2)
    parser.add_argument("--episodes", type=int, default=400, help="that the memory holds")
    parser.add_argument("--out", type=Path, default=Path("memory-language"))
    options = parser.parse_args()
    if options.quick:
        options.goals, options.seeds, options.episodes, options.budget = 2, 1, 12, 1500
    return options


def _recall(way: str, seed: int, options: argparse.Namespace) -> Recall:
    """Return what a way recalls; the memory is made when it is first asked for."""
    folder = options.out / "memory"
    if not (options.out / "lived" / "dataset.json").exists() or not folder.exists():
        teacher = AgentSettings(name="mcts", settings={"simulations": 1000})
        config = CollectConfig(
            world=WORLD, world_config=HOUSE, agent=teacher, episodes=options.episodes, seed=options.seed
        )
        collect(config, options.out / "lived")
        remember(list(EpisodeStore.open(options.out / "lived").scan()), folder)
    if way == "empty":
        return Empty()
    recall = MemoryRecall(folder, k=1, failures=False, value=0.0)
    if way == "recall":
        return recall
    goals = [one.goal for one in EpisodeStore.open(options.out / "lived").scan() if one.success]
    return Drawn(recall, goals, options.seed + seed, 1)


def _way(way: str, options: argparse.Namespace) -> list[list[Shown]]:
    """Return what a way shows: a row a goal, an item a seed."""
    record = options.out / f"{way}.json"
    names = ("model", "goals", "seeds", "episodes", "budget", "temperature", "contrast")
    described = {name: getattr(options, name) for name in names}
    if record.exists() and (kept := read_json(record, what="a way's record"))["described"] == described:
        return [[Shown(**one) for one in row] for row in kept["rows"]]
    model = load_model(options.model, None, "auto")
    world = make(WORLD, **HOUSE, split="heldout")
    with progress(way, options.goals * options.seeds, "episodes") as advance:
        recalls = [_recall(way, seed, options) for seed in range(options.seeds)]
        rows = []
        for goal in range(options.goals):
            rows.append([])
            for seed, recall in enumerate(recalls):
                rows[-1].append(_live(world, model, recall, goal, seed, options))
                advance(1)
    write_json(record, {"described": described, "rows": [[vars(one) for one in row] for row in rows]})
    return rows


def _live(
    world: World, model: ProbedModel, recall: Recall, goal: int, seed: int, options: argparse.Namespace
) -> Shown:
    config = LanguageConfig(
        model=options.model, context=1024, temperature=options.temperature, contrast=options.contrast
    )
    agent = LanguageAgent(config, world, seed, model=model, recall=recall)
    label = EpisodeLabel(f"{goal}-{seed}", 0, 0, goal, "language", "{}", "heldout")
    episode = record_episode(world, Budgeted(agent, options.budget), label, strict=True)
    return Shown(episode.success, len(episode.steps), agent.usage.tokens, agent.usage.seconds)


def _figures(shown: dict[str, list[list[Shown]]]) -> dict[str, Figure]:
    success = {
        way: [float(np.mean([one.success for one in row])) for row in rows] for way, rows in shown.items()
    }
    figures = {}
    for way, values in success.items():
        found = mean_interval(values)
        told = f"succeed [{found.low:.3f}, {found.high:.3f}]; {_told(shown[way])}"
        figures[way] = Figure(found.value, told, True)
    for way, over in (("recall", "empty"), ("recall", "random"), ("random", "empty")):
        gain = paired_difference(success[way], success[over])
        told = f"[{gain.low:+.3f}, {gain.high:+.3f}], p {gain.p:.2g}"
        figures[f"{way} over {over}"] = Figure(
            gain.difference, told, True, Peer(over, float(np.mean(success[over])))
        )
    return figures


def _told(rows: Sequence[Sequence[Shown]]) -> str:
    every = [one for row in rows for one in row]
    steps, tokens, seconds = (
        float(np.mean([getattr(one, name) for one in every])) for name in ("steps", "tokens", "seconds")
    )
    return f"{steps:.1f} steps, {tokens:.0f} tokens, {seconds:.1f} s an episode"


if __name__ == "__main__":
    main()
