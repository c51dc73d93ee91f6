"""Files of examples, and `worldschool examples` end to end."""

import errno
import json
import os
import re
from collections import Counter

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worldschool.errors import ConfigError, DatasetError, OutputError
from worldschool.experience.examples import (
    EXAMPLES_FILE,
    ExamplesConfig,
    build_examples,
    examples_command,
    iterate_examples,
    permute_answers,
    read_examples,
    read_report,
    write_examples,
)
from worldschool.experience.questions.example_report import report_table
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Example

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
EXAMPLES = st.builds(
    Example,
    example_id=TEXT,
    task=TEXT,
    prompt=TEXT,
    completion=TEXT,
    answer=TEXT,
    split=st.sampled_from(["train", "validation", "heldout"]),
    episode_id=TEXT,
    builder=TEXT,
    builder_version=st.integers(0, 2**31 - 1),
    seed=st.integers(0, 2**63 - 1),
    options=st.none() | st.lists(TEXT, max_size=3).map(tuple),
    answer_index=st.none() | st.integers(0, 3),
    dials=TEXT,
    weight=st.floats(0, 1e9),
    meta=TEXT,
)
BUILDERS = {"object_path": {}, "object_location": {"per_episode": 1}, "counting": {"style": "plain"}}


def example(number=0, **changes):
    values = {
        "example_id": f"x-{number}",
        "task": "t",
        "prompt": "Where?",
        "completion": f" {number}\n",
        "answer": f"{number}",
        "split": "train",
        "episode_id": "e",
        "builder": "t",
        "builder_version": 1,
        "seed": 0,
    }
    return Example(**{**values, **changes})


@pytest.mark.parametrize("name", ["some.parquet", "some.jsonl"])
@settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(written=st.lists(EXAMPLES, min_size=1, max_size=4))
def test_what_is_written_is_read(tmp_path, name, written):
    write_examples(tmp_path / name, written)
    assert read_examples(tmp_path / name) == written
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_lines_that_other_programs_write(tmp_path):
    row = example().to_json()
    for optional in ("options", "answer_index", "dials", "weight", "meta"):
        del row[optional]
    file = tmp_path / "theirs.jsonl"
    file.write_text(f"{json.dumps({**row, 'note': 'of theirs'})}\r\n\n{json.dumps(row)}")
    assert read_examples(file) == [example(), example()]


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"gone.parquet: there is no such file.*`worldschool examples`"):
        read_examples(tmp_path / "gone.parquet")
    with pytest.raises(DatasetError, match=rf"{EXAMPLES_FILE}: there is no such file"):
        read_examples(tmp_path)
    file = tmp_path / "x.parquet"
    write_examples(file, [example()])
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DatasetError, match=r"x.parquet: the file cannot be read"):
        read_examples(file)
    file.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"x.parquet: the file cannot be read"):
        read_examples(file)


def test_empty_files_are_refused(tmp_path):
    for name in ("x.parquet", "x.jsonl"):
        write_examples(tmp_path / name, [])
        with pytest.raises(DatasetError, match=r"there is no example in it"):
            read_examples(tmp_path / name)


@pytest.mark.parametrize(
    "line, problem",
    [
        ("{", "line 2 is not JSON"),
        ("3", "line 2 is not a JSON object"),
        ('{"task": "t"}', r"an example lacks fields: .*'prompt'"),
    ],
)
def test_damaged_lines_are_refused(tmp_path, line, problem):
    file = tmp_path / "x.jsonl"
    file.write_text(f"{json.dumps(example().to_json())}\n{line}\n")
    with pytest.raises(DatasetError, match=rf"x\.jsonl: .*{problem}"):
        read_examples(file)


def test_an_unknown_schema_and_missing_columns_are_refused(tmp_path):
    file = tmp_path / "x.parquet"
    write_examples(file, [example()])
    table = pyarrow.parquet.read_table(file)
    pyarrow.parquet.write_table(
        table.replace_schema_metadata({"schema": "worldschool.example/9"}), file
    )  # fmt: skip
    with pytest.raises(DatasetError, match=r"its schema is 'worldschool.example/9', this release reads"):
        read_examples(file)
    pyarrow.parquet.write_table(table.drop_columns(["prompt"]), file)
    with pytest.raises(DatasetError, match=r"an example lacks fields: .*'prompt'"):
        read_examples(file)


# -- worldschool examples --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("stories") / "data"
    config = CollectConfig(
        world_config={"characters": 2, "control": "all", "focus": True, "rooms": [3, 4], "max_steps": 20},
        agent={"name": "random", "settings": {"verb_weights": {"walk": 4, "grab": 5, "put": 5}}},
        episodes=24,
        shard_size=10,
    )
    collect(config, out, silent)
    return out


def make_config(dataset, **changes):
    return ExamplesConfig.model_validate({"datasets": [str(dataset)], "builders": BUILDERS, **changes})


