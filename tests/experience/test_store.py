from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.errors import DatasetError, OutputError
from worldschool.experience.manifest import Manifest
from worldschool.experience.schema import content_hash, to_episodes, to_table
from worldschool.experience.store import STEPS_PER_ROW_GROUP, EpisodeStore
from worldschool.files import sha256_file
from worldschool.records import Entity, Episode, Event, Fact, Step

texts = st.text(max_size=20)
maybe = st.none() | texts
int32 = st.integers(-(2**31), 2**31 - 1)
int64 = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)


def several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3).map(tuple)


events = st.builds(
    Event,
    int32,
    texts,
    texts,
    maybe,
    maybe,
    maybe,
    st.sampled_from([None, "ON", "AT"]),
    st.booleans(),
    several(texts),
)
steps = st.builds(Step, texts, texts, floats, texts, int32, several(events))
facts = st.builds(Fact, texts, st.sampled_from(["ON", "STATE"]), texts)
episodes = st.builds(
    Episode,
    episode_id=texts,
    run_seed=int64,
    index=int64,
    world=texts,
    world_version=texts,
    world_config=texts,
    seed=int64,
    agent=texts,
    agent_config=texts,
    split=st.sampled_from(["train", "validation", "heldout"]),
    goal=texts,
    goal_predicates=texts,
    activity=maybe,
    entities=several(st.builds(Entity, texts, texts)),
    initial_facts=several(facts),
    initial_observation=texts,
    initial_state_hash=texts,
    steps=several(steps),
    terminated=st.booleans(),
    truncated=st.booleans(),
    success=st.booleans(),
    return_=floats,
    length=int32,
    error=maybe,
    package_version=texts,
)

STEP = Step("A room. Ünïcödé 🍎", "walk to room 2", 0.0, "ab" * 16, 3, (Event(0, "Mary", "walk"),))


def episode(index: int, **changes: Any) -> Episode:
    base = Episode(
        episode_id=f"0123abcd-{0:016x}-{index:08d}",
        run_seed=0,
        index=index,
        world="worldschool/Corridor-v0",
        world_version="1",
        world_config="{}",
        seed=index * 7,
        agent="random",
        agent_config="{}",
        split="train",
        goal="Open the chest.",
        goal_predicates='[["STATE:open","chest",null]]',
        activity=None,
        entities=(Entity("Mary", "character"),),
        initial_facts=(Fact("Mary", "AT", "room 1"),),
        initial_observation="A room.",
        initial_state_hash="cd" * 16,
        steps=(STEP,) * 3,
        terminated=False,
        truncated=True,
        success=False,
        return_=0.0,
        length=3,
        error=None,
        package_version="0.1.0",
    )
    return dataclasses.replace(base, **changes)


