from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.experience.stored_episodes import STEP, episode, episodes, filled, long_episode, numbered
from worldschool.config import build_config
from worldschool.errors import ConfigError, DatasetError, OutputError
from worldschool.experience.storage import schema
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.manifest import Manifest
from worldschool.experience.storage.schema import content_hash, to_episodes, to_rows, to_table
from worldschool.experience.storage.shards import STEPS_PER_ROW_GROUP, ShardFile
from worldschool.experience.store import EpisodeStore
from worldschool.files import sha256_file
from worldschool.records import Episode


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(episodes, min_size=1, max_size=4))
def test_any_episode_survives_the_table(given_episodes: list[Episode]) -> None:
    table = to_table(given_episodes)
    assert to_episodes(table) == given_episodes
    assert to_rows(table) == table.to_pylist() == [one.to_json() for one in given_episodes]
    assert to_episodes(table.slice(1)) == given_episodes[1:]


@settings(deadline=None, derandomize=True, max_examples=15)
@given(st.lists(episodes, min_size=1, max_size=5), st.integers(1, 5))
def test_any_episode_survives_the_store_and_the_hash_ignores_sharding(
    given_episodes: list[Episode], size: int
) -> None:
    given_episodes = numbered(given_episodes)
    with tempfile.TemporaryDirectory() as directory:
        store = EpisodeStore.create(directory, {}, 0, size)
        for k in reversed(range(-(-len(given_episodes) // size))):
            store.commit_shard(k, given_episodes[k * size : (k + 1) * size])
        opened = EpisodeStore.open(directory)
        assert list(opened) == given_episodes and len(opened) == len(given_episodes)
        assert opened.content_hash() == content_hash(one.to_json() for one in given_episodes)
        assert opened.verify() == []


def test_content_hash_is_the_sha256_of_canonical_lines() -> None:
    expected = hashlib.sha256('{"a":"é","b":0.1}\n{}\n'.encode()).hexdigest()
    assert content_hash([{"b": 0.1, "a": "é"}, {}]) == expected


def test_the_hash_tells_one_changed_letter(tmp_path: Path) -> None:
    changed = [episode(0), episode(1, initial_observation="A boom.")]
    assert content_hash(e.to_json() for e in changed) != content_hash(episode(i).to_json() for i in range(2))


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    filled(tmp_path)
    description = json.loads((tmp_path / "dataset.json").read_text())
    assert description["schema"] == "worldschool.dataset/1"
    assert description["run_seed"] == 0 and description["shard_size"] == 3
    lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert [(line["shard"], line["rows"], line["first"], line["last"]) for line in lines] == [
        ("000000.parquet", 3, 0, 2),
        ("000001.parquet", 3, 3, 5),
        ("000002.parquet", 1, 6, 6),
    ]
    path = tmp_path / "shards" / "000000.parquet"
    assert lines[0]["sha256"] == sha256_file(path)
    file = pq.ParquetFile(path)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.schema_arrow.metadata[b"schema"] == b"worldschool.episode/1"


def test_row_groups_hold_about_five_hundred_steps(tmp_path: Path) -> None:
    store = EpisodeStore.create(tmp_path, {}, 0, 10)
    store.commit_shard(0, [episode(i, steps=(STEP,) * 200, length=200) for i in range(10)])
    file = pq.ParquetFile(tmp_path / "shards" / "000000.parquet")
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert groups == [3, 3, 3, 1] and STEPS_PER_ROW_GROUP == 500


def test_scan_by_split_read_and_totals(tmp_path: Path) -> None:
    store = EpisodeStore.create(tmp_path, {}, 0, 4)
    kept = [
        episode(0),
        episode(1, split="heldout", success=True),
        episode(2, error="ValueError: no", length=0, steps=()),
        episode(3, episode_id="a name without an index"),
    ]
    store.commit_shard(0, kept)
    assert list(store.scan("heldout")) == [kept[1]]
    assert store.read(kept[2].episode_id) == kept[2]
    assert store.read("a name without an index") == kept[3]
    with pytest.raises(DatasetError, match="no episode 'x-00000001'"):
        store.read("x-00000001")
    totals = store.totals()
    assert (totals.episodes, totals.successes, totals.steps, totals.errors) == (4, 1, 9, 1)


def test_a_dataset_is_not_begun_twice(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(OutputError, match="holds a dataset already"):
        EpisodeStore.create(tmp_path, {}, 0, 3)


def test_only_the_shards_own_episodes_are_committed(tmp_path: Path) -> None:
    store = filled(tmp_path, n=3)
    with pytest.raises(ValueError, match="committed already"):
        store.commit_shard(0, [episode(0)])
    for wrong in ([], [episode(4)], [episode(3), episode(5)], [episode(i) for i in range(3, 7)]):
        with pytest.raises(ValueError, match="from 3 on in order"):
            store.commit_shard(1, wrong)


def test_a_torn_last_line_is_dropped_at_every_byte(tmp_path: Path) -> None:
    filled(tmp_path)
    manifest = tmp_path / "manifest.jsonl"
    whole = manifest.read_bytes()
    two_lines = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for cut in range(two_lines, len(whole)):
        manifest.write_bytes(whole[:cut])
        assert EpisodeStore.open(tmp_path).committed_shards() == [0, 1]
    store = EpisodeStore.open(tmp_path)
    store.commit_shard(2, [episode(6)])  # the torn line makes way, and the orphan file is written again
    assert manifest.read_bytes() == whole
    assert EpisodeStore.open(tmp_path).verify() == []


def test_a_torn_line_with_a_newline_in_it_is_dropped(tmp_path: Path) -> None:
    filled(tmp_path)
    manifest = tmp_path / "manifest.jsonl"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole + b'{"shard": "0000\n')
    assert Manifest(manifest).shards.keys() == {0, 1, 2}


def test_a_shard_file_without_a_line_does_not_count(tmp_path: Path) -> None:
    store = filled(tmp_path, n=3)
    (tmp_path / "shards" / "000001.parquet").write_bytes(b"half a file")
    opened = EpisodeStore.open(tmp_path)
    assert len(opened) == 3 and opened.content_hash() == store.content_hash()
    opened.commit_shard(1, [episode(3)])
    assert [one.index for one in EpisodeStore.open(tmp_path)] == [0, 1, 2, 3]


def test_a_table_of_columns_is_the_one_that_arrow_makes_of_rows() -> None:
    kept = [
        episode(0),
        long_episode(1),
        episode(2, entities=(), steps=(), length=0, activity="cook", error="x"),
    ]
    expected = pa.Table.from_pylist([one.to_json() for one in kept], schema=schema.EPISODE)
    assert to_table(kept).equals(expected, check_metadata=True)


def test_columns_that_are_asked_for_are_read_and_no_others(tmp_path: Path) -> None:
    filled(tmp_path)
    store = EpisodeStore.open(tmp_path)
    rows = list(store.rows(["goal", "steps.action", "index"]))
    assert [row["index"] for row in rows] == list(range(7))
    assert rows[0] == {"index": 0, "goal": "Open the chest.", "steps": [{"action": "walk to room 2"}] * 3}
    assert "steps" not in next(store.rows(schema.WITHOUT_STEPS))
    with pytest.raises(DatasetError, match="no column 'gaol'.*Did you mean 'goal'"):
        next(store.rows(["gaol"]))


KEPT = [
    episode(0, success=True, agent="mcts", goal="Put the APPLE in the fridge."),
    episode(1, split="heldout", error="ValueError: no", steps=(), length=0),
    episode(2, activity="cook", world="worldschool/Other-v0"),
    long_episode(3),
    episode(4, split="validation", success=True, goal="Find an apple"),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"split": "train"}, [0, 2, 3]),
        ({"success": True}, [0, 4]),
        ({"success": False, "failed": False}, [2, 3]),
        ({"failed": True}, [1]),
        ({"world": "worldschool/Other-v0"}, [2]),
        ({"agent": "mcts"}, [0]),
        ({"activity": "cook"}, [2]),
        ({"goal": "apple"}, [0, 4]),
        ({"min_length": 1, "max_length": 3}, [0, 2, 4]),
        ({"first": 1, "last": 3}, [1, 2, 3]),
        ({"goal": "apple", "split": "validation"}, [4]),
        ({"agent": "nobody"}, []),
    ],
)
def test_filters_keep_what_they_ask_for(tmp_path: Path, asked: dict[str, Any], expected: list[int]) -> None:
    with EpisodeStore.create(tmp_path, {}, 0, 2) as store:
        store.append(KEPT)
    where = EpisodeFilter(**asked)
    assert [one.index for one in EpisodeStore.open(tmp_path).scan(where=where)] == expected
    assert [one.index for one in KEPT if where.matches(one)] == expected
    assert where.mask(to_table(KEPT)).null_count == 0


