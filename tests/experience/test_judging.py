"""Judging: shortcuts that were planted are found, tasks that have one are refused."""

import json
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from tests.experience.lives import episodes
from worldschool.errors import DatasetError
from worldschool.experience import examples as examples_module
from worldschool.experience.examples import ExamplesConfig, examples_command, read_report
from worldschool.experience.questions import judging, shortcut_table
from worldschool.experience.questions.example_report import report_table
from worldschool.experience.questions.judging import ENOUGH, SHOWN, Judgement, Kept, judge, refuse
from worldschool.experience.questions.shortcut_table import judge_file, markdown_table
from worldschool.experience.questions.shortcuts import chance_of
from worldschool.experience.questions.words import WordModel, cues_of, words_right
from worldschool.experience.store import EpisodeStore
from worldschool.records import Example

ROOMS = ("kitchen", "garage", "garden", "hall")


def example(number, answer, options=("yes", "no"), story="", asked="Is it so?", task="t", **meta):
    return Example(
        f"x{number}", task, f"{story}\nQuestion: {asked}\nAnswer:", f" {answer}\n", answer, "heldout", f"e{number}",
        task, 1, 0, options, None if options is None else options.index(answer), dials=json.dumps({"length": 2}),
        meta=json.dumps({"story": story, **meta}),
    )  # fmt: skip


def told(number, answer, **changes):
    """A question whose story has a word that gives the answer away, among others that do not."""
    rng = Random(number)
    words = [rng.choice(("cup", "pen", "hat", "jar", "key", "box")) for _ in range(6)]
    return example(
        number, answer, story=f"Mary {' '.join(words)} {'sang' if answer == 'yes' else 'slept'}.", **changes
    )


def coins(count):
    return [("yes", "no")[Random(f"coin {number}").randrange(2)] for number in range(count)]


def test_words_of_the_story_that_give_the_answer_away_are_found():
    found = [told(number, answer) for number, answer in enumerate(coins(240))]
    assert words_right(found, len(found), 0, story=True) > 0.95
    assert words_right(found, len(found), 0, story=False) < 0.62
    assert words_right(found, len(found), 0, story=True) == words_right(found, len(found), 0, story=True)


def test_words_of_the_question_that_give_the_answer_away_are_found():
    found = [
        example(number, answer, asked=f"Is it {'warm' if answer == 'yes' else 'cold'}?")
        for number, answer in enumerate(coins(160))
    ]
    assert words_right(found, len(found), 0, story=False) > 0.95


def test_an_option_by_its_words_and_by_the_sentences_that_name_it():
    by_word, by_sentence = [], []
    for number in range(240):
        rng = Random(number)
        right = rng.choice(ROOMS[:3])
        by_word.append(example(number, "hall", (right, "hall")))
        others = [room for room in ROOMS if room != right]
        story = f"Mary sang in the {right}. " + " ".join(f"Mary sat in the {room}." for room in others)
        by_sentence.append(example(number, right, tuple(sorted(ROOMS)), story=story))
    assert words_right(by_word, 240, 0, story=False) > 0.95
    assert words_right(by_sentence, 240, 0, story=True) > 0.95
    assert words_right(by_sentence, 240, 0, story=False) < 0.45


def test_nothing_is_found_where_there_is_nothing():
    rng = Random(5)
    found = [
        example(
            number, rng.choice(("yes", "no")), story=f"Mary {rng.choice('abcdef')} {rng.choice('abcdef')}."
        )
        for number in range(400)
    ]
    assert abs(words_right(found, 400, 0, story=True) - 0.5) < 0.1


def test_the_first_are_answered_and_the_others_only_learned_from():
    found = [told(number, answer) for number, answer in enumerate(coins(200))]
    assert words_right(found, 20, 0, story=True) > 0.9
    assert words_right(found[:20], 20, 0, story=False) < 0.75


def test_a_tie_is_shared():
    cues = cues_of(example(0, "yes"), {}, story=True)
    assert WordModel().credit(cues, 0) == 0.5


def test_what_a_path_can_be_guessed_with():
    path = example(0, "hall, garden", None, rooms=list(ROOMS))
    assert chance_of(path) == pytest.approx(1 / 12)
    assert chance_of(example(0, "yes")) == 0.5
    assert chance_of(example(0, "Walk to the door.", None)) == 0


