"""What the curriculum is worth: the same learner, MCTS at 200 simulations plus its own skills, with goals chosen in four ways.

python -m benchmarks.curriculum [--quick] [--json OUT] [--workers 2]

Arms: uniform tasks (every number of predicates alike; with skills), the curriculum, the curriculum without the progress
term, the curriculum without skills, and, since steps are what is counted and short goals cost few, uniform tasks with numbers
drawn so that each gets about as many steps. Each lives 20,000 environment steps (an episode without a step counts as one) in training houses, five
seeds. Fixed before anything was tuned:

distinct goals    abstract tasks that were solved: relations and kinds of things, not names ("put a thing in a container,
                  and switch on a switch"). A goal is counted once whatever the house. Also given with classes in place of
                  kinds ("put the apple in the fridge"), and by Goal.key in its house, which many short goals inflate.
heldout horizon   the most predicates n for which at least half of 40 goals of n predicates are reached by the learner as it
                  is at the end, in larger held-out houses with held-out things, the same goals for all arms; nothing is
                  learned there. No arm is asked for more than 10 while it lives; here it is asked for up to 20. Also after a
                  tenth of the life ("early").
repeated          the same goal, by Goal.key, asked in the same start a second time after it was solved or in the same round.
free passes       goals that held at the start.
solved before     share of the proposals whose abstract task an earlier round had solved: what progress asks for again.

Intervals are Student's t over seeds (95%); differences are paired by seed.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.harness import Figure, arguments, report
from worldschool.agents.base import agent_config, make_agent
from worldschool.agents.curriculum.agent import CurriculumAgent
from worldschool.agents.curriculum.config import CurriculumConfig
from worldschool.agents.curriculum.state import CurriculumState
from worldschool.agents.curriculum.tasks import (
    abstract_predicates,
    draw_task,
    proposal_digest,
    start_digest,
    task_generator,
)
from worldschool.agents.skills.learning import goal_of
from worldschool.envs import World, make
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.runner import episode_seeds
from worldschool.records import Episode, Goal

WORLD = "worldschool/Household-v0"
HOUSE: dict[str, Any] = {"max_steps": 120}
HORIZON = 10
ROUND = 16
HELD_OUT_HOUSE: dict[str, Any] = {"objects": [12, 16], "max_steps": 300}
HELD_OUT_SIZES = (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)
HELD_OUT_GOALS = 40
HELD_OUT_SEED = 977
ARMS: dict[str, dict[str, Any]] = {
    "uniform": {"goals": "uniform"},
    "uniform_steps": {"goals": "uniform_steps"},
    "curriculum": {},
    "no_progress": {"progress": 0.0},
    "no_skills": {"skills": False},
}
T_975 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t at 97.5%, by the number of seeds (one degree of freedom less)."""


@dataclass(frozen=True)
class Life:
    """What one arm did with one seed."""

    episodes: int
    steps: int
    successes: int
    distinct: int
    distinct_by_class: int
    distinct_by_key: int
    repeated: int
    free_passes: int
    solved_before: float
    skills: int
    unlocked: int
    horizon: int
    held_out: tuple[float, ...]
    early_horizon: int
    early_held_out: tuple[float, ...]
    seconds: float


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--steps", type=int, help="environment steps of a life")
    parser.add_argument("--seeds", type=int, help="lives of each arm")
    options = parser.parse_args()
    steps = options.steps or (400 if options.quick else 20_000)
    seeds = options.seeds or (2 if options.quick else 5)
    goals = 4 if options.quick else HELD_OUT_GOALS
    jobs = [(arm, options.seed + number, steps, goals) for number in range(seeds) for arm in ARMS]
    lives: dict[str, list[Life]] = {arm: [] for arm in ARMS}
    for (arm, seed, *_), life in zip(jobs, _all(jobs, options.workers), strict=True):
        lives[arm].append(life)
        rates = " ".join(f"{rate:.2f}" for rate in life.held_out)
        print(
            f"{arm:12s} seed {seed}: {life.successes} of {life.episodes} episodes, {life.distinct} distinct "
            f"({life.distinct_by_class} by class), {life.skills} skills, up to {life.unlocked} predicates asked; "
            f"held out {rates} -> {life.horizon} (early {life.early_horizon}); {life.seconds:.0f} s",
            flush=True,
        )
    report(_figures(lives), options.seed, options.json)


