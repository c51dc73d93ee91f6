"""How fast the household is: VirtualHome's recorded programs replayed, snapshots, the text environment, batches, masks
and rollouts; beside MiniGrid and BabyAI.

WORLDSCHOOL_CONFORMANCE_DATA=FOLDER python -m benchmarks.household

Without the recordings their figure is left out. One core; medians of several runs, ours and MiniGrid's in turns.
"""

from __future__ import annotations

import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import gymnasium

from benchmarks import household_batches as compiled
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
from worldschool.envs import make
world = make("worldschool/Household-v0", goal="random", info_legal=True)
_, info = world.reset(seed=0)
world.step(info["legal_actions"][0])
print(time.perf_counter() - began)
"""
"""From import to the first step of the text environment, goal and legal actions included."""


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__ or "")
    options = parser.parse_args()
    runs = 3 if options.quick else 7
    steps = 2_000 if options.quick else 20_000
    ours = _text_household(steps, options.seed)
    peers = [
        _minigrid(name, steps // 4, options.seed) for name in ("MiniGrid-MultiRoom-N6-v0", "BabyAI-GoTo-v0")
    ]
    text, multiroom, babyai = _in_turns([ours, *peers], runs)
    minigrid = Peer("MiniGrid MultiRoom-N6", multiroom)
    figures = {
        "text_steps_per_s": Figure(text, "steps/s", True, minigrid),
        "minigrid_multiroom_steps_per_s": Figure(multiroom, "steps/s", True),
        "babyai_goto_steps_per_s": Figure(babyai, "steps/s", True),
        "snapshot_restore_us": Figure(_snapshot_restore(steps, options.seed), "us", False),
        "first_step_cold_s": Figure(_first_step(cold=True), "s", False),
        "first_step_cached_s": Figure(_first_step(cold=False), "s", False),
    }
    if recorded.VARIABLE in os.environ:
        replayed, programs = _replays(runs)
        figures["replay_transitions_per_s"] = Figure(replayed, "transitions/s", True, minigrid)
        figures["replay_programs_per_s"] = Figure(programs, "programs/s", True)
    figures |= _compiled(runs, options.quick, options.seed, minigrid)
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


def _compiled(runs: int, quick: bool, seed: int, minigrid: Peer) -> dict[str, Figure]:
    """Return the figures of batches, masks, rollouts and taking back, each on procedural houses and a recorded scene."""
    rates = compiled.vector_rates(4096, runs, 5 if quick else 40, seed)
    figures = {
        "vector4096_steps_per_s": Figure(rates.steps, "steps/s", True, minigrid),
        "vector4096_share_of_legal_actions": Figure(rates.share, "", True),
        "vector4096_masked_steps_per_s": Figure(rates.masked, "steps/s", True, minigrid),
        "compiled_snapshot_restore_us": Figure(compiled.snapshot_restore_us(100_000, seed), "us", False),
    }
    stages = {"house": compiled.procedural(256, seed)}
    if recorded.VARIABLE in os.environ:
        first = next(case for case in recorded.cases() if case["kind"] == "real")
        stages["virtualhome"] = compiled.virtualhome(recorded.initial_graph(first["init"]), seed)
    transitions = 20_000 if quick else 200_000
    for name, stage in stages.items():
        for count in (1, 64, 4096):
            (rate,) = _in_turns([compiled.batch_rate(stage, count, transitions, seed)], runs)
            figures[f"batch{count}_{name}_transitions_per_s"] = Figure(rate, "transitions/s", True, minigrid)
        (rate,) = _in_turns([compiled.rollout_rate(stage, 200 if quick else 2_000, seed)], runs)
        figures[f"rollouts_{name}_transitions_per_s"] = Figure(rate, "transitions/s", True, minigrid)
    return figures


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


def _minigrid(name: str, steps: int, seed: int) -> Callable[[], float]:
    import minigrid  # noqa: F401  registers its environments

    env: gymnasium.Env[Any, Any] = gymnasium.make(name)
    env.action_space.seed(seed)

    def rate() -> float:
        with redirect_stdout(io.StringIO()):  # BabyAI prints each layout that it rejects
            env.reset(seed=seed)
            began = time.perf_counter()
            for _ in range(steps):
                _, _, terminated, truncated, _ = env.step(env.action_space.sample())
                if terminated or truncated:
                    env.reset()
            return steps / (time.perf_counter() - began)

    return rate


def _snapshot_restore(times: int, seed: int) -> float:
    """Return microseconds of one snapshot and one restore of the text environment, together, in turns over one episode.

    Each restore goes to another moment than the one before, as a search does.
    """
    world = make("worldschool/Household-v0", goal="none", max_steps=times)
    world.reset(seed=seed)
    rng = random.Random(seed)
    taking, moments = 0.0, []
    for _ in range(min(times, 2_000) - 1):
        world.step(rng.choice(world.legal_actions()))
        began = time.perf_counter()
        moments.append(world.snapshot())
        taking += time.perf_counter() - began
    rng.shuffle(moments)
    began = time.perf_counter()
    for moment in moments:
        world.restore(moment)
    return 1e6 * (taking + time.perf_counter() - began) / len(moments)


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
