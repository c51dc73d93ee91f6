"""Learning without forgetting: what each way to remember leaves of the gain, and of perplexity.

    python -m benchmarks.retention --train data/train-suites --validation data/validation-suites --heldout data/suites --out fronts/own
    python -m benchmarks.retention --e2wm COPY --out fronts/e2wm
    python -m benchmarks.retention --records benchmarks/records/own --table

One LoRA run (r 16, attention, about 250,000 tokens, steps of about 2,000) for each setting and seed:

    plain      learning rates 1e-4, 2e-4, 5e-4, 1e-3
    exact      EWC at --ewc-rate (1e-3), exact Fisher information, each lambda of --strengths (1e3, 1e4, 3e4)
    factored   the same with the factored one
    kl, replay at 1e-3, strength 1, one seed
    default    learning rate, form and lambda that `worldschool finetune` takes unless told otherwise, one seed

Each is measured by the mean negative log-likelihood of held-out answers (nats a token) and by the perplexity of two texts that nothing
else sees (6,000 tokens of each). Adapters are kept in --out, one directory each, and what was measured in --records, one file each; the
same command goes on with the runs that have no record until --minutes are over, on another machine, too: records tell by fingerprints what
they are of, and those of other data are refused. Several processes may run the same command side by side (with OMP_NUM_THREADS=1 each
two of them do a twentieth more on two cores than one with two threads); each takes what the others have not. The table is of what is there, and --table makes no more. The setting of each method that is told of is chosen on *validation*
examples and texts: the largest gain at a rise of at most 1%; `benchmarks.retention_accuracies` asks those. With --e2wm the training files are E2WM's (a tenth of each kept back for
validation) and the held-out items its evaluation files.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks.fronts import METHODS, Measured, Point, Setting, figures_of, table
from benchmarks.fronts_picture import plot
from benchmarks.harness import arguments, machine, report
from worldschool.canonical import canonical_json
from worldschool.errors import UserError
from worldschool.experience.examples import read_examples, write_examples
from worldschool.files import read_json, write_atomic
from worldschool.learners.finetune import FinetuneConfig, FisherSettings, finetune
from worldschool.learners.finetune.data import Row, batches, build_rows, text_row, tokens_of
from worldschool.learners.finetune.retaining import measure_fisher
from worldschool.learners.finetune.run import load_for_training
from worldschool.learners.finetune.watching import draw_episodes, nll_of_rows
from worldschool.models.causal import add_adapter, load_causal_lm, pad_token
from worldschool.models.texts import chunks, load_text
from worldschool.probes.published.reading import read_published
from worldschool.probes.published.settings import E2wmSettings
from worldschool.records import Example

SCHEMA = "worldschool.retention-record/1"
RATES = (1e-4, 2e-4, 5e-4, 1e-3)
RATE, STRENGTHS = 1e-3, (1e4, 3e4, 1e3)
"""The likeliest to be told of first."""
TEXTS = {"validation": ("pydoc:fisher", "prose:validation"), "heldout": ("pydoc:heldout", "prose")}
TEXT_TOKENS, PIECE = 6000, 200
KEPT_BACK = 10
"""Of E2WM's training files, every tenth example is for validation."""


class Data(NamedTuple):
    """What is trained on, chosen by and reported on."""

    train: tuple[str, ...]
    weights: dict[str, float]
    validation: list[Example]
    heldout: list[Example]
    batch: int

    @property
    def fingerprints(self) -> dict[str, str]:
        """By part, the sha256 of all examples in order."""
        trained = [example for path in self.train for example in read_examples(path)]
        parts = {"train": trained, "validation": self.validation, "heldout": self.heldout}
        return {
            name: hashlib.sha256(canonical_json([example.to_json() for example in part]).encode()).hexdigest()
            for name, part in parts.items()
        }


def main() -> None:
    """Train and measure what is missing, then print the table."""
    options = _options()
    if not options.table:
        _make_records(options)
    points = points_of(options)
    print(table(points))
    if picture := options.picture or (None if options.table else options.out / "front.png"):
        plot(points, picture)
    report(figures_of(points), options.seed, options.json)


def _make_records(options: argparse.Namespace) -> None:
    """Make the runs that have no record, and measure them.

    Raises:
        UserError: a record is of other data than those given.
    """
    began = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    with _alone(options.out / ".preparing", wait=True):
        data = _e2wm(options) if options.e2wm else _own(options)
        missing = _missing(options, data)
        tokenizer, steps = _prepare(options, data)
    for setting in missing:
        if (time.monotonic() - began) / 60 > options.minutes:
            break
        record = options.records / f"{setting.name}.json"
        with _alone(options.out / f".{setting.name}") as mine:
            if not mine or record.exists():
                continue
            adapter = None
            if setting.method != "base":
                adapter = finetune(_config(options, data, setting, steps), options.out / setting.name)
            _measure(options, data, tokenizer, adapter, record)


