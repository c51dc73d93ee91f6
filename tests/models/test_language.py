"""LocalModel against one sequence at a time, with no mask, no cache and no batch."""

import shutil
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.errors import ModelError
from worldschool.models.causal import base_parameters, encode_pair, model_fingerprint
from worldschool.models.language import LocalModel
from worldschool.models.packing import batches_by_length
from worldschool.models.prefix import SHARED_PREFIX_MINIMUM

STORY = (
    "Emily was in the kitchen. Emily picked up the phone from the counter. Emily put the phone on the desk.\n"
)
QUESTIONS = ["Question: Where is the phone now?\nAnswer:", "How many items are on the desk?\nAnswer:", "Zoë:"]
VARIED = [(question, times, n) for question in QUESTIONS for times in (1, 2) for n in (0, 3, 5)]
ANSWERS = [" kitchen\n", " home office\n", " desk", " 3\n", " the", " naïve\n"]


@pytest.fixture(scope="module")
def model(tiny_llama):
    return LocalModel.load(str(tiny_llama))


@pytest.fixture(scope="module")
def stopping(tiny_models):
    """A model that says a newline or the end of text often."""
    tokenizer = tiny_models.tokenizer()
    (newline,) = tokenizer("\n")["input_ids"]
    llama = tiny_models.llama(seed=2, end=tokenizer.eos_token_id)
    with torch.no_grad():
        llama.get_output_embeddings().weight[[newline, tokenizer.eos_token_id]] *= 1.6
    return LocalModel(llama, tokenizer, "stopping")


@torch.inference_mode()
def naive_score(model, prompt, completion):
    head, tail = encode_pair(model.tokenizer, prompt, completion)
    logprobs = model.model(input_ids=torch.tensor([head + tail])).logits[0].float().log_softmax(-1)
    return sum(logprobs[at - 1, (head + tail)[at]].item() for at in range(len(head), len(head + tail)))


@torch.inference_mode()
def naive_generate(model, prompt, count):
    """Return the text, and why it ended."""
    ids = model.tokenizer(prompt)["input_ids"]
    produced = []
    for _ in range(count):
        logits = model.model(input_ids=torch.tensor([ids + produced]), use_cache=False).logits[0, -1]
        token = int(logits.argmax())
        if token == model.tokenizer.eos_token_id:
            return model.tokenizer.decode(produced).strip("\n").split("\n")[0].strip(), "end"
        produced.append(token)
        text = model.tokenizer.decode(produced).lstrip("\n")
        if "\n" in text:
            return text.split("\n")[0].strip(), "newline"
    return model.tokenizer.decode(produced).strip(), "length"


# -- scoring ---------------------------------------------------------------------------------------------------------

words = st.lists(st.sampled_from(STORY.split()), min_size=1, max_size=12).map(" ".join)
asked = st.tuples(
    st.booleans(), words, st.lists(st.sampled_from([*ANSWERS, "", "er", "s.\n"]), min_size=1, max_size=4)
)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.lists(asked, min_size=1, max_size=4))
def test_score_is_the_log_likelihood_of_one_sequence_at_a_time(model, questions):
    prompts = [STORY * shared + prompt for shared, prompt, _ in questions]
    completions = [options for _, _, options in questions]
    found = model.score(prompts, completions)
    for prompt, options, scores in zip(prompts, completions, found, strict=True):
        for option, score in zip(options, scores, strict=True):
            _, tail = model.encode_pair(prompt, option)
            assert score.logprob == pytest.approx(naive_score(model, prompt, option), abs=1e-3)
            assert (score.tokens, score.bytes) == (len(tail), len(option.encode()))


def test_score_of_many_prompts_that_share_a_long_beginning(model):
    prompts = [STORY + question for question in QUESTIONS]
    ids = [model.tokenizer(prompt)["input_ids"] for prompt in prompts]
    assert all(one[: SHARED_PREFIX_MINIMUM + 1] == ids[0][: SHARED_PREFIX_MINIMUM + 1] for one in ids)
    found = model.score(prompts, [ANSWERS[:2], ANSWERS[2:5], ANSWERS[5:]])
    expected = [
        [naive_score(model, prompt, option) for option in options]
        for prompt, options in zip(prompts, [ANSWERS[:2], ANSWERS[2:5], ANSWERS[5:]], strict=True)
    ]
    for scores, values in zip(found, expected, strict=True):
        assert [score.logprob for score in scores] == pytest.approx(values, abs=1e-3)
    assert len({round(value, 2) for values in expected for value in values}) == 6


