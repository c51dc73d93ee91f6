"""Fronts of gain against forgetting, as benchmarks.retention tells of them."""

import argparse

import numpy as np
import pytest

from benchmarks.fronts import Measured, Point, Setting, best_within, figures_of, margins, table
from benchmarks.fronts_picture import label_of, lines_of, plot
from benchmarks.retention import points_of
from worldschool.errors import UserError

TEXTS = {"validation": ("v",), "heldout": ("pydoc:heldout", "prose")}


def measured(answers, text, rows=40, seed=0):
    """Return losses of `answers` nats a token and texts of `text`, that vary from row to row."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.01, rows)

    def summed(nats):
        return {"nll": ((nats + noise) * 5).tolist(), "tokens": [5.0] * rows}

    return Measured.of(
        {
            part: {**summed(answers), **{name: summed(text) for name in names}}
            for part, names in TEXTS.items()
        },
        TEXTS,
    )


def point(method, gain, rise, rate=1e-3, strength=1.0):
    base = measured(2.0, 3.0)
    runs = [measured(2.0 - gain, 3.0 + np.log1p(rise), seed=0)]
    return Point.of(Setting(method, rate, strength, 0), base, runs)


def test_a_point_is_the_gain_a_token_and_the_rise_of_perplexity_over_all_texts():
    base = measured(2.0, 3.0)
    found = Point.of(Setting("plain", 1e-3, 0, 0), base, [measured(1.5, 3.1), measured(1.3, 3.1)])
    assert found.gain["heldout"].value == pytest.approx(0.6)
    assert found.rise["heldout"].value == pytest.approx(np.expm1(0.1))
    assert found.spread == pytest.approx(0.2) and found.seeds == 2
    other = Point.of(Setting("plain", 1e-3, 0, 0), base, [measured(1.4, 3.0, seed=5)])
    assert other.gain["heldout"].low < 0.6 < other.gain["heldout"].high
    assert other.gain["heldout"].low < other.gain["heldout"].value < other.gain["heldout"].high


@pytest.mark.parametrize(
    "setting",
    [
        Setting("base", 0.0, 0.0, 0),
        Setting("plain", 1e-5, 0.0, 2),
        Setting("exact", 1e-3, 1e4, 1),
        Setting("kl", 5e-4, 0.25, 10),
        Setting("factored", 1e-3, 1e6, 0),
    ],
)
def test_a_setting_is_read_from_its_name(setting):
    assert Setting.named(setting.name) == setting


@pytest.mark.parametrize("name", ["", "plain", "plain-fast-seed0", "plain-0.001", "plain-0.001-seed0-again"])
def test_another_name_is_no_setting(name):
    with pytest.raises(ValueError, match="no setting's name"):
        Setting.named(name)


def test_fronts_are_compared_at_no_larger_a_rise():
    plain = [point("plain", 0.5, 0.02), point("plain", 0.3, 0.005, rate=1e-4)]
    exact = [point("exact", 0.48, 0.004), point("exact", 0.2, 0.001, strength=1e6)]
    assert best_within(exact, 0.01) is exact[0] and best_within(exact, 0.002) is exact[1]
    assert best_within(plain, 0.001) is None
    found = margins(exact, plain)
    assert [round(one.more.value, 6) for one in found] == [-0.02, 0.18]
    assert [one.above for one in found] == [False, True]
    (none,) = margins(exact, [point("plain", 0.1, -0.001)])
    assert none.best is exact[1] and none.more.value == pytest.approx(0.1) and not none.above


def test_how_far_a_front_lies_above_another_is_paired_by_rows():
    base = measured(2.0, 3.0)
    plain = Point.of(Setting("plain", 1e-3, 0, 0), base, [measured(1.5, 3.1, seed=5)])
    alike = Point.of(Setting("exact", 1e-3, 1, 0), base, [measured(1.4, 3.0, seed=5)])
    other = Point.of(Setting("exact", 1e-3, 2, 0), base, [measured(1.4, 3.0, seed=6)])
    (paired,), (loose,) = ([one.more for one in margins([one], [plain])] for one in (alike, other))
    assert paired.low == pytest.approx(0.1) and paired.high == pytest.approx(0.1)
    assert loose.low < loose.value - 0.001 and loose.high > loose.value + 0.001


def test_the_setting_that_is_told_of_is_chosen_on_validation():
    points = [
        point("plain", 0.5, 0.02),
        point("exact", 0.48, 0.004),
        point("exact", 0.4, 0.001, strength=9.0),
    ]
    figures = figures_of(points)
    assert figures["best_gain"].value == pytest.approx(0.5)
    assert figures["exact: share kept by the setting that validation chose"].value == pytest.approx(0.96)
    assert "plain: largest share at a rise of at most 1%" not in figures
    assert figures["exact: over plain at lr 0.001"].value == pytest.approx(-0.02)
    assert figures["exact: over plain at lr 0.001"].unit.endswith("not above")
    shown = table(points)
    assert "| exact | lr 0.001, strength 9 | 1 | 0.400 [0.400, 0.400] |" in shown and "+0.40%" in shown
    assert figures_of([]) == {}


def test_settings_of_fewer_seeds_are_listed_and_not_compared_with_those_of_more():
    base = measured(2.0, 3.0)

    def of_seeds(method, gain, rise, seeds, strength=1.0):
        runs = [measured(2.0 - gain, 3.0 + np.log1p(rise))] * seeds
        return Point.of(Setting(method, 1e-3, strength, 0), base, runs)

    points = [
        of_seeds("plain", 0.5, 0.02, 2),
        of_seeds("exact", 0.6, 0.003, 1),
        of_seeds("exact", 0.4, 0.005, 2, strength=9.0),
        of_seeds("kl", 0.48, 0.001, 1),
    ]
    figures = figures_of(points)
    assert figures["best_gain"].value == pytest.approx(0.5)
    for name in ("share kept by the setting that validation chose", "largest share at a rise of at most 1%"):
        assert figures[f"exact: {name}"].value == pytest.approx(0.8)
        assert "seeds" not in figures[f"exact: {name}"].unit
        assert figures[f"kl: {name}"].unit.endswith("(1 of 2 seeds)")
    assert figures["exact: over plain at lr 0.001"].value == pytest.approx(-0.1)
    assert "| exact | lr 0.001, strength 1 | 1 | 0.600" in table(points)


def test_names_of_runs_tell_settings_apart():
    settings = [Setting("plain", 1e-3, 0, 1), Setting("kl", 1e-3, 1, 1), Setting("kl", 1e-3, 1, 2)]
    assert len({one.name for one in settings}) == 3 and Setting("base", 0, 0, 0).name == "base"


def test_the_picture_joins_what_differs_in_one_setting_alone(tmp_path):
    plain = [point("plain", 0.5, 0.02), point("plain", 0.3, 0.005, rate=1e-4)]
    exact = [point("exact", 0.48, 0.004, strength=s) for s in (3e4, 1e3)]
    other = point("exact", 0.49, 0.014, rate=2e-3, strength=1e3)
    assert lines_of(plain) == [plain[::-1]]
    assert lines_of([*exact, other]) == [exact[::-1], [other]]
    assert [label_of(one, plain, ["plain"]) for one in plain] == ["1e-3", "1e-4"]
    own = [*exact, other]
    assert [label_of(one, own, ["plain", "exact"]) for one in own] == ["3e4", "1e3", "1e3 at 2e-3"]
    assert label_of(other, own, ["plain", "exact", "factored"]) == ""  # its ring has one
    plot([*plain, *own, point("kl", 0.4, 0.001)], tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_record_of_the_untrained_model_the_folder_and_the_mend_are_named(tmp_path):
    options = argparse.Namespace(records=tmp_path, seed=0, seeds=1)
    with pytest.raises(
        UserError, match=r"--records: .*base\.json: there is no record .*benchmarks/records/own"
    ):
        points_of(options)
