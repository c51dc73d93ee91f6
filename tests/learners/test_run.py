"""`worldschool finetune` as a whole: what it writes, what it says a run will need, and what it refuses."""

import json
from dataclasses import replace

import pytest
import torch

from tests.learners.test_finetune import make_examples
from worldschool.cli.main import main
from worldschool.config import build_config
from worldschool.errors import DatasetError, FisherError, ModelError, UserError
from worldschool.experience.examples import write_examples
from worldschool.learners.finetune import FinetuneConfig, finetune
from worldschool.learners.finetune.data import text_row
from worldschool.learners.finetune.rehearsal import dry_run, time_steps
from worldschool.learners.finetune.run import FUSED_FROM, choose_attention, load_for_training
from worldschool.models.causal import load_causal_lm


@pytest.fixture
def settings(tiny_llama, tmp_path):
    """Return a function that makes the settings of a small run."""
    write_examples(tmp_path / "examples.jsonl", make_examples()[:6])
    write_examples(tmp_path / "held.jsonl", make_examples()[6:])

    def made(**changes):
        values = {
            "model": str(tiny_llama),
            "examples": (str(tmp_path / "examples.jsonl"),),
            "retention": {"kind": "ewc", "strength": 10.0, "measure": {"samples": 4, "tokens": 16}},
            "learning_rate": 1e-2,
            "max_steps": 6,
            "batch_examples": 2,
        }
        return build_config(FinetuneConfig, {**values, **changes}, "run")

    return made


def test_the_adapter_that_is_left_is_the_best_measured_and_the_record_says_so(settings, tmp_path):
    watched = {"examples": (str(tmp_path / "held.jsonl"),), "forgetting": 10.0, "steps": 2}
    out = finetune(settings(validation=watched), tmp_path / "out")
    record = json.loads((out / "training.json").read_text())
    measured = {entry["step"]: entry["eval_nll"] for entry in record["evaluations"]}
    assert list(measured) == [2, 4, 6] and record["steps"] == 6
    assert record["kept_step"] == min(measured, key=measured.get)
    assert all(entry["eval_perplexity_rise"] > -1 for entry in record["evaluations"])
    assert f"Of step {record['kept_step']}, the one" in (out / "README.md").read_text()
    assert len(record["curve"]) == 6 and record["curve"][0]["penalty"] == 0 < record["curve"][-1]["penalty"]
    assert record["seconds"] == pytest.approx(sum(point["seconds"] for point in record["curve"]))
    left = sorted(path.name for path in out.iterdir())
    assert left == ["README.md", "adapter_config.json", "adapter_model.safetensors", "fisher", "run.json", "training.json"]  # fmt: skip
    written = (out / "adapter_model.safetensors").stat().st_mtime_ns
    assert finetune(settings(validation=watched), out) == out
    assert (out / "adapter_model.safetensors").stat().st_mtime_ns == written


@pytest.mark.parametrize(("kind", "tags"), [("ewc", "worldschool, lora, ewc"), ("none", "worldschool, lora")])
def test_the_model_card_says_how_the_adapter_is_loaded(
    kind, tags, settings, tiny_llama, tmp_path, monkeypatch
):
    monkeypatch.chdir(tiny_llama.parent)  # a path that holds here only
    changed = settings(
        model=f"./{tiny_llama.name}", max_steps=2, retention={**settings().retention.to_json(), "kind": kind}
    )
    out = finetune(changed, tmp_path / "out")
    card = (out / "README.md").read_text()
    assert f"tags: [{tags}]" in card and "base_model:" not in card  # hubs know no paths
    monkeypatch.chdir(out)
    found = {}
    exec(card.partition("```python")[2].partition("```")[0], found)  # noqa: S102
    weights = dict(load_causal_lm(str(tiny_llama), "float32")[0].named_parameters())
    changed = [
        name for name, weight in found["merged"].named_parameters() if not torch.equal(weight, weights[name])
    ]
    assert changed and all("self_attn" in name for name in changed)