def test_prompts_encoded_in_several_parts_keep_their_order(model, monkeypatch):
    prompts = [STORY + question for question in QUESTIONS] + [STORY, "Emily"]
    whole = model.score(prompts, [ANSWERS[: 1 + i] for i in range(5)])
    monkeypatch.setattr("worldschool.models.likelihood.PROMPTS_ENCODED_AT_ONCE", 2)
    monkeypatch.setattr("worldschool.models.likelihood.POSITIONS_AT_ONCE", 3)
    monkeypatch.setattr("worldschool.models.likelihood.TOKENS_PER_BATCH", 100)
    parts = model.score(prompts, [ANSWERS[: 1 + i] for i in range(5)])
    for one, other in zip(whole, parts, strict=True):
        assert [s.logprob for s in one] == pytest.approx([s.logprob for s in other], abs=1e-4)
        assert [s.tokens for s in one] == [s.tokens for s in other]


def test_a_shared_beginning_serves_several_batches(model, monkeypatch):
    monkeypatch.setattr("worldschool.models.likelihood.TOKENS_PER_BATCH", 40)
    prompts = [STORY * 2 + " ".join(STORY.split()[:n]) for n in (3, 5, 9, 12)]
    found = model.score(prompts, [ANSWERS[:3]] * 4)
    for prompt, scores in zip(prompts, found, strict=True):
        expected = [naive_score(model, prompt, option) for option in ANSWERS[:3]]
        assert [score.logprob for score in scores] == pytest.approx(expected, abs=1e-3)


def test_identical_prompts_are_scored_alike(model):
    prompt = STORY + QUESTIONS[0]
    first, second, third = model.score([prompt] * 3, [[" kitchen\n"], [" kitchen\n", " desk\n"], [" desk\n"]])
    assert first[0].logprob == pytest.approx(second[0].logprob, abs=1e-4)
    assert third[0].logprob == pytest.approx(second[1].logprob, abs=1e-4)


def test_a_token_that_straddles_the_cut_belongs_to_the_completion(model):
    prompt, completion = "Emily walked to the kit", "chen."
    alone = model.tokenizer(prompt)["input_ids"]
    head, tail = model.encode_pair(prompt, completion)
    assert head == alone[: len(head)] and len(head) < len(alone)
    assert head + tail == model.tokenizer(prompt + completion)["input_ids"]
    ((score,),) = model.score([prompt], [[completion]])
    assert score.tokens == len(tail)
    assert score.logprob == pytest.approx(naive_score(model, prompt, completion), abs=1e-4)


def test_options_that_take_different_pieces_of_the_prompt_along(model):
    prompt, options = "Emily walked to the kit", ["chen.", " and", "chen and", "ten"]
    assert len({len(model.encode_pair(prompt, option)[0]) for option in options}) > 1
    (found,) = model.score([prompt], [options])
    assert [score.logprob for score in found] == pytest.approx(
        [naive_score(model, prompt, option) for option in options], abs=1e-4
    )


def test_score_reports_every_prompt_done(model):
    done = []
    model.score(["Emily was"] * 5, [[" in"]] * 5, advance=lambda n=1, note="": done.append(n))
    assert sum(done) == 5


def test_no_prompts(model):
    assert model.score([], []) == []
    assert model.generate([], 5) == []


def test_a_prompt_without_tokens_is_refused(model):
    with pytest.raises(ModelError, match="empty"):
        model.score([""], [[" kitchen"]])
    with pytest.raises(ModelError, match="empty"):
        model.generate([STORY, ""], 3)


def test_score_with_eager_attention(tiny_llama):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    eager = AutoModelForCausalLM.from_pretrained(tiny_llama, attn_implementation="eager")
    model = LocalModel(eager, AutoTokenizer.from_pretrained(tiny_llama), "eager")
    (found,) = model.score([STORY], [ANSWERS])
    assert [score.logprob for score in found] == pytest.approx(
        [naive_score(model, STORY, option) for option in ANSWERS], abs=1e-3
    )


# -- generating ------------------------------------------------------------------------------------------------------


