from __future__ import annotations

import math
from collections import deque
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.agents.base import agent_config, make_agent
from worldschool.agents.mcts import MCTS, MCTSConfig, SnapshotSearch, puct_score, uct_score
from worldschool.agents.mcts.priors import _loaded, priors_of
from worldschool.agents.plans import GoalNames, shorten
from worldschool.errors import ConfigError, WorldError
from worldschool.models.language import CompletionScore
from worldschool.records import Goal

THOROUGH = MCTSConfig(stop_at_first=False, simulations=600)


def optimum(world: Any, goal: Goal) -> int:
    """Length of the shortest plan, by breadth-first search."""
    start = world.snapshot()
    reached = {start.position}
    queue = deque([(start, 0)])
    try:
        while queue:
            state, depth = queue.popleft()
            world.restore(state)
            if all(world.satisfied(goal)):
                return depth
            for action in world.legal_actions():
                world.restore(state)
                world.step(action)
                after = world.snapshot()
                if after.position not in reached:
                    reached.add(after.position)
                    queue.append((after, depth + 1))
    finally:
        world.restore(start)
    raise AssertionError("the goal cannot be reached")


def test_uct_score_is_the_formula_by_hand() -> None:
    # 0.5 + 1.4 * sqrt(ln 10 / 4) = 0.5 + 1.4 * sqrt(0.5756463) = 0.5 + 1.4 * 0.7587136
    assert uct_score(0.5, 4, 10, 1.4) == pytest.approx(1.5621990, abs=1e-6)
    # ln 1 = 0: after the first choice only the mean counts.
    assert uct_score(-0.25, 1, 1, 1.4) == -0.25
    # Exploration 0 is greedy.
    assert uct_score(0.3, 7, 100, 0.0) == 0.3


def test_puct_score_is_the_formula_by_hand() -> None:
    # 0.5 + 2 * 0.25 * sqrt(16) / (1 + 3) = 0.5 + 0.5
    assert puct_score(0.5, 3, 16, 0.25, 2.0) == 1.0
    assert puct_score(0.5, 3, 16, 0.0, 2.0) == 0.5


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("focus", [1.0, 4.0])
def test_finds_the_shortest_plan_in_the_corridor(fake_world_class: Any, seed: int, focus: float) -> None:
    world = fake_world_class(length=4)
    world.reset(seed=seed)
    plan = MCTS(THOROUGH.model_copy(update={"focus": focus}), seed).plan(world, world.goal)
    assert plan.success
    assert len(plan.actions) == optimum(world, world.goal)
    assert plan.value == pytest.approx(0.98 ** (len(plan.actions) - 1))


@pytest.mark.parametrize("rule", ["uct", "puct"])
@pytest.mark.parametrize("shaping", ["predicates", "none"])
@pytest.mark.parametrize("transpositions", [True, False])
@pytest.mark.parametrize("stop_at_first", [True, False])
@pytest.mark.parametrize("cat", [True, False])
def test_every_variant_returns_plans_that_replay(
    fake_world_class: Any, rule: Any, shaping: Any, transpositions: bool, stop_at_first: bool, cat: bool
) -> None:
    world = fake_world_class(length=4, cat=cat)
    world.reset(seed=3)
    config = MCTSConfig(
        rule=rule,
        shaping=shaping,
        transpositions=transpositions,
        stop_at_first=stop_at_first,
        simulations=150,
    )
    plan = MCTS(config, 0).plan(world, world.goal)
    assert plan.success and plan.simulations <= 150
    for action in plan.actions:
        assert action in world.legal_actions()
        _, _, terminated, _, _ = world.step(action)
    assert terminated


def test_two_predicates_are_both_reached(fake_world_class: Any) -> None:
    world = fake_world_class(length=3, goal="none")
    world.reset(seed=1)
    goal = Goal("", (("STATE:open", "chest", None), ("AT", "key", "room 1")))
    plan = MCTS(MCTSConfig(), 0).plan(world, goal)
    assert plan.success
    for action in plan.actions:
        world.step(action)
    assert world.satisfied(goal) == (True, True)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(seed=st.integers(0, 1000), walked=st.integers(0, 5), cat=st.booleans())