def test_a_filter_that_nothing_can_pass_is_told() -> None:
    with pytest.raises(ConfigError, match="min_length 3 is more than max_length 2"):
        build_config(EpisodeFilter, {"min_length": 3, "max_length": 2}, "the filter")


def test_row_groups_that_hold_nothing_asked_for_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EpisodeStore.create(tmp_path, {}, 0, 8) as store:
        store.append(dataclasses.replace(long_episode(i), success=i == 7) for i in range(8))
    read: list[Any] = []
    original = ShardFile.read
    monkeypatch.setattr(
        ShardFile,
        "read",
        lambda self, group, columns=None: (read.append((group, columns)), original(self, group, columns))[1],
    )
    (found,) = EpisodeStore.open(tmp_path).scan(where=EpisodeFilter(success=True))
    assert found.index == 7
    assert [group for group, columns in read if columns is None] == [2]
    assert {columns for _, columns in read if columns is not None} == {("success",)}


def test_reading_by_id_opens_one_shard_and_one_row_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, n=12, size=4, steps=200)
    store = EpisodeStore.open(tmp_path)
    read: list[Any] = []
    original = ShardFile.read
    monkeypatch.setattr(
        ShardFile,
        "read",
        lambda self, group, columns=None: (
            read.append((self.shard.shard, columns)),
            original(self, group, columns),
        )[1],
    )
    assert store.read(long_episode(9).episode_id) == long_episode(9)
    assert read.count(("000002.parquet", None)) == 1 and {name for name, _ in read} == {"000002.parquet"}
    read.clear()
    store.read(long_episode(9).episode_id)  # the ids are remembered
    assert read == [("000002.parquet", None)]


