from __future__ import annotations

import builtins
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.experience.stored_episodes import episode, episodes, filled, numbered
from worldschool.errors import ConfigError, DatasetError, OutputError, UserError
from worldschool.experience.examples import write_examples
from worldschool.experience.exports.chat import episode_messages
from worldschool.experience.exports.export import export
from worldschool.experience.exports.lines import import_episodes
from worldschool.experience.storage.datasets import filter_dataset
from worldschool.experience.storage.filters import EpisodeFilter
from worldschool.experience.store import EpisodeStore
from worldschool.records import Episode, Example, Step


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@settings(deadline=None, derandomize=True, max_examples=15)
@given(st.lists(episodes, min_size=1, max_size=4))
def test_any_episode_survives_json_lines(given_episodes: list[Episode]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        with EpisodeStore.create(directory / "a", {"x": 1}, 5, 2) as store:
            store.append(numbered(given_episodes))
        export(directory / "a", "jsonl", directory / "lines")
        import_episodes(directory / "lines", directory / "b")
        back = EpisodeStore.open(directory / "b")
        assert list(back) == numbered(given_episodes) and back.content_hash() == store.content_hash()
        assert back.verify() == [] and back.complete
        assert {**back.description, "versions": None} == {**store.description, "versions": None}


def test_json_lines_of_a_dataset_with_gaps_and_without_a_description(tmp_path: Path) -> None:
    filled(tmp_path / "all", n=9)
    filter_dataset(EpisodeStore.open(tmp_path / "all"), tmp_path / "some", EpisodeFilter(first=4))
    export(tmp_path / "some", "jsonl", tmp_path / "lines")
    expected = EpisodeStore.open(tmp_path / "some").content_hash()
    import_episodes(tmp_path / "lines", tmp_path / "back")
    (tmp_path / "lines" / "description.json").unlink()
    import_episodes(tmp_path / "lines" / "episodes.jsonl", tmp_path / "bare")
    for name in ("back", "bare"):
        store = EpisodeStore.open(tmp_path / name)
        assert store.content_hash() == expected and store.gaps and store.verify() == []
    assert EpisodeStore.open(tmp_path / "back").description["sources"] != []


def test_the_same_call_writes_the_same_and_another_dataset_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "all", n=4)
    export(tmp_path / "all", "jsonl", tmp_path / "lines")
    before = (tmp_path / "lines" / "episodes.jsonl").read_bytes()
    export(tmp_path / "all", "jsonl", tmp_path / "lines")
    assert (tmp_path / "lines" / "episodes.jsonl").read_bytes() == before
    with pytest.raises(OutputError, match="to: 'jsonl' -> 'chat'"):
        export(tmp_path / "all", "chat", tmp_path / "lines")
    with EpisodeStore.open(tmp_path / "all") as store:
        store.append([episode(4)])
    with pytest.raises(OutputError, match="source.episodes: 4 -> 5"):
        export(tmp_path / "all", "jsonl", tmp_path / "lines")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: this is no episode: "),
        ("[]", "line 2: this is no episode: "),
        ("{}", "line 2: this is no episode: 'return' is missing"),
        ('{"steps": 3}', "line 2: this is no episode"),
    ],
)
def test_lines_that_are_no_episodes_are_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_text(json.dumps(episode(0).to_json()) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=told):
        import_episodes(path, tmp_path / "out")


