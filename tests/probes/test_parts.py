"""Runs that go on: another model under the same name is refused; which models are controls is told."""

import json
import shutil

import pytest

from tests.probes.items import filled
from worldschool.config import build_config
from worldschool.errors import ConfigError, ModelError, OutputError
from worldschool.experience.examples import write_examples
from worldschool.models.causal import adapter_fingerprint
from worldschool.models.language import CompletionScore
from worldschool.probes.config import ProbeConfig
from worldschool.probes.run import probe

OPTIONS = ("red", "green", "blue")


def questions(count, start=0, split="heldout"):
    return [
        filled(n, "colour", f"Box {n}.\nAnswer:", OPTIONS[n % 3], OPTIONS, split=split)
        for n in range(start, start + count)
    ]


class Favourite:
    """A model that likes one option best, and counts how often it is asked."""

    name, context_length = "favourite", 10_000

    def __init__(self, option, fingerprint):
        self.option, self.fingerprint, self.asked = option, fingerprint, 0

    def score(self, prompts, completions, advance=None):
        self.asked += len(prompts)
        return [
            [CompletionScore(-1.0 if text.strip() == self.option else -9.0, 1, len(text)) for text in texts]
            for texts in completions
        ]

    def count_tokens(self, texts):
        return [len(text) for text in texts]


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Probes with models of the test's choice: {adapter directory or None: model}."""

    def run(models, count=6, **settings):
        monkeypatch.setattr("worldschool.probes.run.load_model", lambda name, adapter, dtype: models[adapter])
        write_examples(tmp_path / "asked.jsonl", questions(count))
        values = {"model": "m", "examples": str(tmp_path / "asked.jsonl"), "texts": (), **settings}
        return probe(build_config(ProbeConfig, values, "probe.yaml"), tmp_path / "report")

    return run


@pytest.fixture
def adapter(tmp_path):
    directory = tmp_path / "adapter"
    directory.mkdir()
    (directory / "adapter_config.json").write_text('{"r": 4}')
    (directory / "adapter_model.safetensors").write_bytes(b"weights")
    return directory


def test_another_base_model_under_the_same_name_is_refused(ask, tmp_path):
    first, other = Favourite("red", "f1"), Favourite("green", "f2")
    before = ask({None: first})
    assert before["models"][0]["fingerprint"] == "f1" and first.asked == 6
    again = Favourite("red", "f1")
    assert ask({None: again})["suites"] == before["suites"] and again.asked == 0
    with pytest.raises(OutputError, match="the base model of 'base' changed since this run began") as refused:
        ask({None: other})
    assert str(tmp_path / "report" / "parts" / "base.model.json") in str(refused.value)
    assert "Give another --out" in str(refused.value) and "delete base.* in" in str(refused.value)
    assert other.asked == 0
    assert json.loads((tmp_path / "report" / "results.json").read_text()) == again_of(before, tmp_path)
    for path in (tmp_path / "report" / "parts").glob("base.*"):
        path.unlink()
    assert ask({None: other})["models"][0]["fingerprint"] == "f2" and other.asked == 6


def again_of(before, tmp_path):
    """Results of a run that asked nothing anew differ in seconds only."""
    return {**before, "seconds": json.loads((tmp_path / "report" / "results.json").read_text())["seconds"]}


def test_an_adapter_with_other_weights_is_refused(ask, adapter):
    models = {None: Favourite("red", "f1"), str(adapter): Favourite("green", "f1")}
    rows = ask(models, adapters={"A": str(adapter)})["models"]
    assert [row["adapter_fingerprint"] for row in rows] == [None, adapter_fingerprint(adapter)]
    (adapter / "adapter_model.safetensors").write_bytes(b"others!")
    with pytest.raises(OutputError, match="the adapter of 'A' changed since this run began"):
        ask(models, adapters={"A": str(adapter)})
    models[str(adapter)].fingerprint = "f3"
    with pytest.raises(OutputError, match="the base model and the adapter of 'A' changed"):
        ask(models, adapters={"A": str(adapter)})


def test_a_server_s_model_is_known_by_its_own_fingerprint(ask):
    served = "endpoint:http://h/v1#m"
    models = {None: Favourite("red", "f1"), served: Favourite("red", "of the name")}
    rows = ask(models, adapters={"S": served})["models"]
    assert [(row["fingerprint"], row["adapter_fingerprint"]) for row in rows] == [
        ("f1", None),
        ("of the name", None),
    ]


