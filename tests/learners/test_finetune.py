"""Rows and loss of fine-tuning, against one example at a time; what a run reads."""

import dataclasses
import itertools
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import worldschool.configs
from worldschool.config import load_config
from worldschool.errors import ConfigError, DatasetError
from worldschool.learners.finetune import loss
from worldschool.learners.finetune.arguments import training_arguments
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.finetune.data import SHARED_TOKENS_MINIMUM, build_rows, text_row
from worldschool.learners.finetune.retaining import Remembering
from worldschool.learners.finetune.run import select_examples
from worldschool.learners.finetune.trainer import Trainer
from worldschool.records import Example

CONFORMANCE = os.environ.get("WORLDSCHOOL_CONFORMANCE_DATA")
STORIES = [
    "Emily was in the kitchen. Emily picked up the phone from the counter. Emily put the phone on the desk.\n",
    "The apple is on the desk. Emily walked to the garden. Emily put the apple in the phone. Emily was there.\n",
    "Another one.\n",
]
ASKED = [
    ("Question: Where is the phone now?\nAnswer:", "home office", 1.0),
    ("Question: How many items are on the desk?\nAnswer:", "3", 0.5),
    ("Question: Where is the apple now?\nAnswer:", "in the garden", 2.0),
]


def example(number, prompt, answer, episode, weight=1.0):
    return Example(
        f"example-{number}", "t", prompt, f" {answer}\n", answer, "train", episode, "t", 1, 0, weight=weight
    )


def make_examples(grouped=True):
    """Return nine examples about three stories."""
    pairs = itertools.product(enumerate(STORIES), ASKED)
    return [
        example(n, story + asked, answer, f"episode {number if grouped else n}", weight)
        for n, ((number, story), (asked, answer, weight)) in enumerate(pairs)
    ]


def config(**changes):
    values = {
        "examples": ("x",),
        "lora": {"r": 4, "alpha": 8.0},
        "learning_rate": 1e-2,
        "batch_examples": 4,
        "max_steps": 12,
    }
    return FinetuneConfig.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def tokenizer(tiny_models):
    return tiny_models.tokenizer()


@pytest.fixture
def model(tiny_models):
    return tiny_models.adapt(tiny_models.llama())


def gradients(model, rows):
    """Return the loss and the gradients of one step, as the optimizer would get them but for clipping."""
    model.zero_grad()
    with tempfile.TemporaryDirectory() as folder:
        settings = config(max_steps=1)
        arguments = training_arguments(settings, Path(folder))
        trainer = Trainer(model, rows, Remembering(), settings, 0, arguments)
        value = float(trainer.training_step(model, rows))
    return value, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def naive_gradients(model, tokenizer, examples):
    """Return loss and gradients of the weighted mean over completion tokens, one example at a time."""
    model.zero_grad()
    total, weight = torch.zeros(()), 0.0
    for one in examples:
        start = len(tokenizer(one.prompt)["input_ids"])
        ids = tokenizer(one.prompt + one.completion)["input_ids"]
        logprobs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        for at in range(start, len(ids)):
            total = total - one.weight * logprobs[at - 1, ids[at]]
            weight += one.weight
    (total / weight).backward()
    return (total / weight).item(), {
        n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad
    }


def assert_same(found, expected):
    assert set(found) == set(expected) and found
    for name in found:
        assert expected[name].abs().max() > 1e-4
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=1e-5)


# -- rows and loss ---------------------------------------------------------------------------------------------------


def test_grouped_rows_give_the_loss_and_gradient_of_single_examples(model, tokenizer):
    grouped = build_rows(tokenizer, make_examples(grouped=True), 512)
    single = build_rows(tokenizer, make_examples(grouped=False), 512)
    assert len(grouped.rows) < len(single.rows) == 9
    assert grouped.tokens < single.tokens
    assert grouped.examples == single.examples == 9
    expected_loss, expected = naive_gradients(model, tokenizer, make_examples())
    for data in (grouped, single):
        value, found = gradients(model, data.rows)
        assert value == pytest.approx(expected_loss, rel=1e-4)
        assert_same(found, expected)


