"""What counts as trained on: the same prompt, alone, behind worked examples or as one of them, or the same episode."""

import json

import pytest

from worldschool.errors import DatasetError, UserError
from worldschool.experience.examples import write_examples
from worldschool.probes.overlap import Overlap, refuse_trained_on, trained, training_record
from worldschool.records import Example


def example(name, prompt, episode="own"):
    return Example(name, "counting", prompt, " 1\n", "1", "heldout", f"{name} {episode}", "counting", 1, 0)


ITEMS = [example(f"e{n}", f"Story {n}.\n\nIt goes on.\nAnswer:") for n in range(8)]


def overlap(*examples, items=ITEMS):
    found = Overlap({"counting": items})
    found.add(examples)
    return found


@pytest.mark.parametrize(
    "other",
    [
        example("x", ITEMS[3].prompt),
        example("x", f"Another.\nAnswer: 2\n\n{ITEMS[3].prompt}"),
        example(
            "x", f"{ITEMS[3].prompt} 1\n\nStory 9.\nAnswer:"
        ),  # its answer may be learned (`learn_shots`)
        example("x", f"Another.\nAnswer: 2\n\n{ITEMS[3].prompt} 1\n\nStory 9.\nAnswer:"),
        example("e3", "The same episode, asked otherwise.\nAnswer:"),
    ],
)
def test_an_item_is_found(other):
    with pytest.raises(
        DatasetError, match=r"adapters.A: counting: items that A learned are asked, 1 of them: e3\. "
    ):
        overlap(other).refuse("A learned", "adapters.A")


def test_an_item_behind_worked_examples_is_found_where_it_was_trained_on_alone():
    behind = [example("b", f"Shown.\nAnswer: 2\n\n{ITEMS[0].prompt}")]
    with pytest.raises(DatasetError, match="1 of them: b"):
        overlap(example("x", ITEMS[0].prompt), items=behind).refuse("A learned", "adapters.A")


@pytest.mark.parametrize(
    "prompt",
    [
        "Story 9.\n\nIt goes on.\nAnswer:",  # ends as the items do, and is another story
        f"Before. {ITEMS[3].prompt}",
    ],
)
def test_what_is_only_alike_is_no_overlap(prompt):
    overlap(example("x", prompt)).refuse("A learned", "adapters.A")


def test_a_few_items_are_named_and_the_others_counted():
    with pytest.raises(
        DatasetError, match=r"items .* are asked, 7 of them: e1, e2, e3, e4, e5 and 2 more\. Probe on"
    ):
        overlap(*ITEMS[1:]).refuse("A learned", "adapters.A")


def test_a_damaged_training_record_is_named(tmp_path):
    assert training_record(tmp_path) is None
    (tmp_path / "training.json").write_text("[")
    with pytest.raises(UserError, match="training.json: a training record cannot be read"):
        refuse_trained_on({"counting": ITEMS}, {"A": str(tmp_path)})
    (tmp_path / "training.json").write_text("[]")
    with pytest.raises(UserError, match="a JSON object"):
        refuse_trained_on({"counting": ITEMS}, {"A": str(tmp_path)})


def test_examples_are_looked_for_where_the_training_was_started(tmp_path, monkeypatch, capsys):
    write_examples(tmp_path / "school" / "examples.jsonl", ITEMS[:1])
    for name in ("a", "b"):
        (tmp_path / "school" / name).mkdir()
        record = {"config": {"examples": ["school/examples.jsonl"]}}
        (tmp_path / "school" / name / "training.json").write_text(json.dumps(record))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    adapters = {name: str(tmp_path / "school" / name) for name in ("a", "b")}
    with pytest.raises(DatasetError, match="adapters.a: counting: .* 1 of them: e0"):
        refuse_trained_on({"counting": ITEMS}, adapters)
    (tmp_path / "school" / "examples.jsonl").unlink()
    refuse_trained_on({"counting": ITEMS}, adapters)
    told = capsys.readouterr().err
    assert told.count("examples.jsonl, which is not there") == 2 and "adapter b " in told


def test_adapters_of_other_make_are_told(tmp_path, capsys):
    refuse_trained_on({"counting": ITEMS}, {"A": str(tmp_path)})
    assert "what the adapter A was trained on is not recorded" in capsys.readouterr().err


def test_how_much_was_trained_on_is_what_the_record_says():
    assert trained({"steps": 5, "examples": 80, "tokens": None, "seconds": 3.0}) == {
        "steps": 5,
        "examples": 80,
    }
