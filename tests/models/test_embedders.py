"""Embedders: unit rows, the same in every process, and pooling checked by hand on a tiny encoder."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.errors import ModelError
from worldschool.models.embedders import EMBEDDERS, HashingEmbedder, SentenceEncoder, make_embedder

WORDS = ["put", "the", "apple", "in", "fridge", "walk", "to", "kitchen", "a"]


@pytest.fixture(scope="module")
def encoder_directory(tmp_path_factory):
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    directory = tmp_path_factory.mktemp("encoder")
    vocabulary = directory / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=14,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(directory)
    BertTokenizerFast(str(vocabulary)).save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def encoder(encoder_directory):
    return SentenceEncoder(str(encoder_directory))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.text(), max_size=8), st.integers(1, 64))
def test_hashed_rows_have_unit_length(texts, dimension):
    vectors = HashingEmbedder(dimension).embed(texts)
    assert vectors.shape == (len(texts), dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_hashing_knows_words_and_their_order():
    base, far, swapped, same = HashingEmbedder().embed(
        [
            "put the apple in the fridge",
            "open window",
            "fridge the in apple the put",
            "Put the APPLE in the fridge!",
        ]
    )
    assert np.array_equal(base, same)
    assert abs(base @ far) < 0.2 < base @ swapped < 0.99


def test_hashing_is_the_same_in_every_process():
    script = (
        "from worldschool.models.embedders import HashingEmbedder;"
        "print(HashingEmbedder().embed(['Put the apple on the table', '']).tobytes().hex())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = HashingEmbedder().embed(["Put the apple on the table", ""])
    assert outputs == {f"{here.tobytes().hex()}\n"}
    assert here[1, 0] == 1.0


def test_hashing_is_as_it_was():
    # Stored memories rest on these places; another scheme needs another fingerprint.
    (vector,) = HashingEmbedder(8).embed(["apple"])
    assert vector.tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    assert HashingEmbedder(8).fingerprint == "hashing/1/8"


def test_no_texts_give_no_rows(encoder):
    assert HashingEmbedder(5).embed([]).shape == (0, 5)
    assert encoder.embed([]).shape == (0, 16)


def test_pooling_is_the_mean_over_real_tokens(encoder, encoder_directory):
    import torch
    from transformers import AutoModel, AutoTokenizer

    texts = ["put the apple in the fridge", "walk"]
    model = AutoModel.from_pretrained(encoder_directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(encoder_directory)
    for text, row in zip(texts, encoder.embed(texts), strict=True):
        with torch.no_grad():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
        mean = sum(hidden[i] for i in range(len(hidden))) / len(hidden)
        np.testing.assert_allclose(row, mean / np.sqrt((mean**2).sum()), atol=1e-6)


def test_rows_come_back_in_order(encoder, monkeypatch):
    monkeypatch.setattr(SentenceEncoder, "TEXTS_PER_BATCH", 3)
    texts = [" ".join(WORDS[: 1 + (7 * i) % 9]) for i in range(10)]
    together = encoder.embed(texts)
    np.testing.assert_allclose(together, [encoder.embed([text])[0] for text in texts], atol=1e-6)
    np.testing.assert_allclose(together[::-1], encoder.embed(texts[::-1]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)


def test_long_texts_are_cut(encoder):
    # 32 positions: [CLS], 30 words, [SEP].
    cut, longer = encoder.embed(["apple " * 30, "apple " * 500])
    np.testing.assert_allclose(cut, longer, atol=1e-6)


def test_fingerprint_follows_the_weights(encoder, encoder_directory, tmp_path):
    import shutil

    from safetensors.numpy import load_file, save_file

    shutil.copytree(encoder_directory, tmp_path / "other")
    weights = load_file(tmp_path / "other" / "model.safetensors")
    weights["embeddings.word_embeddings.weight"] *= 2
    save_file(weights, tmp_path / "other" / "model.safetensors", metadata={"format": "pt"})
    assert SentenceEncoder(str(encoder_directory)).fingerprint == encoder.fingerprint
    assert SentenceEncoder(str(tmp_path / "other")).fingerprint != encoder.fingerprint


def test_embedders_are_made_by_name(encoder_directory, tmp_path, monkeypatch):
    assert make_embedder("hashing").name == "hashing"
    assert set(EMBEDDERS) == {"hashing", "minilm"}
    monkeypatch.chdir(encoder_directory.parent)
    assert make_embedder(f"./{encoder_directory.name}").name == str(encoder_directory)
    with pytest.raises(ModelError, match="no such directory"):
        make_embedder(str(tmp_path / "nowhere"))
