"""The collecting runner: lets an agent live episodes in a world and commits them shard by shard.

Episode i of a run depends on (run seed, i) alone, or, for an agent that learns, on those and the state at the start of
its round, so that one worker or many, here or in a Ray cluster, in one go or resumed after a kill, give the same.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worldschool.agents.base import agent_config, state_class
from worldschool.canonical import short_digest
from worldschool.config import Config
from worldschool.envs import make
from worldschool.errors import ConfigError, UserError
from worldschool.experience.running.collect_config import (
    EXECUTION_FIELDS,
    EXTENT_FIELDS,
    AgentSettings,
    CollectConfig,
    GoalSettings,
)
from worldschool.experience.running.collecting import Collection, Extent, Tally
from worldschool.experience.running.executors import Executor, Here, Say
from worldschool.experience.running.goals import check_goals
from worldschool.experience.running.interrupts import interruptible
from worldschool.experience.running.lives import Lives, episode_seeds
from worldschool.experience.running.processes import Processes
from worldschool.experience.running.rounds import Rounds, check_round_size
from worldschool.experience.storage.description import DESCRIPTION_FILE
from worldschool.experience.store import EpisodeStore
from worldschool.progress import Advance, Log, progress, say
from worldschool.records import Goal
from worldschool.runs import RECORD, claim_output

__all__ = [
    "AgentSettings",
    "CollectConfig",
    "CollectReport",
    "GoalSettings",
    "collect",
    "episode_seeds",
    "summary",
]

LOG_FILE = "collect.log"


@dataclass(frozen=True)
class CollectReport:
    """What a dataset holds after a run.

    Attributes:
        episodes: committed episodes, those of earlier runs included.
        new_episodes: episodes of this run.
        success_rate: share of `episodes` that reached their goal, in [0, 1].
        steps: steps in all `episodes`.
        errors: how many of `episodes` ended by an exception.
        seconds: how long this run took.
        out_of_time: whether `time_budget_s` ended the run before it had all the episodes.
    """

    episodes: int
    new_episodes: int
    success_rate: float
    steps: int
    errors: int
    seconds: float
    out_of_time: bool = False


def collect(config: CollectConfig, out: Path | str, on_progress: Advance | None = None) -> CollectReport:
    """Collect the episodes that `out` does not hold yet, and commit them shard by shard.

    Args:
        config: what to collect.
        out: the dataset directory; a run of the same configuration is continued.
        on_progress: told of every episode; None shows a progress bar on standard error.

    Raises:
        ConfigError, WorldError, ModelError: the configuration does not fit the agent or the world, or names a model or memory
            that is not there.
        OutputError: `out` belongs to another configuration, or another run is writing to it.
        TaskFailed: an episode failed and the run is strict, or workers died again and again.
        KeyboardInterrupt: passed on; the committed shards stay and the same call continues.
    """
    started = time.monotonic()
    out = Path(out)
    plan = _resolve(config)
    known = claim_output(out, "collect", plan.described, config.seed)
    with _open(out, config, plan) as store, interruptible() as stop:
        before = len(store)
        out_of_time = False
        if config.episodes is None or before < config.episodes:
            bar = progress("collect", config.episodes, "episodes", before, config.time_budget_s)
            with bar if on_progress is None else nullcontext(on_progress) as advance:
                try:
                    out_of_time = _collect_missing(store, config, plan, advance, stop)
                except UserError:
                    if not known and not len(store):
                        _give_back(store)
                    raise
        totals = store.totals()
    return CollectReport(
        episodes=totals.episodes,
        new_episodes=totals.episodes - before,
        success_rate=totals.successes / totals.episodes,
        steps=totals.steps,
        errors=totals.errors,
        seconds=time.monotonic() - started,
        out_of_time=out_of_time,
    )


def summary(report: CollectReport, out: Path) -> str:
    """Return what a report says, in words."""
    text = (
        f"{report.episodes} episodes in {out} ({report.new_episodes} new), {report.steps} steps, "
        f"success rate {report.success_rate:.0%}, {report.errors} errors"
    )
    if report.out_of_time:
        text += "\nThe time is spent before that was all; the same command continues."
    return text


@dataclass(frozen=True)
class _Plan:
    """A configuration with every default filled in.

    Attributes:
        described: what the output directory belongs to, plain JSON values.
        version: of the world's dynamics.
        settings: the agent's.
        lives: what workers do.
    """

    described: dict[str, Any]
    version: str
    settings: Config
    lives: Lives


def _resolve(config: CollectConfig) -> _Plan:
    _check(config)
    settings = agent_config(config.agent.name, config.agent.settings, "agent")
    _refuse_seconds(settings.to_json(), "agent.settings")
    world = make(config.world, **config.world_config, split=config.split)
    goals = tuple(Goal(goal.text, goal.predicates) for goal in config.goals or ())
    check_goals(world, goals, config.seed)
    resolved = config.to_json()
    if config.goals is None:
        del resolved["goals"]
    resolved["agent"]["settings"] = settings.to_json()
    resolved["world_config"] = world.config
    if state_class(config.agent.name) is None:
        del resolved["round_size"]
    else:
        check_round_size(config.round_size, config.shard_size)
    described = _without(resolved, EXECUTION_FIELDS)
    lives = Lives(
        config.world,
        resolved["world_config"],
        config.agent.name,
        resolved["agent"]["settings"],
        config.split,
        config.seed,
        short_digest(_without(described, EXTENT_FIELDS)),
        config.strict,
        goals,
    )
    return _Plan(described, world.version, settings, lives)


def _check(config: CollectConfig) -> None:
    if config.episodes is None and config.time_budget_s is None:
        raise ConfigError(
            "nothing says when the run ends",
            where="episodes",
            mend="Give `episodes`, `time_budget_s` or both.",
        )
    if config.ray_address is not None and config.executor != "ray":
        raise ConfigError(
            f"an address is given but the executor is {config.executor!r}",
            where="ray_address",
            mend="Set `executor: ray`, or leave the address out.",
        )
    if "split" in config.world_config:
        raise ConfigError("the split is given twice", where="world_config.split", mend="Set `split` instead.")


def _refuse_seconds(settings: dict[str, Any], where: str) -> None:
    """Refuse a search budget in seconds, at any depth of an agent's settings."""
    for name, value in settings.items():
        if name == "seconds" and value is not None:
            raise ConfigError(
                "a budget in seconds gives other episodes on every machine, and stored episodes are reproducible",
                where=f"{where}.seconds",
                mend="Give the budget in simulations.",
            )
        if isinstance(value, dict):
            _refuse_seconds(value, f"{where}.{name}")


