"""The commands about datasets, run as a user runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.experience.stored_episodes import episode, filled
from worldschool.cli.main import main
from worldschool.experience.store import EpisodeStore


class Commands:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return int(stopped.value.code or 0), out, err

    def json(self, *arguments: object) -> Any:
        """Run a command with --json; return the object."""
        _, out, _ = self(*arguments, "--json")
        return json.loads(out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(capsys)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    with EpisodeStore.create(tmp_path / "all", {}, 0, 3) as store:
        store.append(
            episode(i, success=i < 2, seed=i % 3, split="heldout" if i == 6 else "train") for i in range(7)
        )
    return tmp_path / "all"


def test_verify_and_repair(run: Commands, dataset: Path) -> None:
    code, out, err = run("verify", dataset)
    assert (code, err) == (0, f"verify: 3/3 shards, {err.split('shards, ')[1]}")
    assert out.startswith(f"{dataset}: 3 shards, 7 episodes, 21 steps") and out.endswith("no problem found\n")
    assert run.json("verify", dataset)["ok"] is True

    path = dataset / "shards" / "000001.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    code, out, _ = run("verify", dataset)
    assert code == 2
    assert out.splitlines()[0].startswith(f"{path}: the file was changed or damaged")
    assert out.splitlines()[0].endswith(f"Run `worldschool repair {dataset}`.") and "1 problem found" in out
    told = run.json("verify", dataset)
    assert told["ok"] is False and told["problems"][0]["where"] == str(path)

    code, out, _ = run("repair", dataset)
    assert code == 0
    assert (
        "000001.parquet: the file was changed or damaged" in out and "0 saved of 3 episodes (3 to 5)" in out
    )
    assert "2 whole shards kept" in out and str(dataset / "damaged") in out
    code, out, _ = run("verify", dataset)
    assert code == 0 and "note: 000001.parquet: not committed (episodes 3 to 5)" in out
    code, out, _ = run("repair", dataset)
    assert code == 0 and "nothing is damaged, nothing was changed" in out
    assert run.json("repair", dataset)["changed"] is False


def test_info(run: Commands, dataset: Path) -> None:
    code, out, _ = run("dataset", "info", dataset, "--hash")
    assert code == 0 and "  reached the goal       2 (29%)\n" in out and "train: 6" in out
    told = run.json("dataset", "info", dataset, "--hash")
    assert told["steps"] == 21 and told["content_hash"] == EpisodeStore.open(dataset).content_hash()


def test_filter_split_merge_compact(run: Commands, dataset: Path, tmp_path: Path) -> None:
    code, out, _ = run("dataset", "filter", dataset, "--out", tmp_path / "f", "--success", "--max-length", 5)
    assert code == 0 and out == f"2 episodes, 6 steps in {tmp_path / 'f'}, of 7 in {dataset}\n"
    assert run.json("dataset", "filter", dataset, "--out", tmp_path / "g", "--no-success")["episodes"] == 5
    code, out, _ = run("dataset", "split", dataset, "--out", tmp_path / "s")
    assert code == 0 and [line.split(":")[0] for line in out.splitlines()] == ["heldout", "train"]
    code, out, _ = run("dataset", "split", dataset, "--out", tmp_path / "w", "--shares", "a=0.999,b=0.001")
    assert code == 0 and out.endswith("b: no world fell into it\n")
    code, out, _ = run(
        "dataset",
        "merge",
        tmp_path / "s" / "train",
        tmp_path / "s" / "heldout",
        tmp_path / "f",
        "--out",
        tmp_path / "m",
    )
    assert code == 0 and out == f"7 episodes, 21 steps in {tmp_path / 'm'}; 2 were there more than once\n"
    expected = EpisodeStore.open(dataset).content_hash()
    code, out, _ = run("dataset", "compact", tmp_path / "m", "--out", tmp_path / "c", "--shard-size", 7)
    assert code == 0 and out.endswith(f"content hash, as before: {expected}\n")
    assert EpisodeStore.open(tmp_path / "c").committed_shards() == [0]


def test_export_and_import(run: Commands, dataset: Path, tmp_path: Path) -> None:
    code, out, _ = run("export", dataset, "--to", "jsonl", "--out", tmp_path / "j")
    assert code == 0 and out == f"7 written to {tmp_path / 'j'}\n"
    code, out, _ = run("dataset", "import", tmp_path / "j", "--out", tmp_path / "back")
    assert code == 0
    assert EpisodeStore.open(tmp_path / "back").content_hash() == EpisodeStore.open(dataset).content_hash()
    assert run.json("export", dataset, "--to", "chat", "--out", tmp_path / "chat")["written"] == 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verify", "nowhere"], "nowhere: there is no such directory"),
        (["repair", "nowhere"], "nowhere: there is no such directory"),
        (["dataset", "info", "nowhere"], "nowhere: there is no such directory"),
        (["dataset", "filter", "DATASET", "--out", "f", "--split", "test"], "the filter: split: .*'train'"),
        (["dataset", "filter", "DATASET", "--out", "f", "--agent", "x"], "no episode passes the filter"),
        (["dataset", "filter", "DATASET", "--out", "DATASET", "--success"], "not made by worldschool"),
        (["dataset", "split", "DATASET", "--out", "s", "--shares", "a"], "'a' is no share.*train=0.8"),
        (["export", "DATASET", "--to", "csv", "--out", "e"], "there is no format 'csv'"),
        (["export", "DATASET", "--to", "trl", "--out", "e"], "worldschool examples"),
        (["dataset", "import", "nowhere.jsonl", "--out", "e"], "no such file of episodes"),
    ],
)
def test_bad_input_is_one_paragraph_and_exit_code_2(
    run: Commands,
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*(str(dataset) if word == "DATASET" else word for word in arguments))
    assert code == 2 and out == ""
    assert re.search(told, err), err
    assert "Traceback" not in err and err.count("\n") == 1


def test_a_second_writer_is_told(run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "all", n=3)
    path = tmp_path / "all" / "shards" / "000000.parquet"
    path.write_bytes(path.read_bytes()[:-1])

    def busy(*_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr("fcntl.flock", busy)
    code, _, err = run("repair", tmp_path / "all")
    assert code == 2 and "is writing to this dataset" in err
