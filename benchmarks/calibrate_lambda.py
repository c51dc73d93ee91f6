"""Which lambda? One EWC run for each, scored on validation houses, names and objects: never on the held-out ones.

python -m benchmarks.calibrate_lambda --school school --out lambdas --strengths 1e4 1e5 1e6 1e7
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness import Figure, arguments, report
from worldschool.config import build_config
from worldschool.experience.examples import examples_command
from worldschool.experience.runner import collect
from worldschool.files import read_json
from worldschool.learners.finetune import FinetuneConfig, finetune
from worldschool.probes.config import SuiteSettings
from worldschool.probes.run import probe
from worldschool.probes.table import results_table
from worldschool.recipes.quickstart import (
    QuickstartConfig,
    collect_config,
    ewc_config,
    examples_config,
    probe_config,
    read_pace,
)


def main() -> None:
    """Train with each lambda on a finished quickstart's examples and Fisher, and compare on the validation split."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--school", type=Path, default=Path("school"), help="a finished quickstart's output")
    parser.add_argument("--out", type=Path, default=Path("lambdas"))
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 1e4, 1e5, 1e6, 1e7])
    parser.add_argument("--items", type=int, default=120)
    options = parser.parse_args()
    config = build_config(
        QuickstartConfig, read_json(options.school / "run.json", what="a run record")["config"], "run.json"
    )
    pace = read_pace(options.school)
    adapters = {}
    for strength in options.strengths:
        run = _with_strength(ewc_config(config, options.school, pace), options.school, strength)
        adapters[f"{strength:g}"] = str(finetune(run, options.out / f"lambda-{strength:g}"))
    asked = probe_config(config, options.school, pace).model_copy(
        update={
            "adapters": adapters,
            "examples": str(_validation(config, options.out)),
            "suites": {"object_path": SuiteSettings(items=20 if options.quick else options.items)},
        }
    )
    results = probe(asked, options.out / "report")
    print(results_table(results))
    figures = {}
    for name in adapters:
        figures[f"lambda {name}: path score"] = Figure(
            results["suites"]["object_path"]["scores"][name]["value"], "LCS", True
        )
        for text, row in results["retention"].items():
            change = 100 * row["change"][name]["value"]
            figures[f"lambda {name}: perplexity change on {text}"] = Figure(change, "%", False)
    report(figures, options.seed, options.json)


def _with_strength(run: FinetuneConfig, school: Path, strength: float) -> FinetuneConfig:
    fisher = str(school / "ewc" / "fisher")
    return run.model_copy(
        update={"retention": run.retention.model_copy(update={"strength": strength, "fisher": fisher})}
    )


def _validation(config: QuickstartConfig, out: Path) -> Path:
    episodes = out / "episodes"
    for kind in ("stories", "plans"):
        collect(collect_config(config, kind, "validation"), episodes / f"validation-{kind}")
    return examples_command(examples_config(config, episodes, "validation"), out / "examples")


if __name__ == "__main__":
    main()
