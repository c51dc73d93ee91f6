"""Models of other architectures: what changes their logits is known, and what cannot be computed in shared rows is refused."""

import math

import pytest
import torch

from worldschool.errors import ModelError
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.models.causal import context_of, logits_of
from worldschool.models.language import LocalModel
from worldschool.models.support import check_supported

HEADS = {"intermediate_size": 48, "num_key_value_heads": 2, "max_position_embeddings": 128}
CHANGED = [
    ("Granite", {**HEADS, "logits_scaling": 8.0}),
    ("Cohere", {**HEADS, "logit_scale": 0.0625}),
    ("Gemma2", {**HEADS, "head_dim": 8, "final_logit_softcapping": 1.0, "sliding_window": 64}),
]
ALIKE = [
    ("Qwen2", HEADS),
    ("Mixtral", {**HEADS, "num_local_experts": 4}),
    ("OPT", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
]
STATEFUL = [
    ("Lfm2", {**HEADS, "layer_types": ["conv", "full_attention"]}),  # a convolution over neighbouring places
    ("Mpt", {"d_model": 32, "n_heads": 4, "n_layers": 2}),  # distances between places in the row
    ("Bloom", {"n_head": 4, "n_layer": 2}),  # takes no mask of a row's own
]


@pytest.mark.parametrize(("kind", "settings"), CHANGED + ALIKE)
def test_scores_are_those_of_the_models_own_forward_pass(tiny_models, kind, settings):
    model, tokenizer = tiny_models.of_kind(kind, **settings), tiny_models.tokenizer()
    texts = [" kitchen", " home office"]
    ((first, second),) = LocalModel(model, tokenizer, kind).score(["Emily walked to the"], [texts])
    for found, text in zip((first, second), texts, strict=True):
        ids = tokenizer("Emily walked to the" + text)["input_ids"]
        with torch.inference_mode():
            logprobs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(float(logprobs[at - 1, ids[at]]) for at in range(len(ids) - found.tokens, len(ids)))
        assert math.isclose(found.logprob, expected, rel_tol=1e-4)


@pytest.mark.parametrize(("kind", "settings"), CHANGED)
def test_the_fisher_information_is_that_of_the_logits_as_they_come_out(tiny_models, kind, settings):
    model, text = tiny_models.of_kind(kind, **settings), [5, 9, 30, 31, 7]
    weight = model.get_submodule("model.layers.0.self_attn.q_proj").weight
    torch.nn.functional.cross_entropy(
        model(input_ids=torch.tensor([text])).logits[0, :-1], torch.tensor(text[1:])
    ).backward()
    expected = weight.grad**2
    found = compute_fisher(model, [text], ["model.layers.0.self_attn.q_proj.weight"])
    torch.testing.assert_close(
        found.values["model.layers.0.self_attn.q_proj.weight"].dense(), expected, rtol=1e-3, atol=1e-9
    )


@pytest.mark.parametrize(("kind", "settings"), STATEFUL)
def test_a_model_that_shared_rows_would_mislead_is_refused(tiny_models, kind, settings):
    model = tiny_models.of_kind(kind, **settings)
    with pytest.raises(ModelError, match=f"share a story cannot be computed with {kind}ForCausalLM"):
        LocalModel(model, tiny_models.tokenizer(), kind)
    check_supported(model, packed=False)


def test_logits_changed_in_an_unknown_way_are_refused(tiny_models):
    model = tiny_models.llama()
    own = model.forward

    def doubled(*given, **named):
        out = own(*given, **named)
        out.logits = 2 * out.logits
        return out

    model.forward = doubled
    for packed in (True, False):
        with pytest.raises(ModelError, match=r"its logits come out otherwise"):
            check_supported(model, packed)
    with pytest.raises(ModelError, match=r"LlamaForCausalLM"):
        compute_fisher(model, [[5, 9, 30]], ["model.layers.0.self_attn.q_proj.weight"])


def test_rounding_is_no_difference(tiny_models):
    for kind, settings in CHANGED + ALIKE:
        check_supported(tiny_models.of_kind(kind, **settings).bfloat16())
    for kind, settings in CHANGED:
        check_supported(tiny_models.of_kind(kind, **settings).double())


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("Mistral", {**HEADS, "sliding_window": 40}, 40),
        ("Mistral", {**HEADS, "sliding_window": None}, 128),
        ("Mistral", {**HEADS, "sliding_window": 4096}, 128),
        ("Qwen2", {**HEADS, "sliding_window": 40, "use_sliding_window": False}, 128),
        ("Gemma2", {**HEADS, "head_dim": 8, "sliding_window": 64}, 64),
    ],
)
def test_the_context_ends_where_a_sliding_window_begins_to_slide(tiny_models, kind, settings, expected):
    assert context_of(tiny_models.of_kind(kind, **settings)) == expected


def test_logits_keep_float64(tiny_models):
    model = tiny_models.llama().double()
    assert logits_of(model, torch.zeros(3, 32, dtype=torch.float64)).dtype == torch.float64
    assert logits_of(model.bfloat16(), torch.zeros(3, 32, dtype=torch.bfloat16)).dtype == torch.float32
