"""Questions about shopping: every answer is worked out again, from the text alone or by doing it in a shop of its own."""

import json
import re
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from tests.envs import small_shop
from tests.experience.lives import build
from tests.experience.solvers.shopping import READABLE, answer, read_product
from worldschool.agents.base import agent_config, make_agent
from worldschool.envs import make
from worldschool.errors import ConfigError
from worldschool.experience.builders.base import ask, builder_settings
from worldschool.experience.builders.shopping.browsing import browse, results_of
from worldschool.experience.builders.shopping.parts import parts_of
from worldschool.experience.builders.shopping.visits import shopping
from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.questions.judging import judge
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import Goal

WORLD = "worldschool/Shop-v0"
SHOPPING = [name for name, spec in BUILDERS.items() if spec.classes == ("page",)]
CHOICES = [name for name in SHOPPING if name != "shopping_plan"]
PER_EPISODE = 12
"""Whole sets of 2, 3 and 4."""


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


def lived(folder, actions, goal=None, seed=0):
    world = make(WORLD, catalogue=folder)
    label = EpisodeLabel(f"{seed}", 0, seed, seed, "script", "{}", "train")
    return record_episode(world, Script(actions), label, goal=goal, strict=True)


@pytest.fixture(scope="module")
def episodes():
    """Scripted shoppers among generated products."""
    world = make(WORLD, products=300, split="heldout", max_steps=40)
    config = agent_config("shopper", {})
    return [
        record_episode(
            world,
            make_agent("shopper", config, world, seed),
            EpisodeLabel(f"shop-{seed}", 0, seed, seed, "shopper", "{}", "heldout"),
            strict=True,
        )
        for seed in range(16)
    ]


def asked(name, episodes, **values):
    return [one for episode in episodes for one in build(name, episode, per_episode=PER_EPISODE, **values)]


@pytest.mark.parametrize("style", ["plain", "varied", "brief"])
@pytest.mark.parametrize("name", READABLE)
def test_a_reader_of_the_text_agrees(episodes, name, style):
    if style != "plain" and name != "chosen_option":
        return  # only its stories have a style
    found = asked(name, episodes, style=style)
    assert len(found) > 80
    for example in found:
        assert answer(example.prompt) == example.answer, example.prompt


def test_every_suite_but_one_can_be_read():
    assert set(SHOPPING) - {"next_page"} == set(READABLE), "what a click leads to is executed below"


@pytest.mark.parametrize("name", CHOICES)
def test_each_option_of_a_set_is_right_equally_often(episodes, name):
    sets = defaultdict(list)
    for example in asked(name, episodes):
        meta = json.loads(example.meta)
        key = example.options, meta.get("about", [None])[0] if name == "chosen_option" else None
        story = meta["story"] if name != "next_click" else None
        sets[example.episode_id, key, story].append(example.answer)
    whole = [(key[1][0], answers) for key, answers in sets.items() if len(answers) == len(key[1][0])]
    assert len(whole) > 20
    assert sum(sorted(options) == sorted(answers) for options, answers in whole) >= 0.95 * len(whole)


@pytest.mark.parametrize("name", ["fitting_product", "violated_constraint", "chosen_option", "next_click"])
def test_shortcuts_do_not_pay(episodes, name):
    judged = judge(asked(name, episodes))
    learned = {"question_only", "bag_of_words"}  # of few products, asked about again and again
    for rule, share in judged.shortcuts.items():
        assert share < judged.chance + (0.15 if rule in learned else 0.06), (rule, share, judged.chance)


def test_every_part_is_met_by_another_product_too(episodes):
    for example in asked("fitting_product", episodes):
        parts = example.prompt.split("\n")[0].split(": ", 2)[2].split("; ")
        products = [read_product(line) for line in json.loads(example.meta)["story"].split("\n")]
        assert all(2 <= sum(one.meets(part) for one in products) < len(products) for part in parts)
        assert len(parts) == json.loads(example.dials)["constraints"] > 1


def test_truth_is_what_the_shop_pays_for(episodes):
    """By buying each of the products with the values named, in a shop of the test's own."""
    world = make(WORLD, products=300, max_steps=40)
    for example in asked("shopping_plan", episodes[:6]):
        meta = json.loads(example.meta)
        goal = Goal("", tuple(tuple(one) for one in meta["goal_predicates"]))
        for line in meta["story"].split("\n")[1:]:
            asin = line.partition(":")[0]
            world.reset(seed=0, options={"goal": goal})
            world.step(meta["actions"][0])
            world.step(f"click[{asin.lower()}]")
            for action in meta["actions"][2:-1]:
                world.step(action)  # where there is no such value nothing is chosen
            _, reward, terminated, _, _ = world.step("click[buy now]")
            assert terminated and (reward == 1.0) == (f'Click on "{asin.lower()}".' in example.answer)


def test_a_plan_says_itself_where_it_begins(episodes):
    for example in asked("shopping_plan", episodes[:2]):
        meta = json.loads(example.meta)
        start = meta["start"]
        world = make(start["world"], **json.loads(start["world_config"]))
        world.reset(seed=start["seed"])
        goal = Goal("", tuple(tuple(one) for one in meta["goal_predicates"]))
        for action in meta["actions"]:
            assert not any(world.satisfied(goal))
            assert world.step(action)[4]["error"] is None
        assert all(world.satisfied(goal))


