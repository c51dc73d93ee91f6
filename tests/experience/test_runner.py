from __future__ import annotations

import importlib.util
import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from worldschool.agents.random import RandomAgent
from worldschool.config import Config, load_config
from worldschool.errors import ConfigError, ModelError, OutputError, WorldError
from worldschool.experience import runner
from worldschool.experience.replay import replay_episode
from worldschool.experience.runner import CollectConfig, collect, episode_seeds
from worldschool.experience.running import collecting, lives
from worldschool.experience.running.executors import TaskFailed
from worldschool.experience.store import EpisodeStore
from worldschool.locking import LOCK_FILE
from worldschool.models.completions import RequestRefusedError
from worldschool.progress import silent

PRESETS = sorted((Path(__file__).parents[2] / "configs" / "collect").glob("*.yaml"))

needs_household = pytest.mark.skipif(
    importlib.util.find_spec("worldschool.envs.household.env") is None,
    reason="the household is not built yet",
)


def corridor(**changes: Any) -> CollectConfig:
    values = {
        "world": "worldschool/Corridor-v0",
        "world_config": {"max_steps": 12},
        "episodes": 7,
        "shard_size": 3,
    }
    return CollectConfig.model_validate({**values, **changes})


def test_seeds_are_the_documented_ones() -> None:
    expected = int(np.random.SeedSequence([5, 9]).generate_state(1, np.uint64)[0]) >> 1
    world, agent = episode_seeds(5, 9)
    assert world == expected and type(world) is int and 0 <= agent < 2**63 and agent != world
    everyone = {seed for index in range(500) for seed in episode_seeds(5, index)}
    assert len(everyone) == 1000


def test_an_episode_that_reaches_its_goal_is_a_success(registered_fake: str, tmp_path: Path) -> None:
    report = collect(corridor(agent={"name": "mcts"}, episodes=4), tmp_path, silent)
    assert report.success_rate == 1.0 and report.errors == 0 and report.episodes == 4
    for episode in EpisodeStore.open(tmp_path):
        assert episode.success and episode.terminated and episode.return_ == 1.0


def test_a_stored_episode_can_be_lived_again(registered_fake: str, fakes: Any, tmp_path: Path) -> None:
    collect(corridor(world_config={"cat": True, "max_steps": 12}), tmp_path, silent)
    for episode in EpisodeStore.open(tmp_path):
        world = fakes.CorridorWorld(**json.loads(episode.world_config))
        observation, _ = world.reset(seed=episode.seed)
        assert observation == episode.initial_observation
        for step in episode.steps:
            assert len(world.legal_actions()) == step.legal_actions
            observation, reward, _, _, info = world.step(step.action)
            assert (observation, reward, info["events"]) == (step.observation, step.reward, step.events)
            assert world.snapshot().position == step.state_hash


def test_ids_name_configuration_seed_and_index(registered_fake: str, tmp_path: Path) -> None:
    def ids(name: str, **changes: Any) -> list[str]:
        collect(corridor(**changes), tmp_path / name, silent)
        return [episode.episode_id for episode in EpisodeStore.open(tmp_path / name)]

    plain = ids("a", seed=255)
    digest, seed, index = plain[6].split("-")
    assert len(digest) == 8 and seed == "00000000000000ff" and index == "00000006"
    assert ids("b", seed=255, shard_size=100, strict=True, episodes=9)[:7] == plain
    assert ids("c", seed=255, split="heldout")[0].split("-")[0] != digest


def test_the_content_does_not_depend_on_shards_or_defaults_spelt_out(
    registered_fake: str, tmp_path: Path
) -> None:
    def collected(name: str, **changes: Any) -> str:
        collect(corridor(**changes), tmp_path / name, silent)
        return EpisodeStore.open(tmp_path / name).content_hash()

    expected = collected("a")
    assert collected("b", shard_size=2) == expected
    assert collected("c", shard_size=64) == expected
    assert collected("d", world_config={"max_steps": 12, "cat": False}) == expected
    assert collected("e", agent={"name": "random", "settings": {"verb_weights": {}}}) == expected
    assert collected("f", seed=1) != expected


