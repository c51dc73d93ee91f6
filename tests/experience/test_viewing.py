"""`worldschool view` without a browser: what is gathered, what executing again shows, what is left out."""

import dataclasses
import json
import re
import types

import pytest

from worldschool import envs
from worldschool.agents.random import RandomAgent, RandomConfig
from worldschool.cli.main import main
from worldschool.errors import ConfigError, DatasetError, OutputError
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.store import EpisodeStore
from worldschool.experience.viewing import view
from worldschool.experience.viewing.holding import goal_of, held_by_events
from worldschool.experience.viewing.packing import TextTable, pack, page_json
from worldschool.experience.viewing.relive import Reliver
from worldschool.progress import silent
from worldschool.records import Event, Fact, Goal


class Scripted:
    """Does what it is told, then stops."""

    def __init__(self, *actions):
        self.actions = list(actions)

    def reset(self, goal, info):
        pass

    def act(self, observation, info):
        return self.actions.pop(0) if self.actions else None


def lived(world, agent, index=0, split="train", seed=None):
    label = EpisodeLabel(
        f"demo-{index:08d}", 0, index, index if seed is None else seed, "random", "{}", split
    )
    return record_episode(world, agent, label)


def corridor(index=0, split="train", steps=6, **config):
    world = envs.make("worldschool/Corridor-v0", max_steps=steps, **config)
    return lived(world, RandomAgent(RandomConfig(), world, index), index, split)


def household(index=0, **config):
    world = envs.make(
        "worldschool/Household-v0",
        **{"characters": 2, "goal": "random", "goal_size": (2, 3), "max_steps": 12, **config},
    )
    return lived(world, RandomAgent(RandomConfig(), world, index), index)


def stored(folder, episodes, shard_size=8):
    store = EpisodeStore.create(folder, {}, 0, shard_size)
    for k in range(0, len(episodes), shard_size):
        store.commit_shard(k // shard_size, episodes[k : k + shard_size])
    return folder


def shown(dataset, **options):
    """Make the page; returns the report and the data in it."""
    report = view(dataset, on_progress=silent, **options)
    text = report.page.read_text(encoding="utf-8")
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    return report, json.loads(found)


def texts_of(data, numbers):
    return [data["texts"][number] for number in numbers]


@pytest.fixture
def dataset(tmp_path, registered_fake):
    splits = ["train", "heldout"]
    return stored(tmp_path / "corridors", [corridor(i, splits[i % 2]) for i in range(10)])


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_the_page_holds_everything_of_a_step(dataset):
    report, data = shown(dataset)
    assert report.page == dataset / "view.html"
    assert (report.episodes, report.available, report.too_large) == (10, 10, 0)
    for row, episode in zip(data["episodes"], EpisodeStore.open(dataset), strict=True):
        assert row["seed"] == str(episode.seed) and row["id"] == episode.episode_id
        told = ["\n".join(texts_of(data, lines)) for lines in row["observations"]]
        assert told == [episode.initial_observation, *(step.observation for step in episode.steps)]
        assert row["hashes"] == [episode.initial_state_hash, *(step.state_hash for step in episode.steps)]
        for (action, reward, legal, events), step in zip(row["steps"], episode.steps, strict=True):
            assert data["texts"][action] == step.action
            assert (reward, legal, len(events)) == (step.reward, step.legal_actions, len(step.events))
            for event, (actor, verb, *_, words, t) in zip(step.events, events, strict=True):
                assert texts_of(data, [actor, verb]) == [event.actor, event.verb]
                assert data["texts"][words].startswith(f"{event.actor} does: {event.verb}")
                assert t == event.t


def test_a_seed_that_javascript_cannot_count_to_is_text(tmp_path, registered_fake):
    episode = dataclasses.replace(corridor(), seed=2**63 - 1, run_seed=2**53 + 1)
    _, data = shown(stored(tmp_path / "d", [episode]), replay=False)
    assert data["episodes"][0]["seed"] == "9223372036854775807"
    assert data["episodes"][0]["run_seed"] == "9007199254740993"


def test_the_same_dataset_gives_the_same_page(dataset, tmp_path):
    pages = [view(dataset, tmp_path / f"{k}.html", on_progress=silent).page.read_bytes() for k in range(2)]
    assert pages[0] == pages[1]


def test_numbers_that_are_none_are_shown_as_text(registered_fake):
    episode = corridor()
    steps = (dataclasses.replace(episode.steps[0], reward=float("nan")), *episode.steps[1:])
    row = pack(dataclasses.replace(episode, steps=steps, return_=float("inf")), None, [], None, TextTable())
    assert row["return"] == "inf" and row["steps"][0][1] == "nan"
    page_json(row)


# -- executing again ----------------------------------------------------------------------------------------------------


def test_conditions_are_told_for_every_moment(registered_fake):
    seed = next(
        seed
        for seed in range(50)
        if "Mary is in room 4. The key is here" in corridor(seed).initial_observation
    )
    world = envs.make(registered_fake)
    episode = lived(world, Scripted("grab key", "wait", "open door", "open chest"), seed=seed)
    relived = Reliver().relive(episode, goal_of(episode), None)
    assert episode.success and relived.differs is None
    assert relived.held == [(False,), (False,), (False,), (False,), (True,)]
    assert relived.refusals == {2: "'open door' cannot be done now"}


def test_a_goal_that_the_agent_set_is_set_again(registered_fake):
    world = envs.make(registered_fake)

    class Proposing(Scripted):
        def propose(self, observation, info):
            return Goal("Hold the key.", (("HOLDS", "Mary", "key"),))

    episode = lived(world, Proposing("wait"))
    assert episode.goal == "Hold the key."
    relived = Reliver().relive(episode, goal_of(episode), None)
    assert relived.differs is None and len(relived.held) == 2


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"seed": 7}, "in another state at the start"),
        ({"initial_state_hash": "0" * 32}, "in another state at the start"),
        ({"world_version": "9", "seed": 7}, "recorded with version 9 of worldschool/Corridor-v0; this is 1"),
        (
            {"world": "worldschool/Gone-v0"},
            "cannot be executed again.*there is no world 'worldschool/Gone-v0'",
        ),
        ({"world_config": "[]"}, "cannot be executed again.*no JSON object"),
        ({"world_config": "{"}, "cannot be executed again.*no JSON object"),
        ({"world_config": '{"fail_at":2,"max_steps":6}'}, "ZeroDivisionError: the corridor collapsed"),
    ],
)
def test_what_differs_is_told(edit, words, tmp_path, registered_fake):
    episode = dataclasses.replace(corridor(3), **edit)
    report, data = shown(stored(tmp_path / "d", [dataclasses.replace(episode, index=0)]))
    assert report.differing == 1
    assert re.search(words, data["episodes"][0]["differs"])
    assert [len(marks) for marks in data["episodes"][0]["held"]] == [episode.length + 1]


