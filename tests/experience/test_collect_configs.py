"""The collecting presets at small size: what they collect, that it can be lived again, and what is made of it afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import worldschool.configs
from worldschool.cli.main import main
from worldschool.experience.store import EpisodeStore

CONFIGS = Path(str(worldschool.configs.__path__[0]))
SMALL: dict[str, list[str]] = {
    "household-mcts": ["episodes=6"],
    "household-curriculum": ["episodes=8", "round_size=4", "shard_size=4"],
    "household-random": ["episodes=12", "world_config.max_steps=10"],
    "household-language": ["episodes=2", "world_config.max_steps=3", "agent.settings.context=400"],
    "grid-mcts": ["episodes=6"],
    "grid-curriculum": ["episodes=8", "round_size=4", "shard_size=4"],
    "grid-random": ["episodes=12", "world_config.max_steps=60"],
    "shop-mcts": ["episodes=6", "world_config.products=300"],
    "shop-curriculum": ["episodes=8", "round_size=4", "shard_size=4", "world_config.products=300"],
    "shop-random": ["episodes=12", "world_config.products=300"],
    "shop-shopper": ["episodes=6", "world_config.products=300"],
}
WORLDS = {
    "household": "worldschool/Household-v0",
    "grid": "worldschool/HouseholdGrid-v0",
    "shop": "worldschool/Shop-v0",
}
"""Presets to what makes them small."""


def run(*arguments: object) -> None:
    """Run a command in this process; it must succeed."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    assert not stopped.value.code, arguments


def settings(*texts: str) -> list[str]:
    return [part for text in texts for part in ("--set", text)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    """Every preset's dataset, small, and held-out episodes of the random ones."""
    root = tmp_path_factory.mktemp("data")
    for preset, sizes in SMALL.items():
        model = [f"agent.settings.model={tiny_llama}"] if preset.endswith("language") else []
        small = [*sizes, *model]
        config = CONFIGS / "collect" / f"{preset}.yaml"
        run("collect", config, "--out", root / preset, *settings(*small))
        if preset.endswith("random"):
            run("collect", config, "--out", root / f"heldout-{preset}", *settings(*small, "split=heldout"))
    return root


def test_no_preset_is_left_out() -> None:
    there = {file.stem for file in (CONFIGS / "collect").glob("*-*.yaml")}
    assert there == set(SMALL)


@pytest.mark.parametrize("preset", SMALL)
def test_what_a_preset_collects(data: Path, preset: str) -> None:
    episodes = list(EpisodeStore.open(data / preset))
    assert {episode.world for episode in episodes} == {WORLDS[preset.partition("-")[0]]}
    assert all(episode.error is None for episode in episodes)
    verbs = {event.verb for episode in episodes for event in episode.events if event.succeeded}
    if preset == "shop-random":
        assert {"search", "open", "choose", "read"} <= verbs
    elif preset.endswith("random"):
        assert {"walk", "grab", "put"} <= verbs
        assert all(episode.length >= 5 for episode in episodes)
    elif preset.endswith("language"):  # its model's weights are random
        assert all(episode.length >= 1 for episode in episodes)
    else:
        assert sum(episode.success for episode in episodes) >= len(episodes) / 2
        assert ({"buy"} if preset.startswith("shop") else {"walk"}) < verbs


@pytest.mark.parametrize("preset", SMALL)
def test_what_was_collected_can_be_lived_again(data: Path, preset: str) -> None:
    run("verify", data / preset, "--replay")


@pytest.mark.parametrize("world", ["household", "grid"])
def test_chain_collect_examples_finetune_probe(
    data: Path, roomy_llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], world: str
) -> None:
    examples = CONFIGS / "examples" / "questions.yaml"
    train, heldout, adapter = tmp_path / "train", tmp_path / "heldout", tmp_path / "adapter"
    collected = ", ".join(str(data / f"{world}-{agent}") for agent in ("mcts", "curriculum", "random"))
    run("examples", examples, "--out", train, *settings(f"datasets=[{collected}]"))
    run("examples", examples, "--out", heldout, *settings(f"datasets=[{data / f'heldout-{world}-random'}]"))
    common = settings(f"model={roomy_llama}")
    sizes = settings(f"examples=[{train}]", "batch_examples=4", "dtype=float32")
    run("finetune", CONFIGS / "finetune" / "plain.yaml", "--out", adapter, "--max-steps", 5, *common, *sizes)
    assert (adapter / "adapter_model.safetensors").exists()
    record = json.loads((adapter / "training.json").read_text())
    assert [point["step"] for point in record["curve"]] == [1, 2, 3, 4, 5]
    asked = settings(
        f"adapters={{tuned: {adapter}}}",
        f"examples={heldout}",
        f"shots={train}",
        "shot_count=1",
        "suites={object_path: {items: 4, max_new_tokens: 4}}",
        "text_tokens=100",
    )
    capsys.readouterr()
    run("probe", CONFIGS / "probe" / "heldout.yaml", "--out", tmp_path / "report", "--json", *common, *asked)
    results = json.loads(capsys.readouterr().out)
    assert {model["name"] for model in results["models"]} == {"base", "base, 1-shot", "tuned"}
    assert results["suites"]["object_path"]["n"] == 4
    assert (tmp_path / "report" / "report.html").exists()


def test_questions_about_shopping(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collected = ", ".join(str(data / f"shop-{agent}") for agent in ("mcts", "random", "shopper"))
    capsys.readouterr()
    questions = CONFIGS / "examples" / "shop.yaml"
    run("examples", questions, "--out", tmp_path / "shop", "--json", *settings(f"datasets=[{collected}]"))
    made = json.loads(capsys.readouterr().out)["examples"]
    assert made["fitting_product"] and made["price_comparison"] and made["shopping_plan"]


@pytest.mark.parametrize("world", ["household", "grid", "shop"])
def test_chain_collect_remember_recall(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], world: str
) -> None:
    memory = tmp_path / "memory"
    run("remember", data / f"{world}-mcts", "--out", memory, "--embedder", "hashing")
    episodes = [one for one in EpisodeStore.open(data / f"{world}-mcts") if one.success]
    capsys.readouterr()
    run("recall", memory, episodes[0].goal, "-k", 2, "--json")
    found = json.loads(capsys.readouterr().out)["found"]
    assert len(found) == 2 and found[0]["score"] >= found[1]["score"]
    assert episodes[0].goal.rstrip(".").split()[-1] in json.dumps(found[0])
