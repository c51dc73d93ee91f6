"""Decoding among given answers, against a loop that forbids every other token."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.models.constrained import walk
from worldschool.models.language import LocalModel
from worldschool.models.likelihood import ScoredTokens
from worldschool.models.packing import common_prefix

STORY = (
    "Emily was in the kitchen. Emily put the phone on the desk. Question: Where is the phone now?\nAnswer:"
)
ANSWERS = [" kitchen\n", " kitchen desk\n", " kit\n", " home office\n", " home\n", " naïve\n", " the desk\n"]


@pytest.fixture(scope="module", params=[0, 1, 2, 3])
def model(tiny_models, request):
    return LocalModel(tiny_models.llama(seed=request.param), tiny_models.tokenizer(), "tiny")


@torch.inference_mode()
def written(model, prompt, candidates):
    """Return the index of what a greedy loop writes that may only continue a candidate."""
    head = model.tokenizer(prompt)["input_ids"]
    wholes = [model.tokenizer(prompt + candidate)["input_ids"] for candidate in candidates]
    ids = head[: common_prefix([head, *wholes])]  # without what joins one of the candidates
    while ids not in wholes:
        allowed = {whole[len(ids)] for whole in wholes if whole[: len(ids)] == ids and len(whole) > len(ids)}
        logits = model.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
        ids.append(max(sorted(allowed), key=lambda token: logits[token].item()))
    return wholes.index(ids)


@settings(deadline=None, derandomize=True, max_examples=10)
@given(
    st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=7, unique=True),
    st.sampled_from(["", "Zoë said: "]),
)
def test_choosing_is_the_greedy_loop_that_may_only_write_candidates(model, candidates, before):
    prompts = [before + STORY, STORY + " kitchen\n" + STORY]
    assert model.choose(prompts, [candidates, candidates]) == [
        written(model, prompt, candidates) for prompt in prompts
    ]


def test_candidates_that_join_the_prompts_last_token(model):
    prompt, candidates = "Emily walked to the kit", ["chen.\n", " and\n", "chen and\n", "ten\n"]
    assert len({len(model.encode_pair(prompt, candidate)[0]) for candidate in candidates}) > 1
    for some in (candidates, candidates[::-1], candidates[1:]):
        assert model.choose([prompt], [some]) == [written(model, prompt, some)]


def test_greedy_choice_is_not_the_likeliest_whole_candidate():
    one, two, three = (
        ScoredTokens((1, 9), (-1.0, -0.1)),
        ScoredTokens((2, 3, 9), (-0.7, -5.0, 0.0)),
        ScoredTokens((2, 4, 9), (-0.7, -4.0, 0.0)),
    )
    assert walk([one, two, three]) == 2  # -4.7 in all, where the first has -1.1
    assert walk([one]) == 0


def test_the_earlier_of_equally_likely_tokens_is_taken():
    same = [ScoredTokens((token, 9), (-1.0, -0.1)) for token in (5, 3, 4)]
    assert walk(same) == 0
    assert walk(same[1:]) == 0
    assert walk([same[0], same[0]]) == 0


def test_there_must_be_candidates():
    with pytest.raises(ValueError, match="no candidates"):
        walk([])
