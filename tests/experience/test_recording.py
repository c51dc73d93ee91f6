from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import Episode, Goal

LABEL: dict[str, Any] = {
    "episode_id": "x",
    "run_seed": 0,
    "index": 0,
    "seed": 3,
    "agent": "scripted",
    "agent_config": "{}",
    "split": "train",
}


def label(**changes: Any) -> EpisodeLabel:
    return EpisodeLabel(**{**LABEL, **changes})


class Scripted:
    """An agent that says what it was told to say; an exception in the list is raised."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)

    def reset(self, goal: Any, info: dict[str, Any]) -> None:
        self.goal = goal

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        if not self.script:
            return None
        action = self.script.pop(0)
        if isinstance(action, BaseException):
            raise action
        return action


def test_an_episode_records_what_happened(fake_world_class: Any) -> None:
    world = fake_world_class(length=2)
    first, _ = world.reset(seed=3)
    start = world.snapshot().position
    legal = len(world.legal_actions())
    episode = record_episode(world, Scripted("wait", "fly"), label())
    assert (episode.initial_observation, episode.initial_state_hash) == (first, start)
    assert [step.action for step in episode.steps] == ["wait", "fly"]
    assert episode.steps[0].legal_actions == legal and episode.length == 2
    assert episode.steps[1].state_hash == world.snapshot().position
    assert [event.verb for event in episode.events] == ["wait"]
    assert episode.goal == "Open the chest." and episode.goal_predicates == '[["STATE:open","chest",null]]'
    assert not (episode.terminated or episode.truncated or episode.success) and episode.error is None
    assert episode.entities == world.entities()


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ValueError("at 0x7f00beef"), "ValueError: at 0x..."),
        ("say \ud800", "UnicodeEncodeError: 'utf-8' codec can't encode character"),
        (RuntimeError("\udcff"), r"RuntimeError: \udcff"),
    ],
)
def test_a_failing_agent_is_recorded(fake_world_class: Any, failure: Any, told: str) -> None:
    episode = record_episode(fake_world_class(), Scripted("wait", failure), label())
    assert episode.error is not None and episode.error.startswith(told)
    assert episode.length == 1 and not episode.success
    episode.error.encode()


def test_a_world_that_cannot_be_reset_is_recorded(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, **kwargs: Any) -> None:
        raise OSError("no house today")

    monkeypatch.setattr(fake_world_class, "reset", broken)
    episode = record_episode(fake_world_class(), Scripted(), label())
    assert episode.error == "OSError: no house today" and episode.steps == () and episode.entities == ()


def test_rewards_that_no_file_holds_are_failures(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = fake_world_class.step
    monkeypatch.setattr(
        fake_world_class,
        "step",
        lambda self, action: (step(self, action)[0], float("nan"), *step(self, "wait")[2:]),
    )
    episode = record_episode(fake_world_class(goal="none"), Scripted("wait"), label())
    assert episode.error == "ValueError: the world gave the reward nan"


class Proposing(Scripted):
    """Proposes a goal; an exception given in its place is raised."""

    def __init__(self, proposed: Any, *script: Any) -> None:
        super().__init__(*script)
        self.proposed = proposed

    def propose(self, observation: str, info: dict[str, Any]) -> Goal | None:
        self.saw = observation
        if isinstance(self.proposed, Exception):
            raise self.proposed
        proposed: Goal | None = self.proposed
        return proposed


HOLD = Goal("Hold the key.", (("HOLDS", "Mary", "key"),))


def test_an_agent_may_propose_the_goal_of_its_episode(fake_world_class: Any) -> None:
    world = fake_world_class(length=1)
    agent = Proposing(HOLD, "grab key", "wait")
    episode = record_episode(world, agent, label())
    assert agent.saw == episode.initial_observation and agent.goal == HOLD
    assert (episode.goal, episode.goal_predicates) == (HOLD.text, HOLD.key)
    world.reset(seed=3)
    others = world.snapshot().position
    world.set_goal(HOLD)
    assert episode.initial_state_hash == world.snapshot().position != others
    assert episode.success and episode.terminated and episode.length == 1


def test_an_agent_that_proposes_nothing_keeps_the_worlds_goal(fake_world_class: Any) -> None:
    episode = record_episode(fake_world_class(), Proposing(None), label())
    assert episode.goal == "Open the chest." and episode.error is None


def test_a_goal_that_the_world_does_not_have_is_a_failure(fake_world_class: Any) -> None:
    moon = Goal("Hold the moon.", (("HOLDS", "Mary", "moon"),))
    for proposed, told in (
        (moon, "WorldError: goal: there is no 'moon' in this world."),
        (KeyError("?"), "KeyError: '?'"),
    ):
        episode = record_episode(fake_world_class(), Proposing(proposed), label())
        assert episode.error == told
        assert episode.goal == "Open the chest." and episode.initial_observation, (
            "the world as it began is kept"
        )


def test_the_digest_seals_everything_but_the_place(fake_world_class: Any) -> None:
    episode = record_episode(fake_world_class(), Scripted("wait", "fly"), label())
    assert len(episode.digest) == 32 and episode.digest == episode.content_digest()
    assert Episode.from_json(episode.to_json()).content_digest() == episode.digest
    assert replace(episode, index=7).content_digest() == episode.digest
    step = replace(episode.steps[1], action="flee")
    for changes in (
        {"seed": 4},
        {"package_version": "x"},
        {"steps": (episode.steps[0], step)},
        {"error": "x"},
    ):
        edited: Any = replace(episode, **changes)
        assert edited.content_digest() != episode.digest, changes


def test_a_start_that_no_file_holds_is_a_failure(
    fake_world_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reset = fake_world_class.reset
    monkeypatch.setattr(fake_world_class, "reset", lambda self, seed: ("\ud800", reset(self, seed=seed)[1]))
    episode = record_episode(fake_world_class(), Scripted("wait"), label())
    assert episode.error is not None and episode.error.startswith("UnicodeEncodeError")
    assert episode.initial_observation == "" and len(episode.digest) == 32
