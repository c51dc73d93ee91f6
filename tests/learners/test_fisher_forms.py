"""Forms of the Fisher information against brute force in float64, and penalties against autograd."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from worldschool.errors import FisherError
from worldschool.learners.fisher.forms import Exact, Factored, factor
from worldschool.learners.fisher.gradients import own_layers
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters
from worldschool.learners.retention.adapted import lora_layers
from worldschool.learners.retention.ewc import EWC
from worldschool.models.causal import base_parameters

TEXTS = [[5, 9, 30, 31, 7], [12, 13], [8, 80, 81, 8, 82, 83, 11, 3, 3], [40, 41, 42, 43, 44], [7, 7, 9]]
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def gpt2(double=True):
    """A GPT-2 of two layers: its weights are Conv1D's, stored [d_in, d_out], and the embedding is the output layer too."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=96, n_positions=32, n_embd=16, n_layer=2, n_head=2, initializer_range=0.2,
        resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = GPT2LMHeadModel(config).eval()
    return model.double() if double else model


def brute_force(model, texts, names):
    """(1/N) sum_j (dL_j / dtheta)^2, one backward pass a text, from the model's own logits."""
    weights = base_parameters(model)
    sums = {name: torch.zeros_like(weights[name]) for name in names}
    for text in texts:
        logits = model(input_ids=torch.tensor([text])).logits[0, :-1]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(text[1:]))
        for name, gradient in zip(
            names, torch.autograd.grad(loss, [weights[name] for name in names]), strict=True
        ):
            sums[name] += gradient**2
    return {name: total / len(texts) for name, total in sums.items()}