def test_several_answers_to_one_prompt_each_begin_behind_it(model, tokenizer):
    prompt = STORIES[0] + ASKED[0][0]
    examples = [
        example(n, prompt, answer, "e") for n, answer in enumerate(["desk", "home office", "3", "kitchen"])
    ]
    rows = build_rows(tokenizer, examples, 512).rows
    assert len(rows) == 1
    assert len(rows[0].packed.tokens) == len(tokenizer(prompt)["input_ids"]) + len(rows[0].targets)
    expected_loss, expected = naive_gradients(model, tokenizer, examples)
    value, found = gradients(model, rows)
    assert value == pytest.approx(expected_loss, rel=1e-4)
    assert_same(found, expected)


def test_prompts_that_go_on_from_one_another_are_one_text_with_the_same_loss(model, tokenizer):
    """As an agent's do: what it saw and did before comes again at every step."""
    seen, done = "You are here. ", [" walk to desk\n", " open door\n", " grab lamp\n", " look\n"]
    examples, prompt = [], STORIES[0]
    for number, action in enumerate(done):
        prompt += f"Seen: {seen * number}\nAction:"
        if number != 1:  # that one failed: it is told of, and not learned
            examples.append(example(number, prompt, action.strip(), "e"))
        prompt += action
    other = example(9, STORIES[1] + ASKED[0][0], "desk", "f")
    data = build_rows(tokenizer, [*examples, other], 512)
    assert [row.examples for row in data.rows] == [3, 1] and data.examples == 4
    whole = examples[-1].prompt + examples[-1].completion
    assert data.rows[0].packed.tokens == tuple(tokenizer(whole)["input_ids"])
    expected_loss, expected = naive_gradients(model, tokenizer, [*examples, other])
    value, found = gradients(model, data.rows)
    assert value == pytest.approx(expected_loss, rel=1e-4)
    assert_same(found, expected)
    apart = [dataclasses.replace(one, weight=1.0 + number) for number, one in enumerate(examples)]
    assert sum(row.examples for row in build_rows(tokenizer, apart, 512).rows) == 3
    naive, _ = naive_gradients(model, tokenizer, apart)
    loss, _ = gradients(model, build_rows(tokenizer, apart, 512).rows)
    assert loss == pytest.approx(naive, rel=1e-4)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_steps_of_an_episode_are_all_learned_in_any_order(tokenizer, order):
    asked = [STORIES[0] + "Where next?", " And then?", " Where at last?"]
    went = [" desk", " kitchen", " garden"]
    prompts = [asked[0], asked[0] + went[0] + asked[1], asked[0] + went[0] + asked[1] + went[1] + asked[2]]
    steps = [dataclasses.replace(example(n, prompts[n], "", "e"), completion=went[n]) for n in range(3)]
    rows = build_rows(tokenizer, [steps[n] for n in order], 512).rows
    learned = "".join(tokenizer.decode([row.packed.tokens[at] for at in row.targets]) for row in rows)
    assert sorted(learned.split()) == ["desk", "garden", "kitchen"]
    assert sum(row.examples for row in rows) == 3


def test_grouped_rows_with_eager_attention(tiny_models, tokenizer):
    llama = tiny_models.llama()
    llama.set_attn_implementation("eager")
    model = tiny_models.adapt(llama)
    value, found = gradients(model, build_rows(tokenizer, make_examples(), 512).rows)
    expected_loss, expected = naive_gradients(model, tokenizer, make_examples())
    assert value == pytest.approx(expected_loss, rel=1e-4)
    assert_same(found, expected)


