"""`worldschool probe`: every model asked every suite, perplexity, comparisons, and the report."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from worldschool.errors import ModelError, UserError
from worldschool.experience.examples import iterate_examples
from worldschool.experience.overlap import Overlap
from worldschool.files import write_atomic, write_json
from worldschool.models.causal import adapter_fingerprint
from worldschool.models.completions import ENDPOINT
from worldschool.models.language import LocalModel, ProbedModel, check_adapter_of, load_model
from worldschool.models.scoring import TextLoss, text_loss
from worldschool.models.texts import load_text
from worldschool.probes.ask import Answer, ask
from worldschool.probes.asked import Asked
from worldschool.probes.config import BASE, ProbeConfig, few_shot_name
from worldschool.probes.measures import MEASURES, Row
from worldschool.probes.overlap import trained, training_record
from worldschool.probes.parts import Parts
from worldschool.probes.reporting.report import write_report
from worldschool.probes.results import RESULTS_SCHEMA
from worldschool.probes.scores import CORRECTION, comparisons, retention_results, suite_results
from worldschool.progress import progress
from worldschool.records import Example
from worldschool.runs import claim_output, giving_back, package_versions, source_commit


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
        UserError: a model, an adapter, a text or a file of examples cannot be used, or `out` belongs to another run, or
            to one of other models or items under the same names.
    """
    started = time.monotonic()
    _check_named(config)
    asked = Asked(config)
    claim_output(out, "probe", config.to_json(), config.seed)
    contenders = _contenders(config, bool(asked.shots))
    answers: dict[str, dict[str, list[Answer]]] = {}
    losses: dict[str, dict[str, TextLoss]] = {}
    fingerprints: dict[str, dict[str, str | None]] = {}
    with giving_back(out):
        for contender, model in _with_models(config, contenders):
            asked.fit(model)
            fingerprints[contender.name] = _fingerprints(contender, model)
            shown = {"shots": asked.shots_fingerprint} if contender.shots else {}
            parts = Parts(out, contender.name, {**fingerprints[contender.name], **shown})
            if contender.shots == 0:  # first: a text that cannot be used is told before hours of questions
                losses[contender.name] = _losses(contender, model, config, parts)
            answers[contender.name] = _ask_all(contender, model, asked, parts)
    measures = asked.measures(answers)
    adapters = [contender.name for contender in contenders if contender.adapter is not None]
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
                **fingerprints[c.name],
                "adapter": c.adapter,
                "shots": c.shots,
                "about": c.about,
                **({"control": "permuted_answers"} if c.name == config.controls.permuted_answers else {}),
                **_trained(c),
            }
            for c in contenders
        ],
        "suites": {task: suite_results(task, asked, answers, measures, config) for task in asked.items},
        "retention": retention_results(losses, config),
        "comparisons": comparisons(asked, answers, adapters, config),
        "correction": CORRECTION,
        **(extra or {}),
    }
    if conclude is not None:
        results["contract"] = conclude(results)
    _write(results, asked, answers, measures, out)
    return results


def check_probe(config: ProbeConfig, trained_on: Iterable[str]) -> None:
    """Check what `probe` would refuse before it asks anything; for a command that trains the adapters first.

    Args:
        config: the adapters that it names need not be there.
        trained_on: the files of examples that they will be trained on.

    Raises:
        UserError: a text or a file of examples is missing or cannot be used, or an item will be trained on.
    """
    config = config.model_copy(update={"adapters": {}})
    _check_named(config)
    asked = Asked(config)
    for file in trained_on:
        overlap = Overlap(asked.items)
        overlap.add(iterate_examples(file))
        overlap.refuse(f"will be trained on ({file})", "--probe")


def _check_named(config: ProbeConfig) -> None:
    """Look for the adapters and texts that are named: each is used only when much was asked already.

    Raises:
        UserError: one is missing.
    """
    for label, adapter in config.adapters.items():
        try:
            check_adapter_of(config.model, adapter)
        except ModelError as error:
            where = f"adapters.{label}: {error.where}"
            raise ModelError(error.problem, where=where, mend=error.mend) from None
    for name in config.texts:
        load_text(name)


def _contenders(config: ProbeConfig, shots: bool) -> list[Contender]:
    found = [Contender(BASE, None, 0, f"{config.model}, as it came")]
    if shots:
        about = f"{config.model} with {config.shot_count} worked examples"
        found.append(Contender(few_shot_name(config.shot_count), None, config.shot_count, about))
    for name, path in config.adapters.items():
        found.append(Contender(name, path, 0, f"{config.model} with the adapter {path}"))
    return found


def _with_models(config: ProbeConfig, contenders: list[Contender]) -> Iterator[tuple[Contender, ProbedModel]]:
    loaded: tuple[str | None, ProbedModel] | None = None
    for contender in contenders:
        if loaded is None or loaded[0] != contender.adapter:
            loaded = (contender.adapter, load_model(config.model, contender.adapter, config.dtype))
        yield contender, loaded[1]


def _ask_all(contender: Contender, model: ProbedModel, asked: Asked, parts: Parts) -> dict[str, list[Answer]]:
    found = {}
    for task, items in asked.items.items():

        def answers(task: str = task, items: list[Example] = items) -> list[Answer]:
            shots = asked.shots.get(task, []) if contender.shots else []
            with progress(f"{contender.name}: {task}", len(items), "items") as advance:
                return ask(model, items, asked.settings[task], shots, advance)

        found[task] = parts.answers(task, items, answers)
    return found


def _losses(
    contender: Contender, model: ProbedModel, config: ProbeConfig, parts: Parts
) -> dict[str, TextLoss]:
    found = {}
    for name in config.texts:
        assert isinstance(model, LocalModel), "ProbeConfig asks for no perplexity of a server's model"

        def measured(name: str = name, model: LocalModel = model) -> TextLoss:
            documents = spread(list(load_text(name).documents), model, config.text_tokens)
            with progress(f"{contender.name}: perplexity", len(documents), "documents") as advance:
                return text_loss(model, documents, config.text_window, advance, config.text_stride)

        found[name] = parts.loss(name, measured)
        if not any(found[name].tokens):
            raise UserError(
                "no document of it has a second token, so nothing is predicted",
                where=f"texts: {name}",
                mend="Give a text with at least one document of a few words.",
            )
    return found


def spread(documents: list[str], model: LocalModel, tokens: int) -> list[str]:
    """Return pieces of about equal length from every document, `tokens` tokens in all (whole documents if short).

    Every document's beginning is used, so that each kind of text in it has its share.
    """
    share = max(2, tokens // len(documents))
    pieces = []
    for document in documents:
        # Decoded, a token that begins every text would be text, and be given one more before it.
        ids = model.tokenizer(document, add_special_tokens=False, verbose=False)["input_ids"]
        pieces.append(document if len(ids) <= share else model.tokenizer.decode(ids[:share]))
    return pieces


def _fingerprints(contender: Contender, model: ProbedModel) -> dict[str, str | None]:
    """Return what tells this model from another: fingerprints of the base model, and of the adapter on it.

    A server's model has the one of its URL and name, also where it takes the place of an adapter.
    """
    local = contender.adapter is not None and not contender.adapter.startswith(ENDPOINT)
    adapter = adapter_fingerprint(Path(contender.adapter)) if local and contender.adapter else None
    return {"fingerprint": model.fingerprint, "adapter_fingerprint": adapter}


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
