"""Comparing probe runs: who is compared on what, with which numbers, and what is refused."""

import csv
import json

import pyarrow
import pyarrow.parquet
import pytest

from worldschool.cli.main import main
from worldschool.errors import ConfigError, DatasetError, OutputError
from worldschool.probes.comparing.compare import compare
from worldschool.probes.comparing.files import FILES, write_comparison
from worldschool.probes.comparing.table import comparison_table, p_value
from worldschool.probes.dials import by_dial, levels_of
from worldschool.probes.statistics import holm, mcnemar_p, paired_difference

BASE = {"name": "base", "adapter": None, "shots": 0, "fingerprint": "f"}


def learner(name, steps):
    return {
        "name": name,
        "adapter": name,
        "shots": 0,
        "fingerprint": "f",
        "trained": {"steps": steps, "examples": 9 * steps},
    }


def write_run(path, scores, models, suite="counting", first=0, change=(), retention=None, **measures):
    """Write a probe output; `scores` is model to scores of the items first, first + 1, ..."""
    rows = []
    for model, values in scores.items():
        for number, value in enumerate(values, start=first):
            told = "Other" if number in change else "Story"
            extra = {name: found[model][number - first] for name, found in measures.items()}
            rows.append(
                {
                    "suite": suite,
                    "item_id": f"i{number}",
                    "model": model,
                    "prompt": f"{told} {number}",
                    "answer": "1",
                    "prediction": "1",
                    "score": float(value),
                    "correct": value == 1,
                    "dials": json.dumps({"length": number % 2, "house": 3}),
                    **extra,
                }
            )
    path.mkdir(parents=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path / "items.parquet")
    results = {
        "schema": "worldschool.results/1",
        "models": models,
        "suites": {suite: {"title": f"The {suite}", "metric": "right", "chance": 0.25}},
        "retention": retention or {},
        "command": "worldschool probe",
    }
    (path / "results.json").write_text(json.dumps(results))
    return path


ONE = [0, 0, 0, 1, 0, 0, 1, 0, 0, 0]
TWO = [1, 1, 1, 1, 0, 1, 1, 0, 1, 1]
THREE = [1, 1, 0, 1, 1, 0, 1, 0, 0, 0]


@pytest.fixture
def runs(tmp_path):
    text = {"prose": {"title": "Letters", "tokens": 10, "perplexity": {"base": 20.0, "EWC": 20.5}}}
    a = write_run(tmp_path / "a", {"base": ONE, "EWC": TWO}, [BASE, learner("EWC", 100)], retention=text)
    b = write_run(tmp_path / "b", {"base": ONE, "EWC": THREE}, [BASE, learner("EWC", 50)])
    return [a, b]


def test_models_of_all_runs_are_compared_pair_by_pair(runs):
    found = compare(runs)
    assert [one["name"] for one in found["contenders"]] == ["base", "EWC (a)", "EWC (b)"]
    assert [(row["a"], row["b"]) for row in found["comparisons"]] == [
        ("EWC (a)", "base"),
        ("EWC (b)", "base"),
        ("EWC (b)", "EWC (a)"),
    ]
    first = found["comparisons"][0]
    assert (
        first["difference"] == pytest.approx(0.6)
        and first["p"] == mcnemar_p(6, 0)
        and "McNemar" in first["test"]
    )
    moved = paired_difference(TWO, ONE, seed=0)
    assert first["ci95"] == [moved.low, moved.high]
    assert [row["p_holm"] for row in found["comparisons"]] == holm([row["p"] for row in found["comparisons"]])
    suite = found["suites"]["counting"]
    assert (suite["n"], suite["title"], suite["chance"]) == (10, "The counting", 0.25)
    assert suite["scores"]["EWC (b)"]["value"] == 0.5
    assert found["retention"]["prose"]["perplexity"] == {"base": 20.0, "EWC (a)": 20.5}
    assert found == compare(runs) and found["left_out"] == []


def test_bases_that_answered_otherwise_are_kept_apart(tmp_path, runs):
    other = write_run(tmp_path / "c", {"base": THREE}, [BASE])
    names = [one["name"] for one in compare([*runs, other])["contenders"]]
    assert names == ["base (a)", "EWC (a)", "EWC (b)", "base (c)"]
    another = write_run(tmp_path / "d", {"base": ONE}, [{**BASE, "fingerprint": "g"}])
    assert "base (d)" in [one["name"] for one in compare([*runs, another])["contenders"]]


