"""Builders about plans and activities: what they claim is executed in a fresh world, by its words alone."""

import dataclasses
import json
import re
from collections import Counter, defaultdict
from itertools import permutations
from random import Random

import pytest

from tests.experience.lives import build, done_activities, episodes, loners, scripted_episode
from worldschool.agents.base import agent_config, make_agent
from worldschool.envs import make, world_class
from worldschool.experience.builders.activities import draw_others, even_weights
from worldschool.experience.builders.base import Skipped, ask, builder_settings
from worldschool.experience.builders.plans import lived_plans
from worldschool.experience.builders.reliving import relive
from worldschool.experience.examples import with_activities
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import SPLITS, Goal
from worldschool.splits import split_of_activity

EPISODES = 16


def goal_of(example):
    return Goal("", tuple(tuple(one) for one in json.loads(example.meta)["goal_predicates"]))


def works(episode, sentences, goal):
    """Do what sentences say, in a new world without a goal; return whether all could be done and `goal` holds."""
    world = make(episode.world, **json.loads(episode.world_config))
    world.reset(seed=episode.seed)
    world.set_goal(Goal(""))
    for sentence in sentences:
        fitting = [one for one in world.legal_actions() if world.narrate_action(one) == sentence]
        if len(fitting) != 1:
            return False
        world.step(fitting[0])
    return all(world.satisfied(goal))


def numbered(example):
    """Return the steps of a plan that the prompt shows."""
    (shown,) = re.findall(r"\nPlan: (.+)\nQuestion", example.prompt)
    return [step.strip() for step in re.split(r"\s*\d+\. ", shown)[1:]]


def test_plans_of_subgoals_replay_by_their_words_and_need_every_step():
    kinds, lengths = Counter(), Counter()
    for episode in loners(EPISODES):
        for example in build("plan_generation", episode, subgoals=3):
            steps = re.findall(r".+?\.(?= |$)", example.answer)
            steps = [step.strip() for step in steps]
            goal = goal_of(example)
            assert works(episode, steps, goal) and not works(episode, [], goal)
            for at in range(len(steps)):
                assert not works(episode, steps[:at] + steps[at + 1 :], goal), "a step that is not needed"
            assert example.prompt.startswith(f"Task: {steps[-1]}\n") and example.prompt.endswith("\nPlan:")
            kinds[goal.predicates[0][0].split(":")[0]] += 1
            lengths[len(steps)] += 1
    assert set(kinds) == {"ON", "INSIDE", "HOLDS", "STATE"} and sum(kinds.values()) > 25
    assert len(lengths) >= 3


def test_the_plan_of_a_goal_comes_first_and_is_shortened():
    shortened = 0
    for episode in done_activities(10):
        plans = lived_plans(episode, 0)
        if isinstance(plans, Skipped):
            continue
        (plan,) = plans
        assert plan.kind == "goal" and plan.task == episode.goal
        assert len(plan.actions) <= episode.length
        shortened += len(plan.actions) < episode.length
        relived = relive(episode)
        assert relived.succeeds(plan.actions, plan.goal)
        assert not relived.succeeds(plan.actions[:-1], plan.goal)
        assert not relived.succeeds(["grab dragon", *plan.actions], plan.goal), "a step that cannot be done"
    padded = next(one for one in done_activities(10) if not isinstance(lived_plans(one, 0), Skipped))
    world = make(padded.world, **json.loads(padded.world_config))
    world.reset(seed=padded.seed)
    room = next(fact.object for fact in world.facts() if fact.relation == "AT")
    detour = scripted_episode(
        world, padded.seed, [f"walk to {room}", *(step.action for step in padded.steps)], "train"
    )
    assert detour.success and detour.length == padded.length + 1
    assert [plan.actions for plan in lived_plans(detour, 0)] == [
        plan.actions for plan in lived_plans(padded, 0)
    ]


def test_confusing_plans_list_more_than_they_need():
    found = 0
    for episode in loners(EPISODES):
        for example in build("plan_generation_confusing", episode, distractors=3):
            things = re.search(r"\nThings: (.+)\.\n", example.prompt)[1].split(", ")
            assert len(set(things)) == len(things)
            unneeded = json.loads(example.dials)["distractors"]
            assert 1 <= unneeded <= 3 and len(things) > unneeded
            needed = [thing for thing in things if thing in example.answer.lower()]
            assert len(needed) <= len(things) - unneeded
            assert works(episode, re.findall(r"\S.+?\.(?= |$)", example.answer), goal_of(example))
            found += 1
    assert found > 20