def test_the_world_is_left_as_it_was_found(fakes: Any, seed: int, walked: int, cat: bool) -> None:
    world = fakes.CorridorWorld(length=3, cat=cat, goal="none")
    world.reset(seed=seed)
    for _ in range(walked):
        world.step("wait")
    before, events, goal = world.snapshot(), world.events(), world.goal
    MCTS(MCTSConfig(simulations=20), seed).plan(world, fakes.OPEN_CHEST)
    assert world.snapshot().digest == before.digest
    assert world.events() == events and world.goal == goal


def test_the_world_is_left_as_it_was_found_when_the_goal_is_unknown(fake_world_class: Any) -> None:
    world = fake_world_class()
    world.reset(seed=0)
    before = world.snapshot().digest
    with pytest.raises(WorldError, match="unicorn"):
        MCTS().plan(world, Goal("", (("AT", "unicorn", "room 1"),)))
    assert world.snapshot().digest == before


def test_a_goal_that_holds_needs_no_step(fake_world_class: Any) -> None:
    world = fake_world_class(goal="none")
    world.reset(seed=0)
    plan = MCTS().plan(world, Goal("", (("STATE:closed", "chest", None),)))
    assert plan.success and plan.actions == () and plan.simulations == 0 and plan.value == 1.0


def test_an_empty_goal_is_never_reached(fake_world_class: Any) -> None:
    world = fake_world_class(goal="none")
    world.reset(seed=0)
    assert not MCTS().plan(world, world.goal).success


def test_the_budget_is_kept_and_failure_is_told(fake_world_class: Any) -> None:
    world = fake_world_class(length=30, max_steps=5)  # the chest is out of reach before the step limit
    world.reset(seed=0)
    plan = MCTS().plan(world, world.goal, budget=17)
    assert plan == type(plan)((), False, 17, 0.0)


def test_the_step_limit_is_foreseen(fake_world_class: Any) -> None:
    world = fake_world_class(length=3, max_steps=30)
    world.reset(seed=2)
    shortest = optimum(world, world.goal)
    for _ in range(30 - shortest + 1):
        world.step("wait")
    assert not MCTS(MCTSConfig(simulations=100)).plan(world, world.goal).success


def test_a_value_stands_in_for_rollouts(fake_world_class: Any) -> None:
    world = fake_world_class(length=6)
    world.reset(seed=5)
    asked = []

    def value(now: Any, goal: Goal) -> float:
        asked.append(now.snapshot().position)
        return 0.5

    planner = MCTS(MCTSConfig(rollout_depth=20, advance=None, simulations=30), 0, value=value)
    planner.plan(world, world.goal)
    assert 0 < len(asked) <= 30


def test_priors_lead_the_search(fake_world_class: Any) -> None:
    """With the prior on what the shortest plan does, a few simulations are enough; against it, they are not."""
    world = fake_world_class(length=8)
    world.reset(seed=5)
    wanted = MCTS(THOROUGH, 0).plan(world, world.goal).actions
    config = MCTSConfig(
        rule="puct", exploration=1.0, simulations=25, rollout_depth=0, shaping="none", advance=None
    )

    def solved(share: float) -> int:
        priors = lambda now, goal, legal: [share if action in wanted else 1 - share for action in legal]
        return sum(MCTS(config, seed, priors=priors).plan(world, world.goal).success for seed in range(10))

    assert solved(0.99) > solved(0.01)


def test_the_root_keeps_its_statistics(fake_world_class: Any) -> None:
    world = fake_world_class(length=6)
    world.reset(seed=5)
    planner = MCTS(MCTSConfig(simulations=80, stop_at_first=False, focus=1, advance=None), 0)
    planner.plan(world, world.goal)
    assert {one.action for one in planner.root} <= set(world.legal_actions())
    assert sum(one.visits for one in planner.root) == 80
    assert sum(one.prior for one in planner.root) == pytest.approx(1.0)
    assert [one.visits for one in planner.root] == sorted((one.visits for one in planner.root), reverse=True)


