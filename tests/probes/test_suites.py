from collections import Counter

import pytest

from worldschool.canonical import canonical_json
from worldschool.errors import DatasetError
from worldschool.probes.ask import ask, score_prediction
from worldschool.probes.config import SuiteSettings
from worldschool.probes.shortcuts import shortcut_answers
from worldschool.probes.suites import check_overlap, draw_items, draw_shots, with_shots
from worldschool.records import Example

STORY = (
    "Mary walked to the kitchen. John went to the garden. Mary took the cup. Mary went to the hallway. "
    "John walked to the kitchen. Mary moved to the garden. John went to the garden."
)
META = canonical_json({"thing": "cup", "story": STORY, "rooms": ["garden", "hallway", "kitchen", "pantry"]})


def example(number, task="counting", answer="1", options=("0", "1", "2"), **changes):
    values = {
        "example_id": f"e{number}",
        "task": task,
        "prompt": f"Story {number}.\nQuestion: what?\nAnswer:",
        "completion": f" {answer}\n",
        "answer": answer,
        "split": "heldout",
        "episode_id": f"episode{number}",
        "builder": task,
        "builder_version": 1,
        "seed": 0,
        "options": options,
        "answer_index": options.index(answer) if options else None,
        "meta": META,
    }
    return Example(**{**values, **changes})


def test_items_are_balanced_over_answers():
    pool = [example(i, answer="1") for i in range(60)] + [example(100 + i, answer="0") for i in range(20)]
    pool += [example(200 + i, answer="2") for i in range(20)]
    items = draw_items(pool, "counting", SuiteSettings(items=30), seed=0)
    assert Counter(item.answer for item in items) == {"0": 10, "1": 10, "2": 10}
    assert items == draw_items(pool, "counting", SuiteSettings(items=30), seed=0)
    assert items != draw_items(pool, "counting", SuiteSettings(items=30), seed=1)


def test_items_are_balanced_over_the_right_options_position():
    pool = []
    for i in range(90):
        rooms = [f"room {i}", "hall", "attic"]
        right = rooms.pop(0)
        rooms.insert(0 if i < 60 else i % 3, right)
        pool.append(example(i, "object_location", right, tuple(rooms)))
    items = draw_items(pool, "object_location", SuiteSettings(items=30), seed=0)
    assert set(Counter(item.answer_index for item in items).values()) == {10}


def test_items_are_distinct_and_a_missing_task_is_named():
    pool = [example(0), example(0), example(1)]
    assert len(draw_items(pool, "counting", SuiteSettings(items=9, balance=False), seed=0)) == 2
    with pytest.raises(DatasetError, match="no example of the task 'object_path'.*counting"):
        draw_items(pool, "object_path", SuiteSettings(), seed=0)


def test_shots_come_from_different_episodes():
    pool = [example(i, episode_id=f"episode{i // 4}") for i in range(40)]
    sets = draw_shots(pool, "counting", 3, 2, seed=0)
    assert [len(shots) for shots in sets] == [3, 3]
    assert all(len({shot.episode_id for shot in shots}) == 3 for shots in sets)
    with pytest.raises(DatasetError, match="too few"):
        draw_shots(pool[:2], "counting", 3, 1, seed=0)


def test_shots_stand_before_the_question_with_blank_lines_between():
    assert with_shots(example(2), [example(0), example(1)]) == (
        "Story 0.\nQuestion: what?\nAnswer: 1\n\nStory 1.\nQuestion: what?\nAnswer: 1\n\n"
        "Story 2.\nQuestion: what?\nAnswer:"
    )


def test_items_that_were_trained_on_are_refused():
    check_overlap([example(1)], [example(2)])
    with pytest.raises(DatasetError, match="e1 is also in the training examples"):
        check_overlap([example(1)], [example(2), example(1, episode_id="other")])
    with pytest.raises(DatasetError, match="another split"):
        check_overlap([example(1)], [example(5, episode_id="episode1")])


def test_shortcuts_by_hand():
    path = example(0, "object_path", "kitchen, hallway, garden", None)
    assert shortcut_answers([path]) == {
        "last_place": ["garden"],
        "last_two": ["hallway, garden"],
        "most_mentioned": ["kitchen, garden"],
    }
    location = example(1, "object_location", "garden", ("pantry", "hallway", "garden"))
    assert shortcut_answers([location]) == {
        "last_place": ["garden"],
        "most_mentioned": ["garden"],
        "majority": ["garden"],
    }
    counts = [example(2, answer="1"), example(3, answer="1"), example(4, answer="0")]
    assert shortcut_answers(counts) == {"majority": ["1", "1", "1"]}
    assert shortcut_answers([]) == {}


class Oracle:
    """A model that knows the answers by their prompts' last line."""

    name = fingerprint = "oracle"
    context_length = 100

    def __init__(self):
        self.prompts = []

    def score(self, prompts, completions, advance=None):
        from worldschool.models.language import CompletionScore

        self.prompts += prompts
        # A long option has the better mean and the worse sum: the mean decides.
        return [
            [
                CompletionScore(-4.0 if option == " 2" else -3.0, 8 if option == " 2" else 1, 2)
                for option in options
            ]
            for options in completions
        ]

    def generate(self, prompts, max_new_tokens, advance=None):
        self.prompts += prompts
        return ["kitchen, hallway" for _ in prompts]


def test_choices_are_scored_by_mean_and_paths_by_run():
    found = ask(Oracle(), [example(0, answer="2"), example(1, answer="1")], SuiteSettings())
    assert [(answer.prediction, answer.correct) for answer in found] == [("2", True), ("2", False)]
    (path,) = ask(Oracle(), [example(0, "object_path", "kitchen, hallway, garden", None)], SuiteSettings())
    assert path.score == pytest.approx(2 / 3) and not path.correct


def test_shot_sets_take_turns_and_answers_keep_their_order():
    model = Oracle()
    items = [example(i, answer="2") for i in range(4)]
    shots = [[example(50, answer="1")], [example(60, answer="0")]]
    assert [answer.item_id for answer in ask(model, items, SuiteSettings(), shots)] == [
        "e0",
        "e1",
        "e2",
        "e3",
    ]
    assert [prompt[:9] for prompt in model.prompts] == ["Story 50.", "Story 50.", "Story 60.", "Story 60."]
    assert "Story 0" in model.prompts[0] and "Story 1" in model.prompts[2]


@pytest.mark.parametrize("task", ["object_path", "plan_generation", "counting"])
def test_the_reference_answer_scores_one(task):
    item = example(0, task, "1", ("0", "1", "2")) if task == "counting" else example(0, task, "kitchen", None)
    assert score_prediction(item, item.answer).score == 1.0
