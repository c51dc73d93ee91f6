"""Perplexity against one token at a time."""

import math

import pytest
import torch

from worldschool.models.language import LocalModel
from worldschool.models.scoring import text_loss

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


def test_progress_counts_every_window(model):
    done = []
    text_loss(model, DOCUMENTS, 16, advance=lambda n=1, note="": done.append(n))
    windows = [max(1, math.ceil((len(model.tokenizer(d)["input_ids"]) - 1) / 15)) for d in DOCUMENTS]
    assert sum(done) == sum(windows)
