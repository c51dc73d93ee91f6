"""The memory's indexes: what they find, whatever way they were filled, and what is left on disk."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.learners.memory import index as module
from worldschool.learners.memory.index import Allowed, VectorIndex, kind_for

DIMENSION = 16


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 32)
    monkeypatch.setattr(module, "FEW", 20)


def unit(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(kind, vectors, cuts=()):
    index = VectorIndex("e", DIMENSION, kind)
    for part in np.split(vectors, sorted(cuts)):
        index.extend(part)
    return index


def exact(vectors, query, k, places):
    scores = vectors[places] @ query
    order = np.lexsort((places, -scores))[:k]
    return [int(places[at]) for at in order]


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    count=st.integers(0, 150),
    cuts=st.lists(st.integers(0, 150), max_size=4),
    k=st.integers(1, 12),
    seed=st.integers(0, 9),
)
def test_the_nearest_are_found_whatever_way_it_was_filled(kind, count, cuts, k, seed):
    vectors, query = unit(count, seed), unit(1, seed + 100)
    index = filled(kind, vectors, [cut for cut in cuts if cut < count])
    assert len(index) == count
    (found,) = index.search(query, k)
    # So small a graph is searched through.
    assert [place for place, _ in found] == exact(vectors, query[0], k, np.arange(count))
    assert [score for _, score in found] == pytest.approx(
        [float(vectors[at] @ query[0]) for at, _ in found], abs=1e-5
    )


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
@settings(deadline=None, derandomize=True, max_examples=25)
@given(share=st.floats(0, 1), k=st.integers(1, 12), seed=st.integers(0, 9))
def test_only_what_is_allowed_is_found(kind, share, k, seed):
    vectors, query = unit(150, seed), unit(3, seed + 100)
    places = np.flatnonzero(np.random.default_rng(seed).random(150) < share)
    found = filled(kind, vectors).search(query, k, Allowed(places, 150))
    assert [[place for place, _ in row] for row in found] == [exact(vectors, one, k, places) for one in query]


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_of_equals_the_oldest_are_found(kind):
    vectors = unit(4)[np.arange(120) % 4]
    index = filled(kind, vectors)
    (found,) = index.search(vectors[1:2], 3)
    assert [place for place, _ in found] == [1, 5, 9]
    (found,) = index.search(vectors[1:2], 3, Allowed(np.arange(50, 120), 120))
    assert [place for place, _ in found] == [53, 57, 61]


def test_a_graph_that_was_saved_and_gone_on_with_is_the_one_built_at_once(tmp_path):
    vectors = unit(200)
    filled("hnsw", vectors).save(tmp_path / "once", "d")
    index = filled("hnsw", vectors[:90])
    index.save(tmp_path / "part", "c")
    again, digest = VectorIndex.load(tmp_path / "part", "e", DIMENSION)
    assert digest == "c" and again.kind == "hnsw" and len(again) == 90
    again.extend(vectors[90:])
    again.save(tmp_path / "part", "d")
    for name in ("vectors.faiss", "tail.faiss", "index.json"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "once" / name).read_bytes()
    assert np.array_equal(again.vectors([0, 50, 199]), vectors[[0, 50, 199]])
    filled("flat", vectors).save(tmp_path / "part", "d")
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == ["index.json", "vectors.faiss"]


def test_what_is_damaged_or_of_another_embedder_is_not_loaded(tmp_path):
    filled("hnsw", unit(40)).save(tmp_path, "d")
    assert VectorIndex.load(tmp_path, "other", DIMENSION) is None
    assert VectorIndex.load(tmp_path, "e", DIMENSION + 1) is None
    description = json.loads((tmp_path / "index.json").read_text())
    for changed in ({"entries": 41}, {"schema": "x"}, {"kind": "flat"}, {"digest": None}):
        (tmp_path / "index.json").write_text(json.dumps(description | changed))
        assert VectorIndex.load(tmp_path, "e", DIMENSION) is None
    (tmp_path / "index.json").write_text(json.dumps(description))
    assert VectorIndex.load(tmp_path, "e", DIMENSION) is not None
    (tmp_path / "tail.faiss").unlink()
    assert VectorIndex.load(tmp_path, "e", DIMENSION) is None


def test_the_kind_goes_by_size_unless_it_is_named(monkeypatch):
    monkeypatch.setattr(module, "HNSW_FROM", 5)
    assert [kind_for("auto", n) for n in (0, 4, 5)] == ["flat", "flat", "hnsw"]
    assert kind_for("flat", 9) == "flat" and kind_for("hnsw", 0) == "hnsw"
