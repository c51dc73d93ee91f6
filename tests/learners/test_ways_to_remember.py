"""L2, divergence from the base model, replay, and combinations: what each penalty is, and that a run with it goes on."""

import math

import pytest
import torch

from tests.learners.test_trainer import make_trainer
from worldschool.config import build_config, load_config
from worldschool.errors import ConfigError, FisherError
from worldschool.learners.finetune.config import FinetuneConfig, RetentionSettings
from worldschool.learners.finetune.retaining import Remembering, make_retention
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters
from worldschool.learners.retention.ewc import EWC, L2
from worldschool.learners.retention.general import KLToBase, Replay
from worldschool.models.causal import base_parameters

PIECES = [[5, 9, 30, 31], [12, 13, 40, 41], [8, 80, 81, 82], [9, 1, 2, 3], [7, 7, 60, 61]]


@pytest.fixture
def adapted(tiny_models):
    return tiny_models.adapt(tiny_models.llama())


def test_l2_is_the_squared_distance_of_the_merged_weights(adapted, tiny_models):
    found = L2(adapted, 1.0)
    by_closed_form = float(found.add_gradients())
    assert by_closed_form == pytest.approx(float(found.penalty().detach()), rel=1e-5)
    start, end = base_parameters(tiny_models.llama()), base_parameters(adapted.merge_and_unload())
    assert by_closed_form == pytest.approx(
        sum(float(((end[n] - start[n]) ** 2).sum()) for n in start), rel=1e-4
    )


def test_divergence_from_the_base_model_is_what_its_definition_says(adapted, tiny_models):
    kl = KLToBase(adapted, PIECES, 1.0, batch=5)
    ids = torch.tensor(PIECES)
    base = tiny_models.llama()(input_ids=ids).logits[:, :-1].softmax(-1)
    now = adapted(input_ids=ids).logits[:, :-1].softmax(-1)
    by_hand = (base * (base / now).log()).sum(-1).mean()
    assert float(kl.penalty().detach()) == pytest.approx(float(by_hand.detach()), rel=1e-4) and by_hand > 0.01
    fresh = KLToBase(tiny_models.adapt(tiny_models.llama(), seed=None), PIECES, 1.0)
    assert float(fresh.penalty().detach()) == pytest.approx(0.0, abs=1e-6)
    kl.penalty().backward()
    assert any(p.grad is not None and p.grad.any() for p in adapted.parameters())


def test_dropout_is_no_divergence(tiny_models):
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(r=4, lora_dropout=0.5, target_modules=["q_proj"], task_type="CAUSAL_LM")
    adapted = get_peft_model(tiny_models.llama(), settings).train()
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(parameter, 0.5)
    kl = KLToBase(adapted, PIECES, 1.0)
    first = float(kl.penalty().detach())
    assert first > 0 and first == float(kl.penalty().detach())
    assert all(module.training for module in adapted.modules())


def test_replay_is_the_loss_on_the_pieces_of_the_step(adapted):
    replay = Replay(adapted, PIECES, 1.0, batch=2, seed=3)
    ids = replay._drawn(7)
    assert ids.tolist() == replay._drawn(7).tolist() and all(row in PIECES for row in ids.tolist())
    assert {tuple(map(tuple, replay._drawn(step).tolist())) for step in range(20)} != {
        tuple(map(tuple, ids.tolist()))
    }
    by_hand = adapted(input_ids=ids, labels=ids).loss
    assert float(replay.penalty(7).detach()) == pytest.approx(float(by_hand.detach()), rel=1e-5)
    for pieces in ([], [[1, 2], [1, 2, 3]], [[4]]):
        with pytest.raises(
            FisherError, match=r"retention.general: there are no pieces of general text of one length"
        ):
            Replay(adapted, pieces, 1.0)


