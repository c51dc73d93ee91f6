from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from worldschool.agents.base import agent_config
from worldschool.cli.main import app
from worldschool.envs import make
from worldschool.experience.replay import (
    Difference,
    Replayer,
    ReplayReport,
    replay_dataset,
    replay_episode,
    replayed,
)
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.running.lives import Lives
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Episode, Event, Step

pytestmark = pytest.mark.usefixtures("collecting_fakes")
Edit = Callable[[Episode], Episode]


def lives(agent: str = "random", **world: Any) -> Lives:
    """The corridor, with a cat that the world's generator moves."""
    config = make("worldschool/Corridor-v0", **{"max_steps": 9, "cat": True, **world}).config
    settings = agent_config(agent, {}).to_json()
    return Lives("worldschool/Corridor-v0", config, agent, settings, "train", 7, "0123abcd", strict=False)


def lived(agent: str = "random", index: int = 0, state: Any = None, **world: Any) -> Episode:
    text = None if state is None else json.dumps(state)
    return lives(agent, **world).begin()(index, text)


def fields(episode: Episode) -> list[tuple[int | None, str]]:
    return [(found.step, found.field) for found in replay_episode(episode)]


def with_step(episode: Episode, t: int, **changes: Any) -> Episode:
    steps = list(episode.steps)
    steps[t] = replace(steps[t], **changes)
    return replace(episode, steps=tuple(steps))


def with_event(step: Step, **changes: Any) -> tuple[Event, ...]:
    return (replace(step.events[0], **changes), *step.events[1:])


@pytest.mark.parametrize("agent", ["random", "mcts", "learner"])
def test_what_was_lived_passes(agent: str) -> None:
    begin = lives(agent).begin()
    replayer = Replayer()
    for index in range(25):
        state = {"rounds": index, "done": {"wait": index}} if agent == "learner" else None
        episode = begin(index, state and json.dumps(state))
        assert episode.error is None
        assert replayer.replay(Episode.from_json(episode.to_json())) == []


EDITS: dict[str, Edit] = {
    "seed": lambda e: replace(e, seed=e.seed ^ 1),
    "run_seed": lambda e: replace(e, run_seed=8),
    "goal": lambda e: replace(e, goal="Do as you like."),
    "goal_predicates": lambda e: replace(e, goal_predicates='[["HOLDS","Mary","key"]]'),
    "initial_observation": lambda e: replace(e, initial_observation=e.initial_observation + " "),
    "initial_state_hash": lambda e: replace(e, initial_state_hash="0" * 32),
    "initial_facts": lambda e: replace(e, initial_facts=e.initial_facts[1:]),
    "entities": lambda e: replace(e, entities=e.entities[::-1]),
    "world_config": lambda e: replace(e, world_config=e.world_config.replace('"length":4', '"length":5')),
    "terminated": lambda e: replace(e, terminated=not e.terminated),
    "truncated": lambda e: replace(e, truncated=not e.truncated),
    "success": lambda e: replace(e, success=not e.success),
    "return": lambda e: replace(e, return_=e.return_ + 0.5),
    "length": lambda e: replace(e, length=e.length + 1),
    "a step less": lambda e: replace(e, steps=e.steps[:-1], length=e.length - 1),
    "a step more": lambda e: replace(e, steps=(*e.steps, e.steps[-1]), length=e.length + 1),
    "steps exchanged": lambda e: replace(e, steps=(e.steps[1], e.steps[0], *e.steps[2:])),
}
STEP_EDITS: dict[str, Callable[[Step], dict[str, Any]]] = {
    "action": lambda step: {"action": "wait" if step.action != "wait" else "walk to room 2"},
    "observation": lambda step: {"observation": step.observation.replace("Mary", "Anna")},
    "reward": lambda step: {"reward": step.reward + 1e-9},
    "state_hash": lambda step: {"state_hash": step.state_hash[::-1]},
    "legal_actions": lambda step: {"legal_actions": step.legal_actions + 1},
    "events": lambda step: {"events": ()},
    "an event's object": lambda step: {"events": with_event(step, object="lamp")},
    "an event's witness": lambda step: {"events": with_event(step, seen_by=("Mary", "Anna"))},
}


