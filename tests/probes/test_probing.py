"""`probe` from a file of examples to results.json: models that know everything or nothing, and items left out."""

import json
from dataclasses import replace
from random import Random
from types import SimpleNamespace

import pyarrow.parquet
import pytest

from tests.probes.items import filled
from worldschool.errors import ConfigError, DatasetError, ModelError, UserError
from worldschool.experience.examples import write_examples
from worldschool.models.language import CompletionScore, LocalModel
from worldschool.probes.config import ProbeConfig, SuiteSettings
from worldschool.probes.run import probe, spread
from worldschool.probes.scores import comparisons
from worldschool.probes.statistics import proportion_interval

COLOURS = ("red", "green", "dark blue", "grey", "pink", "white", "pale yellow", "black")
CHOICES = {kind: {"normalization": kind} for kind in ("sum", "tokens", "bytes", "unconditional")}
WAYS = {**CHOICES, "free": {"decoding": "free"}, "constrained": {"decoding": "constrained"}}


def questions(task, count, generated=False, **changes):
    rng = Random(task)
    found = []
    for number in range(count):
        options = tuple(rng.sample(COLOURS, 4))
        answer = rng.choice(options)
        prompt = f"{task}: Emily put the box {number} on the desk. What colour is box {number}?\nAnswer:"
        values = {"example_id": f"{task}-{number}", **changes}
        found.append(filled(number, task, prompt, answer, None if generated else options, **values))
    return found


class Knowing:
    """A model that knows every answer, by its prompt, and gives it however it is asked."""

    name = fingerprint = "knowing"
    context_length = 1000

    def __init__(self, examples):
        self._answers = {example.prompt: example.answer for example in examples}

    def score(self, prompts, completions, advance=None):
        return [
            [CompletionScore(self._logprob(prompt, text), len(text.split()), len(text)) for text in texts]
            for prompt, texts in zip(prompts, completions, strict=True)
        ]

    def _logprob(self, prompt, text):
        if prompt not in self._answers:
            return -5.0
        return -0.1 if text.strip() == self._answers[prompt] else -40.0

    def choose(self, prompts, completions, advance=None):
        return [
            [text.strip() for text in texts].index(self._answers[prompt])
            for prompt, texts in zip(prompts, completions, strict=True)
        ]

    def generate(self, prompts, max_new_tokens, advance=None):
        return [self._answers[prompt] for prompt in prompts]

    def count_tokens(self, texts):
        return [len(text) for text in texts]


def run(tmp_path, examples, settings, model="nothing", name="report", **changes):
    write_examples(tmp_path / "questions.jsonl", examples)
    config = ProbeConfig(
        model=str(model), examples=str(tmp_path / "questions.jsonl"), suites=settings, texts=(), **changes
    )
    results = probe(config, tmp_path / name)
    assert json.loads((tmp_path / name / "results.json").read_text()) == results
    return results


def test_a_model_that_knows_the_answers_is_always_right(tmp_path, monkeypatch):
    examples = [one for way in WAYS for one in questions(way, 40)]
    examples += questions("written", 40, generated=True) + questions("listed", 40, generated=True)
    monkeypatch.setattr("worldschool.probes.run.load_model", lambda *_: Knowing(examples))
    settings = {way: SuiteSettings(**given) for way, given in WAYS.items()}
    settings |= {"written": SuiteSettings(), "listed": SuiteSettings(decoding="constrained")}
    results = run(tmp_path, examples, settings)
    for suite in results["suites"].values():
        score = suite["scores"]["base"]
        assert (score["value"], score["exact"], score["ci95"][1]) == (1.0, 1.0, 1.0)
        assert suite["n"] >= 20 and suite["excluded"] == 0
        assert set(score.get("by_normalization", {"": 1.0}).values()) == {1.0}
    assert {name: suite["normalization"] for name, suite in results["suites"].items()} == {
        **{way: way if way in CHOICES else None for way in WAYS},
        "written": None,
        "listed": None,
    }
    assert len({suite["metric"] for suite in results["suites"].values()}) == len(WAYS) + 2


def test_a_model_that_knows_nothing_scores_chance(tmp_path, tiny_models):
    model = tiny_models.save(tmp_path / "model")
    examples = [one for way in WAYS for one in questions(way, 180)]
    settings = {way: SuiteSettings(items=120, **given) for way, given in WAYS.items()}
    results = run(tmp_path, examples, settings, model)
    scores = {way: suite["scores"]["base"]["value"] for way, suite in results["suites"].items()}
    assert scores.pop("free") < 0.05  # it does not even name an option
    sizes = [results["suites"][way]["n"] for way in scores]
    assert min(sizes) >= 100
    right = sum(round(score * n) for score, n in zip(scores.values(), sizes, strict=True))
    pooled = proportion_interval(right, sum(sizes))
    assert pooled.low < 0.25 < pooled.high
    for way, score in scores.items():
        suite = results["suites"][way]
        assert suite["chance"] == 0.25
        assert abs(score - 0.25) < 3.3 * (0.25 * 0.75 / suite["n"]) ** 0.5, way  # one in a thousand


