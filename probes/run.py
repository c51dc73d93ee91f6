"""`worldschool probe`: every model asked every suite, perplexity, comparisons, and the report."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from worldschool.files import read_json, write_atomic, write_json
from worldschool.models.language import LocalModel, ProbedModel, load_model
from worldschool.models.scoring import TextLoss, text_loss
from worldschool.models.texts import load_text
from worldschool.probes.ask import Answer, ask, by_normalization, score_prediction, suite_metric
from worldschool.probes.asked import TITLES, Asked
from worldschool.probes.config import ProbeConfig
from worldschool.probes.dials import by_dial
from worldschool.probes.measures import MEASURES, Row, summary
from worldschool.probes.overlap import trained, training_record
from worldschool.probes.reporting.report import write_report
from worldschool.probes.results import RESULTS_SCHEMA
from worldschool.probes.shortcuts import shortcut_scores
from worldschool.probes.statistics import holm, mean_interval, paired_difference, relative_change
from worldschool.progress import progress
from worldschool.runs import claim_output, package_versions, source_commit

CORRECTION = "p_holm: Holm's correction for the number of all comparisons"
BASE = "base"


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
    asked = Asked(config)
    claim_output(out, "probe", config.to_json(), config.seed)
    contenders = _contenders(config, bool(asked.shots))
    answers: dict[str, dict[str, list[Answer]]] = {}
    losses: dict[str, dict[str, TextLoss]] = {}
    fingerprint = ""
    for contender, model in _with_models(config, contenders):
        asked.fit(model)
        answers[contender.name] = _ask_all(contender, model, asked, config, out)
        if contender.shots == 0:
            losses[contender.name] = _losses(contender, model, config, out)
        fingerprint = model.fingerprint
    measures = asked.measures(answers)
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
                **_trained(c),
            }
            for c in contenders
        ],
        "suites": {task: _suite(task, asked, answers, measures, config) for task in asked.items},
        "retention": _retention(losses, config),
        "comparisons": _comparisons(asked, answers, contenders, config),
        "correction": CORRECTION,
        **(extra or {}),
    }
    if conclude is not None:
        results["contract"] = conclude(results)
    _write(results, asked, answers, measures, out)
    return results


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


def _with_models(config: ProbeConfig, contenders: list[Contender]) -> Iterator[tuple[Contender, ProbedModel]]:
    loaded: tuple[str | None, ProbedModel] | None = None
    for contender in contenders:
        if loaded is None or loaded[0] != contender.adapter:
            loaded = (contender.adapter, load_model(config.model, contender.adapter, config.dtype))
        yield contender, loaded[1]


def _ask_all(
    contender: Contender, model: ProbedModel, asked: Asked, config: ProbeConfig, out: Path
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


def _losses(contender: Contender, model: ProbedModel, config: ProbeConfig, out: Path) -> dict[str, TextLoss]:
    found = {}
    for name in config.texts:
        assert isinstance(model, LocalModel), "ProbeConfig asks for no perplexity of a server's model"
        kept = out / "parts" / f"{_slug(contender.name)}.text.{_slug(name)}.json"
        if not kept.exists():
            documents = spread(list(load_text(name).documents), model, config.text_tokens)
            with progress(f"{contender.name}: perplexity", len(documents), "documents") as advance:
                loss = text_loss(model, documents, config.text_window, advance, config.text_stride)
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
    task: str,
    asked: Asked,
    answers: dict[str, dict[str, list[Answer]]],
    measures: dict[str, dict[str, list[Row]]],
    config: ProbeConfig,
) -> dict[str, Any]:
    items, settings = asked.items[task], asked.settings[task]
    scored = items[0].options is not None and settings.decoding is None
    title, about = asked.titles[task]
    shortcuts = shortcut_scores(
        items, asked.others(task), lambda item, text: score_prediction(item, text).score, config.seed
    )
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
            "by_dial": by_dial([item.dials for item in items], values),
            **({"by_normalization": by_normalization(by_task[task])} if scored else {}),
            **summary(measures[model][task], config.seed),
        }
    return {
        "title": title,
        "about": about,
        "metric": suite_metric(items[0], settings),
        "normalization": settings.normalization if scored else None,
        "decoding": settings.decoding if chance is not None or settings.decoding else "free",
        "kind": "generate" if items[0].options is None else "choice",
        "n": len(items),
        "chance": chance,
        "shortcuts": shortcuts,
        "scores": scores,
        "reference": asked.references[task],
        "controls": {},
        "excluded": asked.excluded[task],
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
            "window": config.text_window,
            "stride": config.text_stride or config.text_window - 1,
            "perplexity": {model: by_text[name].perplexity for model, by_text in losses.items()},
            "bits_per_byte": {model: by_text[name].bits_per_byte for model, by_text in losses.items()},
            "change": change,
        }
    return found


def _comparisons(
    asked: Asked,
    answers: dict[str, dict[str, list[Answer]]],
    contenders: list[Contender],
    config: ProbeConfig,
) -> list[dict[str, Any]]:
    """Compare each adapter with the better of the base model's ways of being asked, and with every other adapter.

    "p_holm" is corrected for the number of all these comparisons.
    """
    adapters = [c.name for c in contenders if c.adapter is not None]
    bases = [c.name for c in contenders if c.adapter is None]
    found: list[dict[str, Any]] = []
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
    corrected = holm([row["p"] for row in found])
    return [{**row, "p_holm": p} for row, p in zip(found, corrected, strict=True)]


def _trained(contender: Contender) -> dict[str, Any]:
    """Return how much an adapter was trained on, as "trained", where that is recorded."""
    record = training_record(Path(contender.adapter)) if contender.adapter is not None else None
    return {"trained": trained(record)} if record else {}


def _write(
    results: dict[str, Any],
    asked: Asked,
    answers: dict[str, dict[str, list[Answer]]],
    measures: dict[str, dict[str, list[Row]]],
    out: Path,
) -> None:
    names = [
        name
        for name in MEASURES
        if any(name in row for by in measures.values() for r in by.values() for row in r)
    ]
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
            "dials": item.dials,
            **{name: row.get(name) for name in names},
        }
        for task, items in asked.items.items()
        for model, by_task in answers.items()
        for item, answer, row in zip(items, by_task[task], measures[model][task], strict=True)
    ]
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink, compression="zstd")
    write_atomic(out / "items.parquet", sink.getvalue().to_pybytes())
    write_report(results, rows, out)
    write_json(out / "results.json", results)


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
