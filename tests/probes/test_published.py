"""Published suites, from small files written in their formats; E2WM's own files where they are given."""

import json
import os
from pathlib import Path

import pytest

from worldschool.config import build_config
from worldschool.errors import ConfigError, DatasetError
from worldschool.probes.ask import score_prediction
from worldschool.probes.config import ProbeConfig
from worldschool.probes.published.e2wm import TASKS
from worldschool.probes.published.reading import read_published
from worldschool.probes.published.robothow import sentence

CONFORMANCE = os.environ.get("WORLDSCHOOL_CONFORMANCE_DATA")
BABI = """1 Mary moved to the bathroom.
2 John went to the hallway.
3 Where is Mary? \tbathroom\t1
4 Daniel went back to the hallway.
5 Where is Daniel? \thallway\t4
1 Sandra took the milk.
2 Sandra went to the garden.
3 Where is the milk?\tgarden\t1 2
"""
PROGRAM = """Put the cup away
I take the cup and put it in the cupboard.



[WALK] <dining_room> (1)
[FIND] <cup> (1.45)
[GRAB] <cup> (1)
[PUTIN] <cup> (1) <kitchen_cabinet> (1)
[STANDUP]
"""


def config(**published):
    values = {name: {"path": str(one.pop("path")), **one} for name, one in published.items()}
    return build_config(ProbeConfig, {"published": values}, "probe.yaml")


def suites(seed=0, **published):
    return {suite.name: suite for suite in read_published(config(**published).published, seed)}


def write(path: Path, rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows))
    return path


# -- E2WM ---------------------------------------------------------------------------------------------------------------

CHOICE = {"input": "Q: how many?\nA:", "answer_list": ["0", "1", "2"], "answer": "1"}
PLAN = {"input": "Q: How to rest?\nA:", "ref": "Walk to bed. Lie on bed."}


@pytest.fixture
def e2wm(tmp_path):
    write(tmp_path / "qa" / "count.json", [CHOICE, {**CHOICE, "answer": "2"}, CHOICE])
    write(tmp_path / "qa" / "housework_qa.json", [CHOICE])
    write(tmp_path / "gen" / "plan_gen.json", [PLAN])
    write(tmp_path / "gen" / "gen_obj_move_path.jsonl", [{"input": "Answer:", "ref": "hall, attic, hall"}])
    return tmp_path


def test_e2wm_files_become_items_with_their_own_normalisation(e2wm):
    found = suites(theirs={"format": "e2wm", "path": e2wm})
    assert list(found) == [
        "theirs_housework_qa",
        "theirs_count",
        "theirs_plan_gen",
        "theirs_obj_move_path",
    ]
    assert found["theirs_count"].normalization == "tokens"
    assert found["theirs_housework_qa"].normalization == "unconditional"
    one, other, again = found["theirs_count"].items
    assert (one.prompt, one.options, one.answer_index) == (CHOICE["input"], ("0", "1", "2"), 1)
    assert other.answer_index == 2 and other.example_id != one.example_id
    assert again.example_id == f"{one.example_id}-2"  # asked twice as published, and told apart
    plan = found["theirs_plan_gen"].items[0]
    assert plan.options is None and plan.answer == PLAN["ref"] and json.loads(plan.dials) == {"length": 2}
    assert found["theirs_plan_gen"].max_new_tokens == 256


def test_e2wm_answers_are_scored_as_e2wm_does(e2wm):
    found = suites(theirs={"format": "e2wm", "path": e2wm})
    path = found["theirs_obj_move_path"].items[0]
    assert score_prediction(path, "hall, attic").score == pytest.approx(2 / 3)
    assert score_prediction(path, "Hall, attic, hall").score == pytest.approx(2 / 3)  # as written: H is not h
    plan = found["theirs_plan_gen"].items[0]
    # walk to bed lie on bed | walk to bed: 3 of 6 and of 3 words
    assert score_prediction(plan, "Walking to the bed.").score == pytest.approx(2 * 3 / (6 + 4))
    assert score_prediction(found["theirs_count"].items[0], "1").correct


