"""How fast the episode store is and how little memory it takes: a million steps written, scanned and filtered; beside
Minari's Parquet storage on the same episodes. And whether it loses anything when it is killed.

python -m benchmarks.store [--kills 200]

The episodes are those of a random agent in the household. A tenth of the steps or fewer are really lived; to make a
million they are written again and again with other ids, indices and seeds. `bytes_per_step` is of the ones lived, each
once. Scanning and filtering run in a process of their own, whose peak memory is told.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import SUPPRESS
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, Peer, arguments, report
from benchmarks.store_kills import killed
from worldschool.experience.runner import AgentSettings, CollectConfig, collect
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.schema import WITHOUT_STEPS
from worldschool.experience.storage.verification import verify
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Episode

SHARD_SIZE = 64
MAX_STEPS = 100
SUCCESSES = EpisodeFilter(success=True)
"""What is filtered for: the random agent's few."""
MINARI_COLUMNS = (
    *("seed", "initial_observation", "initial_state_hash", "terminated", "truncated"),
    *(f"steps.{name}" for name in ("observation", "action", "reward", "state_hash")),
)
"""What Minari's form of an episode holds; the store's holds events, facts, entities and goal besides."""


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--steps", type=int, help="how many steps are stored (default: a million)")
    parser.add_argument(
        "--kills", type=int, default=0, help="kill a writer so many times, and check what is left"
    )
    parser.add_argument("--read", type=Path, help=SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        print(json.dumps(_read(options.read)))
        return
    report(storing(options.quick, options.seed, options.steps, options.kills), options.seed, options.json)


def storing(quick: bool, seed: int, steps: int | None = None, kills: int = 0) -> dict[str, Figure]:
    """Store, scan and filter so many steps (a million; quick 20,000), and kill a writer so many times."""
    steps = steps or (20_000 if quick else 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        lived = _live(directory / "lived", 100 if quick else 1_000, seed)
        figures = _million(directory, lived, steps)
        figures |= _beside_minari(directory, lived[: 40 if quick else 200], 2 if quick else 5)
        if kills:
            figures |= killed(directory, lived[:160], kills, seed)
    return figures


def _live(directory: Path, episodes: int, seed: int) -> list[Episode]:
    """Collect episodes of a random agent; all different."""
    config = CollectConfig(
        world_config={"goal": "random", "max_steps": MAX_STEPS},
        agent=AgentSettings(name="random"),
        episodes=episodes,
        shard_size=SHARD_SIZE,
        workers=os.cpu_count() or 1,
        seed=seed,
    )
    collect(config, directory, silent)
    return list(EpisodeStore.open(directory))


def _million(directory: Path, lived: Sequence[Episode], steps: int) -> dict[str, Figure]:
    """Write `steps` steps, then scan and filter them in another process."""
    written = 0
    with EpisodeStore.create(directory / "million", {}, 0, SHARD_SIZE) as store:
        taken = 0.0
        for batch in _batches(_again(lived, steps)):
            began = time.perf_counter()
            store.append(batch)
            taken += time.perf_counter() - began
            written += sum(episode.length for episode in batch)
        began = time.perf_counter()
        store.flush()
        taken += time.perf_counter() - began
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.store", "--read", str(directory / "million")],
        capture_output=True,
        text=True,
        check=True,
    )
    read = json.loads(done.stdout.splitlines()[-1])
    assert read["steps"] == written, "the scan saw another number of steps"
    size = sum(path.stat().st_size for path in store.shard_files())
    own = EpisodeStore.open(directory / "lived")
    own_size = sum(path.stat().st_size for path in own.shard_files())
    three = taken + read["scan_s"] + read["filter_s"]
    texts = sum(len(json.dumps(episode.to_json(), ensure_ascii=False).encode()) for episode in lived[:100])
    json_bytes = texts / sum(episode.length for episode in lived[:100])
    return {
        "steps_stored": Figure(written, "steps", True),
        "store_steps_per_s": Figure(written / three, "steps/s, written, scanned and filtered", True),
        "write_steps_per_s": Figure(written / taken, "steps/s", True),
        "write_mb_per_s": Figure(json_bytes * written / taken / 1e6, "MB/s, as JSON", True),
        "scan_steps_per_s": Figure(written / read["scan_s"], "steps/s", True),
        "filter_steps_per_s": Figure(written / read["filter_s"], "steps/s", True),
        "filter_kept_share": Figure(read["kept"] / read["episodes"], "of the episodes", True),
        "scan_without_steps_episodes_per_s": Figure(read["episodes"] / read["columns_s"], "episodes/s", True),
        "content_hash_steps_per_s": Figure(written / read["hash_s"], "steps/s", True),
        "verify_steps_per_s": Figure(written / read["verify_s"], "steps/s", True),
        "read_by_id_ms": Figure(read["read_ms"], "ms", False),
        "peak_memory_mb": Figure(read["peak_mb"], "MB, scanning and filtering", False),
        "bytes_per_step": Figure(
            own_size / sum(episode.length for episode in lived), "B", False, Peer("JSON lines", json_bytes)
        ),
        "bytes_per_step_of_all": Figure(size / written, "B", False),
    }


def _again(lived: Sequence[Episode], steps: int) -> Iterator[Episode]:
    """Yield episodes until there are `steps` steps: those lived, then the same under other ids, indices and seeds."""
    index = total = 0
    while total < steps:
        for episode in lived:
            episode_id = f"{episode.episode_id[:8]}-{index // len(lived):016x}-{index:08d}"
            yield dataclasses.replace(
                episode, episode_id=episode_id, index=index, seed=(episode.seed + index) % 2**63
            )
            index, total = index + 1, total + episode.length
            if total >= steps:
                return


def _batches(episodes: Iterator[Episode], size: int = SHARD_SIZE) -> Iterator[list[Episode]]:
    batch: list[Episode] = []
    for episode in episodes:
        batch.append(episode)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(directory: Path) -> dict[str, float]:
    """Scan and filter a dataset; the peak memory is told before anything else is measured."""
    store = EpisodeStore.open(directory)
    began = time.perf_counter()
    steps = sum(episode.length for episode in store)
    scanned = time.perf_counter()
    kept = sum(1 for _ in EpisodeStore.open(directory).scan(where=SUCCESSES))
    filtered = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    told: dict[str, float] = {
        "episodes": len(store),
        "steps": steps,
        "kept": kept,
        "scan_s": scanned - began,
        "filter_s": filtered - scanned,
        "peak_mb": peak / 1e6,
    }
    told["columns_s"] = _seconds(lambda: sum(1 for _ in store.rows(WITHOUT_STEPS)))
    told["hash_s"] = _seconds(store.content_hash)
    told["verify_s"] = _seconds(lambda: verify(directory))
    ids = [row["episode_id"] for row in store.rows(["episode_id"])]
    chosen = random.Random(0).sample(ids, min(100, len(ids)))
    fresh = EpisodeStore.open(directory)
    told["read_ms"] = 1e3 * statistics.median(_seconds(lambda one=one: fresh.read(one)) for one in chosen)
    return told


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _beside_minari(directory: Path, lived: Sequence[Episode], runs: int) -> dict[str, Figure]:
    """Write and read the same episodes with the store and with Minari's Parquet storage, in turns."""
    try:
        import minari.dataset.minari_storage  # noqa: F401
    except ImportError:
        print("Minari is not installed: its figures are left out", file=sys.stderr)
        return {}
    steps = sum(episode.length for episode in lived)
    numbered = [dataclasses.replace(episode, index=i) for i, episode in enumerate(lived)]
    turns = []
    for run in range(runs):
        ours, theirs = directory / f"ours{run}", directory / f"theirs{run}"
        turns.append(_one_turn(ours, theirs, numbered))
    seconds = {name: [turn[name] for turn in turns] for name in turns[0]}
    rates = {name: steps / statistics.median(values) for name, values in seconds.items()}
    sizes = [
        sum(path.stat().st_size for path in folder.rglob("*.parquet")) / steps for folder in (ours, theirs)
    ]
    name = "Minari, Parquet"
    return {
        "few_write_steps_per_s": Figure(rates["write"], "steps/s", True, Peer(name, rates["minari_write"])),
        "few_read_steps_per_s": Figure(
            rates["read_same"], "steps/s, what Minari holds", True, Peer(name, rates["minari_read"])
        ),
        "few_read_whole_steps_per_s": Figure(
            rates["read"], "steps/s, as Episodes", True, Peer(name, rates["minari_read"])
        ),
        "few_bytes_per_step": Figure(sizes[0], "B", False, Peer(f"{name} (no events, no facts)", sizes[1])),
    }


def _one_turn(ours: Path, theirs: Path, episodes: Sequence[Episode]) -> dict[str, float]:
    """Return the seconds that each of the two takes to write and to read."""
    return {
        "write": _seconds(lambda: _write_ours(ours, episodes)),
        "minari_write": _seconds(lambda: _write_minari(theirs, episodes)),
        "read": _seconds(lambda: sum(1 for _ in EpisodeStore.open(ours))),
        "read_same": _seconds(lambda: sum(1 for _ in EpisodeStore.open(ours).rows(MINARI_COLUMNS))),
        "minari_read": _seconds(lambda: _read_minari(theirs)),
    }


def _write_ours(directory: Path, episodes: Sequence[Episode]) -> None:
    with EpisodeStore.create(directory, {}, 0, SHARD_SIZE) as store:
        store.append(episodes)


def _write_minari(directory: Path, episodes: Sequence[Episode]) -> None:
    from gymnasium.spaces import Text
    from minari.data_collector.episode_buffer import EpisodeBuffer
    from minari.dataset.minari_storage import MinariStorage

    directory.mkdir()
    space = Text(10_000)
    storage = MinariStorage.new(directory, observation_space=space, action_space=space, data_format="parquet")
    storage.update_episodes(
        EpisodeBuffer(
            seed=episode.seed,
            observations=[episode.initial_observation, *(step.observation for step in episode.steps)],
            actions=[step.action for step in episode.steps],
            rewards=[step.reward for step in episode.steps],
            terminations=[False] * (episode.length - 1) + [episode.terminated],
            truncations=[False] * (episode.length - 1) + [episode.truncated],
            infos={"state_hash": [episode.initial_state_hash, *(step.state_hash for step in episode.steps)]},
        )
        for episode in episodes
    )


def _read_minari(directory: Path) -> int:
    from minari.dataset.minari_storage import MinariStorage

    storage = MinariStorage.read(directory)
    return sum(len(episode["rewards"]) for episode in storage.get_episodes(range(storage.total_episodes)))


if __name__ == "__main__":
    main()
