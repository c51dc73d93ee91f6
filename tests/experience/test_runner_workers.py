"""Runs in processes of their own: workers, kills, Ctrl-C, Ray."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent

SCRIPT = str(Path(__file__).with_name("collecting_fakes.py"))
LEARNING = {
    "world": "worldschool/Corridor-v0",
    "world_config": {"max_steps": 12, "cat": True},
    "agent": {"name": "learner"},
    "episodes": 60,
    "shard_size": 2,
    "round_size": 6,
    "seed": 5,
}
LONG = {**LEARNING, "episodes": 4000, "round_size": 100}
MOST_SECONDS = 60.0

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")


class Run:
    """`worldschool collect` with the fakes, in a process group of its own."""

    def __init__(self, folder: Path, config: dict[str, Any], *options: str) -> None:
        self.out = folder / "out"
        path = folder / "config.yaml"
        path.write_text(json.dumps(config))
        command = [sys.executable, SCRIPT, str(path), "--out", str(self.out)]
        command += [part for option in options for part in ("--set", option)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def wait_for(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + MOST_SECONDS
        while not what():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def committed(self) -> int:
        manifest = self.out / "manifest.jsonl"
        return manifest.read_bytes().count(b"\n") if manifest.exists() else 0

    def children(self) -> list[int]:
        """The worker processes: children that were spawned, without multiprocessing's tracker of resources."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = [int(pid) for pid in path.read_text().split()]
        return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=MOST_SECONDS)
        return self.process.returncode, out, err

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=MOST_SECONDS)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + MOST_SECONDS
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "orphans are left"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The content hash of the run in one worker and in one go."""
    run = Run(tmp_path_factory.mktemp("whole"), LEARNING)
    code, out, err = run.end()
    assert code == 0 and "60 episodes" in out, err
    return EpisodeStore.open(run.out).content_hash()


def test_two_workers_killed_at_any_time_and_resumed_give_the_same(expected: str, tmp_path: Path) -> None:
    for shards in sorted(Random(1).sample(range(1, 29), 3)):
        run = Run(tmp_path, LEARNING, "workers=2")
        run.wait_for(lambda run=run, shards=shards: run.committed() >= shards)  # type: ignore[misc]
        workers = run.children()
        run.kill()
        wait_until_gone(workers)
    code, out, _ = Run(tmp_path, LEARNING, "workers=2").end()
    store = EpisodeStore.open(tmp_path / "out")
    assert code == 0 and "60 episodes" in out and store.verify() == []
    assert store.content_hash() == expected


def test_a_worker_that_is_killed_is_replaced(expected: str, tmp_path: Path) -> None:
    run = Run(tmp_path, {**LEARNING, "episodes": 60}, "workers=2")
    run.wait_for(lambda: run.committed() >= 2)
    os.kill(run.children()[0], signal.SIGKILL)
    code, _, err = run.end()
    assert code == 0 and "a worker died (SIGKILL); another takes over" in err
    store = EpisodeStore.open(run.out)
    assert store.verify() == [] and store.content_hash() == expected
    assert "a worker died (SIGKILL)" in (run.out / "collect.log").read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_commits_whole_shards_and_the_same_command_continues(workers: int, tmp_path: Path) -> None:
    run = Run(tmp_path, LONG, f"workers={workers}")
    run.wait_for(lambda: run.committed() >= 3)
    children = run.children()
    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does it: to everybody in the foreground
    code, out, err = run.end()
    assert code == 130 and out == "" and "Traceback" not in err
    assert "Stopping" in err
    wait_until_gone(children)
    store = EpisodeStore.open(run.out)
    assert store.verify() == [] and 6 <= len(store) < 4000
    told = f"interrupted; {len(store)} episodes are committed, and the same command continues"
    assert told in err and told in (run.out / "collect.log").read_text()


def test_a_strict_run_in_workers_names_the_episode(tmp_path: Path) -> None:
    config = {**LEARNING, "world_config": {"fail_at": 2}}
    code, _, err = Run(tmp_path, config, "workers=2", "strict=true").end()
    assert code == 1 and "the corridor collapsed" in err
    assert "(world seed " in err and "failed:" in err


def test_ray_gives_the_same_as_a_process(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    config = {
        "world_config": {"characters": 2, "control": "all", "max_steps": 6},
        "episodes": 6,
        "shard_size": 4,
    }
    hashes = []
    for executor in ("local", "ray"):
        settings = CollectConfig.model_validate({**config, "executor": executor})
        assert collect(settings, tmp_path / executor, silent).episodes == 6
        hashes.append(EpisodeStore.open(tmp_path / executor).content_hash())
    assert hashes[0] == hashes[1]
    import ray

    assert not ray.is_initialized(), "what was started is shut down"