def test_generate_is_the_greedy_loop_without_a_cache(stopping):
    prompts = [question * times + " ".join(STORY.split()[:n]) for question, times, n in VARIED]
    expected = [naive_generate(stopping, prompt, 12) for prompt in prompts]
    assert {why for _, why in expected} == {"end", "newline", "length"}, "the model must stop in every way"
    assert stopping.generate(prompts, 12) == [text for text, _ in expected]


@pytest.mark.parametrize("count", [1, 2, 12])
def test_generate_with_a_shared_beginning_and_different_lengths(stopping, count):
    prompts = [STORY + question * times + " ".join(STORY.split()[:n]) for question, times, n in VARIED]
    lengths = {len(stopping.tokenizer(prompt)["input_ids"]) for prompt in prompts}
    assert len(lengths) > 8 and min(lengths) > SHARED_PREFIX_MINIMUM
    assert stopping.generate(prompts, count) == [naive_generate(stopping, p, count)[0] for p in prompts]


def test_a_prompt_that_is_the_beginning_of_all_others(stopping):
    prompts = [STORY, STORY + "Emily", STORY + "Emily was in"]
    assert stopping.generate(prompts, 8) == [naive_generate(stopping, p, 8)[0] for p in prompts]
    assert stopping.generate([STORY] * 3, 8) == [naive_generate(stopping, STORY, 8)[0]] * 3


def test_generate_in_several_batches_keeps_the_order(stopping, monkeypatch):
    monkeypatch.setattr("worldschool.models.generating.SEQUENCES_PER_BATCH", 2)
    prompts = [" ".join(STORY.split()[i : i + 3 + i]) for i in range(7)]
    assert stopping.generate(prompts, 6) == [naive_generate(stopping, p, 6)[0] for p in prompts]


# -- loading ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adapter(tiny_llama, tiny_models, tmp_path_factory):
    directory = tmp_path_factory.mktemp("adapter")
    tiny_models.adapt(LocalModel.load(str(tiny_llama)).model).save_pretrained(directory)
    return directory


def test_an_adapter_changes_what_the_model_says_and_not_its_fingerprint(
    model, tiny_llama, adapter, tiny_models
):
    adapted = LocalModel.load(str(tiny_llama), adapter)
    assert adapted.fingerprint == model.fingerprint
    assert not adapted.model.training
    merged = tiny_models.adapt(LocalModel.load(str(tiny_llama)).model).merge_and_unload()
    by_hand = LocalModel(merged, model.tokenizer, "merged")
    (found,), (expected,), (before,) = (
        one.score([STORY], [ANSWERS]) for one in (adapted, by_hand, model)
    )  # fmt: skip
    assert [s.logprob for s in found] == pytest.approx([s.logprob for s in expected], abs=1e-3)
    assert max(abs(a.logprob - b.logprob) for a, b in zip(found, before, strict=True)) > 0.1
    assert adapted.generate([STORY], 5) == [naive_generate(adapted, STORY, 5)[0]]


def test_a_fingerprint_is_of_what_the_weights_compute(tiny_models):
    model, other = tiny_models.llama(), tiny_models.llama()
    other.config.pad_token_id, other.config.eos_token_id = 3, 4  # as trainers align it with a tokenizer
    assert model_fingerprint(other) == model_fingerprint(model)
    other.config.rms_norm_eps *= 2
    assert model_fingerprint(other) != model_fingerprint(model)


def test_fingerprints_with_and_without_adapter_and_after_saving(model, tiny_llama, tiny_models, tmp_path):
    fresh = tiny_models.llama()
    assert model_fingerprint(fresh) == model.fingerprint
    adapted = tiny_models.adapt(LocalModel.load(str(tiny_llama)).model)
    assert model_fingerprint(adapted) == model.fingerprint
    assert set(base_parameters(adapted)) == set(base_parameters(model.model))
    model.model.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    assert LocalModel.load(str(tmp_path)).fingerprint == model.fingerprint
    assert model_fingerprint(tiny_models.llama(seed=1)) != model.fingerprint
    assert model_fingerprint(tiny_models.llama(context=256)) != model.fingerprint


