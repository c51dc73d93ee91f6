"""`worldschool loop`: collect, learn, probe, and again; what every round gained, forgot and cost.

Round 0 probes what there is before anything is learned. Each further round practises with what the one before knew, learns from all
practice so far (a memory, a fine-tuned adapter, or both), and is probed on the same goals as every other.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from worldschool.agents.base import agent_config
from worldschool.agents.language.agent import TOTAL
from worldschool.config import Config, build_config
from worldschool.experience.examples import write_examples
from worldschool.experience.runner import AgentSettings, CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, write_json
from worldschool.learners.finetune import FinetuneConfig, finetune
from worldschool.learners.finetune.acting import acting_examples
from worldschool.learners.finetune.data import text_row
from worldschool.learners.finetune.retaining import text_pieces
from worldschool.learners.finetune.watching import mean_nll
from worldschool.learners.memory import Memory, MemoryRecall, credit_followed, learn_skills, remember
from worldschool.models.causal import pad_token
from worldschool.models.language import LocalModel
from worldschool.probes.statistics import mean_interval, paired_difference
from worldschool.progress import say
from worldschool.recipes.loop_report import write_report
from worldschool.records import Episode, Split
from worldschool.runs import claim_output

SCHEMA = "worldschool.loop/1"
RECALL = "worldschool.learners.memory:MemoryRecall"
TEXT_TOKENS, TEXT_PIECES = 128, 24


class MemoryLearning(Config):
    """Learning by writing experience down."""

    embedder: str = "hashing"
    """See docs/models.md; minilm finds by meaning."""
    skills: bool = False
    """Whether skills are learned, too."""
    k: int = Field(default=3, ge=1)
    """Notes that an agent consults."""
    value: float = Field(default=0.3, ge=0)
    """Weight of what notes were worth, beside similarity's 1."""
    failures: bool = False
    """Whether failures are recalled, too, as warnings."""


class LoopConfig(Config):
    """Rounds of collecting, learning and probing."""

    world: str = "worldschool/Household-v0"
    """Registered id of the world."""
    world_config: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the world, without `split`."""
    agent: AgentSettings = AgentSettings(name="follower")
    """Who practises and is probed: an agent whose settings have `recall`, for a memory, and `adapter`, for fine-tuning."""
    rounds: int = Field(default=5, ge=1)
    """Rounds of practice."""
    episodes: int = Field(default=60, ge=1)
    """Of one round's practice, in worlds of the train split."""
    probed: int = Field(default=60, ge=1)
    """Goals that every round is probed on, the same each time."""
    probed_split: Split = "validation"
    """Of which split they are; choose by "validation", report on "heldout"."""
    memory: MemoryLearning | None = MemoryLearning()
    """null: no memory."""
    finetune: dict[str, Any] | None = None
    """Settings of `worldschool finetune` without `examples`: successes are imitated, in the language-model agent's own prompts. null: no
    weights are changed."""
    texts: tuple[str, ...] = ("prose:validation",)
    """General texts on which forgetting is measured, where weights are changed."""
    workers: int = Field(default=1, ge=1)
    """Processes that collect; the episodes are the same whatever their number. Tokens of a language model are counted with one only."""
    seed: int = Field(default=0, ge=0)
    """Of the worlds, the agents, and what is learned."""

    @model_validator(mode="after")
    def _agent_can_learn(self) -> Self:
        if self.memory is None and self.finetune is None:
            raise ValueError("nothing is learned: give `memory`, `finetune`, or both")
        fields = type(agent_config(self.agent.name, self.agent.settings)).model_fields
        for wanted, field in ((self.memory, "recall"), (self.finetune, "adapter")):
            if wanted is not None and field not in fields:
                raise ValueError(
                    f"the agent {self.agent.name!r} has no setting `{field}`: choose language or follower"
                )
            if wanted is not None and self.agent.settings.get(field) is not None:
                raise ValueError(f"agent.settings.{field} is set by the loop: leave it out")
        if self.finetune is not None and "examples" in self.finetune:
            raise ValueError("finetune.examples are the loop's own: leave them out")
        return self


