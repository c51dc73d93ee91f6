"""Scores behind a growing prompt are those of the whole prompt, and little of it is computed again."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worldschool.errors import ModelError
from worldschool.models.growing import GrowingPrompt
from worldschool.models.language import LocalModel, load_model
from worldschool.models.token_tree import TokenTree

ACTIONS = [" walk to the fridge", " walk to the table", " grab the apple"]
TURN = "Seen: the apple is on the table.\nAction: walk to the table\n"


@pytest.fixture(scope="module")
def model(tiny_llama):
    return load_model(str(tiny_llama), None, "float32")


def same(one, other):
    assert [(a.tokens, a.bytes) for a in one] == [(b.tokens, b.bytes) for b in other]
    assert [a.logprob for a in one] == pytest.approx([b.logprob for b in other], abs=1e-4)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=6))
def test_scores_are_those_of_the_whole_prompt_whatever_was_asked_before(model, asked):
    growing = GrowingPrompt(model)
    for turns, start in asked:  # prompts that grow, shrink, and begin otherwise
        prompt = f"Goal {start}: apple\n{TURN * turns}Action:"
        same(growing.score(prompt, ACTIONS), model.score([prompt], [ACTIONS])[0])


def test_only_what_is_new_is_computed_and_the_same_calls_give_the_same_numbers(model):
    prompts = [f"Goal: apple\n{TURN * turns}Action:" for turns in range(5)]
    growing = GrowingPrompt(model)
    first = [growing.score(prompt, ACTIONS) for prompt in prompts]
    lengths = model.count_tokens(prompts)
    behind = TokenTree.of([model.encode([action])[0] for action in ACTIONS])
    assert lengths[-1] < growing.computed < lengths[-1] + 5 * (5 + len(behind.tokens)) < sum(lengths) + 40
    model.score(["Something else entirely."], [ACTIONS])
    again = GrowingPrompt(model)
    assert [again.score(prompt, ACTIONS) for prompt in prompts] == first


def test_a_cache_that_slides_is_not_cut_but_computed_again(model, monkeypatch):
    growing = GrowingPrompt(model)
    prompt = f"Goal: apple\n{TURN}Action:"
    growing.score(prompt, ACTIONS)
    monkeypatch.setattr(type(growing._cache.layers[0]), "is_sliding", True)
    for text in (prompt, prompt + TURN):
        same(growing.score(text, ACTIONS), model.score([text], [ACTIONS])[0])
        assert growing._cache is None


def test_what_cannot_be_scored_is_told(model, tiny_llama):
    with pytest.raises(ModelError):
        GrowingPrompt(model).score("", ACTIONS)
    growing = GrowingPrompt(model)
    with pytest.raises(ModelError, match="tokens"):
        growing.score(TURN * 4000, ACTIONS)
    same(growing.score("Action:", ACTIONS), model.score(["Action:"], [ACTIONS])[0])
    assert isinstance(model, LocalModel)


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=5), st.integers(1, 4)
)
def test_a_node_sees_what_is_before_the_tree_what_is_above_it_and_itself(sequences, before):
    tree = TokenTree.of(sequences)
    assert len(tree.tokens) == len({tuple(one[: n + 1]) for one in sequences for n in range(len(one))})
    seen = tree.visible(before, kept := before - 1)
    assert seen.shape == (1 + len(tree.tokens), before + len(tree.tokens))
    assert seen[0].tolist() == [True] * before + [False] * len(tree.tokens)
    for sequence, path in zip(sequences, tree.paths, strict=True):
        assert [tree.tokens[node] for node in path] == sequence
        for number, node in enumerate(path):
            above = seen[before - kept + node].nonzero()[:, 0].tolist()
            assert above == [*range(before), *sorted(before + one for one in path[: number + 1])]
            assert tree.depths[node] == number
