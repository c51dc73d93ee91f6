"""The loop: practice is learned from, rounds are compared on the same goals, and interrupted runs go on."""

import errno
import json
import os
import shutil
from argparse import Namespace
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from worldschool.agents.language import LanguageAgent, LanguageConfig
from worldschool.agents.language.usage import collected_in, read_usage
from worldschool.cli.main import main
from worldschool.config import build_config, load_config
from worldschool.envs import make
from worldschool.errors import ConfigError, OutputError, UserError
from worldschool.experience.runner import AgentSettings, CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.learners.finetune.acting import acting_examples
from worldschool.learners.memory import Memory, known_skills
from worldschool.recipes.loop import LoopConfig, loop
from worldschool.recipes.loop.learning import _asker

HOUSE = {"rooms": [2, 3], "objects": [3, 4], "goal": "random", "max_steps": 16}


def config(**changes):
    values = {"world_config": HOUSE, "rounds": 2, "episodes": 80, "probed": 60, **changes}
    return build_config(LoopConfig, values, "loop")


@pytest.fixture(scope="module")
def rounds(tmp_path_factory):
    out = tmp_path_factory.mktemp("loop") / "loop"
    return out, loop(config(), out)


def test_a_memory_raises_success_and_the_report_says_what_it_took(rounds):
    out, found = rounds
    assert [one.number for one in found] == [0, 1, 2]
    assert found[-1].success > found[0].success and found[-1].gain_low > 0
    assert [one.entries for one in found] == [0, 80, 160] and found[0].practised is None
    lived = [EpisodeStore.open(out / f"round-{n}" / "practice") for n in (1, 2)]
    assert found[2].steps == sum(len(one.steps) for store in lived for one in store)
    assert 0 < found[1].goals <= found[2].goals
    written = json.loads((out / "loop.json").read_text())
    assert written["rounds"] == [asdict(one) for one in found]
    best = written["best"]
    assert found[best["round"]].success == max(one.success for one in found)
    with Memory.open(best["memory"]) as memory:
        assert memory.count == 80 * best["round"]
    assert "| 2 | " in (out / "loop.md").read_text() and (out / "loop.png").read_bytes()[:4] == b"\x89PNG"


def test_every_round_is_probed_on_the_same_goals_and_none_that_was_practised(rounds):
    out, _ = rounds
    probed = [
        [
            (one.seed, one.goal_predicates, one.initial_state_hash)
            for one in EpisodeStore.open(out / f"round-{n}" / "probed")
        ]
        for n in range(3)
    ]
    assert probed[0] == probed[1] == probed[2] and len(set(probed[0])) == 60
    practised = [one for n in (1, 2) for one in EpisodeStore.open(out / f"round-{n}" / "practice")]
    assert len({one.seed for one in practised}) == 160
    assert {one.split for one in practised} == {"train"}
    assert not {one.initial_state_hash for one in practised} & {state for _, _, state in probed[0]}


def test_what_was_followed_is_credited_in_the_next_memory(rounds):
    out, _ = rounds
    with Memory.open(out / "round-1" / "memory") as first, Memory.open(out / "round-2" / "memory") as second:
        assert first.stats.used == 0 < second.stats.used
        assert second.stats.succeeded <= second.stats.used


def test_an_interrupted_loop_goes_on_and_comes_to_the_same(rounds):
    out, found = rounds
    shutil.rmtree(out / "round-2" / "memory")
    shutil.rmtree(out / "round-2" / "probed")
    (out / "round-2" / "round.json").unlink()
    (out / "round-2" / "memory.making").mkdir()
    kept, expected = ([asdict(one) for one in part] for part in (loop(config(), out), found))
    for one in (*kept, *expected):
        del one["seconds"]
    assert kept == expected and not (out / "round-2" / "memory.making").exists()