def test_items_that_do_not_fit_are_left_out_counted_and_the_rest_compared(tmp_path, tiny_models, capsys):
    model = tiny_models.save(tmp_path / "model", context=120)
    examples = questions("colour", 30)
    long = questions("colour", 4, example_id="long", prompt="the box " * 80 + "\nAnswer:")
    long = [replace(one, example_id=f"long{i}", prompt=f"{i} {one.prompt}") for i, one in enumerate(long)]
    settings = {"colour": SuiteSettings(balance=False)}
    results = run(tmp_path, examples + long, settings, model)
    suite = results["suites"]["colour"]
    assert (suite["n"], suite["excluded"]) == (30, 4)
    told = "colour: 4 of 34 items are left out, longer than the context of 120 tokens"
    assert told in capsys.readouterr().err
    rows = pyarrow.parquet.read_table(tmp_path / "report" / "items.parquet").to_pylist()
    assert {row["item_id"] for row in rows} == {one.example_id for one in examples}
    assert run(tmp_path, examples + long, settings, model)["suites"] == results["suites"]  # it goes on, too
    with pytest.raises(
        DatasetError, match=r"colour: none of the 4 items fits the context of .*\(120 tokens\)"
    ):
        run(tmp_path, long, settings, model, name="other")


def test_bad_items_stop_the_run_before_a_model_is_loaded(tmp_path):
    examples = questions("colour", 3) + questions("colour", 1, example_id="bad", prompt="?", answer="mauve")
    with pytest.raises(DatasetError, match=r"questions.jsonl: colour: the item bad has the answer 'mauve'"):
        run(tmp_path, examples, {"colour": SuiteSettings(balance=False)})


def test_a_broken_model_is_refused_with_the_item(tmp_path, tiny_models):
    import torch

    broken = tiny_models.llama()
    with torch.no_grad():
        broken.get_input_embeddings().weight.fill_(float("nan"))
    broken.save_pretrained(tmp_path / "model")
    tiny_models.tokenizer().save_pretrained(tmp_path / "model")
    with pytest.raises(ModelError, match=r"logits at the item colour-\d of 'colour' are not finite"):
        run(tmp_path, questions("colour", 3), {"colour": SuiteSettings()}, tmp_path / "model")


def test_windows_of_perplexity_are_recorded(tmp_path, tiny_llama):
    write_examples(tmp_path / "questions.jsonl", questions("colour", 8))
    found = {}
    for stride in (None, 8):
        config = ProbeConfig(
            model=str(tiny_llama),
            examples=str(tmp_path / "questions.jsonl"),
            texts=("prose:validation",),
            text_tokens=200,
            text_window=16,
            text_stride=stride,
        )
        found[stride] = probe(config, tmp_path / f"report{stride}")["retention"]["prose:validation"]
    assert [(row["window"], row["stride"]) for row in found.values()] == [(16, 15), (16, 8)]
    assert found[None]["tokens"] == found[8]["tokens"]
    assert found[None]["perplexity"]["base"] != pytest.approx(found[8]["perplexity"]["base"], rel=1e-4)
    assert LocalModel.load(str(tiny_llama)).context_length > 16


def test_of_a_document_of_one_token_nothing_is_predicted(tmp_path, tiny_models, tiny_llama):
    tiny_models.adapt(tiny_models.llama()).save_pretrained(tmp_path / "adapter")
    write_examples(tmp_path / "questions.jsonl", questions("colour", 4))
    for name, documents in {"some": ["E", tiny_models.CORPUS], "none": ["E"]}.items():
        (tmp_path / name).mkdir()
        for number, document in enumerate(documents):
            (tmp_path / name / f"{number}.txt").write_text(document, encoding="utf-8")
    config = ProbeConfig(
        model=str(tiny_llama),
        adapters={"own": str(tmp_path / "adapter")},
        examples=str(tmp_path / "questions.jsonl"),
        texts=(str(tmp_path / "some"),),
    )
    (text,) = probe(config, tmp_path / "report")["retention"].values()
    ratio = text["perplexity"]["own"] / text["perplexity"]["base"]
    assert text["change"]["own"]["value"] == pytest.approx(ratio - 1)
    with pytest.raises(UserError, match="none: no document of it has a second token"):
        probe(config.model_copy(update={"texts": (str(tmp_path / "none"),)}), tmp_path / "refused")
    assert not (tmp_path / "refused" / "parts" / "base.colour.json").exists()