def _missing(options: argparse.Namespace, data: Data) -> list[Setting]:
    missing = []
    for setting in settings_of(options):
        record = options.records / f"{setting.name}.json"
        if not record.exists():
            missing.append(setting)
        elif read_json(record, what="a record")["data"] != data.fingerprints:
            raise UserError(
                "this record is of other data than these",
                where=str(record),
                mend="Give the data that it was made of (the commands are in docs/learners.md), or another --records.",
            )
    return missing


@contextmanager
def _alone(path: Path, wait: bool = False) -> Iterator[bool]:
    """Hold a lock that the process's death lets go; yields whether it is held: always, if waited for."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--train", nargs="+", help="examples to train on")
    parser.add_argument("--validation", help="examples to choose by")
    parser.add_argument("--heldout", help="examples to report on")
    parser.add_argument(
        "--e2wm", type=Path, help="a copy of E2WM's files: folders train and eval_dev (or eval)"
    )
    parser.add_argument("--out", type=Path, default=Path("fronts"), help="adapters and the picture")
    parser.add_argument("--records", type=Path, help="what was measured; OUT/records unless given")
    parser.add_argument("--table", action="store_true", help="print the table of --records and make no runs")
    parser.add_argument("--picture", type=Path, help="where it goes; OUT/front.png, and none with --table")
    parser.add_argument("--strengths", type=float, nargs="+", default=STRENGTHS, help="EWC's lambdas")
    parser.add_argument("--ewc-rate", type=float, default=RATE, help="EWC's learning rate")
    parser.add_argument("--dtype", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--tokens", type=int, default=250_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after these")
    parser.add_argument("--items", type=int, default=1100)
    options = parser.parse_args()
    options.records = options.records or options.out / "records"
    if (
        not options.table
        and not options.e2wm
        and not (options.train and options.validation and options.heldout)
    ):
        parser.error("give --train, --validation and --heldout, or --e2wm")
    if options.quick:
        options.tokens, options.items, options.seeds = 4000, 60, 1
    return options


def settings_of(options: argparse.Namespace) -> list[Setting]:
    """Return every run in the order they are made: all settings of one seed before the next one's, the methods in turn."""
    found = [Setting("base", 0.0, 0.0, 0)]
    for seed in range(options.seed, options.seed + options.seeds):
        ways = [[Setting("plain", rate, 0.0, seed) for rate in reversed(RATES)]]
        ways += [
            [Setting(form, options.ewc_rate, strength, seed) for strength in options.strengths]
            for form in ("factored", "exact")
        ]
        found += [one for turn in itertools.zip_longest(*ways) for one in turn if one is not None]
        if seed == options.seed:
            found += [Setting(kind, RATE, 1.0, seed) for kind in ("kl", "replay")]
            found.append(_defaults(seed))
    return found[:3] if options.quick else found


def _defaults(seed: int) -> Setting:
    config = FinetuneConfig(examples=("-",))
    return Setting("default", config.learning_rate, config.retention.strengths()["ewc"], seed)


