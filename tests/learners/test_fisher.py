"""The Fisher information against gradients taken one text at a time, by hand."""

import json

import pytest
import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters, short_names
from worldschool.learners.retention.adapted import lora_layers
from worldschool.models.causal import base_parameters, model_fingerprint
from worldschool.models.language import LocalModel
from worldschool.models.texts import sample_texts

TEXTS = [[5, 9, 30, 31, 7], [12, 13], [8, 80, 81, 8, 82, 83, 11, 3, 3]]
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")


@pytest.fixture
def model(tiny_models):
    return tiny_models.llama()


@pytest.fixture(scope="module")
def fisher(tiny_models):
    llama = tiny_models.llama()
    return compute_fisher(llama, TEXTS, matching_parameters(llama, ATTENTION), names=("by hand",))


def dense(fisher):
    return {name: one.dense() for name, one in fisher.values.items()}


def by_hand(model, texts):
    """Return (1/N) sum_j (dL_j / dtheta)^2 of every parameter, L_j the mean over text j's predicted tokens."""
    sums = {name: torch.zeros_like(tensor) for name, tensor in model.named_parameters()}
    for text in texts:
        model.zero_grad()
        logprobs = model(input_ids=torch.tensor([text])).logits[0].log_softmax(-1)
        loss = -sum(logprobs[at - 1, text[at]] for at in range(1, len(text))) / (len(text) - 1)
        loss.backward()
        for name, tensor in model.named_parameters():
            sums[name] += tensor.grad**2
    model.zero_grad()
    return {name: total / len(texts) for name, total in sums.items()}


def test_every_weight_equals_the_squares_taken_by_hand(model):
    expected = by_hand(model, TEXTS)
    found = compute_fisher(model, TEXTS, list(expected))
    assert set(found.values) == set(expected)
    for name, values in dense(found).items():
        assert values.dtype == torch.float32
        assert values.shape == expected[name].shape
        assert (values >= 0).all() and values.max() > 0
        torch.testing.assert_close(values, expected[name], rtol=1e-4, atol=1e-9)
    assert (found.samples, found.tokens) == (3, 4 + 1 + 8)


def test_it_is_the_average_over_texts_of_each_alone(model):
    names = matching_parameters(model, ATTENTION)
    alone = [dense(compute_fisher(model, [text], names)) for text in TEXTS]
    together = dense(compute_fisher(model, TEXTS, names))
    for name in names:
        torch.testing.assert_close(together[name], sum(one[name] for one in alone) / 3, rtol=1e-4, atol=1e-9)
    assert compute_fisher(model, TEXTS * 2, names).values[name].dense() == pytest.approx(
        together[name], rel=1e-4
    )


def test_texts_too_short_to_predict_anything_do_not_count(model, fisher):
    names = matching_parameters(model, ATTENTION)
    found = compute_fisher(model, [[7], *TEXTS, []], names)
    assert found.samples == 3
    for name in names:
        assert torch.equal(found.values[name].dense(), fisher.values[name].dense())
    with pytest.raises(FisherError, match=r"prose: there is no text of two or more tokens"):
        compute_fisher(model, [[1]], names, names=("prose",))


def test_only_the_parameters_asked_for_and_nothing_changed(model):
    names = matching_parameters(model, ("q_proj", "down_proj"))
    assert {name.split(".")[-2] for name in names} == {"q_proj", "down_proj"} and len(names) == 4
    for number, tensor in enumerate(model.parameters()):
        tensor.requires_grad_(number % 2 == 0)
    flags = {name: tensor.requires_grad for name, tensor in model.named_parameters()}
    weights = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}
    done = []
    found = compute_fisher(model, TEXTS, names, advance=lambda n=1, note="": done.append(n))
    assert set(found.values) == set(names)
    assert sum(done) == 3
    assert {name: tensor.requires_grad for name, tensor in model.named_parameters()} == flags
    for name, tensor in model.named_parameters():
        assert torch.equal(tensor, weights[name])
        assert tensor.grad is None


