"""The whole walk on two cores in ten minutes: collect, remember, learn with and without EWC, probe, report.

Read it from `quickstart` downwards. Every stage leaves a directory; run again with the same settings, a finished
stage is kept and an interrupted one goes on.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import Field

from worldschool.config import Config
from worldschool.envs import world_class
from worldschool.experience.examples import ExamplesConfig, examples_command, read_examples
from worldschool.experience.runner import AgentSettings, CollectConfig, collect
from worldschool.experience.storage.writing import writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, write_json
from worldschool.learners.finetune import FinetuneConfig, FisherSettings, RetentionSettings, finetune
from worldschool.learners.finetune.rehearsal import time_steps
from worldschool.learners.memory import recall, remember
from worldschool.models.causal import load_causal_lm
from worldschool.probes.config import ProbeConfig, SuiteSettings
from worldschool.probes.overlap import check_overlap
from worldschool.probes.run import probe
from worldschool.probes.table import results_table
from worldschool.progress import progress
from worldschool.records import Split
from worldschool.runs import claim_output, giving_back

Dtype: TypeAlias = Literal["float32", "bfloat16"]

WORLD = "worldschool/Household-v0"
STORY_WORLD = {
    "characters": 2,
    "control": "all",
    "focus": True,
    "rooms": [4, 5],
    "objects": [4, 6],
    "goal": "none",
    "max_steps": 13,
}
STORY_AGENT = AgentSettings(
    name="random",
    settings={
        "verb_weights": {
            "walk": 5,
            "grab": 15,
            "put": 6,
            "drop": 1,
            "open": 0.2,
            "close": 0.2,
            "switch": 0.2,
            **dict.fromkeys(("plug", "unplug", "wash", "wipe", "wear", "pour", "sit", "lie"), 0.0),
        }
    },
)
PLAN_WORLD = {
    "characters": 1,
    "focus": True,
    "rooms": [3, 4],
    "objects": [4, 6],
    "goal": "random",
    "goal_size": [1, 1],
}
PLAN_AGENT = AgentSettings(name="mcts", settings={"simulations": 400, "rollout_depth": 30})
EWC_NAME, PLAIN_NAME = "EWC", "plain LoRA"

STEP_CHOICES = (8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 72, 80, 100, 128, 160, 200)
"""Numbers of optimizer steps to choose from, so that runs on like machines choose alike."""
FIXED_COST_TOKENS = 62_000
"""What Fisher information, probes and perplexity cost, as tokens trained on in the same time (measured)."""
SLOWDOWN = 1.35
"""Time kept in reserve: after half a minute of work on both cores, steps took 1.2 to 1.4 times as long as the trial's."""
DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16")
"""Types of the frozen weights to choose from: which is faster depends on the processor."""


class QuickstartConfig(Config):
    """Settings of `worldschool quickstart`."""

    minutes: float = Field(default=9.5, gt=0)
    """How long it may take, on a machine that may yet slow down (see SLOWDOWN); more minutes train more steps."""
    steps: int | None = Field(default=None, ge=1)
    """Optimizer steps, in place of the number that fits into the minutes."""
    model: str = "smollm2-135m"
    """A pulled model's name, a Hugging Face directory or a hub name."""
    embedder: str = "minilm"
    """The memory's embedder: minilm, or hashing, which needs no model."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of everything that is drawn."""
    train_stories: int = Field(default=1000, ge=1)
    """Episodes of random exploration to learn from."""
    train_plans: int = Field(default=120, ge=1)
    """Episodes of goal planning to learn from."""
    heldout_stories: int = Field(default=400, ge=1)
    """Episodes of random exploration in houses, with names and objects, never trained on."""
    heldout_plans: int = Field(default=60, ge=1)
    """Episodes of goal planning there."""
    batch_examples: int = Field(default=12, ge=1)
    """Examples of one optimizer step."""
    learning_rate: float = Field(default=3e-4, gt=0)
    """Peak learning rate, for EWC and plain LoRA alike."""
    strength: float = Field(default=5e4, ge=0)
    """EWC's lambda, chosen with the learning rate on validation houses and texts (docs/learners.md)."""
    target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    """Last names of the adapted linear layers."""
    fisher: FisherSettings = FisherSettings()
    """General text for the Fisher information."""
    path_items: int = Field(default=100, ge=1)
    """Object path questions asked of each model."""
    choice_items: int = Field(default=24, ge=1)
    """Location and counting questions asked of each model."""
    plan_items: int = Field(default=16, ge=1)
    """Plans asked of each model."""
    text_tokens: int = Field(default=3000, ge=100)
    """Tokens of each general text on which perplexity is measured."""


class Pace(NamedTuple):
    """What fits into the time: optimizer steps, and the type of the frozen weights that is faster here."""

    steps: int
    dtype: Dtype


class Timing(NamedTuple):
    """What one optimizer step took."""

    seconds: float
    tokens: float


def read_pace(out: Path) -> Pace:
    """Return what a finished quickstart chose."""
    chosen = read_json(out / "pace.json", what="the chosen number of steps")
    return Pace(int(chosen["steps"]), chosen["dtype"])


