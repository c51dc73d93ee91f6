"""What a writer leaves behind that is killed at random instants; part of `benchmarks.store`."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import Figure
from worldschool.experience.storage.schema import content_hash
from worldschool.experience.storage.verification import verify
from worldschool.experience.store import EpisodeStore
from worldschool.records import Episode


def killed(directory: Path, lived: Sequence[Episode], kills: int, seed: int) -> dict[str, Figure]:
    """Kill a writer at random instants, again and again, and count what was committed and is not there afterwards."""
    episodes = [dataclasses.replace(episode, index=i) for i, episode in enumerate(lived)]
    expected = content_hash(episode.to_json() for episode in episodes)
    rng = random.Random(seed)
    size, lost, problems, other, completed, fallen = 4, 0, 0, 0, 0, 0
    while fallen < kills:
        target = directory / f"killed{completed}"
        promised = 0
        while fallen < kills:
            told, killed = _write_and_kill(target, episodes, size, rng.uniform(0.0, 0.1))
            fallen += killed
            promised = max(promised, told)
            if (target / "dataset.json").exists():
                found = verify(target)
                problems += len(found.problems)
                lost += max(0, promised - found.episodes)
            if not killed:
                break
        _write_and_kill(target, episodes, size, None)
        other += EpisodeStore.open(target).content_hash() != expected
        completed += 1
    return {
        "kills": Figure(fallen, "SIGKILL while writing", True),
        "kills_episodes_lost": Figure(lost, "committed episodes", False),
        "kills_verify_problems": Figure(problems, "", False),
        "kills_datasets_completed": Figure(completed, "", True),
        "kills_other_content_hash": Figure(other, "of these", False),
    }


def _write_and_kill(
    directory: Path, episodes: Sequence[Episode], size: int, after: float | None
) -> tuple[int, bool]:
    """Complete a dataset in a forked process, and kill it so many seconds after it has begun to write (None: never).

    Returns:
        How many episodes it said were committed, and whether it was killed.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(tell, b"0\n")
            for committed in _complete(directory, episodes, size):
                os.write(tell, b"%d\n" % committed)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(tell)
    with os.fdopen(told, "rb", buffering=0) as pipe:
        said = pipe.read(2)
        if after is not None:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        said += pipe.readall()
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, "the writer failed"
    return max(int(line) for line in said.split()), os.WIFSIGNALED(status)


def _complete(directory: Path, episodes: Sequence[Episode], size: int) -> Iterator[int]:
    """Commit what a dataset lacks: the first half shard by shard, the rest appended by ones; yields how many there are."""
    if (directory / "dataset.json").exists():
        store = EpisodeStore.open(directory, empty_ok=True)
        store.hold()
    else:
        store = EpisodeStore.create(directory, {}, 0, size)
    for k in range(len(episodes) // size // 2):
        if k not in store.committed_shards():
            store.commit_shard(k, episodes[k * size : (k + 1) * size])
            yield len(store)
    for index in range(len(store), len(episodes)):
        store.append([episodes[index]])
        store.flush()
        yield len(store)
