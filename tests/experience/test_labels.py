"""Every label of every suite whose answer follows from the story: an independent reader of the text agrees.

`python -m benchmarks.labels` does the same for 20,000 questions.
"""

from collections import Counter
from functools import cache

import pytest

from tests.experience.lives import HOUSEHOLD, build, episodes, scripted_episode
from tests.experience.solvers.answering import READABLE, answer
from tests.experience.solvers.reading import Deed, read_clause, read_story
from worldschool.envs import make
from worldschool.experience.builders.table import BUILDERS

SETTINGS = {
    "object_location": {"every_moment": True},
    "counting": {"of": ["place", "visits", "rooms", "held"]},
}
ACTED = ("containment", "desk")


@cache
def houses(count):
    world = make(HOUSEHOLD, split="heldout", characters=2, control="all", objects=[10, 16], max_steps=2)
    return tuple(scripted_episode(world, seed, []) for seed in range(count))


def asked(task, style, count=30):
    lived = houses(count) if task in ACTED else episodes(2 * count)
    values = {"style": style, "per_episode": 4, **SETTINGS.get(task, {})}
    return [example for episode in lived for example in build(task, episode, **values)]


@pytest.mark.parametrize("style", ["plain", "brief"])
@pytest.mark.parametrize("task", READABLE)
def test_a_reader_of_the_story_agrees(task, style):
    found = asked(task, style)
    assert len(found) > 40
    for example in found:
        options = None if example.options is None else list(example.options)
        assert answer(example.prompt, options) == example.answer, example.prompt


def test_a_reader_of_another_story_does_not():
    found = asked("desk", "plain", 12)
    other = [
        f"{found[-1 - at].prompt.split(chr(10))[0]}\n{one.prompt.split(chr(10), 1)[1]}"
        for at, one in enumerate(found)
    ]
    agreed = 0
    for example, prompt in zip(found, other, strict=True):
        try:
            agreed += answer(prompt, list(example.options)) == example.answer
        except ValueError:
            continue
    assert agreed < 0.6 * len(found)


def test_sentences_are_read_as_written():
    story = "Ann was in the den. Ann took off the hat. Ben put the cup on the desk, then the pen next to it, and finally the key. Ann left the hat there."  # fmt: skip
    assert read_story(story) == [
        Deed("Ann", "be", where="the den"),
        Deed("Ann", "unwear", "the hat"),
        *(Deed("Ben", "put", thing, "on", "the desk") for thing in ("the cup", "the pen", "the key")),
        Deed("Ann", "drop", "the hat"),
    ]
    assert read_clause("Ann put on the hat").what == "wear"
    assert read_clause("Ann put the hat on the bed").act == ("put", "the hat")
    with pytest.raises(ValueError, match="what does this say"):
        read_clause("Ann danced")
    with pytest.raises(ValueError, match="what is asked"):
        answer(f"{story}\nQuestion: Why?\nAnswer:", None)


def test_what_is_read_covers_every_suite_about_stories():
    by_text = {name for name, spec in BUILDERS.items() if spec.classes == ("room",)}
    assert by_text <= set(READABLE) and Counter(READABLE).most_common(1)[0][1] == 1
