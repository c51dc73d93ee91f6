from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from worldschool.config import load_config
from worldschool.errors import ConfigError, OutputError, WorldError, WorldschoolError
from worldschool.experience import runner
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.runner import CollectConfig, collect, episode_seeds
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent

PRESETS = sorted((Path(__file__).parents[2] / "configs" / "collect").glob("*.yaml"))
HOUSEHOLD = {"world_config": {"characters": 2, "control": "all", "max_steps": 6}}

needs_household = pytest.mark.skipif(
    importlib.util.find_spec("worldschool.envs.household.env") is None,
    reason="the household is not built yet",
)


def corridor(**changes: Any) -> CollectConfig:
    values = {
        "world": "worldschool/Corridor-v0",
        "world_config": {"max_steps": 12},
        "episodes": 7,
        "shard_size": 3,
    }
    return CollectConfig.model_validate({**values, **changes})


def label(**changes: Any) -> EpisodeLabel:
    return EpisodeLabel(**{**LABEL, **changes})


LABEL: dict[str, Any] = {
    "episode_id": "x",
    "run_seed": 0,
    "index": 0,
    "seed": 3,
    "agent": "scripted",
    "agent_config": "{}",
    "split": "train",
}


class Scripted:
    """An agent that says what it was told to say; an exception in the list is raised."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)

    def reset(self, goal: Any, info: dict[str, Any]) -> None:
        self.goal = goal

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        if not self.script:
            return None
        action = self.script.pop(0)
        if isinstance(action, BaseException):
            raise action
        return action


def test_seeds_are_the_documented_ones() -> None:
    expected = int(np.random.SeedSequence([5, 9]).generate_state(1, np.uint64)[0]) >> 1
    world, agent = episode_seeds(5, 9)
    assert world == expected and type(world) is int and 0 <= agent < 2**63 and agent != world
    everyone = {seed for index in range(500) for seed in episode_seeds(5, index)}
    assert len(everyone) == 1000


def test_an_episode_records_what_happened(fake_world_class: Any) -> None:
    world = fake_world_class(length=2)
    first, _ = world.reset(seed=3)
    start = world.snapshot().position
    legal = len(world.legal_actions())
    episode = record_episode(world, Scripted("wait", "fly"), label())
    assert (episode.initial_observation, episode.initial_state_hash) == (first, start)
    assert [step.action for step in episode.steps] == ["wait", "fly"]
    assert episode.steps[0].legal_actions == legal and episode.length == 2
    assert episode.steps[1].state_hash == world.snapshot().position
    assert [event.verb for event in episode.events] == ["wait"]
    assert episode.goal == "Open the chest." and episode.goal_predicates == '[["STATE:open","chest",null]]'
    assert not (episode.terminated or episode.truncated or episode.success) and episode.error is None
    assert episode.entities == world.entities()


def test_an_episode_that_reaches_its_goal_is_a_success(registered_fake: str, tmp_path: Path) -> None:
    report = collect(corridor(agent={"name": "mcts"}, episodes=4), tmp_path, silent)
    assert report.success_rate == 1.0 and report.errors == 0 and report.episodes == 4
    for episode in EpisodeStore.open(tmp_path):
        assert episode.success and episode.terminated and episode.return_ == 1.0


def test_a_stored_episode_can_be_lived_again(registered_fake: str, fakes: Any, tmp_path: Path) -> None:
    collect(corridor(world_config={"cat": True, "max_steps": 12}), tmp_path, silent)
    for episode in EpisodeStore.open(tmp_path):
        world = fakes.CorridorWorld(**json.loads(episode.world_config))
        observation, _ = world.reset(seed=episode.seed)
        assert observation == episode.initial_observation
        for step in episode.steps:
            assert len(world.legal_actions()) == step.legal_actions
            observation, reward, _, _, info = world.step(step.action)
            assert (observation, reward, info["events"]) == (step.observation, step.reward, step.events)
            assert world.snapshot().position == step.state_hash


def test_ids_name_configuration_seed_and_index(registered_fake: str, tmp_path: Path) -> None:
    def ids(name: str, **changes: Any) -> list[str]:
        collect(corridor(**changes), tmp_path / name, silent)
        return [episode.episode_id for episode in EpisodeStore.open(tmp_path / name)]

    plain = ids("a", seed=255)
    digest, seed, index = plain[6].split("-")
    assert len(digest) == 8 and seed == "00000000000000ff" and index == "00000006"
    assert ids("b", seed=255, shard_size=100, strict=True, episodes=9)[:7] == plain
    assert ids("c", seed=255, split="heldout")[0].split("-")[0] != digest


def test_the_content_does_not_depend_on_shards_or_defaults_spelt_out(
    registered_fake: str, tmp_path: Path
) -> None:
    def collected(name: str, **changes: Any) -> str:
        collect(corridor(**changes), tmp_path / name, silent)
        return EpisodeStore.open(tmp_path / name).content_hash()

    expected = collected("a")
    assert collected("b", shard_size=2) == expected
    assert collected("c", shard_size=64) == expected
    assert collected("d", world_config={"max_steps": 12, "cat": False}) == expected
    assert collected("e", agent={"name": "random", "settings": {"verb_weights": {}}}) == expected
    assert collected("f", seed=1) != expected


@needs_household
def test_the_content_does_not_depend_on_workers(tmp_path: Path) -> None:
    values = {**HOUSEHOLD, "episodes": 9, "shard_size": 2, "seed": 3}
    hashes = set()
    for workers in (1, 3):
        out = tmp_path / str(workers)
        collect(CollectConfig.model_validate({**values, "workers": workers}), out, silent)
        store = EpisodeStore.open(out)
        assert store.verify() == [] and len(store) == 9
        hashes.add(store.content_hash())
    assert len(hashes) == 1


def test_a_finished_run_does_nothing_more(registered_fake: str, tmp_path: Path) -> None:
    first = collect(corridor(), tmp_path, silent)
    before = (tmp_path / "manifest.jsonl").read_bytes()
    again = collect(corridor(workers=4, strict=True), tmp_path, silent)
    assert (tmp_path / "manifest.jsonl").read_bytes() == before
    assert first.new_episodes == 7 and again.new_episodes == 0
    assert (again.episodes, again.steps) == (first.episodes, first.steps)


def test_another_configuration_is_refused(registered_fake: str, tmp_path: Path) -> None:
    collect(corridor(), tmp_path, silent)
    for changes in ({"episodes": 8}, {"world_config": {"max_steps": 13}}, {"seed": 1}):
        with pytest.raises(OutputError, match="another configuration"):
            collect(corridor(**changes), tmp_path, silent)


def test_an_interrupt_keeps_what_was_committed_and_the_rest_follows(
    registered_fake: str, tmp_path: Path
) -> None:
    seen = 0

    def interrupt(n: int = 1, note: str = "") -> None:
        nonlocal seen
        seen += n
        if seen == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(corridor(), tmp_path / "a", interrupt)
    assert EpisodeStore.open(tmp_path / "a").committed_shards() == [0]
    assert collect(corridor(), tmp_path / "a", silent).new_episodes == 4
    collect(corridor(), tmp_path / "b", silent)
    stores = [EpisodeStore.open(tmp_path / name) for name in "ab"]
    assert stores[0].content_hash() == stores[1].content_hash()


def test_killed_at_any_time_a_run_is_completed_the_same(
    registered_fake: str, fakes: Any, tmp_path: Path
) -> None:
    script = f"""
        import importlib.util, sys, time
        spec = importlib.util.spec_from_file_location("worldschool_fakes", {fakes.__file__!r})
        sys.modules["worldschool_fakes"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        import worldschool.envs.world as world
        world.WORLDS += (world.WorldSpec("worldschool/Corridor-v0", "worldschool_fakes:CorridorWorld"),)
        from worldschool.experience.runner import CollectConfig, collect
        def slowly(n=1, note=""):
            time.sleep(0.002)
        collect(CollectConfig.model_validate_json(sys.argv[1]), sys.argv[2], slowly)
    """
    config = corridor(episodes=60, shard_size=2)
    out = tmp_path / "killed"
    arguments = [sys.executable, "-c", textwrap.dedent(script), config.model_dump_json(), str(out)]
    for lines in (3, 11):
        process = subprocess.Popen(arguments)
        manifest = out / "manifest.jsonl"
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if manifest.exists() and manifest.read_bytes().count(b"\n") >= lines:
                break
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the run must not have ended by itself"
        assert len(EpisodeStore.open(out)) < 60
    # What a kill between the writes can leave besides: a torn line and a file that no line speaks of.
    with manifest.open("ab") as file:
        file.write(b'{"shard": "0000')
    (out / "shards" / "000029.parquet").write_bytes(b"half")
    collect(config, out, silent)
    collect(config, tmp_path / "whole", silent)
    killed, whole = EpisodeStore.open(out), EpisodeStore.open(tmp_path / "whole")
    assert killed.verify() == [] and len(killed) == 60
    assert killed.content_hash() == whole.content_hash()


def test_a_run_killed_before_its_first_shard_begins_again(registered_fake: str, tmp_path: Path) -> None:
    def die(n: int = 1, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(corridor(), tmp_path, die)
    (tmp_path / "dataset.json").unlink()
    assert collect(corridor(), tmp_path, silent).episodes == 7


def test_a_failing_world_is_recorded_and_does_not_stop_the_run(registered_fake: str, tmp_path: Path) -> None:
    config = corridor(world_config={"fail_at": 2})
    report = collect(config, tmp_path, silent)
    assert report.errors == report.episodes == 7 and report.success_rate == 0.0
    for episode in EpisodeStore.open(tmp_path):
        assert episode.error == "ZeroDivisionError: the corridor collapsed"
        assert episode.length == len(episode.steps) == 2 and not episode.success
    with pytest.raises(ZeroDivisionError):
        collect(config.model_copy(update={"strict": True}), tmp_path / "strict", silent)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ValueError("at 0x7f00beef"), "ValueError: at 0x..."),
        ("say \ud800", "UnicodeEncodeError: 'utf-8' codec can't encode character"),
        (RuntimeError("\udcff"), r"RuntimeError: \udcff"),
    ],
)
def test_a_failing_agent_is_recorded(fake_world_class: Any, failure: Any, told: str) -> None:
    episode = record_episode(fake_world_class(), Scripted("wait", failure), label())
    assert episode.error is not None and episode.error.startswith(told)
    assert episode.length == 1 and not episode.success
    episode.error.encode()


def test_a_world_that_cannot_be_reset_is_recorded(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, **kwargs: Any) -> None:
        raise OSError("no house today")

    monkeypatch.setattr(fake_world_class, "reset", broken)
    episode = record_episode(fake_world_class(), Scripted(), label())
    assert episode.error == "OSError: no house today" and episode.steps == () and episode.entities == ()


def test_rewards_that_no_file_holds_are_failures(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = fake_world_class.step
    monkeypatch.setattr(
        fake_world_class,
        "step",
        lambda self, action: (step(self, action)[0], float("nan"), *step(self, "wait")[2:]),
    )
    episode = record_episode(fake_world_class(goal="none"), Scripted("wait"), label())
    assert episode.error == "ValueError: the world gave the reward nan"


@needs_household
def test_a_worker_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = runner._receive

    def kill_first(link: Any, process: Any) -> Any:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        while link.poll():
            receive(link, process)
        raise AssertionError("an end of file was expected")

    monkeypatch.setattr(runner, "_receive", kill_first)
    config = CollectConfig.model_validate({**HOUSEHOLD, "episodes": 4, "shard_size": 2, "workers": 2})
    with pytest.raises(WorldschoolError, match="worker died.*same command continues"):
        collect(config, tmp_path, silent)


def test_settings_are_checked_before_anything_is_written(registered_fake: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="simulatoins"):
        collect(corridor(agent={"name": "mcts", "settings": {"simulatoins": 3}}), out, silent)
    with pytest.raises(ConfigError, match="no agent 'mtcs'"):
        collect(corridor(agent={"name": "mtcs"}), out, silent)
    with pytest.raises(ConfigError, match="split is given twice"):
        collect(corridor(world_config={"split": "train"}), out, silent)
    with pytest.raises(WorldError, match="colour"):
        collect(corridor(world_config={"colour": "red"}), out, silent)
    with pytest.raises(WorldError, match="no world"):
        collect(corridor(world="worldschool/Corridor-v9"), out, silent)
    assert not out.exists()


@pytest.mark.parametrize(
    "override", ["episodes=0", "workers=0", "seed=-1", "shard_size=0", "split=test", "agent.nam=x", "sed=1"]
)
def test_bad_values_are_configuration_errors(override: str) -> None:
    with pytest.raises(ConfigError, match=override.split("=")[0]):
        load_config(CollectConfig, None, ["episodes=1", override])


@needs_household
@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_every_preset_runs(preset: Path, tmp_path: Path) -> None:
    config = load_config(CollectConfig, preset, ["episodes=2"])
    report = collect(config, tmp_path, silent)
    assert report.episodes == 2 and report.errors == 0 and report.steps > 0


def test_the_bar_tells_the_success_rate(registered_fake: str, tmp_path: Path, capsys: Any) -> None:
    collect(corridor(agent={"name": "mcts"}, episodes=3), tmp_path)
    assert "collect: 3/3 episodes" in (told := capsys.readouterr()).err and "100% succeeded" in told.err
    assert told.out == ""