@dataclass(frozen=True)
class Round:
    """What one round came to.

    Attributes:
        number: 0 is before anything was learned.
        success: share of the probed goals that were reached.
        low, high: its 95% interval.
        gain: success less round 0's.
        gain_low, gain_high: its 95% interval, paired by goal.
        practised: share of this round's practice that reached its goal; None in round 0.
        goals: distinct goals that practice has reached so far.
        steps: environment steps of all practice so far.
        probe_steps: of this round's probing.
        model_tokens: that a language model read and wrote in this process to practise and be probed, so far.
        trained_tokens: that were learned from, so far.
        entries: of the memory.
        forgotten: rise of perplexity by text; 0.01 is one per cent.
        seconds: so far.
    """

    number: int
    success: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float
    practised: float | None
    goals: int
    steps: int
    probe_steps: int
    model_tokens: int
    trained_tokens: int
    entries: int
    forgotten: dict[str, float]
    seconds: float


def loop(config: LoopConfig, out: Path) -> list[Round]:
    """Run the rounds that `out` does not hold yet, and write `loop.json`, `loop.md` and `loop.png` after each.

    A run that was interrupted goes on where it was. `loop.json` names the best round's memory and adapter: that of the highest share of
    probed goals, the first of equals.

    Raises:
        UserError: the configuration does not fit, or `out` belongs to another one.
    """
    claim_output(out, "loop", config.to_json(), config.seed)
    rounds: list[Round] = []
    for number in range(config.rounds + 1):
        record = out / f"round-{number}" / "round.json"
        if not record.exists():
            say(f"loop: round {number} of {config.rounds}")
            write_json(record, asdict(_round(config, out, rounds)))
        rounds.append(Round(**read_json(record, what="a round's record")))
        best = max(rounds, key=lambda one: (one.success, -one.number)).number
        state = {name: str(path) for name, path in _state(config, out, best).items()}
        write_report(SCHEMA, rounds, {"round": best, **state}, out)
    return rounds


def _round(config: LoopConfig, out: Path, before: Sequence[Round]) -> Round:
    number, began, tokens = len(before), time.monotonic(), TOTAL.prompt_tokens + TOTAL.completion_tokens
    folder = out / f"round-{number}"
    practice: list[Episode] = []
    trained = 0
    if number:
        lived = _collect(config, out, number - 1, folder / "practice", config.episodes, "train", number)
        practice = list(lived.scan())
        if config.memory is not None:
            _learn_memory(config.memory, out, number, practice)
        if config.finetune is not None:
            trained = _learn_weights(config, out, number)
    probed = list(
        _collect(config, out, number, folder / "probed", config.probed, config.probed_split, 0).scan()
    )
    scores = [float(episode.success) for episode in probed]
    first = [float(one.success) for one in EpisodeStore.open(out / "round-0" / "probed").scan()]
    found, gain = mean_interval(scores), paired_difference(scores, first)
    last = before[-1] if before else None
    spent = TOTAL.prompt_tokens + TOTAL.completion_tokens - tokens
    return Round(
        number=number,
        success=found.value,
        low=found.low,
        high=found.high,
        gain=gain.difference,
        gain_low=gain.low,
        gain_high=gain.high,
        practised=float(np.mean([one.success for one in practice])) if practice else None,
        goals=len({one.goal_predicates for one in _practised(out, number) if one.success}),
        steps=sum(len(one.steps) for one in practice) + (last.steps if last else 0),
        probe_steps=sum(len(one.steps) for one in probed),
        model_tokens=spent + (last.model_tokens if last else 0),
        trained_tokens=trained + (last.trained_tokens if last else 0),
        entries=_entries(config, out, number),
        forgotten=_forgotten(config, out, number),
        seconds=time.monotonic() - began + (last.seconds if last else 0.0),
    )


