"""Packed rows: the logits of the separate sequences, and what common_prefix promises."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.models.packing import collate, common_prefix, pack

TOKEN = st.integers(1, 39)
SHAPES = st.lists(
    st.tuples(
        st.lists(TOKEN, min_size=1, max_size=9),
        st.lists(st.lists(TOKEN, max_size=6), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=3,
)


@pytest.fixture(scope="module")
def model(tiny_models):
    return tiny_models.llama(vocabulary=40)


@torch.inference_mode()
def packed_logits(model, rows, pad=0):
    batch = collate(rows, pad)
    return model(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        position_ids=batch.position_ids,
        use_cache=False,
    ).logits


@settings(deadline=None, derandomize=True, max_examples=40)
@given(SHAPES, st.integers(0, 39))
def test_packed_logits_are_those_of_the_separate_sequences(model, shapes, pad):
    rows = [pack(prefix, continuations) for prefix, continuations in shapes]
    logits = packed_logits(model, rows, pad)
    assert torch.isfinite(logits).all()
    for row, (prefix, continuations), found in zip(rows, shapes, logits, strict=True):
        for start, continuation in zip(row.starts, continuations, strict=True):
            with torch.inference_mode():
                expected = model(input_ids=torch.tensor([prefix + continuation])).logits[0]
            own = [*range(len(prefix)), *range(start, start + len(continuation))]
            torch.testing.assert_close(found[own], expected, atol=1e-4, rtol=1e-4)


def test_the_check_above_sees_a_continuation_that_looks_at_its_neighbour(model):
    rows = [pack([1, 2, 3], [[4, 5], [6, 7]])]
    batch = collate(rows, 0)
    leaking = torch.ones_like(batch.attention_mask).tril()
    with torch.inference_mode():
        right = packed_logits(model, rows)
        wrong = model(
            input_ids=batch.input_ids, attention_mask=leaking, position_ids=batch.position_ids
        ).logits
    assert (right[0, 5:] - wrong[0, 5:]).abs().max() > 0.01


def test_the_layout_of_a_row():
    row = pack([7, 8], [[1, 2, 3], [], [4]])
    assert row.tokens == (7, 8, 1, 2, 3, 4)
    assert row.positions == (0, 1, 2, 3, 4, 2)
    assert row.segments == (0, 0, 1, 1, 1, 3)
    assert row.starts == (2, 5, 5)
    assert len(row) == 6


def test_padding_is_seen_by_no_token_and_no_mask_row_is_empty():
    batch = collate([pack([1, 2, 3], [[4]]), pack([1], [[2]])], pad=9)
    assert batch.input_ids[1].tolist() == [1, 2, 9, 9]
    mask = batch.attention_mask[1, 0]
    assert not mask[:2, 2:].any()
    assert mask.any(dim=1).all()


def test_an_empty_prefix_is_refused():
    with pytest.raises(ValueError, match="prefix is empty"):
        pack([], [[1]])


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 2), max_size=6), st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=5))
def test_common_prefix_is_the_longest(start, rests):
    sequences = [start + rest for rest in rests]
    found = common_prefix(sequences)
    if not sequences:
        assert found == 0
        return
    assert found >= len(start)
    assert all(sequence[:found] == sequences[0][:found] for sequence in sequences)
    longer = {tuple(sequence[: found + 1]) for sequence in sequences}
    assert len(longer) > 1 or min(map(len, sequences)) == found


def test_common_prefix_takes_lists_and_tuples_together():
    assert common_prefix([[1, 2, 3], (1, 2), (1, 2, 4)]) == 2
    assert common_prefix([[1], []]) == 0
