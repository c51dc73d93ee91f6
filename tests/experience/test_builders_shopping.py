"""Questions about shopping: every answer is worked out again from pages, prices and the reward."""

import re

import pytest

from tests.envs import small_shop
from tests.experience.lives import build
from worldschool.envs import make
from worldschool.envs.shop.reward import attributes_met
from worldschool.experience.builders.base import BUILDERS, ask, builder_settings
from worldschool.experience.builders.shopping.visits import shopping
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import Goal

WORLD = "worldschool/Shop-v0"
SHOPPING = [name for name, spec in BUILDERS.items() if spec.classes == ("page",)]
LOOKING = [
    "search[lavender candle]",
    "click[b0candle02]",
    "click[navy blue]",
    "click[white]",
    "click[< prev]",
    "click[b0candle00]",
    "click[large]",
    "click[navy blue]",
    "click[features]",
    "click[< prev]",
    "click[buy now]",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(small_shop.write(tmp_path_factory.mktemp("shop") / "catalogue"))


class Script:
    """An agent that does what it is told."""

    def __init__(self, actions):
        self._actions = list(actions)

    def reset(self, goal, info):
        pass

    def act(self, observation, info):
        return self._actions.pop(0) if self._actions else None


def lived(folder, actions, goal=None, seed=0, agent="script"):
    world = make(WORLD, catalogue=folder)
    label = EpisodeLabel(f"{seed}", 0, seed, seed, agent, "{}", "train")
    return record_episode(world, Script(actions), label, goal=goal, strict=True)


@pytest.fixture(scope="module")
def episode(folder):
    found = lived(folder, LOOKING)
    assert found.success and found.length == len(LOOKING)
    return found


def the_product(asin):
    return next(product for product in small_shop.PRODUCTS if product.asin == asin)


def test_the_product_that_fits_has_everything_and_the_others_miss_something(episode):
    found = build("fitting_product", episode, options=3)
    assert found
    for example in found:
        assert example.answer == "B0CANDLE00" and sorted(example.options) == sorted(set(example.options))
        for asin in example.options:
            product = the_product(asin)
            had = attributes_met(["long lasting", "lavender"], product.to_webshop(), "mended") == 2
            assert (had and product.prices[0] <= 40) == (asin == example.answer)
            assert f"{asin}: {product.title}. {product.price_text}." in example.prompt


def test_exactly_one_part_is_missed(episode):
    found = build("violated_constraint", episode, per_episode=9)
    assert {example.answer for example in found} == {"lavender"}, "pines and vanilla miss the scent alone"
    for example in found:
        assert sorted(example.options) == [
            "at most 40.00 dollars",
            "color: navy blue",
            "kind: scented candles",
            "lavender",
            "long lasting",
        ]
        assert not re.search("B0CANDLE0[02]: ", example.prompt), "one misses nothing, the other two parts"


def test_the_last_choice_of_each_product(episode):
    found = build("chosen_option", episode, per_episode=9, style="plain")
    answers = {}
    for example in found:
        name, asin = re.search(r"Which (\w+) was chosen last for product (\w+)\?", example.prompt).groups()
        answers[name, asin] = example.answer
        assert {"navy blue", "white"} <= set(example.options)
    assert answers == {("color", "B0CANDLE02"): "white", ("color", "B0CANDLE00"): "navy blue"}


def test_prices_are_compared(episode):
    for example in build("price_comparison", episode, per_episode=6, options=3):
        prices = {asin: the_product(asin).prices[0] for asin in example.options}
        wanted = (max if "costs most?" in example.prompt else min)(prices.values())
        assert prices[example.answer] == wanted and len(set(prices.values())) == 3


def test_the_next_click_is_better_than_the_others(folder, episode):
    found = build("next_click", episode, per_episode=9)
    by_answer = {example.answer: example for example in found}
    assert set(by_answer) == {"click[navy blue]", "click[buy now]"}, "which size is bought is all the same"
    assert set(by_answer["click[navy blue]"].options) == {
        "click[navy blue]",
        "click[buy now]",
        "click[white]",
    }
    assert set(by_answer["click[buy now]"].options) == {"click[buy now]", "click[white]"}


def test_the_plan_is_executed_and_shortened(episode):
    (example,) = build("shopping_plan", episode)
    assert example.answer == (
        'Search for "lavender candle". Click on "b0candle00". Click on "navy blue". Buy it now.'
    )
    assert build("shopping_plan", episode, maximum=3) == []


@pytest.mark.parametrize("name", SHOPPING)
def test_the_same_seed_gives_the_same_examples_and_another_others(episode, name):
    assert build(name, episode, 7) == build(name, episode, 7)
    if name != "shopping_plan":
        assert len({tuple(one.options for one in build(name, episode, seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize("name", SHOPPING)
def test_where_nothing_can_be_asked_the_reason_is_told(folder, name):
    idle = lived(folder, ["search[nothing at all]", "click[back to search]"], goal=Goal("look around"))
    (left_out,) = ask(name, idle, builder_settings(name, {}, "b"), 0)
    assert left_out.reason


def test_an_edited_episode_is_left_out(episode):
    import dataclasses

    steps = (dataclasses.replace(episode.steps[0], action="search[jeans]"), *episode.steps[1:])
    edited = dataclasses.replace(episode, steps=steps)
    assert shopping(edited).reason.startswith("lived again")
