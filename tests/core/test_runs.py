"""Output directories: who may write into them."""

import errno
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from worldschool import runs
from worldschool.errors import OutputError, UserError
from worldschool.runs import claim_output, differences, giving_back, package_versions, source_commit

CONFIG = {"seed": 0, "agent": {"name": "random", "settings": {}}, "episodes": 3}


def test_a_new_directory_is_claimed_and_the_same_run_continues(tmp_path):
    out = tmp_path / "a" / "b"
    assert claim_output(out, "collect", CONFIG, 5) is False
    written = (out / "run.json").read_bytes()
    record = json.loads(written)
    assert (record["command"], record["config"], record["seed"]) == ("collect", CONFIG, 5)
    assert record["schema"] == "worldschool.run/1"
    assert {"worldschool", "python", "numpy", "torch"} <= set(record["versions"])
    reordered = dict(reversed(CONFIG.items()))
    assert claim_output(out, "collect", reordered, 5) is True
    assert (out / "run.json").read_bytes() == written
    assert [file.name for file in out.iterdir()] == ["run.json"]


def test_an_empty_directory_and_the_rest_of_a_kill_are_claimed(tmp_path):
    assert claim_output(tmp_path, "collect", CONFIG) is False
    other = tmp_path / "killed"
    other.mkdir()
    (other / ".run.json.x7f3").write_text("{")
    assert claim_output(other, "collect", CONFIG) is False


def test_another_configuration_is_refused_with_the_difference(tmp_path):
    claim_output(tmp_path, "collect", CONFIG)
    other = {"seed": 0, "agent": {"name": "mcts", "settings": {"x": 1}}, "episodes": 4}
    with pytest.raises(OutputError) as caught:
        claim_output(tmp_path, "collect", other)
    assert str(caught.value) == (
        f"{tmp_path}: this directory belongs to a run with another configuration (agent.name: 'random' -> 'mcts'; "
        "agent.settings.x: None -> 1; episodes: 3 -> 4). Give another --out, or the same configuration to continue."
    )
    assert json.loads((tmp_path / "run.json").read_text())["config"] == CONFIG


def test_another_commands_directory_is_refused(tmp_path):
    claim_output(tmp_path, "collect", CONFIG)
    with pytest.raises(
        OutputError, match=r"this directory was made by `worldschool collect`\. Give another --out"
    ):
        claim_output(tmp_path, "examples", CONFIG)


def test_a_foreign_directory_and_a_file_are_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError, match="not empty and was not made by worldschool"):
        claim_output(tmp_path, "collect", CONFIG)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(OutputError, match=r"thesis.tex: this is a file, not a directory"):
        claim_output(tmp_path / "thesis.tex", "collect", CONFIG)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_the_users_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be written"):
        claim_output(tmp_path / "file" / "out", "collect", CONFIG)
    with pytest.raises(OutputError, match=r"cannot be written: File name too long\. Give another --out"):
        claim_output(tmp_path / ("x" * 300), "collect", CONFIG)


@pytest.mark.parametrize("refused", ["exists", "iterdir"])
def test_a_place_that_cannot_be_looked_into_is_the_users_mistake(tmp_path, monkeypatch, refused):
    def denied(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, refused, denied)
    with pytest.raises(OutputError, match=r"cannot be written: Permission denied"):
        claim_output(tmp_path, "collect", CONFIG)


def test_a_run_that_made_nothing_gives_its_directory_back(tmp_path):
    out = tmp_path / "out"
    claim_output(out, "loop", CONFIG)
    (out / "round-0" / "probed").mkdir(parents=True)
    (out / "round-0" / "probed" / ".lock").touch()
    with pytest.raises(UserError, match="no such model"), giving_back(out):
        raise UserError("no such model")
    assert list(out.iterdir()) == []
    (out / ".lock").touch()
    assert not claim_output(out, "loop", {})


def test_a_run_that_made_something_keeps_its_directory(tmp_path):
    claim_output(tmp_path, "loop", CONFIG)
    (tmp_path / "round-0").mkdir()
    (tmp_path / "round-0" / "round.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError), giving_back(tmp_path):
        raise UserError("no such model")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_record_is_told(tmp_path):
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UserError, match=r"run\.json: a run record cannot be read"):
        claim_output(tmp_path, "collect", CONFIG)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(OutputError, match=r"run\.json: a mapping is expected, found list"):
        claim_output(tmp_path, "collect", CONFIG)


def test_differences_are_those_of_nested_values():
    assert differences(CONFIG, CONFIG) == []
    assert differences({"a": [1, 2], "b": 1}, {"a": [1, 3], "c": None}) == [
        "a: [1, 2] -> [1, 3]",
        "b: 1 -> None",
    ]
    assert differences(1, 2) == ["value: 1 -> 2"]


def test_versions_and_commit(monkeypatch, tmp_path):
    versions = package_versions()
    assert versions["worldschool"] == runs.__version__
    assert all(re.match(r"\d+\.", version) for version in versions.values())
    commit = source_commit()
    assert commit is None or re.fullmatch(r"[0-9a-f]{40}", commit)
    monkeypatch.setattr(runs, "__file__", str(tmp_path / "core" / "runs.py"))
    assert source_commit() is None  # no pyproject.toml: an installed copy
    (tmp_path / "pyproject.toml").write_text("")

    def no_git(*args, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", no_git)
    assert source_commit() is None