def test_a_file_is_hashed_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    store = EpisodeStore.open(tmp_path)
    hashed: list[Path] = []
    monkeypatch.setattr(
        "worldschool.experience.storage.shards.sha256_file",
        lambda path: (hashed.append(path), sha256_file(path))[1],
    )
    assert len(list(store)) == len(list(store)) == 7
    assert len(hashed) == 3
    path = tmp_path / "shards" / "000001.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DatasetError, match=r"000001\.parquet: the file was changed or damaged"):
        list(store)


def test_rows_from_before_the_digest_are_read_and_hash_as_they_did(tmp_path: Path) -> None:
    expected = filled(tmp_path, n=3).content_hash()
    path = tmp_path / "shards" / "000000.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["digest"]), path)
    rewrite_manifest(tmp_path, sha256=sha256_file(path), parts=[])
    store = EpisodeStore.open(tmp_path)
    assert [one.digest for one in store] == ["", "", ""] and store.content_hash() == expected
    assert [row["digest"] for row in store.rows(["digest"])] == ["", "", ""]
    assert store.verify() == []


def test_an_older_version_is_read_by_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, n=3)
    path = tmp_path / "shards" / "000000.parquet"
    table = pq.read_table(path)
    older = table.rename_columns(["task" if name == "goal" else name for name in table.column_names])
    pq.write_table(older.replace_schema_metadata({"schema": "worldschool.episode/0"}), path)
    rewrite_manifest(tmp_path, sha256=sha256_file(path), parts=[])
    with pytest.raises(DatasetError, match="this release reads 'worldschool.episode/1'"):
        list(EpisodeStore.open(tmp_path))

    def upgrade(table: pa.Table) -> pa.Table:
        return table.rename_columns(["goal" if name == "task" else name for name in table.column_names])

    reader = schema.Reader(tuple(older.column_names), upgrade)
    monkeypatch.setattr(schema, "READERS", {"worldschool.episode/0": reader, **schema.READERS})
    assert list(EpisodeStore.open(tmp_path)) == [episode(i) for i in range(3)]
    assert [row["goal"] for row in EpisodeStore.open(tmp_path).rows(["goal"])] == ["Open the chest."] * 3


def rewrite_manifest(directory: Path, **changes: Any) -> None:
    line = json.loads((directory / "manifest.jsonl").read_text())
    (directory / "manifest.jsonl").write_text(json.dumps({**line, **changes}) + "\n")