def test_one_model_can_be_what_all_are_compared_with(runs):
    pairs = [(row["a"], row["b"]) for row in compare(runs, against="EWC (a)")["comparisons"]]
    assert pairs == [("base", "EWC (a)"), ("EWC (b)", "EWC (a)")]
    with pytest.raises(ConfigError, match=r"no model 'EWC \(z\)'.*'base', 'EWC \(a\)', 'EWC \(b\)'"):
        compare(runs, against="EWC (z)")


def test_scores_between_right_and_wrong_are_tested_by_exchanging(tmp_path):
    run = write_run(tmp_path / "a", {"base": [0.5] * 4, "EWC": [0.7, 0.9, 1, 0.4]}, [BASE, learner("EWC", 1)])
    (row,) = compare([run])["comparisons"]
    assert "permutation" in row["test"] and row["n"] == 4


def test_plans_are_compared_by_what_became_of_them(tmp_path):
    done = {"base": [0.0, 0.0, 1.0], "EWC": [1.0, 1.0, 1.0]}
    run = write_run(
        tmp_path / "a",
        {"base": [0.1, 0.2, 0.3], "EWC": [0.4, 0.2, 0.3]},
        [BASE, learner("EWC", 1)],
        suite="plan_generation",
        success=done,
        executable={"base": [1.0, None, 1.0], "EWC": [1.0, 1.0, 1.0]},
    )
    found = compare([run])
    assert [row["measure"] for row in found["comparisons"]] == [
        "score",
        "success",
    ]  # not known of each: not compared
    assert found["comparisons"][1]["difference"] == pytest.approx(2 / 3)
    assert found["suites"]["plan_generation"]["scores"]["EWC"]["success"] == 1.0
    lines = comparison_table(found).splitlines()
    assert any("goal reached" in line for line in lines)
    assert any("EWC  " in line and line.endswith("1.00") for line in lines)


def test_differences_are_broken_down_by_dial(runs):
    rows = [row for row in compare(runs)["by_dial"] if row["a"] == "EWC (a)"]
    assert [(row["dial"], row["setting"], row["n"]) for row in rows] == [
        ("length", "0", 5),
        ("length", "1", 5),
    ]
    even = [x - y for x, y in zip(TWO, ONE, strict=True)][::2]
    assert rows[0]["difference"] == pytest.approx(sum(even) / 5)


def test_learning_curves_follow_the_steps(runs):
    (points,) = compare(runs)["learning"].values()
    assert [(p["name"], p["steps"], p["value"]) for p in points] == [
        ("base", 0, 0.2),
        ("EWC (b)", 50, 0.5),
        ("EWC (a)", 100, 0.8),
    ]
    assert points[1]["examples"] == 450
    assert compare(runs[:1])["learning"] == {}  # one adapter makes no curve


# -- what is refused ------------------------------------------------------------------------------------------------------


def test_runs_that_were_asked_other_items_are_refused_with_the_items_named(tmp_path, runs):
    other = write_run(tmp_path / "c", {"base": ONE}, [BASE], first=6)
    with pytest.raises(
        DatasetError, match=r"counting: i0, i1, i2 and 3 more \(6 items\) of .*a not asked everywhere"
    ):
        compare([runs[0], other])
    found = compare([runs[0], other], shared=True)
    assert found["suites"]["counting"]["n"] == 4 and len(found["left_out"]) == 2
    assert found["suites"]["counting"]["scores"]["EWC"]["value"] == 0.75  # of the items 6 to 9
    changed = write_run(tmp_path / "d", {"base": ONE}, [BASE], change=[3])
    with pytest.raises(DatasetError, match=r"counting: i3 \(1 item\) asked in other words"):
        compare([runs[0], changed])
    assert compare([runs[0], changed], shared=True)["suites"]["counting"]["n"] == 9


def test_runs_of_other_suites_are_refused(tmp_path, runs):
    other = write_run(tmp_path / "c", {"base": ONE}, [BASE], suite="order")
    with pytest.raises(DatasetError, match="order not asked in .*a; counting not asked in .*c"):
        compare([runs[0], other])
    with pytest.raises(DatasetError, match="share no item"):
        compare([runs[0], other], shared=True)


