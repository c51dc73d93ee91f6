"""Probe outputs read back to be compared: who answered, and whether they were asked the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow
import pyarrow.parquet

from worldschool.errors import DatasetError
from worldschool.files import read_json
from worldschool.probes.results import RESULTS_SCHEMA

NEEDED = ("suite", "item_id", "model", "prompt", "answer", "score", "correct")
NAMED = 3
"""Items of a kind that an error names; it counts the others."""

Row: TypeAlias = Mapping[str, Any]
Asked: TypeAlias = dict[str, dict[str, Row]]


@dataclass(frozen=True)
class Run:
    """A probe output directory.

    Attributes:
        path: as it was given.
        results: what its results.json holds.
        asked: suite to item id to a row of the item (prompt, answer, dials).
        answers: model to suite to item id to its row of items.parquet.
    """

    path: Path
    results: Row
    asked: Asked
    answers: dict[str, Asked]


@dataclass(frozen=True)
class Contender:
    """One model of one run, under a name that no other has.

    Attributes:
        name: unique among those compared.
        model: its name in its run.
        run: the run's path.
        described: its row of results.json: adapter, shots, fingerprint, trained.
        answers: suite to item id to row.
    """

    name: str
    model: str
    run: Path
    described: Row
    answers: Asked = field(repr=False)

    @property
    def learned(self) -> bool:
        """Whether it has an adapter or a memory."""
        return bool(self.described.get("adapter") or self.described.get("memory"))


def read_run(path: Path) -> Run:
    """Read a probe output directory.

    Raises:
        UserError: a file is missing, damaged or of a schema that this release does not read.
    """
    mend = (
        "Give an output directory of `worldschool probe`; an interrupted run is finished by the same command."
    )
    if not path.is_dir():
        raise DatasetError("there is no such directory", where=str(path), mend=mend)
    if not (path / "results.json").exists():
        raise DatasetError("there is no results.json in it", where=str(path), mend=mend)
    results = read_json(path / "results.json", what="the results of a probe")
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != RESULTS_SCHEMA:
        raise DatasetError(
            f"found {schema!r}, and this release reads {RESULTS_SCHEMA!r}",
            where=f"{path / 'results.json'}: schema",
            mend=mend,
        )
    asked: Asked = {}
    answers: dict[str, Asked] = {}
    for row in _rows(path / "items.parquet"):
        asked.setdefault(row["suite"], {}).setdefault(row["item_id"], row)
        answers.setdefault(row["model"], {}).setdefault(row["suite"], {})[row["item_id"]] = row
    return Run(path, results, asked, answers)


def _rows(path: Path) -> Iterator[Row]:
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DatasetError(f"the answers cannot be read: {error}", where=str(path)) from None
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise DatasetError(
            f"there is no column {', '.join(missing)} in it",
            where=str(path),
            mend="Give an output directory of `worldschool probe`.",
        )
    yield from table.to_pylist()


def contenders_of(runs: Sequence[Run]) -> list[Contender]:
    """Return every model of every run, in order; one that learned nothing and answered all alike is taken once."""
    labels = _labels([run.path for run in runs])
    found: list[tuple[str, str, Run, Row]] = []
    for run, label in zip(runs, labels, strict=True):
        for described in run.results.get("models") or ():
            model = str(described["name"])
            if model in run.answers and not any(_same(run, described, *other[2:]) for other in found):
                found.append((model, label, run, described))
    names = [model for model, *_ in found]
    return [
        Contender(
            model if names.count(model) == 1 else f"{model} ({label})",
            model,
            run.path,
            described,
            run.answers[model],
        )
        for model, label, run, described in found
    ]


def _labels(paths: Sequence[Path]) -> list[str]:
    """Return the runs' short names; the whole path where two are called alike."""
    short = [path.resolve().name for path in paths]
    return [name if short.count(name) == 1 else str(path) for name, path in zip(short, paths, strict=True)]


def _same(run: Run, described: Row, other_run: Run, other: Row) -> bool:
    if described.get("adapter") or other.get("adapter") or described.get("memory") or other.get("memory"):
        return False
    if any(described.get(key) != other.get(key) for key in ("name", "fingerprint", "shots")):
        return False
    one, two = run.answers[described["name"]], other_run.answers[other["name"]]
    return all(
        row["score"] == two[suite][name]["score"]
        for suite, rows in one.items()
        for name, row in rows.items()
        if name in two.get(suite, {})
    )


def same_items(runs: Sequence[Run], shared: bool) -> tuple[dict[str, list[str]], list[str]]:
    """Return the items of each suite that all runs were asked, in the first run's order, and what was left out.

    Args:
        runs: two or more, or one.
        shared: whether to go on with what they share where they were not asked the same.

    Raises:
        DatasetError: they were not asked the same and `shared` is false, or they share nothing.
    """
    suites = list(dict.fromkeys(suite for run in runs for suite in run.asked))
    kept: dict[str, list[str]] = {}
    differences = [
        f"{', '.join(missing)} not asked in {run.path}"
        for run in runs
        if (missing := [suite for suite in suites if suite not in run.asked])
    ]
    for suite in suites:
        if any(suite not in run.asked for run in runs):
            continue
        names = [name for name in runs[0].asked[suite] if all(name in run.asked[suite] for run in runs[1:])]
        for run in runs:
            if extra := [name for name in run.asked[suite] if name not in set(names)]:
                differences.append(f"{suite}: {_named(extra)} of {run.path} not asked everywhere")
        changed = [name for name in names if len({_question(run, suite, name) for run in runs}) > 1]
        if changed:
            differences.append(f"{suite}: {_named(changed)} asked in other words, or with another answer")
        if same := [name for name in names if name not in set(changed)]:
            kept[suite] = same
    if differences and not shared:
        raise DatasetError(
            f"the runs were not asked the same: {'; '.join(differences)}",
            where=", ".join(str(run.path) for run in runs),
            mend="Probe with the same examples, suites and seed, or compare what they share with --shared.",
        )
    if not kept:
        raise DatasetError(
            "the runs share no item",
            where=", ".join(str(run.path) for run in runs),
            mend="Probe with the same examples, suites and seed.",
        )
    return kept, differences


def _question(run: Run, suite: str, name: str) -> tuple[str, str]:
    row = run.asked[suite][name]
    return row["prompt"], row["answer"]


def _named(items: Sequence[str]) -> str:
    shown = ", ".join(items[:NAMED])
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return f"{shown}{more} ({len(items)} item{'s' if len(items) > 1 else ''})"
