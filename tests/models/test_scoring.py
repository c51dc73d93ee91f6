"""Perplexity against one token at a time."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.errors import ModelError
from worldschool.models.language import LocalModel
from worldschool.models.scoring import text_loss, windows

LONG = "Emily walked to the kitchen and put the apple in the fridge. " * 8
DOCUMENTS = [LONG, "A short one.", "Zoë saw the naïve phone.", "x", ""]


@pytest.fixture(scope="module")
def model(tiny_llama):
    return LocalModel.load(str(tiny_llama))


@torch.inference_mode()
def naive(model, document, window):
    """Return (nll, tokens), each token predicted from what precedes it since the last cut."""
    ids = model.tokenizer(document)["input_ids"]
    total = 0.0
    for at in range(1, len(ids)):
        start = (at - 1) // (window - 1) * (window - 1)
        logits = model.model(input_ids=torch.tensor([ids[start:at]])).logits[0, -1].float()
        total -= logits.log_softmax(-1)[ids[at]].item()
    return total, max(len(ids) - 1, 0)


@pytest.mark.parametrize("window", [2, 5, 512])
def test_every_token_is_predicted_once_from_its_window(model, window):
    documents = [LONG[:150], *DOCUMENTS[1:]]
    found = text_loss(model, documents, window)
    expected = [naive(model, document, window) for document in documents]
    assert found.nll == pytest.approx([nll for nll, _ in expected], abs=1e-3)
    assert found.tokens == tuple(tokens for _, tokens in expected)
    assert found.bytes == tuple(len(document.encode()) for document in documents)


@pytest.mark.parametrize("window", range(2, 40, 3))
def test_windows_lose_no_token(model, window):
    lengths = [len(model.tokenizer(document)["input_ids"]) for document in DOCUMENTS]
    found = text_loss(model, DOCUMENTS, window)
    assert found.tokens == tuple(max(length - 1, 0) for length in lengths)


def test_documents_do_not_see_each_other(model):
    together = text_loss(model, [LONG, DOCUMENTS[1], DOCUMENTS[2]], 16)
    alone = [text_loss(model, [document], 16) for document in (LONG, DOCUMENTS[1], DOCUMENTS[2])]
    assert together.nll == pytest.approx([one.nll[0] for one in alone], abs=1e-4)
    joined = text_loss(model, [DOCUMENTS[1] + DOCUMENTS[2]], 16)
    assert sum(joined.tokens) == sum(together.tokens[1:]) + 1


def test_perplexity_and_bits_per_byte(model):
    found = text_loss(model, DOCUMENTS, 16)
    total = sum(naive(model, document, 16)[0] for document in DOCUMENTS)
    tokens = sum(len(model.tokenizer(document)["input_ids"]) - 1 for document in DOCUMENTS if document)
    assert found.perplexity == pytest.approx(math.exp(total / tokens), rel=1e-4)
    assert found.bits_per_byte == pytest.approx(
        total / math.log(2) / len("".join(DOCUMENTS).encode()), rel=1e-4
    )


def test_a_window_is_no_longer_than_the_models_context(tiny_models):
    model = LocalModel(tiny_models.llama(context=12), tiny_models.tokenizer(), "short")
    assert text_loss(model, [LONG], 512).nll == pytest.approx(text_loss(model, [LONG], 12).nll, abs=1e-4)
    assert text_loss(model, [LONG], 512).nll[0] != pytest.approx(
        text_loss(model, [LONG], 11).nll[0], abs=1e-4
    )


def test_an_adapter_counts(tiny_llama, tiny_models, model):
    adapted = LocalModel(
        tiny_models.adapt(LocalModel.load(str(tiny_llama)).model), model.tokenizer, "adapted"
    )
    assert adapted.fingerprint == model.fingerprint
    assert abs(text_loss(adapted, [LONG]).nll[0] - text_loss(model, [LONG]).nll[0]) > 0.1
    assert text_loss(adapted, [LONG[:80]], 9).nll[0] == pytest.approx(
        naive(adapted, LONG[:80], 9)[0], abs=1e-3
    )


def test_progress_counts_every_document(model):
    done = []
    text_loss(model, DOCUMENTS, 16, advance=lambda n=1, note="": done.append(n))
    assert sum(done) == len(DOCUMENTS)


@pytest.mark.parametrize(("window", "stride"), [(16, 15), (16, 8), (16, 1), (7, 3), (512, 64), (2, 1)])
def test_perplexity_is_that_of_a_few_lines_over_the_models_logits(tiny_llama, model, window, stride):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
    network = AutoModelForCausalLM.from_pretrained(tiny_llama).eval()
    total = tokens = 0
    for document in DOCUMENTS:
        ids = tokenizer(document, return_tensors="pt")["input_ids"]
        before = 0
        for start in range(0, ids.shape[1], stride):
            end = min(start + window, ids.shape[1])
            labels = ids[:, start:end].clone()
            labels[:, : max(before - start, 1)] = -100  # counted already, or the first of the document
            with torch.no_grad():
                logits = network(ids[:, start:end].long()).logits
            total += torch.nn.functional.cross_entropy(
                logits[0, :-1], labels[0, 1:], ignore_index=-100, reduction="sum"
            ).item()
            tokens += int((labels[0, 1:] != -100).sum())
            before = end
            if end == ids.shape[1]:
                break
    found = text_loss(model, DOCUMENTS, window, stride=stride)
    assert sum(found.tokens) == tokens == sum(len(tokenizer(d)["input_ids"]) - 1 for d in DOCUMENTS if d)
    assert found.perplexity == pytest.approx(math.exp(total / tokens), rel=1e-4)
    size = sum(len(document.encode()) for document in DOCUMENTS)
    assert found.bits_per_byte == pytest.approx(total / math.log(2) / size, rel=1e-4)


def test_overlap_gives_every_token_more_context(model):
    alone = text_loss(model, [LONG], 24)
    overlapping = text_loss(model, [LONG], 24, stride=4)
    assert overlapping.tokens == alone.tokens
    assert overlapping.nll != pytest.approx(alone.nll, abs=1e-2)
    assert overlapping.nll != pytest.approx(text_loss(model, [LONG], 512).nll, abs=1e-2)


@given(st.integers(0, 60), st.integers(2, 20), st.data())
@settings(deadline=None, derandomize=True)
def test_windows_count_every_token_but_the_first_once(length, window, data):
    stride = data.draw(st.integers(1, window - 1))
    tokens = list(range(length))
    counted = []
    for number, (piece, new) in enumerate(windows(tokens, window, stride)):
        assert len(piece) <= window and new < max(len(piece), 1)
        assert number == 0 or len(piece) - new >= window - stride
        counted += piece[len(piece) - new :]
    assert counted == tokens[1:]


@pytest.mark.parametrize("stride", [0, 16, 40])
def test_a_stride_that_does_not_fit_the_window_is_refused(model, stride):
    with pytest.raises(ModelError, match=f"windows of 16 tokens cannot begin {stride} tokens apart"):
        text_loss(model, [LONG], 16, stride=stride)


def test_a_loss_that_is_no_number_is_refused(tiny_models):
    broken = LocalModel(tiny_models.llama(), tiny_models.tokenizer(), "broken")
    with torch.no_grad():
        broken.model.get_output_embeddings().weight[5] = float("nan")
    with pytest.raises(ModelError, match="broken: the loss of document 1 is nan"):
        text_loss(broken, ["", LONG])
