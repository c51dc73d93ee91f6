"""The external memory: what is added is found, once, and survives kills, deleted indexes and other embedders."""

import dataclasses
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.errors import MemoryStoreError
from worldschool.learners.memory import Entry, Memory, recall, remember, trajectory_entry
from worldschool.models.embedders import HashingEmbedder
from worldschool.records import Entity, Episode, Event, Step

GOALS = ["Put the apple in the fridge.", "Turn on the lamp in the bedroom.", "Bring the book to the sofa."]


def make_episode(index: int, goal: str, *, success: bool = True, events: tuple[Event, ...] = ()) -> Episode:
    steps = (
        Step("You are in the kitchen.", "walk to kitchen", 0.0, "b" * 32, 5, events),
        Step(
            "The fridge stays closed.",
            "open fridge",
            1.0,
            "c" * 32,
            4,
            (Event(1, "Mary", "open", "fridge", succeeded=False, seen_by=("Mary",)),),
        ),
    )
    return Episode(
        episode_id=f"abcd1234-{0:016x}-{index:08d}",
        run_seed=0,
        index=index,
        world="worldschool/Household-v0",
        world_version="1",
        world_config="{}",
        seed=index,
        agent="random",
        agent_config="{}",
        split="train",
        goal=goal,
        goal_predicates="[]",
        activity=None,
        entities=(Entity("Mary", "character"),),
        initial_facts=(),
        initial_observation="You are in the garage.",
        initial_state_hash="a" * 32,
        steps=steps,
        terminated=success,
        truncated=not success,
        success=success,
        return_=1.0,
        length=2,
        error=None,
        package_version="0.1.0",
    )


EPISODES = [make_episode(i, goal) for i, goal in enumerate(GOALS)]


def found(memory: Memory, query: str, k: int = 5) -> list[tuple[str, float]]:
    return [(entry.id, score) for entry, score in memory.search(query, k)]


def saved_index(directory: Path) -> dict[str, object]:
    return json.loads((directory / "index" / "index.json").read_text())


@pytest.fixture
def filled(tmp_path):
    directory = tmp_path / "memory"
    remember(EPISODES, directory)
    return directory


def test_the_nearest_goal_comes_first_and_is_counted(filled):
    with Memory.open(filled) as memory:
        results = memory.search("put an apple in the fridge", k=2)
        assert results[0].entry.goal == GOALS[0]
        assert len(results) == 2 and results[0].score > results[1].score
        assert results[0].entry.retrieved == 1
        memory.credit(results[0].entry.id, success=True)
        memory.credit(results[0].entry.id, success=False)
        (again,) = memory.search(GOALS[0], k=1)
        assert (again.entry.retrieved, again.entry.used, again.entry.succeeded) == (2, 2, 1)
        assert again.score == pytest.approx(1.0, abs=1e-6)
        assert memory.stats.retrieved == 3 and memory.stats.success == {True: 3}
    assert recall(filled, GOALS[2], k=1)[0].entry.goal == GOALS[2]


def test_an_episode_is_told_readably():
    entry = trajectory_entry(EPISODES[0])
    assert entry.key == GOALS[0]
    assert entry.body == (
        "Goal: Put the apple in the fridge.\n"
        "At first: You are in the garage.\n"
        "1. walk to kitchen\n"
        "2. open fridge (failed)\n"
        "Outcome: the goal was reached with 2 actions."
    )
    assert json.loads(entry.provenance)["episode_id"] == EPISODES[0].episode_id
    failed = trajectory_entry(make_episode(0, GOALS[0], success=False))
    assert failed.body.endswith("Outcome: the goal was not reached with 2 actions.")
    broken = trajectory_entry(dataclasses.replace(EPISODES[0], error="the simulator ended."))
    assert broken.body.endswith("Outcome: the episode broke off after 2 actions: the simulator ended.")


def test_without_a_goal_the_key_says_who_and_where():
    walks = tuple(
        Event(0, actor, "walk", actor, "garage", room, "AT")
        for actor, room in (("Ann", "kitchen"), ("John", "garage"), ("Mary", "kitchen"))
    )
    entry = trajectory_entry(make_episode(0, "", events=walks))
    assert entry.key == "what happened with Ann, John and Mary in garage, kitchen"
    assert entry.success is None
    assert "1. walk to kitchen\n   You are in the kitchen.\n" in entry.body
    moved = (Event(0, "Ann", "grab", "apple", "table", "Ann", "HOLDS"),)
    assert trajectory_entry(make_episode(0, "", events=moved)).key == (
        "what happened with Ann and Mary to apple, fridge"
    )