def _own(options: argparse.Namespace) -> Data:
    validation = draw_episodes(read_examples(options.validation), options.items // 3, 0)
    heldout = draw_episodes(read_examples(options.heldout), options.items, 0)
    # Questions about one story side by side, so that it is computed once; the intervals are by story.
    by_story = [sorted(part, key=lambda one: (one.episode_id, one.prompt)) for part in (validation, heldout)]
    return Data(tuple(options.train), {}, *by_story, 24)


def _e2wm(options: argparse.Namespace) -> Data:
    folder = options.out / "examples"
    kept: list[Example] = []
    for path in sorted((options.e2wm / "train").glob("train_*.jsonl")):
        found = read_examples(path)
        kept += found[::KEPT_BACK]
        target = folder / f"{path.stem}.parquet"
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            held = {example.prompt for example in found[::KEPT_BACK]}
            write_examples(target, [example for example in found if example.prompt not in held])
    evaluated = next(one for name in ("eval_dev", "eval") if (one := options.e2wm / name).is_dir())
    suites = read_published({"e2wm": E2wmSettings(format="e2wm", path=str(evaluated))}, 0)
    heldout = [example for suite in suites for example in suite.items]
    validation = draw_episodes(kept, options.items // 8, 0)  # of 300 tokens each
    # 250,000 tokens are half of the files: 5 examples of 400 tokens make a step of 2,000.
    train = tuple(str(path) for path in sorted(folder.glob("*.parquet")))
    return Data(train, {"e2wm_act_recog": 0.7}, _side_by_side(validation), _side_by_side(heldout), 5)


def _side_by_side(examples: Sequence[Example]) -> list[Example]:
    """Return examples that begin alike as one episode's, so that what they share is computed once."""
    ordered = sorted(examples, key=lambda example: example.prompt)
    return [replace(example, episode_id=example.prompt[:200]) for example in ordered]


def _prepare(options: argparse.Namespace, data: Data) -> tuple[Any, int]:
    """Measure the Fisher information once for all runs; return the tokenizer and the number of steps."""
    model, tokenizer = load_for_training(_config(options, data, Setting("plain", RATE, 0.0, 0), 1))
    targets = FinetuneConfig(examples=data.train).lora.target_modules
    for form in ("exact", "factored"):
        where = options.out / f"fisher-{form}"
        if not (where / "fisher.json").exists():
            settings = FisherSettings(form=form, samples=4 if options.quick else 48)
            measure_fisher(model, tokenizer, settings, targets).save(where)
    rows = build_rows(tokenizer, [one for path in data.train for one in read_examples(path)], 2048).rows
    sums = itertools.accumulate(tokens_of(step) for step in batches(rows, data.batch, 0))
    return tokenizer, next(number for number, tokens in enumerate(sums, 1) if tokens >= options.tokens)


def _config(options: argparse.Namespace, data: Data, setting: Setting, steps: int) -> FinetuneConfig:
    retention: dict[str, Any] = {"kind": "none"}
    if setting.method in ("exact", "factored", "default"):
        form = FisherSettings().form if setting.method == "default" else setting.method
        fisher = str(options.out / f"fisher-{form}")
        retention = {"kind": "ewc", "strength": setting.strength, "fisher": fisher}
    elif setting.method != "plain":
        retention = {"kind": setting.method, "strength": setting.strength}
    return FinetuneConfig.model_validate(
        {
            "model": options.model,
            "examples": data.train,
            "weights": data.weights,
            "retention": retention,
            "learning_rate": setting.rate,
            "batch_examples": data.batch,
            "max_steps": steps,
            "dtype": options.dtype,
            "seed": setting.seed,
        }
    )


def _measure(
    options: argparse.Namespace, data: Data, tokenizer: Any, adapter: Path | None, out: Path
) -> None:
    """Write the summed losses of every row of answers and of every piece of text."""
    model, _ = load_causal_lm(options.model, options.dtype)
    if adapter is not None:
        model = add_adapter(model, adapter)
    pad = pad_token(tokenizer)
    found: dict[str, Any] = {"schema": SCHEMA, "data": data.fingerprints, "dtype": str(model.dtype)}
    for part, examples in (("validation", data.validation), ("heldout", data.heldout)):
        rows = build_rows(tokenizer, examples, 2048).rows
        found[part] = _summed(model, rows, pad) | {"examples": sum(row.examples for row in rows)}
        for name in TEXTS[part]:
            count = (600 if options.quick else TEXT_TOKENS) // PIECE
            pieces = chunks(tokenizer, load_text(name).documents, PIECE, count, 0)
            found[part][name] = _summed(model, [text_row(piece) for piece in pieces], pad)
    training = {} if adapter is None else read_json(adapter / "training.json", what="a training record")
    kept = ("config", "steps", "tokens", "examples", "seconds", "commit")
    found["training"] = {name: training.get(name) for name in kept}
    found["machine"] = machine()
    write_atomic(out, json.dumps(found) + "\n")


def _summed(model: Any, rows: Sequence[Row], pad: int) -> dict[str, list[float]]:
    with torch.no_grad():
        nll = nll_of_rows(model, rows, pad)
    return {
        "nll": [round(value, 4) for value in nll.tolist()],
        "tokens": [len(row.targets) for row in rows],
    }


def points_of(options: argparse.Namespace) -> list[Point]:
    """Return what was measured of every setting that has records, its seeds together, beside the untrained model.

    Raises:
        UserError: there is no record of the untrained model.
    """
    found = {Setting.named(path.stem): path for path in options.records.glob("*.json")}
    seeds = range(options.seed, options.seed + options.seeds)
    kept: dict[Setting, list[Measured]] = {}
    for setting in sorted(found, key=lambda one: (METHODS.index(one.method), *one[1:])):
        if setting.method == "base" or setting.seed in seeds:
            measured = Measured.of(read_json(found[setting], what="a record"), TEXTS)
            kept.setdefault(setting._replace(seed=0), []).append(measured)
    base = kept.pop(Setting("base", 0.0, 0.0, 0), None)
    if base is None:
        raise UserError(
            "there is no record of the untrained model, beside which the others are told",
            where=f"--records: {options.records / 'base.json'}",
            mend="Name a folder of records (benchmarks/records/own), or leave --table away, and they are made.",
        )
    return [Point.of(setting, base[0], runs) for setting, runs in kept.items()]


if __name__ == "__main__":
    np.seterr(all="raise")
    main()