@pytest.mark.parametrize("sealed", [False, True], ids=["digest kept", "digest made anew"])
@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_the_row_is_found(what: str, sealed: bool) -> None:
    for index in range(4):
        edited = EDITS[what](lived(index=index))
        found = fields(edited.sealed() if sealed else edited)
        assert found, (what, index)
        if not sealed:
            assert found[0] == (None, "digest")
        elif what in (
            "initial_observation",
            "initial_state_hash",
            "initial_facts",
            "entities",
            "success",
            "length",
        ):
            assert found == [(None, what)]


@pytest.mark.parametrize("what", STEP_EDITS)
def test_an_edit_of_any_step_is_found_there(what: str) -> None:
    episode = lived(index=3)
    for t, step in enumerate(episode.steps):
        edited = with_step(episode, t, **STEP_EDITS[what](step))
        assert fields(edited)[0] == (None, "digest")
        found = fields(edited.sealed())
        assert found and found[0][0] == t, (what, t)
        if what in ("observation", "reward", "state_hash", "legal_actions"):
            assert (t, what) in found


def test_another_spelling_that_does_the_same_is_found_by_the_digest_alone(fake_world_class: Any) -> None:
    episode = lived()
    nothing = with_step(episode, 0, action="fly")
    world = fake_world_class(**json.loads(episode.world_config))
    world.reset(seed=episode.seed)
    legal = len(world.legal_actions())
    observation, reward, *_ = world.step("fly")
    told = with_step(nothing, 0, observation=observation, reward=reward, legal_actions=legal, events=())
    told = with_step(told, 0, state_hash=world.snapshot().position)
    honest = replace(told, steps=told.steps[:1], length=1, truncated=False, terminated=False).sealed()
    assert replay_episode(honest) == []
    edited = with_step(honest, 0, action="flee")
    assert fields(edited) == [(None, "digest")]
    assert replay_episode(edited.sealed()) == [], (
        "who can also make the digest anew has changed nothing that happened"
    )


