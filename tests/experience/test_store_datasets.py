from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.experience.stored_episodes import episode, filled, long_episode
from worldschool.errors import ConfigError, DatasetError, OutputError
from worldschool.experience.storage.datasets import (
    compact_dataset,
    filter_dataset,
    merge_datasets,
    split_dataset,
)
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.storage.parts import read_shares
from worldschool.experience.storage.summary import summarize
from worldschool.experience.storage.verification import verify
from worldschool.experience.storage.writing import Writer
from worldschool.experience.store import EpisodeStore
from worldschool.records import Episode


def made(directory: Path, episodes: list[Episode], size: int = 3, **described: Any) -> EpisodeStore:
    with EpisodeStore.create(directory, {"name": directory.name}, 0, size, **described) as store:
        store.append(episodes)
    return EpisodeStore.open(directory)


def mixed(n: int = 12) -> list[Episode]:
    """Return episodes of three splits in four worlds."""
    splits = ("train", "validation", "train", "heldout")
    return [episode(i, split=splits[i % 4], seed=i % 5, success=i % 3 == 0) for i in range(n)]


def test_filtering_keeps_rows_as_they_are(tmp_path: Path) -> None:
    source = made(tmp_path / "all", mixed(), dynamics={"worldschool/Corridor-v0": "1"})
    done = filter_dataset(source, tmp_path / "some", EpisodeFilter(success=True))
    store = EpisodeStore.open(tmp_path / "some")
    assert list(store) == [one for one in mixed() if one.success]
    assert (done.episodes, done.steps, len(store)) == (4, 12, 4)
    assert store.gaps and not store.complete and verify(tmp_path / "some").problems == ()
    assert store.description["dynamics"] == {"worldschool/Corridor-v0": "1"}
    (told,) = store.description["sources"]
    assert told["config"] == {"name": "all"} and told["episodes"] == 12 and len(told["shards_sha256"]) == 64
    assert store.read(mixed()[6].episode_id) == mixed()[6]


def test_a_filter_that_keeps_nothing_makes_nothing(tmp_path: Path) -> None:
    source = made(tmp_path / "all", mixed())
    with pytest.raises(DatasetError, match="no episode passes the filter"):
        filter_dataset(source, tmp_path / "some", EpisodeFilter(agent="nobody"))
    assert not (tmp_path / "some").exists()


def test_another_filter_does_not_touch_the_output(tmp_path: Path) -> None:
    source = made(tmp_path / "all", mixed())
    filter_dataset(source, tmp_path / "some", EpisodeFilter(success=True))
    filter_dataset(source, tmp_path / "some", EpisodeFilter(success=True))
    with pytest.raises(OutputError, match="where.success: True -> False"):
        filter_dataset(source, tmp_path / "some", EpisodeFilter(success=False))


def test_interrupted_the_same_call_completes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = made(tmp_path / "all", mixed(20))
    commit = Writer.commit
    count = 0

    def failing(self: Writer, k: int, table: Any) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        commit(self, k, table)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "commit", failing)
        with pytest.raises(KeyboardInterrupt):
            filter_dataset(source, tmp_path / "some", EpisodeFilter(first=2))
    assert len(EpisodeStore.open(tmp_path / "some")) == 6
    filter_dataset(source, tmp_path / "some", EpisodeFilter(first=2))
    assert list(EpisodeStore.open(tmp_path / "some")) == mixed(20)[2:]
    assert verify(tmp_path / "some").problems == ()


def test_split_by_column(tmp_path: Path) -> None:
    source = made(tmp_path / "all", mixed())
    parts = split_dataset(source, tmp_path / "parts")
    assert sorted(parts) == ["heldout", "train", "validation"]
    for name in parts:
        store = EpisodeStore.open(tmp_path / "parts" / name)
        assert list(store) == [one for one in mixed() if one.split == name] and store.verify() == []