@pytest.mark.parametrize(
    "named, told",
    [
        (
            {"adapters": {"own": "{}/nowhere"}},
            "^adapters.own: .*nowhere: there is no adapter_config.json here",
        ),
        ({"adapters": {"own": "{}/half"}}, "half: there are no weights .* beside adapter_config.json"),
        (
            {"adapters": {"own": "endpoint:nowhere"}, "texts": ()},
            "'endpoint:nowhere' does not name a server's model",
        ),
        ({"texts": ("pydoc:held",)}, "pydoc:held: there is no such text"),
        ({"model": "{}/half"}, "half: "),
    ],
)
def test_what_is_missing_is_told_before_anything_is_asked(tmp_path, tiny_llama, named, told):
    write_examples(tmp_path / "questions.jsonl", questions("colour", 4))
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "adapter_config.json").write_text("{}", encoding="utf-8")
    values = {"model": str(tiny_llama), "examples": str(tmp_path / "questions.jsonl"), **named}
    filled_in = json.loads(json.dumps(values).replace("{}", str(tmp_path)))
    with pytest.raises(UserError, match=told):
        probe(ProbeConfig(**filled_in), tmp_path / "report")
    # The mended command, whose configuration is another, can have the output.
    assert not list((tmp_path / "report").glob("*"))


def test_a_cut_text_holds_no_token_that_begins_every_text(tiny_models):
    from tokenizers.processors import TemplateProcessing

    tokenizer = tiny_models.tokenizer()
    begun = TemplateProcessing(single="<end> $A", special_tokens=[("<end>", 0)])
    tokenizer.backend_tokenizer.post_processor = begun
    assert tokenizer("Emily")["input_ids"][0] == 0
    (piece,) = spread([tiny_models.CORPUS], SimpleNamespace(tokenizer=tokenizer), 10)
    assert tiny_models.CORPUS.startswith(piece)
    assert len(tokenizer(piece)["input_ids"]) == 11


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"model": "endpoint:http://h/v1#m"}, r"perplexity needs a model in this process.*`texts: \[\]`"),
        ({"adapters": {"a": "endpoint:http://h/v1#m"}}, "endpoint:http://h/v1#m is behind a server"),
        (
            {"text_window": 64, "text_stride": 64},
            r"`text_stride` \(64\) should be below `text_window` \(64\)",
        ),
        ({"suites": {"colour": {"normalization": "words"}}}, "suites.colour.normalization"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(settings, problem):
    from worldschool.config import build_config

    with pytest.raises(ConfigError, match=problem):
        build_config(ProbeConfig, {"examples": "questions", **settings}, "probe.yaml")


def test_questions_of_several_files_are_asked_together_and_each_once(tmp_path, monkeypatch):
    first, second = questions("colour", 12), questions("shade", 12)
    write_examples(tmp_path / "first.parquet", first)
    write_examples(tmp_path / "second.jsonl", [*second, *first[:5]])
    monkeypatch.setattr(LocalModel, "load", lambda *given, **named: Knowing([*first, *second]))
    asked = tuple(str(tmp_path / name) for name in ("first.parquet", "second.jsonl"))
    suite = {"balance": False, "items": 50}
    config = ProbeConfig(model="knowing", examples=asked, suites={"colour": suite, "shade": suite}, texts=())
    results = probe(config, tmp_path / "out")
    assert {task: one["n"] for task, one in results["suites"].items()} == {"colour": 12, "shade": 12}
    assert results["suites"]["shade"]["scores"]["base"]["value"] == 1
    (tmp_path / "second.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"second\.jsonl"):
        probe(config, tmp_path / "again")


def test_a_large_difference_is_established_however_many_comparisons_it_is_corrected_for():
    scores = {
        "base": {"written": [0.5] * 25, **{f"choice {number}": [1.0] for number in range(600)}},
        "own": {"written": [0.9] * 25, **{f"choice {number}": [1.0] for number in range(600)}},
    }
    answers = {
        model: {suite: [SimpleNamespace(score=score) for score in row] for suite, row in by_suite.items()}
        for model, by_suite in scores.items()
    }
    asked = SimpleNamespace(items=scores["base"])
    found = comparisons(asked, answers, ["own"], ProbeConfig(examples="questions.jsonl"))
    assert len(found) == 601
    assert {row["suite"] for row in found if row["p_holm"] < 0.05} == {"written"}
