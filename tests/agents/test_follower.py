"""The follower: plans of other goals are followed about the things of this one."""

import pytest

from worldschool.agents.follower import FollowerAgent, FollowerConfig, adapted, fitting
from worldschool.agents.language.recall import Note
from worldschool.agents.mcts import MCTS, MCTSConfig
from worldschool.envs import make
from worldschool.experience.recording import EpisodeLabel, record_episode

PUT = Note(
    "n", "text", ("walk to apple", "grab apple", "walk to big fridge", "put apple in big fridge"), True,
    (("INSIDE", "apple", "big fridge"),),
)  # fmt: skip


class Notes:
    def __init__(self, *notes):
        self.notes = notes

    def recall(self, goal, observation, world):
        return self.notes

    def credit(self, note, success):
        raise NotImplementedError


def test_names_of_one_goal_stand_for_those_of_the_other():
    assert adapted(PUT, [("INSIDE", "cup", "apple box")]) == [
        "walk to cup", "grab cup", "walk to apple box", "put cup in apple box",
    ]  # fmt: skip
    assert adapted(PUT, [("ON", "cup", "table")]) == list(PUT.plan)
    two = Note("n", "", ("put a on b", "put c on d"), True, (("ON", "a", "b"), ("ON", "c", "d")))
    assert adapted(two, [("ON", "x", "y"), ("ON", "z", "y")]) == ["put x on y", "put z on y"]
    assert adapted(two, [("ON", "b", "a")]) == ["put b on a", "put c on d"]


PAGE = "Results [SEP] b0second00x [SEP] tea [SEP] B0FIRST00XX [SEP] coffee"


@pytest.mark.parametrize(
    ("step", "actions", "expected"),
    [
        ("open fridge", ["open fridge", "look"], "open fridge"),
        ("open fridge", ["open box", "look"], None),
        ("search[old words]", ["search[green tea]", "search[green tea of quality]", "click[x]"], "search[green tea of quality]"),
        ("click[b0abcdefgh]", ["click[b0first00xx]", "click[b0second00]", "click[next >]"], "click[b0second00]"),
        ("click[b0abcdefgh]", ["click[next >]"], None),
        ("click[red]", ["click[blue]", "click[dark blue]", "click[green]"], "click[dark blue]"),
        ("click[red]", ["click[lu]"], None),
        ("click[buy now]", ["click[buy now]", "click[blue]"], "click[buy now]"),
        ("search[x]", ["click[x]"], None),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_done_is_replaced_by_what_does_the_same_here(step, actions, expected):
    assert fitting(step, actions, "A cup, dark blue.", PAGE, set()) == expected
    assert (
        fitting("click[red]", ["click[dark blue]", "click[blue]"], "dark blue", PAGE, {"click[dark blue]"})
        == "click[blue]"
    )


def test_a_plan_from_another_house_reaches_the_goal_in_this_one_and_exploring_does_not_stop():
    world = make("worldschool/Household-v0", rooms=[2, 3], objects=[3, 4], goal="random", max_steps=12)
    plans = {}
    for seed in range(30):
        world.reset(seed=seed)
        (relation, *_), *others = world.goal.predicates
        plan = MCTS(MCTSConfig(simulations=500), 0).plan(world, world.goal)
        if plan.success and not others:
            plans.setdefault((relation, len(plan.actions)), []).append(
                (seed, Note(str(seed), "", plan.actions, True, world.goal.predicates))
            )
    pairs = [
        (one[0], note) for group in plans.values() for one, (_, note) in zip(group[1:], group, strict=False)
    ]
    reached = 0
    for seed, note in pairs:
        agent = FollowerAgent(FollowerConfig(), world, 0, recall=Notes(note))
        episode = record_episode(
            world, agent, EpisodeLabel("e", 0, 0, seed, "follower", "{}", "train"), strict=True
        )
        reached += episode.success
        assert agent.followed == [note] and episode.length > 0
    assert len(pairs) >= 5 and reached >= len(pairs) / 2


def test_failures_and_notes_without_a_plan_are_not_followed():
    world = make("worldschool/Household-v0", rooms=[2, 3], objects=[3, 4], goal="random", max_steps=12)
    observation, info = world.reset(seed=0)
    agent = FollowerAgent(
        FollowerConfig(), world, 0, recall=Notes(PUT._replace(success=False), PUT._replace(plan=()))
    )
    agent.reset(world.goal, info)
    assert agent.act(observation, info) in world.legal_actions()
    assert list(agent.notes) == [] == agent.followed


def test_a_step_that_somebody_else_took_is_not_taken_again():
    world = make("worldschool/Household-v0", rooms=[2, 3], objects=[3, 4], goal="random")
    observation, info = world.reset(seed=3)
    first, second = [one for one in world.legal_actions() if one.startswith("walk to ")][:2]
    note = Note("n", "text", (first, second, first), True, ())
    agent = FollowerAgent(FollowerConfig(), world, 0, recall=Notes(note))
    agent.reset(world.goal, info)
    agent.notice(observation, info, first)
    assert [agent.act(observation, info) for _ in range(2)] == [second, first]