def test_the_flags_come_back_after_a_failure(model):
    flags = {name: tensor.requires_grad for name, tensor in model.named_parameters()}
    with pytest.raises(IndexError):
        compute_fisher(model, [[1, 10**6]], matching_parameters(model, ATTENTION))
    assert {name: tensor.requires_grad for name, tensor in model.named_parameters()} == flags


def test_an_untrained_adapter_changes_nothing(model, tiny_models, fisher):
    adapted = tiny_models.adapt(model, seed=None)
    names = matching_parameters(adapted, ATTENTION)
    assert names == sorted(fisher.values, key=names.index)
    found = compute_fisher(adapted, TEXTS, names)
    assert found.model_fingerprint == fisher.model_fingerprint
    for name in names:
        torch.testing.assert_close(
            found.values[name].dense(), fisher.values[name].dense(), rtol=1e-4, atol=1e-9
        )
    assert [n for n, p in adapted.named_parameters() if p.requires_grad and ".lora_" not in n] == []


def test_a_trained_adapter_is_off_while_it_is_measured(model, tiny_models, fisher):
    adapted = tiny_models.adapt(model)
    adapted.get_submodule("base_model.model.model.layers.0.self_attn.q_proj").lora_A.requires_grad_(False)
    flags = [parameter.requires_grad for parameter in adapted.parameters()]
    ids = torch.tensor([TEXTS[2]])
    before = adapted(input_ids=ids).logits
    found = compute_fisher(adapted, TEXTS, matching_parameters(adapted, ATTENTION))
    for name, one in fisher.values.items():
        torch.testing.assert_close(found.values[name].dense(), one.dense(), rtol=1e-4, atol=1e-9)
    assert torch.equal(adapted(input_ids=ids).logits, before)
    assert [parameter.requires_grad for parameter in adapted.parameters()] == flags
    with adapted.disable_adapter():
        assert not torch.allclose(adapted(input_ids=ids).logits, before)
        compute_fisher(adapted, TEXTS[:1], matching_parameters(adapted, ATTENTION))
        assert not torch.allclose(adapted(input_ids=ids).logits, before)  # it was off, and still is


def test_dropout_is_off_while_it_is_measured(tiny_models):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=320, n_embd=32, n_layer=2, n_head=4, resid_pdrop=0.5))
    names = matching_parameters(gpt2, "attention")
    expected = dense(compute_fisher(gpt2.eval(), TEXTS, names))
    gpt2.train()
    gpt2.lm_head.eval()
    found = dense(compute_fisher(gpt2, TEXTS, names))
    assert all(torch.equal(found[name], expected[name]) for name in names)
    assert gpt2.transformer.drop.training and not gpt2.lm_head.training
    drawn = sample_texts(gpt2, tiny_models.tokenizer(), 2, 12, seed=0)
    assert drawn == sample_texts(gpt2.eval(), tiny_models.tokenizer(), 2, 12, seed=0)


def test_save_and_load(fisher, tmp_path):
    fisher.save(tmp_path / "made" / "here")
    found = Fisher.load(tmp_path / "made" / "here")
    assert set(found.values) == set(fisher.values)
    for name in fisher.values:
        assert torch.equal(found.values[name].dense(), fisher.values[name].dense())
    for field in ("model_fingerprint", "data_fingerprint", "samples", "tokens", "texts"):
        assert getattr(found, field) == getattr(fisher, field)
    about = json.loads((tmp_path / "made" / "here" / "fisher.json").read_text())
    assert about["schema"] == "worldschool.fisher/1"
    assert (about["form"], about["labels"]) == ("exact", "data")
    assert about["loss_reduction"] == "mean token NLL of each text"


def test_fingerprints_of_data(model, fisher):
    names = matching_parameters(model, ("q_proj",))
    assert compute_fisher(model, TEXTS, names).data_fingerprint == fisher.data_fingerprint
    assert compute_fisher(model, TEXTS[:2], names).data_fingerprint != fisher.data_fingerprint


def test_another_model_is_refused(fisher, tiny_models):
    fisher.check_model(tiny_models.llama(), "fisher")
    fisher.check_model(tiny_models.adapt(tiny_models.llama()), "fisher")
    with pytest.raises(FisherError, match=r"^runs/fisher: this Fisher was made for another model .*\. [A-Z]"):
        fisher.check_model(tiny_models.llama(seed=1), "runs/fisher")


