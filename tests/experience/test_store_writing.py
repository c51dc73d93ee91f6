from __future__ import annotations

import errno
import gc
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.experience.killing import run_killed
from tests.experience.stored_episodes import episode, filled, long_episode
from worldschool.errors import DatasetError, OutputError
from worldschool.experience.storage.schema import content_hash, to_table
from worldschool.experience.storage.shards import encode_shard
from worldschool.experience.storage.verification import verify
from worldschool.experience.store import EpisodeStore


@pytest.fixture
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do without flushing: a kill, other than a power cut, loses nothing that the system was told."""
    monkeypatch.setattr(os, "fsync", os.fstat)


def temporary(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "shards").glob(".*"))


@pytest.mark.usefixtures("no_flush")
@settings(
    deadline=None,
    derandomize=True,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pieces=st.lists(st.integers(0, 7), min_size=1, max_size=5), size=st.integers(1, 5), reopen=st.booleans()
)
def test_appended_in_any_pieces_a_dataset_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int], size: int, reopen: bool
) -> None:
    directory = tmp_path_factory.mktemp("appended")
    store = EpisodeStore.create(directory, {}, 0, size)
    given_episodes = [episode(i) for i in range(sum(pieces))]
    begin = 0
    for count in pieces:
        store.append(given_episodes[begin : begin + count])
        begin += count
        if reopen:
            store.close()
            store = EpisodeStore.open(directory, empty_ok=True)
    store.close()
    assert verify(directory).problems == () and temporary(directory) == []
    opened = EpisodeStore.open(directory, empty_ok=True)
    assert list(opened) == given_episodes
    whole = filled(directory / "whole", len(given_episodes), size) if given_episodes else store
    assert [path.read_bytes() for path in opened.shard_files()] == [
        path.read_bytes() for path in whole.shard_files()
    ]


def test_whole_shards_are_committed_while_the_rest_waits(tmp_path: Path) -> None:
    store = EpisodeStore.create(tmp_path, {}, 0, 3)
    store.append(episode(i) for i in range(7))
    assert len(EpisodeStore.open(tmp_path)) == 6
    store.flush()
    assert len(EpisodeStore.open(tmp_path)) == 7
    store.append([episode(7)])  # fills up the short last shard
    store.close()
    assert [path.name for path in store.shard_files()] == [f"{k:06d}.parquet" for k in range(3)]
    assert list(EpisodeStore.open(tmp_path)) == [episode(i) for i in range(8)]


def test_a_reader_from_before_a_shard_grew_reads_it_as_it_is_now(tmp_path: Path) -> None:
    filled(tmp_path, n=4)
    reader = EpisodeStore.open(tmp_path)
    with EpisodeStore.open(tmp_path) as writer:
        writer.append([episode(4)])
    assert list(reader) == [episode(i) for i in range(5)]
    assert reader.read(episode(4).episode_id) == episode(4)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (episode(9), "its index is 9, and 2 comes next.*index=2"),
        (episode(2, episode_id=episode(0).episode_id), "an episode with this id is in the dataset already"),
        (
            episode(2, length=7),
            "episode '0123abcd-0000000000000000-00000002'.*another length than it has steps",
        ),
        (episode(2, return_=float("inf")), "return is not finite"),
        (episode(2, split="test"), "a split that is none of"),
        (episode(2, goal=None), "goal is null once"),
        (episode(2, goal=7), "holds a value that cannot be stored: goal: .*'int'"),
        (episode(2, goal="\ud800"), "cannot be stored: .*surrogates"),
        (episode(2, seed=2**63), "cannot be stored: seed: "),
        (episode(2, steps=None), "cannot be stored: steps: .*NoneType"),
    ],
)
def test_what_cannot_be_appended_is_told_and_what_came_before_is_kept(
    tmp_path: Path, wrong: Any, told: str
) -> None:
    with EpisodeStore.create(tmp_path, {}, 0, 4) as store:
        with pytest.raises(DatasetError, match=told):
            store.append([episode(0), episode(1), wrong, episode(3)])
        store.append([episode(2)])  # what was refused has left no trace
    assert list(EpisodeStore.open(tmp_path)) == [episode(i) for i in range(3)]
    assert verify(tmp_path).problems == ()


def test_with_gaps_only_the_order_matters(tmp_path: Path) -> None:
    kept = [episode(3), episode(3, episode_id="b"), episode(3, episode_id="c"), episode(9)]
    with EpisodeStore.create(tmp_path, {}, 0, 2, gaps=True) as store:
        store.append(kept)
        for wrong in (episode(8), episode(9, episode_id="0")):
            with pytest.raises(DatasetError, match="comes before the last one"):
                store.append([wrong])
        with pytest.raises(DatasetError, match="is in the dataset already"):
            store.append([episode(10, episode_id="b")])
    assert list(EpisodeStore.open(tmp_path)) == kept and verify(tmp_path).problems == ()
    assert EpisodeStore.open(tmp_path).read("c") == kept[2]


def test_nothing_is_appended_after_a_hole(tmp_path: Path) -> None:
    with EpisodeStore.create(tmp_path, {}, 0, 2) as store:
        store.commit_shard(1, [episode(2), episode(3)])
        with pytest.raises(DatasetError, match=r"shard 0 is not there yet.*worldschool collect"):
            store.append([episode(4)])


# One writer at a time

OTHER = """
import sys
from worldschool.experience.store import EpisodeStore
store = EpisodeStore.open(sys.argv[1], empty_ok=True)
store.hold()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_while_readers_go_on_and_death_lets_go(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        store = EpisodeStore.open(tmp_path)
        with pytest.raises(
            OutputError, match=rf"another process \(number {other.pid}\) is writing to this dataset"
        ):
            store.commit_shard(1, [episode(3)])
        with pytest.raises(OutputError, match="Wait until it has ended"):
            EpisodeStore.create(tmp_path, {}, 0, 3)
        assert len(list(store)) == 3
    finally:
        other.kill()
        other.communicate()
    store.commit_shard(1, [episode(3)])
    assert len(EpisodeStore.open(tmp_path)) == 4


def test_whoever_writes_sees_what_was_committed_since_it_was_opened(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    early = EpisodeStore.open(tmp_path)
    with EpisodeStore.open(tmp_path) as other:
        other.commit_shard(1, [episode(3), episode(4), episode(5)])
    with pytest.raises(ValueError, match="committed already"):
        early.commit_shard(1, [episode(3)])
    early.commit_shard(2, [episode(6)])
    assert [one.index for one in EpisodeStore.open(tmp_path)] == list(range(7))


def test_in_one_process_the_last_to_ask_writes(tmp_path: Path) -> None:
    store = EpisodeStore.create(tmp_path, {}, 0, 2)
    store.commit_shard(0, [episode(0), episode(1)])
    again = EpisodeStore.open(
        tmp_path
    )  # as a notebook does after an interrupt, whose traceback still holds the first
    again.commit_shard(1, [episode(2), episode(3)])
    with pytest.raises(OutputError, match="opened a second time in this process"):
        store.commit_shard(2, [episode(4)])
    assert verify(tmp_path).episodes == 4


def test_a_forked_child_neither_writes_nor_keeps_the_lock(tmp_path: Path) -> None:
    store = filled(tmp_path, n=3)
    store.hold()
    child = os.fork()
    if child == 0:
        try:
            EpisodeStore.open(tmp_path).commit_shard(1, [episode(3)])
        except OutputError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    store.close()
    gc.collect()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        EpisodeStore.open(tmp_path).hold()
        os._exit(0)
    os.close(read), os.close(write)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# A disk that refuses


def failing(monkeypatch: pytest.MonkeyPatch, at: int, code: int) -> None:
    """Let call number `at` of fsync, of all from now on, fail."""
    calls = 0
    original = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(code, os.strerror(code))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("at", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("code", "told"), [(errno.ENOSPC, "the disk is full"), (errno.EIO, "Input/output error")]
)
def test_a_disk_that_refuses_loses_nothing_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, code: int, told: str
) -> None:
    """The calls are: the file, its directory entry (refusals of which are passed over), the line, and its directory."""
    filled(tmp_path, n=3)
    store = EpisodeStore.open(tmp_path)
    with monkeypatch.context() as patch:
        failing(patch, at, code)
        if at in (2, 4):
            store.commit_shard(1, [episode(3)])
        else:
            with pytest.raises(OutputError, match=rf"{told}.*The 3 committed episodes are safe"):
                store.commit_shard(1, [episode(3)])
            assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == ["000000.parquet"]
    assert verify(tmp_path).problems == () and temporary(tmp_path) == []
    if at in (1, 3):
        store.commit_shard(1, [episode(3)])  # space was freed
    assert list(EpisodeStore.open(tmp_path)) == [episode(i) for i in range(4)]


@pytest.mark.parametrize("room", [0, 1, 50])
def test_a_disk_that_fills_up_within_a_manifest_line_leaves_no_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    filled(tmp_path, n=3)
    before = (tmp_path / "manifest.jsonl").read_bytes()
    store = EpisodeStore.open(tmp_path)

    def write(file: Any, data: bytes) -> None:
        file.write(data[:room])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("worldschool.experience.storage.manifest._write_all", write)
    with pytest.raises(OutputError, match="the disk is full"):
        store.commit_shard(1, [episode(3)])
    assert (tmp_path / "manifest.jsonl").read_bytes() == before


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        EpisodeStore.create(tmp_path / "file" / "dataset", {}, 0, 3)


# Kills

SIZE, SHARDS = 3, 3


def write_everything(directory: Path) -> Callable[[Callable[[int], None]], None]:
    """Return a writer that commits what a dataset of SHARDS shards lacks, then appends, growing the last shard twice."""

    def work(committed: Callable[[int], None]) -> None:
        if (directory / "dataset.json").exists():
            store = EpisodeStore.open(directory, empty_ok=True)
            store.hold()
        else:
            store = EpisodeStore.create(directory, {}, 0, SIZE)
        for k in range(SHARDS):
            if k not in store.committed_shards():
                store.commit_shard(k, [episode(i) for i in range(k * SIZE, (k + 1) * SIZE)])
                committed(len(store))
        for index in range(len(store), SHARDS * SIZE + 4):
            store.append([episode(index)])
            store.flush()
            committed(len(store))

    return work


@pytest.mark.usefixtures("no_flush")
def test_killed_at_any_call_nothing_committed_is_lost_and_resuming_completes(tmp_path: Path) -> None:
    work = write_everything(tmp_path / "killed")
    _, calls = run_killed(write_everything(tmp_path / "whole"), None)
    assert calls > 100
    expected = content_hash(episode(i).to_json() for i in range(SHARDS * SIZE + 4))
    assert EpisodeStore.open(tmp_path / "whole").content_hash() == expected
    rng = random.Random(0)
    most = kills = 0
    while most < SHARDS * SIZE + 4 and kills < 200:
        told, _ = run_killed(work, rng.randint(1, calls // 4))
        kills += 1
        most = max(most, told)
        if not (tmp_path / "killed" / "dataset.json").exists():
            assert most == 0
            continue
        found = verify(tmp_path / "killed")
        assert found.problems == ()
        assert found.episodes >= most
        store = EpisodeStore.open(tmp_path / "killed", empty_ok=True)
        assert list(store) == [episode(i) for i in range(len(store))]
    assert kills >= 10
    run_killed(work, None)
    assert EpisodeStore.open(tmp_path / "killed").content_hash() == expected
    assert verify(tmp_path / "killed").problems == () and temporary(tmp_path / "killed") == []


@pytest.mark.usefixtures("no_flush")
def test_at_every_call_of_growing_a_shard_old_or_new_is_whole(tmp_path: Path) -> None:
    def grow(directory: Path) -> Callable[[Callable[[int], None]], None]:
        def work(committed: Callable[[int], None]) -> None:
            with EpisodeStore.open(directory) as store:
                store.append([episode(2)])
            committed(3)

        return work

    filled(tmp_path / "base", n=2, size=3)
    shutil.copytree(tmp_path / "base", tmp_path / "grown")
    _, calls = run_killed(grow(tmp_path / "grown"), None)
    lengths = set()
    for at in range(1, calls + 1):
        directory = tmp_path / str(at)
        shutil.copytree(tmp_path / "base", directory)
        told, _ = run_killed(grow(directory), at)
        assert verify(directory).problems == ()
        kept = list(EpisodeStore.open(directory))
        assert kept == [episode(i) for i in range(len(kept))] and len(kept) >= max(2, told)
        lengths.add(len(kept))
        if len(kept) == 2:
            with EpisodeStore.open(directory) as store:
                store.append([episode(2)])
        else:
            EpisodeStore.open(directory).hold()  # puts in place what was committed
        assert temporary(directory) == []
        assert list(EpisodeStore.open(directory)) == [episode(i) for i in range(3)]
    assert lengths == {2, 3}


def test_parts_cut_the_file_at_its_row_groups(tmp_path: Path) -> None:
    store = filled(tmp_path, n=6, size=6, steps=200)
    (path,) = store.shard_files()
    data = path.read_bytes()
    shard = store._manifest.shards[0]
    assert len(shard.parts) == 3 and shard.parts[-1][0] == len(data)
    assert encode_shard(to_table([long_episode(i) for i in range(6)])).parts == shard.parts