def test_values_of_a_wrong_type_are_named(tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    path.write_text(json.dumps({**episode(0).to_json(), "seed": "seven"}) + "\n", encoding="utf-8")
    with pytest.raises(
        DatasetError, match="episode '0123abcd.*: it holds a value that cannot be stored: seed: "
    ):
        import_episodes(path, tmp_path / "out")


def test_missing_or_empty_lines_are_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file of episodes"):
        import_episodes(tmp_path / "nowhere.jsonl", tmp_path / "out")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DatasetError, match="there is no episode in it"):
        import_episodes(tmp_path / "empty.jsonl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


EXAMPLES = [
    Example(
        example_id=f"{i:08x}",
        task="counting",
        prompt=f"Story {i}.\nHow many?",
        completion=f" {i}\n",
        answer=str(i),
        split="train" if i else "heldout",
        episode_id=f"e{i}",
        builder="counting",
        builder_version=1,
        seed=i,
        options=("0", "1", "2"),
        answer_index=i,
    )
    for i in range(3)
]


@pytest.mark.parametrize("name", ["examples.parquet", "examples.jsonl"])
def test_examples_for_trl(tmp_path: Path, name: str) -> None:
    write_examples(tmp_path / name, EXAMPLES)
    done = export(tmp_path / name, "trl", tmp_path / "trl")
    assert (done.written, done.skipped) == (3, 0)
    rows = lines(tmp_path / "trl" / "train.jsonl")
    assert [row["completion"] for row in rows] == [" 1\n", " 2\n"]
    assert rows[0]["prompt"] == "Story 1.\nHow many?" and rows[0]["options"] == ["0", "1", "2"]
    assert [row["example_id"] for row in lines(tmp_path / "trl" / "heldout.jsonl")] == ["00000000"]
    export(tmp_path / name, "chat", tmp_path / "chat")
    assert lines(tmp_path / "chat" / "train.jsonl")[1]["messages"] == [
        {"role": "user", "content": "Story 2.\nHow many?"},
        {"role": "assistant", "content": "2"},
    ]


def test_what_trl_reads_is_what_datasets_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    write_examples(tmp_path / "examples.parquet", EXAMPLES)
    export(tmp_path / "examples.parquet", "chat", tmp_path / "chat")
    loaded = datasets.load_dataset(
        "json",
        data_files=str(tmp_path / "chat" / "train.jsonl"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert loaded[0]["messages"][1] == {"role": "assistant", "content": "1"}


def test_episodes_as_messages(tmp_path: Path) -> None:
    steps = (Step("A hall.", "walk to hall", 0.0, "", 2), Step("An apple.", "open door", 1.0, "", 2))
    kept = [
        episode(0, goal="Find it.", initial_observation="A room.", steps=steps, length=2),
        episode(1, steps=(), length=0),
        episode(2, goal="", split="heldout"),
    ]
    with EpisodeStore.create(tmp_path / "all", {}, 0, 2) as store:
        store.append(kept)
    done = export(tmp_path / "all", "chat", tmp_path / "chat")
    assert (done.written, done.skipped) == (2, 1)
    (row,) = lines(tmp_path / "chat" / "train.jsonl")
    assert [(message["role"], message["content"]) for message in row["messages"]] == [
        ("system", "Find it."),
        ("user", "A room."),
        ("assistant", "walk to hall"),
        ("user", "A hall."),
        ("assistant", "open door"),
    ]
    assert row["episode_id"] == kept[0].episode_id and row["success"] is False
    (other,) = lines(tmp_path / "chat" / "heldout.jsonl")
    assert other["messages"][0]["role"] == "user"
    assert episode_messages(kept[1]) is None


def test_what_cannot_be_exported_is_told(tmp_path: Path) -> None:
    filled(tmp_path / "all", n=3)
    with pytest.raises(ConfigError, match="there is no format 'chatt'.*Did you mean 'chat'"):
        export(tmp_path / "all", "chatt", tmp_path / "out")
    with pytest.raises(DatasetError, match="no prompt and completion.*worldschool examples"):
        export(tmp_path / "all", "trl", tmp_path / "out")
    with pytest.raises(ConfigError, match="Give --name with --to minari only"):
        export(tmp_path / "all", "chat", tmp_path / "out", name="x-v0")
    with pytest.raises(DatasetError, match="no such"):
        export(tmp_path / "nowhere", "trl", tmp_path / "out")
    with pytest.raises(DatasetError, match="no such directory"):
        export(tmp_path / "nowhere", "jsonl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_failing_export_leaves_no_half_file(tmp_path: Path) -> None:
    store = filled(tmp_path / "all", n=9)
    path = store.shard_files()[2]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DatasetError, match=r"000002\.parquet"):
        export(tmp_path / "all", "jsonl", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["run.json"]


# Minari


@pytest.fixture
def minari(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Minari with its datasets under tmp_path/minari."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    return pytest.importorskip("minari")


def test_minari_loads_what_was_exported(tmp_path: Path, minari: Any) -> None:
    steps = tuple(Step(f"Room {t}. Ü🍎", f"walk {t}", t / 2, f"{t:032x}", 2) for t in range(4))
    kept = [
        episode(0, steps=steps, length=4, terminated=True, truncated=False, success=True, seed=2**62 + 1),
        episode(1, steps=(), length=0, error="ValueError: no"),
        episode(2, steps=steps[:1], length=1, terminated=False, truncated=False),
        episode(3, steps=steps[:2], length=2, agent="random"),
    ]
    with EpisodeStore.create(tmp_path / "all", {"made": "here"}, 7, 2) as store:
        store.append(kept)
    done = export(tmp_path / "all", "minari", tmp_path / "minari")
    assert (done.name, done.written, done.skipped) == ("worldschool/corridor-random-v0", 3, 1)
    loaded = minari.load_dataset("worldschool/corridor-random-v0")
    assert (loaded.total_episodes, loaded.total_steps) == (3, 7)
    written = [one for one in kept if one.steps]
    found = list(loaded.iterate_episodes())
    for one, data in zip(written, found, strict=True):
        assert data.observations == [one.initial_observation, *(step.observation for step in one.steps)]
        assert data.actions == [step.action for step in one.steps]
        assert data.rewards.tolist() == [step.reward for step in one.steps]
        assert list(data.infos["state_hash"]) == [
            one.initial_state_hash,
            *(step.state_hash for step in one.steps),
        ]
        assert all(text in loaded.observation_space for text in data.observations)
        assert all(text in loaded.action_space for text in data.actions)
    assert [(data.terminations[-1], data.truncations[-1]) for data in found] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert not any(data.terminations[:-1].any() or data.truncations[:-1].any() for data in found)
    metadata = list(loaded.storage.get_episode_metadata(range(3)))
    assert [row["seed"] for row in metadata] == [one.seed for one in written]
    assert [(row["episode_id"], row["success"], row["split"]) for row in metadata] == [
        (one.episode_id, one.success, one.split) for one in written
    ]
    assert loaded.storage.metadata["algorithm_name"] == "random" and loaded.storage.metadata["run_seed"] == 7
    assert minari.MinariDataset(tmp_path / "minari" / done.name / "data").total_steps == 7
    assert list(minari.list_local_datasets()) == [done.name]
    kept_by_filter = loaded.filter_episodes(lambda data: bool(data.terminations[-1]))
    assert kept_by_filter.total_episodes == 1


def test_minari_lives_an_exported_episode_again(tmp_path: Path, minari: Any) -> None:
    from worldschool.experience.runner import AgentSettings, CollectConfig, collect
    from worldschool.progress import silent

    config = CollectConfig(
        world_config={"goal": "random", "max_steps": 6}, agent=AgentSettings(), episodes=2, shard_size=2
    )
    collect(config, tmp_path / "run", silent)
    done = export(tmp_path / "run", "minari", tmp_path / "minari", name="household/few-v3")
    loaded = minari.load_dataset(done.name)
    world = loaded.recover_environment()
    for data, metadata in zip(
        loaded.iterate_episodes(), loaded.storage.get_episode_metadata([0, 1]), strict=True
    ):
        observation, _ = world.reset(seed=metadata["seed"])
        seen = [observation] + [world.step(action)[0] for action in data.actions]
        assert seen == data.observations


def test_minari_ids_and_its_absence_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "all", n=3)
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.partition(".")[0] == "minari":
            raise ImportError("No module named 'minari'")
        return real(name, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        with pytest.raises(UserError, match=r"needs Minari.*pip install 'worldschool\[minari\]'"):
            export(tmp_path / "all", "minari", tmp_path / "minari")
    pytest.importorskip("minari")
    with pytest.raises(ConfigError, match="'no id' is no Minari dataset id"):
        export(tmp_path / "all", "minari", tmp_path / "other", name="no id")


def test_a_failing_minari_export_leaves_nothing_and_can_be_done_again(
    tmp_path: Path, minari: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "all", n=5)
    original = EpisodeStore.__iter__

    def failing(self: EpisodeStore) -> Any:
        for number, one in enumerate(original(self)):
            if number == 3:
                raise KeyboardInterrupt
            yield one

    with monkeypatch.context() as patch:
        patch.setattr(EpisodeStore, "__iter__", failing)
        with pytest.raises(KeyboardInterrupt):
            export(tmp_path / "all", "minari", tmp_path / "minari")
    assert sorted(path.name for path in (tmp_path / "minari").iterdir()) == ["run.json"]
    for _ in range(2):
        assert export(tmp_path / "all", "minari", tmp_path / "minari").written == 5
    assert minari.load_dataset("worldschool/corridor-random-v0").total_episodes == 5
