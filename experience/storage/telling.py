"""What became of datasets, in words: for the command line."""

from __future__ import annotations

from pathlib import Path

from worldschool.experience.storage.datasets import MadeDataset
from worldschool.experience.storage.repair import Repair
from worldschool.experience.storage.summary import Summary
from worldschool.experience.storage.verification import Verification


def tell_made(made: MadeDataset) -> str:
    """Return how much a dataset that was made holds, and where it is."""
    return f"{_count(made.episodes, 'episode')}, {_count(made.steps, 'step')} in {made.directory}"


def tell_verification(found: Verification, directory: Path) -> str:
    """Return every problem and note on a line of its own, then how much was checked."""
    held = (
        f"{directory}: {_count(found.shards, 'shard')}, {_count(found.episodes, 'episode')}, "
        f"{_count(found.steps, 'step')}, {found.size / 1e6:,.1f} MB"
    )
    verdict = f"{_count(len(found.problems), 'problem')} found" if found.problems else "no problem found"
    return "\n".join(
        [*map(str, found.problems), *(f"note: {note}" for note in found.notes), f"{held}: {verdict}"]
    )


def tell_repair(done: Repair, left: Verification, directory: Path) -> str:
    """Return what was lost, saved and kept, and what `verify` finds afterwards (`left`)."""
    if not done.changed:
        return f"{directory}: nothing is damaged, nothing was changed"
    lines = []
    if done.description_rebuilt:
        lines.append("dataset.json was made again from run.json")
    for loss in done.losses:
        of = "" if loss.episodes is None else f" of {loss.episodes} episodes ({loss.first} to {loss.last})"
        lines.append(f"{loss.shard}: {loss.why}; {loss.salvaged} saved{of}")
    lines.append(
        f"{_count(done.kept, 'whole shard')} kept"
        + (f", {done.adopted} of them with a new manifest line" if done.adopted else "")
        + (f", {done.corrected} with a corrected one" if done.corrected else "")
    )
    if done.losses:
        lines.append(f"the damaged files are in {directory / 'damaged'}")
    if done.salvaged_to:
        lines.append(
            f"what was saved of them is a dataset, {done.salvaged_to}; the `worldschool collect` command that made "
            f"{directory} collects all of it again, or: worldschool dataset merge {directory} {done.salvaged_to} --out OUT"
        )
    lines += [f"still: {problem}" for problem in left.problems]
    lines += [f"note: {note}" for note in left.notes]
    return "\n".join(lines)


def tell_summary(found: Summary, content_hash: str | None = None) -> str:
    """Return a dataset's summary as two columns."""
    rows = [
        ("episodes", f"{found.episodes:,}"),
        ("steps", f"{found.steps:,}"),
        ("reached the goal", f"{found.successes:,} ({found.successes / found.episodes:.0%})"),
        ("ended by an exception", f"{found.errors:,}"),
        ("length", f"{found.shortest} to {found.longest} steps, median {found.median_length:g}"),
        ("mean return", f"{found.mean_return:.3g}"),
        ("world seeds", f"{found.world_seeds:,}"),
        *_counted("world", found.worlds),
        *_counted("agent", found.agents),
        *_counted("split", found.splits),
        *_counted("activity", found.activities),
        ("shards", f"{found.shards:,}{' (indices may have gaps)' if found.gaps else ''}"),
        ("size", f"{found.size / 1e6:,.1f} MB, {found.bytes_per_step:.1f} bytes a step"),
        *([("content hash", content_hash)] if content_hash else []),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join([found.directory, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def _counted(title: str, counts: dict[str, int], most: int = 8) -> list[tuple[str, str]]:
    """Return a row for each of the most frequent names, the title before the first."""
    shown = list(counts.items())[:most]
    rows = [(title if place == 0 else "", f"{name}: {count:,}") for place, (name, count) in enumerate(shown)]
    return rows + ([("", f"and {len(counts) - most} others")] if len(counts) > most else [])


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