def test_orders_are_valid_when_they_can_be_done_and_reach_the_goal():
    answers, exchanged, asked = Counter(), Counter(), defaultdict(list)
    for episode in loners(EPISODES):
        goals = {plan.task: plan.goal for plan in lived_plans(episode, 4)}
        for example in build("order_validity", episode, per_episode=4):
            task = re.match(r"Task: (.+)\n", example.prompt)[1]
            valid = works(episode, numbered(example), goals[task])
            assert example.answer == ("yes" if valid else "no")
            assert example.options == ("yes", "no")
            (lived,) = [
                plan for plan in lived_plans(episode, 4) if plan.task == task and plan.goal == goals[task]
            ]
            verbs = [world_class(episode.world).narrate_action(one).split()[0] for one in lived.actions]
            assert [step.split()[0] for step in numbered(example)] == verbs, "verbs tell what works"
            asked[task, episode.episode_id].append(valid)
            answers[valid] += 1
            exchanged[json.loads(example.meta)["exchanged"], valid] += 1
    assert min(answers.values()) > 8
    assert exchanged[False, False] == 0, "a lived plan works"
    assert all(sorted(both) == [False, True] for both in asked.values()), "asked once, its words would tell"


def test_an_exchange_that_still_works_is_valid():
    """Two things to switch on in one room can be switched on in any order."""
    found = [
        json.loads(example.meta)["exchanged"]
        for episode in done_activities(40)
        for example in build("order_validity", episode, per_episode=8)
        if example.answer == "yes"
    ]
    assert True in found


def test_only_the_missing_step_fits():
    found, asked = 0, defaultdict(list)
    # An activity may take several things in any order: their steps are not left out together.
    for episode in [*loners(EPISODES), *done_activities(60)]:
        if isinstance(lived_plans(episode, 4), Skipped):
            continue
        goals = {plan.task: plan.goal for plan in lived_plans(episode, 4)}
        for example in build("missing_step", episode, per_episode=8):
            task = re.match(r"Task: (.+)\n", example.prompt)[1]
            steps = numbered(example)
            gap, others = steps.index("?"), [at for at, step in enumerate(steps) if step == "..."]
            assert "step 1" not in example.prompt, "the number of a step tells what kind it is"
            assert len({option.split()[0] for option in example.options}) == 1, "so does its verb"
            assert len(example.options) == len(others) + 1 and len(steps) - 1 not in (gap, *others)
            working = set()
            for order in permutations(example.options):
                filled = list(steps)
                for at, option in zip([gap, *others], order, strict=True):
                    filled[at] = f"{option}."
                working |= {order[0]} if works(episode, filled, goals[task]) else set()
            assert working == {example.answer}
            asked[episode.episode_id, task, frozenset(example.options)].append(example.answer)
            found += 1
    assert found > 15
    assert all(sorted(answers) == sorted(options) for (*_, options), answers in asked.items())


@pytest.mark.parametrize("name", ["missing_step", "order_validity", "plan_generation_confusing"])
def test_episodes_that_cannot_be_lived_again_are_left_out(name):
    episode = loners(2)[1]
    edited = dataclasses.replace(
        episode, steps=(*episode.steps[:-1], dataclasses.replace(episode.steps[-1], state_hash="0" * 32))
    )
    moved = dataclasses.replace(episode, seed=episode.seed + 1)
    for other in (edited, moved):
        (skipped,) = ask(name, other, builder_settings(name, {}, "x"), 0)
        assert "lived again" in skipped.reason
    (skipped,) = ask(name, episodes(1)[0], builder_settings(name, {}, "x"), 0)
    assert "several characters" in skipped.reason


# -- activities ------------------------------------------------------------------------------------------------------


def activities():
    return tuple(sorted({str(episode.activity) for episode in done_activities(60)}))


def test_activities_are_recognised_among_those_of_their_split():
    names, positions = activities(), Counter()
    for episode in done_activities(60):
        for example in build("activity_recognition", episode, activities=names):
            assert example.answer == episode.activity
            assert len(set(example.options)) == 4 and set(example.options) <= set(names)
            assert {split_of_activity(one) for one in example.options} == {episode.split}
            assert episode.activity not in json.loads(example.meta)["story"].lower()
            positions[example.answer_index] += 1
    assert sum(positions.values()) > 20 and len(positions) == 4


SKEWED = (("bathe", 260), ("bake", 220), ("dine", 190), ("read", 160), ("sew", 110), ("rest", 60))
TOO_FREQUENT = (("bathe", 900), ("bake", 700), ("dine", 90), ("read", 60), ("sew", 40), ("rest", 10))


def test_each_option_is_right_equally_often_whatever_options_there_are():
    rng, right = Random(0), defaultdict(Counter)
    names, counts = zip(*SKEWED, strict=True)
    for _ in range(30_000):
        answer = rng.choices(names, counts)[0]
        options = [answer, *draw_others(answer, SKEWED, 2, rng)]
        assert len(set(options)) == 3
        right[frozenset(options)][answer] += 1
    often = {options: found for options, found in right.items() if found.total() > 600}
    assert len(often) > 12
    for options, found in often.items():
        for name in options:
            assert abs(found[name] / found.total() - 1 / 3) < 4 * (2 / 9 / found.total()) ** 0.5, options