def _without(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _open(out: Path, config: CollectConfig, plan: _Plan) -> EpisodeStore:
    """Return the store of the run, held for writing if something is missing."""
    if not (out / DESCRIPTION_FILE).exists():
        dynamics = {config.world: plan.version}
        return EpisodeStore.create(out, plan.described, config.seed, config.shard_size, dynamics)
    store = EpisodeStore.open(out, empty_ok=True)
    if config.episodes is None or len(store) < config.episodes:
        store.hold()
    return store


def _collect_missing(
    store: EpisodeStore, config: CollectConfig, plan: _Plan, advance: Advance, stop: Callable[[], bool]
) -> bool:
    """Collect what is missing, and keep the log; returns whether the time was spent before that was all."""
    log = Log(store.directory / LOG_FILE)

    def tell(text: str) -> None:
        say(f"collect: {text}")
        log(text)

    wanted = config.episodes or "as many episodes as time allows"
    log(
        f"begins with {len(store)} of {wanted}: {config.agent.name} in {config.world}, {config.executor} executor, "
        f"{config.workers} worker(s)"
    )
    try:
        with closing(_executor(config, plan.lives, tell)) as executor:
            tally = Tally(
                None if config.episodes is None else config.episodes - len(store), advance, log, tell
            )
            rounds = None
            if state_class(config.agent.name) is not None:
                rounds = Rounds(store, config.agent.name, plan.settings, config.round_size)
            extent = Extent(config.episodes, config.time_budget_s)
            collection = Collection(store, executor, extent, rounds, tally, stop)
            collection.run()
            tally.log_line()
    except KeyboardInterrupt:
        tell(f"interrupted; {len(store)} episodes are committed, and the same command continues")
        raise
    except BaseException as error:
        log(f"ends with {len(store)} episodes by {type(error).__name__}: {error}")
        raise
    log(f"ends with {len(store)} episodes" + (", out of time" if collection.out_of_time else ""))
    return collection.out_of_time


def _give_back(store: EpisodeStore) -> None:
    """Take back what a run wrote whose settings were at fault: the mended one, another configuration, can have the directory."""
    shutil.rmtree(store.directory / "shards")
    for name in (LOG_FILE, DESCRIPTION_FILE, RECORD):
        (store.directory / name).unlink(missing_ok=True)


def _executor(config: CollectConfig, lives: Lives, tell: Say) -> Executor:
    if config.executor == "ray":
        from worldschool.experience.running.ray_executor import RayActors

        return RayActors(lives, config.workers, config.ray_address, tell)
    return Here(lives) if config.workers == 1 else Processes(lives, config.workers, tell)