def test_settings_say_which_ways_and_how_strong(adapted, tiny_models):
    def settings(**values):
        return build_config(RetentionSettings, values, "retention")

    assert settings().strengths() == {"ewc": 5e4} and settings(kind="none").strengths() == {}
    assert settings(kind="kl").strengths() == {"kl": 1.0} and settings(kind="l2", strength=2).strengths() == {
        "l2": 2
    }
    both = settings(kind="ewc", strength=3.0, also={"replay": 0.5, "kl": 2.0})
    fisher = compute_fisher(tiny_models.llama(), PIECES, matching_parameters(tiny_models.llama(), ("q_proj", "k_proj", "v_proj", "o_proj")))  # fmt: skip
    made = make_retention(adapted, fisher, PIECES, both)
    assert {kind: type(one) for kind, one in made.held.items()} == {"ewc": EWC}
    assert {kind: type(one) for kind, one in made.in_loss.items()} == {"replay": Replay, "kl": KLToBase}
    assert [one.strength for one in (*made.held.values(), *made.in_loss.values())] == [3.0, 0.5, 2.0]
    assert make_retention(adapted, None, [], settings(kind="none")) == Remembering()
    with pytest.raises(ConfigError, match=r"`also` has 'ewc', which is `kind` already"):
        settings(also={"ewc": 1.0})
    with pytest.raises(ConfigError, match=r"`also` has a strength that is no number from 0 up"):
        settings(also={"kl": -1.0})
    with pytest.raises(ConfigError, match="kind"):
        settings(kind="prayer")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["lambda=3e3"], {"ewc": 3e3}),
        (["strength=3e3"], {"ewc": 3e3}),
        (["kind=ewc"], {"ewc": 7e4}),
        (["kind=kl"], {"kl": 1.0}),
        (["kind=kl", "lambda=0.5"], {"kl": 0.5}),
        (["lambda=0.5", "kind=kl"], {"kl": 0.5}),
        (["kind=none"], {}),
    ],
)
@pytest.mark.parametrize("written", ["strength", "lambda"])
def test_another_strength_or_kind_can_be_asked_of_a_file_that_has_one(written, overrides, expected, tmp_path):
    (tmp_path / "run.yaml").write_text(f"{{examples: [x], retention: {{{written}: 7.0e+4}}}}")
    found = load_config(FinetuneConfig, tmp_path / "run.yaml", [f"retention.{one}" for one in overrides])
    assert found.retention.strengths() == expected


def test_a_strength_is_given_once(tmp_path):
    with pytest.raises(ConfigError, match="`lambda` and `strength` are one setting"):
        load_config(FinetuneConfig, None, ["examples=[x]", "retention.lambda=1", "retention.strength=1"])


@pytest.mark.parametrize("kind", ["l2", "kl", "replay"])
def test_each_way_holds_a_model_back(kind, tiny_models, tmp_path):
    strengths = {"l2": 10.0, "kl": 50.0, "replay": 50.0}
    measured = []
    for strength in (0.0, strengths[kind]):
        trainer = make_trainer(
            tiny_models, tiny_models.tokenizer(), tmp_path / str(strength), strength, kind, max_steps=6
        )
        trainer.run()
        found = make_retention(trainer.model, None, PIECES, RetentionSettings(kind=kind))
        way = {**found.held, **found.in_loss}[kind]
        measured.append(float(way.penalty(0).detach()))
    assert math.isfinite(measured[1]) and measured[1] < measured[0]


def test_the_command_remembers_by_general_text(tiny_llama, tmp_path):
    from tests.learners.test_finetune import make_examples
    from worldschool.experience.examples import write_examples
    from worldschool.learners.finetune.run import finetune

    write_examples(tmp_path / "examples.jsonl", make_examples())
    values = {
        "model": str(tiny_llama),
        "examples": (str(tmp_path / "examples.jsonl"),),
        "retention": {
            "kind": "kl",
            "also": {"l2": 0.1},
            "general": {"texts": ["prose"], "samples": 6, "tokens": 16},
        },
        "max_steps": 2,
        "batch_examples": 2,
    }
    out = finetune(build_config(FinetuneConfig, values, "run"), tmp_path / "out")
    card = (out / "README.md").read_text()
    assert "the divergence from its predictions on general text (strength 1)" in card
    assert "the squared distance from its weights (strength 0.1)" in card
    assert not (out / "fisher").exists()