def test_adding_twice_adds_nothing(filled):
    assert remember([*EPISODES, *EPISODES], filled) == (0, 6, 3)
    more = make_episode(9, GOALS[0])
    assert remember([more, EPISODES[0], more], filled) == (1, 2, 4)
    with Memory.open(filled) as memory:
        indices = [result.entry.created_index for result in memory.search("anything", k=9)]
        assert sorted(indices) == [0, 1, 2, 3]
        # Of equals the older comes first.
        assert [r.entry.created_index for r in memory.search(GOALS[0], k=2)] == [0, 3]


def test_kinds_and_replaced_entries(filled):
    insight = Entry(
        id="insight:1",
        kind="insight",
        key=GOALS[0],
        body="Open the fridge first.",
        world="",
        superseded_by=None,
    )
    old = dataclasses.replace(insight, id="insight:0", superseded_by="insight:1")
    with Memory.open(filled) as memory:
        assert memory.add([insight, old]) == 2
        assert [r.entry.id for r in memory.search(GOALS[0], kind="insight")] == ["insight:1"]
        assert {r.entry.kind for r in memory.search(GOALS[0], k=9)} == {"trajectory", "insight"}
        assert "insight:0" not in dict(found(memory, GOALS[0], 9))
        assert memory.search(GOALS[0], kind="skill") == []
        assert memory.stats.kinds == {"insight": 2, "trajectory": 3}


@pytest.mark.parametrize("damage", ["deleted", "truncated", "another's", "description"])
def test_a_lost_or_damaged_index_is_rebuilt(filled, tmp_path, damage):
    with Memory.open(filled) as memory:
        before = found(memory, "the lamp")
    description = saved_index(filled)
    file = filled / "index" / "vectors.faiss"
    if damage == "deleted":
        shutil.rmtree(filled / "index")
    elif damage == "truncated":
        file.write_bytes(file.read_bytes()[:50])
    elif damage == "description":
        (filled / "index" / "index.json").write_text("{")
    else:
        remember([make_episode(i, "Find the cat.") for i in range(3)], tmp_path / "other")
        shutil.rmtree(filled / "index")
        shutil.copytree(tmp_path / "other" / "index", filled / "index")
    with Memory.open(filled) as memory:
        assert found(memory, "the lamp") == before
    assert saved_index(filled) == description
    assert file.is_file()


@settings(deadline=None, derandomize=True, max_examples=20)
@given(
    st.lists(st.sampled_from([*GOALS, "", "Ünïcode 'quotes'; --"]), min_size=1, max_size=12),
    st.integers(0, 12),
)
def test_results_do_not_depend_on_how_it_was_filled(goals, cut):
    episodes = [make_episode(i, goal) for i, goal in enumerate(goals)]
    with tempfile.TemporaryDirectory() as folder:
        remember(episodes, Path(folder, "once"))
        with Memory.create(Path(folder, "parts")) as memory:
            memory.add_episodes(episodes[:cut])
            memory.search("something between")
            memory.add_episodes(episodes)
            in_parts = found(memory, GOALS[0], 20)
        with Memory.open(Path(folder, "once")) as memory:
            assert found(memory, GOALS[0], 20) == in_parts
            assert len(in_parts) == len(goals)


class CountingEmbedder(HashingEmbedder):
    """Another embedder, which remembers what it was asked."""

    def __init__(self):
        super().__init__(16)
        self.name, self.fingerprint = "counting", "counting/1"
        self.asked: list[str] = []

    def embed(self, texts):
        self.asked += texts
        return super().embed(texts)


def test_another_embedder_embeds_everything_again_once(filled):
    embedder = CountingEmbedder()
    with Memory.open(filled, embedder) as memory:
        assert found(memory, GOALS[1], 1)[0][0] == trajectory_entry(EPISODES[1]).id
    assert embedder.asked == [*GOALS, GOALS[1]]
    assert saved_index(filled)["embedder"] == "counting/1"
    embedder.asked.clear()
    with Memory.open(filled, embedder) as memory:
        memory.search(GOALS[1])
    assert embedder.asked == [GOALS[1]]
    with Memory.open(filled, "hashing") as memory:  # its vectors were kept
        assert memory.stats.embedder == "hashing"
        assert found(memory, GOALS[1], 1)[0][1] == pytest.approx(1.0, abs=1e-6)


