from collections import Counter

import pytest

from tests.probes.items import filled
from worldschool.canonical import canonical_json
from worldschool.errors import DatasetError
from worldschool.experience.questions.judging import written_answers
from worldschool.probes.ask import ask, score_prediction
from worldschool.probes.config import SuiteSettings
from worldschool.probes.metrics import path_score
from worldschool.probes.overlap import check_overlap
from worldschool.probes.shortcuts import shortcut_scores
from worldschool.probes.suites import draw_items, draw_shots, with_shots

STORY = (
    "Mary walked to the kitchen. John went to the garden. Mary took the cup. Mary went to the hallway. "
    "John walked to the kitchen. Mary moved to the garden. John went to the garden."
)
META = canonical_json({"thing": "cup", "story": STORY, "rooms": ["garden", "hallway", "kitchen", "pantry"]})


def example(number, task="counting", answer="1", options=("0", "1", "2"), **changes):
    prompt = f"Story {number}.\nQuestion: what?\nAnswer:"
    return filled(number, task, prompt, answer, options, **{"meta": META, **changes})


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
    assert written_answers([path]) == {
        "recency": ["kitchen, garden"],
        "last_place": ["garden"],
        "last_two": ["hallway, garden"],
        "most_mentioned": ["kitchen, garden"],
    }
    scores = shortcut_scores([path], score=lambda item, text: path_score(text, item.answer))
    assert scores == {
        "majority": 1.0,
        "recency": pytest.approx(1 / 3),
        "last_place": pytest.approx(1 / 3),
        "last_two": pytest.approx(2 / 3),
        "most_mentioned": pytest.approx(1 / 3),
    }
    assert shortcut_scores([path])["last_two"] == 0.0, "without a score only the answer itself is right"
    location = example(1, "object_location", "garden", ("pantry", "hallway", "garden"))
    scores = shortcut_scores([location])
    assert {name: scores[name] for name in ("last_place", "most_mentioned", "recency", "majority")} == {
        "last_place": 1.0,
        "most_mentioned": 1.0,
        "recency": 1.0,
        "majority": 1.0,
    }
    counts = [example(2, answer="1"), example(3, answer="1"), example(4, answer="0")]
    assert shortcut_scores(counts)["majority"] == pytest.approx(2 / 3)
    assert shortcut_scores([]) == {} and written_answers([]) == {}


def test_words_are_learned_from_the_questions_that_are_not_asked():
    told = [
        example(i, answer="10"[i % 2], options=("0", "1"), meta=canonical_json({"story": f"It {'rains' if i % 2 else 'snows'}."}))
        for i in range(200)
    ]  # fmt: skip
    items, others = told[:10], told
    alone, helped = shortcut_scores(items), shortcut_scores(items, others)
    assert helped["bag_of_words"] == 1.0 > alone["majority"]
    assert {"question_only", "bag_of_words"} <= set(helped)


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