def test_examples_from_a_dataset(dataset, tmp_path):
    done = []
    file = examples_command(
        make_config(dataset), tmp_path / "out", advance=lambda n=1, note="": done.append(n)
    )
    assert file == tmp_path / "out" / EXAMPLES_FILE
    assert sum(done) == 24
    found = read_examples(tmp_path / "out")
    assert found == read_examples(file)
    assert {one.task for one in found} == set(BUILDERS)
    episodes = {episode.episode_id: episode for episode in EpisodeStore.open(dataset)}
    assert {one.episode_id for one in found} <= set(episodes)
    places = [list(episodes).index(one.episode_id) for one in found]
    assert places == sorted(places), "questions about one story follow each other"
    assert all(one.split == "train" for one in found)
    assert max(Counter(o.episode_id for o in found if o.task == "object_location").values()) == 1
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (record["command"], record["seed"]) == ("examples", 0)


def test_the_same_command_leaves_what_is_done_and_mends_what_is_not(dataset, tmp_path):
    file = examples_command(make_config(dataset), tmp_path / "out")
    first, written = read_examples(file), file.stat().st_mtime_ns
    examples_command(make_config(dataset), tmp_path / "out")
    assert file.stat().st_mtime_ns == written
    file.unlink()
    examples_command(make_config(dataset), tmp_path / "out")
    assert read_examples(file) == first


def test_another_configuration_is_refused(dataset, tmp_path):
    file = examples_command(make_config(dataset), tmp_path / "out")
    before = file.read_bytes()
    with pytest.raises(OutputError, match=r"another configuration \(seed: 0 -> 1\)"):
        examples_command(make_config(dataset, seed=1), tmp_path / "out")
    assert file.read_bytes() == before


def test_the_seed_and_the_limit(dataset, tmp_path):
    files = {
        seed: read_examples(examples_command(make_config(dataset, seed=seed), tmp_path / str(seed)))
        for seed in (0, 1)
    }
    assert files[0] != files[1]
    limited = read_examples(examples_command(make_config(dataset, limit=5), tmp_path / "limited"))
    counts = Counter(one.task for one in files[0])
    assert Counter(one.task for one in limited) == {task: min(5, counts[task]) for task in counts}
    assert counts["object_path"] > 5
    assert [one for one in files[0] if one.task == "object_path"][:5] == [
        one for one in limited if one.task == "object_path"
    ]


def test_datasets_follow_each_other_and_no_episode_is_asked_about_twice(dataset, tmp_path):
    once = read_examples(examples_command(make_config(dataset), tmp_path / "once", silent))
    config = make_config(dataset, datasets=[str(dataset), str(dataset)])
    file = examples_command(config, tmp_path / "twice", silent)
    assert read_examples(file) == once
    skipped = [row["skipped"] for row in read_report(file)["tasks"].values()]
    assert all(one["the episode was asked about already"] == 24 for one in skipped)


