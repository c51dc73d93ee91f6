"""What becomes of a memory's entries: replaced, merged, faded, ranked; who may write; versions before."""

import dataclasses
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.learners.test_memory import EPISODES, GOALS, found, make_episode
from worldschool.errors import MemoryStoreError
from worldschool.learners.memory import (
    Consolidation,
    Entry,
    Memory,
    Ranking,
    recall,
    remember,
    trajectory_entry,
)
from worldschool.learners.memory import index as index_module
from worldschool.learners.memory.keeper import IndexKeeper
from worldschool.learners.memory.ranking import worth
from worldschool.models.embedders import HashingEmbedder

WORLD = "worldschool/Household-v0"


def insight(number, key=GOALS[0], **changes):
    values = {
        "id": f"insight:{number}",
        "kind": "insight",
        "key": key,
        "body": f"Rule {number}.",
        "world": "",
    }
    return Entry(**{**values, **changes})


@pytest.fixture
def memory(tmp_path):
    with Memory.create(tmp_path / "memory") as made:
        yield made


def ids(results):
    return [one.entry.id for one in results]


def test_what_is_superseded_or_faded_is_kept_with_a_record_and_not_found(memory):
    memory.add([insight(0), insight(1), insight(2)])
    memory.supersede("insight:0", "insight:1", "it was wrong")
    memory.fade("insight:2", "nobody needs it")
    assert ids(memory.search(GOALS[0])) == ["insight:1"]
    assert memory.history("insight:0") == [("superseded", "insight:1", "it was wrong")]
    assert memory.count == 3 and memory.stats.kinds == {"insight": 3} and memory.stats.faded == 1
    memory.fade("insight:2", "once more")
    memory.restore("insight:2", "it is needed")
    assert ids(memory.search(GOALS[0])) == ["insight:1", "insight:2"]
    assert [change.what for change in memory.history("insight:2")] == ["faded", "restored"]
    with pytest.raises(MemoryStoreError, match="insight:9: there is no such entry"):
        memory.supersede("insight:0", "insight:9", "x")


def test_near_duplicates_are_merged_into_the_older_and_what_goes_badly_fades(memory):
    episodes = [make_episode(0, GOALS[0]), make_episode(1, GOALS[1]), make_episode(2, GOALS[0])]
    failed = make_episode(3, GOALS[0], success=False)
    memory.add_episodes([*episodes, failed])
    kept, other, repeated, warning = (trajectory_entry(one).id for one in [*episodes, failed])
    memory.credit(repeated, success=True)
    for _ in range(9):
        memory.credit(other, success=False)
    assert memory.consolidate() == (1, 1)
    assert ids(memory.search(GOALS[0])) == [kept, warning]
    (first, *_) = memory.search(GOALS[0])
    assert (first.entry.used, first.entry.succeeded) == (1, 1)
    merged = json.loads(first.entry.provenance)["merged"]
    assert [one["episode_id"] for one in merged] == [episodes[2].episode_id]
    assert memory.history(repeated) == [("merged", kept, "almost the same")]
    assert memory.history(other) == [("faded", None, "went well 0 of 9 times")]
    assert memory.consolidate() == (0, 0)
    assert memory.consolidate(Consolidation(key=0.0, body=0.0)) == (
        0,
        0,
    )  # a failure is no repetition of a success


def test_filters_are_met_together(memory):
    memory.add_episodes([make_episode(0, GOALS[0]), make_episode(1, GOALS[0], success=False)])
    memory.add([insight(0, world="worldschool/Shop-v0"), insight(1, world=WORLD)])
    good, bad = (trajectory_entry(make_episode(at, "")).id for at in (0, 1))
    assert ids(memory.search(GOALS[0], world=WORLD)) == [good, bad, "insight:1"]
    assert ids(memory.search(GOALS[0], success=False)) == [bad]
    assert ids(memory.search(GOALS[0], kind="trajectory", success=True)) == [good]
    assert ids(memory.search(GOALS[0], kind="insight", world=WORLD)) == ["insight:1"]
    assert memory.search(GOALS[0], world="nowhere") == []
    memory.add([insight(2, world="nowhere")])
    assert ids(memory.search(GOALS[0], world="nowhere")) == ["insight:2"]