def test_long_steps_in_several_passes_have_the_same_gradient(model, tokenizer, monkeypatch):
    rows = build_rows(tokenizer, make_examples(), 512).rows
    whole_loss, whole = gradients(model, rows)
    monkeypatch.setattr("worldschool.learners.finetune.loss.TOKENS_PER_FORWARD", 1)
    passes = []
    handle = model.get_base_model().model.register_forward_hook(lambda *_: passes.append(1))
    value, found = gradients(model, rows)
    handle.remove()
    assert len(passes) == len(rows) > 1
    assert value == pytest.approx(whole_loss, rel=1e-5)
    assert_same(found, whole)


def test_a_token_that_straddles_the_cut_is_learned_with_the_completion(model, tokenizer):
    straddling = dataclasses.replace(
        example(0, STORIES[0] + "Emily walked to the kit", "", "e"), completion="chen.\n"
    )
    partner = example(1, STORIES[0] + "Emily walked to the kit", "and", "e")
    rows = build_rows(tokenizer, [straddling, partner], 512).rows
    assert len(rows) == 1 and rows[0].examples == 2
    ids = tokenizer(straddling.prompt + straddling.completion)["input_ids"]
    learned = [rows[0].packed.tokens[at] for at in rows[0].targets]
    assert "kitchen" in tokenizer.decode(learned)
    total = 0.0
    count = 0
    with torch.no_grad():
        for one in (straddling, partner):
            ids = tokenizer(one.prompt + one.completion)["input_ids"]
            head = tokenizer(one.prompt)["input_ids"]
            cut = next(i for i, (a, b) in enumerate(zip([*head, None], ids, strict=False)) if a != b)
            logprobs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
            total -= sum(logprobs[at - 1, ids[at]].item() for at in range(cut, len(ids)))
            count += len(ids) - cut
    assert gradients(model, rows)[0] == pytest.approx(total / count, rel=1e-4)


def test_the_weight_of_an_example_counts(model, tokenizer):
    one, two = make_examples()[0], make_examples()[2]
    alone = [
        gradients(model, build_rows(tokenizer, [dataclasses.replace(e, weight=w)], 512).rows)
        for e, w in ((one, 1.0), (two, 1.0), (one, 7.0))
    ]
    assert_same(alone[2][1], alone[0][1])
    assert alone[2][0] == pytest.approx(alone[0][0], rel=1e-5)
    tokens = [len(build_rows(tokenizer, [e], 512).rows[0].targets) for e in (one, two)]
    both = build_rows(
        tokenizer, [dataclasses.replace(one, weight=3.0), dataclasses.replace(two, weight=0.5)], 512
    )
    shares = np.array([3.0 * tokens[0], 0.5 * tokens[1]])
    shares /= shares.sum()
    value, found = gradients(model, both.rows)
    assert value == pytest.approx(shares[0] * alone[0][0] + shares[1] * alone[1][0], rel=1e-4)
    assert_same(
        found, {n: float(shares[0]) * alone[0][1][n] + float(shares[1]) * alone[1][1][n] for n in found}
    )


def test_only_the_completion_is_learned(tokenizer):
    data = build_rows(tokenizer, make_examples(), 512)
    learned = [tokenizer.decode([row.packed.tokens[at] for at in row.targets]) for row in data.rows]
    assert "".join(learned) == "".join(one.completion for one in make_examples())
    for row in data.rows:
        assert all(
            row.packed.positions[p] == row.packed.positions[t] - 1
            for p, t in zip(row.predictors, row.targets, strict=True)
        )


def test_rows_share_long_beginnings_only_and_stay_short(tokenizer):
    short = len(tokenizer(STORIES[2])["input_ids"])
    assert short < SHARED_TOKENS_MINIMUM
    data = build_rows(tokenizer, make_examples(), 512)
    assert sorted(row.examples for row in data.rows)[-2:] == [3, 3]
    longest = max(len(tokenizer(e.prompt + e.completion)["input_ids"]) for e in make_examples())
    tight = build_rows(tokenizer, make_examples() * 3, longest)
    assert max(len(row.packed) for row in tight.rows) <= 2 * longest
    assert tight.examples == 27


