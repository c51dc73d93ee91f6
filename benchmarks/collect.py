"""Collecting: what recording costs, what a second worker brings, how fast and small the store is, and whether every way of
running gives the same.

python -m benchmarks.collect [--quick] [--only overhead scaling store determinism replay tampering] [--presets household-random]

Episodes are those of the presets in configs/collect. In full it takes hours; each part can be asked for by itself:
`--only determinism --kills 50`, `--only replay --replays 10000`, `--only tampering --trials 1000`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import collect_determinism, collect_replay
from benchmarks.harness import Figure, Peer, arguments, report
from benchmarks.store import storing
from worldschool.agents.base import agent_config, make_agent
from worldschool.config import load_config
from worldschool.envs import World, make
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.running.lives import Lives, episode_seeds
from worldschool.experience.store import EpisodeStore
from worldschool.records import Episode

PRESETS = Path(__file__).parents[1] / "configs" / "collect"
HOUSE: dict[str, Any] = {"goal": "random", "max_steps": 40}
SEARCH: dict[str, Any] = {"simulations": 400}
EPISODES_A_BLOCK = 32


def main() -> None:
    """Measure what was asked for and report."""
    options = _options()
    presets = {name: load_config(CollectConfig, PRESETS / f"{name}.yaml") for name in options.presets}
    parts: dict[str, Callable[[], dict[str, Figure]]] = {
        "overhead": lambda: recording_overhead(5 if options.quick else 15, options.seed),
        "scaling": lambda: scaling(options.quick, options.seed),
        "store": lambda: storing(options.quick, options.seed),
        "determinism": lambda: collect_determinism.determinism(
            presets, options.episodes, options.kills, options.seed
        ),
        "replay": lambda: collect_replay.replays(presets, options.replays, options.workers),
        "tampering": lambda: collect_replay.tampering(presets, options.trials, options.seed),
    }
    figures: dict[str, Figure] = {}
    for name in options.only:
        print(f"{name} ...", flush=True)
        figures |= parts[name]()
    report(figures, options.seed, options.json)


def _options() -> argparse.Namespace:
    known = sorted(path.stem for path in PRESETS.glob("*.yaml"))
    parser = arguments(__doc__ or "")
    parts = ["overhead", "scaling", "store", "determinism", "replay", "tampering"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--presets", nargs="+", choices=known, default=known, help="of configs/collect")
    parser.add_argument("--episodes", type=int, help="of a run whose determinism is shown (2000, quick 60)")
    parser.add_argument("--kills", type=int, help="of each such run (50, quick 3)")
    parser.add_argument("--replays", type=int, help="episodes of each preset (10000, quick 40)")
    parser.add_argument("--trials", type=int, help="of each kind of tampering, each preset (1000, quick 20)")
    parser.add_argument("--workers", type=int, default=2, help="processes that collect and replay")
    options = parser.parse_args()
    for name, full, quick in (
        ("episodes", 2000, 60),
        ("kills", 50, 3),
        ("replays", 10_000, 40),
        ("trials", 1000, 20),
    ):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    return options


def recording_overhead(blocks: int, seed: int) -> dict[str, Figure]:
    """Compare recording episodes into a store with living the same episodes bare, in turns.

    Bare is text stepping with state hashes: reset, legal actions, the agent's choice, step, `snapshot().position`.
    Recorded is `Lives` and `EpisodeStore.commit_shard`, its checksum and flush to disk included. CPU seconds of this
    process, so that what else runs on the machine does not count; the median over blocks of 32 episodes.
    """
    config = make("worldschool/Household-v0", **HOUSE).config
    settings = agent_config("random", {})
    lives = Lives(
        "worldschool/Household-v0", config, "random", settings.to_json(), "train", seed, "0" * 8, strict=True
    )
    record, world = lives.begin(), make("worldschool/Household-v0", **config)
    ratios, rates, sizes = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        store = EpisodeStore.create(Path(folder) / "store", {}, seed, EPISODES_A_BLOCK)
        record(0, None), _live_bare(world, seed, 0)
        for block in range(blocks):
            indices = range(block * EPISODES_A_BLOCK, (block + 1) * EPISODES_A_BLOCK)
            began = time.process_time()
            steps = sum(_live_bare(world, seed, index) for index in indices)
            middle = time.process_time()
            episodes: list[Episode] = [record(index, None) for index in indices]
            store.commit_shard(block, episodes)
            ended = time.process_time()
            assert steps == sum(episode.length for episode in episodes), "the same episodes were lived"
            ratios.append((ended - middle) / (middle - began))
            rates.append(steps / (ended - middle))
            size = (store.directory / "shards" / f"{block:06d}.parquet").stat().st_size
            sizes.append(size / steps)
        store.close()
    recorded = statistics.median(rates)
    return {
        "recording_overhead": Figure(statistics.median(ratios) - 1, "of the time of bare stepping", False),
        "recorded_steps_per_s": Figure(recorded, "steps/s of CPU", True),
        "recorded_bytes_per_step": Figure(statistics.median(sizes), "B/step", False),
    }


def _live_bare(world: World, run_seed: int, index: int) -> int:
    """Live an episode as `Lives` does, keeping nothing; returns its steps."""
    world_seed, agent_seed = episode_seeds(run_seed, index)
    agent = make_agent("random", agent_config("random", {}), world, agent_seed)
    observation, info = world.reset(seed=world_seed)
    world.snapshot().position  # noqa: B018 (the hash is what is measured)
    agent.reset(world.goal, info)
    steps = 0
    while True:
        action = agent.act(observation, {**info, "legal_actions": world.legal_actions()})
        if action is None:
            return steps
        observation, _, terminated, truncated, info = world.step(action)
        world.snapshot().position  # noqa: B018
        steps += 1
        if terminated or truncated:
            return steps


def scaling(quick: bool, seed: int) -> dict[str, Figure]:
    """Compare episodes per second of wall time with 1 and 2 workers, MCTS collecting, in turns.

    What is timed begins when an eighth of the episodes are finished, so the start of the processes, seconds of a run of
    any length, is left out. The figure is the ratio of the medians. It needs two cores that are otherwise idle.
    """
    episodes, turns = (64, 1) if quick else (800, 5)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(turns):
        for workers in (1, 2):
            rates[workers].append(_rate(workers, episodes, seed + turn))
    one, two = (statistics.median(rates[workers]) for workers in (1, 2))
    return {
        "scaling_2_workers": Figure(two / one, "times one worker", True, Peer("linear", 2.0)),
        "mcts_episodes_per_s_1_worker": Figure(one, "episodes/s", True),
        "mcts_episodes_per_s_2_workers": Figure(two, "episodes/s", True),
    }


def _rate(workers: int, episodes: int, seed: int) -> float:
    moments: list[float] = []
    config = CollectConfig.model_validate(
        {
            "world_config": {**HOUSE, "goal_size": [2, 2]},
            "agent": {"name": "mcts", "settings": SEARCH},
            "episodes": episodes,
            "shard_size": 8,
            "seed": seed,
            "workers": workers,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        collect(config, folder, lambda n=1, note="": moments.append(time.perf_counter()))
    warm = len(moments) // 8
    return (len(moments) - warm) / (moments[-1] - moments[warm - 1])


if __name__ == "__main__":
    main()
