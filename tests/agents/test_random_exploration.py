"""Exploring by counts and by goals: what is preferred, that it covers more, and that nothing but the seed decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from worldschool.agents.base import agent_config, make_agent
from worldschool.agents.random import RandomAgent, RandomConfig
from worldschool.agents.random.babbling import GoalBabbling
from worldschool.agents.random.counts import CountBased, bonus
from worldschool.agents.random.verbs import ActionNames, actor_of
from worldschool.envs import make
from worldschool.errors import ConfigError
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import Entity, Episode, Fact, Goal

HOUSEHOLD = "worldschool/Household-v0"
STRATEGIES: dict[str, dict[str, Any]] = {
    "count": {"strategy": "count"},
    "babble": {"strategy": "babble"},
    "babble, no search": {"strategy": "babble", "babble": {"simulations": 0}},
}


class Still:
    """A world in which nothing changes: what the counts look at, and no more."""

    def __init__(self, *facts: Fact) -> None:
        self.now = facts
        self.position = "here"

    def entities(self) -> tuple[Entity, ...]:
        return tuple(Entity(name, "thing") for name in ("apple", "apple 2", "desk", "box"))

    def facts(self) -> tuple[Fact, ...]:
        return self.now

    def snapshot(self) -> SimpleNamespace:
        return SimpleNamespace(position=self.position)


def counting(world: Any, seed: int = 0, **settings: Any) -> CountBased:
    return CountBased(RandomConfig(strategy="count", **settings), world, Random(seed))


def shares(make_strategy: Callable[[int], Any], actions: list[str], n: int = 1500) -> dict[str, float]:
    """Return how often each action is a new strategy's choice."""
    drawn = Counter(make_strategy(seed).choose(list(actions), {}) for seed in range(n))
    return {action: drawn[action] / n for action in actions}


def live(settings: dict[str, Any], seed: int, world_id: str = HOUSEHOLD, **world: Any) -> Episode:
    made = make(world_id, **{"goal": "none", "max_steps": 60, **world})
    label = EpisodeLabel("", 0, 0, seed, "random", "{}", "train")
    agent = make_agent("random", agent_config("random", settings), made, seed)
    return record_episode(made, agent, label, strict=True)


def placements(episode: Episode) -> int:
    """Return how many different pairs of a thing and the place it came to there are."""
    return len(
        {
            (event.object, event.target)
            for event in episode.events
            if event.succeeded and event.relation in ("ON", "INSIDE", "HOLDS")
        }
    )


# -- counts ---------------------------------------------------------------------------------------------------------


def test_the_bonus_is_that_of_the_formula() -> None:
    assert [bonus(count) for count in (0, 3, 8)] == [1.0, 0.5, pytest.approx(1 / 3)]


def test_a_verb_is_drawn_before_its_actions() -> None:
    walks = [f"walk to room {n}" for n in range(9)]
    found = shares(lambda seed: counting(Still(), seed), ["grab apple", *walks])
    assert found["grab apple"] == pytest.approx(0.5, abs=0.05)


def test_what_was_tried_is_drawn_in_proportion_to_its_bonus() -> None:
    def tried(seed: int) -> CountBased:
        strategy = counting(Still(), seed)
        strategy.choose(["walk to box"], {})  # counts as a try, and as a try in this state
        return strategy

    found = shares(tried, ["walk to box", "walk to desk"])
    assert found["walk to box"] == pytest.approx((1 / 9) / (1 / 9 + 1), abs=0.03)  # (1 + 2) ** -(4 / 2)


def test_elsewhere_a_try_counts_once() -> None:
    def tried(seed: int) -> CountBased:
        world = Still()
        strategy = counting(world, seed)
        strategy.choose(["walk to box"], {})
        world.position = "there"
        return strategy

    assert shares(tried, ["walk to box", "walk to desk"])["walk to box"] == pytest.approx(0.2, abs=0.03)


def test_what_came_together_before_is_less_of_a_novelty() -> None:
    world = Still(Fact("apple", "ON", "desk"), Fact("apple", "STATE", "clean"))
    found = shares(lambda seed: counting(world, seed), ["put apple on desk", "put apple on box"])
    assert found["put apple on desk"] == pytest.approx(0.2, abs=0.03)
    world = Still(Fact("Mary", "HOLDS", "apple 2"))
    found = shares(lambda seed: counting(world, seed), ["Mary: grab apple", "Mary: grab apple 2"])
    assert found["Mary: grab apple 2"] == pytest.approx(0.2, abs=0.03)


def test_a_meeting_counts_when_it_comes_about_and_not_while_it_lasts() -> None:
    def seen(times: int) -> Callable[[int], CountBased]:
        def looked(seed: int) -> CountBased:
            world = Still(Fact("apple", "ON", "desk"))
            strategy = counting(world, seed)
            for _ in range(times):
                strategy.choose(["wait"], {})
            return strategy

        return looked

    actions = ["put apple on desk", "put apple on box"]
    for times in (1, 6):
        assert shares(seen(times), actions)["put apple on desk"] == pytest.approx(0.2, abs=0.03)


