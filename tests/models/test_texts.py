"""General texts: what is in them, what is not shared between them, and what is drawn from the model."""

import importlib.resources
import re

import pytest
import torch

from worldschool.errors import UserError
from worldschool.models.language import LocalModel
from worldschool.models.texts import DOCUMENT_MARK, PROSE, Text, chunks, load_text, sample_texts


@pytest.fixture(scope="module")
def model(tiny_llama):
    return LocalModel.load(str(tiny_llama))


def word_runs(documents, length):
    found = set()
    for document in documents:
        words = re.findall(r"[a-z0-9']+", document.lower())
        found |= {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}
    return found


def test_the_halves_of_pydoc_share_nothing_and_leave_nothing_out():
    from pydoc_data.topics import topics

    whole, fisher, heldout = (load_text(name) for name in ("pydoc", "pydoc:fisher", "pydoc:heldout"))
    assert not set(fisher.documents) & set(heldout.documents)
    assert sorted(fisher.documents + heldout.documents) == sorted(whole.documents)
    assert sorted(whole.documents) == sorted(topic for topic in topics.values() if topic.strip())
    sizes = [sum(map(len, half.documents)) for half in (fisher, heldout)]
    assert min(sizes) > 100_000
    assert len({one.fingerprint for one in (whole, fisher, heldout)}) == 3


def test_prose_is_documents_of_real_size():
    prose = load_text("prose")
    assert sum(len(document.encode()) for document in prose.documents) >= 40_000
    files = [
        (importlib.resources.files("worldschool.models") / "prose" / name).read_text(encoding="utf-8")
        for name in PROSE["prose"]
    ]
    marks = sum(text.splitlines().count(DOCUMENT_MARK) for text in files)
    assert len(prose.documents) == marks + len(files) > 30
    for document in prose.documents:
        assert document == document.strip()
        assert DOCUMENT_MARK not in document.splitlines()
    words = sum(len(re.findall(r"\w+", text)) for text in files)
    assert sum(len(re.findall(r"\w+", document)) for document in prose.documents) == words


def test_prose_shares_no_run_of_eight_words_with_pydoc():
    prose = word_runs(load_text("prose").documents, 8)
    pydoc = word_runs(load_text("pydoc").documents, 8)
    assert len(prose) > 5000 < len(pydoc)
    assert not prose & pydoc


def test_the_prose_for_choosing_settings_shares_nothing_with_the_prose_that_is_scored():
    chosen_on = load_text("prose:validation")
    assert len(chosen_on.documents) == 6
    assert len(word_runs(chosen_on.documents, 6)) > 1000
    assert not word_runs(chosen_on.documents, 6) & word_runs(load_text("prose").documents, 6)


def test_files_and_directories(tmp_path):
    (tmp_path / "b.txt").write_text("second é")
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "blank.txt").write_text(" \n")
    (tmp_path / "c.md").write_text("no text file")
    assert load_text(str(tmp_path)).documents == ("first", "second é")
    assert load_text(str(tmp_path / "b.txt")) == Text(str(tmp_path / "b.txt"), ("second é",))


def test_a_fingerprint_depends_on_the_documents_alone():
    assert Text("x", ("ab", "c")).fingerprint == Text("y", ("ab", "c")).fingerprint
    assert len({Text("x", d).fingerprint for d in (("ab", "c"), ("a", "bc"), ("c", "ab"), ("abc",))}) == 4


@pytest.mark.parametrize("name", ["pydoc:other", "no/such/file.txt"])
def test_an_unknown_text_is_refused(name):
    with pytest.raises(
        UserError, match=rf'^{name}: there is no such text\. Give a .txt file.*"pydoc:fisher"'
    ):
        load_text(name)


def test_texts_without_words_or_encoding_are_refused(tmp_path):
    with pytest.raises(UserError, match="there is no text in it"):
        load_text(str(tmp_path))
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        load_text(str(tmp_path / "latin.txt"))
    (tmp_path / "latin.txt").write_text("\n")
    with pytest.raises(UserError, match="there is no text in it"):
        load_text(str(tmp_path / "latin.txt"))


def test_chunks_are_whole_pieces_of_one_document(model):
    documents = ["Emily walked to the kitchen. " * 9, "short", "The apple is on the desk. " * 7]
    ids = [model.tokenizer(document)["input_ids"] for document in documents]
    everything = chunks(model.tokenizer, documents, 10, 1000, seed=0)
    assert everything == [one[at : at + 10] for one in ids for at in range(0, len(one) - 9, 10)]
    drawn = chunks(model.tokenizer, documents, 10, 4, seed=0)
    assert len(drawn) == 4 and all(piece in everything for piece in drawn)
    assert drawn == chunks(model.tokenizer, documents, 10, 4, seed=0)
    assert len({str(chunks(model.tokenizer, documents, 10, 4, seed)) for seed in range(5)}) > 1


def test_sampled_texts_are_seeded_and_leave_the_global_generator_alone(model):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = sample_texts(model.model, model.tokenizer, 6, 12, seed=5)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    assert sample_texts(model.model, model.tokenizer, 6, 12, seed=5) == first
    assert sample_texts(model.model, model.tokenizer, 6, 12, seed=6) != first
    assert [len(text) for text in first] == [12] * 6
    assert len({tuple(text) for text in first}) == 6


@torch.inference_mode()
def test_sampled_texts_are_likely_under_the_model_without_a_cache(model):
    for text in sample_texts(model.model, model.tokenizer, 4, 10, seed=0):
        logits = model.model(input_ids=torch.tensor([text]), use_cache=False).logits[0].float()
        for at in range(1, len(text)):
            rank = int((logits[at - 1] > logits[at - 1, text[at]]).sum())
            assert rank < 50, f"token {at} is not among the 50 likeliest"
