"""`worldschool probe` with published suites, executed plans and adapters whose training is checked: from the command line."""

import json
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

from worldschool.cli.main import main
from worldschool.experience.examples import ExamplesConfig, examples_command
from worldschool.experience.questions.example_files import write_examples
from worldschool.experience.runner import CollectConfig, collect
from worldschool.probes.published.reading import read_published
from worldschool.probes.published.settings import E2wmSettings

CHOICE = [
    {"input": f"Q: how many, the {n}th time?\nA:", "answer_list": ["0", "1", "2"], "answer": str(n % 3)}
    for n in range(5)
]
PLAN = [{"input": "Q: How to rest?\nA:", "ref": "Walk to bed. Lie on bed."}]


@pytest.fixture(scope="module")
def school(tmp_path_factory, tiny_models):
    """A tiny model, plans to ask it for, E2WM files, and an adapter that was fine-tuned on other plans."""
    root = tmp_path_factory.mktemp("school")
    tiny_models.save(root / "model", context=1024)
    house = {"rooms": [3, 3], "objects": [3, 3], "goal": "random", "max_steps": 30}
    agent = {"name": "mcts", "settings": {"simulations": 100}}
    for split in ("train", "heldout"):
        collect(
            CollectConfig(world_config=house, agent=agent, episodes=5, seed=4, split=split),
            root / f"{split}-episodes",
        )
        examples_command(
            ExamplesConfig(datasets=(str(root / f"{split}-episodes"),), builders={"plan_generation": {}}),
            root / split,
        )
    for name, rows in (("qa/count.json", CHOICE), ("gen/plan_gen.json", PLAN)):
        (root / "e2wm" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "e2wm" / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    train(root, "adapter", root / "train")
    return root


def train(root: Path, name: str, examples: Path) -> None:
    config = {
        "model": str(root / "model"),
        "examples": [str(examples)],
        "lora": {"r": 2},
        "retention": {"kind": "none"},
        "max_steps": 2,
        "batch_examples": 2,
    }
    assert run("finetune", config, root / f"{name}.yaml", root / name) == 0


def run(command: str, config: dict, file: Path, out: Path, *more: str) -> int:
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(SystemExit) as left:
        main([command, str(file), "--out", str(out), *more])
    return left.value.code


def asked(root: Path, **changes) -> dict:
    return {
        "model": str(root / "model"),
        "adapters": {"EWC": str(root / "adapter")},
        "examples": str(root / "heldout"),
        "suites": {"plan_generation": {"items": 3, "max_new_tokens": 6}},
        "published": {"e2wm": {"format": "e2wm", "path": str(root / "e2wm"), "max_new_tokens": 6}},
        "texts": [],
    } | changes


def test_published_suites_and_executed_plans_are_in_the_results(school, tmp_path, capsys):
    assert run("probe", asked(school), tmp_path / "p.yaml", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert "E2WM counting" in shown and "goal reached" in shown and "(the answers)" in shown
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert list(results["suites"]) == ["plan_generation", "e2wm_count", "e2wm_plan_gen"]
    counting, plans = results["suites"]["e2wm_count"], results["suites"]["plan_generation"]
    assert (counting["n"], counting["title"], counting["chance"]) == (
        5,
        "E2WM counting",
        pytest.approx(1 / 3),
    )
    assert plans["reference"] == {"executable_steps": 1.0, "executable": 1.0, "success": 1.0}
    assert plans["scores"]["EWC"]["executable"] == 0.0 and "rouge_l" in plans["scores"]["base"]
    assert "executable" not in results["suites"]["e2wm_plan_gen"]["scores"]["base"]  # no world of ours
    assert "rouge_2" in results["suites"]["e2wm_plan_gen"]["scores"]["base"]
    assert {row["p_holm"] >= row["p"] for row in results["comparisons"]} == {True} and "Holm" in results[
        "correction"
    ]
    page, words = ((tmp_path / "out" / name).read_text() for name in ("report.html", "report.md"))
    assert "Plans, carried out" in page and "the answers themselves" in page
    assert "| Plan generation | the answers themselves | 1.00 | 1.00 | 1.00 | – |" in words
    trained = {row["name"]: row.get("trained") for row in results["models"]}
    assert trained["base"] is None and trained["EWC"]["steps"] == 2 and trained["EWC"]["examples"] > 0
    rows = pyarrow.parquet.read_table(tmp_path / "out" / "items.parquet").to_pylist()
    assert {row["suite"]: row["success"] for row in rows} == {
        "plan_generation": 0.0,
        "e2wm_count": None,
        "e2wm_plan_gen": None,
    }
    assert run("compare", {}, tmp_path / "x.yaml", tmp_path / "no") == 2  # a file is no run
    with pytest.raises(SystemExit) as left:
        main(["compare", str(tmp_path / "out")])
    assert left.value.code == 0 and "EWC - base" in capsys.readouterr().out


def test_choices_are_those_of_a_few_lines_after_e2wm(school, tmp_path, tiny_llama):
    """Sums of token log-probabilities over their number, or less those behind "Answer:" alone; the highest wins."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
    model = AutoModelForCausalLM.from_pretrained(tiny_llama).eval()

    @torch.no_grad()
    def logprobs(prompt, option):
        head, whole = (
            tokenizer(one, return_tensors="pt").input_ids for one in (prompt, f"{prompt} {option}")
        )
        logs = model(whole).logits.log_softmax(-1)[0, :-1].gather(1, whole[0, 1:, None])[:, 0]
        return logs[head.shape[1] - 1 :]

    options = ["a cup", "pen", "the old lamp", "plates"]
    rows = [
        {"input": f"Question: {n * 'to '}work\nAnswer:", "answer_list": options, "answer": "pen"}
        for n in range(6)
    ]
    expected = {
        "count": lambda prompt, option: logprobs(prompt, option).mean(),
        "act_infer": lambda prompt, option: (
            logprobs(prompt, option).sum() - logprobs("Answer:", option).sum()
        ),
    }
    for task in expected:
        (tmp_path / f"{task}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = asked(school, examples=None, suites={}, adapters={}, model=str(tiny_llama))
    config["published"] = {"e2wm": {"format": "e2wm", "path": str(tmp_path)}}
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 0
    answers = pyarrow.parquet.read_table(tmp_path / "out" / "items.parquet").to_pylist()
    chosen = set()
    for task, score in expected.items():
        found = [row["prediction"] for row in answers if row["suite"] == f"e2wm_{task}"]
        assert found == [max(options, key=lambda one, row=row: score(row["input"], one)) for row in rows]
        chosen.add(tuple(found))
    assert len(chosen) == 2  # the two ways do not choose alike


def test_published_suites_alone_can_be_asked(school, tmp_path):
    config = asked(school, examples=None, suites={}, adapters={})
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 0
    assert list(json.loads((tmp_path / "out" / "results.json").read_text())["suites"]) == [
        "e2wm_count",
        "e2wm_plan_gen",
    ]


def test_items_that_an_adapter_was_trained_on_are_refused(school, tmp_path, capsys):
    config = asked(school, examples=str(school / "train"))
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "adapters.EWC: plan_generation: " in told and "items that EWC was trained on" in told
    assert "plan_generation-" in told and "Traceback" not in told


def test_published_items_that_were_trained_on_are_refused(school, tmp_path, capsys):
    settings = E2wmSettings(format="e2wm", path=str(school / "e2wm"))
    count, _ = read_published({"e2wm": settings}, 0)
    write_examples(tmp_path / "copied.jsonl", count.items[1:3])
    train(school, "copied", tmp_path / "copied.jsonl")
    config = asked(school, adapters={"Cribber": str(school / "copied")}, examples=None, suites={})
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "adapters.Cribber: e2wm_count: items that Cribber was trained on" in told and "2 of them" in told
    assert count.items[1].example_id in told and count.items[0].example_id not in told


def test_items_behind_worked_examples_are_the_same_items(school, tmp_path, capsys):
    settings = E2wmSettings(format="e2wm", path=str(school / "e2wm"))
    count, _ = read_published({"e2wm": settings}, 0)
    from dataclasses import replace

    shown = [
        replace(one, prompt=f"Q: another?\nA: 1\n\n{one.prompt}", episode_id=f"x{at}")
        for at, one in enumerate(count.items)
    ]
    write_examples(tmp_path / "shown.jsonl", shown)
    train(school, "shown", tmp_path / "shown.jsonl")
    config = asked(school, adapters={"A": str(school / "shown")}, examples=None, suites={})
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 2
    assert "5 of them" in capsys.readouterr().err


def test_items_shown_as_worked_examples_are_refused(school, tmp_path, capsys):
    config = asked(school, shots=str(school / "heldout"), shot_count=1, published={}, adapters={})
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 2
    assert "is also in the" in capsys.readouterr().err


def test_training_that_cannot_be_checked_is_said(school, tmp_path, capsys):
    (school / "train2").mkdir(exist_ok=True)
    write_examples(school / "train2" / "examples.jsonl", read_published_items(school))
    train(school, "gone", school / "train2" / "examples.jsonl")
    (school / "train2" / "examples.jsonl").unlink()
    config = asked(school, adapters={"gone": str(school / "gone")}, examples=None, suites={})
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 0
    assert "examples.jsonl, which is not there, so whether the suites overlap" in capsys.readouterr().err


def read_published_items(school):
    settings = E2wmSettings(format="e2wm", path=str(school / "e2wm"), tasks=("plan_gen",))
    return read_published({"e2wm": settings}, 0)[0].items


def test_a_malformed_published_file_ends_the_command_with_one_sentence(school, tmp_path, capsys):
    (tmp_path / "count.json").write_text('{"input": "x"}\n')
    config = asked(school, published={"e2wm": {"format": "e2wm", "path": str(tmp_path)}})
    assert run("probe", config, tmp_path / "p.yaml", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "count.json, line 1: answer: a text is expected, found nothing" in told and "Traceback" not in told
    assert not (tmp_path / "out").exists()
