"""EWC: the penalty and its gradients against the formula written out."""

import pytest
import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher.forms import Exact
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters
from worldschool.learners.retention.adapted import lora_layers
from worldschool.learners.retention.ewc import EWC, LowRankPenalty
from worldschool.models.causal import base_parameters, model_fingerprint

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
TEXTS = [[5, 9, 30, 31, 7], [12, 13, 14], [8, 80, 81, 8, 82]]
SCALE = 12.0 / 4


@pytest.fixture
def setting(tiny_models):
    """Return (model with a random adapter, Fisher of its base model)."""
    llama = tiny_models.llama()
    fisher = compute_fisher(llama, TEXTS, matching_parameters(llama, ATTENTION))
    return tiny_models.adapt(llama), fisher


def naive_penalty(model, fisher):
    total = torch.zeros(())
    for name, module in lora_layers(model).items():
        change = SCALE * module.lora_B["default"].weight @ module.lora_A["default"].weight
        total = total + (fisher.values[f"{name}.weight"].dense() * change**2).sum()
    return total


def lora_weights(model):
    return {name: tensor for name, tensor in model.named_parameters() if ".lora_" in name}


def test_the_penalty_is_the_sum_written_out(setting):
    model, fisher = setting
    expected = naive_penalty(model, fisher).item()
    assert expected > 0
    assert EWC(model, fisher, 3.0).penalty().item() == pytest.approx(expected, rel=1e-5)
    assert len(lora_layers(model)) == 8


def test_its_gradients_are_those_of_the_formula(setting):
    model, fisher = setting
    weights = lora_weights(model)
    (7.0 * EWC(model, fisher, 3.0).penalty()).backward()
    expected = torch.autograd.grad(7.0 * naive_penalty(model, fisher), list(weights.values()))
    assert len(weights) == 16
    for (name, tensor), gradient in zip(weights.items(), expected, strict=True):
        assert gradient.abs().max() > 0, name
        torch.testing.assert_close(tensor.grad, gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 3), (8, 3, 9)])
def test_weighted_square_alone(shape):
    rank, d_in, d_out = shape
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(rank, d_in, generator=generator, requires_grad=True)
    b = torch.randn(d_out, rank, generator=generator, requires_grad=True)
    importance = torch.rand(d_out, d_in, generator=generator)
    by_hand = (importance * (0.5 * b @ a) ** 2).sum()
    found = LowRankPenalty.apply(a, b, 0.5, Exact(importance))
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad(found * 2, (a, b)), torch.autograd.grad(by_hand * 2, (a, b)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_half_precision_adapters_get_gradients_of_their_own_type():
    torch.manual_seed(0)
    a = torch.randn(2, 5).bfloat16().requires_grad_()
    b = torch.randn(3, 2).bfloat16().requires_grad_()
    value = LowRankPenalty.apply(a, b, 1.0, Exact(torch.rand(3, 5)))
    assert value.dtype == torch.float32
    value.backward()
    assert a.grad.dtype == b.grad.dtype == torch.bfloat16


def test_a_new_adapter_has_no_penalty_and_no_gradient(tiny_models):
    llama = tiny_models.llama()
    fisher = compute_fisher(llama, TEXTS, matching_parameters(llama, ATTENTION))
    model = tiny_models.adapt(llama, seed=None)
    penalty = EWC(model, fisher, 1e6).penalty()
    assert penalty.item() == 0.0
    penalty.backward()
    assert all(not tensor.grad.any() for tensor in lora_weights(model).values())


def test_it_equals_the_squared_change_of_the_merged_weights(setting, tiny_models):
    model, fisher = setting
    penalty = EWC(model, fisher, 1.0).penalty().item()
    original = base_parameters(tiny_models.llama())
    merged = base_parameters(model.merge_and_unload())
    assert set(merged) == set(original)
    by_change = sum(
        (values.dense() * (merged[name] - original[name]) ** 2).sum().item()
        for name, values in fisher.values.items()
    )
    assert penalty == pytest.approx(by_change, rel=1e-4)
    assert penalty > 0
    for name in set(original) - set(fisher.values):
        assert torch.equal(merged[name], original[name])


def test_the_scale_is_the_adapters_own(tiny_models):
    from peft import LoraConfig, get_peft_model

    llama = tiny_models.llama()
    fisher = compute_fisher(llama, TEXTS, matching_parameters(llama, ("q_proj",)))
    settings = LoraConfig(
        r=4, lora_alpha=6.0, use_rslora=True, target_modules=["q_proj"], init_lora_weights=False
    )
    model = get_peft_model(llama, settings)
    penalty = EWC(model, fisher, 1.0).penalty().item()
    original = base_parameters(tiny_models.llama())
    merged = base_parameters(model.merge_and_unload())
    by_change = sum(
        (v.dense() * (merged[n] - original[n]) ** 2).sum().item() for n, v in fisher.values.items()
    )
    assert penalty == pytest.approx(by_change, rel=1e-4)


def test_weights_kept_the_other_way_round(tiny_models):
    """GPT-2's layers keep [d_in, d_out]; a square one would pass unnoticed with its Fisher transposed."""
    from peft import LoraConfig, get_peft_model
    from transformers import GPT2Config, GPT2LMHeadModel

    def gpt2():
        torch.manual_seed(0)
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=90, n_embd=16, n_layer=1, n_head=2, n_positions=32)
        ).eval()

    base = gpt2()
    fisher = compute_fisher(base, TEXTS, matching_parameters(base, ("c_attn", "c_proj")))
    settings = LoraConfig(
        r=2, target_modules=["c_attn", "c_proj"], init_lora_weights=False, fan_in_fan_out=True
    )
    model = get_peft_model(base, settings)
    penalty = EWC(model, fisher, 1.0).penalty().item()
    original, merged = base_parameters(gpt2()), base_parameters(model.merge_and_unload())
    by_change = sum(
        (v.dense() * (merged[n] - original[n]) ** 2).sum().item() for n, v in fisher.values.items()
    )
    assert penalty == pytest.approx(by_change, rel=1e-4)


def test_a_fisher_of_another_model_is_refused(setting, tiny_models):
    model, _ = setting
    other = tiny_models.llama(seed=1)
    fisher = compute_fisher(other, TEXTS, matching_parameters(other, ATTENTION))
    with pytest.raises(FisherError, match=r"^runs/f: this Fisher was made for another model"):
        EWC(model, fisher, 1.0, where="runs/f")


def test_a_fisher_that_lacks_an_adapted_matrix_is_refused(setting):
    model, fisher = setting
    values = {
        name: tensor for name, tensor in fisher.values.items() if "layers.1.self_attn.k_proj" not in name
    }
    partial = Fisher(values, model_fingerprint(model), fisher.data_fingerprint, 3, 9)
    with pytest.raises(
        FisherError, match=r"no values for the adapted matrix model\.layers\.1\.self_attn\.k_proj\.weight"
    ):
        EWC(model, partial, 1.0)
