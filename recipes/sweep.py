"""`worldschool finetune --sweep`: runs that differ in a few settings, asked the same questions; what each gained and forgot."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from worldschool.canonical import canonical_json
from worldschool.config import apply_overrides, build_config
from worldschool.errors import ConfigError
from worldschool.files import write_atomic, write_json
from worldschool.learners.finetune import FinetuneConfig, finetune, measure_fisher
from worldschool.learners.finetune.naming import check_named
from worldschool.learners.finetune.run import load_for_training, select_examples
from worldschool.probes.config import ProbeConfig, slug
from worldschool.probes.forgetting import Outcome, outcomes, outcomes_figure, outcomes_json, outcomes_markdown
from worldschool.probes.run import check_probe, probe
from worldschool.progress import say
from worldschool.runs import claim_output


class Variant(NamedTuple):
    """One run of a sweep: its name, its settings, and what they differ in from the others'."""

    name: str
    config: FinetuneConfig
    settings: dict[str, Any]


def read_grid(sweeps: Sequence[str]) -> dict[str, list[str]]:
    """Return setting to values from texts like "retention.strength=0,1e4,1e5".

    Raises:
        ConfigError: a text is not key=value,value,..., or names a setting or a value twice.
    """
    grid: dict[str, list[str]] = {}
    for text in sweeps:
        key, equals, values = text.partition("=")
        named = [value.strip() for value in values.split(",")]
        if not equals or not key or not all(named):
            raise ConfigError(
                f"{text!r} is not key=value,value",
                where="--sweep",
                mend="Write it like --sweep retention.strength=1e4,1e5.",
            )
        if key in grid or len(set(named)) < len(named):
            raise ConfigError(f"{text!r} names something twice", where="--sweep", mend="Name it once.")
        grid[key] = named
    return grid


def variants(config: FinetuneConfig, grid: Mapping[str, Sequence[str]]) -> list[Variant]:
    """Return every combination of the grid's values, put into the configuration.

    Raises:
        ConfigError: a setting is not known, or a value not accepted.
    """
    found = []
    for values in itertools.product(*grid.values()):
        pairs = dict(zip(grid, values, strict=True))
        plain = config.model_dump(mode="json", exclude_unset=True)
        overrides = [f"{key}={value}" for key, value in pairs.items()]
        changed = apply_overrides(plain, overrides, cls=FinetuneConfig)
        name = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in pairs.items())
        found.append(Variant(name, build_config(FinetuneConfig, changed, "--sweep"), pairs))
    return found


def sweep(
    config: FinetuneConfig, grid: Mapping[str, Sequence[str]], asked: ProbeConfig, out: Path
) -> list[Outcome]:
    """Fine-tune every combination into `out/runs`, probe all into `out/report`, and write what each gained and forgot.

    The same command goes on with what is missing. Fisher information that several runs would measure alike is measured once.

    Args:
        config: what the runs have in common.
        grid: from `read_grid`.
        asked: how they are probed; its model and adapters are the sweep's.
        out: gets `retention.json`, `retention.md` and `retention.png`, too.

    Raises:
        UserError: as `finetune` and `probe` would; what the last of them would say is said before the first begins.
    """
    runs = variants(config, grid)
    folders = {variant.name: str(out / "runs" / slug(variant.name)) for variant in runs}
    probed = _probed(asked, config.model, folders)
    _check(runs, probed)
    described = {"finetune": config.to_json(), "grid": {key: list(values) for key, values in grid.items()}}
    claim_output(out, "finetune --sweep", {**described, "probe": asked.to_json()}, config.seed)
    for number, variant in enumerate(runs, start=1):
        say(f"sweep: {number} of {len(runs)}: {variant.name}")
        finetune(_with_fisher(variant.config, out), Path(folders[variant.name]))
    results = probe(probed, out / "report")
    methods = {variant.name: _method(variant.config) for variant in runs}
    found = outcomes(results, methods)
    write_json(out / "retention.json", outcomes_json(found))
    write_atomic(out / "retention.md", outcomes_markdown(found))
    outcomes_figure(found, out / "retention.png")
    return found


def _check(runs: Sequence[Variant], asked: ProbeConfig) -> None:
    """Look for everything that a run or the probe would miss when hours are spent."""
    files: dict[str, None] = {}
    for variant in runs:
        check_named(variant.config)
        files |= dict.fromkeys(variant.config.examples)
    # Of all runs alike, as a rule: read once.
    chosen = {canonical_json([v.config.examples, v.config.tasks, v.config.weights]): v.config for v in runs}
    for config in chosen.values():
        select_examples(config)
    check_probe(asked, files)


def _probed(asked: ProbeConfig, model: str, adapters: Mapping[str, str]) -> ProbeConfig:
    values = asked.model_dump(mode="json", exclude_unset=True)
    return build_config(ProbeConfig, {**values, "model": model, "adapters": dict(adapters)}, "--probe")


def _method(config: FinetuneConfig) -> str:
    return " + ".join(config.retention.strengths()) or "none"


def _with_fisher(config: FinetuneConfig, out: Path) -> FinetuneConfig:
    """Have a run use the Fisher information of all runs that would measure the same."""
    retention = config.retention
    if "ewc" not in retention.strengths() or retention.fisher is not None:
        return config
    targets = config.lora.target_modules
    same = canonical_json(
        [config.model, retention.measure.to_json(), config.lora.to_json()["target_modules"]]
    )
    where = out / "fisher" / hashlib.sha256(same.encode()).hexdigest()[:12]
    if not (where / "fisher.json").exists():
        model, tokenizer = load_for_training(config)
        keep = where / "partial.safetensors"
        measure_fisher(model, tokenizer, retention.measure, targets, keep).save(where)
    return config.model_copy(update={"retention": retention.model_copy(update={"fisher": str(where)})})
