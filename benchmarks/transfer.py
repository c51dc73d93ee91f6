"""Does what is learned in worldschool's household help with what others ask? E2WM's questions, none of whose files is trained on.

    worldschool collect configs/collect/tracking.yaml --out data/tracking
    worldschool examples configs/examples/tracking.yaml --out data/tracking-examples
    python -m benchmarks.transfer --examples data/tracking-examples --e2wm COPY --out transfer

Four models are asked E2WM's object paths (generated, longest common run of rooms), object locations and counts (choices):

    base       SmolLM2-135M as it comes; E2WM's questions have worked examples in front
    own        trained with configs/finetune/tracking.yaml
    permuted   the same with every story's answer another story's: what it gains is no tracking
    e2wm       the same steps, tokens and EWC on E2WM's own training files

About twelve minutes of training for each and a quarter of an hour of questions on two cores; what is there is kept.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import Any

import worldschool.configs
from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.config import load_config
from worldschool.experience.examples import permute_answers, read_examples, write_examples
from worldschool.learners.finetune import FinetuneConfig, finetune
from worldschool.learners.finetune.data import batches, build_rows, tokens_of
from worldschool.learners.finetune.run import load_for_training
from worldschool.probes.config import BASE, ControlSettings, ProbeConfig
from worldschool.probes.published.settings import E2wmSettings
from worldschool.probes.run import probe
from worldschool.probes.table import results_table

OWN, PERMUTED, E2WM = "own", "permuted", "e2wm"
ASKED = ("obj_move_path", "obj_move", "count")
RECOGNITION = {"e2wm_act_recog": 0.7}
"""E2WM's own weight of what it calls activity recognition."""


def main() -> None:
    """Train what is missing, ask all, and print gains."""
    options = _options()
    recipe = load_config(FinetuneConfig, options.config)
    own = recipe.model_copy(update={"model": options.model, "seed": options.seed})
    if options.quick:
        own = own.model_copy(update={"max_steps": 2})
    runs = {
        OWN: own.model_copy(update={"examples": (str(options.examples),)}),
        PERMUTED: own.model_copy(update={"examples": (str(_permuted(options)),)}),
        E2WM: _on_e2wm(own, options),
    }
    adapters = {name: str(finetune(config, options.out / name)) for name, config in runs.items()}
    evaluated = next(one for name in ("eval_dev", "eval") if (one := options.e2wm / name).is_dir())
    items = 4 if options.quick else None
    asked = ProbeConfig(
        model=options.model,
        adapters=adapters,
        controls=ControlSettings(permuted_answers=PERMUTED),
        published={E2WM: E2wmSettings(format="e2wm", path=str(evaluated), tasks=ASKED, items=items)},
        text_tokens=400 if options.quick else 6000,
        seed=options.seed,
    )
    results = probe(asked, options.out / "report")
    print(results_table(results))
    report(_figures(results), options.seed, options.json)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--examples", type=Path, required=True, help="worldschool's own")
    parser.add_argument(
        "--e2wm", type=Path, required=True, help="a copy of E2WM's files: train and eval_dev (or eval)"
    )
    parser.add_argument("--out", type=Path, default=Path("transfer"))
    preset = Path(str(worldschool.configs.__path__[0])) / "finetune" / "tracking.yaml"
    parser.add_argument("--config", type=Path, default=preset)
    return parser.parse_args()


def _permuted(options: argparse.Namespace) -> Path:
    path: Path = options.out / "permuted-examples.parquet"
    if not path.exists():
        write_examples(path, permute_answers(read_examples(options.examples), options.seed))
    return path


def _on_e2wm(own: FinetuneConfig, options: argparse.Namespace) -> FinetuneConfig:
    """Return the same configuration on E2WM's training files, for as many tokens."""
    files = tuple(str(path) for path in sorted((options.e2wm / "train").glob("train_*.jsonl")))
    config = own.model_copy(update={"examples": files, "weights": RECOGNITION})
    if options.quick:
        return config
    _, tokenizer = load_for_training(own)

    def sums(one: tuple[str, ...]) -> Any:
        examples = [example for path in one for example in read_examples(path)]
        rows = build_rows(tokenizer, examples, 2048, own.learn_shots).rows
        return itertools.accumulate(map(tokens_of, batches(rows, own.batch_examples, own.seed)))

    wanted = next(itertools.islice(sums((str(options.examples),)), own.max_steps - 1, None))
    steps = next(number for number, tokens in enumerate(sums(files), start=1) if tokens >= wanted)
    return config.model_copy(update={"max_steps": steps})


def _figures(results: dict[str, Any]) -> dict[str, Figure]:
    figures = {}
    for suite, found in results["suites"].items():
        base = Peer("untrained, as E2WM asks", found["scores"][BASE]["value"])
        for row in results["comparisons"]:
            if row["suite"] == suite and row["b"] == BASE and row["a"] in (OWN, PERMUTED, E2WM):
                low, high = row["ci95"]
                told = f"gain {row['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"
                figures[f"{suite}, {row['a']}"] = Figure(found["scores"][row["a"]]["value"], told, True, base)
    for text, row in results["retention"].items():
        for name, change in row["change"].items():
            low, high = change["ci95"]
            told = f"% [{100 * low:+.2f}, {100 * high:+.2f}]"
            figures[f"perplexity change on {text}, {name}"] = Figure(100 * change["value"], told, False)
    return figures


if __name__ == "__main__":
    main()
