"""Few-shot forms, splits and every builder at once, on really collected episodes."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

import worldschool.configs
from tests.experience.lives import HOUSEHOLD, builder_settings, done_activities, episodes, loners
from worldschool.cli.main import main
from worldschool.config import load_config
from worldschool.envs.household.vocabulary import CHARACTERS, OBJECTS
from worldschool.errors import ConfigError, DatasetError
from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.examples import ExamplesConfig, examples_command, read_examples, read_report
from worldschool.experience.questions.asking import Asking, asked_of
from worldschool.experience.questions.example_report import Tally
from worldschool.experience.questions.shots import ShotPool, answer_spans, house_of, with_shots
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import SPLITS

ALL = Path(str(worldschool.configs.__path__[0])) / "examples" / "all.yaml"
STORIES = {
    "characters": 2,
    "control": "all",
    "focus": True,
    "rooms": [3, 4],
    "objects": [4, 6],
    "max_steps": 24,
}
WEIGHTS = {
    "walk": 5,
    "grab": 6,
    "put": 6,
    "drop": 2,
    **dict.fromkeys(("wash", "wipe", "sit", "lie", "plug"), 0.1),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Stories and lone wanderings of each split, collected as a user does."""
    out = tmp_path_factory.mktemp("lived")
    for split in SPLITS:
        for kind, world, count in (("stories", STORIES, 16), ("alone", STORIES | {"characters": 1}, 8)):
            config = CollectConfig(
                world_config=world,
                agent={"name": "random", "settings": {"verb_weights": WEIGHTS}},
                episodes=count,
                split=split,
            )
            collect(config, out / f"{split}-{kind}", silent)
    return out


def config_for(root, split, **changes):
    datasets = [str(root / f"{split}-stories"), str(root / f"{split}-alone")]
    values = load_config(ExamplesConfig, ALL).to_json()
    return ExamplesConfig.model_validate({**values, "datasets": datasets, **changes})


# -- every builder, from the command line ------------------------------------------------------------------------------


OF_HOUSES = {name for name, spec in BUILDERS.items() if spec.classes != ("page",)}


def test_the_presets_name_every_builder():
    of_shops = load_config(ExamplesConfig, ALL.with_name("shop.yaml")).builders
    assert set(load_config(ExamplesConfig, ALL).builders) == OF_HOUSES
    assert OF_HOUSES | set(of_shops) == set(BUILDERS)


def test_everything_from_the_command_line(root, tmp_path, capsys):
    datasets = f"datasets=[{root / 'train-stories'}, {root / 'train-alone'}]"
    arguments = ["examples", str(ALL), "--out", str(tmp_path / "out"), "--set", datasets]
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    said = capsys.readouterr()
    assert "24/24 episodes" in said.err
    assert re.search(r"witness +\d+ +(yes|no) \d+%", said.out) and "One of them:" in said.out
    assert "activity_recognition: left out 24 times: its goal is not drawn from an activity" in said.out
    with pytest.raises(SystemExit):
        main([*arguments, "--json"])
    report = json.loads(capsys.readouterr().out)
    counts = Counter(one.task for one in read_examples(report["path"]))
    assert report["examples"] == {name: counts[name] for name in OF_HOUSES}
    assert {name for name, count in counts.items() if count} == OF_HOUSES - {
        "activity_recognition",
        "activity_inference",
    }


def test_a_limit_of_each(root, tmp_path):
    file = examples_command(config_for(root, "train", limit=3), tmp_path / "out", silent)
    counts = Counter(one.task for one in read_examples(file))
    # So few episodes do not hold three questions of every kind.
    assert max(counts.values()) == 3 and Counter(counts.values())[3] >= len(counts) - 3


def test_a_damaged_shard_is_named(root, tmp_path):
    import shutil

    shutil.copytree(root / "train-stories", tmp_path / "data")
    shard = next((tmp_path / "data" / "shards").iterdir())
    shard.write_bytes(shard.read_bytes()[:-30])
    with pytest.raises(DatasetError, match=rf"{re.escape(str(shard))}"):
        examples_command(
            config_for(root, "train", datasets=[str(tmp_path / "data")]), tmp_path / "out", silent
        )
    assert list((tmp_path / "out").iterdir()) == []


