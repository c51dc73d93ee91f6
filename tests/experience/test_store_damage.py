from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.experience.stored_episodes import episode, filled
from worldschool.errors import DatasetError
from worldschool.experience.storage.verification import verify
from worldschool.experience.store import EpisodeStore
from worldschool.files import sha256_file


def test_problems_are_named(tmp_path: Path) -> None:
    filled(tmp_path, n=9)
    shards = tmp_path / "shards"
    damaged = bytearray((shards / "000000.parquet").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (shards / "000000.parquet").write_bytes(damaged)
    (shards / "000001.parquet").unlink()
    first, second = EpisodeStore.open(tmp_path).verify()
    assert "000000.parquet" in first and "changed or damaged" in first
    assert f"Run `worldschool repair {tmp_path}`" in first
    assert "000001.parquet" in second and "missing" in second
    with pytest.raises(DatasetError, match="changed or damaged"):
        list(EpisodeStore.open(tmp_path))


def test_a_shard_that_is_not_there_yet_is_noted_and_no_problem(tmp_path: Path) -> None:
    store = EpisodeStore.create(tmp_path, {}, 0, 2)
    store.commit_shard(0, [episode(0), episode(1)])
    store.commit_shard(3, [episode(6), episode(7)])
    found = verify(tmp_path)
    assert found.problems == () and store.verify() == []
    (note,) = found.notes
    assert "000001.parquet to 000002.parquet: not committed (episodes 2 to 5)" in note


def test_a_manifest_that_tells_other_indices_is_a_problem(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    rewrite_manifest(tmp_path, last=3, rows=4)
    (problem,) = EpisodeStore.open(tmp_path).verify()
    assert "it holds 3 episodes with indices 0 to 2, and manifest.jsonl says 4 from 0 to 3" in problem


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
        (
            '{"schema": "worldschool.dataset/3", "versions": {"worldschool": "9.1.0"}}',
            r"reads version 3: 9.1.0 .*'worldschool>=9.1.0'",
        ),
        (
            '{"schema": "worldschool.dataset/1", "episode_schema": "worldschool.episode/2"}',
            "'worldschool.episode/2' and this release reads 'worldschool.episode/1'",
        ),
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


@settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_one_flipped_bit_anywhere_in_a_shard_is_found(tmp_path: Path, data: st.DataObject) -> None:
    if not (tmp_path / "dataset.json").exists():
        filled(tmp_path, n=4, size=2)
    path = tmp_path / "shards" / "000001.parquet"
    whole = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << bit % 8
    path.write_bytes(flipped)
    (problem,) = verify(tmp_path).problems
    assert "000001.parquet" in problem.where and "changed or damaged" in problem.problem
    path.write_bytes(whole)
    assert verify(tmp_path).problems == ()


def test_a_truncated_shard_is_named_at_every_length(tmp_path: Path) -> None:
    filled(tmp_path, n=2, size=2)
    path = tmp_path / "shards" / "000000.parquet"
    whole = path.read_bytes()
    for length in (0, 1, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        (problem,) = verify(tmp_path).problems
        assert "000000.parquet" in problem.where


def recommit(directory: Path, table: pa.Table) -> None:
    """Put a table in the place of the first shard, its bytes as its line says."""
    path = directory / "shards" / "000000.parquet"
    pq.write_table(table, path)
    lines = (directory / "manifest.jsonl").read_text().splitlines()
    lines[0] = json.dumps({**json.loads(lines[0]), "sha256": sha256_file(path), "parts": []})
    (directory / "manifest.jsonl").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("goal", None, "goal is null 3 times"),
        ("steps", None, "steps is null 3 times"),
        ("return", float("nan"), "return is not finite 3 times"),
        ("split", "test", "has a split that is none of train, validation, heldout"),
        ("length", 4, "'0123abcd-0000000000000000-00000000' has another length than it has steps"),
        ("episode_id", "x", "an id is there more than once"),
        ("index", 5, "its indices are not 0 and on"),
    ],
)
def test_values_that_no_writer_of_ours_stores_are_found(
    tmp_path: Path, name: str, value: Any, told: str
) -> None:
    filled(tmp_path, n=6)
    table = pq.read_table(tmp_path / "shards" / "000000.parquet")
    place = table.schema.get_field_index(name)
    column = pa.array([value] * 3, table.schema.field(name).type)
    recommit(tmp_path, table.set_column(place, table.schema.field(name), column))
    problems = EpisodeStore.open(tmp_path).verify()
    assert any(told in problem and "000000.parquet" in problem for problem in problems), problems


def test_an_id_that_another_shard_has_is_found(tmp_path: Path) -> None:
    with EpisodeStore.create(tmp_path, {}, 0, 2) as store:
        store.commit_shard(0, [episode(0), episode(1)])
        store.commit_shard(1, [episode(2), dataclasses.replace(episode(0), index=3)])
    (problem,) = verify(tmp_path).problems
    assert "000001.parquet" in problem.where
    assert "the id '0123abcd-0000000000000000-00000000' is there more than once" in problem.problem


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    table = pq.read_table(tmp_path / "shards" / "000000.parquet")
    place = table.schema.get_field_index("seed")
    recommit(tmp_path, table.set_column(place, "seed", table.column("seed").cast(pa.float64())))
    with pytest.raises(DatasetError, match="the column 'seed' holds double, not int64"):
        list(EpisodeStore.open(tmp_path))


def test_a_short_shard_before_the_last_is_a_problem(tmp_path: Path) -> None:
    with EpisodeStore.create(tmp_path, {}, 0, 3) as store:
        store.commit_shard(0, [episode(0), episode(1)])
        store.commit_shard(1, [episode(3)])
    (problem,) = store.verify()
    assert "000000.parquet: it holds 2 episodes, not 3" in problem


def test_a_damaged_last_line_does_not_count_and_verify_tells(tmp_path: Path) -> None:
    filled(tmp_path)
    manifest = tmp_path / "manifest.jsonl"
    *before, last = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join(before) + last.replace(b"rows", b"r\0ws"))
    assert len(EpisodeStore.open(tmp_path)) == 6
    found = verify(tmp_path)
    assert [problem.where for problem in found.problems] == [f"{manifest}, line 3"]
    assert any("000002.parquet: a file without a line" in note for note in found.notes)
    manifest.write_bytes(b"".join(before) + last[:-1])  # torn by a kill
    assert verify(tmp_path).problems == () and "torn" in verify(tmp_path).notes[0]


def test_what_counts_is_counted(tmp_path: Path) -> None:
    filled(tmp_path)
    found = verify(tmp_path)
    assert (found.problems, found.notes, found.shards, found.episodes, found.steps) == ((), (), 3, 7, 21)
    assert found.size == sum(path.stat().st_size for path in (tmp_path / "shards").iterdir())


def rewrite_manifest(directory: Path, **changes: Any) -> None:
    line = json.loads((directory / "manifest.jsonl").read_text())
    (directory / "manifest.jsonl").write_text(json.dumps({**line, **changes}) + "\n")
