from worldschool.probes.table import results_table

RESULTS = {
    "suites": {
        "object_path": {
            "title": "Object path tracking",
            "n": 100,
            "chance": None,
            "shortcuts": {"last_place": 0.3, "last_two": 0.75},
            "scores": {"base": {"value": 0.3, "ci95": [0.2, 0.4]}, "EWC": {"value": 0.5, "ci95": [0.4, 0.6]}},
        },
        "counting": {
            "title": "Counting",
            "n": 40,
            "chance": 0.2,
            "shortcuts": {},
            "scores": {"base": {"value": 0.3, "ci95": [0.2, 0.4]}, "EWC": {"value": 0.3, "ci95": [0.2, 0.4]}},
        },
    },
    "comparisons": [
        {"suite": "object_path", "a": "EWC", "b": "base", "difference": 0.2, "ci95": [0.1, 0.3]},
        {"suite": "counting", "a": "EWC", "b": "base", "difference": 0.0, "ci95": [-0.1, 0.1]},
    ],
    "retention": {
        "prose": {
            "title": "Letters",
            "perplexity": {"base": 20.0, "EWC": 20.1},
            "change": {"EWC": {"value": 0.005, "ci95": [0.001, 0.009]}},
        }
    },
    "contract": [
        {"claim": "It beats the base", "holds": True, "detail": "+0.2"},
        {"claim": "x", "holds": False, "detail": "y"},
    ],
}


def test_gains_losses_rules_and_promises_are_all_shown():
    lines = results_table(RESULTS).splitlines()
    (path,) = [line for line in lines if "EWC" in line and "0.50 [" in line]
    assert "+0.20 [+0.10, +0.30]" in path and "?" not in path
    (count,) = [line for line in lines if "EWC" in line and "+0.00 [" in line]
    assert count.endswith("?")
    text = "\n".join(lines)
    assert text.index("last two 0.75") < text.index("last place 0.30")
    assert "chance 0.20" in text
    assert "+0.50% [+0.10%, +0.90%]" in text
    assert "holds  It beats the base" in text and "FAILS  x" in text
    assert all(len(line) <= 100 and line == line.rstrip() for line in lines)


def test_without_general_text_nothing_is_said_of_it():
    assert "perplexity" not in results_table({**RESULTS, "retention": {}})


def test_the_gain_is_over_a_base_whatever_adapters_are_called():
    suite = RESULTS["suites"]["object_path"]
    found = results_table(
        {
            "models": [
                {"name": "base", "adapter": None},
                {"name": "EWC", "adapter": "ewc"},
                {"name": "baseline", "adapter": "plain"},
            ],
            "suites": {
                "object_path": {**suite, "scores": {**suite["scores"], "baseline": suite["scores"]["EWC"]}}
            },
            "comparisons": [
                {"suite": "object_path", "a": "EWC", "b": "base", "difference": 0.2, "ci95": [0.1, 0.3]},
                {"suite": "object_path", "a": "EWC", "b": "baseline", "difference": 0.0, "ci95": [-0.1, 0.1]},
            ],
            "retention": {},
        }
    )
    (line,) = [line for line in found.splitlines() if " EWC " in line]
    assert "+0.20 [+0.10, +0.30]" in line
