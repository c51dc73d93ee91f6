"""What the adapters of `benchmarks.retention` answer: scores on the suites they were not trained on, after the losses on the same.

    python -m benchmarks.retention_accuracies --heldout data/suites --out fronts/own --records benchmarks/records/own
    python -m benchmarks.retention_accuracies --e2wm COPY --out fronts/e2wm --records benchmarks/records/e2wm

Asked are the untrained model, of each method the setting that validation chose (the largest gain at a rise of at most 1%), and plain
LoRA at the rate with the largest gain, whatever it forgot: one seed's adapters, which lie in --out. Printed are every suite's scores,
and for each adapter the mean over suites with the paired gain over the untrained model, all suites weighing alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.fronts import LIMIT, Point, best_within
from benchmarks.harness import Figure, Peer, arguments, report
from benchmarks.retention import points_of
from worldschool.errors import UserError
from worldschool.experience.examples import read_examples
from worldschool.probes.config import BASE, ProbeConfig, SuiteSettings
from worldschool.probes.published.settings import E2wmSettings
from worldschool.probes.run import probe
from worldschool.probes.table import results_table

RESAMPLES = 2000


def main() -> None:
    """Ask what was not asked yet, and print scores and gains."""
    options = _options()
    adapters = {
        f"{point.setting.method}, {point.setting.told}": _adapter(options, point)
        for point in chosen(points_of(options))
    }
    results = probe(_config(options, adapters), options.out / "accuracies")
    print(results_table(results))
    report(_figures(options.out / "accuracies" / "items.parquet", options.seed), options.seed, options.json)


def chosen(points: Sequence[Point]) -> list[Point]:
    """Return of each method what validation chose within the limit, and of plain LoRA what it chose without one."""
    methods = dict.fromkeys(point.setting.method for point in points)
    of = {method: [point for point in points if point.setting.method == method] for method in methods}
    found = [best_within(own, LIMIT, "validation") for own in of.values()]
    found.append(best_within(of.get("plain", []), np.inf, "validation"))
    return list({point.setting: point for point in found if point is not None}.values())


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument("--model", default="smollm2-135m")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--heldout", help="examples to ask")
    asked.add_argument(
        "--e2wm", type=Path, help="a copy of E2WM's files: a folder eval_dev (or eval) is asked"
    )
    parser.add_argument("--out", type=Path, required=True, help="where the adapters are; gets the answers")
    parser.add_argument("--records", type=Path, required=True, help="what `benchmarks.retention` measured")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--items", type=int, default=100, help="of each suite")
    options = parser.parse_args()
    if options.quick:
        options.items = 4
    return options


def _adapter(options: argparse.Namespace, point: Point) -> str:
    found: Path = options.out / point.setting._replace(seed=options.seed).name
    if not (found / "training.json").exists():
        raise UserError(
            "this adapter is not here: records are in git, adapters are not",
            where=str(found),
            mend="Move its record away, and let `benchmarks.retention` train it again.",
        )
    return str(found)


def _config(options: argparse.Namespace, adapters: dict[str, str]) -> ProbeConfig:
    what: dict[str, Any]
    if options.e2wm:
        folder = next(one for name in ("eval_dev", "eval") if (one := options.e2wm / name).is_dir())
        what = {"published": {"e2wm": E2wmSettings(format="e2wm", path=str(folder), items=options.items)}}
    else:
        tasks = sorted({example.task for example in read_examples(options.heldout)})
        suites = {task: SuiteSettings(items=options.items) for task in tasks}
        what = {"examples": options.heldout, "suites": suites}
    return ProbeConfig(model=options.model, adapters=adapters, texts=(), seed=options.seed, **what)


def _figures(items: Path, seed: int) -> dict[str, Figure]:
    """Return of each model the mean over suites of its mean scores; of adapters also the gain, items drawn again by suite."""
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for row in pq.read_table(items, columns=["suite", "item_id", "model", "score"]).to_pylist():  # type: ignore[no-untyped-call]
        scores.setdefault(row["model"], {}).setdefault(row["suite"], {})[row["item_id"]] = row["score"]
    before = scores.pop(BASE)
    base = Peer("untrained", float(np.mean([np.mean(list(one.values())) for one in before.values()])))
    figures = {}
    for name, suites in scores.items():
        gaps = [
            np.array([suites[suite][item] - score for item, score in asked.items()])
            for suite, asked in before.items()
        ]
        draw = np.random.default_rng(seed)
        means = [
            np.mean([gap[draw.integers(len(gap), size=len(gap))].mean() for gap in gaps])
            for _ in range(RESAMPLES)
        ]
        low, high = np.percentile(means, (2.5, 97.5))
        gain = float(np.mean([gap.mean() for gap in gaps]))
        told = f"mean of {len(gaps)} suites, gain {gain:+.3f} [{low:+.3f}, {high:+.3f}]"
        figures[name] = Figure(base.value + gain, told, True, base)
    return figures


if __name__ == "__main__":
    main()