def test_over_long_and_empty_examples_are_left_out_with_the_reason(tokenizer):
    long = example(90, "Emily walked to the garden. " * 20 + "Answer:", "yes", "long")
    length = len(tokenizer(long.prompt + long.completion)["input_ids"])
    empty = dataclasses.replace(example(91, "", "", "e"), completion="x")
    silent = dataclasses.replace(example(92, "Answer:", "", "e"), completion="")
    weightless = example(93, "Answer:", "yes", "e", weight=0.0)
    data = build_rows(tokenizer, [long, empty, silent, weightless, *make_examples()], 80)
    assert data.examples == 9
    reasons = dict(data.excluded)
    assert reasons["example-90"] == f"{length} tokens, more than 80"
    assert reasons["example-91"] == reasons["example-92"] == "its prompt or completion is empty"
    assert reasons["example-93"] == "its weight is 0.0"
    exact = build_rows(tokenizer, [long], length)
    assert exact.excluded == () and exact.examples == 1


def test_nothing_to_train_on_is_an_error(tokenizer):
    long = example(0, "Emily walked to the garden. " * 20, "yes", "long")
    with pytest.raises(
        DatasetError,
        match=r"^examples: none of the 1 examples can be used\. The first was left out because: \d+ tokens, "
        r"more than 9\.$",
    ):
        build_rows(tokenizer, [long], 9)
    with pytest.raises(DatasetError, match=r"none of the 0 examples can be used\.$"):
        build_rows(tokenizer, [], 9)


# -- E2WM's files and recipe -----------------------------------------------------------------------------------------


def test_e2wms_training_files_are_read_as_they_are_and_tasks_have_weights(tmp_path):
    for name, rows in {
        "train_count.jsonl": [{"input": "Q: how many?\nA: 1\n\nQ: and now?\nA:", "ref": "There is no item."}],
        "train_act_recog.jsonl": [{"input": "Walk. Sit.\nA:", "ref": "relax"}] * 2,
    }.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = tuple(str(tmp_path / name) for name in ("train_count.jsonl", "train_act_recog.jsonl"))
    found = select_examples(config(examples=files, weights={"e2wm_act_recog": 0.7}))
    assert [(one.task, one.weight) for one in found] == [
        ("e2wm_count", 1.0), ("e2wm_act_recog", 0.7), ("e2wm_act_recog", 0.7)]  # fmt: skip
    assert found[0].prompt.endswith("\nA:") and found[0].completion == " There is no item.\n"
    assert len({one.example_id for one in found}) == 3
    with pytest.raises(
        ConfigError,
        match=r"weights.count: no example is of this task. Give a number above 0 to any of: e2wm_act",
    ):
        select_examples(config(examples=files, weights={"count": 0.7}))
    with pytest.raises(ConfigError, match=r"weights.e2wm_count: 0.0 is no weight"):
        select_examples(config(examples=files, weights={"e2wm_count": 0.0}))
    (tmp_path / "train_count.jsonl").write_text('{"input": "Q", "ref": " "}\n')
    with pytest.raises(DatasetError, match=r"train_count.jsonl: line 1: `ref` is no text"):
        select_examples(config(examples=files))


def test_the_preset_of_e2wms_recipe():
    recipe = load_config(FinetuneConfig, Path(worldschool.configs.__file__).parent / "finetune" / "e2wm.yaml")
    assert (recipe.lora.r, recipe.lora.alpha, recipe.lora.dropout) == (8, 32, 0.1)
    assert (recipe.learning_rate, recipe.batch_examples, recipe.max_length, recipe.warmup) == (
        8e-4,
        20,
        800,
        0,
    )
    assert recipe.weights == {"e2wm_act_recog": 0.7} and recipe.retention.strength == 1e6
    assert recipe.max_steps == round(3 * 5318 / 20)


