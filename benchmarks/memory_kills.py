"""What a writer of a memory leaves behind that is killed at random instants; part of `benchmarks.memory`.

The writer adds entries, merges and fades some, and closes the memory so that its index is saved, over and over; what it says was done
is checked after each kill, and the index against one that is built anew.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path

from benchmarks.harness import Figure
from worldschool.errors import UserError
from worldschool.learners.memory import Consolidation, Entry, Memory
from worldschool.learners.memory import index as index_module

EACH = 24
"""Entries of one addition."""
CHUNK = 64
"""Vectors that enter a graph together, here: so that one grows while the writer lives."""


def killed(directory: Path, kills: int, seed: int) -> dict[str, Figure]:
    """Kill a writer `kills` times, and count what it said was there and is not."""
    index_module.CHUNK = CHUNK
    rng = random.Random(seed)
    target, fresh = directory / "killed", directory / "fresh"
    Memory.create(target, index="hnsw").close()
    lost, unopened, differing, told = 0, 0, 0, 0
    for _ in range(kills):
        told = max(told, _write_and_kill(target, rng.uniform(0.0, 0.25)))
        try:
            with Memory.open(target) as memory:
                held = memory.count
                memory.search("goal 1")
                lost += max(0, told - held)
                memory._index.save()
        except (UserError, RuntimeError, sqlite3.Error) as error:
            print(f"not opened: {error}")
            unopened += 1
            continue
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(target, fresh)
        shutil.rmtree(fresh / "index")
        with Memory.open(fresh) as memory:
            memory.search("goal 1")
        differing += any(
            (target / "index" / name).read_bytes() != (fresh / "index" / name).read_bytes()
            for name in ("vectors.faiss", "tail.faiss", "index.json")
        )
    return {
        "kills": Figure(kills, "SIGKILLs while adding, merging and saving", True),
        "kills_entries_told": Figure(told, "entries that the writer said were there", True),
        "kills_entries_lost": Figure(lost, "of them", False),
        "kills_not_opened": Figure(unopened, "memories", False),
        "kills_index_differs": Figure(differing, "indexes other than built anew", False),
    }


def _write_and_kill(directory: Path, after: float) -> int:
    """Write in a forked process, and kill it so many seconds after it began; return how many entries it said are there."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            while True:
                with Memory.open(directory) as memory:
                    for _ in range(3):
                        count = memory.count
                        memory.add(_entry(n) for n in range(count, count + EACH))
                        os.write(tell, b"%d\n" % memory.count)
                    memory.consolidate(Consolidation())
                    memory.fade(f"e{memory.count - 1}", "the last one")
                    memory.supersede(f"e{memory.count - 2}", f"e{memory.count - 3}", "as told")
        finally:
            os._exit(1)
    os.close(tell)
    with os.fdopen(told, "rb", buffering=0) as pipe:
        said = pipe.readline()  # it has begun to write
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        said += pipe.readall()
    os.waitpid(child, 0)
    whole = said[: said.rfind(b"\n") + 1]
    return max((int(line) for line in whole.split()), default=0)


def _entry(n: int) -> Entry:
    # Every fifth repeats the one before, so that there is something to merge.
    about = n - 1 if n % 5 == 4 else n
    return Entry(f"e{n}", "insight", f"goal {about}", f"Do the {about}th thing first.", "world")