def test_all_shortcuts_are_shown_with_chance():
    found = judge([told(number, answer) for number, answer in enumerate(coins(120))])
    assert found.chance == 0.5 and next(iter(found.shortcuts)) == "majority"
    assert {"question_only", "bag_of_words"} <= set(found.shortcuts) <= {*SHOWN}
    assert found.best == "bag_of_words" and found.over > 0.4
    assert not found.judged and not found.rejected
    paths = [
        example(n, "kitchen, hall", None, story="Ann went to the kitchen. Ann took the cup. Ann went to the hall.",
                thing="cup", rooms=list(ROOMS))
        for n in range(9)
    ]  # fmt: skip
    written = judge(paths).shortcuts
    assert written["last_two"] == written["majority"] == written["recency"] == written["question_only"] == 1.0
    assert written["last_place"] == 0.0
    assert judge([]).shortcuts == {}


def test_a_rule_that_says_nothing_guesses():
    spoken = example(0, "hall", ("hall", "garden"), story="Mary put the cup in the hall.", about=["the cup"])
    silent = example(1, "hall", ("hall", "garden"), story="Mary put the cup in the hall.", about=["the pen"])
    assert judge([spoken, silent]).shortcuts["nearest_mention"] == 0.75
    assert "nearest_mention" not in judge([silent]).shortcuts


def test_the_most_frequent_place_is_counted_for_each_number_of_options():
    three = [example(n, "hall", ("hall", "garden", "kitchen")) for n in range(3)]
    two = [example(9 + n, "hall", ("garden", "hall")) for n in range(2)]
    assert judge([*three, *two]).shortcuts["majority"] == 1.0


# -- refusing ------------------------------------------------------------------------------------------------------------


def test_three_points_and_no_more():
    assert not Judgement(ENOUGH, 0.25, {"recency": 0.2799}).rejected
    assert Judgement(ENOUGH, 0.25, {"recency": 0.2801}).rejected
    assert not Judgement(ENOUGH - 1, 0.25, {"recency": 0.9}).rejected
    assert Judgement(ENOUGH, 0.5, {}).over == 0


def test_the_error_names_task_rule_score_chance_and_mend():
    fine, bad = (
        Judgement(6000, 0.25, {"recency": 0.26}),
        Judgement(6000, 0.25, {"majority": 0.2, "last_place": 0.41}),
    )
    with pytest.raises(
        DatasetError,
        match=r"more than 3 points \(holding: last place is right 41\.0% of the time, chance is 25\.0%\)\. Set `balance: true`",
    ):
        refuse({"counting": fine, "holding": bad}, balanced=False)
    with pytest.raises(DatasetError, match="Ask less of each episode"):
        refuse({"holding": bad}, balanced=True)
    refuse({"counting": fine}, balanced=False)


def test_what_is_kept_is_drawn_evenly():
    kept = Kept(0, most=100)
    for number in range(1000):
        kept.add(example(number, "yes"))
    (found,) = kept.tasks.values()
    parts = Counter(int(one.example_id[1:]) // 250 for one in found)
    assert len(found) == 100 and min(parts[part] for part in range(4)) > 12


@pytest.fixture
def stored(tmp_path):
    with EpisodeStore.create(tmp_path / "data", {"episodes": 60}, 0, 60) as store:
        store.commit_shard(0, [replace(one, index=at) for at, one in enumerate(episodes(60, "heldout"))])
    return tmp_path / "data"


def config_for(data, **changes):
    builders = {"object_location": {"every_moment": True, "per_episode": 3}}
    return ExamplesConfig.model_validate({"datasets": [str(data)], "builders": builders, **changes})


def test_a_task_with_a_shortcut_is_not_built(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "ENOUGH", 100)
    monkeypatch.setattr(examples_module, "ENOUGH", 100)
    with pytest.raises(DatasetError, match=r"object_location: last place is right .* Set `balance: true`"):
        examples_command(config_for(stored), tmp_path / "out")
    assert not (tmp_path / "out" / "examples.parquet").exists()
    path = examples_command(config_for(stored, refuse="none"), tmp_path / "as it is")
    report = read_report(path)
    assert report["judged"]["object_location"]["rejected"] is True
    assert "object_location: REJECTED: best shortcut last place" in report_table(report)


def test_few_questions_are_not_judged_and_that_is_said(stored, tmp_path):
    report = read_report(examples_command(config_for(stored), tmp_path / "out"))
    assert report["judged"] == {}
    assert "not judged, with fewer than 5,000 questions: object_location" in report_table(report)


def test_the_table_of_a_file(stored, tmp_path, monkeypatch):
    path = examples_command(config_for(stored), tmp_path / "out")
    found = judge_file(path)
    text = markdown_table(found)
    assert text.splitlines()[0].startswith(
        "| suite | items | chance | majority | recency | last place | last two |"
    )
    assert "`object_location`" in text and "(not judged)" in text
    assert shortcut_table.table_json(found)["object_location"]["n"] == found["object_location"].n > 100