def test_one_changed_weight_is_noticed_where_the_sample_looks(model, fisher):
    with torch.no_grad():
        base_parameters(model)["model.layers.0.self_attn.q_proj.weight"][0, 0] += 0.01
    with pytest.raises(FisherError, match="another model"):
        fisher.check_model(model, "fisher")


def test_the_same_model_after_saving_and_with_an_adapter(model, tiny_models, fisher, tmp_path):
    tiny_models.save(tmp_path / "llama")
    loaded = LocalModel.load(str(tmp_path / "llama"))
    assert loaded.fingerprint == fisher.model_fingerprint == model_fingerprint(model)
    tiny_models.adapt(loaded.model).save_pretrained(tmp_path / "adapter")
    adapted = LocalModel.load(str(tmp_path / "llama"), tmp_path / "adapter")
    fisher.check_model(adapted.model, "fisher")


def test_directories_that_are_no_fisher_are_refused(fisher, tmp_path):
    with pytest.raises(FisherError, match=r"there is no fisher.json here\. .*worldschool finetune"):
        Fisher.load(tmp_path)
    fisher.save(tmp_path)
    whole = (tmp_path / "fisher.safetensors").read_bytes()
    (tmp_path / "fisher.safetensors").write_bytes(whole[:-100])
    with pytest.raises(FisherError, match=r"fisher.safetensors: the file cannot be read"):
        Fisher.load(tmp_path)
    (tmp_path / "fisher.safetensors").unlink()
    with pytest.raises(FisherError, match=r"fisher.safetensors: the file cannot be read"):
        Fisher.load(tmp_path)
    (tmp_path / "fisher.safetensors").write_bytes(whole)
    text = (tmp_path / "fisher.json").read_text()
    (tmp_path / "fisher.json").write_text(text.replace("fisher/1", "fisher/9"))
    with pytest.raises(FisherError, match=r"its schema is 'worldschool.fisher/9', this release reads"):
        Fisher.load(tmp_path)
    (tmp_path / "fisher.json").write_text(text[:-9])
    with pytest.raises(FisherError, match=r"fisher.json: a Fisher description cannot be read"):
        Fisher.load(tmp_path)


def test_matching_parameters_names_what_there_is(model):
    assert len(matching_parameters(model, ATTENTION)) == 8
    assert matching_parameters(model, ["proj"] + ["v_proj"]) == [
        f"model.layers.{layer}.self_attn.v_proj.weight" for layer in (0, 1)
    ]
    assert all("norm" not in name for name in matching_parameters(model, ("input_layernorm", "q_proj")))
    with pytest.raises(FisherError, match=r"is called query, W\.1\. This model has: .*down_proj.*q_proj"):
        matching_parameters(model, ("query", "W.1"))


@pytest.mark.parametrize(
    ("kind", "settings", "attention", "layers"),
    [
        ("llama", {}, ["k_proj", "o_proj", "q_proj", "v_proj"], 7),
        ("gpt2", {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}, None, 4),
        ("gpt_neox", {"rotary_pct": 0.5}, None, 4),
        ("opt", {"ffn_dim": 64, "word_embed_proj_dim": 32}, ["k_proj", "out_proj", "q_proj", "v_proj"], 6),
    ],
)
def test_attention_is_found_whatever_a_model_calls_it(kind, settings, attention, layers):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    common = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = AutoConfig.for_model(kind, vocab_size=50, **(settings if kind == "gpt2" else common | settings))
    model = AutoModelForCausalLM.from_config(config)
    every = matching_parameters(model, "all-linear")
    found = matching_parameters(model, "attention")
    assert len(every) == 2 * layers and set(found) < set(every)
    assert all("attn" in name or "attention" in name for name in found)
    assert not any("mlp" in name or "fc" in name for name in found)
    names = short_names(model, "attention")
    if attention is not None:
        assert names == attention
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules=names, fan_in_fan_out=kind == "gpt2"))
    assert sorted(f"{name}.weight" for name in lora_layers(adapted)) == sorted(found)
    assert matching_parameters(adapted, "attention") == found