def test_mistakes_are_refused_before_anything_is_written(dataset, tmp_path):
    with pytest.raises(DatasetError):
        examples_command(make_config(tmp_path / "none"), tmp_path / "out")
    with pytest.raises(ConfigError, match=r"Did you mean 'counting'\?"):
        examples_command(make_config(dataset, builders={"countin": {}}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_episodes_without_anything_to_ask_about(dataset, tmp_path):
    config = make_config(dataset, builders={"plan_generation": {}})
    with pytest.raises(
        DatasetError,
        match=r"none of the builders found anything.*plan_generation: the goal was not reached \(24 times\)",
    ):
        examples_command(config, tmp_path / "out", silent)
    assert examples_command(make_config(dataset), tmp_path / "out", silent).exists(), (
        "mended, it has the output"
    )


def test_building_is_lazy_and_by_episode(dataset):
    from worldschool.experience.builders.base import builder_settings

    builders = {name: builder_settings(name, values, "b") for name, values in BUILDERS.items()}
    read = []

    def episodes():
        for episode in EpisodeStore.open(dataset):
            read.append(episode.index)
            yield episode

    source = build_examples(episodes(), builders, 0)
    first = next(source)
    assert read == list(range(int(first.episode_id[-8:]) + 1))
    assert len(read) < 24


def test_json_lines_hold_the_same(dataset, tmp_path):
    parquet = examples_command(make_config(dataset), tmp_path / "parquet", silent)
    lines = examples_command(make_config(dataset, format="jsonl"), tmp_path / "lines", silent)
    assert lines.name == "examples.jsonl" and len(lines.read_text().splitlines()) > 30
    assert read_examples(tmp_path / "lines") == read_examples(parquet)
    assert read_report(lines) == read_report(parquet)
    assert sorted(file.name for file in lines.parent.iterdir()) == [
        "examples.jsonl",
        "report.json",
        "run.json",
    ]


def test_files_are_written_and_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("worldschool.experience.questions.example_files.ROWS_AT_ONCE", 3)
    written = [example(number) for number in range(8)]
    for name in ("x.parquet", "x.jsonl"):
        write_examples(tmp_path / name, iter(written))
        assert read_examples(tmp_path / name) == written
    assert pyarrow.parquet.ParquetFile(tmp_path / "x.parquet").num_row_groups == 3
    assert next(iterate_examples(tmp_path / "x.parquet")) == written[0]
    table = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    assert table.schema.metadata == {b"schema": b"worldschool.example/1"}


def test_what_fails_while_writing_leaves_nothing(tmp_path):
    def broken():
        yield example()
        raise ZeroDivisionError

    for name in ("x.parquet", "x.jsonl"):
        with pytest.raises(ZeroDivisionError):
            write_examples(tmp_path / name, broken())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_the_same_command_goes_on(dataset, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def full(descriptor):
        if (out / "run.json").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with (
        monkeypatch.context() as patch,
        pytest.raises(OutputError, match="the disk is full. Free some space"),
    ):
        patch.setattr(os, "fsync", full)
        examples_command(make_config(dataset), out, silent)
    assert list(out.iterdir()) == []
    assert examples_command(make_config(dataset), out, silent).exists()


@pytest.mark.parametrize("name", ["x.parquet", "x.jsonl"])
def test_two_that_write_one_file_leave_it_whole(tmp_path, monkeypatch, name):
    """As two processes of one command do, of which the second begins before the first has ended."""
    monkeypatch.setattr("worldschool.experience.questions.example_files.ROWS_AT_ONCE", 2)
    written = [example(number) for number in range(5)]

    def interrupted():
        yield from written[:3]
        raise KeyboardInterrupt

    def first():
        yield from written[:3]
        with pytest.raises(KeyboardInterrupt):
            write_examples(tmp_path / name, interrupted())
        yield written[3]
        write_examples(tmp_path / name, written)
        assert read_examples(tmp_path / name) == written
        yield written[4]

    write_examples(tmp_path / name, first())
    assert read_examples(tmp_path / name) == written
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_the_report_counts_what_is_there(dataset, tmp_path):
    file = examples_command(make_config(dataset, balance=True), tmp_path / "out", silent)
    report, found = read_report(file), read_examples(file)
    assert report["episodes"] == 24
    assert report["examples"] == Counter(one.task for one in found)
    counting = report["tasks"]["counting"]
    answers = Counter(one.answer for one in found if one.task == "counting")
    assert counting["answers"] == answers and counting["chance"] == pytest.approx(0.2)
    assert counting["majority"] == answers.most_common(1)[0][1] / answers.total()
    assert counting["splits"] == {"train": answers.total()}
    assert set(counting["shortcuts"]) == {"mentions", "mentions_and_first"}
    assert counting["skipped"]["kept back, so that no shortcut pays"] > 0
    text = report_table(report)
    assert re.search(rf"counting +{counting['examples']} ", text)
    assert "counting: left out" in text and "kept back" in text
    assert max(map(len, text.splitlines())) <= 110


def test_long_examples_are_left_out_and_never_cut(dataset, tmp_path):
    every = read_examples(examples_command(make_config(dataset), tmp_path / "every", silent))
    sizes = sorted(len(one.prompt) + len(one.completion) for one in every)
    longest = sizes[len(sizes) // 2]
    file = examples_command(make_config(dataset, longest=longest), tmp_path / "short", silent)
    short = read_examples(file)
    assert short == [one for one in every if len(one.prompt) + len(one.completion) <= longest]
    left_out = sum(
        row["skipped"].get("longer than the longest allowed", 0)
        for row in read_report(file)["tasks"].values()
    )
    assert left_out == len(every) - len(short) > 0


def test_permuted_answers_are_those_of_other_episodes():
    given_ = [
        example(n, task="a" if n % 3 else "b", episode_id=f"e{n // 4}", options=("x",), answer_index=0)
        for n in range(24)
    ]
    found = permute_answers(given_, seed=1)
    assert [(one.example_id, one.prompt) for one in found] == [(one.example_id, one.prompt) for one in given_]
    by_answer = {one.answer: one for one in given_}
    for task in ("a", "b"):
        assert Counter(o.answer for o in found if o.task == task) == Counter(
            o.answer for o in given_ if o.task == task
        )
    for one in found:
        giver = by_answer[one.answer]
        assert giver.task == one.task and giver.episode_id != one.episode_id
        assert one.completion == giver.completion and one.options is None and one.answer_index is None
    assert permute_answers(given_, seed=1) == found
    assert permute_answers(given_, seed=2) != found


def test_worked_examples_get_others_answers_too():
    shown = [f"Story {n}.\nQuestion: where?\nAnswer: room {n}\n\n" for n in range(6)]
    given_ = [
        example(n, episode_id=f"e{n}", prompt=shown[n % 6] + shown[(n + 2) % 6] + f"Own {n}.\nAnswer:")
        for n in range(12)
    ]
    found = permute_answers(given_, seed=1)
    for before, after in zip(given_, found, strict=True):
        rows = zip(before.prompt.split("\n"), after.prompt.split("\n"), strict=True)
        changed = [(one, other) for one, other in rows if one != other]
        assert len(changed) == 2 and all(other.startswith("Answer: room ") for _, other in changed)
    answers = [Counter(re.findall("room .", "".join(one.prompt for one in part))) for part in (given_, found)]
    assert answers[0] == answers[1] and sum(answers[0].values()) == 24