def test_a_language_model_learns_both_ways_and_one_at_a_time(tmp_path, tiny_llama, monkeypatch):
    tuned = {
        "model": str(tiny_llama),
        "retention": {"kind": "ewc", "measure": {"samples": 2, "tokens": 16}},
        "max_steps": 2,
        "batch_examples": 2,
    }
    agent = {"name": "language", "settings": {"model": str(tiny_llama), "context": 400, "temperature": 50.0}}
    small = {
        "world_config": {**HOUSE, "max_steps": 6},
        "rounds": 1,
        "episodes": 6,
        "probed": 2,
        "agent": agent,
    }
    # A model of random weights reaches nothing: what it did is learned as if it had been a success.
    monkeypatch.setattr(
        "worldschool.recipes.loop.learning.acting_examples",
        lambda episodes: acting_examples(replace(one, success=True) for one in episodes),
    )
    (first, last) = loop(config(**small, finetune=tuned), tmp_path / "both")
    assert first.forgotten == {} and set(last.forgotten) == {"prose:validation"}
    assert last.entries == 6 and last.trained_tokens > 0 and last.model_tokens > first.model_tokens > 0
    used = [
        json.loads(one.agent_config) for one in EpisodeStore.open(tmp_path / "both" / "round-1" / "probed")
    ]
    assert used[0]["adapter"].endswith("round-1/adapter")
    assert used[0]["recall"]["settings"]["path"].endswith("round-1/memory")
    (_, only) = loop(config(**small, memory=None, finetune=tuned), tmp_path / "weights")
    assert only.entries == 0 and only.trained_tokens > 0


def test_what_is_imitated_are_the_actions_of_successes_in_the_agents_own_prompts(rounds, tiny_llama):
    out, _ = rounds
    practice = list(EpisodeStore.open(out / "round-2" / "practice"))
    learned = list(acting_examples(practice))
    assert learned and {one.episode_id for one in learned} == {
        one.episode_id for one in practice if one.success
    }
    episode = next(one for one in practice if one.success and len(one.steps) > 1)
    world = make(episode.world, **json.loads(episode.world_config))
    observation, info = world.reset(seed=episode.seed)
    agent = LanguageAgent(LanguageConfig(model=str(tiny_llama), context=4096), world, 0)
    agent.reset(world.goal, info)
    asked = []
    agent._scored = lambda prompt, actions: asked.append(prompt) or episode.steps[len(asked) - 1].action
    agent._model = Namespace(context_length=1 << 20, count_tokens=lambda texts: [1] * len(texts))
    for _ in episode.steps:
        observation, *_, info = world.step(agent.act(observation, {}))
    own = [one for one in learned if one.episode_id == episode.episode_id]
    assert own and {one.prompt for one in own} <= set(asked)
    assert all(one.completion == f" {one.answer}\n" for one in own)


CIRCLE = {"name": "curriculum", "settings": {"search": None, "tries": {"name": "follower"}}}


@pytest.mark.parametrize("world", ["Household", "Shop"])
def test_the_circle_of_goals_tries_and_skills_turns_in_both_worlds(world, tmp_path):
    """The curriculum proposes, the agent tries with skills and memory, the world verifies, the skill is kept."""
    worlds = {"Household": {**HOUSE, "goal": "random"}, "Shop": {"products": 60, "max_steps": 16}}
    made = config(
        world=f"worldschool/{world}-v0",
        world_config=worlds[world],
        agent=CIRCLE,
        episodes=40,
        probed=10,
        memory={"skills": True},
    )
    found = loop(made, tmp_path / "circle")
    assert [one.skills > 0 for one in found] == [False, True, True]
    first, second = (list(EpisodeStore.open(tmp_path / "circle" / f"round-{n}" / "practice")) for n in (1, 2))
    probed = list(EpisodeStore.open(tmp_path / "circle" / "round-2" / "probed"))
    plain = make(f"worldschool/{world}-v0", **worlds[world], split="validation")
    for episode in probed:  # on the world's own goals
        plain.reset(seed=episode.seed)
        assert episode.goal_predicates == plain.goal.key
    given = [json.loads(one[0].agent_config) for one in (first, second, probed)]
    assert [one["known"] and one["known"].split("/")[-2:] for one in given] == [
        None, ["round-1", "state.json"], ["round-2", "state.json"],
    ]  # fmt: skip
    state = json.loads((tmp_path / "circle" / "round-2" / "state.json").read_text())
    assert state["episodes"] == 80 and len({one.goal_predicates for one in first}) > 10
    with Memory.open(tmp_path / "circle" / "round-2" / "memory") as memory:
        known = known_skills(memory, f"worldschool/{world}-v0")
    assert len(known) == found[2].skills
    # What a skill does was done, with names in the place of parameters, in an episode of success.
    verified = {one.episode_id for one in [*first, *second] if one.success}
    assert all(set(one.skill.episode_ids) <= verified for one in known)