def test_another_version_is_named_and_not_executed(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = replace(lived(), world_version="0").sealed()
    monkeypatch.setattr(fake_world_class, "reset", lambda self, seed: pytest.fail("it was executed"))
    (found,) = replay_episode(episode)
    assert (found.field, found.stored, found.replayed) == ("world_version", "0", "1")
    (unknown,) = replay_episode(replace(episode, world="worldschool/Atlantis-v0", digest=""))
    assert (
        unknown.field == "world_config" and "there is no world 'worldschool/Atlantis-v0'" in unknown.replayed
    )
    for config in ("{", '{"colour": 3}', "[]"):
        (broken,) = replay_episode(replace(episode, world_version="1", world_config=config, digest=""))
        assert broken.field == "world_config"


def test_the_world_that_is_kept_does_not_hide_another_version(collecting_fakes: ModuleType) -> None:
    replayer = Replayer()
    episode = lived()
    assert replayer.replay(episode) == []
    assert [found.field for found in replayer.replay(replace(episode, world_version="9").sealed())] == [
        "world_version"
    ]
    assert replayer.replay(episode) == []


def test_a_failed_episode_is_executed_to_where_it_failed(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = lived(fail_at=2)
    assert episode.error is not None and episode.length == 2
    assert replay_episode(episode) == []
    assert fields(replace(episode, success=True).sealed()) == [(None, "success")]
    assert fields(with_step(episode, 1, reward=3.0).sealed()) == [(1, "reward")]

    def broken(self: Any, seed: int) -> None:
        raise OSError("no house today")

    monkeypatch.setattr(fake_world_class, "reset", broken)
    never_begun = lived()
    assert never_begun.error == "OSError: no house today" and replay_episode(never_begun) == []
    assert fields(lived(goal="none")) == []
    assert fields(episode) == [(None, "error")]


def test_a_row_from_before_the_digest_passes() -> None:
    assert replay_episode(replace(lived(), digest="")) == []


def test_a_difference_says_where_and_what() -> None:
    long = "".join(chr(ord("a") + n % 26) for n in range(500))
    told = str(
        Difference("abc-1", 12, 3, "observation", long[:400] + "!" + long[401:], long, "walk to room 2")
    )
    assert told.startswith("episode 12 (abc-1), step 3 ('walk to room 2'): observation is stored as '...")
    assert "ghij!lmn" in told and "ghijklmn" in told and told.endswith("...'.") and len(told) < 400
    whole = str(Difference("abc-1", 12, None, "seed", "3", "4"))
    assert whole == "episode 12 (abc-1): seed is stored as '3', replayed it is '4'."
    version = str(Difference("abc-1", 12, None, "world_version", "3", "4"))
    assert "version 3 of the world's dynamics and this release has 4" in version


def test_a_report_is_told_in_words() -> None:
    many = tuple(Difference(str(n), n, None, "seed", "3", "4") for n in range(25))
    lines = replayed(ReplayReport((), 30, 3000, many)).splitlines()
    assert len(lines) == 22 and lines[20] == "and 5 more differences"
    assert lines[21] == "30 episodes, 3,000 steps executed again: 25 are not as stored"
    assert replayed(ReplayReport((), 30, 300, ())) == "30 episodes, 300 steps executed again: all as stored"
    assert "nothing was executed" in replayed(ReplayReport(("shard 3 is torn",), 0, 0, ()))


def corridor(**changes: Any) -> CollectConfig:
    values = {
        "world": "worldschool/Corridor-v0",
        "world_config": {"max_steps": 8},
        "episodes": 6,
        "shard_size": 2,
    }
    return CollectConfig.model_validate({**values, **changes})


def test_a_dataset_is_replayed(tmp_path: Path) -> None:
    collect(corridor(), tmp_path / "a", silent)
    store = EpisodeStore.open(tmp_path / "a")
    notes: list[str] = []
    report = replay_dataset(store, on_progress=lambda n=1, note="": notes.append(note))
    assert report.passed and report.episodes == 6 and report.steps == store.totals().steps
    assert notes == ["0 differ"] * 6
    edited = [replace(e, seed=e.seed + (e.index == 3)).sealed() for e in store]
    other = EpisodeStore.create(tmp_path / "b", {}, 0, 6)
    other.commit_shard(0, edited)
    report = replay_dataset(EpisodeStore.open(tmp_path / "b"))
    assert not report.passed and not report.damaged and report.episodes == 6
    assert {found.index for found in report.differences} == {3}
    assert report.differences[0].field == "seed"


def test_bytes_are_checked_before_anything_is_executed(
    fake_world_class: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(corridor(), tmp_path, silent)
    shard = tmp_path / "shards" / "000001.parquet"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    monkeypatch.setattr(fake_world_class, "reset", lambda self, seed: pytest.fail("it was executed"))
    report = replay_dataset(EpisodeStore.open(tmp_path))
    assert not report.passed and report.episodes == 0 and "000001.parquet" in report.damaged[0]


def test_the_command_verifies_bytes_and_replays(tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["verify", str(tmp_path / "a"), *arguments])
        return result.exit_code, result.stdout

    collect(corridor(), tmp_path / "a", silent)
    code, told = run("--replay")
    assert code == 0 and "6 episodes" in told and "executed again: all as stored" in told
    assert "executed again" not in run()[1]
    store = EpisodeStore.open(tmp_path / "a")
    edited = [replace(e, seed=e.seed + (e.index == 3)).sealed() for e in store]
    shutil.rmtree(tmp_path / "a")
    with EpisodeStore.create(tmp_path / "a", {}, 0, 6) as other:
        other.commit_shard(0, edited)
    assert run()[0] == 0, "the bytes are as they were written"
    code, told = run("--replay")
    assert code == 2 and "episode 3" in told and "1 are not as stored" in told
    code, told = run("--replay", "--json")
    found = json.loads(told)
    assert code == 2 and not found["ok"] and found["replay"]["differences"][0]["field"] == "seed"


@pytest.mark.skipif(
    importlib.util.find_spec("worldschool.envs.household.env") is None,
    reason="the household is not built yet",
)
def test_a_household_is_replayed_in_workers(tmp_path: Path) -> None:
    world = {"characters": 2, "max_steps": 8, "goal": "random", "wording": "varied"}
    config = CollectConfig.model_validate({"world_config": world, "episodes": 6, "shard_size": 3})
    collect(config, tmp_path, silent)
    store = EpisodeStore.open(tmp_path)
    assert replay_dataset(store, workers=2).passed
    episode = next(iter(store))
    spelt = with_step(episode, 0, action=episode.steps[0].action.upper())
    assert fields(spelt) == [(None, "digest")]