def test_a_text_longer_than_the_context_is_refused(model):
    long = "Emily walked to the garden. " * 100
    with pytest.raises(ModelError, match=r"more than the context of 512\. Shorten the prompts"):
        model.score([STORY, long], [[" yes"], [" yes"]])
    with pytest.raises(ModelError, match="more than the context of 512"):
        model.generate([STORY], 500)


def test_a_directory_without_weights_is_refused(tiny_llama, tmp_path):
    for file in tiny_llama.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, tmp_path)
    with pytest.raises(ModelError, match="no weights"):
        LocalModel.load(str(tmp_path))


def test_damaged_weights_are_refused(tiny_llama, tmp_path):
    directory = tmp_path / "damaged"
    shutil.copytree(tiny_llama, directory)
    weights = directory / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="loaded as a causal language model"):
        LocalModel.load(str(directory))


def test_a_directory_that_is_no_adapter_is_refused(tiny_llama, tmp_path):
    with pytest.raises(ModelError, match=r"there is no adapter_config.json here.*PEFT adapter directory"):
        LocalModel.load(str(tiny_llama), tmp_path)


def test_an_adapter_of_another_model_or_without_whole_weights_is_refused(tiny_models, adapter, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    other = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=320,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            pad_token_id=None,
        )
    )
    other.save_pretrained(tmp_path / "other")
    tiny_models.tokenizer().save_pretrained(tmp_path / "other")
    with pytest.raises(
        ModelError, match=r"cannot be loaded onto the model.*Give the model that it was trained on"
    ):
        LocalModel.load(str(tmp_path / "other"), adapter)
    shutil.copytree(adapter, tmp_path / "torn")
    weights = tmp_path / "torn" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    tiny_models.save(tmp_path / "llama")
    with pytest.raises(ModelError, match="adapter"):
        LocalModel.load(str(tmp_path / "llama"), tmp_path / "torn")


@pytest.mark.parametrize(
    ("layers", "fault"),
    [
        (1, r"the model has no place for its \S*layers\.1\.self_attn\.k_proj\.lora_A\S* \(and 7 more\)"),
        (3, r"it has no \S*layers\.2\.self_attn\.k_proj\.lora_A\S* \(and 7 more\)"),
    ],
)
def test_an_adapter_of_a_shallower_or_a_deeper_model_is_refused(
    tiny_models, adapter, tmp_path, layers, fault
):
    tiny_models.of_kind("Llama", num_hidden_layers=layers, num_key_value_heads=2).save_pretrained(tmp_path)
    tiny_models.tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=f"cannot be loaded onto the model: {fault}"):
        LocalModel.load(str(tmp_path), adapter)


def test_a_checkpoint_from_which_weights_are_missing_is_refused(tiny_models, tmp_path):
    from safetensors.torch import load_file, save_file

    tiny_models.save(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"the checkpoint has no model\.layers\.1\.mlp\.up_proj\.weight"):
        LocalModel.load(str(tmp_path))


def test_a_tokenizer_of_a_larger_vocabulary_than_the_model_is_refused(tiny_models, tmp_path):
    tiny_models.llama(vocabulary=319).save_pretrained(tmp_path)
    tiny_models.tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="the tokenizer has 320 tokens, and the model embeddings of 319"):
        LocalModel.load(str(tmp_path))


def test_tokens_added_to_a_tokenizer_do_not_count(tiny_models, tmp_path):
    tiny_models.llama().save_pretrained(tmp_path)
    tokenizer = tiny_models.tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<picture>"]})
    tokenizer.save_pretrained(tmp_path)
    assert len(LocalModel.load(str(tmp_path)).tokenizer) == 321


# -- batches ---------------------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 30), max_size=20),
    st.one_of(st.none(), st.integers(1, 60)),
    st.one_of(st.none(), st.integers(1, 5)),
)
def test_batches_hold_every_index_once_within_the_limits(lengths, tokens, sequences):
    found = batches_by_length(lengths, tokens, sequences)
    order = [index for batch in found for index in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[index] for index in order] == sorted(lengths, reverse=True)
    for batch in found:
        assert len(batch) == 1 or tokens is None or len(batch) * max(lengths[i] for i in batch) <= tokens
        assert sequences is None or len(batch) <= sequences
    for batch, following in pairwise(found):
        full = tokens is not None and (len(batch) + 1) * lengths[batch[0]] > tokens
        assert full or (sequences is not None and len(batch) == sequences), (batch, following)
