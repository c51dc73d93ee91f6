from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.experience.stored_episodes import episode, filled, long_episode
from worldschool.errors import DatasetError
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.storage.datasets import merge_datasets
from worldschool.experience.storage.repair import repair
from worldschool.experience.storage.schema import content_hash
from worldschool.experience.storage.verification import verify
from worldschool.experience.store import EpisodeStore
from worldschool.files import sha256_file
from worldschool.progress import silent


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def shard(directory: Path, k: int) -> Path:
    return directory / "shards" / f"{k:06d}.parquet"


def group_at(path: Path, group: int) -> int:
    """Return a byte in the middle of a row group."""
    column = pq.ParquetFile(path).metadata.row_group(group).column(10)
    start = column.dictionary_page_offset or column.data_page_offset
    return int(start + column.total_compressed_size // 2)


def files(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_a_dataset_without_damage_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path)
    before = files(tmp_path)
    done = repair(tmp_path)
    assert not done.changed and done.kept == 3 and done.losses == ()
    after = files(tmp_path)
    assert {name: data for name, data in after.items() if not name.endswith(".lock")} == {
        name: data for name, data in before.items() if not name.endswith(".lock")
    }


def test_a_damaged_shard_is_taken_out_and_its_whole_row_groups_are_kept(tmp_path: Path) -> None:
    filled(tmp_path, n=12, size=6, steps=200)  # row groups of three episodes
    damaged = shard(tmp_path, 0)
    flip(damaged, group_at(damaged, 1))
    before = damaged.read_bytes()
    done = repair(tmp_path)
    (loss,) = done.losses
    assert (loss.shard, loss.episodes, loss.salvaged, loss.first, loss.last) == ("000000.parquet", 6, 3, 0, 5)
    assert done.kept == 1 and "changed or damaged" in loss.why
    store = EpisodeStore.open(tmp_path)
    assert store.committed_shards() == [1] and verify(tmp_path).problems == ()
    assert list(store) == [long_episode(i) for i in range(6, 12)]
    assert not damaged.exists() and (tmp_path / "damaged" / "000000.parquet").read_bytes() == before
    assert done.salvaged_to == str(tmp_path / "salvaged")
    salvaged = EpisodeStore.open(tmp_path / "salvaged")
    assert list(salvaged) == [long_episode(i) for i in range(3)] and salvaged.verify() == []
    merge_datasets([store, salvaged], tmp_path / "merged")
    assert [one.index for one in EpisodeStore.open(tmp_path / "merged")] == [0, 1, 2, *range(6, 12)]


def test_without_its_footer_nothing_of_a_shard_is_kept(tmp_path: Path) -> None:
    filled(tmp_path, n=12, size=6, steps=200)
    path = shard(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-20])
    flip(shard(tmp_path, 0), -10)
    done = repair(tmp_path)
    assert [(loss.shard, loss.salvaged) for loss in done.losses] == [
        ("000000.parquet", 0),
        ("000001.parquet", 0),
    ]
    assert done.salvaged_to is None and verify(tmp_path).problems == ()