def test_the_order_goes_by_weights(memory):
    memory.add([insight(0, GOALS[0]), insight(1, GOALS[0], success=False), insight(2, GOALS[1])])
    assert ids(memory.search(GOALS[0], ranking=Ranking(recency=10, half_life=1))) == [
        f"insight:{n}" for n in (2, 1, 0)
    ]
    memory.credit("insight:1", success=True)
    memory.credit("insight:1", success=True)
    memory.credit("insight:0", success=False)
    assert ids(memory.search(GOALS[0], 2, ranking=Ranking(value=1))) == ["insight:1", "insight:0"]
    assert ids(memory.search(GOALS[0], 1)) == ["insight:0"]


def test_the_worth_of_an_entry_is_between_nothing_and_all_and_counts_what_it_tells():
    plain = insight(0)
    assert worth(plain) == 0.5
    assert worth(dataclasses.replace(plain, success=True)) == pytest.approx(2 / 3)
    assert worth(dataclasses.replace(plain, success=False)) == pytest.approx(1 / 3)
    assert worth(dataclasses.replace(plain, used=8, succeeded=8)) == 0.9


def test_queries_together_find_what_each_finds(memory):
    memory.add_episodes(EPISODES)
    together = memory.search_many(GOALS, 2)
    assert [[(one.entry.id, one.score) for one in row] for row in together] == [
        found(memory, goal, 2) for goal in GOALS
    ]
    assert memory.search_many([]) == []


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path):
    directory = tmp_path / "memory"
    remember(EPISODES, directory)
    script = """
import sys
from pathlib import Path
from worldschool.learners.memory import Entry, Memory
with Memory.open(sys.argv[1]) as memory:
    memory.add([Entry("insight:1", "insight", "key", "body", "")])
    print("writing", flush=True)
    sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "writing\n"
    with Memory.open(directory) as reader:
        (first,) = reader.search(GOALS[0], 1)
        assert first.entry.retrieved == 1
        reader.credit(first.entry.id, success=True)
        with pytest.raises(
            MemoryStoreError,
            match=rf"another process \(number {process.pid}\) is writing to this memory.* Wait until",
        ):
            reader.add_episodes([make_episode(5, GOALS[0])])
        with pytest.raises(MemoryStoreError, match="is writing to this memory"):
            Memory.open(directory, index="hnsw")
        assert (
            len(recall(directory, GOALS[0], 9)) == 4
        )  # a reader that cannot save the index that it brought up
        process.communicate("")
        assert reader.add_episodes([make_episode(5, GOALS[0])]) == 1
    assert recall(directory, GOALS[0], 1)[0].entry.used == 1


def test_a_memory_of_the_version_before_is_brought_up(tmp_path):
    directory = tmp_path / "memory"
    remember(EPISODES, directory)
    connection = sqlite3.connect(directory / "memory.sqlite")
    with connection:
        for table in ("commits", "faded", "history"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE meta SET value = 'worldschool.memory/1' WHERE key = 'schema'")
        connection.execute("DELETE FROM meta WHERE key = 'index'")
    connection.close()
    assert recall(directory, GOALS[1], 1)[0].entry.goal == GOALS[1]
    assert remember([make_episode(7, "Find the cat.")], directory).entries == 4
    assert recall(directory, "Find the cat.", 1)[0].entry.goal == "Find the cat."


def test_the_index_becomes_a_graph_when_there_are_many_and_finds_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "HNSW_FROM", 60)
    monkeypatch.setattr(index_module, "CHUNK", 16)
    episodes = [
        make_episode(number, f"Put the {number}th thing on shelf {number % 7}.") for number in range(90)
    ]
    with Memory.create(tmp_path / "auto") as auto, Memory.create(tmp_path / "flat", index="flat") as flat:
        for start, end in ((0, 50), (50, 90)):
            for one in (auto, flat):
                one.add_episodes(episodes[start:end])
            assert found(auto, "Put the 33th thing on shelf 5.") == found(
                flat, "Put the 33th thing on shelf 5."
            )
    described = [
        json.loads((tmp_path / name / "index" / "index.json").read_text())["kind"]
        for name in ("auto", "flat")
    ]
    assert described == ["hnsw", "flat"]
    with pytest.raises(MemoryStoreError, match="there is no index 'hnws'.*Did you mean 'hnsw'"):
        Memory.create(tmp_path / "other", index="hnws")
    assert not (tmp_path / "other").exists()


def test_what_is_added_while_a_filtered_search_begins_is_found_by_the_next(memory, monkeypatch):
    memory.add([insight(0)])
    current = IndexKeeper.current

    def then_another_adds(keeper):
        monkeypatch.undo()
        index = current(keeper)
        with Memory.open(memory.directory) as other:
            other.add([insight(1)])
        return index

    monkeypatch.setattr(IndexKeeper, "current", then_another_adds)
    assert ids(memory.search(GOALS[0], kind="insight")) == ["insight:0"]
    assert ids(memory.search(GOALS[0], kind="insight")) == ["insight:0", "insight:1"]


def test_a_full_disk_while_the_index_is_saved_loses_nothing(tmp_path, monkeypatch):
    directory = tmp_path / "memory"

    def write_index(index, path):
        Path(path).write_bytes(b"half")
        raise RuntimeError("Error in write: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("faiss.write_index", write_index)
        assert remember(EPISODES, directory).added == len(EPISODES)
    assert list((directory / "index").iterdir()) == []
    assert recall(directory, GOALS[0], 1)[0].entry.goal == GOALS[0]
    assert (directory / "index" / "index.json").exists()


def test_whatever_ends_the_saving_a_memory_is_closed(tmp_path, monkeypatch):
    memory = Memory.create(tmp_path / "memory")
    memory.add([insight(0)])
    monkeypatch.setattr("faiss.write_index", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        memory.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        memory._store.count()


def test_a_few_new_entries_are_added_to_the_saved_index_without_writing_it_again(tmp_path):
    directory = tmp_path / "memory"
    remember([make_episode(number, f"goal {number}") for number in range(300)], directory)
    saved = (directory / "index" / "vectors.faiss").stat().st_mtime_ns
    remember([make_episode(300, "Find the cat.")], directory)
    assert (directory / "index" / "vectors.faiss").stat().st_mtime_ns == saved
    assert recall(directory, "Find the cat.", 1)[0].entry.goal == "Find the cat."
    remember([make_episode(number, f"goal {number}") for number in range(301, 305)], directory)
    assert json.loads((directory / "index" / "index.json").read_text())["entries"] == 305


def test_long_episodes_can_be_told_in_windows_that_overlap(memory):
    step = EPISODES[0].steps[0]
    steps = tuple(
        dataclasses.replace(step, action=f"action {n}", observation=f"Seen {n}.") for n in range(11)
    )
    episode = dataclasses.replace(EPISODES[0], steps=steps)
    assert memory.add_episodes([episode, EPISODES[1]], window=4) == 6
    told = {
        entry.id.rpartition(":")[2]: entry.body.splitlines()
        for entry in memory.listed()
        if entry.id.count(":") == 2
    }
    assert list(told) == ["0-4", "2-6", "4-8", "6-10", "8-11"]
    assert told["2-6"] == [
        f"Goal: {GOALS[0]}", "Before: Seen 1.", *(f"{n + 1}. action {n}" for n in range(2, 6)),
        "Outcome: it went on, for 5 more actions.",
    ]  # fmt: skip
    assert told["8-11"][-1] == "Outcome: the goal was reached with 11 actions."
    assert told["0-4"][1] == "At first: You are in the garage."
    assert memory.add_episodes([episode], window=4) == 0
    with pytest.raises(ValueError, match="window must be at least 2"):
        memory.add_episodes([episode], window=1)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (
            "UPDATE embeddings SET vector = x'00000000' WHERE rowid = 2",
            "not every vector of hashing/1/384 has 384 numbers",
        ),
        ("DELETE FROM embeddings", None),  # they are made again
    ],
)
def test_vectors_of_another_length_are_refused_and_missing_ones_made_again(tmp_path, damage, match):
    directory = tmp_path / "memory"
    remember(EPISODES, directory)
    connection = sqlite3.connect(directory / "memory.sqlite")
    with connection:
        connection.execute(damage)
    connection.close()
    (directory / "index" / "vectors.faiss").unlink()
    if match is None:
        assert recall(directory, GOALS[1], 1)[0].entry.goal == GOALS[1]
        return
    with pytest.raises(MemoryStoreError, match=match):
        recall(directory, GOALS[1], 1)
    with Memory.open(directory, HashingEmbedder(16)) as memory:
        memory.search(GOALS[1])
