"""Files that are whole or absent."""

import json
import os
import stat

import pytest

from worldschool import files
from worldschool.errors import UserError
from worldschool.files import read_json, sha256_file, sync_directory, whole_file, write_atomic, write_json


def test_text_and_bytes_are_written_whole(tmp_path):
    write_atomic(tmp_path / "new" / "a.txt", "é\r\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\xc3\xa9\r\n"
    write_atomic(tmp_path / "new" / "a.txt", b"\x00\xff")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\x00\xff"
    assert stat.S_IMODE((tmp_path / "new" / "a.txt").stat().st_mode) == 0o644
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("failing", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, failing, error):
    target = tmp_path / "a.txt"
    write_atomic(target, "old")

    def fail(*args, **options):
        assert any(file.name.startswith(".a.txt.") for file in tmp_path.iterdir())
        raise error

    monkeypatch.setattr(files.os, failing, fail)
    with pytest.raises(type(error)):
        write_atomic(target, "new")
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "old"


def test_text_that_cannot_be_encoded_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_atomic(tmp_path / "a.txt", "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_the_new_content_is_on_disk_before_the_rename(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(files.os, "fsync", lambda fd, real=os.fsync: (order.append("fsync"), real(fd)))
    monkeypatch.setattr(
        files.os, "replace", lambda a, b, real=os.replace: (order.append("replace"), real(a, b))
    )
    write_atomic(tmp_path / "a.txt", "x")
    assert order == ["fsync", "replace", "fsync"]  # the file, its name, the directory


def test_of_two_writers_the_last_to_end_has_the_file(tmp_path):
    with whole_file(tmp_path / "a.txt") as first:
        first.write(b"first, and long")
        with whole_file(tmp_path / "a.txt") as second:
            second.write(b"second")
        assert (tmp_path / "a.txt").read_bytes() == b"second"
        first.write(b"er")
    assert (tmp_path / "a.txt").read_bytes() == b"first, and longer"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_json_round_trip(tmp_path):
    value = {"é": [1, 2.5, None, True], "b": {"c": "\u2028"}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json", what="a thing") == value
    assert "é" in (tmp_path / "a.json").read_text(encoding="utf-8")
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert read_json(tmp_path / "a.json", what="a thing") == value


def test_json_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.json: a run record was expected here but the file is missing"):
        read_json(tmp_path / "a.json", what="a run record")
    for content in (b"{", b"\xff", b""):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(UserError, match=r"a\.json: a run record cannot be read"):
            read_json(tmp_path / "a.json", what="a run record")
    with pytest.raises(UserError, match="cannot be read"):
        read_json(tmp_path, what="a run record")


def test_the_sha256_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_syncing_a_directory_that_is_not_there_is_no_error(tmp_path):
    sync_directory(tmp_path / "none")
    write_json(tmp_path / "x.json", json.loads("{}"))
