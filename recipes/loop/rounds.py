"""`worldschool loop`: collect, learn, probe, and again; what every round gained, forgot and cost.

Round 0 probes what there is before anything is learned. Each further round practises with what the one before knew, learns from all
practice so far (a memory, a fine-tuned adapter, or both), and is probed on the same goals as every other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from worldschool.agents.language.usage import collected_in, read_usage
from worldschool.experience.runner import AgentSettings, CollectConfig, collect
from worldschool.experience.storage.writing import writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, write_json
from worldschool.learners.finetune.data import text_row
from worldschool.learners.finetune.naming import check_named
from worldschool.learners.finetune.retaining import text_pieces
from worldschool.learners.finetune.watching import mean_nll
from worldschool.learners.memory import Memory
from worldschool.models.causal import pad_token
from worldschool.models.completions import ENDPOINT
from worldschool.models.embedders import make_embedder
from worldschool.models.language import LocalModel
from worldschool.models.pull import resolve_model
from worldschool.models.texts import load_text
from worldschool.probes.statistics import mean_interval, paired_difference
from worldschool.progress import say
from worldschool.recipes.loop.config import LoopConfig
from worldschool.recipes.loop.learning import agent_settings, known, learn, practised
from worldschool.recipes.loop.report import write_report
from worldschool.records import Episode, Split
from worldschool.runs import claim_output, giving_back

SCHEMA = "worldschool.loop/1"
TEXT_TOKENS, TEXT_PIECES = 128, 24


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
        model_tokens: that language models read and wrote to practise, be probed and draw rules, on this machine, so far.
        trained_tokens: that were learned from, so far.
        entries: of the memory.
        skills: of these, how many are skills; of an agent that learns by itself without a memory, its own.
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
    skills: int
    forgotten: dict[str, float]
    seconds: float


def loop(config: LoopConfig, out: Path) -> list[Round]:
    """Run the rounds that `out` does not hold yet, and write `loop.json`, `loop.md` and `loop.png` after each.

    A run that was interrupted goes on where it was. `loop.json` names the best round's memory and adapter: that of the highest share of
    probed goals, the first of equals.

    Raises:
        UserError: the configuration does not fit, or `out` belongs to another one.
    """
    if not (out / "round-1" / "round.json").exists():
        _check_named(config)
    claim_output(out, "loop", config.to_json(), config.seed)
    rounds: list[Round] = []
    for number in range(config.rounds + 1):
        record = out / f"round-{number}" / "round.json"
        if not record.exists():
            say(f"loop: round {number} of {config.rounds}")
            with giving_back(out):  # what is wrong with the world's settings is told by the first collection
                found = _round(config, out, rounds)
            with writing(out):
                write_json(record, asdict(found))
        rounds.append(Round(**read_json(record, what="a round's record")))
        best = max(rounds, key=lambda one: (one.success, -one.number)).number
        state = {name: str(path) for name, path in known(config, out, best).items()}
        with writing(out):
            write_report(SCHEMA, rounds, {"round": best, **state}, out)
    return rounds


def _check_named(config: LoopConfig) -> None:
    """Look for what the first round's learning will want, before its practice is lived.

    Raises:
        UserError: a model, an embedder or a text is missing.
    """
    if config.memory is not None:
        make_embedder(config.memory.embedder)
        asked = config.insights_model if config.memory.insights else None
        if asked is not None and not asked.startswith((ENDPOINT, "recorded:")):
            resolve_model(asked)
    if config.finetune is not None:
        check_named(config.finetune)
        for name in config.texts:
            load_text(name)


def _round(config: LoopConfig, out: Path, before: Sequence[Round]) -> Round:
    number, began = len(before), time.monotonic()
    folder = out / f"round-{number}"
    practice: list[Episode] = []
    trained = 0
    with collected_in(folder / "usage"):
        if number:
            practice = list(_practise(config, out, number).scan())
            trained = learn(config, out, number, practice)
        probed = list(_probe(config, out, number).scan())
    scores = [float(episode.success) for episode in probed]
    first = [float(one.success) for one in EpisodeStore.open(out / "round-0" / "probed").scan()]
    found, gain = mean_interval(scores), paired_difference(scores, first)
    last = before[-1] if before else None
    memory = _memory(config, out, number)
    return Round(
        number=number,
        success=found.value,
        low=found.low,
        high=found.high,
        gain=gain.difference,
        gain_low=gain.low,
        gain_high=gain.high,
        practised=float(np.mean([one.success for one in practice])) if practice else None,
        goals=len({one.goal_predicates for one in practised(out, number) if one.success}),
        steps=sum(len(one.steps) for one in practice) + (last.steps if last else 0),
        probe_steps=sum(len(one.steps) for one in probed),
        model_tokens=read_usage(folder / "usage").tokens + (last.model_tokens if last else 0),
        trained_tokens=trained + (last.trained_tokens if last else 0),
        entries=memory[0],
        skills=memory[1],
        forgotten=_forgotten(config, out, number),
        seconds=time.monotonic() - began + (last.seconds if last else 0.0),
    )


def _practise(config: LoopConfig, out: Path, number: int) -> EpisodeStore:
    """Let the agent live a round's episodes with what the round before has learned."""
    settings = agent_settings(config, out, number - 1)
    into = out / f"round-{number}" / "practice"
    return _collect(config, settings, into, config.episodes, "train", number)


def _probe(config: LoopConfig, out: Path, number: int) -> EpisodeStore:
    """Let the agent try the goals that every round is probed on, with what this round has learned."""
    settings = agent_settings(config, out, number)
    if config.agent_learns:
        settings["goals"] = "world"  # none of its own
    into = out / f"round-{number}" / "probed"
    return _collect(config, settings, into, config.probed, config.probed_split, 0)


def _collect(
    config: LoopConfig, settings: dict[str, Any], into: Path, episodes: int, split: Split, seed: int
) -> EpisodeStore:
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


def _memory(config: LoopConfig, out: Path, number: int) -> tuple[int, int]:
    """Return how many entries there are, and how many of these are skills."""
    found = known(config, out, number)
    if "memory" in found:
        with Memory.open(found["memory"]) as memory:
            return memory.count, len(memory.listed("skill"))
    if "state" in found:
        return 0, len(read_json(found["state"], what="what an agent learned")["library"]["skills"])
    return 0, 0


def _forgotten(config: LoopConfig, out: Path, number: int) -> dict[str, float]:
    """Return the rise of perplexity of each text that an adapter brought."""
    adapter = known(config, out, number).get("adapter")
    if adapter is None or config.finetune is None:
        return {}
    model = LocalModel.load(config.finetune.model, adapter, config.finetune.dtype)
    found = {}
    for name in config.texts:
        pieces = text_pieces(model.tokenizer, name, TEXT_TOKENS, TEXT_PIECES, 0)
        rows = [text_row(piece) for piece in pieces]
        after = mean_nll(model.model, rows, pad_token(model.tokenizer))
        with model.model.disable_adapter():
            before = mean_nll(model.model, rows, pad_token(model.tokenizer))
        found[name] = math.expm1(after - before)
    return found
