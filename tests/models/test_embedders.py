"""Embedders: unit rows, the same in every process, and pooling checked by hand on a tiny encoder."""

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.errors import ModelError
from worldschool.models.completions import KEY_VARIABLE
from worldschool.models.embedders import EMBEDDERS, HashingEmbedder, SentenceEncoder, make_embedder
from worldschool.models.served_embedder import EndpointEmbedder

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


# -- of the sentence-transformers package ----------------------------------------------------------------------------


def as_library_directory(encoder_directory, where, pooling, *more):
    """Copy an encoder into a directory as sentence-transformers writes it."""
    shutil.copytree(encoder_directory, where, dirs_exist_ok=True)
    kinds = ["Transformer", "Pooling", *more]
    modules = [
        {
            "idx": at,
            "name": str(at),
            "path": "" if at == 0 else f"{at}_{kind}",
            "type": f"sentence_transformers.models.{kind}",
        }
        for at, kind in enumerate(kinds)
    ]
    (where / "modules.json").write_text(json.dumps(modules))
    (where / "1_Pooling").mkdir(exist_ok=True)
    (where / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 16, **pooling}))
    return str(where)


MEAN = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
CLS = {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}


def test_a_directory_that_pools_by_the_mean_needs_no_package(
    encoder_directory, encoder, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    directory = as_library_directory(encoder_directory, tmp_path / "mean", MEAN, "Normalize")
    found = make_embedder(directory)
    assert isinstance(found, SentenceEncoder)
    assert np.array_equal(found.embed(["put it there"]), encoder.embed(["put it there"]))
    for where, pooling, more in (
        ("cls", CLS, ()),
        ("both", MEAN | {"pooling_mode_max_tokens": True}, ()),
        ("dense", MEAN, ("Dense",)),
    ):
        directory = as_library_directory(encoder_directory, tmp_path / where, pooling, *more)
        with pytest.raises(
            ModelError, match=rf"{where}: this embedder needs sentence-transformers.*pip install"
        ):
            make_embedder(directory)


def test_other_directories_are_read_by_the_package(encoder_directory, encoder, tmp_path):
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    directory = as_library_directory(encoder_directory, tmp_path / "cls", CLS)
    found = make_embedder(directory)
    assert found.name == f"sentence-transformers:{directory}" and found.dimension == 16
    vectors = found.embed(["put it there", "walk"])
    assert vectors.shape == (2, 16) and np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert not np.allclose(vectors, encoder.embed(["put it there", "walk"]), atol=1e-3)
    again = make_embedder(found.name)
    assert again.fingerprint == found.fingerprint and again.embed([]).shape == (0, 16)
    mean = as_library_directory(encoder_directory, tmp_path / "mean", MEAN)
    np.testing.assert_allclose(
        make_embedder(f"sentence-transformers:{mean}").embed(["walk"]), encoder.embed(["walk"]), atol=1e-5
    )


# -- behind a server -------------------------------------------------------------------------------------------------


class Embeddings(BaseHTTPRequestHandler):
    """POST /v1/embeddings as OpenAI's interface has it; the server's `faults` are answered first."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))
        if self.server.faults:
            status, answer = self.server.faults.pop(0)
        else:
            vectors = 3 * HashingEmbedder(8).embed(body["input"])  # of any length
            rows = [{"index": at, "embedding": row.tolist()} for at, row in enumerate(vectors)]
            status, answer = 200, {"data": rows[::-1]}
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv(KEY_VARIABLE, "sk-not-to-be-seen")
    with ThreadingHTTPServer(("127.0.0.1", 0), Embeddings) as running:
        running.faults, running.seen = [], []
        running.name = f"endpoint:http://127.0.0.1:{running.server_port}/v1#tiny"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_vectors_of_a_server_come_in_order_and_at_length_one(server):
    embedder = make_embedder(server.name)
    assert embedder.name == server.name and embedder.dimension == 8
    assert "sk-" not in embedder.fingerprint
    texts = [f"put the {number}th apple" for number in range(150)]
    np.testing.assert_allclose(embedder.embed(texts), HashingEmbedder(8).embed(texts), atol=1e-6)
    assert embedder.embed([]).shape == (0, 8)
    path, key, body = server.seen[-1]
    assert (path, key, body["model"]) == ("/v1/embeddings", "Bearer sk-not-to-be-seen", "tiny")
    assert [len(seen[2]["input"]) for seen in server.seen] == [1, 64, 64, 22]
    embedder.embed(["", "x" * 5000])
    assert [len(text) for text in server.seen[-1][2]["input"]] == [1, 2000]


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ((404, {"error": {"message": "no such model"}}), "HTTP 404: no such model.*usually ends in /v1"),
        ((401, {"error": "wrong key sk-not-to-be-seen"}), r"HTTP 401: wrong key \*\*\*.*WORLDSCHOOL_API_KEY"),
        ((200, {"data": []}), "1 prompts were sent and 0 answers came"),
        ((200, {"choices": []}), "not that of an embeddings server"),
        ((200, {"data": [{"index": 0, "embedding": "abc"}]}), "no lists of numbers"),
        ((200, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]}), "not all vectors have 8 numbers"),
        ((200, {"data": [{"index": 0, "embedding": [0.0] * 8}]}), "a vector is zero or no number"),
    ],
)  # fmt: skip
def test_a_server_that_answers_otherwise_is_told(server, fault, match):
    embedder = make_embedder(server.name)
    server.faults.append(fault)
    with pytest.raises(ModelError, match=match) as told:
        embedder.embed(["apple"])
    assert "sk-not" not in str(told.value)


def test_a_server_that_is_busy_is_asked_again_and_one_that_is_not_there_is_named(server):
    waited = []
    embedder = EndpointEmbedder(server.name, sleep=waited.append)
    server.faults += [(503, {}), (429, {})]
    assert embedder.embed(["apple"]).shape == (1, 8) and waited == [1.0, 2.0]
    with pytest.raises(ModelError, match="does not name a server's model"):
        make_embedder("endpoint:nowhere")
    with pytest.raises(ModelError, match=r"127.0.0.1:1/v1: .*tried 5 times"):
        EndpointEmbedder("endpoint:http://127.0.0.1:1/v1#m", sleep=waited.append)
