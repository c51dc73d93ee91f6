from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from worldschool.errors import ConfigError, OutputError
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.running.rounds import Rounds
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Episode

pytestmark = pytest.mark.usefixtures("collecting_fakes", "no_fsync")


def learning(**changes: Any) -> CollectConfig:
    values = {
        "world": "worldschool/Corridor-v0",
        "world_config": {"max_steps": 8, "cat": True},
        "agent": {"name": "learner"},
        "episodes": 22,
        "shard_size": 2,
        "round_size": 4,
    }
    return CollectConfig.model_validate({**values, **changes})


def collected(out: Path, **changes: Any) -> str:
    collect(learning(**changes), out, silent)
    store = EpisodeStore.open(out)
    assert store.verify() == []
    return store.content_hash()


def interrupted(out: Path, after: int) -> None:
    seen = 0

    def interrupt(n: int = 1, note: str = "") -> None:
        nonlocal seen
        seen += n
        if seen == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(learning(), out, interrupt)


def whole(tmp_path: Path) -> str:
    return collected(tmp_path / "whole")


def test_every_episode_is_lived_with_the_state_of_its_round(
    collecting_fakes: ModuleType, tmp_path: Path
) -> None:
    collect(learning(), tmp_path, silent)
    episodes = list(EpisodeStore.open(tmp_path))
    goals = [goal.text for goal in collecting_fakes.GOALS]
    assert [episode.goal for episode in episodes] == [goals[index // 4 % 3] for index in range(22)]
    state: Any = collecting_fakes.Learned.begin(None)
    for first in range(0, 20, 4):
        state = state.after(episodes[first : first + 4])
    kept = sorted((tmp_path / "rounds").iterdir())
    assert [path.name for path in kept] == ["000004.json", "000005.json"]
    assert json.loads(kept[1].read_text())["state"] == state.to_json()


def test_the_content_depends_on_rounds_but_not_on_shards(tmp_path: Path) -> None:
    hashes = {size: collected(tmp_path / str(size), shard_size=size) for size in (1, 2, 4)}
    assert len(set(hashes.values())) == 1
    assert collected(tmp_path / "eight", round_size=8) not in hashes.values()
    ids = [next(iter(EpisodeStore.open(tmp_path / name))).episode_id for name in ("1", "4", "eight")]
    assert ids[0] == ids[1] != ids[2]


def test_interrupted_anywhere_the_episodes_are_the_same(tmp_path: Path) -> None:
    expected = whole(tmp_path)
    for after in (1, 4, 6, 9, 21):
        interrupted(tmp_path / str(after), after)
        assert collected(tmp_path / str(after)) == expected, after


def edit_state(path: Path, what: str) -> None:
    if what == "deleted":
        path.unlink()
        return
    if what == "torn":
        path.write_bytes(path.read_bytes()[:40])
        return
    if what == "not JSON values":
        path.write_text("[3]")
        return
    values = json.loads(path.read_text())
    if what == "another state":
        values["state"]["done"]["wait"] = 1000
    elif what == "of another dataset":
        values["learned_from"] = "0" * 64
    else:
        values["package_version"] = "0.0.1"
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    "what",
    ["deleted", "torn", "not JSON values", "another state", "of another dataset", "of another release"],
)
def test_a_state_that_does_not_fit_the_store_is_made_again(what: str, tmp_path: Path) -> None:
    expected = whole(tmp_path)
    out = tmp_path / "out"
    interrupted(out, 13)
    before = sorted((out / "rounds").iterdir())
    kept = [path.read_text() for path in before]
    for path in before:
        edit_state(path, what)
    assert collected(out) == expected
    interrupted(tmp_path / "again", 13)
    assert [path.read_text() for path in sorted((tmp_path / "again" / "rounds").iterdir())] == kept


def test_a_kept_state_is_used(
    collecting_fakes: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(tmp_path / "out", 17)
    learned_from: list[int] = []
    after = collecting_fakes.Learned.after

    def watched(self: Any, episodes: tuple[Episode, ...]) -> Any:
        learned_from.extend(episode.index for episode in episodes)
        return after(self, episodes)

    monkeypatch.setattr(collecting_fakes.Learned, "after", watched)
    collect(learning(), tmp_path / "out", silent)
    assert learned_from == [16, 17, 18, 19], "rounds 0 to 3 were kept"


def test_a_lost_shard_is_lived_again_with_what_was_known_then(tmp_path: Path) -> None:
    expected = whole(tmp_path)
    out = tmp_path / "whole"
    manifest = (out / "manifest.jsonl").read_text().splitlines(keepends=True)
    (out / "manifest.jsonl").write_text("".join(manifest[:3] + manifest[4:]))
    (out / "shards" / "000003.parquet").unlink()
    assert collected(out) == expected


def test_a_state_goes_through_its_text_always(
    collecting_fakes: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        collecting_fakes.Learned,
        "to_json",
        lambda self: {"rounds": self.rounds, "done": dict(sorted(self.done.items())[:2])},
    )
    expected = whole(tmp_path)
    shutil.copytree(tmp_path / "whole", tmp_path / "copy")
    store = EpisodeStore.open(tmp_path / "copy")
    rounds = Rounds(store, "learner", collecting_fakes.LearnerConfig(), 4)
    assert len(json.loads(rounds.state(5))["done"]) == 2
    interrupted(tmp_path / "out", 9)
    assert collected(tmp_path / "out") == expected


def test_a_full_disk_is_told_and_the_same_call_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with (
        monkeypatch.context() as patch,
        pytest.raises(OutputError, match="the disk is full.*The 4 committed episodes are safe"),
    ):
        patch.setattr("worldschool.experience.running.rounds.write_json", full)
        collect(learning(), tmp_path / "out", silent)
    assert collected(tmp_path / "out") == whole(tmp_path)


def test_rounds_are_whole_shards(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"round_size: .*4 is no multiple of shard_size 3.*1, 2, 4"):
        collect(learning(shard_size=3), tmp_path / "out", silent)
    assert not (tmp_path / "out").exists()


def test_the_size_of_rounds_belongs_to_the_run_of_an_agent_that_learns(tmp_path: Path) -> None:
    collected(tmp_path / "a", episodes=4)
    with pytest.raises(OutputError, match="round_size: 4 -> 8"):
        collect(learning(episodes=4, round_size=8), tmp_path / "a", silent)
    collected(tmp_path / "b", episodes=4, agent={"name": "random"})
    assert (
        collect(learning(episodes=4, round_size=7, agent={"name": "random"}), tmp_path / "b").new_episodes
        == 0
    )