def filled(directory: Path, n: int = 7, size: int = 3) -> EpisodeStore:
    store = EpisodeStore.create(directory, {"episodes": n}, 0, size)
    for k in range(-(-n // size)):
        store.commit_shard(k, [episode(i) for i in range(k * size, min((k + 1) * size, n))])
    return store


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(episodes, min_size=1, max_size=4))
def test_any_episode_survives_the_table(given_episodes: list[Episode]) -> None:
    assert to_episodes(to_table(given_episodes)) == given_episodes


@settings(deadline=None, derandomize=True, max_examples=15)
@given(st.lists(episodes, min_size=1, max_size=5), st.integers(1, 5))
def test_any_episode_survives_the_store_and_the_hash_ignores_sharding(
    given_episodes: list[Episode], size: int
) -> None:
    numbered = [dataclasses.replace(one, index=i) for i, one in enumerate(given_episodes)]
    with tempfile.TemporaryDirectory() as directory:
        store = EpisodeStore.create(directory, {}, 0, size)
        for k in reversed(range(-(-len(numbered) // size))):
            store.commit_shard(k, numbered[k * size : (k + 1) * size])
        opened = EpisodeStore.open(directory)
        assert list(opened) == numbered and len(opened) == len(numbered)
        assert opened.content_hash() == content_hash(one.to_json() for one in numbered)
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


def test_problems_are_named(tmp_path: Path) -> None:
    filled(tmp_path, n=9)
    shards = tmp_path / "shards"
    damaged = bytearray((shards / "000000.parquet").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (shards / "000000.parquet").write_bytes(damaged)
    (shards / "000001.parquet").unlink()
    first, second = EpisodeStore.open(tmp_path).verify()
    assert "000000.parquet" in first and "changed or damaged" in first and "collect" in first
    assert "000001.parquet" in second and "missing" in second
    with pytest.raises(DatasetError, match="changed or damaged"):
        list(EpisodeStore.open(tmp_path))


def test_a_gap_between_shards_is_a_problem(tmp_path: Path) -> None:
    store = EpisodeStore.create(tmp_path, {}, 0, 2)
    store.commit_shard(0, [episode(0), episode(1)])
    store.commit_shard(2, [episode(4), episode(5)])
    (problem,) = store.verify()
    assert "000002.parquet: begins at index 4, expected 2" in problem


def rewrite_manifest(directory: Path, **changes: Any) -> None:
    line = json.loads((directory / "manifest.jsonl").read_text())
    (directory / "manifest.jsonl").write_text(json.dumps({**line, **changes}) + "\n")


def test_a_manifest_that_tells_other_indices_is_a_problem(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    rewrite_manifest(tmp_path, last=3, rows=4)
    (problem,) = EpisodeStore.open(tmp_path).verify()
    assert "its indices are not 0 to 3" in problem


def test_unreadable_parquet_is_named(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    path = tmp_path / "shards" / "000000.parquet"
    path.write_bytes(b"PAR1 but no more")
    rewrite_manifest(tmp_path, sha256=sha256_file(path))
    with pytest.raises(DatasetError, match=r"000000\.parquet: this is no readable Parquet file"):
        list(EpisodeStore.open(tmp_path))


@pytest.mark.parametrize(
    ("schema", "told"), [("worldschool.episode/2", "newer worldschool"), ("x", "is expected")]
)
def test_a_shard_of_another_schema_is_refused(tmp_path: Path, schema: str, told: str) -> None:
    filled(tmp_path, n=3)
    path = tmp_path / "shards" / "000000.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata({"schema": schema}), path)
    rewrite_manifest(tmp_path, sha256=sha256_file(path))
    with pytest.raises(DatasetError, match=told):
        list(EpisodeStore.open(tmp_path))


def test_a_shard_without_a_column_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    path = tmp_path / "shards" / "000000.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["goal"]), path)
    rewrite_manifest(tmp_path, sha256=sha256_file(path))
    with pytest.raises(DatasetError, match="columns are missing: goal"):
        list(EpisodeStore.open(tmp_path))


def test_a_missing_or_foreign_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere: there is no such directory.*worldschool collect"):
        EpisodeStore.open(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"dataset\.json is missing"):
        EpisodeStore.open(tmp_path)


def test_an_empty_dataset_is_told(tmp_path: Path) -> None:
    EpisodeStore.create(tmp_path, {}, 0, 3)
    with pytest.raises(DatasetError, match="the dataset is empty"):
        EpisodeStore.open(tmp_path)
    assert len(EpisodeStore.open(tmp_path, empty_ok=True)) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"schema": "worldschool.dataset/2"}', "newer worldschool release reads version 2"),
        ('{"schema": "somebody.else/1"}', r"'worldschool.dataset/1' is expected"),
        ("{}", "is expected, found None"),
        ("[]", "a JSON object is expected"),
        ("{", r"dataset\.json: .*cannot be read"),
        ('{"schema": "worldschool.dataset/1", "run_seed": 0}', "shard_size is missing"),
    ],
)
def test_a_bad_description_is_told(tmp_path: Path, text: str, told: str) -> None:
    filled(tmp_path, n=3)
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DatasetError, match=told):
        EpisodeStore.open(tmp_path)


@pytest.mark.parametrize("line", ["no JSON", "{}", '{"shard": "../../etc.parquet", "rows": 1}', "[1]"])
def test_a_damaged_line_that_is_not_the_last_is_told(tmp_path: Path, line: str) -> None:
    filled(tmp_path, n=3)
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(f"{line}\n{manifest.read_text()}")
    with pytest.raises(DatasetError, match=r"manifest\.jsonl, line 1: this line is damaged"):
        EpisodeStore.open(tmp_path)