def _all(jobs: Sequence[tuple[str, int, int, int]], workers: int) -> Iterator[Life]:
    if workers == 1:
        yield from (live(*job) for job in jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_live_job, jobs)


def _live_job(job: tuple[str, int, int, int]) -> Life:
    return live(*job)


def live(arm: str, seed: int, steps: int, goals: int) -> Life:
    """Let one arm live `steps` environment steps, and then ask it for `goals` held-out goals of each size."""
    began = time.perf_counter()
    config = agent_config("curriculum", {"horizon": HORIZON, **ARMS[arm]})
    assert isinstance(config, CurriculumConfig)
    world = make(WORLD, **HOUSE, split="train")
    state = CurriculumState.begin(config)
    tally = _Tally()
    early: tuple[float, ...] | None = None
    while tally.steps < steps:
        episodes = []
        asked: set[str] = set()
        tally.begin_round()
        for _ in range(ROUND):
            world_seed, agent_seed = episode_seeds(seed, tally.episodes)
            label = EpisodeLabel("", seed, tally.episodes, world_seed, "curriculum", "{}", "train")
            agent = make_agent("curriculum", config, world, agent_seed, state)
            episode = record_episode(world, agent, label, strict=True)
            tally.count(world, episode, asked)
            episodes.append(episode)
        state = state.after(episodes)
        if early is None and tally.steps >= steps / 10:
            early = held_out_rates(config, state, goals)
    assert early is not None
    rates = held_out_rates(config, state, goals)
    return Life(
        tally.episodes,
        tally.steps,
        tally.successes,
        len(tally.abstract),
        len(tally.classes),
        len(tally.keys),
        tally.repeated,
        tally.free_passes,
        tally.solved_before / tally.episodes,
        len(state.library),
        state.horizon,
        horizon_of(rates),
        rates,
        horizon_of(early),
        early,
        time.perf_counter() - began,
    )


def horizon_of(rates: Sequence[float]) -> int:
    """Return the largest of `HELD_OUT_SIZES` at which at least half were reached; 0 if there is none."""
    return max((size for size, rate in zip(HELD_OUT_SIZES, rates, strict=True) if rate >= 0.5), default=0)


class _Tally:
    """What is counted of a life as it goes on."""

    def __init__(self) -> None:
        self.episodes = self.steps = self.successes = self.repeated = self.free_passes = 0
        self.abstract: set[Any] = set()
        self.classes: set[Any] = set()
        self.keys: set[str] = set()
        self._solved: set[str] = set()
        self._abstract_before: frozenset[Any] = frozenset()
        self.solved_before = 0

    def begin_round(self) -> None:
        """Notice what was solved before this round."""
        self._abstract_before = frozenset(self.abstract)

    def count(self, world: World, episode: Episode, asked: set[str]) -> None:
        """Count an episode that was just lived in `world`; `asked` holds what its round asked for so far."""
        goal = goal_of(episode)
        start = start_digest(episode.world, episode.entities, episode.initial_facts)
        digest = proposal_digest(start, goal)
        self.episodes += 1
        self.steps += max(1, episode.length)
        self.repeated += digest in asked or digest in self._solved
        asked.add(digest)
        self.free_passes += held_at_the_start(world, episode, goal)
        task = abstract_predicates(task_generator(world), goal.predicates)
        self.solved_before += task in self._abstract_before
        if episode.success:
            classes = episode.classes
            self.successes += 1
            self._solved.add(digest)
            self.keys.add(digest)
            self.abstract.add(task)
            self.classes.add(
                tuple(sorted((name, classes[a], classes.get(b or "")) for name, a, b in goal.predicates))
            )