def test_no_adapter_is_kept_where_every_one_forgot_too_much(settings, tmp_path, monkeypatch):
    # A random model forgets nothing that general text would show.
    rises = iter((0.05, 0.03))
    monkeypatch.setattr(
        "worldschool.learners.finetune.watching.math.expm1", lambda _: next(rises), raising=True
    )
    strict = settings(validation={"forgetting": 0.02, "steps": 3}, retention={"kind": "none"})
    with pytest.raises(
        ModelError,
        match=r"^validation.forgetting: perplexity had risen by 5.00% or more .* and 2.00% is allowed.*Raise `retention.strength`",
    ):
        finetune(strict, tmp_path / "out")
    assert not (tmp_path / "out" / "training.json").exists()


def test_examples_that_are_trained_on_cannot_be_held_out(settings, tmp_path):
    watched = settings(validation={"examples": (str(tmp_path / "examples.jsonl"),)})
    with pytest.raises(
        DatasetError,
        match=r"validation.examples: validation: items that are trained on are asked, 6 of them: example-0.*"
        r"Validate on examples of another split",
    ):
        finetune(watched, tmp_path / "out")


def test_a_run_that_ended_before_anything_was_made_can_be_mended_in_its_directory(
    settings, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    with pytest.raises(UserError, match="no such file"):
        finetune(settings(validation={"examples": ("nowhere.parquet",)}), out)
    assert not list(out.iterdir())

    def broken(*_):
        raise ModelError("it broke")

    with monkeypatch.context() as patched:
        patched.setattr("worldschool.learners.finetune.run.make_trainer", broken)
        with pytest.raises(ModelError, match="it broke"):
            finetune(settings(), out)
    assert sorted(path.name for path in out.iterdir()) == ["fisher", "run.json"]  # something was made
    with pytest.raises(UserError, match="belongs to a run with another configuration"):
        finetune(settings(max_steps=1), out)
    with monkeypatch.context() as patched:  # a run that goes on keeps its directory, whatever it finds
        patched.setattr("worldschool.learners.finetune.run.load_for_training", broken)
        with pytest.raises(ModelError, match="it broke"):
            finetune(settings(), out)
    assert (out / "run.json").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"validation": {"examples": ("nowhere.parquet",)}}, "nowhere.parquet: there is no such file"),
        ({"validation": {"examples": ("{data}",)}}, "validation.examples: .* trained on"),
        ({"validation": {"forgetting": 0.02, "texts": ("nowhere.txt",)}}, "nowhere.txt"),
        (
            {"retention": {"kind": "ewc", "also": {"replay": 1.0}, "general": {"texts": ("nowhere.txt",)}}},
            "nowhere.txt: there is no such text",
        ),
        ({"report_to": ("telegraph",)}, "report_to: .*telegraph"),
        ({"max_length": 8, "validation": {"examples": ("{held}",)}}, "examples: none of the"),
        (
            {"validation": {"forgetting": 0.02, "tokens": 513}},
            "validation.tokens: pieces of 513 tokens do not fit .* 512",
        ),
        ({"retention": {"measure": {"tokens": 513}}}, "retention.measure.tokens: pieces of 513 tokens"),
        (
            {"retention": {"kind": "kl", "general": {"tokens": 513}}},
            "retention.general.tokens: pieces of 513 tokens",
        ),
    ],
)
@pytest.mark.parametrize("dry", [True, False])
def test_what_cannot_be_watched_or_reported_is_told_before_anything_is_measured(
    dry, changes, said, settings, tmp_path, monkeypatch
):
    def measured(*_, **__):
        raise AssertionError("the Fisher information was measured first")

    for name in ("retaining", "rehearsal"):
        monkeypatch.setattr(f"worldschool.learners.finetune.{name}.compute_fisher", measured)
    data = str(tmp_path / "examples.jsonl")
    held = str(tmp_path / "held.jsonl")
    changes = json.loads(json.dumps(changes).replace("{data}", data).replace("{held}", held))
    with pytest.raises(UserError, match=said):
        dry_run(settings(**changes)) if dry else finetune(settings(**changes), tmp_path / "out")


