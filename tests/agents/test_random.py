from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from worldschool.agents.base import agent_config, make_agent
from worldschool.agents.random import RandomConfig, verb_of
from worldschool.errors import ConfigError
from worldschool.records import Goal

LEGAL = ["drop key", "walk to room 1", "walk to room 2", "walk to room 3"]


def draws(config: RandomConfig, legal: list[str], n: int, seed: int = 0) -> list[str | None]:
    agent = make_agent("random", config, None, seed)  # type: ignore[arg-type]
    agent.reset(Goal(""), {})
    return [agent.act("", {"legal_actions": legal}) for _ in range(n)]


@pytest.mark.parametrize(
    ("action", "verb"),
    [("walk to room 1", "walk"), ("Mary: grab key", "grab"), ("Anna Lee: wait", "wait"), ("", "")],
)
def test_the_verb_is_the_first_word_after_the_name(action: str, verb: str) -> None:
    assert verb_of(action) == verb


def test_without_weights_every_action_is_as_likely() -> None:
    counts = Counter(draws(RandomConfig(), LEGAL, 4000))
    assert set(counts) == set(LEGAL)
    assert all(abs(count / 4000 - 0.25) < 0.04 for count in counts.values())


def test_weights_choose_the_verb_and_then_uniformly() -> None:
    counts = Counter(draws(RandomConfig(verb_weights={"walk": 3.0}), LEGAL, 4000))
    assert abs(counts["drop key"] / 4000 - 0.25) < 0.04  # 1 of 3 + 1
    assert abs(counts["walk to room 2"] / 4000 - 0.25) < 0.04  # a third of 3 of 3 + 1


def test_weight_zero_is_never_chosen() -> None:
    assert set(draws(RandomConfig(verb_weights={"walk": 0}), LEGAL, 50)) == {"drop key"}
    assert draws(RandomConfig(verb_weights={"walk": 0, "drop": 0}), LEGAL, 1) == [None]


def test_no_legal_action_ends_the_episode() -> None:
    assert draws(RandomConfig(), [], 1) == [None]


def test_without_info_the_world_is_asked(fake_world_class: Any) -> None:
    world = fake_world_class()
    _, info = world.reset(seed=0)
    agent = make_agent("random", RandomConfig(), world, 3)
    agent.reset(world.goal, info)
    assert agent.act("", info) in world.legal_actions()


def test_same_seed_same_actions() -> None:
    config = RandomConfig(verb_weights={"drop": 2})
    assert draws(config, LEGAL, 50, seed=7) == draws(config, LEGAL, 50, seed=7)
    assert draws(config, LEGAL, 50, seed=7) != draws(config, LEGAL, 50, seed=8)


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "much"])
def test_bad_weights_are_configuration_errors(weight: Any) -> None:
    with pytest.raises(ConfigError, match="verb_weights.walk"):
        agent_config("random", {"verb_weights": {"walk": weight}})


def test_unknown_agents_and_settings_are_named() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'random'"):
        agent_config("randon", {})
    with pytest.raises(ConfigError, match="Did you mean 'verb_weights'"):
        agent_config("random", {"verb_weight": {}})


def test_settings_of_another_agent_are_told_at_once_with_the_way_to_drop_them() -> None:
    with pytest.raises(ConfigError) as told:
        agent_config("random", {"horizon": 6, "strategy": "count", "search": {"simulations": 200}})
    assert told.value.where == "agent.settings"
    assert "the agent 'random' has no setting 'horizon', 'search'" in str(told.value)
    assert "--set agent.settings={}" in str(told.value)
    with pytest.raises(ConfigError, match="agent.settings: verb_weights.walk"):
        agent_config("random", {"verb_weights": {"walk": "much"}})


def test_uniform_exploration_draws_what_it_always_drew() -> None:
    # Drawn by version 0.1: results that were published with these draws can be had again.
    plain = [2, 1, 3, 0, 0, 0, 2, 0, 1, 0, 0, 3, 3, 0, 1, 0, 3, 0, 0, 1, 0, 3, 0, 1]
    weighted = [1, 1, 0, 1, 1, 0, 1, 0, 0, 3, 1, 2, 0, 0, 1, 3, 3, 3, 1, 3, 3, 0, 3, 2]
    assert draws(RandomConfig(), LEGAL, 24, seed=7) == [LEGAL[drawn] for drawn in plain]
    config = RandomConfig(verb_weights={"walk": 3.0, "drop": 0.5})
    assert draws(config, LEGAL, 24, seed=7) == [LEGAL[drawn] for drawn in weighted]
