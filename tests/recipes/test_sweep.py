"""Which runs a sweep consists of. (What it makes of them: tests/probes/test_forgetting.py; the command: tests/cli.)"""

from pathlib import Path

import pytest

from worldschool.config import load_config
from worldschool.errors import ConfigError
from worldschool.learners.finetune import FinetuneConfig
from worldschool.recipes.sweep import read_grid, variants

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