def test_the_search_goes_on_from_the_best_state_it_saw(fake_world_class: Any) -> None:
    world = fake_world_class(length=5)
    world.reset(seed=1)
    goal = Goal("", (("STATE:open", "chest", None), ("AT", "key", "room 1")))
    config = MCTSConfig(simulations=4000, rollout_depth=0, max_depth=8)
    at_the_root, going_on = (
        MCTS(config.model_copy(update={"advance": advance}), 0).plan(world, goal) for advance in (None, 100)
    )
    assert not at_the_root.success  # it takes more steps than the tree is deep
    assert going_on.success and len(going_on.actions) > 8


def test_seconds_end_a_search(fake_world_class: Any) -> None:
    world = fake_world_class(length=30, max_steps=5)
    world.reset(seed=0)
    plan = MCTS(MCTSConfig(simulations=10**9, seconds=0.05)).plan(world, world.goal)
    assert not plan.success and 0 < plan.simulations < 10**9


def test_a_language_model_gives_priors(fake_world_class: Any) -> None:
    class Model:
        asked = 0

        def score(self, prompts: Any, completions: Any) -> Any:
            Model.asked += 1
            assert "Goal: Open the chest." in prompts[0] and prompts[0].endswith("Next action:")
            return [
                [CompletionScore(-8.0 if "wait" in text else -2.0, 2, len(text)) for text in completions[0]]
            ]

    world = fake_world_class(length=4)
    world.reset(seed=4)
    priors = priors_of(Model())  # type: ignore[arg-type]
    legal = world.legal_actions()
    shares = dict(zip(legal, priors(world, world.goal, legal), strict=True))
    # Means of -4 and -1: e^-3 against 1 for each other action.
    others = len(legal) - 1
    assert shares["wait"] == pytest.approx(math.exp(-3) / (others + math.exp(-3)))
    assert sum(shares.values()) == pytest.approx(1.0)
    priors(world, world.goal, legal)
    assert Model.asked == 1
    assert MCTS(MCTSConfig(rule="puct"), priors=priors).plan(world, world.goal).success