@settings(
    deadline=None,
    derandomize=True,
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 1000), share=st.floats(0.1, 0.9))
def test_parts_share_no_world_and_merge_to_what_was_split(
    tmp_path_factory: pytest.TempPathFactory, seed: int, share: float
) -> None:
    directory = tmp_path_factory.mktemp("split")
    source = made(directory / "all", mixed(30))
    parts = split_dataset(source, directory / "parts", {"a": share, "b": 1 - share}, seed)
    stores = [EpisodeStore.open(directory / "parts" / name) for name in parts]
    worlds = [{one.seed for one in store} for store in stores]
    assert sum(map(len, worlds)) == len(set().union(*worlds)) == 5
    merge_datasets(stores[::-1], directory / "merged")
    merged = EpisodeStore.open(directory / "merged")
    assert merged.content_hash() == source.content_hash() and merged.verify() == []
    compact_dataset(merged, directory / "compact", 7)
    compacted = EpisodeStore.open(directory / "compact")
    assert [path.name for path in compacted.shard_files()] == [f"{k:06d}.parquet" for k in range(5)]


def test_where_a_world_falls_does_not_depend_on_the_others(tmp_path: Path) -> None:
    many = [episode(i, seed=i) for i in range(200)]
    shares = {"train": 0.7, "rest": 0.3}
    split_dataset(made(tmp_path / "all", many, 50), tmp_path / "a", shares)
    split_dataset(made(tmp_path / "half", many[:100], 50), tmp_path / "b", shares)
    whole = {one.seed for one in EpisodeStore.open(tmp_path / "a" / "train")}
    assert 120 <= len(whole) <= 160
    assert {one.seed for one in EpisodeStore.open(tmp_path / "b" / "train")} == {
        seed for seed in whole if seed < 100
    }
    split_dataset(EpisodeStore.open(tmp_path / "all"), tmp_path / "c", shares, seed=1)
    assert {one.seed for one in EpisodeStore.open(tmp_path / "c" / "train")} != whole


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("train=0.8,validation=0.3", "sum to 1.1, not to 1"),
        ("train", "'train' is no share"),
        ("train=x", "'train=x' is no share"),
        ("a=0.5,a=0.5", "there twice"),
        ("../x=1", "'../x' cannot be the name of a part"),
        ("a=0,b=1", "the share of a is 0.0, not between 0 and 1"),
        ("a=nan", "not between 0 and 1"),
    ],
)
def test_bad_shares_are_told(tmp_path: Path, text: str, told: str) -> None:
    source = made(tmp_path / "all", mixed())
    with pytest.raises(ConfigError, match=told):
        split_dataset(source, tmp_path / "parts", read_shares(text))
    assert not (tmp_path / "parts").exists()


def test_merging_runs_goes_by_index_and_id_in_any_order(tmp_path: Path) -> None:
    other = [episode(i, episode_id=f"ffff0000-{1:016x}-{i:08d}", run_seed=1, seed=1000 + i) for i in range(5)]
    one, two = made(tmp_path / "one", mixed(8)), made(tmp_path / "two", other, 2)
    merge_datasets([one, two], tmp_path / "a")
    merge_datasets([two, one], tmp_path / "b")
    a, b = EpisodeStore.open(tmp_path / "a"), EpisodeStore.open(tmp_path / "b")
    assert a.content_hash() == b.content_hash() and a.verify() == b.verify() == []
    assert sorted([*mixed(8), *other], key=lambda one: (one.index, one.episode_id)) == list(a)
    assert [source["config"]["name"] for source in a.description["sources"]] == ["one", "two"]
    assert a.shard_size == 3 and [a.read(one.episode_id) for one in other] == other