def test_a_finished_run_does_nothing_more(registered_fake: str, tmp_path: Path) -> None:
    first = collect(corridor(), tmp_path, silent)
    before = (tmp_path / "manifest.jsonl").read_bytes()
    again = collect(corridor(workers=4, strict=True), tmp_path, silent)
    assert (tmp_path / "manifest.jsonl").read_bytes() == before
    assert first.new_episodes == 7 and again.new_episodes == 0
    assert (again.episodes, again.steps) == (first.episodes, first.steps)


def test_another_configuration_is_refused(registered_fake: str, tmp_path: Path) -> None:
    collect(corridor(), tmp_path, silent)
    for changes in ({"episodes": 8}, {"world_config": {"max_steps": 13}}, {"seed": 1}):
        with pytest.raises(OutputError, match="another configuration"):
            collect(corridor(**changes), tmp_path, silent)


def test_an_interrupt_keeps_what_was_committed_and_the_rest_follows(
    registered_fake: str, tmp_path: Path
) -> None:
    seen = 0

    def interrupt(n: int = 1, note: str = "") -> None:
        nonlocal seen
        seen += n
        if seen == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(corridor(), tmp_path / "a", interrupt)
    assert EpisodeStore.open(tmp_path / "a").committed_shards() == [0]
    assert collect(corridor(), tmp_path / "a", silent).new_episodes == 4
    collect(corridor(), tmp_path / "b", silent)
    stores = [EpisodeStore.open(tmp_path / name) for name in "ab"]
    assert stores[0].content_hash() == stores[1].content_hash()