def test_e2wm_tasks_and_items_can_be_chosen(e2wm):
    few = suites(e2wm={"format": "e2wm", "path": e2wm, "tasks": ["count"], "items": 2}, seed=1)
    assert list(few) == ["e2wm_count"] and len(few["e2wm_count"].items) == 2
    assert few == suites(e2wm={"format": "e2wm", "path": e2wm, "tasks": ["count"], "items": 2}, seed=1)
    whole = suites(e2wm={"format": "e2wm", "path": e2wm / "qa" / "count.json"})["e2wm_count"].items
    kept = [one for one in whole if one in few["e2wm_count"].items]
    assert kept == list(few["e2wm_count"].items)  # in the order of the file


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([CHOICE, {**CHOICE, "answer": "7"}], r"count.json, line 2: answer: '7' is not among the options"),
        ([{**CHOICE, "answer_list": ["1", "1"]}], r"line 1: answer_list: the options are not distinct"),
        ([{**CHOICE, "answer_list": "1"}], r"line 1: answer_list: a list of texts is expected, found '1'"),
        ([{**CHOICE, "input": " "}], r"line 1: input: a text is expected, found ' '"),
        ([{"input": "x"}], r"line 1: answer: a text is expected, found nothing"),
        ("{'input': 1}\n", r"line 1: this is not JSON"),
        ("[1]\n", r"line 1: found list, not a JSON object"),
        ("\n", r"there is no line in it"),
    ],
)
def test_a_malformed_e2wm_line_is_named(tmp_path, rows, words):
    write(tmp_path / "count.json", rows)
    with pytest.raises(DatasetError, match=words):
        suites(e2wm={"format": "e2wm", "path": tmp_path})


def test_missing_e2wm_files_are_named(e2wm, tmp_path):
    with pytest.raises(DatasetError, match="no such folder.*data/eval"):
        suites(e2wm={"format": "e2wm", "path": tmp_path / "nowhere"})
    with pytest.raises(DatasetError, match=r"no file act_infer.json in it"):
        suites(e2wm={"format": "e2wm", "path": e2wm, "tasks": ["count", "act_infer"]})
    write(e2wm / "copy" / "qa_count.jsonl", [CHOICE])
    with pytest.raises(DatasetError, match=r"task count is there twice"):
        suites(e2wm={"format": "e2wm", "path": e2wm})
    with pytest.raises(DatasetError, match="none of E2WM's files"):
        suites(e2wm={"format": "e2wm", "path": write(tmp_path / "empty" / "a.txt", "").parent})


@pytest.mark.skipif(not CONFORMANCE, reason="WORLDSCHOOL_CONFORMANCE_DATA is not set")
def test_every_file_of_e2wm_is_read_whole():
    root = Path(CONFORMANCE) / "e2wm" / "eval_dev"
    found = suites(e2wm={"format": "e2wm", "path": root})
    assert set(found) == {f"e2wm_{task}" for task in TASKS}
    for task, about in TASKS.items():
        (file,) = (one for one in root.iterdir() if one.stem in (f"qa_{task}", f"gen_{task}"))
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        items = found[f"e2wm_{task}"].items
        assert [one.prompt for one in items] == [row["input"] for row in rows]
        assert [one.answer for one in items] == [
            row["ref" if about.normalization is None else "answer"] for row in rows
        ]
        assert len({one.example_id for one in items}) == len(rows)
        assert all(score_prediction(one, one.answer).correct for one in items)
    recognition = found["e2wm_act_recog"].items
    assert {one.answer_index for one in recognition} == {3}  # as published: always the fourth


# -- bAbI ---------------------------------------------------------------------------------------------------------------


def test_babi_questions_know_what_was_told_before_them(tmp_path):
    write(tmp_path / "en" / "qa1_single-supporting-fact_test.txt", BABI)
    write(tmp_path / "en" / "qa1_single-supporting-fact_train.txt", BABI.replace("garden", "attic"))
    (suite,) = suites(babi={"format": "babi", "path": tmp_path / "en"}).values()
    assert suite.name == "babi_qa1" and "one supporting fact" in suite.title
    first, second, third = suite.items
    assert first.prompt == (
        "Mary moved to the bathroom. John went to the hallway.\nQuestion: Where is Mary?\nAnswer:"
    )
    assert second.prompt.startswith(
        "Mary moved to the bathroom. John went to the hallway. Daniel went back to the hallway.\n"
    )
    assert third.prompt.startswith("Sandra took the milk. Sandra went to the garden.\n")
    assert [one.answer for one in suite.items] == ["bathroom", "hallway", "garden"]
    assert {one.options for one in suite.items} == {("bathroom", "garden", "hallway")}
    assert json.loads(third.dials) == {"facts": 2, "statements": 2}


