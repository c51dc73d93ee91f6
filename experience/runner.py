"""The collecting runner: lets an agent live episodes in a world and commits them shard by shard.

Episode i of a run depends on (run seed, i) alone, so that one worker or many, in one go or resumed after a kill, give
the same episodes.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from worldschool.agents.base import agent_config, make_agent
from worldschool.canonical import canonical_json, short_digest
from worldschool.config import Config
from worldschool.envs import World, make
from worldschool.errors import ConfigError, WorldschoolError
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.store import EpisodeStore
from worldschool.progress import Advance, progress
from worldschool.records import Episode, Split
from worldschool.runs import claim_output

EXECUTION_FIELDS = ("workers", "strict")
"""How a run is carried out: the same run may be continued with others."""
EXTENT_FIELDS = ("episodes", "shard_size")
"""How much is kept and in what pieces: with the above, what an episode's id does not depend on."""


class AgentSettings(Config):
    """Which agent acts, and its own settings."""

    name: str = "random"
    """A name from the table of agents (`worldschool.agents.base.AGENTS`)."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The agent's configuration; what it leaves out has the agent's defaults."""


class CollectConfig(Config):
    """What to collect."""

    world: str = "worldschool/Household-v0"
    """Registered id of the world."""
    world_config: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the world, without `split`."""
    agent: AgentSettings = AgentSettings()
    """Who acts."""
    episodes: int = Field(ge=1)
    """How many episodes the dataset will hold."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """The run seed; with an episode's index it fixes everything in that episode."""
    shard_size: int = Field(default=32, ge=1)
    """Episodes in a shard: what is written at once, and what a kill can lose at most for each worker."""
    workers: int = Field(default=1, ge=1)
    """Processes that act; the episodes are the same whatever their number."""
    split: Split = "train"
    """Which worlds the episodes are lived in; the splits share no world."""
    strict: bool = False
    """Stop at the first episode that fails, instead of recording its error and going on."""


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
    """

    episodes: int
    new_episodes: int
    success_rate: float
    steps: int
    errors: int
    seconds: float


def episode_seeds(run_seed: int, index: int) -> tuple[int, int]:
    """Return the seeds of an episode's world and of its agent, both in [0, 2**63).

    The world's is SeedSequence([run_seed, index]).generate_state(1, uint64)[0] >> 1; the agent's comes from that
    sequence's first child, so the agent's choices are independent of the world's.
    """
    sequence = np.random.SeedSequence([run_seed, index])
    (child,) = sequence.spawn(1)
    world, agent = (int(part.generate_state(1, np.uint64)[0]) >> 1 for part in (sequence, child))
    return world, agent


def collect(config: CollectConfig, out: Path | str, on_progress: Advance | None = None) -> CollectReport:
    """Collect the episodes that `out` does not hold yet, and commit them shard by shard.

    Args:
        config: what to collect.
        out: the dataset directory; a run of the same configuration is continued.
        on_progress: told of every episode; None shows a progress bar on standard error.

    Raises:
        ConfigError, WorldError: the configuration does not fit the agent or the world.
        OutputError: `out` belongs to another configuration.
        KeyboardInterrupt: passed on; the committed shards stay and the same call continues.
    """
    started = time.monotonic()
    out = Path(out)
    resolved, version = _resolve(config)
    claim_output(out, "collect", _without(resolved, EXECUTION_FIELDS), config.seed)
    if (out / "dataset.json").exists():
        store = EpisodeStore.open(out, empty_ok=True)
    else:
        described = _without(resolved, EXECUTION_FIELDS)
        store = EpisodeStore.create(out, described, config.seed, config.shard_size, {config.world: version})
    job = _Job(
        config.world,
        resolved["world_config"],
        config.agent.name,
        resolved["agent"]["settings"],
        config.split,
        config.seed,
        short_digest(_without(resolved, EXECUTION_FIELDS + EXTENT_FIELDS)),
        config.strict,
    )
    before = len(store)
    bar = progress("collect", config.episodes, "episodes", before) if on_progress is None else None
    with bar or nullcontext(on_progress) as advance:
        assert advance is not None
        _commit_missing(store, job, config, advance)
    totals = store.totals()
    return CollectReport(
        episodes=totals.episodes,
        new_episodes=totals.episodes - before,
        success_rate=totals.successes / totals.episodes,
        steps=totals.steps,
        errors=totals.errors,
        seconds=time.monotonic() - started,
    )


def _resolve(config: CollectConfig) -> tuple[dict[str, Any], str]:
    """Return the configuration with every default filled in, and the version of the world's dynamics."""
    if "split" in config.world_config:
        raise ConfigError("the split is given twice", where="world_config.split", mend="Set `split` instead.")
    settings = agent_config(config.agent.name, config.agent.settings, "agent")
    world = make(config.world, **config.world_config, split=config.split)
    resolved = config.to_json()
    resolved["agent"]["settings"] = settings.to_json()
    resolved["world_config"] = world.config
    return resolved, world.version