def test_held_out_examples_that_do_not_fit_are_told(settings, tmp_path, capsys):
    examples = make_examples()[6:]
    longer = replace(examples[0], prompt=examples[0].prompt * 6)
    write_examples(tmp_path / "longer.jsonl", [longer, *examples[1:]])
    longest = 150
    watched = {"examples": (str(tmp_path / "longer.jsonl"),), "steps": 6}
    finetune(settings(validation=watched, max_length=longest), tmp_path / "out")
    assert "1 of 3 held-out examples were left out" in capsys.readouterr().err
    write_examples(tmp_path / "longer.jsonl", [longer])
    with pytest.raises(DatasetError, match=r"validation.examples: none of the 1 examples can be used"):
        dry_run(settings(validation=watched, max_length=longest))


@pytest.mark.parametrize("which", ["measure", "general"])
def test_no_text_at_all_is_refused(which, settings):
    with pytest.raises(UserError, match=rf"retention.{which}.texts"):
        settings(retention={which: {"texts": []}})


def test_a_dry_run_says_what_is_needed_and_writes_nothing(settings, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    needs = dry_run(settings(max_steps=40))
    assert (needs.examples, needs.excluded, needs.steps) == (6, 0, 40)
    assert needs.trained_parameters > 0
    assert needs.trained_tokens == pytest.approx(needs.rounds * needs.tokens)
    assert needs.training_seconds == pytest.approx(40 * needs.step_seconds, rel=1.0)
    assert needs.fisher_seconds > 0 and needs.memory_bytes > 1e7
    assert dry_run(settings(retention={"kind": "none"})).fisher_seconds == 0
    assert dry_run(settings(max_steps=2)).steps == 2
    exact = {"kind": "ewc", "measure": {"samples": 4, "tokens": 16, "form": "exact"}}
    assert dry_run(settings(retention=exact)).fisher_bytes > 10 * needs.fisher_bytes > 0
    assert sorted(tmp_path.iterdir()) == before
    seconds, tokens = time_steps(settings(), make_examples())
    assert seconds > 0 and tokens > 10

    (tmp_path / "run.yaml").write_text(json.dumps(settings().to_json()))
    with pytest.raises(SystemExit) as ended:
        main(["finetune", str(tmp_path / "run.yaml"), "--dry-run"])
    assert not ended.value.code
    said = capsys.readouterr().out
    assert "6 steps" in said and "for the Fisher information" in said
    with pytest.raises(SystemExit) as ended:
        main(["finetune", str(tmp_path / "run.yaml")])
    assert ended.value.code == 2
    assert "neither --out DIR nor --dry-run is given" in capsys.readouterr().err


def test_too_little_memory_is_told_before_anything_is_measured(settings, tmp_path, monkeypatch):
    class Little:
        available = 1000

    monkeypatch.setattr("psutil.virtual_memory", lambda: Little)
    exact = {"kind": "ewc", "measure": {"samples": 2, "tokens": 16, "form": "exact"}}
    with pytest.raises(FisherError, match=r"form: the exact form of \d+ weights takes .* Take the factored"):
        finetune(settings(retention=exact), tmp_path / "exact")
    finetune(settings(max_steps=1), tmp_path / "factored")

    def full(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes")

    monkeypatch.setattr("worldschool.learners.finetune.trainer.completion_loss", full)
    with pytest.raises(
        ModelError, match=r"the step with the most tokens does not fit.*Lower `batch_examples`"
    ):
        finetune(settings(), tmp_path / "small")


def test_long_rows_are_trained_on_with_fused_attention_and_short_ones_without(settings):
    model, _ = load_for_training(settings())
    if model.device.type != "cpu":
        pytest.skip("on an accelerator the model's own attention stays")
    for length, kind in ((FUSED_FROM, "sdpa"), (FUSED_FROM - 1, "eager")):
        choose_attention(model, [text_row([1] * length)] * 3)
        assert model.config._attn_implementation == kind
    model._supports_sdpa = False
    choose_attention(model, [text_row([1] * FUSED_FROM)])
    assert model.config._attn_implementation == "eager"
