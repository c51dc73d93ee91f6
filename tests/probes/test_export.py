"""Suites as tasks of lm-evaluation-harness: what is written, and that the harness agrees where it is installed."""

import importlib.util
import json
import os
from random import Random

import pytest
import yaml

from worldschool.errors import ConfigError, OutputError
from worldschool.experience.examples import write_examples
from worldschool.models.language import LocalModel
from worldschool.probes.config import ProbeConfig, SuiteSettings
from worldschool.probes.export import export_suites
from worldschool.probes.run import probe
from worldschool.records import Example

ROOMS = ("kitchen", "home office", "bedroom", "garden", "Küche", "old dining room")
needs_harness = pytest.mark.skipif(
    importlib.util.find_spec("lm_eval") is None,
    reason="lm-evaluation-harness (pip install lm_eval) is missing",
)


def question(task, number, options, answer, split="heldout"):
    rng = Random(f"{task}{number}{split}")
    story = " ".join(rng.choice(("Emily walked to the kitchen.", "Zoë put it down.")) for _ in range(4))
    return Example(
        example_id=f"{task}-{number}",
        task=task,
        prompt=f"{story} {{{{ {split} box {number} }}}}\nQuestion: where?\nAnswer:",  # what a template would read
        completion=f" {answer}\n",
        answer=answer,
        split=split,
        episode_id=f"{split}{number}",
        builder=task,
        builder_version=1,
        seed=0,
        options=options,
        answer_index=options.index(answer) if options else None,
    )


def questions(split="heldout", count=12):
    found = []
    for number in range(count):
        rng = Random(number)
        rooms = tuple(rng.sample(ROOMS, 3 + number % 3))
        found.append(question("room", number, rooms, rng.choice(rooms), split))
        found.append(question("count", number, ("0", "1", "2"), str(number % 3), split))
        found.append(question("answered", number, ("yes", "no"), ("yes", "no")[number % 2], split))
        found.append(question("written", number, None, rng.choice(ROOMS), split))
    return found


@pytest.fixture
def config(tmp_path):
    write_examples(tmp_path / "questions.jsonl", questions())
    suites = {name: SuiteSettings(balance=False) for name in ("room", "count", "answered")}
    return ProbeConfig(
        examples=str(tmp_path / "questions.jsonl"),
        suites={**suites, "written": SuiteSettings(max_new_tokens=6)},
        texts=(),
    )


def test_every_suite_becomes_a_task_with_its_data(config, tmp_path):
    found = export_suites(config, "lm-eval", tmp_path / "out")
    names = {"worldschool_room", "worldschool_count", "worldschool_answered", "worldschool_written"}
    assert found == {"path": str(tmp_path / "out"), "tasks": dict.fromkeys(names, 12)}
    task = yaml.safe_load((tmp_path / "out" / "worldschool_room.yaml").read_text())
    assert (task["task"], task["tag"], task["output_type"]) == (
        "worldschool_room",
        "worldschool",
        "multiple_choice",
    )
    data = tmp_path / "out" / task["dataset_kwargs"]["data_files"]["test"]
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    by_id = {one.example_id: one for one in questions()}
    for row in rows:
        one = by_id[row["item_id"]]
        assert row[task["doc_to_text"]] == one.prompt
        assert row[task["doc_to_choice"]][row[task["doc_to_target"]]] == row["answer"] == one.answer
    written = yaml.safe_load((tmp_path / "out" / "worldschool_written.yaml").read_text())
    assert written["output_type"] == "generate_until"
    assert written["generation_kwargs"]["max_gen_toks"] == 6
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "--include_path . --tasks worldschool" in readme and "| `worldschool_count` | 12 |" in readme


def test_the_items_are_those_that_are_asked_in_their_order(config, tmp_path, tiny_models):
    export_suites(config, "lm-eval", tmp_path / "out")
    model = tiny_models.save(tmp_path / "model", context=2048)
    probe(config.model_copy(update={"model": str(model)}), tmp_path / "report")
    for name in config.suites:
        lines = (tmp_path / "out" / f"worldschool_{name}.jsonl").read_text().splitlines()
        kept = json.loads((tmp_path / "report" / "parts" / f"base.{name}.json").read_text())
        assert [json.loads(line)["item_id"] for line in lines] == [row["item_id"] for row in kept]