def test_a_run_killed_before_its_first_shard_begins_again(registered_fake: str, tmp_path: Path) -> None:
    def die(n: int = 1, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(corridor(), tmp_path, die)
    (tmp_path / "dataset.json").unlink()
    assert collect(corridor(), tmp_path, silent).episodes == 7


def test_a_failing_world_is_recorded_and_does_not_stop_the_run(registered_fake: str, tmp_path: Path) -> None:
    config = corridor(world_config={"fail_at": 2})
    report = collect(config, tmp_path, silent)
    assert report.errors == report.episodes == 7 and report.success_rate == 0.0
    for episode in EpisodeStore.open(tmp_path):
        assert episode.error == "ZeroDivisionError: the corridor collapsed"
        assert episode.length == len(episode.steps) == 2 and not episode.success
    with pytest.raises(
        TaskFailed, match=r"episode 0 \(world seed \d+\) failed:(.|\n)*the corridor collapsed"
    ):
        collect(config.model_copy(update={"strict": True}), tmp_path / "strict", silent)


def test_settings_are_checked_before_anything_is_written(registered_fake: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="simulatoins"):
        collect(corridor(agent={"name": "mcts", "settings": {"simulatoins": 3}}), out, silent)
    with pytest.raises(ConfigError, match="no agent 'mtcs'"):
        collect(corridor(agent={"name": "mtcs"}), out, silent)
    with pytest.raises(ConfigError, match="split is given twice"):
        collect(corridor(world_config={"split": "train"}), out, silent)
    with pytest.raises(WorldError, match="colour"):
        collect(corridor(world_config={"colour": "red"}), out, silent)
    with pytest.raises(WorldError, match="no world"):
        collect(corridor(world="worldschool/Corridor-v9"), out, silent)
    assert not out.exists()


@pytest.mark.parametrize(
    "override", ["episodes=0", "workers=0", "seed=-1", "shard_size=0", "split=test", "agent.nam=x", "sed=1"]
)
def test_bad_values_are_configuration_errors(override: str) -> None:
    with pytest.raises(ConfigError, match=override.split("=")[0]):
        load_config(CollectConfig, None, ["episodes=1", override])


@needs_household
@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_every_preset_runs(preset: Path, tmp_path: Path) -> None:
    config = load_config(CollectConfig, preset, ["episodes=2"])
    report = collect(config, tmp_path, silent)
    assert report.episodes == 2 and report.errors == 0 and report.steps > 0


def test_the_bar_tells_the_success_rate(registered_fake: str, tmp_path: Path, capsys: Any) -> None:
    collect(corridor(agent={"name": "mcts"}, episodes=3), tmp_path)
    assert "collect: 3/3 episodes" in (told := capsys.readouterr()).err and "100% succeeded" in told.err
    assert told.out == ""


def test_a_time_budget_ends_the_run_at_a_whole_shard(
    registered_fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(collecting, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    collect(corridor(episodes=20), tmp_path / "whole", silent)
    whole = [episode.to_json() for episode in EpisodeStore.open(tmp_path / "whole")]
    for total in (20, None):
        out, config = tmp_path / str(total), corridor(episodes=total, time_budget_s=0.5)
        first = collect(config, out, silent)
        assert first.out_of_time and first.new_episodes == first.episodes == 3, (
            "at least one shard, and no more"
        )
        again = collect(config.model_copy(update={"time_budget_s": 15.0}), out, silent)
        assert again.out_of_time and again.episodes % 3 == 0 and 3 < again.episodes < 20
        rows = [episode.to_json() for episode in EpisodeStore.open(out)]
        assert rows == whole[: len(rows)]
    last = collect(corridor(episodes=20, time_budget_s=1e6), tmp_path / "20", silent)
    assert not last.out_of_time and last.episodes == 20
    assert (
        EpisodeStore.open(tmp_path / "20").content_hash()
        == EpisodeStore.open(tmp_path / "whole").content_hash()
    )


def test_a_run_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing says when the run ends.*time_budget_s"):
        collect(corridor(episodes=None), tmp_path / "out", silent)
    assert not (tmp_path / "out").exists()


def test_an_address_without_ray_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ray_address.*executor: ray"):
        collect(corridor(ray_address="1.2.3.4:6379"), tmp_path, silent)


def test_a_search_budget_in_seconds_is_refused(
    registered_fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Search(Config):
        seconds: float | None = None

    class Settings(Config):
        search: Search = Search()
        seconds: float | None = None

    monkeypatch.setattr(runner, "agent_config", lambda name, values, where: Settings(**values))
    for settings, where in (({"seconds": 2}, "seconds"), ({"search": {"seconds": 2}}, r"search\.seconds")):
        with pytest.raises(ConfigError, match=rf"agent\.settings\.{where}: .*in simulations"):
            collect(corridor(agent={"name": "mcts", "settings": settings}), tmp_path / "out", silent)


def test_a_run_that_only_fails_says_so(registered_fake: str, tmp_path: Path, capsys: Any) -> None:
    collect(corridor(world_config={"fail_at": 2}, episodes=30), tmp_path / "a", silent)
    told = capsys.readouterr().err
    assert told.count("each of the first 20 episodes failed") == 1 and "the corridor collapsed" in told
    log = (tmp_path / "a" / "collect.log").read_text()
    assert (
        log.count("(world seed ") == 30 and "each of the first 20" in log and "ends with 30 episodes" in log
    )
    collect(corridor(world_config={"fail_at": 11}, episodes=30), tmp_path / "b", silent)
    assert "failed" not in capsys.readouterr().err, "some reach the chest before"


def test_a_world_that_failed_is_made_again(
    registered_fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = lives.make
    monkeypatch.setattr(lives, "make", lambda world, **config: made.append(world) or make(world, **config))
    collect(corridor(episodes=3), tmp_path / "well", silent)
    assert len(made) == 1
    collect(corridor(episodes=3, world_config={"fail_at": 0}), tmp_path / "failing", silent)
    assert len(made) == 1 + 3, "a world that failed may be left in any state"


def test_an_agent_that_cannot_be_made_is_recorded(
    registered_fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise LookupError("no agent today")

    monkeypatch.setattr("worldschool.agents.random.RandomAgent.__init__", broken)
    collect(corridor(episodes=1), tmp_path, silent)
    (episode,) = EpisodeStore.open(tmp_path)
    assert episode.error == "LookupError: no agent today" and episode.initial_observation


@needs_household
@pytest.mark.parametrize("workers", [1, 2])
def test_an_agent_whose_settings_are_at_fault_ends_the_run_which_gives_its_directory_back(
    tmp_path: Path, workers: int
) -> None:
    config = CollectConfig.model_validate(
        {"world": "worldschool/Household-v0", "episodes": 4, "shard_size": 2, "workers": workers}
    )
    shopper = config.model_copy(update={"agent": runner.AgentSettings(name="shopper")})
    out = tmp_path / "out"
    with pytest.raises(WorldError, match="the shopper cannot read worldschool/Household-v0"):
        collect(shopper, out, silent)
    assert [path.name for path in out.iterdir()] == [LOCK_FILE]
    assert collect(config, out, silent).episodes == 4


def test_an_agent_whose_settings_are_at_fault_later_leaves_what_is_committed(
    registered_fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = itertools.count()

    class Vanishing(RandomAgent):
        def __init__(self, *arguments: Any) -> None:
            if next(made) >= 4:
                raise ModelError("the model is gone")
            super().__init__(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr("worldschool.agents.random.RandomAgent", Vanishing)
        with pytest.raises(ModelError, match="the model is gone"):
            collect(corridor(), tmp_path, silent)
    assert len(EpisodeStore.open(tmp_path)) == 3, "the shard that was whole"
    assert "by ModelError: the model is gone" in (tmp_path / "collect.log").read_text()
    report = collect(corridor(), tmp_path, silent)
    assert (report.new_episodes, report.episodes, report.errors) == (4, 7, 0)


def test_a_server_that_goes_away_ends_the_run_which_goes_on_when_it_is_back(
    registered_fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(corridor(), tmp_path / "whole", silent)
    acted = itertools.count()
    act = RandomAgent.act

    def away(self: RandomAgent, observation: str, info: dict[str, Any]) -> str | None:
        if next(acted) == 50:
            raise ModelError("connection refused (tried 5 times)", where="http://localhost:8000/v1")
        return act(self, observation, info)

    monkeypatch.setattr(RandomAgent, "act", away)
    with pytest.raises(ModelError, match="connection refused"):
        collect(corridor(), tmp_path / "out", silent)
    assert 0 < len(EpisodeStore.open(tmp_path / "out")) < 7
    collect(corridor(), tmp_path / "out", silent)
    whole, found = (EpisodeStore.open(tmp_path / name).content_hash() for name in ("whole", "out"))
    assert found == whole


def test_a_request_that_a_server_refuses_is_the_episodes_own(
    registered_fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: Any) -> None:
        raise RequestRefusedError("HTTP 400: too long", where="http://localhost:8000/v1")

    monkeypatch.setattr(RandomAgent, "act", refused)
    assert collect(corridor(episodes=2), tmp_path, silent).errors == 2


GOALS = (
    {"text": "Hold the key.", "predicates": [["HOLDS", "Mary", "key"]]},
    {"text": "Open the chest.", "predicates": [["STATE:open", "chest", None]]},
)


def test_goals_may_be_given(registered_fake: str, tmp_path: Path) -> None:
    config = corridor(goals=GOALS, agent={"name": "mcts"}, world_config={"goal": "none", "max_steps": 12})
    report = collect(config, tmp_path, silent)
    assert report.success_rate == 1.0 and report.errors == 0
    episodes = list(EpisodeStore.open(tmp_path))
    assert [episode.goal for episode in episodes] == [GOALS[index % 2]["text"] for index in range(7)]
    assert [found for episode in episodes for found in replay_episode(episode)] == []
    with pytest.raises(OutputError, match=r"goals: .* -> None"):
        collect(config.model_copy(update={"goals": None}), tmp_path, silent)


@pytest.mark.parametrize(
    ("predicate", "told"),
    [
        (
            ["HOLD", "Mary", "key"],
            r"goals\.1\.predicates: there is no predicate 'HOLD'.*Did you mean 'HOLDS'",
        ),
        (["HOLDS", "Mary", "moon"], r"goals\.1\.predicates: none of the first 16 episodes .* no 'moon'"),
    ],
)
def test_goals_that_no_world_has_are_refused(
    registered_fake: str, tmp_path: Path, predicate: list[str], told: str
) -> None:
    goals = [GOALS[0], {"text": "?", "predicates": [predicate]}]
    with pytest.raises(ConfigError, match=told):
        collect(corridor(goals=goals), tmp_path / "out", silent)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "goal", ['{"text": "x"}', '{"text": "x", "predicates": [["ON", "x"]]}', '"open the fridge"']
)
def test_goals_of_another_form_are_configuration_errors(goal: str) -> None:
    with pytest.raises(ConfigError, match=r"goals\.0"):
        load_config(CollectConfig, None, ["episodes=1", f"goals=[{goal}]"])
