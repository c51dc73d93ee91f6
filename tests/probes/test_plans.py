"""Plans read back from sentences and executed: in the corridor of the tests, the household and the shop."""

import json
from dataclasses import replace

import pytest

from worldschool.canonical import canonical_json
from worldschool.envs import make
from worldschool.experience.examples import ExamplesConfig, examples_command, read_examples
from worldschool.experience.runner import CollectConfig, collect
from worldschool.probes.measures import PlanMeasures, summary
from worldschool.probes.plans import PLAN_TASKS, Execution, Start, execute, execute_all, read_plan, starts_of
from worldschool.records import Example, Goal

OPEN = Goal("Open the chest.", (("STATE:open", "chest", None),))


@pytest.fixture
def corridor(registered_fake):
    """A start in a corridor of three rooms, and the plan that opens its chest."""
    world = make(registered_fake, length=3)
    world.reset(seed=5)
    plan = []
    here, key = world._room, world._key  # where things are, as the test may know
    for room in [*_way(here, key), "key", *_way(key, 3)]:
        plan.append("Grab key." if room == "key" else f"Walk to room {room}.")
    return Start(registered_fake, canonical_json(world.config), 5, OPEN), [*plan, "Open chest."]


def _way(start, end):
    step = 1 if end > start else -1
    return list(range(start + step, end + step, step)) if start != end else []


class Fluent:
    """Makes the corridor read sentences, as worlds of ours do."""

    def __init__(self, monkeypatch, cls):
        step = cls.step
        monkeypatch.setattr(cls, "step", lambda world, text: step(world, text.lower()))


@pytest.fixture(autouse=True)
def fluent(monkeypatch, fake_world_class):
    Fluent(monkeypatch, fake_world_class)


def test_a_plan_is_done_until_a_step_cannot_be(corridor):
    start, plan = corridor
    whole = execute(" ".join(plan), start)
    assert whole == Execution(len(plan), len(plan), True) and whole.executable and whole.share == 1.0
    short = execute(" ".join(plan[:-1]), start)
    assert short.executable and not short.success
    broken = execute(" ".join([*plan[:-1], "Sing a song.", plan[-1]]), start)
    assert (broken.steps, broken.done, broken.success) == (len(plan) + 1, len(plan) - 1, False)
    assert broken.share == pytest.approx((len(plan) - 1) / (len(plan) + 1)) and not broken.executable
    assert "sing a song" in broken.problem
    nothing = execute("  ", start)
    assert (nothing.steps, nothing.share, nothing.executable, nothing.success) == (0, 0.0, False, False)


def test_what_is_written_behind_the_goal_is_tried_too(corridor):
    start, plan = corridor
    assert execute(" ".join([*plan, "Drop key."]), start).executable
    after = execute(" ".join([*plan, "Dance."]), start)
    assert after.success and not after.executable and after.done == len(plan)


def test_the_step_limit_of_the_world_holds(corridor):
    start, plan = corridor
    config = canonical_json({**json.loads(start.config), "max_steps": 1})
    cut = execute(" ".join([*plan, "Wait."]), replace(start, config=config))
    assert (cut.done, cut.problem) == (1, "the episode had ended")


def test_sentences_are_read_with_their_numbers_and_names_taken_off():
    world = "worldschool/Household-v0"
    text = "1. Walk to the kitchen. 2) Pick up the apple 2.\n- Mary, open the fridge.\nStep 4: Go!"
    assert read_plan(world, text) == [
        "Walk to the kitchen",
        "Pick up the apple 2",
        "Mary: open the fridge",
        "Go",
    ]


def test_shopping_instructions_are_read_back_as_actions():
    shop = "worldschool/Shop-v0"
    actions = ["search[red 1.5 inch. mug]", "click[next >]", 'click[size 5" (a. b)]', "click[buy now]"]
    told = " ".join(make_class(shop).narrate_action(one) for one in actions)
    assert read_plan(shop, told) == actions
    assert read_plan(shop, 'Search "Mug" Then click "Blue" now buy it.') == [
        "search[mug]",
        "click[blue]",
        "click[buy now]",
    ]
    assert read_plan(shop, "Look for a mug. Buy this now!") == ["Look for a mug.", "click[buy now]"]
    assert read_plan(shop, "") == []