def test_an_agent_that_learns_by_itself_needs_nothing_else(tmp_path):
    quick = {"name": "curriculum", "settings": {"search": {"simulations": 40}}}
    found = loop(config(agent=quick, memory=None, rounds=1, episodes=10, probed=4), tmp_path / "own")
    assert found[1].entries == 0 and found[1].skills > 0


def test_a_language_models_rules_are_drawn_from_failures_and_told(tmp_path, tiny_llama, monkeypatch):
    asked = []

    def ask(name):
        def answer(prompt):
            asked.append((name, prompt))
            return "ADD: Open what is closed first."

        return answer

    monkeypatch.setattr("worldschool.recipes.loop.learning._asker", ask)
    made = config(rounds=1, episodes=60, probed=4, memory={"insights": 2, "insights_model": str(tiny_llama)})
    found = loop(made, tmp_path / "rules")
    assert len(asked) == 2 and asked[0][0] == str(tiny_llama)
    with Memory.open(tmp_path / "rules" / "round-1" / "memory") as memory:
        (rule,) = memory.listed("insight")
    assert rule.value == 3 and found[1].entries == 61
    (episode, *_) = EpisodeStore.open(tmp_path / "rules" / "round-1" / "probed")
    assert json.loads(episode.agent_config)["recall"]["settings"]["rules"] == 3


def test_rules_are_asked_of_a_real_model_and_its_tokens_are_counted(tmp_path, tiny_llama):
    with collected_in(tmp_path):
        reply = _asker(str(tiny_llama))("put the apple on the table")
    used = read_usage(tmp_path)
    assert isinstance(reply, str) and used.calls == 1 and used.prompt_tokens > 0


def test_tokens_are_counted_whatever_the_number_of_workers(tmp_path, tiny_llama):
    described = CollectConfig(
        world_config={**HOUSE, "max_steps": 2},
        agent=AgentSettings(name="language", settings={"model": str(tiny_llama), "context": 300}),
        episodes=2,
    )
    used = []
    for workers in (1, 2):
        with collected_in(tmp_path / f"usage-{workers}"):
            collect(described.model_copy(update={"workers": workers}), tmp_path / str(workers))
        used.append(read_usage(tmp_path / f"usage-{workers}"))
    assert used[0].calls == used[1].calls == 4 and used[0].tokens == used[1].tokens > 0