def test_shots_are_in_the_prompts_of_a_task_of_their_own(config, tmp_path):
    write_examples(tmp_path / "shots.jsonl", questions("train"))
    shown = config.model_copy(
        update={"shots": str(tmp_path / "shots.jsonl"), "shot_count": 2, "shot_sets": 3}
    )
    tasks = export_suites(shown, "lm-eval", tmp_path / "out")["tasks"]
    assert set(tasks) == {f"worldschool_{name}{end}" for name in config.suites for end in ("", "_2shot")}
    rows = [json.loads(line) for line in (tmp_path / "out" / "worldschool_count_2shot.jsonl").open()]
    first = [row["prompt"].split("\n\n")[0] for row in rows]
    assert all(row["prompt"].count("Question: where?") == 3 for row in rows)
    assert first[:3] == first[3:6] and len(set(first)) == 3


def test_exporting_again_writes_the_same_and_another_configuration_is_refused(config, tmp_path):
    export_suites(config, "lm-eval", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    export_suites(config, "lm-eval", tmp_path / "out")
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputError, match="another configuration"):
        export_suites(config.model_copy(update={"seed": 1}), "lm-eval", tmp_path / "out")


def test_an_unknown_form_is_explained(config, tmp_path):
    with pytest.raises(
        ConfigError, match=r"--export: 'lm_eval' is no known form. Known: lm-eval. Did you mean"
    ):
        export_suites(config, "lm_eval", tmp_path / "out")


def run_command(*arguments):
    from worldschool.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["probe", *map(str, arguments)])
    return ended.value.code


def test_the_command_exports_without_a_model_and_says_what_it_wrote(config, tmp_path, capsys):
    file = tmp_path / "probe.yaml"
    file.write_text(yaml.safe_dump({"examples": config.examples, "model": "there is none", "texts": []}))
    assert run_command(file, "--export", "lm-eval", tmp_path / "out") == 0
    assert "4 tasks in" in capsys.readouterr().out
    assert run_command(file, "--export", "lm-eval", tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out)["tasks"]["worldschool_room"] >= 3
    assert run_command(file, "--export", "helm", tmp_path / "other") == 2
    assert "'helm' is no known form" in capsys.readouterr().err
    assert run_command(file) == 2
    assert "neither --out DIR nor --export FORM DIR" in capsys.readouterr().err


def harness(directory, model):
    """Return lm-evaluation-harness's scores of all tasks in `directory`, and the likelihoods or texts."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    local = LocalModel.load(str(model))
    before = os.getcwd()
    os.chdir(directory)  # the data files are named from there
    try:
        found = simple_evaluate(
            HFLM(pretrained=local.model, tokenizer=local.tokenizer, batch_size=4),
            tasks=["worldschool"],
            task_manager=TaskManager(include_path=".", include_defaults=False),
            bootstrap_iters=0,
        )
    finally:
        os.chdir(before)
    answers = {
        name: {
            sample["doc"]["item_id"]: [float(answer[0]) for (answer,) in sample["resps"]]
            if "options" in sample["doc"]
            else sample["resps"][0][0]
            for sample in samples
        }
        for name, samples in found["samples"].items()
    }
    return found["results"], answers


@needs_harness
@pytest.mark.parametrize("seed", [0, 3])
def test_the_harness_agrees(config, tmp_path, tiny_models, seed, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = tiny_models.save(tmp_path / "model", seed=seed, context=2048)
    ours = probe(config.model_copy(update={"model": str(model)}), tmp_path / "report")
    export_suites(config, "lm-eval", tmp_path / "out")
    theirs, answers = harness(tmp_path / "out", model)
    local = LocalModel.load(str(model))
    by_id = {one.example_id: one for one in questions()}
    for name in ("room", "count", "answered"):
        mine = ours["suites"][name]["scores"]["base"]["by_normalization"]
        task = theirs[f"worldschool_{name}"]
        assert task["acc,none"] == pytest.approx(mine["sum"])
        assert task["acc_bytes,none"] == pytest.approx(mine["bytes"])
        items = [by_id[item_id] for item_id in answers[f"worldschool_{name}"]]
        assert len(items) == 12
        scores = local.score([one.prompt for one in items], [[f" {o}" for o in one.options] for one in items])
        for one, row in zip(items, scores, strict=True):
            expected = answers[f"worldschool_{name}"][one.example_id]
            assert [score.logprob for score in row] == pytest.approx(expected, abs=1e-4)
    written = ours["suites"]["written"]["scores"]["base"]["exact"]
    assert theirs["worldschool_written"]["exact_match,none"] == pytest.approx(written)
    kept = json.loads((tmp_path / "report" / "parts" / "base.written.json").read_text())
    for row in kept:
        said = answers["worldschool_written"][row["item_id"]]
        assert said.strip() == row["prediction"] or not said.strip()  # the harness stops at an empty line
    assert any(said.strip() for said in answers["worldschool_written"].values())