def test_the_step_that_differs_is_told(tmp_path, registered_fake):
    episode = corridor(3)
    steps = list(episode.steps)
    steps[4] = dataclasses.replace(steps[4], state_hash="0" * 32)
    _, data = shown(stored(tmp_path / "d", [dataclasses.replace(episode, index=0, steps=tuple(steps))]))
    assert "in another state after step 5" in data["episodes"][0]["differs"]


def test_an_episode_that_ended_by_an_error_is_shown_to_its_end(tmp_path, registered_fake):
    episode = corridor(fail_at=2)
    assert episode.error == "ZeroDivisionError: the corridor collapsed"
    report, data = shown(stored(tmp_path / "d", [episode]))
    (row,) = data["episodes"]
    assert row["error"] == episode.error and len(row["steps"]) == 2
    assert report.differing == 0 and [len(marks) for marks in row["held"]] == [3]


# -- following events ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_what_events_tell_is_what_the_world_tells(seed):
    episode = household(seed, goal_size=(3, 3), focus=True)
    goal = goal_of(episode)
    told = held_by_events(episode, goal)
    relived = Reliver().relive(episode, goal, None)
    assert len(told) == len(relived.held) == episode.length + 1
    for row, truth in zip(told, relived.held, strict=True):
        assert all(mark is None or mark == held for mark, held in zip(row, truth, strict=True))
    assert all(mark is not None for mark in told[0])


def moved(*events, facts=(), goal=()):
    """What holds of `goal` at the start and after each of these events."""
    steps = tuple(types.SimpleNamespace(events=(event,)) for event in events)
    classes = {"apple": "apple", "apple 2": "apple", "box": "box", "Mary": "character"}
    episode = types.SimpleNamespace(initial_facts=facts, steps=steps, classes=classes)
    return held_by_events(episode, Goal("", goal))


def test_things_are_followed_through_what_holds_them():
    facts = (
        Fact("Mary", "AT", "hall"),
        Fact("apple", "INSIDE", "box"),
        Fact("box", "ON", "table"),
        Fact("table", "INSIDE", "kitchen"),
    )
    goal = (
        ("INSIDE", "box", "table"),
        ("INSIDE", "apple", "hall"),
        ("INSIDE", "class:apple", "box"),
        ("HOLDS", "Mary", "box"),
        ("ON", "box", "table"),
    )
    grab = Event(0, "Mary", "grab", "box", "table", "Mary", "HOLDS")
    failed = dataclasses.replace(grab, succeeded=False)
    before, after = (False, False, True, False, True), (False, True, True, True, False)
    assert moved(failed, grab, facts=facts, goal=goal) == [
        _in_order(goal, row) for row in (before, before, after)
    ]


def _in_order(predicates, values):
    """Values of predicates as given, in the order in which a goal keeps them."""
    return tuple(value for _, value in sorted(zip(predicates, values, strict=True)))


def test_a_state_is_not_known_once_its_thing_was_touched():
    goal = (("STATE:open", "box", None),)
    facts = (Fact("box", "STATE", "closed"),)
    wait, opened = Event(0, "Mary", "wait"), Event(1, "Mary", "open", "box")
    assert moved(wait, opened, facts=facts, goal=goal) == [(False,), (False,), (None,)]