def test_how_successes_are_imitated_can_be_overridden(tmp_path):
    preset = Path(__file__).parents[2] / "configs" / "loop" / "language.yaml"
    found = load_config(LoopConfig, preset, ["finetune.retention.kind=kl", "finetune.max_steps=3"]).finetune
    run = found.on(tmp_path / "examples.parquet", 7)
    assert run.retention.strengths() == {"kl": 1.0} and run.max_steps == 3 and run.learning_rate == 5e-4
    assert run.examples == (str(tmp_path / "examples.parquet"),) and run.seed == 7
    assert load_config(LoopConfig, preset, ["finetune=null"]).finetune is None


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"memory": None}, "nothing is learned: give `memory`, `finetune`, or both"),
        ({"agent": {"name": "random"}}, "the agent 'random' has no setting `recall`"),
        ({"finetune": {}}, "the agent 'follower' has no setting `adapter`"),
        ({"agent": {"name": "follower", "settings": {"recall": {"use": "a:B"}}}}, "agent.settings.recall is set by the loop"),
        ({"finetune": {"examples": ["x"]}, "agent": {"name": "language"}}, "finetune.examples: these are the loop's own"),
        ({"finetune": {"lerning_rate": 1}, "agent": {"name": "language"}}, "finetune.lerning_rate: unknown key"),
        ({"rounds": 0}, "rounds"),
        ({"seed": 2**32}, "seed: input should be less than 4294967296"),
        ({"memory": {"insights": 2}}, "give `memory.insights_model`"),
        ({"agent": {"name": "curriculum", "settings": {"known": "x"}}}, "agent.settings.known is set by the loop"),
    ],
)  # fmt: skip
def test_bad_input_names_the_mend(changes, match):
    with pytest.raises(ConfigError, match=match):
        config(**changes)


def test_a_mistake_leaves_the_output_to_the_mended_command(tmp_path):
    for key in ("romms", "objets"):
        with pytest.raises(UserError, match=key):
            loop(config(world_config={key: [2, 3]}), tmp_path / "out")
    assert len(loop(config(rounds=1, episodes=4, probed=3), tmp_path / "out")) == 2


@pytest.mark.parametrize("refused", ["rounds.write_json", "report.write_json", "learning.shutil.copytree"])
def test_a_full_disk_is_told_and_the_same_run_goes_on(tmp_path, monkeypatch, refused):
    small = config(episodes=4, probed=3)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="the disk is full"):
        patch.setattr(f"worldschool.recipes.loop.{refused}", full)
        loop(small, tmp_path / "out")
    assert len(loop(small, tmp_path / "out")) == 3


def test_from_the_command_line(tmp_path, capsys):
    path = tmp_path / "loop.yaml"
    path.write_text(json.dumps({"world_config": HOUSE, "rounds": 1, "episodes": 4, "probed": 3}))
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(["loop", str(path), "--out", str(tmp_path / "out")])
        assert not ended.value.code
        said = capsys.readouterr().out
        assert "| 1 | " in said and "the best: round" in said
    with pytest.raises(SystemExit) as ended:
        main(["loop", str(path), "--out", str(tmp_path / "out"), "--set", "episodes=5"])
    assert ended.value.code == 2 and "episodes" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"memory": {"embedder": "./nowhere"}}, r"\./nowhere: "),
        ({"memory": {"insights": 1, "insights_model": "./nowhere"}}, r"\./nowhere: there is no such directory"),
        ({"finetune": {"model": "./nowhere"}}, r"\./nowhere: there is no such directory"),
        ({"finetune": {}, "texts": ["nowhere.txt"]}, r"nowhere\.txt: there is no such text"),
        ({"finetune": {"retention": {"fisher": "nowhere"}}}, r"nowhere: there is no fisher\.json here"),
    ],
)  # fmt: skip
def test_what_learning_would_miss_is_told_before_anything_is_lived(
    tmp_path, monkeypatch, tiny_llama, changes, told
):
    monkeypatch.setattr("worldschool.recipes.loop.rounds.collect", lambda *_: pytest.fail("it has begun"))
    values = {"agent": {"name": "language", "settings": {"model": str(tiny_llama)}}, **changes}
    if "finetune" in changes:
        values["finetune"] = {"model": str(tiny_llama), **changes["finetune"]}
    with pytest.raises(UserError, match=told):
        loop(config(**values), tmp_path / "loop")
    assert not (tmp_path / "loop").exists()