def relative(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.fixture
def llama(tiny_models):
    return tiny_models.llama().double()


@pytest.mark.parametrize("batch_tokens", [1, 12, 512])
def test_linear_layers_equal_brute_force_in_float64_however_texts_are_batched(llama, batch_tokens):
    names = matching_parameters(llama, LINEAR)
    expected = brute_force(llama, TEXTS, names)
    assert own_layers(llama, names, TEXTS[0]) is not None
    exact = compute_fisher(llama, TEXTS, names, batch_tokens=batch_tokens)
    factored = compute_fisher(llama, TEXTS, names, form="factored", batch_tokens=batch_tokens)
    assert len(names) == 14 and (exact.form, factored.form) == ("exact", "factored")
    for name in names:
        assert exact.values[name].dense().dtype == torch.float64
        assert relative(exact.values[name].dense(), expected[name]) < 1e-6
        by_rank_one = factored.values[name].dense()
        assert relative(by_rank_one.sum(0), expected[name].sum(0)) < 1e-6
        assert relative(by_rank_one.sum(1), expected[name].sum(1)) < 1e-6
        assert torch.linalg.matrix_rank(by_rank_one) == 1


def test_conv1d_embeddings_tied_weights_and_vectors_equal_brute_force(llama):
    for model in (gpt2(), llama):
        names = list(base_parameters(model))
        expected = brute_force(model, TEXTS, names)
        found = compute_fisher(model, TEXTS, names)
        assert {base_parameters(model)[name].ndim for name in names} == {1, 2}
        for name in names:
            assert relative(found.values[name].dense(), expected[name]) < 1e-6, name
    model = gpt2()
    names = matching_parameters(model, ("c_attn", "c_proj", "c_fc"))
    layers = own_layers(model, names, TEXTS[0])
    assert set(layers) == set(names) and not isinstance(next(iter(layers.values())), torch.nn.Linear)
    expected = brute_force(model, TEXTS, names)
    for form in ("exact", "factored"):
        found = compute_fisher(model, TEXTS, names, form=form)
        for name in names:
            assert relative(found.values[name].dense().sum(0), expected[name].sum(0)) < 1e-6
            assert relative(found.values[name].dense().sum(1), expected[name].sum(1)) < 1e-6


def test_what_is_not_a_layer_of_its_own_goes_one_text_at_a_time(llama):
    assert own_layers(llama, ["model.embed_tokens.weight"], TEXTS[0]) is None  # the output layer's, too
    assert own_layers(llama, ["model.norm.weight"], TEXTS[0]) is None
    layer = llama.model.layers[0]
    layer.mlp.register_forward_hook(
        lambda module, args, output: output + module.down_proj(module.up_proj(args[0]))
    )
    names = matching_parameters(llama, ("up_proj",))
    assert own_layers(llama, names, TEXTS[0]) is None  # called twice: its gradient is a sum over both
    expected = brute_force(llama, TEXTS, names)
    found = compute_fisher(llama, TEXTS, names)
    assert all(relative(found.values[name].dense(), expected[name]) < 1e-6 for name in names)


def test_drawn_labels_are_the_same_in_any_batch_and_come_near_to_the_expectation(llama):
    names = matching_parameters(llama, ("o_proj",))
    alone, together = (
        compute_fisher(llama, TEXTS, names, labels="model", seed=4, batch_tokens=tokens)
        for tokens in (1, 512)
    )
    other = compute_fisher(llama, TEXTS, names, labels="model", seed=5)
    for name in names:
        assert relative(alone.values[name].dense(), together.values[name].dense()) < 1e-9
        assert relative(alone.values[name].dense(), other.values[name].dense()) > 1e-3
    assert alone.data_fingerprint == together.data_fingerprint != other.data_fingerprint
    text, name = [5, 9], names[0]
    weight = base_parameters(llama)[name]
    logprobs = llama(input_ids=torch.tensor([text])).logits[0, 0].log_softmax(-1)
    expected = sum(
        logprobs[word].exp().detach()
        * torch.autograd.grad(-logprobs[word], weight, retain_graph=True)[0] ** 2
        for word in range(len(logprobs))
    )
    drawn = compute_fisher(llama, [text] * 1500, [name], labels="model").values[name].dense()
    assert float((drawn * expected).sum() / (drawn.norm() * expected.norm())) > 0.98
    assert float(drawn.sum()) == pytest.approx(float(expected.sum()), rel=0.1)


def test_an_interrupted_measurement_goes_on_to_the_same_result(llama, tmp_path, monkeypatch):
    monkeypatch.setattr("worldschool.learners.fisher.measuring.KEPT_EVERY", 1)
    names, keep = matching_parameters(llama, ("q_proj",)), tmp_path / "partial.safetensors"
    whole = compute_fisher(llama, TEXTS, names, form="factored", batch_tokens=1)

    def stop(count):
        stop.seen += count
        if stop.seen >= 3:
            raise KeyboardInterrupt

    stop.seen = 0
    with pytest.raises(KeyboardInterrupt):
        compute_fisher(llama, TEXTS, names, stop, form="factored", batch_tokens=1, keep=keep)
    assert keep.exists()
    counts = []
    again = compute_fisher(llama, TEXTS, names, counts.append, form="factored", batch_tokens=1, keep=keep)
    assert counts == [3, 1, 1] and not keep.exists()
    for name in names:
        assert torch.equal(again.values[name].rows, whole.values[name].rows)
        assert torch.equal(again.values[name].columns, whole.values[name].columns)
    stop.seen = 0
    with pytest.raises(KeyboardInterrupt):
        compute_fisher(llama, TEXTS, names, stop, form="factored", batch_tokens=1, keep=keep)
    counts.clear()
    compute_fisher(llama, TEXTS[:3], names, counts.append, form="factored", batch_tokens=1, keep=keep)
    assert counts == [0, 1, 1, 1]  # of other texts: begun again
    keep.write_bytes(b"half a file")
    with pytest.raises(FisherError, match=r"partial.safetensors: what was measured so far cannot be read"):
        compute_fisher(llama, TEXTS, names, keep=keep)


def test_what_was_kept_of_other_parameters_is_not_gone_on_with(llama, tmp_path, monkeypatch):
    monkeypatch.setattr("worldschool.learners.fisher.measuring.KEPT_EVERY", 1)
    every, keep = list(base_parameters(llama)), tmp_path / "partial.safetensors"
    few = matching_parameters(llama, ("q_proj",))

    def stop(count):
        if count:
            raise KeyboardInterrupt

    for first, then in ((every, few), (few, every)):
        with pytest.raises(KeyboardInterrupt):
            compute_fisher(llama, TEXTS, first, stop, keep=keep)
        found, expected = compute_fisher(llama, TEXTS, then, keep=keep), compute_fisher(llama, TEXTS, then)
        assert all(torch.equal(found.values[name].dense(), expected.values[name].dense()) for name in then)


def test_a_model_whose_loss_is_no_number_is_refused(llama):
    llama.model.layers[0].self_attn.o_proj.weight.data[0, 0] = float("nan")
    with pytest.raises(FisherError, match="the squared gradients of .*q_proj.weight are not numbers"):
        compute_fisher(llama, TEXTS, matching_parameters(llama, ("q_proj",)))


# -- forms and penalties -------------------------------------------------------------------------------------------------


SIZES = st.integers(1, 7)


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(SIZES, SIZES, SIZES, st.integers(1, 3), st.floats(0.1, 8), st.integers(0, 10**6))
def test_closed_form_gradients_equal_autograds_and_the_factored_penalty_the_exact_one(
    d_out, d_in, rank, k, scale, seed
):
    factored = Factored(drawn(seed, d_out, k).abs(), drawn(seed + 1, d_in, k).abs())
    exact = Exact(factored.dense())
    a, b = drawn(seed + 2, rank, d_in).requires_grad_(), drawn(seed + 3, d_out, rank).requires_grad_()
    value = (exact.values * (scale * b @ a) ** 2).sum()
    by_a, by_b = torch.autograd.grad(value, (a, b))
    for form in (exact, factored):
        pull = form.low_rank_pull(a, b, scale)
        torch.testing.assert_close(pull.value, value.detach(), rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(pull.by_a, by_a, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(pull.by_b, by_b, rtol=1e-9, atol=1e-12)
        whole, gradient = form.pull(scale * b @ a)
        torch.testing.assert_close(whole, value.detach(), rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(gradient, 2 * exact.values * (scale * b @ a).detach())
        turned = form.transposed()
        assert turned.shape == (d_in, d_out)
        torch.testing.assert_close(turned.dense(), form.dense().T)


@given(SIZES, SIZES, st.integers(0, 10**6))
def test_rank_one_keeps_rows_and_columns_and_nothing_of_rank_one_is_nearer(d_out, d_in, seed):
    values = drawn(seed, d_out, d_in).abs() + 1e-3
    one = Factored.of_sums(values.sum(1), values.sum(0))
    torch.testing.assert_close(one.dense().sum(0), values.sum(0))
    torch.testing.assert_close(one.dense().sum(1), values.sum(1))
    other = Factored(one.rows * (1 + 0.2 * drawn(seed + 1, d_out, 1)).abs(), one.columns)
    assert divergence(values, one.dense()) <= divergence(values, other.dense()) + 1e-9


def divergence(values, approximation):
    """Generalised Kullback-Leibler divergence."""
    return float((values * (values / approximation).log() - values + approximation).sum())


def test_higher_ranks_come_nearer_and_a_matrix_of_that_rank_is_found():
    values = drawn(1, 12, 3).abs() @ drawn(2, 3, 9).abs()
    far = [divergence(values, factor(values, rank).dense()) for rank in (1, 2, 3)]
    assert far[0] > 2 * far[1] > 4 * far[2] >= 0
    found = factor(values, 3, steps=4000)
    assert found.rank == 3 and relative(found.dense(), values) < 0.02
    assert (found.rows >= 0).all() and (found.columns >= 0).all()
    nothing = factor(torch.zeros(3, 4), 2)
    assert not nothing.dense().any()


def test_gradients_added_without_autograd_are_those_of_the_loss(tiny_models):
    model = tiny_models.llama()
    for form in ("exact", "factored"):
        fisher = compute_fisher(model, TEXTS, matching_parameters(model, LINEAR[:4]), form=form)
        adapted = tiny_models.adapt(tiny_models.llama())
        held = EWC(adapted, fisher, 1e4)
        penalty = held.penalty()
        (1e4 * penalty).backward()
        penalty = penalty.detach()
        expected = {name: p.grad.clone() for name, p in adapted.named_parameters() if p.grad is not None}
        adapted.zero_grad()
        next(p for p in adapted.parameters() if p.requires_grad).grad = None
        value = held.add_gradients()
        held.add_gradients()
        assert float(value) == pytest.approx(float(penalty)) and len(expected) == 16
        for name, parameter in adapted.named_parameters():
            if name in expected:
                torch.testing.assert_close(parameter.grad, 2 * expected[name], rtol=1e-4, atol=1e-7)


def test_a_factored_fisher_of_conv1d_holds_the_same_weights(tiny_models):
    from peft import LoraConfig, get_peft_model

    model = gpt2(double=False)
    names = matching_parameters(model, ("c_attn",))
    fisher = compute_fisher(model, TEXTS, names, form="factored")
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True))
    layers = lora_layers(adapted)
    for number, module in enumerate(layers.values()):
        module.lora_B["default"].weight.data.copy_(drawn(number, 48, 2))
    change = {
        f"{name}.weight": module.get_delta_weight("default").detach() for name, module in layers.items()
    }
    by_hand = sum((fisher.values[name].dense() * change[name] ** 2).sum() for name in names)
    assert float(EWC(adapted, fisher, 1.0).penalty()) == pytest.approx(float(by_hand), rel=1e-5)


def test_a_fisher_in_factors_is_small_on_disk_and_reads_back(tiny_models, tmp_path):
    model = tiny_models.llama()
    names = [*matching_parameters(model, LINEAR), "model.norm.weight"]
    fisher = compute_fisher(model, TEXTS, names, form="factored", labels="model", names=("by hand",))
    fisher.save(tmp_path)
    about = json.loads((tmp_path / "fisher.json").read_text())
    assert (about["form"], about["rank"], about["labels"]) == ("mixed", 1, "model")
    read = Fisher.load(tmp_path)
    assert set(read.values) == set(names) and read.labels == "model" and read.bytes == fisher.bytes
    assert all(torch.equal(read.values[name].dense(), fisher.values[name].dense()) for name in names)
    exact = compute_fisher(model, TEXTS, names)
    assert read.bytes < exact.bytes / 8


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_fisher_that_cannot_be_one_is_refused(tiny_models, tmp_path, value):
    model = tiny_models.llama()
    names = matching_parameters(model, ("q_proj",))
    fisher = compute_fisher(model, TEXTS, names, form="factored")
    fisher.values[names[0]].columns[0, 0] = value
    fisher.save(tmp_path)
    with pytest.raises(
        FisherError, match=r"fisher.safetensors: the values of .*q_proj.weight are not all numbers from 0 up"
    ):
        Fisher.load(tmp_path)


def test_a_fisher_of_other_shapes_is_refused(tiny_models):
    from dataclasses import replace

    model = tiny_models.llama()
    fisher = compute_fisher(model, TEXTS, matching_parameters(model, LINEAR[:4]))
    wrong = {name: Exact(torch.ones(3, 4)) for name in fisher.values}
    with pytest.raises(
        FisherError, match=r"are of shape \(3, 4\), the adapter changes a matrix of \(32, 32\)"
    ):
        EWC(tiny_models.adapt(model), replace(fisher, values=wrong), 1.0)