def test_babi_can_be_answered_in_own_words(tmp_path):
    write(
        tmp_path / "qa8_lists-sets_test.txt",
        "1 John took the milk.\n2 What is John carrying?\tmilk,apple\t1\n",
    )
    (suite,) = suites(babi={"format": "babi", "path": tmp_path, "answers": "generate"}).values()
    (one,) = suite.items
    assert one.options is None
    assert [score_prediction(one, said).score for said in ("milk, apple.", "Milk,apple", "apple")] == [
        1,
        1,
        0,
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "1 Mary left.\n3 Where is Mary?\tattic\t1\n",
            r"test.txt, line 2: number: line 2 of the story is expected, found 3",
        ),
        ("Mary left.\n", r"line 1: a number and a sentence are expected, found 'Mary left.'"),
        ("1 Mary left.\n2 Where is Mary?\t\t1\n", r"line 2: answer: it is empty"),
        ("1 Mary left.\n2 Where?\tattic\t9\n", r"line 2: supporting facts: '9' is no statement"),
        ("1 Mary left.\n", r"there is no question in it"),
        ("1 A.\n2 Where?\tattic\t1\n", r"every answer is 'attic'.*answers: generate"),
    ],
)
def test_a_malformed_babi_line_is_named(tmp_path, text, words):
    write(tmp_path / "qa1_x_test.txt", text)
    with pytest.raises(DatasetError, match=words):
        suites(babi={"format": "babi", "path": tmp_path})


def test_missing_babi_files_are_named(tmp_path):
    write(tmp_path / "en" / "qa1_x_test.txt", BABI)
    with pytest.raises(DatasetError, match="It has the folders en: name one of them"):
        suites(babi={"format": "babi", "path": tmp_path})
    with pytest.raises(DatasetError, match=r"no file qa2_..._test.txt"):
        suites(babi={"format": "babi", "path": tmp_path / "en", "tasks": [1, 2]})
    with pytest.raises(DatasetError, match=r"_valid.txt"):
        suites(babi={"format": "babi", "path": tmp_path / "en", "split": "valid"})
    write(tmp_path / "en" / "qa1_y_test.txt", BABI)
    with pytest.raises(DatasetError, match=r"task 1 is there twice"):
        suites(babi={"format": "babi", "path": tmp_path / "en"})


# -- RobotHow -----------------------------------------------------------------------------------------------------------


def test_robothow_programs_become_plans_to_write(tmp_path):
    write(tmp_path / "results" / "file1_1.txt", PROGRAM)
    write(tmp_path / "other" / "file2_1.txt", PROGRAM)  # the same again
    write(tmp_path / "other" / "file3_1.txt", "Rest\n\n" + "[STANDUP]\n" * 21)
    (suite,) = suites(rh={"format": "robothow", "path": tmp_path, "shots": 0}).values()
    (one,) = suite.items
    assert suite.name == "rh_plans"
    assert one.prompt == (
        "Task: Put the cup away\nDescription: I take the cup and put it in the cupboard.\n"
        "Things: cup, dining room, kitchen cabinet.\nPlan:"
    )
    assert one.answer == "Walk to dining room. Find cup. Grab cup. Put cup in kitchen cabinet. Stand up."
    assert json.loads(one.meta)["program"][1] == "[FIND] <cup> (45)"
    assert score_prediction(one, one.answer).correct
    assert score_prediction(one, "Walk to dining room. Grab cup.").score == pytest.approx(1 / 5)
    (bare,) = suites(rh={"format": "robothow", "path": tmp_path, "described": False, "shots": 0}).values()
    assert "Description" not in bare.items[0].prompt