# -- splits ------------------------------------------------------------------------------------------------------------


def test_splits_share_no_house_no_name_and_no_prompt(root, tmp_path):
    texts, houses, prompts = {}, {}, {}
    for split in SPLITS:
        found = read_examples(examples_command(config_for(root, split), tmp_path / split, silent))
        assert {one.split for one in found} == {split} and len(found) > 60
        lived = [one for kind in ("stories", "alone") for one in EpisodeStore.open(root / f"{split}-{kind}")]
        houses[split] = {house_of(one) for one in lived}
        prompts[split] = {one.prompt for one in found}
        texts[split] = "\n".join(one.prompt + one.completion for one in found)
    things = {split: [name for name, row in OBJECTS.items() if row.split == split] for split in SPLITS}
    for split in SPLITS:
        for other in set(SPLITS) - {split}:
            assert not houses[split] & houses[other]
            assert not prompts[split] & prompts[other]
            foreign = [*CHARACTERS[other], *things[other]]
            # "bread knife" is no knife.
            own = "|".join(map(re.escape, sorted(things[split], key=len, reverse=True)))
            text = re.sub(rf"\b(?:{own})\b", "", texts[split])
            assert not [name for name in foreign if re.search(rf"\b{re.escape(name)}\b", text)]


def test_splits_share_no_activity():
    names = tuple(
        sorted({one.activity for split in SPLITS for one in done_activities(40, split) if one.activity})
    )
    used = {}
    for split in SPLITS:
        builders = {
            "activity_recognition": builder_settings(
                "activity_recognition", {"activities": names, "options": 2}, "x"
            ),
            "plan_generation": builder_settings("plan_generation", {"maximum": 40}, "x"),
            "plan_generation_confusing": builder_settings("plan_generation_confusing", {"maximum": 40}, "x"),
        }
        lived = done_activities(40, split)
        found = list(asked_of(lived, Asking(builders, 0), Tally(list(builders))))
        by_id = {one.episode_id: one.activity for one in lived}
        plans = [one for one in found if json.loads(one.meta).get("kind") != "subgoal"]
        used[split] = {by_id[one.episode_id] for one in plans} - {
            None
        }  # a house that offers none has a random goal
        used[split] |= {option for one in found for option in one.options or ()}
        assert len(used[split]) >= 2
    assert not used["train"] & used["heldout"] and not used["train"] & used["validation"]


# -- worked examples ---------------------------------------------------------------------------------------------------


def shown(root, tmp_path, split, name, **changes):
    builders = {"counting": {"style": "brief", "shots": 2}, "witness": {"style": "brief", "shots": 3}}
    values = {"builders": builders, "shots_from": [str(root / "train-stories")], "balance": False, **changes}
    file = examples_command(config_for(root, split, **values), tmp_path / name, silent)
    return read_examples(file)


def test_worked_examples_are_of_the_task_from_other_houses_of_the_train_split(root, tmp_path):
    train = {one.episode_id: one for one in EpisodeStore.open(root / "train-stories")}
    zero = shown(
        root,
        tmp_path,
        "heldout",
        "zero",
        builders={"counting": {"style": "brief"}, "witness": {"style": "brief"}},
    )
    few = shown(root, tmp_path, "heldout", "few")
    assert len(few) == len(zero) > 30
    for before, one in zip(zero, few, strict=True):
        count = 2 if one.task == "counting" else 3
        assert one.prompt.endswith(before.prompt) and one.completion == before.completion
        assert one.example_id == f"{before.example_id}-{count}shot"
        assert json.loads(one.dials)["shots"] == count
        ids = json.loads(one.meta)["shots"]
        sources = [next(name for name in train if name in example_id) for example_id in ids]
        assert len(set(sources)) == count and all(example_id.startswith(one.task) for example_id in ids)
        assert one.prompt.count("\nAnswer:") == count + 1 and one.prompt.count("\n\n") == count
    assert few == shown(root, tmp_path, "heldout", "again")


