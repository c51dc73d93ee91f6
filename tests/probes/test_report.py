"""The report: what it says, that it copes with parts missing, and that nothing from a world becomes markup."""

import copy
import csv
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from worldschool.errors import UserError
from worldschool.probes.reporting.facts import (
    Change,
    Reading,
    change_text,
    duration,
    listed,
    number,
    p_text,
    signed,
)
from worldschool.probes.reporting.figures import dial_values
from worldschool.probes.reporting.markdown import fenced, plain
from worldschool.probes.reporting.report import SCORE_COLUMNS, write_report
from worldschool.probes.reporting.summary import control_of, summary_of

EVIL = "<script>alert('x')</script>\"onload=\"1"
VOID = {"meta", "br", "link", "img", "input", "hr"}


def score(value, low, high, **more):
    cells = {
        "2": {"value": value, "n": 60},
        "10": {"value": value / 2, "n": 6},
        "4": {"value": value, "n": 9},
    }
    return {"value": value, "ci95": [low, high], "exact": None, "by_dial": {"length": cells}, **more}


def comparison(suite, a, b, difference, low, high, **more):
    words = "paired bootstrap; sign-flip permutation"
    interval = {"difference": difference, "ci95": [low, high], "p": 0.01, "test": words}
    return {"suite": suite, "a": a, "b": b, **interval, **more}


@pytest.fixture
def results():
    return {
        "schema": "worldschool.results/1",
        "title": "A small model goes to school",
        "command": "worldschool probe --model base",
        "seconds": 751.0,
        "versions": {"torch": "2.9"},
        "commit": "abc",
        "seed": 7,
        "models": [
            {"name": "base", "fingerprint": "ab" * 32, "adapter": None, "shots": 0, "about": "as it came"},
            {"name": "base, 3-shot", "fingerprint": "ab" * 32, "adapter": None, "shots": 3},
            {"name": "ewc", "fingerprint": "cd" * 32, "adapter": "runs/ewc", "shots": 0},
        ],
        "suites": {
            "path": {
                "title": "Object path tracking",
                "metric": "longest common substring",
                "kind": "generate",
                "n": 1150,
                "chance": None,
                "shortcuts": {"last_place": 0.31, "last_two": 0.58},
                "scores": {
                    "base": score(0.1, 0.05, 0.15, exact=0.0),
                    "base, 3-shot": score(0.4, 0.35, 0.45),
                    "ewc": score(0.7, 0.65, 0.75, exact=0.25),
                },
            },
            "count": {
                "title": "Counting",
                "kind": "choice",
                "n": 50,
                "chance": 0.2,
                "shortcuts": {"bag_of_words": 0.9},
                "scores": {"base": score(0.5, 0.4, 0.6), "ewc": score(0.53, 0.4, 0.63)},
                "controls": {"permuted_answers": 0.19},
                "excluded": 2,
            },
            "plan": {
                "title": "Plans",
                "n": 50,
                "scores": {"base": score(0.5, 0.4, 0.6), "ewc": score(0.3, 0.2, 0.4)},
            },
        },
        "comparisons": [
            comparison("path", "ewc", "base", 0.6, 0.5, 0.7),
            comparison("path", "ewc", "base, 3-shot", 0.3, 0.25, 0.35),
            comparison("count", "base", "ewc", -0.03, -0.12, 0.06),
            comparison("plan", "ewc", "base", -0.2, -0.3, -0.1),
        ],
        "retention": {
            "prose": {
                "title": "Python's prose",
                "tokens": 12000,
                "perplexity": {"base": 14.2, "ewc": 14.5},
                "bits_per_byte": {"base": 0.9, "ewc": 0.91},
                "change": {"ewc": {"value": 0.0211, "ci95": [0.01, 0.03]}},
            }
        },
        "contract": [
            {"claim": "Paths improve", "holds": True, "detail": "+0.30"},
            {"claim": "Counting improves", "holds": False, "detail": ""},
            {"claim": "Nothing else", "holds": None},
        ],
        "training": {
            "ewc": [
                {"step": i, "loss": 3 / (1 + i), "penalty": 1e-9 * i, "learning_rate": 1e-4}
                for i in range(900)
            ]
        },
        "made": [{"what": "episodes", "path": "runs/e", "about": "200 houses"}],
    }