def _without(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _commit_missing(store: EpisodeStore, job: _Job, config: CollectConfig, advance: Advance) -> None:
    size, committed = config.shard_size, set(store.committed_shards())
    shards = {
        k: range(first, min(first + size, config.episodes))
        for k, first in enumerate(range(0, config.episodes, size))
        if k not in committed
    }
    source = _in_workers(job, shards, config.workers) if config.workers > 1 else _here(job, shards)
    collected: dict[int, list[Episode]] = {k: [] for k in shards}
    successes = 0
    with closing(source):  # an interrupt stops the workers here and now
        for done, (k, episode) in enumerate(source, start=1):
            collected[k].append(episode)
            if len(collected[k]) == len(shards[k]):
                store.commit_shard(k, collected.pop(k))
            successes += episode.success
            advance(1, f"{successes / done:.0%} succeeded")


@dataclass(frozen=True)
class _Job:
    """What a worker needs to live any episode of a run; plain values, so that it travels to other processes."""

    world: str
    world_config: dict[str, Any]
    agent: str
    agent_settings: dict[str, Any]
    split: Split
    run_seed: int
    digest: str
    strict: bool

    def episodes(self, indices: range) -> Iterator[Episode]:
        """Live the episodes with these indices, in order."""
        settings = agent_config(self.agent, self.agent_settings, "agent")
        written = canonical_json(settings.to_json())
        world: World | None = None
        for index in indices:
            world = world or make(self.world, **self.world_config)
            world_seed, agent_seed = episode_seeds(self.run_seed, index)
            episode_id = f"{self.digest}-{self.run_seed:016x}-{index:08d}"
            label = EpisodeLabel(
                episode_id, self.run_seed, index, world_seed, self.agent, written, self.split
            )
            agent = make_agent(self.agent, settings, world, agent_seed)
            episode = record_episode(world, agent, label, strict=self.strict)
            if episode.error is not None:
                world = None  # a world that failed may be left in any state
            yield episode


def _here(job: _Job, shards: dict[int, range]) -> Generator[tuple[int, Episode]]:
    for k, indices in shards.items():
        for episode in job.episodes(indices):
            yield k, episode


def _in_workers(job: _Job, shards: dict[int, range], workers: int) -> Generator[tuple[int, Episode]]:
    """Yield (shard, episode) as worker processes finish them; the episodes of one shard come in order.

    Raises:
        WorldschoolError: a worker failed or was killed.
    """
    context = multiprocessing.get_context("spawn")
    waiting = iter(shards.items())
    processes: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(min(workers, len(shards))):
            ours, theirs = context.Pipe()
            processes[ours] = context.Process(target=_work, args=(job, theirs), daemon=True)
            processes[ours].start()
            theirs.close()  # the worker has the only other end: its death is seen as an end of file
            ours.send(next(waiting))
        idle = 0
        while idle < len(processes):
            for link in wait(list(processes)):
                assert isinstance(link, Connection)
                k, told = _receive(link, processes[link])
                if told is not None:
                    yield k, told
                elif (following := next(waiting, None)) is not None:
                    link.send(following)
                else:
                    idle += 1
    finally:
        for link, process in processes.items():
            link.close()
            if process.pid is not None:  # an interrupt may fall between making a process and starting it
                process.terminate()
                process.join()


def _receive(link: Connection, process: BaseProcess) -> tuple[int, Episode | None]:
    try:
        k, told = link.recv()
    except (EOFError, ConnectionError):
        process.join()
        raise WorldschoolError(
            f"a collecting worker died (exit code {process.exitcode}); committed shards are safe, and the same command "
            "continues"
        ) from None
    if isinstance(told, str):
        raise WorldschoolError(f"a collecting worker failed in shard {k}:\n{told}")
    return k, told


def _work(job: _Job, link: Connection) -> None:
    """Live the shards that the coordinator sends; answers (k, episode) for each episode and (k, None) at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the coordinator decides
    while True:
        try:
            k, indices = link.recv()
            try:
                for episode in job.episodes(indices):
                    link.send((k, episode))
            except ConnectionError:
                raise
            except Exception:  # noqa: BLE001 (told to the coordinator, which raises)
                link.send((k, traceback.format_exc()))
                return
            link.send((k, None))
        except (EOFError, ConnectionError):
            return  # the coordinator is gone; nothing of ours is wanted any more