def test_facts_that_go_round_in_a_circle_end():
    facts = (Fact("apple", "INSIDE", "box"), Fact("box", "INSIDE", "apple"))
    assert moved(facts=facts, goal=(("INSIDE", "apple", "hall"),)) == [(False,)]


@pytest.mark.parametrize("predicates", ["{", "3", "[3]", '[["ON","a"]]', '[["ON",1,null]]'])
def test_predicates_that_cannot_be_read_are_shown_as_they_are(predicates, tmp_path, registered_fake):
    episode = dataclasses.replace(corridor(), goal_predicates=predicates)
    _, data = shown(stored(tmp_path / "d", [episode]))
    (row,) = data["episodes"]
    assert row["predicates"] is None and row["unread_predicates"] == predicates and row["held"] == []


# -- which episodes, and how many ---------------------------------------------------------------------------------------


def test_the_first_episodes_are_shown_and_the_rest_counted(dataset):
    report, data = shown(dataset, episodes=3)
    assert [row["index"] for row in data["episodes"]] == [0, 1, 2]
    assert (report.episodes, report.available) == (3, 10)
    assert "This page shows the first 3 of 10." in report.page.read_text()


def test_a_split_is_shown_alone(dataset):
    report, data = shown(dataset, split="heldout", episodes=4)
    assert [row["index"] for row in data["episodes"]] == [1, 3, 5, 7]
    assert report.available == 5


def test_a_sample_depends_on_its_seed_alone(dataset):
    def drawn(seed):
        return [row["index"] for row in shown(dataset, episodes=4, sample=seed)[1]["episodes"]]

    assert drawn(1) == drawn(1) == sorted(drawn(1))
    assert len({tuple(drawn(seed)) for seed in range(5)}) > 1
    assert drawn(0) != [0, 1, 2, 3]
    assert len(shown(dataset, episodes=99, sample=0)[1]["episodes"]) == 10


def test_a_page_that_would_grow_too_large_leaves_episodes_out(dataset):
    whole = shown(dataset)[0]
    report, data = shown(dataset, page_bytes=55_000)
    assert 1 <= report.episodes < 10 and report.too_large == 10 - report.episodes
    assert len(data["episodes"]) == report.episodes and report.bytes < whole.bytes
    assert f"{report.too_large} episodes of those asked for were left out" in report.page.read_text()
    assert shown(dataset, page_bytes=1)[0].episodes == 1


def test_pictures_are_left_out_before_episodes(tmp_path):
    folder = stored(tmp_path / "houses", [household(i, max_steps=3) for i in range(4)])
    whole, _ = shown(folder)
    assert whole.with_pictures == 4
    few, data = shown(folder, page_bytes=100_000)
    assert few.episodes == 4 and 1 <= few.with_pictures < 4
    assert few.without_pictures == 4 - few.with_pictures
    drawn = [row["frames"] is not None for row in data["episodes"]]
    assert drawn == sorted(drawn, reverse=True)
    assert few.bytes < 120_000
    assert f"the pictures of {few.without_pictures} episode" in few.page.read_text()


def test_without_replay_nothing_is_executed(dataset, fake_world_class, monkeypatch):
    monkeypatch.setattr(fake_world_class, "reset", None)
    report, data = shown(dataset, replay=False)
    assert report.differing == report.with_pictures == 0
    assert not any(row["relived"] for row in data["episodes"])
    assert all(set("".join(row["held"])) <= set("01?") for row in data["episodes"])


# -- users' mistakes ----------------------------------------------------------------------------------------------------


def test_only_a_page_of_ours_is_overwritten(dataset, tmp_path):
    notes = tmp_path / "notes.html"
    notes.write_text("my notes")
    with pytest.raises(OutputError, match="no page of ours.*--out"):
        view(dataset, notes, on_progress=silent)
    assert notes.read_text() == "my notes"
    with pytest.raises(OutputError, match="this is a directory"):
        view(dataset, tmp_path, on_progress=silent)
    page = view(dataset, tmp_path / "new" / "page.html", on_progress=silent).page
    assert view(dataset, page, episodes=1, on_progress=silent).bytes == page.stat().st_size


def test_mistakes_are_told(dataset, tmp_path):
    with pytest.raises(ConfigError, match="no split 'held'.*Did you mean 'heldout'"):
        view(dataset, split="held", on_progress=silent)
    with pytest.raises(DatasetError, match="no episode is of the split 'validation'"):
        view(dataset, split="validation", on_progress=silent)
    with pytest.raises(DatasetError, match="no such directory"):
        view(tmp_path / "none", on_progress=silent)


def test_the_command_says_where_the_page_is(dataset, tmp_path, capsys):
    page = tmp_path / "page.html"
    with pytest.raises(SystemExit) as left:
        main(["view", str(dataset), "--out", str(page), "--episodes", "2", "--json"])
    assert left.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["page"] == str(page) and told["episodes"] == 2 and told["bytes"] == page.stat().st_size
    with pytest.raises(SystemExit) as left:
        main(["view", str(tmp_path / "none")])
    assert left.value.code == 2
    assert "no such directory" in capsys.readouterr().err