def test_an_adapter_s_fingerprint_is_of_its_files(adapter, tmp_path):
    known = adapter_fingerprint(adapter)
    copy = tmp_path / "copy"
    shutil.copytree(adapter, copy)
    (copy / "README.md").write_text("about")
    assert adapter_fingerprint(copy) == known
    (copy / "adapter_config.json").write_text('{"r": 8}')
    assert adapter_fingerprint(copy) != known
    with pytest.raises(ModelError, match="none of an adapter's files is here"):
        adapter_fingerprint(tmp_path)


def test_answers_of_an_earlier_release_are_taken_and_it_is_said(ask, tmp_path, capsys):
    before = ask({None: Favourite("red", "f1")})
    (tmp_path / "report" / "parts" / "base.model.json").unlink()
    capsys.readouterr()
    model = Favourite("green", "f2")
    assert ask({None: model})["suites"] == before["suites"] and model.asked == 0
    assert "does not say of which model" in capsys.readouterr().err
    with pytest.raises(OutputError, match="the base model of 'base' changed"):
        ask({None: Favourite("red", "f1")})  # from then on it does


def test_answers_to_other_items_are_refused(ask, tmp_path):
    ask({None: Favourite("red", "f1")})
    with pytest.raises(
        OutputError, match=r"base\.colour\.json: these are answers to other items than 'colour' has now"
    ):
        ask({None: Favourite("red", "f1")}, count=9)


def test_other_worked_examples_are_refused(ask, tmp_path):
    shots, model = str(tmp_path / "shots.jsonl"), {None: Favourite("red", "f")}
    write_examples(tmp_path / "shots.jsonl", questions(9, start=100, split="train"))
    ask(model, shots=shots)
    ask(model, shots=shots)
    write_examples(tmp_path / "shots.jsonl", questions(9, start=200, split="train"))
    with pytest.raises(OutputError, match="what is shown before the questions of 'base, 3-shot' changed"):
        ask(model, shots=shots)


def test_controls_are_filled_and_shown(ask, adapter, tmp_path):
    write_examples(tmp_path / "shots.jsonl", questions(9, start=100, split="train"))
    other = tmp_path / "other"
    shutil.copytree(adapter, other)
    models = {
        None: Favourite("red", "f"),
        str(adapter): Favourite("green", "f"),
        str(other): Favourite("blue", "f"),
    }
    results = ask(
        models,
        adapters={"EWC": str(adapter), "permuted": str(other)},
        controls={"permuted_answers": "permuted"},
        shots=str(tmp_path / "shots.jsonl"),
        shot_count=2,
    )
    suite = results["suites"]["colour"]
    for control, name in (("base_few_shot", "base, 2-shot"), ("permuted_answers", "permuted")):
        row, score = suite["controls"][control], suite["scores"][name]
        assert row == {"model": name, "value": score["value"], "ci95": score["ci95"]}
    assert [row.get("control") for row in results["models"]] == [None, None, None, "permuted_answers"]
    report = (tmp_path / "report" / "report.md").read_text()
    assert "**permuted** is a control" in report and "permuted answers (permuted) 0.33 (" in report


def test_without_shots_and_named_adapters_there_are_no_controls(ask):
    results = ask({None: Favourite("red", "f1")})
    assert results["suites"]["colour"]["controls"] == {}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"controls": {"permuted_answers": "permutd"}, "adapters": {"permuted": "p"}}, r"'permutd'.* none of `adapters` \(permuted\) Did you mean 'permuted'\?"),
        ({"controls": {"permuted_answers": "x"}}, r"none of `adapters` \(there are none\)"),
        ({"adapters": {"a b": "p", "a-b": "q"}}, "the adapter name 'a-b' is too much like 'a b'"),
        ({"adapters": {"base": "p"}}, "the adapter name 'base' is too much like 'base'"),
        ({"adapters": {"base, 3-shot": "p"}}, "too much like 'base, 3-shot'"),
        ({"adapters": {" ": "p"}}, "the name of an adapter is empty"),
    ],
)  # fmt: skip
def test_names_that_would_mix_models_up_are_refused(settings, problem):
    with pytest.raises(ConfigError, match=problem):
        build_config(ProbeConfig, {"examples": "questions", **settings}, "probe.yaml")
