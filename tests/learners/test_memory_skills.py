"""Skills in a memory: learned by living episodes again, merged when they are seen again."""

from dataclasses import replace

import pytest

from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.learners.memory import Memory, known_skills, learn_skills

HOUSE = {"rooms": [2, 3], "objects": [3, 4], "goal": "random", "max_steps": 12}
WORLD = "worldschool/Household-v0"


@pytest.fixture(scope="module")
def episodes(tmp_path_factory):
    out = tmp_path_factory.mktemp("plans") / "plans"
    agent = {"name": "mcts", "settings": {"simulations": 300}}
    collect(CollectConfig(world_config=HOUSE, agent=agent, episodes=10), out)
    return list(EpisodeStore.open(out).scan())


@pytest.fixture
def memory(tmp_path):
    with Memory.create(tmp_path / "memory") as made:
        yield made


def test_what_succeeded_is_lived_again_and_becomes_skills(episodes, memory):
    assert any(one.success for one in episodes)
    failed = replace(episodes[0], success=False, episode_id="failed")
    other = replace(next(one for one in episodes if one.success), world_version="0", episode_id="other")
    cut = replace(next(one for one in episodes if one.success and len(one.steps) > 1), episode_id="cut")
    cut = replace(cut, steps=cut.steps[:1])
    found = learn_skills(memory, [*episodes, failed, other, cut])
    assert found.skills == found.new > 0 and found.episodes == sum(one.success for one in episodes)
    assert (
        found.passed_over["another version of the world"] == found.passed_over["goal not reached again"] == 1
    )
    assert found.passed_over["goal not reached"] >= 1
    skills = memory.listed("skill")
    assert len(skills) == found.skills
    for entry in skills:
        assert entry.body.startswith("Makes true: ") and "\nNeeds: " in entry.body and "\n1. " in entry.body
        assert "?" not in entry.key and "?1" in entry.body
    library = known_skills(memory, WORLD)
    assert len(library) == found.skills and all(learned.successes >= 1 for learned in library)
    assert len(known_skills(memory, "worldschool/Shop-v0")) == 0
    assert memory.search(skills[0].key, 1, "skill")[0].score == pytest.approx(1.0, abs=1e-5)


def test_skills_seen_again_are_merged_and_known_episodes_passed_over(episodes, memory):
    half = len(episodes) // 2
    learn_skills(memory, episodes[:half])
    for entry in memory.listed("skill"):
        memory.credit(entry.id, success=True)
    before = {entry.id for entry in memory.listed("skill")}
    learn_skills(memory, episodes[half:])
    with Memory.create(memory.directory.parent / "once") as at_once:
        learn_skills(at_once, episodes)
        assert {one.skill: one.successes for one in known_skills(at_once, WORLD)} == {
            one.skill: one.successes for one in known_skills(memory, WORLD)
        }
    replaced = before - {entry.id for entry in memory.listed("skill")}
    for old in replaced:
        (change,) = memory.history(old)
        assert change.what == "merged"
        (now,) = [entry for entry in memory.listed("skill") if entry.id == change.by]
        assert now.used == now.succeeded == 1
    again = learn_skills(memory, episodes)
    assert again.new == 0
