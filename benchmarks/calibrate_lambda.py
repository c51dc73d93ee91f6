"""Which learning rate and lambda? One run for each pair, scored on validation houses and texts, never the held-out.

Lambda 0 is plain LoRA: its gain is the one that EWC is to keep. Perplexity is measured on Python's reference prose of
the Fisher's half and on prose written for calibration, so that no choice made here has seen a text that is scored.

python -m benchmarks.calibrate_lambda --out lambdas --steps 56 --rates 3e-4 5e-4 --strengths 0 5e4 1e5

The strength of another way to remember is found likewise; `replay` and `kl` go through the Fisher's half, so that they are
to be judged by the other text:

python -m benchmarks.calibrate_lambda --out lambdas --steps 56 --rates 3e-4 --kind l2 --strengths 0 1e-2 1e-1
"""

from __future__ import annotations

import argparse
import hashlib
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.experience.examples import examples_command
from worldschool.experience.runner import collect
from worldschool.learners.finetune import FinetuneConfig, RetentionSettings, finetune
from worldschool.learners.finetune.retaining import measure_fisher
from worldschool.learners.finetune.run import load_for_training
from worldschool.probes.config import SuiteSettings
from worldschool.probes.run import probe
from worldschool.probes.table import results_table
from worldschool.recipes.quickstart import (
    Pace,
    QuickstartConfig,
    collect_config,
    ewc_config,
    examples_config,
    probe_config,
)
from worldschool.records import Split

VALIDATION_TEXTS = ("pydoc:fisher", "prose:validation")


def main() -> None:
    """Train with each pair on quickstart's examples and compare on the validation split."""
    options = _options()
    config = QuickstartConfig(
        seed=options.seed, batch_examples=options.batch, text_tokens=options.text_tokens
    )
    pace = Pace(options.steps, options.dtype)
    for split in ("train", "validation"):
        _examples(config, options.out, split)
    if options.kind == "ewc":
        _measure(ewc_config(config, options.out, pace), options.out / "fisher")
    adapters: dict[str, str] = {}
    for rate, strength in product(options.rates, options.strengths):
        run = _run(
            ewc_config(config, options.out, pace), rate, options.kind, strength, options.out / "fisher"
        )
        name = f"lr {rate:g}, {_called(options.kind, strength)} {strength:g}"
        adapters[name] = str(finetune(run, options.out / name.replace(", ", "-").replace(" ", "-")))
    asked = probe_config(config, options.out, pace).model_copy(
        update={
            "adapters": adapters,
            "examples": str(options.out / "examples" / "validation"),
            "suites": {"object_path": SuiteSettings(items=options.items)},
            "texts": VALIDATION_TEXTS,
        }
    )
    # Other adapters, another report: runs of several kinds and strengths share what they can.
    told = hashlib.sha256(" ".join(sorted(adapters)).encode()).hexdigest()[:8]
    results = probe(asked, options.out / f"report-{told}")
    print(results_table(results))
    report(_figures(results), options.seed, options.json)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument("--out", type=Path, default=Path("lambdas"))
    parser.add_argument("--steps", type=int, default=56, help="optimizer steps, as many as quickstart's")
    parser.add_argument(
        "--batch", type=int, default=QuickstartConfig().batch_examples, help="examples of a step"
    )
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--rates", type=float, nargs="+", default=[QuickstartConfig().learning_rate])
    parser.add_argument("--kind", choices=("ewc", "l2", "kl", "replay"), default="ewc")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 2e4, 5e4, 1.5e5])
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--text-tokens", type=int, default=6000)
    options = parser.parse_args()
    if options.quick:
        options.steps, options.items, options.text_tokens = 4, 20, 1000
    return options


def _examples(config: QuickstartConfig, out: Path, split: Split) -> None:
    episodes = out / "episodes"
    for kind in ("stories", "plans"):
        collect(collect_config(config, kind, split), episodes / f"{split}-{kind}")
    examples_command(examples_config(config, episodes, split), out / "examples" / split)


def _called(kind: str, strength: float) -> str:
    """Return "lambda", or the other kind; plain LoRA has one name beside all of them."""
    return "lambda" if kind == "ewc" or not strength else kind


def _run(run: FinetuneConfig, rate: float, kind: str, strength: float, fisher: Path) -> FinetuneConfig:
    held = {"kind": kind, "strength": strength, "fisher": str(fisher) if kind == "ewc" else None}
    retention = run.retention.model_copy(update=held) if strength else RetentionSettings(kind="none")
    return run.model_copy(update={"learning_rate": rate, "retention": retention})


def _measure(run: FinetuneConfig, fisher: Path) -> None:
    """Measure the Fisher information once for all runs."""
    if not (fisher / "fisher.json").exists():
        model, tokenizer = load_for_training(run)
        measured = measure_fisher(model, tokenizer, run.retention.measure, run.lora.target_modules)
        measured.save(fisher)


def _figures(results: dict[str, Any]) -> dict[str, Figure]:
    scores = results["suites"]["object_path"]["scores"]
    shown = next(name for name in scores if name.startswith("base, "))
    base = Peer(shown, scores[shown]["value"])
    figures = {}
    for name in (model["name"] for model in results["models"] if model["adapter"] is not None):
        figures[f"{name}: path score"] = Figure(scores[name]["value"], "LCS", True, base)
        plain = scores.get(name.partition(", ")[0] + ", lambda 0")
        if plain is not None:
            share = (scores[name]["value"] - base.value) / (plain["value"] - base.value)
            figures[f"{name}: share of plain LoRA's gain"] = Figure(share, "", True)
        for text, row in results["retention"].items():
            change = 100 * row["change"][name]["value"]
            figures[f"{name}: perplexity change on {text}"] = Figure(change, "%", False)
    return figures


if __name__ == "__main__":
    main()
