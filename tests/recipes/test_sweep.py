"""Which runs a sweep consists of. (What it makes of them: tests/probes/test_forgetting.py; the command: tests/cli.)"""

from pathlib import Path

import pytest

from tests.probes.items import filled
from worldschool.config import load_config
from worldschool.errors import ConfigError, UserError
from worldschool.experience.examples import write_examples
from worldschool.learners.finetune import FinetuneConfig
from worldschool.learners.finetune.naming import wanted_texts
from worldschool.probes.config import ProbeConfig
from worldschool.recipes.sweep import read_grid, sweep, variants

PRESETS = Path(__file__).parents[2] / "configs" / "finetune"


def strengths(preset, *sweeps, overrides=()):
    config = load_config(FinetuneConfig, PRESETS / preset, overrides)
    return {one.name: one.config.retention.strengths() for one in variants(config, read_grid(sweeps))}


def test_lambda_is_swept_over_presets_that_have_one():
    assert strengths("ewc.yaml", "retention.lambda=1e4,1e6") == {
        "lambda 1e4": {"ewc": 1e4},
        "lambda 1e6": {"ewc": 1e6},
    }


def test_each_way_to_remember_has_its_own_strength():
    assert strengths("tracking.yaml", "retention.kind=ewc,l2,kl,replay,none") == {
        "kind ewc": {"ewc": 3e3},  # the preset's
        "kind l2": {"l2": 0.1},
        "kind kl": {"kl": 1.0},
        "kind replay": {"replay": 1.0},
        "kind none": {},
    }


def test_every_combination_is_a_run():
    found = strengths("ewc.yaml", "retention.kind=kl,l2", "retention.strength=0.5,2")
    assert list(found.values()) == [{"kl": 0.5}, {"kl": 2.0}, {"l2": 0.5}, {"l2": 2.0}]


@pytest.mark.parametrize("bad", ["retention.kind=prayer", "retention.lambda=.inf", "retention.lamda=1"])
def test_values_that_are_not_accepted_are_refused_before_anything_runs(bad):
    with pytest.raises(ConfigError, match="--sweep: retention"):
        strengths("ewc.yaml", bad)


def questions(first, count=4):
    ways = ("red", "green")
    return [
        filled(n, "colour", f"Which is {n}?\nAnswer:", ways[n % 2], ways) for n in range(first, first + count)
    ]


NOWHERE = "nowhere.txt"


@pytest.mark.parametrize(
    "changes, swept, asked, told",
    [
        ({}, "retention.kind=ewc,none", {"texts": [NOWHERE]}, f"{NOWHERE}: there is no such text"),
        ({}, "retention.kind=ewc,none", {"examples": "gone.jsonl"}, "gone.jsonl"),
        ({}, "seed=0,1", {"examples": "train.jsonl"}, "colour: items that will be trained on .* are asked, 4 of them"),
        ({}, "seed=0,1", {"suites": {"color": {}}}, "color"),
        ({"retention.general.texts": [NOWHERE]}, "retention.kind=none,replay", {}, f"{NOWHERE}: there is no such text"),
        ({}, f"retention.measure.texts=[sampled],[{NOWHERE}]", {}, f"{NOWHERE}: there is no such text"),
        ({}, "retention.fisher=null,elsewhere", {}, "elsewhere: there is no fisher.json here"),
        ({"validation.examples": ["gone.jsonl"]}, "seed=0,1", {}, "gone.jsonl"),
        ({}, "examples=[train.jsonl],[gone.jsonl]", {}, "gone.jsonl"),
    ],
)  # fmt: skip
def test_what_the_last_run_or_the_probe_would_miss_is_told_before_the_first_run(
    tmp_path, monkeypatch, tiny_llama, changes, swept, asked, told
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("worldschool.recipes.sweep.finetune", lambda *_: pytest.fail("a run has begun"))
    write_examples(Path("train.jsonl"), questions(0))
    write_examples(Path("asked.jsonl"), questions(100))
    overrides = [f"{key}={value}" for key, value in changes.items()]
    config = load_config(FinetuneConfig, None, [f"model={tiny_llama}", "examples=[train.jsonl]", *overrides])
    probed = ProbeConfig(**{"examples": "asked.jsonl", **asked})
    with pytest.raises(UserError, match=told):
        sweep(config, read_grid([swept]), probed, Path("out"))
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "retention, validation, texts",
    [
        ({"kind": "none"}, {}, []),
        ({"kind": "ewc"}, {}, ["pydoc:fisher"]),
        ({"kind": "ewc", "fisher": "somewhere"}, {"forgetting": 0.1}, ["prose:validation"]),
        ({"kind": "kl", "general": {"texts": ["prose"]}}, {"texts": ["unread"]}, ["prose"]),
        ({"kind": "ewc", "also": {"replay": 1}, "general": {"texts": ["prose"]}}, {}, ["pydoc:fisher", "prose"]),
    ],
)  # fmt: skip
def test_only_texts_that_are_read_are_wanted(retention, validation, texts):
    found = FinetuneConfig(examples=("-",), retention=retention, validation=validation)
    assert wanted_texts(found) == texts