def quickstart(config: QuickstartConfig, out: Path) -> dict[str, Any]:
    """Do everything once into `out`; returns the probe's results, with the learning contract.

    Raises:
        UserError: the model cannot be had, or `out` belongs to other settings.
    """
    started = time.monotonic()
    claim_output(out, "quickstart", config.to_json(), config.seed)
    _say("1/6 model")
    with giving_back(out):
        load_causal_lm(config.model)  # a name that is no model's is told before anything is collected
    _say("2/6 experience")
    _collect_all(config, out / "episodes")
    _build_examples(config, out)
    _say("3/6 memory")
    _remember(config, out)
    _say("4/6 fine-tuning, held by EWC, and plain for comparison")
    pace = _choose_pace(config, out, started)
    finetune(ewc_config(config, out, pace), out / "ewc")
    finetune(plain_config(config, out, pace), out / "plain")
    _say("5/6 probes")
    about = {"title": "A model went to school", **_for_report(out)}
    results = probe(probe_config(config, out, pace), out / "report", about, contract)
    _say(f"6/6 report, after {(time.monotonic() - started) / 60:.1f} minutes")
    return results


def collect_config(config: QuickstartConfig, kind: str, split: Split) -> CollectConfig:
    """Return how "stories" or "plans" are collected in one split's houses."""
    stories = kind == "stories"
    return CollectConfig(
        world=WORLD,
        world_config=STORY_WORLD if stories else PLAN_WORLD,
        agent=STORY_AGENT if stories else PLAN_AGENT,
        episodes=getattr(config, f"{'train' if split == 'train' else 'heldout'}_{kind}"),
        seed=config.seed,
        split=split,
    )


def examples_config(config: QuickstartConfig, episodes: Path, split: Split) -> ExamplesConfig:
    """Return which questions are asked about one split's episodes; a held-out story is asked about once a task."""
    each = 3 if split == "train" else 1
    return ExamplesConfig(
        datasets=(str(episodes / f"{split}-stories"), str(episodes / f"{split}-plans")),
        builders={
            "object_path": {"style": "brief", "per_episode": each},
            "object_location": {
                "style": "brief",
                "per_episode": 1,
                "share": 0.3 if split == "train" else 1.0,
            },
            "counting": {"style": "brief", "per_episode": 1, "share": 0.4 if split == "train" else 1.0},
            "plan_generation": {},
        },
        seed=config.seed,
    )


def ewc_config(config: QuickstartConfig, out: Path, pace: Pace) -> FinetuneConfig:
    """Return the fine-tuning run that is held by EWC."""
    return FinetuneConfig.model_validate(
        {
            "model": config.model,
            "examples": [str(out / "examples" / "train")],
            "lora": {"target_modules": config.target_modules},
            "retention": RetentionSettings(kind="ewc", strength=config.strength, measure=config.fisher),
            "learning_rate": config.learning_rate,
            "batch_examples": config.batch_examples,
            "max_steps": pace.steps,
            "dtype": pace.dtype,
            "checkpoint_steps": 10,
            "seed": config.seed,
        }
    )


def plain_config(config: QuickstartConfig, out: Path, pace: Pace) -> FinetuneConfig:
    """Return the same run with nothing to hold the model back."""
    held = ewc_config(config, out, pace)
    return held.model_copy(update={"retention": RetentionSettings(kind="none")})


def probe_config(config: QuickstartConfig, out: Path, pace: Pace) -> ProbeConfig:
    """Return what is asked of the base model, zero-shot and three-shot, and of both adapters."""
    return ProbeConfig(
        model=config.model,
        adapters={EWC_NAME: str(out / "ewc"), PLAIN_NAME: str(out / "plain")},
        examples=str(out / "examples" / "heldout"),
        shots=str(out / "examples" / "train"),
        suites={
            "object_path": SuiteSettings(items=config.path_items),
            "object_location": SuiteSettings(items=config.choice_items),
            "counting": SuiteSettings(items=config.choice_items),
            "plan_generation": SuiteSettings(items=config.plan_items, max_new_tokens=48),
        },
        text_tokens=config.text_tokens,
        dtype=pace.dtype,
        seed=config.seed,
    )