def test_verbs_that_were_used_are_drawn_less() -> None:
    def used(seed: int) -> CountBased:
        strategy = counting(Still(), seed)
        for n in range(3):
            strategy.choose([f"open door {n}"], {})
        return strategy

    found = shares(used, ["open apple", "grab apple"])
    assert found["open apple"] == pytest.approx(1 / 3, abs=0.04)  # bonus(3) = 1 / 2, against 1
    found = shares(used, ["John: open apple", "John: grab apple"])
    assert found["John: open apple"] == pytest.approx(1 / 2, abs=0.04), "nobody named John used them"


def test_each_character_counts_for_itself() -> None:
    def tried(seed: int) -> CountBased:
        strategy = counting(Still(), seed)
        for _ in range(20):
            strategy.choose(["Mary: walk to box"], {})
        return strategy

    assert shares(tried, ["John: walk to box", "John: walk to desk"])["John: walk to box"] == pytest.approx(
        0.5, abs=0.05
    )
    assert shares(tried, ["Mary: walk to box", "Mary: walk to desk"])["Mary: walk to box"] < 0.02


def test_greed_zero_is_uniform_inside_a_verb() -> None:
    def tried(seed: int) -> CountBased:
        strategy = counting(Still(), seed, count={"greed": 0})
        strategy.choose(["walk to box"], {})
        return strategy

    assert shares(tried, ["walk to box", "walk to desk"])["walk to box"] == pytest.approx(0.5, abs=0.05)


def test_names_are_found_whole_and_without_who_acts() -> None:
    names = ActionNames(["apple", "apple 2", "Mary", "desk"])
    assert names("Mary: put apple 2 on desk") == ("apple 2", "desk")
    assert names("walk to Mary") == ("Mary",) and names("pineapple") == ()
    assert ActionNames([])("grab apple") == ()
    assert actor_of(["Mary: wait"], {"actor": "John"}) == "Mary"
    assert actor_of(["wait"], {"actor": "John"}) == "John" and actor_of(["wait"], {}) == ""


# -- goals ----------------------------------------------------------------------------------------------------------


def test_goals_do_not_hold_are_hardly_drawn_twice_and_most_are_reached() -> None:
    world = make(HOUSEHOLD, goal="none", focus=True, rooms=[3, 3], max_steps=400)
    _, info = world.reset(seed=4)
    strategy = GoalBabbling(RandomConfig(strategy="babble", babble={"simulations": 60}), world, Random(4))
    drawn: list[Goal] = []
    reached: set[Goal] = set()
    draw = strategy._draw

    def noted(actor: str, named: bool) -> Goal | None:
        goal = draw(actor, named)
        assert goal is not None and not all(world.satisfied(goal))
        drawn.append(goal)
        return goal

    strategy._draw = noted  # type: ignore[method-assign]
    for _ in range(120):
        action = strategy.choose(world.legal_actions(), info)
        assert action in world.legal_actions()
        info = world.step(action)[4]
        reached |= {goal for goal in drawn if all(world.satisfied(goal))}
    assert len(drawn) > 15 and len(set(drawn)) > 0.9 * len(drawn)
    assert len(reached) > 0.7 * len(drawn)


def test_a_goal_is_given_up_after_some_steps() -> None:
    world = make(HOUSEHOLD, goal="none", max_steps=400)
    _, info = world.reset(seed=2)
    settings = RandomConfig(strategy="babble", babble={"simulations": 0, "patience": 3})
    strategy = GoalBabbling(settings, world, Random(2))
    goals = []
    for _ in range(60):
        info = world.step(strategy.choose(world.legal_actions(), info))[4]
        goals.append(strategy._pursuits[info["actor"]].goal)
    assert max(Counter(goals).values()) <= 3 and len(set(goals)) >= 20


def test_without_search_names_that_matter_are_likelier() -> None:
    world = make(HOUSEHOLD, goal="none", max_steps=400)
    _, info = world.reset(seed=2)
    strategy = GoalBabbling(RandomConfig(strategy="babble", babble={"simulations": 0}), world, Random(0))
    mattered = 0
    for _ in range(60):
        action = strategy.choose(world.legal_actions(), info)
        mattered += strategy._pursuits[info["actor"]].names.weight(action) > 1
        info = world.step(action)[4]
    assert mattered > 35


def test_each_character_draws_goals_for_itself() -> None:
    world = make(HOUSEHOLD, goal="none", characters=3, control="all", max_steps=400)
    _, info = world.reset(seed=2)
    people = {entity.name for entity in world.entities() if entity.class_ == "character"}
    strategy = GoalBabbling(RandomConfig(strategy="babble", babble={"simulations": 0}), world, Random(2))
    named: set[str] = set()
    for _ in range(90):
        actor = info["actor"]
        info = world.step(strategy.choose(world.legal_actions(), info))[4]
        about = people.intersection(strategy._pursuits[actor].goal.predicates[0])
        assert about <= {actor}
        named |= about
    assert named == people


