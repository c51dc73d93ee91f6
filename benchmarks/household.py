"""How fast the household is: VirtualHome's recorded programs replayed, snapshots, the text environment; beside MiniGrid.

WORLDSCHOOL_CONFORMANCE_DATA=FOLDER python -m benchmarks.household

Without the recordings their figure is left out. One core; medians of several runs, ours and MiniGrid's in turns.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import gymnasium

from benchmarks.harness import Figure, Peer, arguments, report
from tests.envs.scene import recorded
from worldschool.envs import make
from worldschool.envs.household.scene.batch import ProgramSet
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.program import parse_program

FIRST_STEP = """
import time
began = time.perf_counter()
from worldschool.envs.household import replay
kitchen = {"id": 1, "class_name": "kitchen", "category": "Rooms"}
cook = {"id": 2, "class_name": "character", "category": "Characters"}
replay({"nodes": [kitchen, cook], "edges": [{"from_id": 2, "relation_type": "INSIDE", "to_id": 1}]}, ["[WALK] <kitchen> (1)"])
print(time.perf_counter() - began)
"""


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__ or "")
    options = parser.parse_args()
    runs = 3 if options.quick else 7
    steps = 2_000 if options.quick else 20_000
    ours = _text_household(steps, options.seed)
    peer = _multiroom(steps // 4, options.seed)
    text, multiroom = _in_turns([ours, peer], runs)
    minigrid = Peer("MiniGrid MultiRoom-N6", multiroom)
    figures = {
        "text_steps_per_s": Figure(text, "steps/s", True, minigrid),
        "minigrid_multiroom_steps_per_s": Figure(multiroom, "steps/s", True),
        "snapshot_restore_us": Figure(_snapshot_restore(steps, options.seed), "us", False),
        "first_step_cold_s": Figure(_first_step(cold=True), "s", False),
        "first_step_cached_s": Figure(_first_step(cold=False), "s", False),
    }
    if recorded.VARIABLE in os.environ:
        replayed, programs = _replays(runs)
        figures["replay_transitions_per_s"] = Figure(replayed, "transitions/s", True, minigrid)
        figures["replay_programs_per_s"] = Figure(programs, "programs/s", True)
    report(figures, options.seed, options.json)


def _in_turns(rates: list[Callable[[], float]], runs: int) -> list[float]:
    """Return each one's median rate, measured in turns after one call that warms up."""
    for rate in rates:
        rate()
    measured = [[rate() for rate in rates] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*measured, strict=True)]


def _replays(runs: int) -> tuple[float, float]:
    """Return transitions and programs per second: every real program from its own scene, its final graph compared."""
    real = [case for case in recorded.cases() if case["kind"] == "real"]
    scenes = [
        CompiledScene.compile(SceneGraph.from_dict(recorded.initial_graph(case["init"])), "eai")
        for case in real
    ]
    programs = ProgramSet(
        scenes,
        [parse_program(case["program"]) for case in real],
        [recorded.final_graph(scene.graph, case, "eai") for scene, case in zip(scenes, real, strict=True)],
    )
    outcomes = programs.run()
    assert outcomes.as_expected.all(), "a final graph is not the recorded one"
    seconds = []
    for _ in range(runs * 5):
        began = time.perf_counter()
        outcomes = programs.run()
        seconds.append(time.perf_counter() - began)
    taken = statistics.median(seconds)
    return outcomes.steps / taken, len(real) / taken


def _text_household(steps: int, seed: int) -> Callable[[], float]:
    """Return a rate of text steps: a random legal action, the observation and the legal actions written out."""
    world = make("worldschool/Household-v0", goal="none", max_steps=100)
    rng = random.Random(seed)

    def rate() -> float:
        world.reset(seed=seed)
        began = time.perf_counter()
        for _ in range(steps):
            *_, terminated, truncated, _ = world.step(rng.choice(world.legal_actions()))
            if terminated or truncated:
                world.reset()
        return steps / (time.perf_counter() - began)

    return rate


def _multiroom(steps: int, seed: int) -> Callable[[], float]:
    import minigrid  # noqa: F401  registers its environments

    env: gymnasium.Env[Any, Any] = gymnasium.make("MiniGrid-MultiRoom-N6-v0")
    env.action_space.seed(seed)

    def rate() -> float:
        env.reset(seed=seed)
        began = time.perf_counter()
        for _ in range(steps):
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            if terminated or truncated:
                env.reset()
        return steps / (time.perf_counter() - began)

    return rate


def _snapshot_restore(times: int, seed: int) -> float:
    """Return microseconds of one snapshot and one restore of the text environment, together."""
    world = make("worldschool/Household-v0", goal="none")
    world.reset(seed=seed)
    began = time.perf_counter()
    for _ in range(times):
        world.restore(world.snapshot())
    return 1e6 * (time.perf_counter() - began) / times


def _first_step(cold: bool) -> float:
    """Return seconds from import to the first compiled step in a new process, with an empty cache or a full one."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for _ in range(1 if cold else 2):
            done = subprocess.run(
                [sys.executable, "-c", FIRST_STEP],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
        return float(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