def make_class(world):
    from worldschool.envs import world_class

    return world_class(world)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Plans of the household and the shop, asked as users do."""
    root = tmp_path_factory.mktemp("plans")
    house = {"rooms": [3, 3], "objects": [3, 4], "goal": "random", "max_steps": 40}
    agent = {"name": "mcts", "settings": {"simulations": 200}}
    collect(
        CollectConfig(world_config=house, agent=agent, episodes=4, seed=4, split="heldout"), root / "house"
    )
    shop = {"products": 100, "max_steps": 30}
    collect(
        CollectConfig(
            world="worldschool/Shop-v0",
            world_config=shop,
            agent={"name": "shopper"},
            episodes=8,
            seed=1,
            split="heldout",
        ),
        root / "shop",
    )
    builders = {"plan_generation": {"subgoals": 1}, "plan_generation_confusing": {}, "shopping_plan": {}}
    datasets = (str(root / "house"), str(root / "shop"))
    examples_command(ExamplesConfig(datasets=datasets, builders=builders), root / "examples")
    return root / "examples"


def test_every_right_answer_can_be_done_and_reaches_its_goal(written):
    items = read_examples(written)
    assert {one.task for one in items} == {"plan_generation", "plan_generation_confusing", "shopping_plan"}
    starts = starts_of(items, [written])
    assert len(starts) == len(items)
    runs = execute_all(items, [one.answer for one in items], starts)
    assert all(run is not None and run.executable and run.success for run in runs)
    last_left_out = execute_all(items, [one.answer.rsplit(". ", 1)[0] + "." for one in items], starts)
    kept = [run for one, run in zip(items, last_left_out, strict=True) if json.loads(one.dials)["length"] > 1]
    assert kept and not any(run.success for run in kept)


def test_items_say_themselves_where_they_begin_and_older_ones_leave_it_to_their_dataset(written):
    items = read_examples(written)
    themselves = starts_of(items)  # no dataset is looked at
    assert len(themselves) == len(items) and {one.task for one in items} == {*PLAN_TASKS}
    old = [without(one, "start") for one in items]
    assert starts_of(old) == {}  # neither they nor a run.json says
    looked_up = starts_of(old, [written])
    for one in items:
        own, found = themselves[one.example_id], looked_up[one.example_id]
        assert replace(own, goal=found.goal) == found and own.goal.predicates == found.goal.predicates
        assert execute(one.answer, own).success


@pytest.mark.parametrize("broken", ["x", {}, {"world": "w", "world_config": "{}", "seed": "1"}, {"world": 1}])
def test_a_start_that_cannot_be_used_is_looked_up(written, broken):
    one = next(one for one in read_examples(written) if one.task == "plan_generation")
    other = replace(one, meta=canonical_json({**json.loads(one.meta), "start": broken}))
    assert starts_of([other]) == {} and len(starts_of([other], [written])) == 1


def without(item, field):
    meta = json.loads(item.meta)
    del meta[field]
    return replace(item, meta=canonical_json(meta))


def test_measures_are_means_with_intervals(written):
    items = [one for one in read_examples(written) if one.task == "plan_generation"][:4]
    plans = PlanMeasures(items, [written])
    assert plans.reference() == {"executable_steps": 1.0, "executable": 1.0, "success": 1.0}
    predictions = [items[0].answer, "Fly to the moon.", items[2].answer, ""]
    rows = plans.of(predictions, "a model")
    assert [row["success"] for row in rows] == [1.0, 0.0, 1.0, 0.0]
    assert [row["rouge_l"] == 1.0 for row in rows] == [True, False, True, False]
    found = summary(rows, seed=0)
    assert found["executable"] == found["success"] == found["measures"]["success"]["value"] == 0.5
    assert found["measures"]["success"]["n"] == 4 and found["measures"]["success"]["ci95"][0] > 0


def test_where_a_start_is_not_known_texts_are_still_compared(written):
    items = [one for one in read_examples(written) if one.task == "plan_generation"][:2]
    items = [without(one, "start") for one in items]
    plans = PlanMeasures(items)
    assert plans.reference() == {}
    rows = plans.of([one.answer for one in items], "a model")
    assert [set(row) for row in rows] == [{"rouge_1", "rouge_2", "rouge_l", "run"}] * 2
    assert "executable" not in summary(rows, 0)
    unknown = Start("worldschool/Nowhere-v0", "{}", 0, OPEN)
    assert execute_all(items, ["Walk."] * 2, {items[0].example_id: unknown}) == [None, None]


def test_other_tasks_are_not_measured():
    one = Example("e", "counting", "p", " 1\n", "1", "heldout", "x", "counting", 1, 0)
    plans = PlanMeasures([one])
    assert plans.of(["1"], "m") == [{}] and plans.reference() == {} and summary([{}], 0) == {}


def test_several_characters_are_told_apart(tmp_path):
    config = {
        "characters": 2,
        "control": "all",
        "rooms": [3, 3],
        "objects": [3, 3],
        "max_steps": 12,
        "goal": "none",
    }
    collect(CollectConfig(world_config=config, episodes=3, seed=2), tmp_path / "d")
    from worldschool.experience.store import EpisodeStore

    for episode in EpisodeStore.open(tmp_path / "d"):
        world = make_class(episode.world)
        told = " ".join(world.narrate_action(step.action) for step in episode.steps)
        start = Start(episode.world, episode.world_config, episode.seed, Goal("", ()))
        assert execute(told, start).done == episode.length