def test_an_episode_that_both_hold_alike_is_kept_once(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one", mixed(8)), made(tmp_path / "two", mixed(11), 4)
    done = merge_datasets([one, two], tmp_path / "both")
    assert (done.episodes, done.duplicates) == (11, 8)
    assert list(EpisodeStore.open(tmp_path / "both")) == mixed(11)


def test_episodes_that_differ_under_one_id_are_refused(tmp_path: Path) -> None:
    changed = [dataclasses.replace(one, goal="Another." if one.index == 5 else one.goal) for one in mixed(8)]
    one, two = made(tmp_path / "one", mixed(8)), made(tmp_path / "two", changed)
    with pytest.raises(
        DatasetError, match=r"one and .*two: both hold an episode '0123abcd.*00000005', and they differ"
    ):
        merge_datasets([one, two], tmp_path / "both")


def test_one_id_at_two_indices_is_refused(tmp_path: Path) -> None:
    one = made(tmp_path / "one", mixed(3))
    two = made(tmp_path / "two", [dataclasses.replace(mixed()[1], index=0)])
    with pytest.raises(DatasetError, match="an episode with this id is in the dataset already"):
        merge_datasets([one, two], tmp_path / "both")


def test_datasets_of_other_dynamics_are_not_merged(tmp_path: Path) -> None:
    one = made(tmp_path / "one", mixed(3), dynamics={"w": "1"})
    two = made(tmp_path / "two", mixed(4), dynamics={"w": "2"})
    with pytest.raises(
        DatasetError, match=r"two: its episodes were lived by version '2' of w, those of .*one by '1'"
    ):
        merge_datasets([one, two], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_a_shard_of_another_schema_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    one, two = made(tmp_path / "one", mixed(3)), made(tmp_path / "two", mixed(6))
    path = two.shard_files()[1]
    pq.write_table(pq.read_table(path).drop_columns(["goal"]), path)
    with pytest.raises(DatasetError, match=r"000001\.parquet: columns are missing: goal"):
        merge_datasets([one, two], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_compacting_fills_shards_and_keeps_the_hash(tmp_path: Path) -> None:
    source = filled(tmp_path / "small", n=11, size=2, steps=60)
    done = compact_dataset(EpisodeStore.open(tmp_path / "small"), tmp_path / "large", 8)
    store = EpisodeStore.open(tmp_path / "large")
    assert done.content_hash == store.content_hash() == source.content_hash()
    assert store.complete and not store.gaps and store.shard_size == 8
    lines = [json.loads(line) for line in (tmp_path / "large" / "manifest.jsonl").read_text().splitlines()]
    assert [(line["rows"], line["first"], line["last"]) for line in lines] == [(8, 0, 7), (3, 8, 10)]
    direct = filled(tmp_path / "direct", n=11, size=8, steps=60)
    assert [p.read_bytes() for p in store.shard_files()] == [p.read_bytes() for p in direct.shard_files()]


def test_compacting_an_unfinished_run_leaves_its_holes(tmp_path: Path) -> None:
    with EpisodeStore.create(tmp_path / "run", {}, 0, 2) as store:
        store.commit_shard(0, [episode(0), episode(1)])
        store.commit_shard(2, [episode(4), episode(5)])
    compact_dataset(EpisodeStore.open(tmp_path / "run"), tmp_path / "compact", 3)
    compacted = EpisodeStore.open(tmp_path / "compact")
    assert compacted.gaps and [one.index for one in compacted] == [0, 1, 4, 5] and compacted.verify() == []


def test_the_summary_counts(tmp_path: Path) -> None:
    kept = [
        *mixed(5),
        long_episode(5),
        episode(6, error="ValueError: no", steps=(), length=0, activity="cook"),
    ]
    found = summarize(made(tmp_path / "all", kept))
    assert (found.episodes, found.steps, found.successes, found.errors) == (7, 215, 2, 1)
    assert (found.shortest, found.median_length, found.longest) == (0, 3, 200)
    assert found.splits == {"train": 5, "validation": 1, "heldout": 1} and found.activities == {"cook": 1}
    assert found.worlds == {"worldschool/Corridor-v0, version 1": 7} and found.world_seeds == 7
    assert found.size == sum(path.stat().st_size for path in (tmp_path / "all" / "shards").iterdir())