def test_programs_that_are_shown_are_not_asked(tmp_path):
    for name in ("Read", "Rest", "rest", "Wash"):
        write(tmp_path / f"{name}.txt", f"{name}\n[WALK] <{name}> (1)\n[STANDUP]\n")
    (suite,) = suites(rh={"format": "robothow", "path": tmp_path, "shots": 1}).values()
    (same,) = suites(rh={"format": "robothow", "path": tmp_path, "shots": 1}).values()
    assert suite == same and suite != suites(seed=1, rh={"format": "robothow", "path": tmp_path, "shots": 1})
    first = suite.items[0].prompt
    shot, _, rest = first.partition("\n\n")
    shown = shot.partition("\n")[0].casefold()
    assert shot.endswith(". Stand up.") and rest.startswith("Task: ")
    assert all(one.prompt.startswith(shot + "\n\n") for one in suite.items)
    assert all(f"\n{shown}\n" not in one.prompt.casefold().removeprefix(shown) for one in suite.items)
    with pytest.raises(DatasetError, match="its 4 programs are too few to show 3 and ask others"):
        suites(rh={"format": "robothow", "path": tmp_path, "shots": 3})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Rest\n[JUMP] <bed> (1)\n", r"a.txt, line 2: there is no action 'JUMP'"),
        ("Rest\n[WALK]\n", r"line 2: WALK takes 1 object"),
        ("Rest\n[WALK] <bed> (x)\n", r"line 2: \(x\) is no instance"),
        ("Rest\n[STANDUP]\nand so on\n", r"line 3: a step is expected, found 'and so on'"),
        ("[STANDUP]\n", r"line 1: the task's name is expected"),
        ("Rest\nslowly\n", r"there is no step"),
    ],
)
def test_a_malformed_program_is_named(tmp_path, text, words):
    write(tmp_path / "a.txt", text)
    with pytest.raises(DatasetError, match=words):
        suites(rh={"format": "robothow", "path": tmp_path})


def test_missing_programs_are_named(tmp_path):
    with pytest.raises(DatasetError, match="no such folder.*executable_programs"):
        suites(rh={"format": "robothow", "path": tmp_path / "nowhere"})
    with pytest.raises(DatasetError, match=r"there is no program \(.txt\) in it"):
        suites(rh={"format": "robothow", "path": tmp_path})
    write(tmp_path / "a.txt", PROGRAM)
    with pytest.raises(DatasetError, match="none of its 1 programs has at most 2 steps"):
        suites(rh={"format": "robothow", "path": tmp_path, "longest": 2})
    write(tmp_path / "cases.json", json.dumps([{"activity": "Rest"}]))
    with pytest.raises(DatasetError, match="case 0: an activity and a program"):
        suites(rh={"format": "robothow", "path": tmp_path / "cases.json"})


@pytest.mark.skipif(not CONFORMANCE, reason="WORLDSCHOOL_CONFORMANCE_DATA is not set")
def test_real_programs_are_told_in_words():
    cases = Path(CONFORMANCE) / "virtualhome" / "cases_dev.json.gz"
    (suite,) = suites(rh={"format": "robothow", "path": cases, "longest": 100}).values()
    assert len(suite.items) > 250
    assert all("[" not in one.answer and "_" not in one.answer for one in suite.items)
    assert all(len(json.loads(one.meta)["program"]) == json.loads(one.dials)["length"] for one in suite.items)


def test_every_action_has_words():
    from worldschool.envs.household.scene.program import ARITY, Line

    for action, arity in ARITY.items():
        told = sentence(Line(action, ("tv_stand", "cup")[:arity], (1, 2)[:arity]))
        assert told[0].isupper() and told.endswith(".") and told.count("tv stand") == min(1, arity)


# -- the configuration --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "nothing to ask: give `examples`, `published` suites, or both"),
        ({"published": {"x": {"format": "e2vm", "path": "p"}}}, "published.x"),
        ({"published": {"x": {"path": "p"}}}, "published.x"),
        ({"published": {"x": {"format": "e2wm"}}}, "published.x.path: this key is required but missing"),
        (
            {"published": {"x": {"format": "e2wm", "path": "p", "tasks": ["counting"]}}},
            "published.x.tasks.0",
        ),
        ({"published": {"x": {"format": "babi", "path": "p", "tasks": [21]}}}, "published.x.tasks.0"),
        (
            {"published": {"x": {"format": "babi", "path": "p", "itms": 3}}},
            "unknown key.*Did you mean 'items'",
        ),
        (
            {"suites": {"counting": {}}, "published": {"x": {"format": "e2wm", "path": "p"}}},
            "about `examples`",
        ),
    ],
)
def test_settings_are_checked(values, words):
    with pytest.raises(ConfigError, match=words):
        build_config(ProbeConfig, values, "probe.yaml")


def test_two_suites_of_one_name_are_refused(tmp_path):
    write(tmp_path / "housework_qa.json", [CHOICE])
    write(tmp_path / "neg_housework_qa.json", [CHOICE])
    with pytest.raises(ConfigError, match="published.a_neg: two suites are called a_neg_housework_qa"):
        suites(
            a={"format": "e2wm", "path": tmp_path},
            a_neg={"format": "e2wm", "path": tmp_path, "tasks": ["housework_qa"]},
        )