def test_the_model_that_the_settings_name_gives_the_priors_of_every_planner(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def priors(world: Any, goal: Any, legal: Any) -> Any:
        asked.append(legal)
        return [1.0] * len(legal)

    monkeypatch.setitem(_loaded, "a model", priors)
    world = fake_world_class(length=4)
    world.reset(seed=4)
    config = MCTSConfig(prior_model="a model", simulations=5)
    MCTS(config).plan(world, world.goal)
    assert asked
    asked.clear()
    MCTS(config, priors=lambda world, goal, legal: [1.0] * len(legal)).plan(world, world.goal)
    assert not asked  # those that are given come first


def test_same_seed_same_plan(fake_world_class: Any) -> None:
    def plans(seed: int) -> list[Any]:
        world = fake_world_class(length=6, cat=True)
        world.reset(seed=5)
        planner = MCTS(MCTSConfig(simulations=60), seed)
        return [planner.plan(world, world.goal) for _ in range(2)]

    assert plans(1) == plans(1)


@pytest.mark.parametrize("shaping", ["progress", "none"])
def test_shaping_telescopes_along_a_path_to_the_goal(fake_world_class: Any, shaping: Any) -> None:
    # Ng et al. 1999: the discounted sum of shaped rewards is the unshaped return minus Phi(s0): gamma^(T-1) - Phi(s0).
    world = fake_world_class(length=3, goal="none")
    world.reset(seed=2)
    goal = Goal("", (("STATE:open", "chest", None), ("AT", "Mary", world.facts()[0].object)))
    world.set_goal(goal)
    assert world.satisfied(goal) == (True, False)  # so Phi(s0) is one half
    start = world.snapshot()
    search = SnapshotSearch(world, goal, MCTSConfig(shaping=shaping).terms, Random(0))
    plan = shorten(world, goal, start, MCTS(THOROUGH, 0).plan(world, goal).actions)
    assert plan is not None and len(plan) > 2
    node, path = search._root, []
    for action in plan:
        edge, _ = search._expand(node, action)
        path.append((node, edge))
        if edge.child is not None:
            node = edge.child
    assert edge.reaches_goal
    search._back_up(path, 0.0)
    assert path[0][1].total == pytest.approx(
        0.98 ** (len(plan) - 1) - (0.5 if shaping == "progress" else 0.0)
    )


@pytest.mark.parametrize("shaping", ["progress", "none"])
def test_a_rollout_returns_the_same_sum_in_closed_form(fake_world_class: Any, shaping: Any) -> None:
    world = fake_world_class(length=2, goal="none")
    world.reset(seed=0)
    goal = Goal("", (("AT", "chest", "room 2"), ("HOLDS", "Mary", "chest")))  # half true, never all
    search = SnapshotSearch(
        world, goal, MCTSConfig(shaping=shaping, rollout_depth=5, focus=8).terms, Random(0)
    )
    value, plan = search._rollout(search._root)
    # Phi = 1/2 all along: gamma^5 / 2 - 1/2. Without shaping nothing was reached: 0.
    assert value == pytest.approx(0.98**5 / 2 - 0.5 if shaping == "progress" else 0.0)
    assert plan is None


def test_a_plan_is_shortened_to_what_is_needed(fake_world_class: Any) -> None:
    world = fake_world_class(length=2)
    world.reset(seed=0)
    start = world.snapshot()
    world.restore(type(start)(start.world, (2, 1, 0, False, False, start.state[5]), start.bookkeeping))
    start = world.snapshot()
    detours = ["wait", "walk to room 1", "grab key", "drop key", "wait", "grab key", "wait", "walk to room 2"]
    found = shorten(world, world.goal, start, [*detours, "wait", "open chest"])
    assert found == ("walk to room 1", "grab key", "walk to room 2", "open chest")
    assert shorten(world, world.goal, start, ["wait", "open chest"]) is None


def test_actions_are_weighed_by_the_names_that_matter(fake_world_class: Any) -> None:
    world = fake_world_class(length=12)
    world.reset(seed=0)
    key_room = next(fact.object for fact in world.facts() if fact.subject == "key")
    names = GoalNames(world, Goal("", (("AT", "class:key", "room 1"),)), focus=4.0)
    assert names.weight("grab key") == 4.0
    assert names.weight("wait") == 1.0
    assert names.weight(f"walk to {key_room}") == 4.0  # the key is in it
    assert names.weight("walk to room 1") == 4.0
    others = [f"room {n}" for n in range(10, 13) if f"room {n}" != key_room]
    assert all(names.weight(f"walk to {room}") == 1.0 for room in others)  # "room 11" is not "room 1"


def test_the_agent_follows_its_plan_and_stops(fake_world_class: Any) -> None:
    world = fake_world_class()
    observation, info = world.reset(seed=4)
    agent = make_agent("mcts", agent_config("mcts", {"simulations": 100}), world, seed=1)
    agent.reset(world.goal, info)
    ended = False
    while (action := agent.act(observation, info)) is not None:
        observation, _, ended, _, info = world.step(action)
    assert ended and info["success"]


def test_the_agent_plans_again_when_the_world_deviates(fake_world_class: Any) -> None:
    world = fake_world_class(length=4)
    _, info = world.reset(seed=4)
    agent = make_agent("mcts", MCTSConfig(simulations=200), world, seed=1)
    agent.reset(world.goal, info)
    for _ in range(3):  # somebody else walks Mary into the wrong corner
        for action in [a for a in world.legal_actions() if a.startswith("walk")][:1]:
            world.step(action)
    while (chosen := agent.act("", {})) is not None:
        assert chosen in world.legal_actions()
        world.step(chosen)
    assert all(world.satisfied(world.goal))


def test_the_agent_gives_up_after_its_replans(fake_world_class: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fake_world_class(length=30, max_steps=5)
    _, info = world.reset(seed=0)
    agent = make_agent("mcts", MCTSConfig(simulations=2, replans=2), world, seed=1)
    calls = []
    monkeypatch.setattr(type(agent), "_search", lambda self: calls.append(1) or [])
    agent.reset(world.goal, info)
    assert agent.act("", info) is None
    assert len(calls) == 3


@pytest.mark.parametrize("values", [{"simulations": 0}, {"discount": 1.5}, {"focus": math.nan}, {"depht": 3}])
def test_bad_settings_are_named(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        agent_config("mcts", values)