def test_vectors_in_the_store_are_what_the_schema_says(filled):
    rows = sqlite3.connect(filled / "memory.sqlite").execute(
        "SELECT entry_id, embedder, vector FROM embeddings"
    )
    for entry_id, embedder, vector in rows.fetchall():
        goal = GOALS[int(entry_id[-1])]
        assert embedder == HashingEmbedder().fingerprint
        assert np.array_equal(np.frombuffer(vector, dtype=np.float32), HashingEmbedder().embed([goal])[0])


def test_two_openings_see_each_other(filled):
    with Memory.open(filled) as one, Memory.open(filled) as two:
        assert len(one.search("x", 9)) == len(two.search("x", 9)) == 3
        one.add_episodes([make_episode(7, "Find the cat.")])
        assert two.search("Find the cat.", 1)[0].entry.goal == "Find the cat."
        two.add_episodes([make_episode(8, "Find the dog.")])
        assert one.search("Find the dog.", 1)[0].entry.goal == "Find the dog."


def test_a_kill_loses_only_what_was_not_committed(tmp_path):
    script = """
import sys
sys.path.insert(0, sys.argv[2])
from test_memory import make_episode
from worldschool.learners.memory import Memory, memory
memory.ENTRIES_PER_COMMIT = 4
with Memory.create(sys.argv[1]) as opened:
    def episodes():
        for i in range(10**9):
            yield make_episode(i, f"goal {i}")
    def told(n):
        print(n, flush=True)
    opened.add_episodes(episodes(), told)
"""
    directory = tmp_path / "memory"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(directory), os.path.dirname(__file__)],
        stdout=subprocess.PIPE,
        text=True,
    )
    committed = sum(int(process.stdout.readline()) for _ in range(10))
    process.send_signal(signal.SIGKILL)
    committed += sum(int(line) for line in process.communicate()[0].splitlines())
    with Memory.open(directory) as memory:
        count = memory.count
        assert committed >= 40
        # The last commit may have come before it could be told.
        assert count in (committed, committed + 4)
        assert found(memory, f"goal {count - 1}", 1)[0][0] == trajectory_entry(make_episode(count - 1, "")).id
    assert remember([make_episode(i, f"goal {i}") for i in range(count + 5)], directory) == (
        5,
        count,
        count + 5,
    )


def test_what_is_no_memory_is_named(tmp_path, filled):
    with pytest.raises(MemoryStoreError, match=r"nowhere: .*no such directory.*worldschool remember"):
        recall(tmp_path / "nowhere", "x")
    with pytest.raises(MemoryStoreError, match=r"no memory.sqlite in it"):
        recall(tmp_path, "x")
    Memory.create(tmp_path / "empty").close()
    with pytest.raises(MemoryStoreError, match=r"empty: the memory is empty"):
        recall(tmp_path / "empty", "x")
    with Memory.open(tmp_path / "empty") as memory:
        assert memory.search("x") == []
    with pytest.raises(MemoryStoreError, match="there is a memory here already"):
        Memory.create(filled)
    with pytest.raises(MemoryStoreError, match="no episodes were given"):
        remember([], tmp_path / "unmade")
    assert not (tmp_path / "unmade").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(MemoryStoreError, match="file: the directory cannot be made"):
        remember(EPISODES, tmp_path / "file")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "memory.sqlite").write_bytes(b"this is no database, whatever its name" * 100)
    with pytest.raises(MemoryStoreError, match=r"memory.sqlite: the file is damaged or no memory"):
        recall(tmp_path, "x")
    (tmp_path / "memory.sqlite").write_bytes(b"")  # a creation that was killed leaves this
    with pytest.raises(MemoryStoreError, match="this file holds no memory"):
        recall(tmp_path, "x")
    assert remember(EPISODES, tmp_path).added == 3


def test_an_unknown_version_is_refused(filled):
    connection = sqlite3.connect(filled / "memory.sqlite")
    with connection:
        connection.execute("UPDATE meta SET value = 'worldschool.memory/9' WHERE key = 'schema'")
        connection.execute("UPDATE meta SET value = '9.1.0' WHERE key = 'package_version'")
    connection.close()
    with pytest.raises(
        MemoryStoreError,
        match=r"version is worldschool.memory/9; .*reads worldschool.memory/1 and worldschool.memory/2.*9.1.0",
    ):
        recall(filled, "x")


def test_unusable_arguments_are_named(filled):
    with Memory.open(filled) as memory:
        with pytest.raises(MemoryStoreError, match="k: at least 1 is expected, found 0"):
            memory.search("x", 0)
        with pytest.raises(MemoryStoreError, match="no kind 'skil'.*Did you mean 'skill'"):
            memory.search("x", kind="skil")
