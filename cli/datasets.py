"""The commands about datasets: `verify`, `repair`, `export` and `dataset info|filter|split|merge|compact|import`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from worldschool.progress import Advance

dataset = typer.Typer(
    help="Look into datasets of episodes, and make datasets from datasets.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[Path, typer.Argument(metavar="DATASET", help="A dataset directory.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Output directory; the same command continues it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(verify)
    app.command()(repair)
    app.command()(export)
    app.add_typer(dataset, name="dataset")


def verify(
    directory: Source,
    replay: Annotated[
        bool,
        typer.Option("--replay", help="Also execute every episode again and compare all that is stored."),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that execute.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Check a dataset's bytes, schema, values, indices and ids; exit code 2 if something is damaged."""
    from worldschool.experience.storage.telling import tell_verification
    from worldschool.experience.storage.verification import verify as run

    with _progress("verify", directory, "shards") as advance:
        found = run(directory, advance)
    told, text = {**asdict(found), "ok": not found.problems}, tell_verification(found, directory)
    if replay and not found.problems:
        from worldschool.experience.replay import replay_dataset, replayed
        from worldschool.experience.store import EpisodeStore

        with _progress("replay", directory, "episodes") as advance:
            report = replay_dataset(EpisodeStore.open(directory), workers, advance, bytes_checked=True)
        told |= {"replay": asdict(report), "ok": report.passed}
        text += f"\n{replayed(report)}"
    _show(told, as_json, text)
    if not told["ok"]:
        raise typer.Exit(2)


def repair(directory: Source, as_json: AsJson = False) -> None:
    """Keep what is whole of a damaged dataset; says what was lost, deletes nothing."""
    from worldschool.experience.storage.repair import repair as run
    from worldschool.experience.storage.telling import tell_repair
    from worldschool.experience.storage.verification import verify as check

    with _progress("repair", directory, "shards") as advance:
        done = run(directory, advance)
    left = check(directory)
    told = {**asdict(done), "problems_left": [str(problem) for problem in left.problems]}
    _show(told, as_json, tell_repair(done, left, directory))
    if left.problems:
        raise typer.Exit(2)