def test_activities_that_are_too_frequent_or_few_are_offered_too():
    weights = even_weights(TOO_FREQUENT, 3)
    assert weights["bathe"] == pytest.approx(weights["bake"]) and weights["bake"] > weights["dine"]
    assert sum(weights.values()) == pytest.approx(1) and weights["rest"] > 0
    assert sorted(draw_others("sew", TOO_FREQUENT, 5, Random(1))) == ["bake", "bathe", "dine", "read", "rest"]
    assert even_weights((("a", 1), ("b", 1), ("c", 1)), 2) == pytest.approx(
        {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}
    )


def test_frequencies_are_those_of_the_datasets():
    stores = [Stored([("wash", True), ("wash", True), ("wash", False), (None, True), ("cook", True)])]
    given = {
        "activity_recognition": builder_settings("activity_recognition", {}, "x"),
        "activity_inference": builder_settings("activity_inference", {"activities": ["a"]}, "x"),
    }
    found = with_activities(given, stores)
    assert found["activity_recognition"].frequencies == {"cook": 1, "wash": 2}
    assert found["activity_recognition"].activities == ("cook", "wash")
    assert found["activity_inference"] == given["activity_inference"]


class Stored:
    """Stands for a dataset of episodes with these activities, done or not."""

    def __init__(self, rows):
        self._rows = [{"activity": activity, "success": success} for activity, success in rows]

    def rows(self, columns):
        assert set(columns) == {"activity", "success"}
        return iter(self._rows)


def test_states_are_those_of_the_relived_moment():
    kinds = Counter()
    for episode in done_activities(24):
        for example in build("activity_inference", episode, activities=activities()):
            assert example.answer == episode.activity
            kind = json.loads(example.meta)["kind"]
            world = make(episode.world, **json.loads(episode.world_config))
            world.reset(seed=episode.seed)
            moments = [world.facts()]
            for step in episode.steps:
                world.step(step.action)
                moments.append(world.facts())
            told = example.prompt.split("\nQuestion")[0]
            fitting = [at for at, facts in enumerate(moments) if true_of(told, episode, facts)]
            assert fitting, told
            if kind == "done":
                assert len(moments) - 1 in fitting and "done?" in example.prompt
            else:
                assert {*fitting} - {0, len(moments) - 1} and "doing?" in example.prompt
            kinds[kind] += 1
    assert min(kinds[kind] for kind in ("done", "under way")) > 5


def true_of(text, episode, facts):
    """Return whether every sentence of a description holds."""
    world = world_class(episode.world)
    names = {world.phrase(entity.name): entity.name for entity in episode.entities}
    held = {(fact.subject, fact.relation, fact.object) for fact in facts}
    for sentence in re.findall(r"\S.+?\.(?= |$)", text):
        first, middle, last = re.fullmatch(r"(.+?) (is in|is on|is|holds) (.+)\.", sentence).groups()
        subject, target = names.get(first) or names[first[0].lower() + first[1:]], names.get(last)
        wanted = {
            "is in": {(subject, "INSIDE", target), (subject, "AT", target)},
            "is on": {(subject, "ON", target)},
            "holds": {(subject, "HOLDS", target)},
            "is": {(subject, "STATE", "plugged_out" if last == "unplugged" else last)},
        }[middle]
        if not wanted & held:
            return False
    return True


def test_activities_are_split_once_and_for_all():
    names = [f"activity {number}" for number in range(2000)]
    counts = Counter(map(split_of_activity, names))
    assert [round(counts[split] / 2000, 1) for split in SPLITS] == [0.6, 0.2, 0.2]
    names = ("set the table", "pack a lunch", "go to bed")
    assert [split_of_activity(one) for one in names] == ["heldout", "heldout", "validation"]


def test_an_episode_with_a_goal_of_the_agents_own_is_lived_again():
    world = make("worldschool/Household-v0", goal="none")
    settings = agent_config("curriculum", {})
    agent = make_agent("curriculum", settings, world, seed=1)
    label = EpisodeLabel("own-00000000", 0, 0, 3, "curriculum", "{}", "train")
    episode = record_episode(world, agent, label)
    assert episode.success and episode.wanted.predicates
    assert relive(episode) is not None


def test_an_activity_of_another_split_is_left_out():
    lived = next(episode for episode in done_activities(20) if episode.activity is not None)
    assert lived.split == "train"
    episode = dataclasses.replace(lived, activity="set the table")
    for name in ("activity_recognition", "activity_inference", "plan_generation"):
        settings = {"activities": ["x"]} if "act" in name else {"maximum": 40}
        (skipped,) = ask(name, episode, builder_settings(name, settings, "x"), 0)
        assert "another split" in skipped.reason
