"""The shards are opened by other libraries, without our code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.experience.stored_episodes import STEP, episode, filled
from worldschool.experience.store import EpisodeStore


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Seven episodes in three shards, one of them with an activity."""
    with EpisodeStore.create(tmp_path / "few", {}, 0, 3) as store:
        store.append(episode(i, activity="cook" if i == 4 else None, success=i % 2 == 0) for i in range(7))
    return tmp_path / "few"


def test_hugging_face_datasets(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    files = str(dataset / "shards" / "*.parquet")
    loaded = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [row["index"] for row in loaded] == list(range(7))
    assert loaded[4] == episode(4, activity="cook", success=True).to_json()
    assert loaded.filter(lambda row: row["success"]).num_rows == 4
    streamed = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
    assert sum(len(row["steps"]) for row in streamed) == 21


def test_pandas(dataset: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(dataset / "shards")
    assert list(frame["index"]) == list(range(7)) and frame["success"].sum() == 4
    assert frame["steps"][2][1]["observation"] == STEP.observation
    assert frame["activity"].isna().sum() == 6


def test_polars(dataset: Path) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.scan_parquet(dataset / "shards" / "*.parquet").filter(polars.col("success")).collect()
    assert frame["index"].to_list() == [0, 2, 4, 6]
    actions = frame.explode("steps").unnest("steps")["action"]
    assert actions.to_list() == [STEP.action] * 12


def test_duckdb(dataset: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    files = str(dataset / "shards" / "*.parquet")
    rows = duckdb.sql(f"select count(*), sum(length), sum(success::int) from '{files}'").fetchall()
    assert rows == [(7, 21, 4)]
    (verb,) = duckdb.sql(
        f"select distinct event.verb from (select unnest(step.events) event from "
        f"(select unnest(steps) step from '{files}'))"
    ).fetchall()
    assert verb == ("walk",)


def test_a_shard_that_was_left_by_a_kill_while_growing_is_not_read_twice(dataset: Path) -> None:
    pandas = pytest.importorskip("pandas")
    (dataset / "shards" / ".000002.parquet.next").write_bytes(
        (dataset / "shards" / "000002.parquet").read_bytes()
    )
    assert len(pandas.read_parquet(dataset / "shards")) == 7


def test_the_smallest_dataset_is_read(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    filled(tmp_path, n=1, size=1)
    assert len(pandas.read_parquet(tmp_path / "shards" / "000000.parquet")) == 1
