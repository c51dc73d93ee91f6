"""Comparing probe runs: who scores better on the same items, by how much, and could that be chance?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from worldschool.errors import ConfigError, DatasetError, nearest
from worldschool.probes.comparing.runs import Contender, Row, Run, contenders_of, read_run, same_items
from worldschool.probes.dials import by_dial, levels_of, order_of
from worldschool.probes.measures import MEASURES
from worldschool.probes.statistics import flips_for, holm, mean_interval, paired_difference

COMPARISON_SCHEMA = "worldschool.comparison/1"
SCORE = "score"
TESTED = (SCORE, "executable", "success")
"""What is tested: the score, and of plans that were executed what became of them."""
FEWER = 2000
"""Resamples where intervals are many and none is tested."""
CORRECTION = "p_holm: Holm's correction for the number of all comparisons listed"


def compare(
    paths: Sequence[Path], *, against: str | None = None, shared: bool = False, seed: int = 0
) -> dict[str, Any]:
    """Compare all models of probe output directories with each other.

    Args:
        paths: the directories; of one alone its models are compared.
        against: compare with this model only, in place of every pair.
        shared: compare only the items that all runs share, where they were not asked the same.
        seed: of the bootstrap.

    Returns:
        schema, runs, contenders, suites (title, metric, n, chance and for each contender value, ci95, by_dial and measures),
        comparisons (suite, measure, a, b, difference, ci95, p, p_holm, test, n), by_dial (suite, dial, setting, a, b,
        difference, ci95, n: not tested), learning (suite to points: name, steps, examples, tokens, value, ci95), retention
        (text to perplexities), left_out, correction.

    Raises:
        UserError: a run cannot be read, they were not asked the same, or `against` is none of the models.
    """
    runs = [read_run(path) for path in _distinct(paths)]
    items, left_out = same_items(runs, shared)
    contenders = [one for one in contenders_of(runs) if all(suite in one.answers for suite in items)]
    if len(contenders) < 2:
        raise DatasetError(
            "there is nothing to compare: one model, and it answered alike",
            where=", ".join(str(run.path) for run in runs),
            mend="Give another run, or probe with `adapters`.",
        )
    pairs = list(_pairs(contenders, against))
    flips = flips_for(len(TESTED) * len(pairs) * len(items))
    rows = [row for suite, names in items.items() for row in _comparisons(suite, names, pairs, seed, flips)]
    corrected = holm([row["p"] for row in rows])
    return {
        "schema": COMPARISON_SCHEMA,
        "runs": [
            {"path": str(run.path), **{key: run.results.get(key) for key in ("command", "seed", "commit")}}
            for run in runs
        ],
        "contenders": [_described(one) for one in contenders],
        "suites": {suite: _suite(suite, names, contenders, runs[0], seed) for suite, names in items.items()},
        "comparisons": [{**row, "p_holm": p} for row, p in zip(rows, corrected, strict=True)],
        "correction": CORRECTION,
        "by_dial": [row for suite, names in items.items() for row in _dials(suite, names, pairs, seed)],
        "learning": _learning(items, contenders, seed),
        "retention": _retention(contenders, runs),
        "left_out": left_out,
        "seed": seed,
    }


def _distinct(paths: Sequence[Path]) -> list[Path]:
    if not paths:
        raise ConfigError(
            "no run was given", where="RUN", mend="Give output directories of `worldschool probe`."
        )
    return list({path.resolve(): path for path in paths}.values())


def _pairs(contenders: Sequence[Contender], against: str | None) -> Iterator[tuple[Contender, Contender]]:
    """Yield who is compared with whom: the one that learned, or comes later, first."""
    if against is None:
        for one, two in combinations(contenders, 2):
            yield (one, two) if one.learned and not two.learned else (two, one)
        return
    names = [one.name for one in contenders]
    if against not in names:
        raise ConfigError(
            f"there is no model {against!r} in these runs",
            where="--against",
            mend=f"They have: {', '.join(map(repr, names))}.{nearest(against, names)}",
        )
    reference = contenders[names.index(against)]
    for one in contenders:
        if one is not reference:
            yield one, reference


def _values(contender: Contender, suite: str, names: Sequence[str], measure: str) -> list[float] | None:
    """Return a measure of the items in order; None where it is not known of each."""
    rows = contender.answers[suite]
    values = [rows[name].get(measure) if name in rows else None for name in names]
    return (
        None
        if any(value is None for value in values)
        else [float(value) for value in values if value is not None]
    )


def _comparisons(
    suite: str, names: Sequence[str], pairs: Sequence[tuple[Contender, Contender]], seed: int, flips: int
) -> Iterator[dict[str, Any]]:
    for measure in TESTED:
        for a, b in pairs:
            first, second = _values(a, suite, names, measure), _values(b, suite, names, measure)
            if first is None or second is None:
                continue
            moved = paired_difference(first, second, seed, flips=flips)
            yield {
                "suite": suite,
                "measure": measure,
                "a": a.name,
                "b": b.name,
                "difference": moved.difference,
                "ci95": [moved.low, moved.high],
                "p": moved.p,
                "test": moved.test,
                "n": moved.n,
            }


def _dials(
    suite: str, names: Sequence[str], pairs: Sequence[tuple[Contender, Contender]], seed: int
) -> Iterator[dict[str, Any]]:
    """Yield differences of scores by the setting of each dial: estimates, of which none is tested."""
    for a, b in pairs:
        rows = a.answers[suite]
        for dial, settings in levels_of([rows[name].get("dials") or "{}" for name in names]).items():
            for setting in sorted({one for one in settings if one is not None}, key=order_of):
                chosen = [name for name, one in zip(names, settings, strict=True) if one == setting]
                first, second = _values(a, suite, chosen, SCORE), _values(b, suite, chosen, SCORE)
                if first is None or second is None:
                    continue
                moved = paired_difference(first, second, seed, FEWER, flips=1)
                yield {
                    "suite": suite,
                    "dial": dial,
                    "setting": setting,
                    "a": a.name,
                    "b": b.name,
                    "difference": moved.difference,
                    "ci95": [moved.low, moved.high],
                    "n": moved.n,
                }


def _suite(
    suite: str, names: Sequence[str], contenders: Sequence[Contender], run: Run, seed: int
) -> dict[str, Any]:
    known = (run.results.get("suites") or {}).get(suite) or {}
    scores = {}
    for one in contenders:
        values = _values(one, suite, names, SCORE)
        if values is None:
            continue
        interval = mean_interval(values, seed=seed)
        measures = {name: _values(one, suite, names, name) for name in MEASURES}
        scores[one.name] = {
            "value": interval.value,
            "ci95": [interval.low, interval.high],
            "by_dial": by_dial([one.answers[suite][name].get("dials") or "{}" for name in names], values),
            **{name: sum(found) / len(found) for name, found in measures.items() if found is not None},
        }
    return {
        "title": known.get("title") or suite,
        "metric": known.get("metric"),
        "n": len(names),
        "chance": known.get("chance"),
        "scores": scores,
    }


def _described(contender: Contender) -> dict[str, Any]:
    row = contender.described
    return {
        "name": contender.name,
        "run": str(contender.run),
        "model": contender.model,
        "adapter": row.get("adapter"),
        "shots": row.get("shots", 0),
        "trained": row.get("trained"),
    }


def _learning(
    items: Mapping[str, Sequence[str]], contenders: Sequence[Contender], seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Return each suite's scores by how much was trained on: every adapter whose record says so, and the untrained.

    Nothing where all were trained for as many steps.
    """
    known = [one for one in contenders if one.described.get("trained")]
    if len({one.described["trained"].get("steps") for one in known}) < 2:
        return {}
    untrained = [one for one in contenders if not one.learned and not one.described.get("shots")]
    nothing = {"steps": 0, "examples": 0, "tokens": 0}
    found: dict[str, list[dict[str, Any]]] = {}
    for suite, names in items.items():
        points = []
        for one in [*untrained[:1], *known]:
            values = _values(one, suite, names, SCORE)
            if values is None:
                continue
            interval = mean_interval(values, seed=seed)
            amount: Row = one.described.get("trained") or nothing
            points.append(
                {"name": one.name, **amount, "value": interval.value, "ci95": [interval.low, interval.high]}
            )
        found[suite] = sorted(points, key=lambda point: (point.get("steps", 0), point["name"]))
    return found


def _retention(contenders: Sequence[Contender], runs: Sequence[Run]) -> dict[str, Any]:
    by_path = {run.path: run.results.get("retention") or {} for run in runs}
    found: dict[str, Any] = {}
    for one in contenders:
        for text, row in by_path[one.run].items():
            value = (row.get("perplexity") or {}).get(one.model)
            if value is not None:
                kept = found.setdefault(
                    text, {"title": row.get("title") or text, "tokens": {}, "perplexity": {}}
                )
                kept["perplexity"][one.name], kept["tokens"][one.name] = value, row.get("tokens")
    return found