def test_every_flipped_byte_either_spares_a_row_group_or_loses_it(tmp_path: Path) -> None:
    """What is kept is always what was written, wherever the damage is."""
    filled(tmp_path / "whole", n=6, size=6, steps=200)
    data = shard(tmp_path / "whole", 0).read_bytes()
    kept = set()
    for number, at in enumerate(range(0, len(data), len(data) // 25)):
        directory = tmp_path / str(number)
        filled(directory, n=6, size=6, steps=200)
        flip(shard(directory, 0), at)
        done = repair(directory)
        (loss,) = done.losses
        kept.add(loss.salvaged)
        if loss.salvaged:
            found = list(EpisodeStore.open(directory / "salvaged"))
            assert found in ([long_episode(i) for i in range(3)], [long_episode(i) for i in range(3, 6)])
    assert kept == {0, 3}


def test_a_missing_shard_is_lost_and_told(tmp_path: Path) -> None:
    filled(tmp_path)
    shard(tmp_path, 1).unlink()
    done = repair(tmp_path)
    assert [(loss.shard, loss.why, loss.salvaged) for loss in done.losses] == [
        ("000001.parquet", "this committed shard is missing", 0)
    ]
    assert EpisodeStore.open(tmp_path).committed_shards() == [0, 2]
    assert "not committed (episodes 3 to 5)" in verify(tmp_path).notes[0]


def test_a_torn_line_in_the_middle_is_written_again_from_its_shard(tmp_path: Path) -> None:
    store = filled(tmp_path)
    expected = store.content_hash()
    manifest = tmp_path / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(lines[0] + lines[1][:40] + b"\n" + lines[2])
    torn = manifest.read_bytes()
    with pytest.raises(
        DatasetError, match=rf"line 2: this line is damaged. Run `worldschool repair {tmp_path}`"
    ):
        EpisodeStore.open(tmp_path)
    done = repair(tmp_path)
    assert (done.kept, done.adopted, done.losses) == (3, 1, ())
    assert manifest.read_bytes() == b"".join(lines)
    assert (tmp_path / "manifest.jsonl.before-repair").read_bytes() == torn
    assert EpisodeStore.open(tmp_path).content_hash() == expected and verify(tmp_path).problems == ()


def test_a_lost_manifest_is_made_again_from_whole_shards_only(tmp_path: Path) -> None:
    filled(tmp_path, n=7, size=3)
    (tmp_path / "manifest.jsonl").unlink()
    with pytest.raises(DatasetError, match="If manifest.jsonl was lost, `worldschool repair"):
        EpisodeStore.open(tmp_path)
    flip(shard(tmp_path, 1), group_at(shard(tmp_path, 1), 0))
    done = repair(tmp_path)
    assert (done.kept, done.adopted, [loss.shard for loss in done.losses]) == (2, 2, ["000001.parquet"])
    assert [one.index for one in EpisodeStore.open(tmp_path)] == [0, 1, 2, 6]
    assert verify(tmp_path).problems == ()


def test_a_shard_in_anothers_place_is_not_adopted(tmp_path: Path) -> None:
    filled(tmp_path, n=6, size=3)
    shard(tmp_path, 1).write_bytes(shard(tmp_path, 0).read_bytes())
    (tmp_path / "manifest.jsonl").unlink()
    done = repair(tmp_path)
    assert (done.adopted, [loss.shard for loss in done.losses]) == (1, ["000001.parquet"])
    assert (tmp_path / "damaged" / "000001.parquet").exists()


def test_a_line_that_tells_wrong_indices_is_corrected(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    line = json.loads((tmp_path / "manifest.jsonl").read_text())
    (tmp_path / "manifest.jsonl").write_text(json.dumps({**line, "rows": 9, "last": 8}) + "\n")
    assert verify(tmp_path).problems != ()
    assert repair(tmp_path).corrected == 1
    assert verify(tmp_path).problems == () and len(EpisodeStore.open(tmp_path)) == 3


def test_a_dataset_with_gaps_keeps_what_is_whole_in_place(tmp_path: Path) -> None:
    kept = [dataclasses.replace(long_episode(i), index=10 * i) for i in range(12)]
    with EpisodeStore.create(tmp_path, {}, 0, 6, gaps=True) as store:
        store.append(kept)
    flip(shard(tmp_path, 0), group_at(shard(tmp_path, 0), 1))
    done = repair(tmp_path)
    assert done.salvaged_to is None and done.losses[0].salvaged == 3
    assert list(EpisodeStore.open(tmp_path)) == kept[:3] + kept[6:]
    assert verify(tmp_path).problems == ()
    with EpisodeStore.open(tmp_path) as store:
        store.append([dataclasses.replace(long_episode(12), index=200)])
    assert verify(tmp_path).problems == ()


def test_a_second_repair_keeps_the_first_ones_copies(tmp_path: Path) -> None:
    filled(tmp_path, n=6, size=3)
    for _ in range(2):
        flip(shard(tmp_path, 0), 100)
        repair(tmp_path)
        with EpisodeStore.open(tmp_path) as store:
            store.commit_shard(0, [episode(i) for i in range(3)])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert "manifest.jsonl.before-repair" in names and "manifest.jsonl-2.before-repair" in names
    assert len(list((tmp_path / "damaged").iterdir())) == 2


def test_a_newer_dataset_is_not_touched(tmp_path: Path) -> None:
    filled(tmp_path, n=3)
    path = shard(tmp_path, 0)
    pq.write_table(pq.read_table(path).replace_schema_metadata({"schema": "worldschool.episode/2"}), path)
    line = json.loads((tmp_path / "manifest.jsonl").read_text())
    (tmp_path / "manifest.jsonl").write_text(json.dumps({**line, "sha256": sha256_file(path)}) + "\n")
    before = path.read_bytes()
    with pytest.raises(DatasetError, match="newer worldschool release reads version 2"):
        repair(tmp_path)
    assert path.read_bytes() == before and not (tmp_path / "damaged").exists()


def test_without_dataset_or_run_record_nothing_can_be_done(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such directory"):
        repair(tmp_path / "nowhere")
    filled(tmp_path, n=3)
    (tmp_path / "dataset.json").unlink()
    with pytest.raises(DatasetError, match=r"dataset\.json is missing.*worldschool repair"):
        EpisodeStore.open(tmp_path)
    with pytest.raises(DatasetError, match=r"there is no run\.json .*can be read by pandas"):
        repair(tmp_path)


def test_after_repair_collect_completes_the_run(tmp_path: Path, registered_fake: str) -> None:
    config = CollectConfig(world=registered_fake, episodes=10, shard_size=2, seed=3)
    collect(config, tmp_path / "run", silent)
    expected = EpisodeStore.open(tmp_path / "run").content_hash()
    flip(shard(tmp_path / "run", 1), 200)
    path = shard(tmp_path / "run", 3)
    path.write_bytes(path.read_bytes()[:100])
    (tmp_path / "run" / "dataset.json").write_text("{")
    lines = (tmp_path / "run" / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "run" / "manifest.jsonl").write_bytes(lines[0][9:] + b"".join(lines[1:]))
    done = repair(tmp_path / "run")
    assert done.description_rebuilt and done.adopted == 1
    assert [loss.shard for loss in done.losses] == ["000001.parquet", "000003.parquet"]
    assert verify(tmp_path / "run").problems == ()
    collect(config, tmp_path / "run", silent)
    store = EpisodeStore.open(tmp_path / "run")
    assert store.content_hash() == expected == content_hash(store.rows())
    assert store.description["dynamics"] == {registered_fake: "1"}
    assert verify(tmp_path / "run").problems == () and verify(tmp_path / "run").notes == ()