def test_what_is_seen_next_is_what_follows_in_a_world_of_its_own(episodes):
    world = make(WORLD, products=300, split="heldout", max_steps=40)
    found = asked("next_page", episodes[:8])
    assert len(found) > 60
    for example in found:
        seed = int(example.episode_id.rpartition("-")[2]) if example.episode_id.startswith("shop-") else None
        episode = next(one for one in episodes if one.episode_id == example.episode_id)
        assert seed in (None, episode.seed)
        world.reset(seed=episode.seed)
        for step in episode.steps[: json.loads(example.meta)["moment"]]:
            world.step(step.action)
        done = re.search(r'^Done: (?:(Search) for|Click on) "(.*)"\.$', example.prompt, re.MULTILINE)
        observation, *_, info = world.step(f"{'search' if done[1] else 'click'}[{done[2]}]")
        assert info["error"] is None and " ".join(observation.split()) == example.answer


def name_of(example):
    return re.search(r"Which (.+) was chosen", example.prompt)[1]


def test_both_products_have_all_values_chosen(episodes):
    orders = Counter()
    for example in asked("chosen_option", episodes, style="plain"):
        story = json.loads(example.meta)["story"]
        asin = json.loads(example.meta)["about"][0]
        dials = json.loads(example.dials)
        assert len(example.options) == dials["length"] >= 3
        assert story.count(f"opened product {asin}.") == dials["revisits"] + 1
        assert all(story.count(f": {value} for product") >= 2 for value in example.options)
        told = re.findall(rf"chose {re.escape(name_of(example))}: .+? for product (\w+)\.", story)
        assert told[0] == told[-1] != asin and told.count(told[0]) == 2, "a third product frames them"
        assert story.rfind(f"opened product {asin}.") > story.rfind("chose "), "looked at again in the end"
        orders[re.search(r"was chosen (\w+) for", example.prompt)[1]] += 1
    assert set(orders) == {"first", "second", "third", "last"}


def test_next_clicks_name_what_is_wrong(episodes):
    for example in asked("next_click", episodes):
        assert {"buy it now", "go back to the results"} < set(example.options)
        meta = json.loads(example.meta)
        assert all(key in meta["story"] for key in meta["keys"]), "rules find what each option is about"


def test_parts_are_told_exactly_where_they_are_met(episodes):
    one = shopping(episodes[0])
    rows = one.rows_seen[:6]
    parts = parts_of(one, rows)
    assert {part.predicate[0] for part in parts} == {"ATTRIBUTE", "OPTION", "PRICE"}
    for part in parts:
        for row in rows:
            bought = one.best_options(row, [part.predicate])
            assert (row in part.met) == (one.fails(row, [part.predicate], bought) == [])


def test_what_cannot_be_done_is_not_told(folder):
    one = shopping(lived(folder, ["search[lavender candle]", "click[b0candle00]"]))
    (page,) = results_of(one)
    assert page.opened() == ["search[lavender candle]"] and len(page.rows) == 10
    browsed = browse(one, [*page.opened(), "click[b0candle00]", "click[buy now]"])
    assert browsed.rewards[-1] == pytest.approx(0.75) and browsed.events[-1].verb == "buy"
    assert browse(one, ["click[b0candle00]"]) is None
    assert browse(one, [*page.opened(), "click[b0candle00]", "click[buy now]", "click[< prev]"]) is None


@pytest.mark.parametrize("name", SHOPPING)
def test_the_same_seed_gives_the_same_examples_and_another_others(episodes, name):
    assert build(name, episodes[0], 7) == build(name, episodes[0], 7)
    assert len({tuple(one.answer for one in build(name, episodes[0], seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize("name", SHOPPING)
def test_where_nothing_can_be_asked_the_reason_is_told(folder, name):
    idle = lived(folder, ["search[nothing at all]", "click[back to search]"], goal=Goal("look around"))
    (left_out,) = ask(name, idle, builder_settings(name, {}, "b"), 0)
    assert left_out.reason


def test_plans_that_are_too_long_are_left_out(episodes):
    (left_out,) = ask("shopping_plan", episodes[0], builder_settings("shopping_plan", {"maximum": 2}, "b"), 0)
    assert left_out.reason == "the plan is longer than the maximum"


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("violated_constraint", {"minimum": 4, "maximum": 3}, "minimum .4. is more than maximum .3."),
        ("chosen_option", {"minimum": 5}, "minimum .5. is more than options .4."),
        ("shopping_plan", {"choices": [2, 1]}, "is not a least and a most"),
    ],
)
def test_settings_that_contradict_each_other_are_told(name, values, told):
    with pytest.raises(ConfigError, match=told):
        builder_settings(name, values, "b")


def test_an_edited_episode_is_left_out(folder):
    episode = lived(folder, ["search[lavender candle]", "click[b0candle00]", "click[buy now]"])
    steps = (replace(episode.steps[0], action="search[jeans]"), *episode.steps[1:])
    edited = replace(episode, steps=steps)
    assert shopping(edited).reason.startswith("lived again")
