"""What one round of the loop learns from its practice: a memory, what to propose, weights; and how an agent is given it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from worldschool.agents.base import agent_config, state_class
from worldschool.agents.language.usage import Usage
from worldschool.experience.examples import write_examples
from worldschool.experience.storage.writing import writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, write_json
from worldschool.learners.finetune import finetune
from worldschool.learners.finetune.acting import acting_examples
from worldschool.learners.memory import (
    Insights,
    Memory,
    MemoryRecall,
    compare_failures,
    credit_followed,
    learn_skills,
    remember,
)
from worldschool.models.language import load_model
from worldschool.progress import say
from worldschool.recipes.loop.config import Imitation, LoopConfig, MemoryLearning
from worldschool.records import Episode

RECALL = "worldschool.learners.memory:MemoryRecall"
RULES = 3
"""Insights that are told with an episode's notes."""
RULE_TOKENS = 80


def known(config: LoopConfig, out: Path, number: int) -> dict[str, Path]:
    """Return what a round has learned, as far as there is any: its `memory`, `adapter` and `state`; before the first, nothing."""
    if not number:
        return {}
    folder = out / f"round-{number}"
    parts = {
        "memory": (config.memory is not None, folder / "memory"),
        "adapter": (config.finetune is not None, folder / "adapter"),
        "state": (config.agent_learns, folder / "state.json"),
    }
    return {name: path for name, (wanted, path) in parts.items() if wanted and path.exists()}


def agent_settings(config: LoopConfig, out: Path, number: int) -> dict[str, Any]:
    """Return the agent's settings with what a round has learned."""
    found = known(config, out, number)
    settings = dict(config.agent.settings)
    if config.memory is not None and "memory" in found:
        settings["recall"] = {"use": RECALL, "settings": _recall_settings(config.memory, found["memory"])}
    if "adapter" in found:
        settings["adapter"] = str(found["adapter"])
    if "state" in found:
        settings["known"] = str(found["state"])
    return settings


def learn(config: LoopConfig, out: Path, number: int, practice: Sequence[Episode]) -> int:
    """Learn from a round's practice, beside all before it; return the tokens that weights were trained on.

    Each part is written once and whole: what is there is kept.
    """
    if config.agent_learns:
        _learn_state(config, out, number, practice)
    if config.memory is not None:
        _learn_memory(config, config.memory, out, number, practice)
    return 0 if config.finetune is None else _learn_weights(config, config.finetune, out, number)


def practised(out: Path, number: int) -> Iterator[Episode]:
    """Yield all episodes of practice up to a round."""
    for one in range(1, number + 1):
        yield from EpisodeStore.open(out / f"round-{one}" / "practice").scan()


def _recall_settings(memory: MemoryLearning, path: Path) -> dict[str, Any]:
    found = {
        "path": str(path),
        "k": memory.k,
        "least": memory.least,
        "value": memory.value,
        "failures": memory.failures,
    }
    return found | ({"rules": RULES} if memory.insights else {})


def _learn_state(config: LoopConfig, out: Path, number: int, practice: Sequence[Episode]) -> None:
    target = out / f"round-{number}" / "state.json"
    if not target.exists():
        settings = agent_settings(config, out, number - 1)
        settings.pop("adapter", None)  # what it learned from, it was told of already
        found = state_class(config.agent.name)
        assert found is not None, f"{config.agent.name} does not learn"
        state = found.begin(agent_config(config.agent.name, settings)).after(practice)
        with writing(out):
            write_json(target, state.to_json())


def _learn_memory(
    config: LoopConfig, settings: MemoryLearning, out: Path, number: int, practice: Sequence[Episode]
) -> None:
    """Write a round's practice down beside what the round before had."""
    target = out / f"round-{number}" / "memory"
    if target.exists():
        return
    making, earlier = target.with_name("memory.making"), out / f"round-{number - 1}" / "memory"
    shutil.rmtree(making, ignore_errors=True)
    if earlier.exists():
        with writing(out):
            shutil.copytree(earlier, making)
    remember(practice, making, settings.embedder)
    with Memory.open(making) as memory:
        if earlier.exists():
            recall = MemoryRecall(**_recall_settings(settings, earlier))
            credit_followed(recall, memory, practice)
            recall.close()
        if settings.skills:
            learn_skills(memory, practice)
        memory.consolidate()
        if settings.insights and config.insights_model is not None:
            _draw_insights(memory, config, settings.insights, number)
    making.rename(target)


def _draw_insights(memory: Memory, config: LoopConfig, comparisons: int, number: int) -> None:
    """Have a language model compare failures with successes, and say what became of its replies."""
    assert config.insights_model is not None
    insights = Insights(memory, config.world, lines=1)
    seed = 1000 * config.seed + number
    read = compare_failures(memory, insights, _asker(config.insights_model), comparisons, seed)
    used = sum(len(one.operations) for one in read)
    say(
        f"loop: round {number}: {len(read)} comparisons, {used} changes of rules, {len(insights.rules())} rules"
    )


def _asker(name: str) -> Callable[[str], str]:
    """Return what asks a language model, and counts what that took."""
    model = load_model(name, None, "auto")

    def ask(prompt: str) -> str:
        began = time.monotonic()
        (reply,) = model.generate([prompt], RULE_TOKENS)
        read, written = model.count_tokens([prompt, reply]) or (0, 0)
        Usage().add(Usage(1, read, written, time.monotonic() - began))
        return reply

    return ask


def _learn_weights(config: LoopConfig, imitation: Imitation, out: Path, number: int) -> int:
    """Fine-tune the base model on all successes so far."""
    folder = out / f"round-{number}"
    examples = list(acting_examples(practised(out, number)))
    if not examples:
        return 0  # nothing succeeded yet
    path = folder / "examples.parquet"
    with writing(out):
        write_examples(path, examples)
    adapter = finetune(imitation.on(path, config.seed), folder / "adapter")
    return int(read_json(adapter / "training.json", what="a training record")["tokens"])