def _state(config: LoopConfig, out: Path, number: int) -> dict[str, Path]:
    """Return the memory and the adapter that a round has learned; there is none before the first."""
    if not number:
        return {}
    named = {"memory": config.memory, "adapter": config.finetune}
    return {
        name: path
        for name, wanted in named.items()
        if wanted is not None and (path := out / f"round-{number}" / name).exists()
    }


def _collect(
    config: LoopConfig, out: Path, knows: int, into: Path, episodes: int, split: Split, seed: int
) -> EpisodeStore:
    """Let the agent live episodes with what a round has learned."""
    state = _state(config, out, knows)
    settings = dict(config.agent.settings)
    if config.memory is not None and "memory" in state:
        settings["recall"] = {"use": RECALL, "settings": _recall_settings(config.memory, state["memory"])}
    if "adapter" in state:
        settings["adapter"] = str(state["adapter"])
    described = CollectConfig(
        world=config.world,
        world_config=config.world_config,
        agent=AgentSettings(name=config.agent.name, settings=settings),
        episodes=episodes,
        seed=1000 * config.seed + seed,
        split=split,
        workers=config.workers,
    )
    collect(described, into)
    return EpisodeStore.open(into)


def _recall_settings(memory: MemoryLearning, path: Path) -> dict[str, Any]:
    return {"path": str(path), "k": memory.k, "value": memory.value, "failures": memory.failures}


def _learn_memory(settings: MemoryLearning, out: Path, number: int, practice: Sequence[Episode]) -> None:
    """Write a round's practice down beside what the round before had; what is there is whole."""
    target = out / f"round-{number}" / "memory"
    if target.exists():
        return
    making, earlier = target.with_name("memory.making"), out / f"round-{number - 1}" / "memory"
    shutil.rmtree(making, ignore_errors=True)
    if earlier.exists():
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
    making.rename(target)


def _learn_weights(config: LoopConfig, out: Path, number: int) -> int:
    """Fine-tune the base model on all successes so far; return the tokens that were learned from."""
    folder = out / f"round-{number}"
    examples = list(acting_examples(_practised(out, number)))
    if not examples:
        return 0  # nothing succeeded yet
    path = folder / "examples.parquet"
    write_examples(path, examples)
    values = {**(config.finetune or {}), "examples": [str(path)], "seed": config.seed}
    adapter = finetune(build_config(FinetuneConfig, values, "finetune"), folder / "adapter")
    return int(read_json(adapter / "training.json", what="a training record")["tokens"])


def _practised(out: Path, number: int) -> Iterator[Episode]:
    for one in range(1, number + 1):
        yield from EpisodeStore.open(out / f"round-{one}" / "practice").scan()


def _entries(config: LoopConfig, out: Path, number: int) -> int:
    state = _state(config, out, number)
    if "memory" not in state:
        return 0
    with Memory.open(state["memory"]) as memory:
        return memory.count


def _forgotten(config: LoopConfig, out: Path, number: int) -> dict[str, float]:
    """Return the rise of perplexity of each text that an adapter brought."""
    adapter = _state(config, out, number).get("adapter")
    if adapter is None:
        return {}
    settings = build_config(FinetuneConfig, {**(config.finetune or {}), "examples": ["-"]}, "finetune")
    model = LocalModel.load(settings.model, adapter, settings.dtype)
    found = {}
    for name in config.texts:
        pieces = text_pieces(model.tokenizer, name, TEXT_TOKENS, TEXT_PIECES, 0)
        rows = [text_row(piece) for piece in pieces]
        after = mean_nll(model.model, rows, pad_token(model.tokenizer))
        with model.model.disable_adapter():
            before = mean_nll(model.model, rows, pad_token(model.tokenizer))
        found[name] = math.expm1(after - before)
    return found
