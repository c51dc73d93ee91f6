"""The real commands, run as a user runs them, on a tiny model: the chain, bad input, start-up time's causes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import worldschool.configs
from worldschool.cli.main import main
from worldschool.learners.memory import Memory
from worldschool.learners.memory.verbs import Remembered

CONFIGS = Path(str(worldschool.configs.__path__[0]))


def run(*arguments: object) -> int:
    """Run a command in this process; return its exit code."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small datasets and examples of both splits, made by the commands."""
    root = tmp_path_factory.mktemp("data")
    for split in ("train", "heldout"):
        for kind, count in (("stories", 24), ("plans", 4)):
            where = root / f"{split}-{kind}"
            sets = ["--set", f"episodes={count}", "--set", f"split={split}"]
            assert run("collect", CONFIGS / "collect" / f"{kind}.yaml", "--out", where, *sets) == 0
        datasets = f"datasets=[{root / f'{split}-stories'}, {root / f'{split}-plans'}]"
        questions = CONFIGS / "examples" / "questions.yaml"
        assert run("examples", questions, "--out", root / f"{split}-examples", "--set", datasets) == 0
    return root


def test_chain_collect_examples_finetune_probe(
    data: Path, roomy_llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--set", f"model={roomy_llama}"]
    train = ["--set", f"examples=[{data / 'train-examples'}]", "--set", "retention.measure.samples=4"]
    train += ["--set", "retention.measure.tokens=16", "--set", "batch_examples=4"]
    adapter = tmp_path / "ewc"
    finetune = [
        "finetune",
        CONFIGS / "finetune" / "ewc.yaml",
        "--out",
        adapter,
        "--max-steps",
        5,
        *common,
        *train,
    ]
    assert run(*finetune) == 0
    assert (adapter / "adapter_config.json").exists() and (adapter / "adapter_model.safetensors").exists()
    record = json.loads((adapter / "training.json").read_text())
    assert [point["step"] for point in record["curve"]] == [1, 2, 3, 4, 5]
    assert (adapter / "fisher" / "fisher.safetensors").exists()

    sets = [f"adapters={{EWC: {adapter}}}", f"examples={data / 'heldout-examples'}", "text_tokens=400"]
    sets += [f"shots={data / 'train-examples'}", "shot_count=1"]
    sets += ["suites={object_path: {items: 4, max_new_tokens: 4}, counting: {items: 4}}"]
    probe = ["probe", CONFIGS / "probe" / "heldout.yaml", "--out", tmp_path / "report", *common]
    for text in sets:
        probe += ["--set", text]
    # The tiny tokenizer writes a byte or two a token: the stories need a longer context than it was made with.
    capsys.readouterr()
    assert run(*probe, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    assert {model["name"] for model in results["models"]} == {"base", "base, 1-shot", "EWC"}
    assert set(results["suites"]) == {"object_path", "counting"}
    assert set(results["retention"]) == {"pydoc:heldout", "prose"}
    for name in ("results.json", "items.parquet", "report.html", "report.md", "scores.csv", "run.json"):
        assert (tmp_path / "report" / name).exists(), name


def test_a_sweep_trains_every_combination_once_and_compares_what_was_gained_and_forgotten(
    data: Path, roomy_llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {
        "examples": str(data / "heldout-examples"),
        "suites": {"object_path": {"items": 4, "max_new_tokens": 4}, "counting": {"items": 4}},
        "texts": ["prose"],
        "text_tokens": 400,
    }
    (tmp_path / "asked.yaml").write_text(json.dumps(asked))
    out = tmp_path / "sweep"
    sets = [f"model={roomy_llama}", f"examples=[{data / 'train-examples'}]", "batch_examples=4"]
    sets += ["retention.measure.samples=4", "retention.measure.tokens=16"]
    command = ["finetune", CONFIGS / "finetune" / "ewc.yaml", "--out", out, "--max-steps", 2]
    for text in sets:
        command += ["--set", text]
    # Of an override the strength would be ewc's own; left out, each kind takes its default.
    command += ["--sweep", "retention.kind=ewc,none", "--sweep", "learning_rate=1e-2,1e-3"]
    assert "Say how: --probe CONFIG" in error_of(capsys, *command)
    command += ["--probe", tmp_path / "asked.yaml"]
    assert run(*command) == 0
    said = capsys.readouterr().out
    assert "kind none, learning_rate 1e-3" in said and "perplexity of prose" in said
    found = json.loads((out / "retention.json").read_text())["outcomes"]
    assert [(one["name"], one["method"]) for one in found] == [
        ("kind ewc, learning_rate 1e-2", "ewc"), ("kind ewc, learning_rate 1e-3", "ewc"),
        ("kind none, learning_rate 1e-2", "none"), ("kind none, learning_rate 1e-3", "none")]  # fmt: skip
    results = json.loads((out / "report" / "results.json").read_text())
    for one in found:
        scores = [results["suites"][suite]["scores"] for suite in ("object_path", "counting")]
        gains = [score[one["name"]]["value"] - score["base"]["value"] for score in scores]
        assert [one["by_suite"][suite]["value"] for suite in ("object_path", "counting")] == pytest.approx(
            gains
        )
        assert one["gain"]["value"] == pytest.approx(sum(gains) / 2)
        assert (
            one["change"]["prose"]["low"] <= one["change"]["prose"]["value"] <= one["change"]["prose"]["high"]
        )
    assert (out / "retention.png").read_bytes().startswith(b"\x89PNG") and (out / "retention.md").exists()
    fishers = list((out / "fisher").iterdir())
    assert len(fishers) == 1  # both runs under EWC use it
    adapters = sorted(out.glob("runs/*/adapter_model.safetensors"))
    before = [path.stat().st_mtime_ns for path in adapters]
    assert len(adapters) == 4 and run(*command) == 0
    assert [path.stat().st_mtime_ns for path in adapters] == before

    capsys.readouterr()
    assert "'x' is not key=value,value" in error_of(capsys, *command, "--sweep", "x")
    assert "names something twice" in error_of(capsys, *command, "--sweep", "seed=1,1")
    assert "batch_exmples: unknown key" in error_of(capsys, *command, "--sweep", "batch_exmples=1,2")


def test_a_memory_whose_creation_was_killed_is_a_new_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = []

    def remember(store: object, out: Path, embedder: str | None, *_: object, **__: object) -> Remembered:
        chosen.append(embedder)
        return Remembered(0, 0, 0)

    monkeypatch.setattr("worldschool.learners.memory.remember", remember)
    memory = tmp_path / "memory"
    memory.mkdir()
    (memory / "memory.sqlite").write_bytes(b"")
    assert run("remember", data / "train-plans", "--out", memory) == 0
    (memory / "memory.sqlite").unlink()
    Memory.create(memory, "hashing").close()
    assert run("remember", data / "train-plans", "--out", memory) == 0
    assert chosen == ["minilm", None]


def test_chain_collect_remember_recall(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = tmp_path / "memory"
    assert run("remember", data / "train-plans", "--out", memory, "--embedder", "hashing") == 0
    capsys.readouterr()
    assert run("recall", memory, "Put the cup on the table.", "-k", 2, "--json") == 0
    found = json.loads(capsys.readouterr().out)["found"]
    assert len(found) == 2 and found[0]["score"] >= found[1]["score"]
    assert run("recall", memory, "cup", "--kind", "skill") == 0
    assert "nothing like this is remembered" in capsys.readouterr().out
    assert run("recall", memory, "cup", "--least", 1) == 0
    assert "nothing like this is remembered" in capsys.readouterr().out
    narrow = ["--success", "--kind", "trajectory", "--value", 1, "--recency", 0.5, "--json"]
    assert run("recall", memory, "cup", *narrow) == 0
    assert all(one["success"] for one in json.loads(capsys.readouterr().out)["found"])
    assert "no kind 'skil'" in error_of(capsys, "recall", memory, "cup", "--kind", "skil")
    again = ["remember", data / "train-plans", "--out", memory]
    assert run(*again[:2], "--out", tmp_path / "parts", "--embedder", "hashing", "--window", 2) == 0
    assert " entries remembered, 0 known already" in capsys.readouterr().out
    assert "no index 'tree'" in error_of(capsys, *again, "--index", "tree")
    assert run(*again, "--index", "hnsw", "--skills") == 0
    assert " skills learned from " in capsys.readouterr().out
    assert run("recall", memory, "a thing on a surface", "--kind", "skill") == 0
    assert "Makes true: " in capsys.readouterr().out
    assert json.loads((memory / "index" / "index.json").read_text())["kind"] == "hnsw"


@pytest.mark.parametrize(
    "file", sorted(CONFIGS.rglob("*.yaml")), ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_every_preset_is_accepted(file: Path) -> None:
    from worldschool.config import load_config
    from worldschool.experience.examples import ExamplesConfig
    from worldschool.experience.runner import CollectConfig
    from worldschool.learners.finetune import FinetuneConfig
    from worldschool.probes.config import ProbeConfig
    from worldschool.recipes.loop import LoopConfig

    kinds = {
        "loop": LoopConfig,
        "collect": CollectConfig,
        "examples": ExamplesConfig,
        "finetune": FinetuneConfig,
        "probe": ProbeConfig,
    }
    load_config(kinds[file.parent.name], file)


def error_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must fail by the user's fault; return what it says."""
    capsys.readouterr()
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.out == ""
    return said.err


def test_ctrl_c_says_that_the_same_command_continues(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("worldschool.experience.examples.examples_command", interrupted)
    asked = ["--set", f"datasets=[{data / 'train-stories'}]"]
    capsys.readouterr()
    assert (
        run("examples", CONFIGS / "examples" / "questions.yaml", "--out", tmp_path / "examples", *asked)
        == 130
    )
    assert "The same command continues." in capsys.readouterr().err


def test_bad_input_names_the_place_and_the_mend(
    data: Path, roomy_llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stories = CONFIGS / "collect" / "stories.yaml"
    out = tmp_path / "out"
    said = error_of(capsys, "collect", stories, "--out", out, "--set", "episode=3")
    assert "stories.yaml: episode: unknown key" in said and "Did you mean 'episodes'?" in said
    said = error_of(capsys, "collect", stories, "--out", out, "--set", "episodes=many")
    assert "episodes" in said and "'many'" in said
    said = error_of(capsys, "collect", tmp_path / "none.yaml", "--out", out)
    assert "none.yaml" in said and "no such file" in said
    said = error_of(capsys, "collect", stories, "--out", out, "--set", "world=worldschool/Houshold-v0")
    assert "worldschool/Household-v0" in said
    said = error_of(capsys, "remember", tmp_path / "nothing", "--out", tmp_path / "m")
    assert str(tmp_path / "nothing") in said
    assert not out.exists() and not (tmp_path / "m").exists()

    ewc = CONFIGS / "finetune" / "ewc.yaml"
    examples = ["--set", f"examples=[{data / 'train-examples'}]"]
    hollow = tmp_path / "hollow"
    hollow.mkdir()
    (hollow / "config.json").write_text("{}")
    said = error_of(capsys, "finetune", ewc, "--out", out, *examples, "--set", f"model={hollow}")
    assert str(hollow) in said and "weights" in said
    said = error_of(capsys, "finetune", ewc, "--out", out, "--set", "examples=[nowhere.parquet]")
    assert "nowhere.parquet" in said and "worldschool examples" in said
    said = error_of(
        capsys, "finetune", ewc, "--out", tmp_path / "short", *examples, "--set", f"model={roomy_llama}",
        "--set", "max_length=8",
    )  # fmt: skip
    assert "more than 8" in said


def test_a_fisher_for_another_model_is_refused(
    data: Path, roomy_llama: Path, tiny_models: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from worldschool.learners.finetune import FisherSettings, measure_fisher
    from worldschool.models.causal import load_causal_lm

    other = tmp_path / "other"
    tiny_models.save(other, seed=7)  # type: ignore[attr-defined]
    model, tokenizer = load_causal_lm(str(other))
    settings = FisherSettings(texts=("pydoc:fisher",), samples=2, tokens=16)
    measure_fisher(model, tokenizer, settings, ("q_proj", "k_proj", "v_proj", "o_proj")).save(
        tmp_path / "fisher"
    )
    said = error_of(
        capsys, "finetune", CONFIGS / "finetune" / "ewc.yaml", "--out", tmp_path / "out", "--max-steps", 1,
        "--set", f"model={roomy_llama}", "--set", f"examples=[{data / 'train-examples'}]",
        "--set", f"retention.fisher={tmp_path / 'fisher'}",
    )  # fmt: skip
    assert "another model" in said and str(tmp_path / "fisher") in said


def test_another_configuration_is_refused_with_the_difference(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stories = CONFIGS / "collect" / "stories.yaml"
    before = sorted(path.name for path in (data / "train-stories").rglob("*"))
    said = error_of(capsys, "collect", stories, "--out", data / "train-stories", "--set", "seed=5")
    assert "seed: 0 -> 5" in said
    assert sorted(path.name for path in (data / "train-stories").rglob("*")) == before


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from worldschool.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'faiss', 'numba', 'pyarrow', 'gymnasium', 'numpy', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_presets_hold_no_unread_yaml() -> None:
    for file in CONFIGS.rglob("*.yaml"):
        assert isinstance(yaml.safe_load(file.read_text()), dict)