def test_what_is_no_run_is_named(tmp_path, runs):
    with pytest.raises(DatasetError, match="no such directory.*worldschool probe"):
        compare([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no results.json"):
        compare([tmp_path / "empty"])
    (runs[0] / "results.json").write_text('{"schema": "worldschool.results/9"}')
    with pytest.raises(DatasetError, match="schema: found 'worldschool.results/9'"):
        compare(runs)
    pyarrow.parquet.write_table(pyarrow.table({"suite": ["x"]}), runs[1] / "items.parquet")
    with pytest.raises(DatasetError, match="no column item_id, model"):
        compare([runs[1]])
    (runs[1] / "items.parquet").write_text("x")
    with pytest.raises(DatasetError, match="items.parquet: the answers cannot be read"):
        compare([runs[1]])


def test_one_model_alone_is_nothing_to_compare(tmp_path):
    alone = write_run(tmp_path / "a", {"base": ONE}, [BASE])
    with pytest.raises(DatasetError, match="nothing to compare"):
        compare([alone])
    with pytest.raises(DatasetError, match="nothing to compare"):
        compare([alone, alone])


# -- what is shown --------------------------------------------------------------------------------------------------------


def test_the_table_says_what_is_established(runs):
    text = comparison_table(compare(runs))
    (line,) = [one for one in text.splitlines() if "EWC (a) - base" in one]
    assert "+0.60 [" in line and "0.031" in line and "0.094" in line and not line.endswith("*")
    assert "Holm's correction for 3 comparisons" in text and "chance 0.25" in text
    assert "20.50" in text and "450" in text
    assert all(len(one) <= 100 for one in text.splitlines())
    assert [p_value(p) for p in (1.0, 0.0312, 0.0004, 1e-9)] == ["1.000", "0.031", "4e-04", "1e-09"]


def test_files_are_written_and_nothing_else_is_touched(tmp_path, runs):
    found = compare(runs)
    write_comparison(found, tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted(FILES)
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found
    with (tmp_path / "out" / "differences.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["a"] for row in rows] == ["EWC (a)", "EWC (b)", "EWC (b)"] and float(
        rows[0]["difference"]
    ) == 0.6
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert page.count("<svg") > 3 and "<script" not in page and "http" not in page
    assert "EWC (a) - base" in (tmp_path / "out" / "comparison.md").read_text()
    write_comparison(found, tmp_path / "out")  # the same again
    with pytest.raises(OutputError, match="not made by `worldschool compare`"):
        write_comparison(found, runs[0])


def test_names_from_models_are_escaped(tmp_path):
    bad = "<b>*x*|y</b>"
    run = write_run(tmp_path / "a", {"base": ONE, bad: TWO}, [BASE, learner(bad, 5)])
    write_comparison(compare([run]), tmp_path / "out")
    assert "<b>" not in (tmp_path / "out" / "comparison.html").read_text()
    assert "<b>" not in (tmp_path / "out" / "comparison.md").read_text()


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    shown = capsys.readouterr()
    return left.value.code, shown.out, shown.err


def test_the_command(tmp_path, runs, capsys):
    code, out, _ = command(capsys, "compare", *runs, "--out", tmp_path / "out")
    assert code == 0 and "Differences, item by item" in out and (tmp_path / "out" / "comparison.md").exists()
    code, out, _ = command(capsys, "compare", *runs, "--json", "--against", "base")
    assert code == 0 and len(json.loads(out)["comparisons"]) == 2
    code, out, err = command(capsys, "compare", runs[0], tmp_path / "nowhere")
    assert code == 2 and not out and "no such directory" in err and "Traceback" not in err


# -- dials ----------------------------------------------------------------------------------------------------------------


def test_dials_with_many_settings_are_cut_into_ranges():
    dials = [json.dumps({"length": n, "characters": 2, "flag": n}) for n in range(20)]
    assert set(levels_of(dials)) == {"length"}
    assert list(by_dial(dials, [1.0] * 20)["length"]) == ["0-4", "5-9", "10-14", "15-19"]
    few = by_dial([json.dumps({"length": n}) for n in (3, 10, 3)] + ["{}"], [1, 0, 0, 1])
    assert few == {"length": {"3": {"value": 0.5, "n": 2}, "10": {"value": 0.0, "n": 1}}}
    below = by_dial([json.dumps({"length": n}) for n in range(-10, 10)], [1.0] * 20)["length"]
    assert list(below) == ["-10--6", "-5--1", "0-4", "5-9"]
    skewed = [json.dumps({"length": n}) for n in [0] * 50 + list(range(1, 12))]
    found = by_dial(skewed, [1.0] * 61)["length"]
    assert sum(cell["n"] for cell in found.values()) == 61 and len(found) > 1