@pytest.mark.skipif(not CONFORMANCE, reason="WORLDSCHOOL_CONFORMANCE_DATA is not set")
def test_e2wms_published_training_files():
    files = sorted((Path(CONFORMANCE) / "e2wm" / "train").glob("train_*.jsonl"))
    found = select_examples(config(examples=tuple(map(str, files)), weights={"e2wm_act_recog": 0.7}))
    assert len(found) == 5318 == 1659 + 1659 + 1000 + 1000
    assert all(one.prompt and one.completion.endswith("\n") for one in found)


# -- worked examples -------------------------------------------------------------------------------------------------


def test_worked_answers_are_learned_once_each_beside_the_last(model, tokenizer):
    shots = [STORIES[0] + asked + f" {answer}\n\n" for asked, answer, _ in ASKED[:2]]
    examples = [example(0, shots[0] + STORIES[1] + ASKED[2][0], "in the garden", "e")]
    examples += [example(1, shots[0] + shots[1] + STORIES[1] + ASKED[1][0], "3", "e")]
    plain = build_rows(tokenizer, examples, 2048)
    rows = build_rows(tokenizer, examples, 2048, learn_shots=True).rows
    assert len(rows) == 1 and rows[0].packed == plain.rows[0].packed
    learned = tokenizer.decode([rows[0].packed.tokens[at] for at in rows[0].targets])
    assert learned == " home office\n in the garden\n 3\n 3\n"
    total, count = 0.0, 0
    with torch.no_grad():
        for prompt, answer in (
            (STORIES[0] + ASKED[0][0], " home office\n"),
            (shots[0] + STORIES[1] + ASKED[2][0], " in the garden\n"),
            (shots[0] + STORIES[0] + ASKED[1][0], " 3\n"),
            (examples[1].prompt, " 3\n"),
        ):
            start = len(tokenizer(prompt)["input_ids"])
            ids = tokenizer(prompt + answer)["input_ids"]
            logprobs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
            total -= sum(float(logprobs[at - 1, ids[at]]) for at in range(start, len(ids)))
            count += len(ids) - start
    assert gradients(model, rows)[0] == pytest.approx(total / count, rel=1e-4)


# -- rows and passes: nothing lost, little filled up -------------------------------------------------------------------


def row_of(length):
    return text_row([1] * length)


@given(st.lists(st.integers(2, 40), min_size=1, max_size=9), st.integers(40, 120))
def test_passes_hold_every_row_and_no_other_cut_by_length_has_fewer_tokens(lengths, limit):
    rows = [row_of(length) for length in lengths]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loss, "TOKENS_PER_FORWARD", limit)
        passes = loss.forward_passes(rows)

    def cost(parts):
        return sum(loss.TOKENS_OF_A_PASS + len(part) * max(part) for part in parts)

    found = [[len(row.packed) for row in part] for part in passes]
    ordered = sorted(lengths, reverse=True)
    assert [length for part in found for length in part] == ordered
    assert all(len(part) == 1 or len(part) * max(part) <= limit for part in found)
    cuts = [
        [ordered[a:b] for a, b in itertools.pairwise((0, *at, len(ordered)))]
        for count in range(len(ordered))
        for at in itertools.combinations(range(1, len(ordered)), count)
    ]
    allowed = [parts for parts in cuts if all(len(p) == 1 or len(p) * max(p) <= limit for p in parts)]
    assert cost(found) == min(map(cost, allowed))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8))
def test_rows_never_hold_more_tokens_than_the_examples_apart_and_lose_none(tokenizer, asked):
    examples = [
        example(n, (STORIES * 2)[story] + ASKED[question][0], ASKED[question][1], "e")
        for n, (story, question) in enumerate(asked)
    ]
    data = build_rows(tokenizer, examples, 512)
    apart = [build_rows(tokenizer, [one], 512) for one in examples]
    assert data.examples == len(examples) and data.tokens <= sum(one.tokens for one in apart)
    learned = [[row.packed.tokens[at] for at in row.targets] for one in (data, *apart) for row in one.rows]
    whole, alone = learned[: len(data.rows)], learned[len(data.rows) :]
    assert list(itertools.chain(*whole)) == list(itertools.chain(*alone))