@pytest.fixture
def items():
    return [
        {
            "suite": suite,
            "item_id": f"{suite}-{i}",
            "model": model,
            "prompt": f"Emily walks. Story {i} of {model}.\nAnswer:",
            "answer": "two",
            "prediction": " two\n" if i % 2 else None,
            "score": float(i % 2),
            "correct": bool(i % 2),
        }
        for suite in ("path", "count")
        for i in range(10)
        for model in ("base", "ewc")
    ]


def rendered(results, items, out):
    write_report(results, items, out)
    return (out / "report.html").read_text(), (out / "report.md").read_text()


class Outline(HTMLParser):
    """Collects tags and checks that each one opened is closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.split("</style>")[1]))


def test_page_is_whole_and_self_contained(results, items, tmp_path):
    page, _ = rendered(results, items, tmp_path)
    outline = Outline(page)
    assert not {"script", "link", "img", "iframe"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name in ("src", "href") or name.startswith("on")]
    assert "://" not in page and "@import" not in page and "url(" not in page
    assert "prefers-color-scheme: dark" in page and 'name="viewport"' in page
    drawings = re.findall(r"<svg viewBox=.*?</svg>", page, re.DOTALL)
    assert len(drawings) >= 9
    for drawing in drawings:
        root = ET.fromstring(drawing)
        if root.get("role") == "img":
            assert root.find("title").text and root.find("desc").text
        assert not re.search(
            r"(?:fill|stroke)=\"(?!var|none)", drawing
        )  # colours come from the page, which knows light from dark
    assert page.count("<table") == page.count('aria-label="Gains') + page.count('aria-label="How') == 2


def test_sections_come_in_order(results, items, tmp_path):
    page, _ = rendered(results, items, tmp_path)
    places = [
        page.index(f'id="{name}"')
        for name in ("contract", "table", "figures", "shortcuts", "asked", "examples", "made")
    ]
    assert places == sorted(places)


def test_summary_names_gain_loss_and_what_is_not_established(results):
    words = summary_of(Reading(results), "ewc")
    assert (
        "higher than the untrained model on 1 of 3 suites: Object path tracking (+0.30 [+0.25, +0.35])"
        in words
    )
    assert "No change is established on 1: Counting (+0.03 [\u22120.06, +0.12])" in words
    assert "lower on 1: Plans (\u22120.20 [\u22120.30, \u22120.10])" in words
    assert "perplexity on Python's prose rises (+2.11% [+1.00, +3.00])" in words
    assert "above the best rule of thumb on 1 of the 2" in words


def test_both_reports_say_the_same(results, items, tmp_path):
    page, markdown = rendered(results, items, tmp_path)
    for text in (text_of(page), markdown):
        assert "no change established" in text
        assert "▼ \u22120.20 [\u22120.30, \u22120.10]" in text
        assert "▲ +2.11% [+1.00, +3.00]" in text
        assert "12 min 31 s" in text and "worldschool probe --model base" in text and "runs/e" in text
        assert "0.58" in text and "last two" in text
    for sign, claim in (("✓", "Paths improve"), ("✗", "Counting improves"), ("–", "Nothing else")):
        assert f"- {sign} {claim}" in markdown
    assert "holds: " in page and "does not hold: " in page and "not measured: " in page


def test_a_rise_of_perplexity_is_shown_as_a_loss(results, items, tmp_path):
    page, _ = rendered(results, items, tmp_path)
    assert re.search(r'class="delta loss"><span aria-hidden="true">▲</span> \+2\.11%', page)
    assert re.search(r'class="delta gain"><span aria-hidden="true">▲</span> \+0\.30', page)


def test_dials_are_in_numeric_order(results, items, tmp_path):
    page, markdown = rendered(results, items, tmp_path)
    assert "2: 0.70, 4: 0.70, 10: 0.35" in markdown
    panel = re.search(r"<title>Counting by length</title>.*?</svg>", page, re.DOTALL).group()
    assert re.findall(r'class="quiet">(\d+)</text>', panel)[-3:] == ["2", "4", "10"]
    assert "(n = 6)" in panel and 'fill="var(--paper)"' in panel


def test_ranges_of_a_dial_are_in_the_order_of_where_they_begin():
    cells = {name: {"value": 0.5, "n": 9} for name in ("few", "100-228", "12-15", "2-5", "6-11", "-3")}
    found = dial_values({"by_dial": {"statements": cells}}, "statements")
    assert list(found) == ["-3", "2-5", "6-11", "12-15", "100-228", "few"]


def test_examples_are_the_first_of_the_last_learner(results, items, tmp_path):
    page, markdown = rendered(results, items, tmp_path)
    for text in (page, markdown):
        shown = re.findall(r"Story (\d) of (\w+)", text)
        assert shown == [(i, "ewc") for i in "135024"] * 2
    assert "(nothing)" in page


def test_scores_csv(results, items, tmp_path):
    results["comparisons"][1]["p_holm"] = 0.04
    results["suites"]["count"] |= {"normalization": "tokens", "decoding": None}
    rendered(results, items, tmp_path)
    header, *rows = csv.reader((tmp_path / "scores.csv").open())
    assert tuple(header) == SCORE_COLUMNS
    assert rows[1][:7] == ["path", "base, 3-shot", "1150", "0.4", "0.35", "0.45", ""]
    by_name = {tuple(row[:2]): dict(zip(header, row, strict=True)) for row in rows}
    assert len(by_name) == len(rows) == 3 + 2 + 2
    path, count = by_name["path", "ewc"], by_name["count", "ewc"]
    assert [
        path[k] for k in ("against", "difference", "difference_low", "difference_high", "p", "p_holm")
    ] == [*("base, 3-shot", "0.3", "0.25", "0.35", "0.01", "0.04")]
    assert [count[k] for k in ("excluded", "normalization", "chance", "best_shortcut", "shortcut_value")] == [
        *("2", "tokens", "0.2", "bag_of_words", "0.9")
    ]
    assert count["difference"] == "0.03" and count["p_holm"] == by_name["path", "base"]["difference"] == ""


def corrected(results, *p_values):
    for test, p in zip(results["comparisons"], p_values, strict=True):
        test["p_holm"] = p
    return results


@pytest.mark.parametrize(
    ("p_values", "words"),
    [
        (
            (1, 0.01, 1, 0.2),
            "(p below 0.05) 1 of these 2 differences stays established: Object path tracking.",
        ),
        ((1, 0.3, 0.001, 0.2), "(p below 0.05) none of these differences stays established."),
        ((1, 0.01, 1, 0.049), "(p below 0.05) all 2 of these differences stay established."),
    ],
)
def test_the_summary_says_what_stays_after_the_correction(results, p_values, words):
    told = summary_of(Reading(corrected(results, *p_values)), "ewc")
    assert f"After Holm's correction for all 4 comparisons {words}" in told


def test_p_values_stand_beside_differences(results, items, tmp_path):
    assert "corrected" not in summary_of(Reading(results), "ewc")  # older results have none
    page, markdown = rendered(corrected(results, 1, 0.0004, 1, 0.2), items, tmp_path)
    assert "▲ +0.30 [+0.25, +0.35] (p 0.010, corrected below 0.001 ✓)" in markdown
    assert "▼ \u22120.20 [\u22120.30, \u22120.10] (p 0.010, corrected 0.200)" in markdown
    assert page.count("stays established</span>") == 1 and "p 0.010, corrected 0.200<" in page
    assert p_text(Change(0.1, 0.0, 0.2, "base")) == ""
    assert not Change(0.1, -0.1, 0.2, "base", 0.01, 0.01).stays  # its interval does not say so


def test_how_suites_were_asked_is_told(results, items, tmp_path):
    results["suites"]["count"] |= {"normalization": "unconditional", "metric": "share right"}
    results["suites"]["path"] |= {"normalization": None, "decoding": "free"}
    page, markdown = rendered(results, items, tmp_path)
    assert "| Counting | 50 | 2 | log-likelihood less that without the question | share right |" in markdown
    assert "| Object path tracking | 1,150 | 0 | written freely | longest common substring |" in markdown
    assert "50 questions, 2 left out as too long; log-likelihood less that without the question" in text_of(
        page
    )
    for cell in re.findall(r"<td[^>]*>(?!</td>)", page):
        assert "data-head=" in cell, "on a phone, where rows are blocks, a cell says what it is"


def test_rules_that_reach_the_best_model_are_marked(results, items, tmp_path):
    page, markdown = rendered(results, items, tmp_path)
    blocks = page[page.index('id="shortcuts"') : page.index('id="asked"')]
    assert re.findall(r'<li class="over">.*?</span>.*?</span>(.*?)</li>', blocks) == [
        "bag of words <b>0.90</b>"
    ]
    assert "permuted answers <b>0.19</b>" in blocks  # older results have a number only
    assert "| Counting | 0.20 | bag of words 0.90 | permuted answers 0.19 |" in markdown
    assert blocks.index("last two <b>") < blocks.index("last place <b>"), "the highest first"


@pytest.fixture
def with_control(results):
    row = {"name": "permuted", "fingerprint": "cd" * 32, "adapter": "runs/p", "control": "permuted_answers"}
    results["models"].append(row)
    results["suites"]["path"]["scores"]["permuted"] = score(0.45, 0.4, 0.5)
    controls = {
        "base_few_shot": {"model": "base, 3-shot", "value": 0.4, "ci95": [0.35, 0.45]},
        "permuted_answers": {"model": "permuted", "value": 0.45, "ci95": [0.4, 0.5]},
    }
    results["suites"]["path"]["controls"] = controls
    results["comparisons"] += [
        comparison("path", "permuted", "base, 3-shot", 0.05, 0.01, 0.09),
        comparison("path", "ewc", "permuted", 0.25, 0.2, 0.3),
    ]
    return results


def test_a_control_is_no_learner_and_no_base(with_control, items, tmp_path):
    reading = Reading(with_control)
    assert (reading.learners, reading.controls) == (("ewc",), {"permuted": "permuted_answers"})
    assert reading.bases == ("base", "base, 3-shot") and reading.better_base("path") == "base, 3-shot"
    assert "ahead of the control permuted on 1 of 1 suite." in summary_of(reading, "ewc")
    told = control_of(reading, "permuted")
    assert "is a control (permuted answers)" in told
    assert "higher than the untrained model on 1 of 1 suite: Object path tracking (+0.05" in told
    rows = [*items, *({**row, "model": "permuted"} for row in items if row["model"] == "ewc")]
    page, markdown = rendered(with_control, rows, tmp_path)
    shown = (
        "base few shot (base, 3-shot) 0.40 (0.35 to 0.45), permuted answers (permuted) 0.45 (0.40 to 0.50)"
    )
    assert shown in markdown
    assert "permuted answers (permuted) 0.45 0.40 to 0.50" in text_of(page)
    assert "Answers of <strong>ewc</strong>" in page, "what learned is shown, not its control"
    assert ",permuted_answers," in (tmp_path / "scores.csv").read_text()


def test_nothing_from_a_world_becomes_markup(results, items, tmp_path):
    evil = copy.deepcopy(results)
    evil.update(title=EVIL, command=EVIL, commit=EVIL, versions={EVIL: EVIL})
    evil["contract"].append({"claim": EVIL, "holds": True, "detail": EVIL})
    evil["models"][2] |= {"name": EVIL, "about": EVIL, "adapter": EVIL, "fingerprint": EVIL}
    for suite in evil["suites"].values():
        suite["scores"][EVIL] = suite["scores"].pop("ewc")
        suite["scores"][EVIL]["by_dial"][EVIL] = {EVIL: {"value": 0.5, "n": 3}}
        suite |= {"title": EVIL, "metric": EVIL, "shortcuts": {EVIL: 0.4}, "controls": {EVIL: 0.4}}
    evil["retention"]["prose"] |= {"title": EVIL, "change": {EVIL: {"value": 0.1, "ci95": [0.0, 0.2]}}}
    evil["training"] = {EVIL: evil["training"]["ewc"]}
    evil["made"] = [{"what": EVIL, "path": EVIL, "about": EVIL}]
    rows = [
        {**r, "model": EVIL, **dict.fromkeys(("prompt", "answer", "prediction", "item_id"), EVIL)}
        for r in items
    ]
    page, markdown = rendered(evil, rows, tmp_path)
    outline = Outline(page)
    assert "script" not in outline.tags
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert page.count("&lt;script&gt;") > 30
    outside_fences = re.sub(r"(?ms)^```text$.*?^```$", "", markdown)
    assert "<script>" not in outside_fences


def test_markdown_cannot_be_broken_out_of():
    assert plain("a | b\n# c <i> `x`") == "a \\| b # c &lt;i&gt; \\`x\\`"
    assert plain("[x](http://y)") == "\\[x](http://y)"
    assert plain("+0.12 [+0.05, +0.19]") == "+0.12 [+0.05, +0.19]"
    story = "text\n```\n# out\n````"
    assert fenced(story).startswith("`````text\n") and fenced(story).endswith("\n`````")


@pytest.mark.parametrize(
    "gone", ["models", "suites", "retention", "comparisons", "contract", "training", "made", "command"]
)
def test_any_part_may_be_missing(results, items, tmp_path, gone):
    del results[gone]
    page, markdown = rendered(results, items, tmp_path)
    Outline(page)
    assert markdown.startswith("# ")
    if gone == "comparisons":
        assert "Untested differences, which establish nothing" in markdown and "not tested" in page


def test_almost_nothing_is_enough(tmp_path):
    page, markdown = rendered({"schema": "worldschool.results/1"}, [], tmp_path)
    Outline(page)
    assert "No suite of questions was scored." in page and "No suite" in markdown


def test_one_untrained_model_alone(results, items, tmp_path):
    results["models"] = results["models"][:1]
    results["suites"] = {
        "path": {"n": 1, "scores": {"base": {"value": 0.25, "ci95": None, "by_dial": None}}},
        "empty": {"n": 0, "scores": {"base": {"value": None}}},
    }
    page, markdown = rendered(
        results | {"training": {}, "retention": {}, "comparisons": []}, items[:1], tmp_path
    )
    Outline(page)
    assert "Only untrained models were measured" in page
    assert "One model, base, answered 1 question in 2 suites" in markdown
    assert (tmp_path / "scores.csv").read_text().splitlines()[1:] == [f"path,base,1,0.25{',' * 16}"]


def test_odd_numbers_do_not_stop_the_report(results, items, tmp_path):
    results["suites"]["path"]["scores"]["ewc"] |= {"value": float("nan")}
    results["suites"]["count"]["chance"] = 0
    results["suites"]["plan"]["n"] = 1
    results["training"]["ewc"] = [{"step": 1, "loss": 0.0, "penalty": 0.0}]
    items[0]["prompt"] = "a lone surrogate \ud800"
    page, _ = rendered(results, items, tmp_path)
    Outline(page)
    assert "nan" not in text_of(page).lower()


def test_same_results_same_bytes(results, items, tmp_path):
    assert rendered(results, items, tmp_path / "a") == rendered(copy.deepcopy(results), items, tmp_path / "b")


def test_another_schema_is_refused(results, tmp_path):
    with pytest.raises(UserError, match="worldschool.results/2.*this release reads"):
        write_report(results | {"schema": "worldschool.results/2"}, [], tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_numbers_read_well():
    assert (number(1234.5), number(None), number(-0.001), number(-2)) == (
        "1,234.50",
        "–",
        "0.00",
        "\u22122.00",
    )
    assert (signed(0.0), signed(-0.126)) == ("+0.00", "\u22120.13")
    assert change_text(Change(0.052, 0.004, 0.1, "base")) == "+0.052 [+0.004, +0.100]"
    assert change_text(Change(0.0004, -0.0003, 0.0011, "base"), percent=True) == "+0.04% [\u22120.03, +0.11]"
    assert (duration(4.04), duration(3725), duration(None)) == ("4.0 s", "1 h 02 min", "–")
    assert (listed([]), listed("a"), listed("abc")) == ("", "a", "a, b and c")


def test_an_interval_that_touches_zero_establishes_nothing():
    assert Change(0.1, 0.0, 0.2, "base").direction == "none"
    assert Change(0.1, 0.01, 0.2, "base").direction == "up"
    assert Change(-0.1, -0.2, -0.01, "base").direction == "down"
    assert Change(0.1, None, None, "base").direction == "untested"
