"""A memory as an agent consults it."""

import pytest

from tests.learners.test_memory import GOALS, make_episode
from worldschool.agents.language import LanguageAgent, LanguageConfig, RecallSettings
from worldschool.agents.language.recall import SkillSource, make_recall
from worldschool.envs import make
from worldschool.errors import MemoryStoreError
from worldschool.learners.memory import Insights, Memory, MemoryRecall, remember
from worldschool.learners.memory.insights import Operation

WORLD = "worldschool/Household-v0"
USE = "worldschool.learners.memory:MemoryRecall"


def test_notes_tell_plans_and_warnings_of_this_world_and_can_be_credited(tmp_path):
    episodes = [
        make_episode(0, GOALS[0]),
        make_episode(1, GOALS[0], success=False),
        make_episode(2, GOALS[1]),
    ]
    remember(episodes, tmp_path / "memory")
    settings = RecallSettings(use=USE, settings={"path": str(tmp_path / "memory"), "k": 2})
    recall = make_recall(settings)
    assert isinstance(recall, MemoryRecall)
    good, bad = recall.recall(GOALS[0], "You are here.", WORLD)
    assert good.plan == ("walk to kitchen",) and good.success and not bad.success
    assert good.text.startswith("An episode that succeeded:\n> Goal: Put the apple")
    assert bad.text.startswith("A warning, an episode that failed:\n> ")
    assert recall.recall(GOALS[0], "", "worldschool/Shop-v0") == []
    recall.credit(good, success=True)
    recall.close()
    with Memory.open(tmp_path / "memory") as memory:
        assert memory.stats.used == memory.stats.succeeded == 1
    (only,) = MemoryRecall(tmp_path / "memory", failures=False, k=1).recall(GOALS[0], "", WORLD)
    assert only.id == good.id


def test_an_agent_finds_its_memory_by_its_settings(tmp_path, tiny_llama):
    remember([make_episode(0, GOALS[0])], tmp_path / "memory")
    config = LanguageConfig(
        model=str(tiny_llama),
        context=256,
        recall=RecallSettings(use=USE, settings={"path": str(tmp_path / "memory")}),
    )
    world = make(WORLD, rooms=[2, 3], objects=[3, 4], goal="random")
    agent = LanguageAgent(config, world, 0)
    observation, info = world.reset(seed=3)
    agent.reset(world.goal, info)
    assert agent.act(observation, info) in world.legal_actions()
    assert len(agent.notes) == 1


def test_the_strongest_rules_are_told_first_whatever_the_goal(tmp_path):
    remember([make_episode(0, GOALS[0])], tmp_path / "memory")
    with Memory.open(tmp_path / "memory") as memory:
        insights = Insights(memory, WORLD)
        for text in ("Look first.", "Open doors.", "Open doors."):
            insights.apply([Operation("ADD", "", text)])
    recall = MemoryRecall(tmp_path / "memory", k=1, rules=1)
    rule, episode = recall.recall(GOALS[0], "", WORLD)
    assert rule.text == "A rule that was drawn from experience:\n> Open doors." and rule.plan == ()
    assert episode.success
    assert [note.success for note in MemoryRecall(tmp_path / "memory", k=1).recall(GOALS[0], "", WORLD)] == [
        True
    ]


def test_a_memory_is_a_source_of_skills(tmp_path):
    remember([make_episode(0, GOALS[0])], tmp_path / "memory")
    recall = MemoryRecall(tmp_path / "memory")
    assert isinstance(recall, SkillSource) and len(recall.skills(WORLD)) == 0


def test_notes_that_are_not_near_are_not_told(tmp_path):
    remember([make_episode(at, goal) for at, goal in enumerate(GOALS)], tmp_path / "memory")
    with Memory.open(tmp_path / "memory") as memory:
        found = memory.search(GOALS[0], 3)
        assert len(found) == 3 and found[0].score == pytest.approx(1)
        for least in (found[1].score, found[2].score):
            near = [one.entry.id for one in found if one.score >= least]
            assert [one.entry.id for one in memory.search(GOALS[0], 3, least=least)] == near
        assert memory.search("Nothing of the sort", 3, least=0.99) == []
        assert memory.stats.retrieved == 8
        with pytest.raises(MemoryStoreError, match="from -1 to 1"):
            memory.search(GOALS[0], least=1.5)
    recall = MemoryRecall(tmp_path / "memory", k=3, least=0.99)
    assert len(recall.recall(GOALS[0], "", WORLD)) == 1 and recall.recall("Sing.", "", WORLD) == []