def test_searching_leaves_the_world_as_it_was() -> None:
    world = make(HOUSEHOLD, goal="random", max_steps=400)
    _, info = world.reset(seed=2)
    strategy = GoalBabbling(RandomConfig(strategy="babble"), world, Random(0))
    for _ in range(10):
        before = world.snapshot()
        action = strategy.choose(world.legal_actions(), info)
        assert world.snapshot() == before
        *_, terminated, _, info = world.step(action)
        if terminated:
            break


# -- all strategies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("world", "settings"),
    [(HOUSEHOLD, {}), (HOUSEHOLD, {"characters": 2, "control": "all"}), ("worldschool/HouseholdGrid-v0", {})],
)
def test_more_is_covered_than_by_uniform_exploration(
    strategy: str, world: str, settings: dict[str, Any]
) -> None:
    if world != HOUSEHOLD and strategy == "babble, no search":
        pytest.skip("on the grid what can be picked up depends on what lies before it: that takes a plan")
    houses = {"focus": True, "rooms": [3, 3], **settings}
    if world != HOUSEHOLD:
        houses["max_steps"] = 500
    ours = sum(placements(live(STRATEGIES[strategy], seed, world, **houses)) for seed in range(4))
    uniform = sum(placements(live({}, seed, world, **houses)) for seed in range(4))
    assert ours > 1.2 * uniform


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_character_explores_and_the_seed_decides(strategy: str) -> None:
    settings = {"characters": 3, "control": "all", "focus": True, "rooms": [3, 3]}
    one, again, other = (live(STRATEGIES[strategy], seed, **settings) for seed in (5, 5, 6))
    assert one == again and one.steps != other.steps
    assert all(step.events[0].succeeded for step in one.steps)
    verbs: dict[str, set[str]] = {}
    for event in one.events:
        verbs.setdefault(event.actor, set()).add(event.verb)
    assert len(verbs) == 3 and all(len(used) >= 3 for used in verbs.values())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_weights_hold_for_every_strategy(strategy: str) -> None:
    settings = STRATEGIES[strategy] | {"verb_weights": {"open": 0, "grab": 3}}
    episode = live(settings, 3, focus=True, rooms=[3, 3])
    assert {event.verb for event in episode.events} >= {"walk", "grab"}
    assert not any(event.verb == "open" for event in episode.events)
    world = make(HOUSEHOLD)
    _, info = world.reset(seed=0)
    idle = make_agent("random", RandomConfig(**STRATEGIES[strategy], verb_weights={"walk": 0}), world, 0)
    idle.reset(world.goal, info)
    walks = [action for action in world.legal_actions() if action.startswith("walk")]
    assert idle.act("", {**info, "legal_actions": walks}) is None
    assert idle.act("", {**info, "legal_actions": []}) is None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_worlds_without_tasks_of_their_own_are_explored(strategy: str, registered_fake: str) -> None:
    episode = live(STRATEGIES[strategy], 0, registered_fake, length=3, max_steps=30)
    assert {step.action for step in episode.steps} >= {"grab key", "walk to room 2"}


def test_an_episode_does_not_depend_on_the_hash_seed() -> None:
    script = (
        "from tests.agents.test_random_exploration import live, STRATEGIES\n"
        "print([[step.action for step in live(s, 1, focus=True, rooms=[3, 3], max_steps=25).steps]\n"
        "       for s in STRATEGIES.values()])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_a_new_episode_forgets_what_was_counted() -> None:
    world = make(HOUSEHOLD)
    _, info = world.reset(seed=0)
    agent = RandomAgent(RandomConfig(strategy="count"), world, 0)
    agent.reset(world.goal, info)
    agent.act("", info)
    agent.reset(world.goal, info)
    assert not agent._strategy._tries  # type: ignore[attr-defined]


# -- settings -------------------------------------------------------------------------------------------------------


def test_a_uniform_agent_is_written_as_before_there_were_other_strategies() -> None:
    assert RandomConfig().to_json() == {"verb_weights": {}}
    assert RandomConfig(verb_weights={"walk": 2}).to_json() == {"verb_weights": {"walk": 2.0}}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_settings_are_written_in_full_and_read_again(strategy: str) -> None:
    config = agent_config("random", STRATEGIES[strategy])
    written = json.loads(json.dumps(config.to_json()))
    assert set(written) == {"verb_weights", "strategy", written["strategy"]}
    assert agent_config("random", written) == config


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"strategy": "counts"}, "strategy.*'uniform', 'count' or 'babble'"),
        ({"count": {"greed": 2}}, "settings of 'count' are given, but the strategy is 'uniform'"),
        ({"strategy": "count", "babble": {}}, "settings of 'babble' are given, but the strategy is 'count'"),
        ({"strategy": "count", "count": {"greed": -1}}, "count.greed"),
        ({"strategy": "babble", "babble": {"patiense": 3}}, "Did you mean 'patience'"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        agent_config("random", settings)
