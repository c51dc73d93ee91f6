"""One worker, two, Ray, and a run killed again and again: every way of collecting gives the same content hash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from benchmarks.harness import Figure
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent

SECONDS_TO_BEGIN = 3.0
"""A run needs about so long before it lives its first episode; kills come before and after."""


def determinism(presets: dict[str, CollectConfig], episodes: int, kills: int, seed: int) -> dict[str, Figure]:
    """Collect each preset in every way; the figure is how many of the ways gave another hash than one worker.

    Args:
        presets: name to configuration.
        episodes: of each run.
        kills: SIGKILLs of each killed run, at random instants; it is resumed after each.
        seed: draws the instants.
    """
    figures = {}
    for name, preset in presets.items():
        config = preset.model_copy(update={"episodes": episodes, "workers": 1})
        with tempfile.TemporaryDirectory() as folder:
            differing = _differing(name, config, Path(folder), kills, Random(seed))
        figures[f"{name}_runs_that_differ"] = Figure(differing, "of 3 (2 workers, Ray, killed)", False)
    return figures


def _differing(name: str, config: CollectConfig, folder: Path, kills: int, random: Random) -> int:
    began = time.monotonic()
    collect(config, folder / "one", silent)
    seconds = time.monotonic() - began
    expected = _hash(folder / "one")
    print(f"  {name}: one worker {seconds:.0f} s, {expected[:16]}", flush=True)
    differing = 0
    for way, changes in (("two", {"workers": 2}), ("ray", {"workers": 2, "executor": "ray"})):
        collect(config.model_copy(update=changes), folder / way, silent)
        differing += _tell(name, way, _hash(folder / way), expected)
    hashes, killed = _killed(config, folder, seconds, kills, random)
    differs = [_tell(name, f"{killed} kills", found, expected) for found in hashes]
    return differing + any(differs)


def _killed(
    config: CollectConfig, folder: Path, seconds: float, kills: int, random: Random
) -> tuple[list[str], int]:
    """Kill and resume until there were `kills` of them; where a dataset is whole before, another is begun.

    Returns the content hashes of the datasets made, and the number of kills.
    """
    path = folder / "killed.json"
    path.write_text(json.dumps(config.model_copy(update={"workers": 2}).to_json()))
    hashes: list[str] = []
    killed = 0
    while killed < kills or not hashes:
        out = folder / f"killed{len(hashes)}"
        command = [sys.executable, "-m", "worldschool.cli", "collect", str(path), "--out", str(out)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait = SECONDS_TO_BEGIN * random.random() + random.uniform(
            0.0, 2 * SECONDS_TO_BEGIN + 2 * seconds / kills
        )
        try:
            code = process.wait(wait if killed < kills else None)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            continue
        if code != 0:
            raise RuntimeError(f"{' '.join(command)} ended with exit code {code}")
        hashes.append(_hash(out))
    return hashes, killed


def _hash(out: Path) -> str:
    store = EpisodeStore.open(out)
    problems = store.verify()
    return store.content_hash() if not problems else f"damaged: {problems[0]}"


def _tell(name: str, way: str, found: str, expected: str) -> bool:
    print(f"  {name}: {way} {found[:16]}{'' if found == expected else ' DIFFERS'}", flush=True)
    return found != expected
