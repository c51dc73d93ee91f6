"""What is told of the answers: each suite's scores and their controls, what became of perplexity, who is ahead of whom."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from worldschool.models.scoring import TextLoss
from worldschool.probes.ask import Answer, by_normalization, score_prediction, suite_metric
from worldschool.probes.asked import TITLES, Asked
from worldschool.probes.config import BASE, ProbeConfig, few_shot_name
from worldschool.probes.dials import by_dial
from worldschool.probes.measures import Row, summary
from worldschool.probes.shortcuts import shortcut_scores
from worldschool.probes.statistics import flips_for, holm, mean_interval, paired_difference, relative_change
from worldschool.records import Interval

CORRECTION = "p_holm: Holm's correction for the number of all comparisons"


def suite_results(
    task: str,
    asked: Asked,
    answers: dict[str, dict[str, list[Answer]]],
    measures: dict[str, dict[str, list[Row]]],
    config: ProbeConfig,
) -> dict[str, Any]:
    """Return what `results.json` says of a suite: how it was asked, shortcuts, and each model's scores with intervals.

    Args:
        task: the suite.
        asked: all of them.
        answers: by model and suite, in the items' order.
        measures: the same, of plans.
        config: of the run.
    """
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
        "controls": _controls(task, asked, scores, config),
        "excluded": asked.excluded[task],
    }


def _controls(
    task: str, asked: Asked, scores: dict[str, dict[str, Any]], config: ProbeConfig
) -> dict[str, Any]:
    """Return the scores that tell what others are worth: the base model's behind worked examples, and a named adapter's."""
    named = {"permuted_answers": config.controls.permuted_answers}
    if task in asked.shots:
        named = {"base_few_shot": few_shot_name(config.shot_count), **named}
    return {
        control: {"model": name, "value": scores[name]["value"], "ci95": scores[name]["ci95"]}
        for control, name in named.items()
        if name is not None
    }


def retention_results(losses: dict[str, dict[str, TextLoss]], config: ProbeConfig) -> dict[str, Any]:
    """Return what `results.json` says of each text: perplexity and bits per byte, and their change from the base model's."""
    found = {}
    for name in config.texts:
        base = losses[BASE][name]
        change = {}
        for model, by_text in losses.items():
            if model != BASE:
                moved = _moved(base, by_text[name], config.seed)
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


def _moved(base: TextLoss, other: TextLoss, seed: int) -> Interval:
    """Return the change of perplexity; of a document of one token nothing was predicted, and nothing is told."""
    rows = [row for row in zip(base.nll, other.nll, base.tokens, strict=True) if row[-1]]
    before, after, tokens = zip(*rows, strict=True)
    return relative_change(before, after, tokens, seed=seed)


def comparisons(
    asked: Asked,
    answers: dict[str, dict[str, list[Answer]]],
    adapters: Sequence[str],
    config: ProbeConfig,
) -> list[dict[str, Any]]:
    """Compare each adapter with the better of the base model's ways of being asked, and with every other adapter.

    "p_holm" is corrected for the number of all these comparisons.

    Args:
        asked: the suites.
        answers: by model and suite, in the items' order.
        adapters: names of the models that are adapters.
        config: of the run.
    """
    bases = [name for name in answers if name not in adapters]
    others = list(combinations(adapters, 2))
    flips = flips_for(len(asked.items) * (len(adapters) + len(others)))
    found: list[dict[str, Any]] = []
    for task in asked.items:
        scores = {m: [answer.score for answer in by_task[task]] for m, by_task in answers.items()}
        best = max(bases, key=lambda name: sum(scores[name]))
        for a, b in [*((name, best) for name in adapters), *others]:
            moved = paired_difference(scores[a], scores[b], seed=config.seed, flips=flips)
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
