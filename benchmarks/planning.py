"""Planning: goals of recorded RobotHow programs reached, simulations a second, plan lengths, the gap to the shortest plans.

python -m benchmarks.planning [--quick] [--json OUT]; needs WORLDSCHOOL_CONFORMANCE_DATA for the RobotHow part.

A task is what a recorded program changed (`search.scenes.changes`), to be reached from its initial scene in dialect `eai`. The
planner sees the scene and the goal; the program is only compared with the plan afterwards.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.harness import Figure, arguments, report
from tests.envs.scene.recorded import VARIABLE, cases, expected, initial_graph
from worldschool.agents.mcts import MCTS, MCTSConfig
from worldschool.agents.mcts.planner import drive
from worldschool.envs import make
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.goals import all_hold
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.kernel import apply
from worldschool.envs.household.scene.program import Line, parse_program
from worldschool.envs.household.scene.replay import replay_lines, run_program
from worldschool.envs.household.search.scenes import RULE, changes, space_of_scene
from worldschool.envs.household.search.solver import CompiledTreeSearch
from worldschool.envs.household.search.space import Space
from worldschool.envs.household.state import View
from worldschool.progress import progress
from worldschool.records import Goal, Predicate

DIALECT = "eai"
SECONDS = 5.0
BUDGETS = (100, 1_000, 10_000)
SMALL_HOUSE = {"rooms": (2, 2), "objects": (3, 4), "goal": "random", "goal_size": (1, 2), "max_steps": 40}
MOST_STATES = 400_000


@dataclass(frozen=True)
class Task:
    """One recorded program: its scene, what it changed, and its lines."""

    scene: CompiledScene
    goal: tuple[Predicate, ...]
    lines: tuple[Line, ...]
    space: Space


def main() -> None:
    """Measure, print and write everything."""
    options = arguments(__doc__.splitlines()[0]).parse_args()
    figures: dict[str, Figure] = {}
    if VARIABLE in os.environ:
        tasks = _tasks(10 if options.quick else 1)
        print(RULE, end="\n\n")
        figures |= _robothow(tasks, options.seed)
        figures |= _by_budget(tasks, options.seed, BUDGETS[:2] if options.quick else BUDGETS)
    else:
        print(f"{VARIABLE} does not name the folder of recorded cases: RobotHow is left out", file=sys.stderr)
    figures |= _household(20 if options.quick else 200, options.seed)
    figures |= _optimality(5 if options.quick else 40, options.seed)
    report(figures, options.seed, options.json)


def _tasks(every: int) -> list[Task]:
    """Return the tasks of the recorded programs that run and change something: every so many."""
    found = []
    for case in cases():
        if case["kind"] != "real" or not expected(case, DIALECT)["ok"]:
            continue
        before = SceneGraph.from_dict(initial_graph(case["init"]))
        lines = tuple(parse_program(case["program"]))
        after = SceneGraph.from_dict(replay_lines(before, lines, DIALECT).graph)
        goal = changes(before, after)
        if goal:
            scene = CompiledScene.compile(before, DIALECT)
            found.append(Task(scene, goal, lines, space_of_scene(scene, goal)))
    return found[::every]


# -- RobotHow ---------------------------------------------------------------------------------------------------------


def _search(space: Space, config: MCTSConfig, seed: int, depth: int | None = None) -> CompiledTreeSearch:
    terms = config.terms if depth is None else replace(config.terms, max_depth=depth)
    return CompiledTreeSearch(space, terms, config.simulations, seed)


def _robothow(tasks: Sequence[Task], seed: int) -> dict[str, Figure]:
    within = MCTSConfig(simulations=1_000_000, seconds=SECONDS, focus=1, shaping="progress")
    few = within.model_copy(update={"simulations": 200, "seconds": None})
    _search(tasks[0].space, few, seed).run(1)  # compile
    plans, seconds, at_200, shot = [], [], [], []
    with progress("RobotHow", len(tasks), "tasks") as advance:
        for number, task in enumerate(tasks):
            began = time.perf_counter()
            search = _search(task.space, within, seed + number)
            drive(search, within, within.simulations)
            seconds.append(time.perf_counter() - began)
            plans.append(_checked(task, search.plan))
            search = _search(task.space, few, seed + number)
            drive(search, few, few.simulations)
            at_200.append(_checked(task, search.plan) is not None)
            search = _search(task.space, few, seed + number, depth=0)
            search.run(few.simulations)
            shot.append(_checked(task, search.plan) is not None)
            advance(1)
    reached = [plan is not None for plan in plans]
    lengths = [len(plan) for plan in plans if plan is not None]
    human = [_without_idle_steps(task) for task in tasks]
    needed = [_needed(task) for task in tasks]
    compared = [number for number, plan in enumerate(plans) if plan is not None]
    print(
        f"RobotHow: {sum(reached)} of {len(tasks)} tasks reached, the slowest search {max(seconds):.2f} s, "
        f"the median {1e3 * float(np.median(seconds)):.1f} ms; "
        f"not reached: {[task.goal for task, yes in zip(tasks, reached, strict=True) if not yes]}"
    )
    return {
        "robothow_goals_reached": Figure(float(np.mean(reached)), "of tasks, 5 s each", True),
        "robothow_slowest_search_s": Figure(max(seconds), "s", False),
        "robothow_reached_at_200_simulations": Figure(float(np.mean(at_200)), "of tasks", True),
        "robothow_random_shooting_at_200": Figure(float(np.mean(shot)), "of tasks", True),
        "mean_plan_length": Figure(float(np.mean(lengths)), "actions", False),
        "mean_program_length_without_idle_steps": Figure(
            float(np.mean([human[number] for number in compared])), "actions", False
        ),
        "mean_program_length_needed_for_the_goal": Figure(
            float(np.mean([needed[number] for number in compared])), "actions", False
        ),
    }


def _checked(task: Task, plan: Sequence[str] | None) -> Sequence[str] | None:
    """Return a plan if running it as a program, line by line, makes every predicate newly true; otherwise None."""
    if plan is None:
        return None
    after = replay_lines(task.scene.graph, parse_program(list(plan)), DIALECT)
    assert after.executable, (plan, after.reason)
    done = changes(task.scene.graph, SceneGraph.from_dict(after.graph))
    assert set(task.goal) <= set(done), (task.goal, done)
    return plan


def _without_idle_steps(task: Task) -> int:
    """Return how many steps of the recorded program change more than what the character faces or is close to."""
    state = task.scene.new_state()
    actor, steps = task.scene.characters[0], 0
    for line in task.lines:
        before = task.scene.to_graph(state.memory)
        run_program(task.scene, state, actor, [line])
        after = task.scene.to_graph(state.memory)
        moved = {edge for edge in before.edges ^ after.edges if edge[1] != "FACING"}
        steps += bool(moved) or before.nodes != after.nodes
    return steps


def _needed(task: Task) -> int:
    """Return how many steps of the recorded program are left when those that the goal does not need are taken out."""
    lines = list(task.lines)

    def reaches(some: Sequence[Line]) -> bool:
        after = replay_lines(task.scene.graph, some, DIALECT)
        return after.executable and set(task.goal) <= set(
            changes(task.scene.graph, SceneGraph.from_dict(after.graph))
        )

    at = 0
    while at < len(lines):
        shorter = lines[:at] + lines[at + 1 :]
        if reaches(shorter):
            lines, at = shorter, 0
        else:
            at += 1
    return len(lines)


def _by_budget(tasks: Sequence[Task], seed: int, budgets: Sequence[int]) -> dict[str, Figure]:
    """Spend whole budgets, with and without transpositions: tasks reached, plan lengths, simulations a second."""
    figures: dict[str, Figure] = {}
    everywhere: list[float] = []
    for budget in budgets:
        for transpositions in (True, False):
            config = MCTSConfig(
                simulations=budget, stop_at_first=False, transpositions=transpositions, focus=1, advance=None
            )
            lengths, rates = [], []
            with progress(f"{budget} simulations", len(tasks), "tasks") as advance:
                for number, task in enumerate(tasks):
                    began = time.perf_counter()
                    search = _search(task.space, config, seed + number)
                    made = search.run(budget)
                    rates.append(made / (time.perf_counter() - began))
                    if search.plan is not None:
                        lengths.append(len(search.plan))
                    advance(1)
            name = f"{budget}_simulations_{'with' if transpositions else 'without'}_transpositions"
            figures[f"reached_{name}"] = Figure(len(lengths) / len(tasks), "of tasks", True)
            figures[f"length_{name}"] = Figure(float(np.mean(lengths)), "actions", False)
            if transpositions:
                everywhere = rates
    return {"mcts_simulations_per_s": Figure(float(np.median(everywhere)), "1/s", True), **figures}


# -- procedural houses ------------------------------------------------------------------------------------------------


def _household(episodes: int, seed: int) -> dict[str, Figure]:
    """Plan for drawn goals of 1 to 3 predicates at 200 simulations, compiled, and for a few through snapshots."""
    figures: dict[str, Figure] = {}
    for size in range(1, 4):
        world = make("worldschool/Household-v0", goal="random", goal_size=(size, size))
        for name, config, count in (
            ("200", MCTSConfig(simulations=200), episodes),
            ("200_one_stage", MCTSConfig(simulations=200, advance=None), episodes),
            ("4000", MCTSConfig(), episodes),
            ("200_snapshots", MCTSConfig(simulations=200, compiled=False), max(episodes // 20, 5)),
        ):
            solved, spent, began = 0, 0, time.perf_counter()
            for number in range(count):
                world.reset(seed=seed + number)
                plan = MCTS(config, seed + number).plan(world, world.goal)
                solved += plan.success
                spent += plan.simulations
            rate = spent / (time.perf_counter() - began)
            figures[f"household_{size}_predicates_{name}"] = Figure(
                solved / count, f"of goals ({rate:,.0f} simulations/s)", True
            )
    return figures


def _optimality(episodes: int, seed: int) -> dict[str, Figure]:
    """Compare plans of 4,000 simulations with the shortest, in small houses where breadth-first search finds them."""
    world = make("worldschool/Household-v0", **SMALL_HOUSE)
    assert isinstance(world, HouseholdEnv)
    first, best, compared = [], [], 0
    with progress("shortest plans", episodes, "houses") as advance:
        for number in range(episodes):
            world.reset(seed=seed + number)
            shortest = _shortest(world._now(), world.goal)
            advance(1)
            if shortest is None:
                continue
            compared += 1
            for found, whole in ((first, False), (best, True)):
                plan = MCTS(MCTSConfig(stop_at_first=not whole, advance=None), number).plan(world, world.goal)
                found.append((len(plan.actions) if plan.success else np.nan) - shortest)
    print(
        f"shortest plans by breadth-first search in {compared} of {episodes} small houses; "
        f"optimal: first plan {np.mean(np.array(first) == 0):.0%}, best plan {np.mean(np.array(best) == 0):.0%}; "
        f"not found: {int(np.isnan(first).sum())} and {int(np.isnan(best).sum())}"
    )
    return {
        "optimality_gap": Figure(float(np.nanmean(best)), "actions over the shortest, best plan", False),
        "optimality_gap_first_plan": Figure(float(np.nanmean(first)), "actions, first plan", False),
    }


def _shortest(engine: Engine, goal: Goal) -> int | None:
    """Return the length of the shortest plan by breadth-first search over every effective action; None: too many states."""
    premises = engine.premises
    state = premises.new_state()
    candidates = premises.candidates[: premises.effective].tolist()
    layer, seen = [engine.memory.tobytes()], {engine.memory.tobytes()}
    trial = Engine(premises)
    for depth in range(1, 40):
        following = []
        for packed in layer:
            memory = np.frombuffer(packed, np.uint64)
            trial.memory[:] = memory
            trial.changed()
            for candidate in trial.legal(0).nonzero()[0].tolist():
                state.memory[:] = memory
                action, x, y = candidates[candidate]
                apply(premises.scene, premises.rules.table, state, action, 0, x, y)
                after = state.memory.tobytes()
                if after in seen:
                    continue
                seen.add(after)
                if all_hold(View(premises, state.memory), goal):
                    return depth
                following.append(after)
            if len(seen) > MOST_STATES:
                return None
        layer = following
    return None


if __name__ == "__main__":
    main()