def export(
    source: Annotated[Path, typer.Argument(help="A dataset directory, or (trl, chat) examples.")],
    to: Annotated[
        str,
        typer.Option(
            help="minari, jsonl (all of every episode), trl (prompt, completion) or chat (messages)."
        ),
    ],
    out: Out,
    name: Annotated[str | None, typer.Option(help="Minari dataset id, like household/random-v0.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write episodes or examples for another tool."""
    from worldschool.experience.exports.export import export as run

    with _progress("export", source, "episodes", times=2 if to == "minari" else 1) as advance:
        done = run(source, to, out, name, advance)
    lines = [f"{done.written} written to {done.out}"]
    if done.skipped:
        lines.append(f"{done.skipped} without a step left out")
    if done.name:
        lines.append(
            f"load it: MINARI_DATASETS_PATH={shlex.quote(done.out)} python -c "
            f"\"import minari; print(minari.load_dataset('{done.name}'))\""
        )
    _show(asdict(done), as_json, "\n".join(lines))


@dataset.command()
def info(
    directory: Source,
    hash_: Annotated[
        bool, typer.Option("--hash", help="Also the content hash, which reads everything.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is in a dataset."""
    from worldschool.experience.storage.summary import summarize
    from worldschool.experience.storage.telling import tell_summary
    from worldschool.experience.store import EpisodeStore

    store = EpisodeStore.open(directory)
    found = summarize(store)
    told = {**asdict(found), "bytes_per_step": found.bytes_per_step}
    if hash_:
        told["content_hash"] = store.content_hash()
    _show(told, as_json, tell_summary(found, told.get("content_hash")))


@dataset.command("filter")
def filter_(
    directory: Source,
    out: Out,
    split: Annotated[str | None, typer.Option(help="train, validation or heldout.")] = None,
    success: Annotated[
        bool | None, typer.Option("--success/--no-success", help="Reached the goal, or did not.")
    ] = None,
    failed: Annotated[
        bool | None, typer.Option("--failed/--no-failed", help="Ended by an exception, or did not.")
    ] = None,
    world: Annotated[str | None, typer.Option(help="Registered id.")] = None,
    agent: Annotated[str | None, typer.Option(help="Name of the agent.")] = None,
    activity: Annotated[str | None, typer.Option(help="Name of the activity.")] = None,
    goal: Annotated[str | None, typer.Option(help="Words in the goal.")] = None,
    min_length: Annotated[int | None, typer.Option(help="Steps at least.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Steps at most.")] = None,
    first: Annotated[int | None, typer.Option(help="Index at least.")] = None,
    last: Annotated[int | None, typer.Option(help="Index at most.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep the episodes that meet all of the conditions given."""
    from worldschool.config import build_config
    from worldschool.experience.storage.datasets import filter_dataset
    from worldschool.experience.storage.filters import EpisodeFilter
    from worldschool.experience.storage.telling import tell_made
    from worldschool.experience.store import EpisodeStore

    asked = {
        "split": split,
        "success": success,
        "failed": failed,
        "world": world,
        "agent": agent,
        "activity": activity,
        "goal": goal,
        "min_length": min_length,
        "max_length": max_length,
        "first": first,
        "last": last,
    }
    where = build_config(EpisodeFilter, asked, "the filter")
    source = EpisodeStore.open(directory)
    made = filter_dataset(source, out, where)
    _show(asdict(made), as_json, f"{tell_made(made)}, of {len(source)} in {directory}")


@dataset.command()
def split(
    directory: Source,
    out: Out,
    shares: Annotated[
        str | None,
        typer.Option(
            help="Parts of the worlds, like train=0.8,validation=0.2; left out, the split column decides."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes which world goes where.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Cut a dataset into parts that share no world."""
    from worldschool.experience.storage.datasets import split_dataset
    from worldschool.experience.storage.parts import read_shares
    from worldschool.experience.storage.telling import tell_made
    from worldschool.experience.store import EpisodeStore

    given = None if shares is None else read_shares(shares)
    with _progress("split", directory, "episodes") as advance:
        parts = split_dataset(EpisodeStore.open(directory), out, given, seed, advance)
    empty = [f"{name}: no world fell into it" for name in given or () if name not in parts]
    text = "\n".join([*(f"{name}: {tell_made(made)}" for name, made in parts.items()), *empty])
    _show({name: asdict(made) for name, made in parts.items()}, as_json, text)


@dataset.command()
def merge(
    directories: Annotated[list[Path], typer.Argument(metavar="DATASET...", help="Dataset directories.")],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Join datasets into one; an episode that several hold alike is kept once."""
    from worldschool.experience.storage.datasets import merge_datasets
    from worldschool.experience.storage.telling import tell_made
    from worldschool.experience.store import EpisodeStore

    made = merge_datasets([EpisodeStore.open(directory) for directory in directories], out)
    twice = f"; {made.duplicates} were there more than once" if made.duplicates else ""
    _show(asdict(made), as_json, f"{tell_made(made)}{twice}")


@dataset.command()
def compact(
    directory: Source,
    out: Out,
    shard_size: Annotated[int | None, typer.Option(min=1, help="Episodes in a shard.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a dataset anew in full shards; the content hash stays."""
    from worldschool.experience.storage.datasets import compact_dataset
    from worldschool.experience.storage.telling import tell_made
    from worldschool.experience.store import EpisodeStore

    with _progress("compact", directory, "episodes") as advance:
        made = compact_dataset(EpisodeStore.open(directory), out, shard_size, advance)
    _show(asdict(made), as_json, f"{tell_made(made)}\ncontent hash, as before: {made.content_hash}")


@dataset.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="episodes.jsonl, or the directory that `export` wrote.")],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Make a dataset of JSON lines of episodes, as `worldschool export --to jsonl` writes them."""
    from worldschool.experience.exports.lines import import_episodes
    from worldschool.experience.storage.telling import tell_made

    made = import_episodes(file, out)
    _show(asdict(made), as_json, tell_made(made))


@contextmanager
def _progress(title: str, directory: Path, unit: str, times: int = 1) -> Iterator[Advance]:
    """Show progress through a dataset's shards or episodes, each `times` over; no bar where it cannot be read."""
    from worldschool.errors import UserError
    from worldschool.experience.storage.manifest import read_lines
    from worldschool.progress import progress, silent

    try:
        shards = read_lines(directory / "manifest.jsonl").shards.values()
    except UserError:
        shards = {}.values()
    total = len(shards) if unit == "shards" else sum(shard.rows for shard in shards)
    if not total:
        yield silent
        return
    with progress(title, total * times, unit) as advance:
        yield advance


def _show(value: dict[str, Any], as_json: bool, text: str) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str) if as_json else text)