def held_at_the_start(world: World, episode: Episode, goal: Goal) -> bool:
    """Return whether an episode's goal held before anything was done; the world stays as it is."""
    now = world.snapshot()
    try:
        world.reset(seed=episode.seed)
        return bool(goal.predicates) and all(world.satisfied(goal))
    finally:
        world.restore(now)


def held_out_rates(config: CurriculumConfig, state: CurriculumState, goals: int) -> tuple[float, ...]:
    """Return the share of held-out goals that are reached, for each of `HELD_OUT_SIZES`.

    Houses, things and goals are the same for every arm and seed; the state is not changed.
    """
    world = make(WORLD, **HELD_OUT_HOUSE, split="heldout")
    settings = config.model_copy(update={"goals": "world"})
    rates = []
    for size in HELD_OUT_SIZES:
        won = tried = 0
        for number in range(goals):
            world_seed, agent_seed = episode_seeds(HELD_OUT_SEED + size, number)
            world.reset(seed=world_seed)
            goal = draw_task(task_generator(world), size, Random(agent_seed))
            if goal is None:
                continue
            tried += 1
            won += reaches(CurriculumAgent(settings, world, agent_seed, state), world, goal)
        rates.append(won / max(1, tried))
    return tuple(rates)


def reaches(agent: CurriculumAgent, world: World, goal: Goal) -> bool:
    """Let an agent act towards a goal in a world that was just reset; return whether the world says it is reached."""
    world.set_goal(goal)
    observation, info = world.restore(world.snapshot())
    agent.reset(goal, info)
    while (action := agent.act(observation, info)) is not None:
        observation, _, terminated, truncated, info = world.step(action)
        if terminated or truncated:
            break
    return all(world.satisfied(goal))


def _figures(lives: dict[str, list[Life]]) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    columns = {
        "distinct_goals": "distinct",
        "distinct_goals_by_class": "distinct_by_class",
        "distinct_goals_by_key": "distinct_by_key",
        "heldout_horizon": "horizon",
        "early_heldout_horizon": "early_horizon",
    }
    for name, column in columns.items():
        values = {arm: [float(getattr(life, column)) for life in lived] for arm, lived in lives.items()}
        for arm, found in values.items():
            figures |= _with_interval(f"{arm}_{name}", found)
        for arm in ("curriculum", "no_progress", "no_skills"):
            differences = [a - b for a, b in zip(values[arm], values["uniform"], strict=True)]
            figures |= _with_interval(f"{arm}_minus_uniform_{name}", differences)
        differences = [a - b for a, b in zip(values["curriculum"], values["uniform_steps"], strict=True)]
        figures |= _with_interval(f"curriculum_minus_uniform_steps_{name}", differences)
    for arm, lived in lives.items():
        for place, size in enumerate(HELD_OUT_SIZES):
            mean = statistics.fmean(life.held_out[place] for life in lived)
            figures[f"{arm}_heldout_success_{size}"] = Figure(mean, "", True)
        figures[f"{arm}_success_rate"] = Figure(
            statistics.fmean(life.successes / life.episodes for life in lived), "", True
        )
        again = statistics.fmean(life.solved_before for life in lived)
        figures[f"{arm}_solved_before"] = Figure(again, "of proposals", False)
        figures[f"{arm}_repeated_proposals"] = Figure(
            sum(life.repeated for life in lived), "proposals", False
        )
        figures[f"{arm}_free_passes"] = Figure(sum(life.free_passes for life in lived), "goals", False)
    return figures


def _with_interval(name: str, values: Sequence[float]) -> dict[str, Figure]:
    """Return a mean and the ends of its 95% interval over seeds (Student's t)."""
    mean = statistics.fmean(values)
    half = (
        T_975[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
        if len(values) > 1
        else math.nan
    )
    ends = {"low": mean - half, "high": mean + half} if len(values) > 1 else {}
    return {
        name: Figure(mean, "", True),
        **{f"{name}_{end}": Figure(value, "", True) for end, value in ends.items()},
    }


if __name__ == "__main__":
    main()
