"""The ranking: against a plain computation of the same formula, and on disk."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.shop.search.analyzer import terms_of
from worldschool.envs.shop.search.bm25 import ARRAYS, BM25Index, kept_length
from worldschool.errors import WorldError

WORDS = ["candle", "lavender", "soy", "lamp", "red", "blue", "desk", "the"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join), min_size=1, max_size=12)
QUERIES = st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=5).map(" ".join)
one = np.float32(1)


def plain_ranking(texts, ids, query):
    """Every document's score by the formula, one after the other: (id, score), best first."""
    documents = [Counter(terms_of(text)) for text in texts]
    lengths = [sum(document.values()) for document in documents]
    average = np.float32(sum(lengths) / len(lengths)) if sum(lengths) else one
    found = []
    for asin, document, length in zip(ids, documents, lengths, strict=True):
        total, matches = 0.0, False
        for term, times in Counter(terms_of(query)).items():
            if document[term]:
                holding = sum(1 for other in documents if other[term])
                idf = np.float32(math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5)))
                weight = np.float32(times) * idf
                share = np.float32(0.9) * (
                    (one - np.float32(0.4)) + np.float32(0.4) * np.float32(kept_length(length)) / average
                )
                total += weight - weight / (one + np.float32(document[term]) * (one / share))
                matches = True
        if matches:
            found.append((asin, np.float32(total)))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


@given(TEXTS, QUERIES, st.randoms(use_true_random=False), st.integers(1, 15))
@settings(max_examples=150, deadline=None)
def test_the_ranking_is_that_of_the_formula(texts, query, random, limit):
    ids = [f"B{number:03d}" for number in range(len(texts))]
    random.shuffle(ids)
    index = BM25Index.build(texts, ids)
    documents, scores = index.ranked(query, limit)
    found = [ids[row] for row in index.rows[documents].tolist()]
    expected = plain_ranking(texts, ids, query)[:limit]
    assert scores.tolist() == pytest.approx([score for _, score in expected], rel=1e-5)
    assert found == [asin for asin, _ in expected] or _ties(scores)
    assert index.search(query, limit).tolist() == index.rows[documents].tolist()


def _ties(scores):
    """Whether scores are so close that the order of additions decides."""
    return bool(np.any(np.abs(np.diff(scores)) < 1e-5))


def test_equal_products_come_in_the_order_of_their_ids():
    index = BM25Index.build(["red lamp"] * 4, ["D", "B", "C", "A"])
    assert index.search("lamp").tolist() == [3, 1, 2, 0]
    assert index.search("lamp", 2).tolist() == [3, 1]


def test_a_repeated_word_counts_again():
    index = BM25Index.build(["red lamp", "blue lamp", "blue desk"], ["A", "B", "C"])
    once, twice = (index.ranked(query)[1][0] for query in ("desk", "desk desk"))
    assert twice == pytest.approx(2 * once)


@pytest.mark.parametrize("query", ["", "the", "sofa", " \n", "'"])
def test_a_query_without_known_words_finds_nothing(query):
    assert BM25Index.build(["red lamp"], ["A"]).search(query).tolist() == []


@pytest.mark.parametrize("texts", [[""], ["", "the of"], ["", "lamp"]])
def test_products_without_words_can_be_indexed(texts):
    index = BM25Index.build(texts, [f"A{number}" for number in range(len(texts))])
    assert index.search("lamp").tolist() == ([1] if "lamp" in texts else [])


@pytest.mark.parametrize(
    ("length", "kept"),
    [
        (0, 0),
        (1, 1),
        (39, 39),
        (40, 40),
        (41, 40),
        (42, 42),
        (55, 54),
        (56, 56),
        (59, 56),
        (60, 60),
        (100, 96),
        (1000, 984),
    ],
)
def test_lengths_are_kept_as_lucenes_byte_keeps_them(length, kept):
    assert kept_length(length) == kept


@given(st.integers(0, 1 << 30))
def test_a_kept_length_is_never_longer_and_is_kept_as_itself(length):
    kept = kept_length(length)
    assert kept <= length <= max(kept + 1, kept * 1.13)
    assert kept_length(kept) == kept


# -- on disk ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def index():
    return BM25Index.build(
        ["red lamp for the desk", "blue lamp", "soy candle", "東京 lamp"], ["C", "B", "A", "D"]
    )


def test_a_saved_index_finds_the_same_and_is_mapped(index, tmp_path):
    index.save(tmp_path / "index")
    opened = BM25Index.open(tmp_path / "index")
    for query in ("lamp", "red lamp", "candle", "東", "sofa"):
        assert opened.search(query).tolist() == index.search(query).tolist()
    assert len(opened) == 4
    assert isinstance(opened.documents, np.memmap)


FILES = ["index.json", "terms.txt", *(f"{name}.npy" for name in ARRAYS)]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["emptied", "cut", "gone"])
def test_a_damaged_index_is_told(index, tmp_path, name, damage):
    index.save(tmp_path / "index")
    path = tmp_path / "index" / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2] if damage == "cut" else b"")
    with pytest.raises(WorldError, match="no search index of format.*Remove the folder"):
        BM25Index.open(tmp_path / "index")


def test_an_index_of_another_format_is_told(index, tmp_path):
    index.save(tmp_path / "index")
    path = tmp_path / "index" / "index.json"
    path.write_text(path.read_text("utf-8").replace("shop-index/1", "shop-index/9"), "utf-8")
    with pytest.raises(WorldError, match="shop-index/9"):
        BM25Index.open(tmp_path / "index")
