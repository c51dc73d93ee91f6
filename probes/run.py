"""`worldschool probe`: every model asked every suite, perplexity, comparisons, and the report."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from worldschool.experience.examples import read_examples
from worldschool.files import read_json, write_atomic, write_json
from worldschool.models.language import LocalModel
from worldschool.models.scoring import TextLoss, text_loss
from worldschool.models.texts import load_text
from worldschool.probes.ask import CHOICE_METRIC, Answer, ask, score_prediction
from worldschool.probes.config import ProbeConfig, SuiteSettings
from worldschool.probes.metrics import EXACT, WRITTEN
from worldschool.probes.report import write_report
from worldschool.probes.shortcuts import shortcut_answers
from worldschool.probes.statistics import mean_interval, paired_difference, relative_change
from worldschool.probes.suites import check_overlap, draw_items, draw_shots
from worldschool.progress import progress
from worldschool.records import Example
from worldschool.runs import claim_output, package_versions, source_commit

RESULTS_SCHEMA = "worldschool.results/1"
BASE = "base"
TITLES = {
    "object_path": ("Object path tracking", "Through which rooms did a thing go, in order?"),
    "object_location": ("Object location", "Where is a thing now, or where was it before or after a room?"),
    "counting": ("Counting", "How many items are on (or in) a place at the end?"),
    "plan_generation": ("Plan generation", "Which steps carry out a task?"),
    "plan_generation_confusing": (
        "Plans, with things not needed",
        "Which steps carry out a task, when not all is needed?",
    ),
    "activity_recognition": ("Activity recognition", "What is done by these steps?"),
    "activity_inference": ("Activity inference", "What is being done, going by how things stand?"),
    "next_observation": ("Next observation", "What does somebody see after an action?"),
    "missing_step": ("Missing step", "Which step was left out of a plan?"),
    "order_validity": ("Order of steps", "Does a plan work in this order?"),
    "which_came_first": ("Which came first", "Which of two things happened first?"),
    "character_action": ("Who did what", "What did a character do?"),
    "negation": ("Negation", "What was not so, or did not happen?"),
    "witness": ("Witness", "Did somebody see it?"),
    "fitting_product": ("Fitting product", "Which product meets every part of an instruction?"),
    "violated_constraint": ("Violated constraint", "Which part of an instruction does a product miss?"),
    "chosen_option": ("Chosen option", "Which value was chosen last for a product?"),
    "price_comparison": ("Price comparison", "Which product costs least, or most?"),
    "next_click": ("Next click", "What to click on a product's page?"),
    "shopping_plan": ("Shopping plan", "Which steps buy what is wanted?"),
    "pydoc:heldout": ("Python's reference prose, held-out half", ""),
    "prose": ("Letters, a story and news", ""),
}


@dataclass(frozen=True)
class Contender:
    """One column of the results: a model, how it is asked, and what it is."""

    name: str
    adapter: str | None
    shots: int
    about: str
    losses: dict[str, TextLoss] = field(default_factory=dict)


def probe(
    config: ProbeConfig,
    out: Path,
    extra: dict[str, Any] | None = None,
    conclude: Callable[[dict[str, Any]], list[dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    """Run the configured probes into `out`: results.json, items.parquet, report.html, report.md, scores.csv.

    What was asked already is not asked again when an interrupted run goes on.

    Args:
        config: what to ask of which models.
        out: the output directory.
        extra: further keys of results.json, for the report ("title", "training", "made").
        conclude: given the results, returns the promises to list as "contract" (claim, holds, detail).

    Returns:
        What results.json holds.

    Raises:
        UserError: a model, an adapter, a text or a file of examples cannot be used, or `out` belongs to another run.
    """
    started = time.monotonic()
    asked = _Asked(config)
    claim_output(out, "probe", config.to_json(), config.seed)
    contenders = _contenders(config, bool(asked.shots))
    answers: dict[str, dict[str, list[Answer]]] = {}
    losses: dict[str, dict[str, TextLoss]] = {}
    fingerprint = ""
    for contender, model in _with_models(config, contenders):
        answers[contender.name] = _ask_all(contender, model, asked, config, out)
        if contender.shots == 0:
            losses[contender.name] = _losses(contender, model, config, out)
        fingerprint = model.fingerprint
    results: dict[str, Any] = {
        "schema": RESULTS_SCHEMA,
        "title": "What was learned, and what was lost",
        "command": "worldschool " + " ".join(shlex.quote(part) for part in sys.argv[1:]),
        "seconds": time.monotonic() - started,
        "versions": package_versions(),
        "commit": source_commit(),
        "seed": config.seed,
        "models": [
            {
                "name": c.name,
                "fingerprint": fingerprint,
                "adapter": c.adapter,
                "shots": c.shots,
                "about": c.about,
            }
            for c in contenders
        ],
        "suites": {task: _suite(task, asked, answers, config) for task in asked.items},
        "retention": _retention(losses, config),
        "comparisons": _comparisons(asked, answers, contenders, config),
        **(extra or {}),
    }
    if conclude is not None:
        results["contract"] = conclude(results)
    _write(results, asked, answers, out)
    return results


class _Asked:
    """The items of every suite and the shots shown before them."""

    def __init__(self, config: ProbeConfig) -> None:
        examples = read_examples(config.examples)
        tasks = config.suites or {task: SuiteSettings() for task in sorted({e.task for e in examples})}
        self.settings: dict[str, SuiteSettings] = dict(tasks)
        self.items = {t: draw_items(examples, t, s, config.seed) for t, s in self.settings.items()}
        self.shots: dict[str, list[list[Example]]] = {}
        if config.shots is not None:
            shown = read_examples(config.shots)
            for task, items in self.items.items():
                check_overlap(items, shown)
                self.shots[task] = draw_shots(shown, task, config.shot_count, config.shot_sets, config.seed)


def _contenders(config: ProbeConfig, shots: bool) -> list[Contender]:
    found = [Contender(BASE, None, 0, f"{config.model}, as it came")]
    if shots:
        name = f"{BASE}, {config.shot_count}-shot"
        found.append(
            Contender(
                name, None, config.shot_count, f"{config.model} with {config.shot_count} worked examples"
            )
        )
    for name, path in config.adapters.items():
        found.append(Contender(name, path, 0, f"{config.model} with the adapter {path}"))
    return found


def _with_models(config: ProbeConfig, contenders: list[Contender]) -> Iterator[tuple[Contender, LocalModel]]:
    loaded: tuple[str | None, LocalModel] | None = None
    for contender in contenders:
        if loaded is None or loaded[0] != contender.adapter:
            loaded = (contender.adapter, LocalModel.load(config.model, contender.adapter, config.dtype))
        yield contender, loaded[1]


def _ask_all(
    contender: Contender, model: LocalModel, asked: _Asked, config: ProbeConfig, out: Path
) -> dict[str, list[Answer]]:
    found = {}
    for task, items in asked.items.items():
        kept = out / "parts" / f"{_slug(contender.name)}.{task}.json"
        if not kept.exists():
            shots = asked.shots.get(task, []) if contender.shots else []
            with progress(f"{contender.name}: {task}", len(items), "items") as advance:
                answers = ask(model, items, asked.settings[task], shots, advance)
            write_json(kept, [answer.to_json() for answer in answers])
        found[task] = [Answer(**row) for row in read_json(kept, what="answers of an earlier run")]
    return found


def _losses(contender: Contender, model: LocalModel, config: ProbeConfig, out: Path) -> dict[str, TextLoss]:
    found = {}
    for name in config.texts:
        kept = out / "parts" / f"{_slug(contender.name)}.text.{_slug(name)}.json"
        if not kept.exists():
            documents = spread(list(load_text(name).documents), model, config.text_tokens)
            with progress(f"{contender.name}: perplexity", len(documents), "documents") as advance:
                loss = text_loss(model, documents, advance=advance)
            write_json(kept, {"nll": loss.nll, "tokens": loss.tokens, "bytes": loss.bytes})
        row = read_json(kept, what="a text's loss of an earlier run")
        found[name] = TextLoss(tuple(row["nll"]), tuple(row["tokens"]), tuple(row["bytes"]))
    return found


def spread(documents: list[str], model: LocalModel, tokens: int) -> list[str]:
    """Return pieces of about equal length from every document, `tokens` tokens in all (whole documents if short).

    Every document's beginning is used, so that each kind of text in it has its share.
    """
    share = max(2, tokens // len(documents))
    pieces = []
    for document in documents:
        ids = model.tokenizer(document, verbose=False)["input_ids"]
        pieces.append(document if len(ids) <= share else model.tokenizer.decode(ids[:share]))
    return pieces


def _suite(
    task: str, asked: _Asked, answers: dict[str, dict[str, list[Answer]]], config: ProbeConfig
) -> dict[str, Any]:
    items = asked.items[task]
    title, about = TITLES.get(task, (task, ""))
    shortcuts = {
        name: sum(score_prediction(item, text).score for item, text in zip(items, texts, strict=True))
        / len(items)
        for name, texts in shortcut_answers(items).items()
    }
    chance = None
    if items[0].options is not None:
        chance = sum(1 / len(item.options or (1,)) for item in items) / len(items)
    scores = {}
    for model, by_task in answers.items():
        values = [answer.score for answer in by_task[task]]
        interval = mean_interval(values, seed=config.seed)
        scores[model] = {
            "value": interval.value,
            "ci95": [interval.low, interval.high],
            "exact": sum(answer.correct for answer in by_task[task]) / len(items),
            "by_dial": _by_dial(items, by_task[task]),
        }
    return {
        "title": title,
        "about": about,
        "metric": CHOICE_METRIC if chance is not None else WRITTEN.get(task, EXACT).about,
        "kind": "generate" if items[0].options is None else "choice",
        "n": len(items),
        "chance": chance,
        "shortcuts": shortcuts,
        "scores": scores,
        "controls": {},
        "excluded": 0,
    }


def _by_dial(items: list[Example], answers: list[Answer]) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for item, answer in zip(items, answers, strict=True):
        for dial, level in json.loads(item.dials).items():
            if dial in ("length", "revisits", "indirection"):
                found.setdefault(dial, {}).setdefault(str(level), []).append(answer.score)
    return {
        dial: {level: {"value": sum(v) / len(v), "n": len(v)} for level, v in sorted(levels.items())}
        for dial, levels in found.items()
        if len(levels) > 1
    }


def _retention(losses: dict[str, dict[str, TextLoss]], config: ProbeConfig) -> dict[str, Any]:
    found = {}
    for name in config.texts:
        base = losses[BASE][name]
        change = {}
        for model, by_text in losses.items():
            if model != BASE:
                moved = relative_change(base.nll, by_text[name].nll, base.tokens, seed=config.seed)
                change[model] = {"value": moved.value, "ci95": [moved.low, moved.high]}
        found[name] = {
            "title": TITLES.get(name, (name, ""))[0],
            "tokens": sum(base.tokens),
            "perplexity": {model: by_text[name].perplexity for model, by_text in losses.items()},
            "bits_per_byte": {model: by_text[name].bits_per_byte for model, by_text in losses.items()},
            "change": change,
        }
    return found


def _comparisons(
    asked: _Asked,
    answers: dict[str, dict[str, list[Answer]]],
    contenders: list[Contender],
    config: ProbeConfig,
) -> list[dict[str, Any]]:
    """Compare each adapter with the better of the base model's ways of being asked, and with every other adapter."""
    adapters = [c.name for c in contenders if c.adapter is not None]
    bases = [c.name for c in contenders if c.adapter is None]
    found = []
    for task in asked.items:
        scores = {m: [answer.score for answer in by_task[task]] for m, by_task in answers.items()}
        best = max(bases, key=lambda name: sum(scores[name]))
        pairs = [(name, best) for name in adapters]
        pairs += [(a, b) for i, a in enumerate(adapters) for b in adapters[i + 1 :]]
        for a, b in pairs:
            moved = paired_difference(scores[a], scores[b], seed=config.seed)
            found.append(
                {
                    "suite": task,
                    "a": a,
                    "b": b,
                    "difference": moved.difference,
                    "ci95": [moved.low, moved.high],
                    "p": moved.p,
                    "test": moved.test,
                }
            )
    return found


def _write(
    results: dict[str, Any], asked: _Asked, answers: dict[str, dict[str, list[Answer]]], out: Path
) -> None:
    rows = [
        {
            "suite": task,
            "item_id": item.example_id,
            "model": model,
            "prompt": item.prompt,
            "answer": item.answer,
            "prediction": answer.prediction,
            "score": answer.score,
            "correct": answer.correct,
        }
        for task, items in asked.items.items()
        for model, by_task in answers.items()
        for item, answer in zip(items, by_task[task], strict=True)
    ]
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink, compression="zstd")
    write_atomic(out / "items.parquet", sink.getvalue().to_pybytes())
    write_report(results, rows, out)
    write_json(out / "results.json", results)


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