def contract(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the learning contract's promises, each with whether it holds and the figures."""
    paths = results["suites"]["object_path"]["scores"]
    bases = [model["name"] for model in results["models"] if model["adapter"] is None]
    best = max(bases, key=lambda name: float(paths[name]["value"]))
    compared = {(c["a"], c["b"]): c for c in results["comparisons"] if c["suite"] == "object_path"}
    gain, apart = compared[EWC_NAME, best], compared[EWC_NAME, PLAIN_NAME]
    low, high = gain["ci95"]
    changes = {name: text["change"][EWC_NAME]["value"] for name, text in results["retention"].items()}
    plain = paths[PLAIN_NAME]["value"] - paths[best]["value"]
    return [
        {
            "claim": "Object path tracking beats the better of zero-shot and three-shot",
            "holds": low > 0,
            "detail": f"{gain['difference']:+.3f} [{low:+.3f}, {high:+.3f}] over {best}",
        },
        {
            "claim": "Perplexity rises by at most 1% on each general text",
            "holds": all(change <= 0.01 for change in changes.values()),
            "detail": ", ".join(f"{name} {change:+.2%}" for name, change in changes.items()),
        },
        {
            "claim": "The gain is at least 90% of plain LoRA's at the same steps",
            "holds": gain["difference"] >= 0.9 * plain,
            "detail": f"{gain['difference']:+.3f} against {plain:+.3f}, "
            "apart by {:+.3f} [{:+.3f}, {:+.3f}]".format(apart["difference"], *apart["ci95"]),
        },
    ]


def summary(results: dict[str, Any], out: Path) -> str:
    """Return the closing table and the paths of what was made."""
    made = "\n".join(f"  {row['what']:<10} {row['path']}" for row in results["made"])
    return f"{results_table(results)}\n\nMade:\n{made}\n\nOpen {out / 'report' / 'report.html'} in a browser."


def _collect_all(config: QuickstartConfig, episodes: Path) -> None:
    for split in ("train", "heldout"):
        for kind in ("stories", "plans"):
            collect(collect_config(config, kind, split), episodes / f"{split}-{kind}")


def _build_examples(config: QuickstartConfig, out: Path) -> None:
    for split in ("train", "heldout"):
        made = examples_config(config, out / "episodes", split)
        total = sum(len(EpisodeStore.open(Path(directory))) for directory in made.datasets)
        with progress(f"examples ({split})", total, "episodes") as advance:
            examples_command(made, out / "examples" / split, advance)
    check_overlap(read_examples(out / "examples" / "heldout"), read_examples(out / "examples" / "train"))


def _remember(config: QuickstartConfig, out: Path) -> None:
    store = EpisodeStore.open(out / "episodes" / "train-plans")
    with progress("remember", len(store), "episodes") as advance:
        remember(store, out / "memory", config.embedder, advance)
    goal = next(iter(EpisodeStore.open(out / "episodes" / "heldout-plans"))).goal
    found = recall(out / "memory", goal, 1)[0]
    _say(f'Asked for "{goal}", the memory recalls:\n{found.entry.body}')


def _choose_pace(config: QuickstartConfig, out: Path, started: float) -> Pace:
    """Time a training step and choose from the fixed table what fits; the choice is kept for a resumed run."""
    if (out / "pace.json").exists():
        return read_pace(out)
    timed = {dtype: _time_step(config, out, Pace(3, dtype)) for dtype in DTYPES}
    dtype = min(DTYPES, key=lambda name: timed[name].seconds)
    step = timed[dtype]
    spent = time.monotonic() - started

    def total(steps: int) -> float:
        fixed = FIXED_COST_TOKENS * step.seconds / step.tokens
        return spent + SLOWDOWN * (fixed + 2 * steps * step.seconds)

    fitting = [steps for steps in STEP_CHOICES if total(steps) <= config.minutes * 60]
    steps = config.steps or (fitting[-1] if fitting else STEP_CHOICES[0])
    chosen = {
        "steps": steps,
        "dtype": dtype,
        "seconds_per_step": {name: timing.seconds for name, timing in timed.items()},
        "tokens_per_step": step.tokens,
        "estimated_seconds": total(steps),
    }
    with writing(out):
        write_json(out / "pace.json", chosen)
    _say(
        f"A step of {step.tokens:.0f} tokens takes {timed['float32'].seconds:.1f} s in float32, "
        f"{timed['bfloat16'].seconds:.1f} s in bfloat16: {steps} steps in {dtype} for each of two adapters, "
        f"about {total(steps) / 60:.1f} minutes in all, a quarter of it in reserve."
    )
    return Pace(steps, dtype)


def _time_step(config: QuickstartConfig, out: Path, pace: Pace) -> Timing:
    """Return seconds and tokens of one optimizer step under EWC, the mean of two after one that warms up."""
    trial = ewc_config(config, out, pace)
    return Timing(*time_steps(trial, read_examples(trial.examples[0])))


def _for_report(out: Path) -> dict[str, Any]:
    training = {
        name: read_json(out / folder / "training.json", what="a training record")["curve"]
        for name, folder in ((EWC_NAME, "ewc"), (PLAIN_NAME, "plain"))
    }
    rows = (
        ("episodes", "episodes", f"lived in {WORLD} {world_class(WORLD).version}"),
        ("examples", "examples", "questions with answers computed from events"),
        ("memory", "memory", "SQLite and a FAISS index"),
        ("adapter", "ewc", "PEFT adapter held by EWC, with its Fisher information"),
        ("adapter", "plain", "PEFT adapter held by nothing"),
        ("report", "report", "results.json, items.parquet, report.html"),
    )
    made = [{"what": what, "path": str(out / folder), "about": about} for what, folder, about in rows]
    return {"training": training, "made": made}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