def test_no_worked_example_is_of_the_same_house(root, tmp_path):
    houses = {one.episode_id: house_of(one) for one in EpisodeStore.open(root / "train-stories")}
    few = shown(root, tmp_path, "train", "own", shots_from=[])
    assert few
    for one in few:
        sources = [name for shot in json.loads(one.meta)["shots"] for name in houses if name in shot]
        if one.episode_id in houses:
            assert houses[one.episode_id] not in {houses[name] for name in sources}
        assert one.episode_id not in sources


def test_worked_examples_are_dropped_rather_than_cut(root, tmp_path):
    zero = shown(root, tmp_path, "heldout", "zero", builders={"witness": {"style": "brief"}})
    longest = 2 * max(len(one.prompt) for one in zero)
    few = shown(
        root,
        tmp_path,
        "heldout",
        "few",
        longest=longest,
        builders={"witness": {"style": "brief", "shots": 3}},
    )
    assert [one.answer for one in few] == [one.answer for one in zero]
    assert max(len(one.prompt) + len(one.completion) for one in few) <= longest
    counts = Counter(json.loads(one.dials).get("shots", 0) for one in few)
    assert counts[3] == 0 and counts[1] > 0
    assert all(one.prompt.endswith(before.prompt) for one, before in zip(few, zero, strict=True))


def test_worked_examples_need_a_train_split(root, tmp_path):
    with pytest.raises(ConfigError, match=r"shots_from: worked examples are asked for \(counting, witness\)"):
        shown(root, tmp_path, "heldout", "none", shots_from=[])
    assert not (tmp_path / "none" / "examples.parquet").exists()


def test_a_pool_takes_one_example_a_house():
    pool, wanted = ShotPool(), builder_settings("counting", {}, "x")
    asking, tally = Asking({"counting": wanted}, 0), Tally(["counting"])
    lived = [*episodes(12), *episodes(12), *episodes(6, "heldout")]
    pool.fill(lived, ["counting"], lambda task, one: list(asked_of([one], asking, tally)))
    assert 8 <= pool.sizes()["counting"] <= 12
    (asked, *_) = asked_of(episodes(12), asking, tally)
    other = pool.shown_with(asked, house_of(episodes(12)[0]), 2, None)
    assert with_shots("x", []) == "x" and other.prompt.endswith(f"\n\n{asked.prompt}")


# -- other worlds ------------------------------------------------------------------------------------------------------


def test_another_world_can_be_asked_about(registered_fake, tmp_path):
    agent = {"name": "random", "settings": {}}
    config = CollectConfig(world=registered_fake, agent=agent, episodes=40, world_config={"max_steps": 30})
    collect(config, tmp_path / "data", silent)
    values = {
        **load_config(ExamplesConfig, ALL).to_json(),
        "datasets": [str(tmp_path / "data")],
        "balance": False,
    }
    file = examples_command(ExamplesConfig.model_validate(values), tmp_path / "out", silent)
    counts = read_report(file)["examples"]
    asked_about = {name for name, count in counts.items() if count}
    assert {
        "object_path",
        "object_location",
        "which_came_first",
        "next_observation",
        "order_validity",
    } <= asked_about
    assert {"plan_generation", "counting"} <= asked_about
    for one in read_examples(file):
        if one.task == "order_validity" and one.answer == "yes":
            steps = re.findall(r"\d+\. (.+?\.)", one.prompt)
            assert steps[-1] in ("Open chest.", "Grab key.", "Drop key.")


def test_the_worlds_words_are_the_household_s_own():
    assert {one.world for one in (*episodes(2), *loners(2))} == {HOUSEHOLD}


def test_worked_answers_are_what_stands_behind_the_prompts_own_label():
    prompt = "Q: one?\nA: yes.\n\nQ: two?\nB: no\n\nQ: three?\nA: 3, 4\n\nQ: four?\nA:"
    assert [prompt[a:b] for a, b in answer_spans(prompt)] == [" yes.\n", " 3, 4\n"]
    assert answer_spans("Q: one?\nA:") == [] and answer_spans("Ends with a line break.\n\nSo.\n") == []
    assert answer_spans("A: x\n\nA:") == [(2, 5)]
