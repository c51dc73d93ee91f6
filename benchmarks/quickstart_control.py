"""Is quickstart's gain learned from the stories? Two controls beside it, outside its ten minutes.

- permuted answers: the same examples, steps and EWC, but every story has another story's answer. It must gain nothing
  that matters over the base model with three shots.
- plain LoRA at a lower learning rate: how much of EWC's retention could be had by learning more slowly?

    python -m benchmarks.quickstart_control --school school --out controls
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.config import build_config
from worldschool.experience.examples import permute_answers, read_examples, write_examples
from worldschool.files import read_json
from worldschool.learners.finetune import FinetuneConfig, finetune
from worldschool.probes.config import ControlSettings, ProbeConfig, SuiteSettings
from worldschool.probes.run import probe
from worldschool.probes.table import results_table
from worldschool.recipes.quickstart import (
    EWC_NAME,
    PLAIN_NAME,
    QuickstartConfig,
    ewc_config,
    plain_config,
    probe_config,
    quickstart,
    read_pace,
)

PERMUTED, SLOW = "permuted answers", "plain LoRA, slow"
SLOW_FACTOR = 5


def main() -> None:
    """Train the controls on a finished quickstart's examples and ask them its path questions."""
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--school", type=Path, default=Path("school"), help="a quickstart's output; made if missing"
    )
    parser.add_argument("--out", type=Path, default=Path("controls"))
    parser.add_argument("--items", type=int, default=300)
    options = parser.parse_args()
    if not (options.school / "report" / "results.json").exists():
        quickstart(QuickstartConfig(seed=options.seed), options.school)
    config = build_config(
        QuickstartConfig, read_json(options.school / "run.json", what="a run record")["config"], "run.json"
    )
    pace = read_pace(options.school)
    held = ewc_config(config, options.school, pace)
    finetune(_permuted(held, options.school, options.out, options.seed), options.out / "permuted")
    slow = plain_config(config, options.school, pace)
    finetune(
        slow.model_copy(update={"learning_rate": slow.learning_rate / SLOW_FACTOR}), options.out / "slow"
    )
    results = probe(
        _questions(config, options.school, options.out, options.items, options.quick), options.out / "report"
    )
    print(results_table(results))
    report(_figures(results), options.seed, options.json)


def _permuted(held: FinetuneConfig, school: Path, out: Path, seed: int) -> FinetuneConfig:
    path = out / "permuted-examples.parquet"
    if not path.exists():
        write_examples(path, permute_answers(read_examples(held.examples[0]), seed))
    retention = held.retention.model_copy(update={"fisher": str(school / "ewc" / "fisher")})
    return held.model_copy(update={"examples": (str(path),), "retention": retention})


def _questions(config: QuickstartConfig, school: Path, out: Path, items: int, quick: bool) -> ProbeConfig:
    asked = probe_config(config, school, read_pace(school))
    adapters = {**asked.adapters, PERMUTED: str(out / "permuted"), SLOW: str(out / "slow")}
    suites = {"object_path": SuiteSettings(items=20 if quick else items)}
    controls = ControlSettings(permuted_answers=PERMUTED)
    return asked.model_copy(update={"adapters": adapters, "suites": suites, "controls": controls})


def _figures(results: dict[str, Any]) -> dict[str, Figure]:
    scores = results["suites"]["object_path"]["scores"]
    shown = next(name for name in scores if name.startswith("base, "))
    peer = Peer(shown, scores[shown]["value"])
    figures = {
        f"path score, {name}": Figure(scores[name]["value"], "LCS", True, peer)
        for name in (EWC_NAME, PLAIN_NAME, SLOW, PERMUTED)
    }
    for text, row in results["retention"].items():
        for name, change in row["change"].items():
            figures[f"perplexity change on {text}, {name}"] = Figure(100 * change["value"], "%", False)
    return figures


if __name__ == "__main__":
    main()
