"""`worldschool view`: a dataset's episodes as one HTML page."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from worldschool.errors import OutputError
from worldschool.experience.store import EpisodeStore
from worldschool.experience.viewing.gathering import Gathering
from worldschool.experience.viewing.page import MARK, empty_page_bytes, html_page
from worldschool.experience.viewing.relive import Reliver
from worldschool.experience.viewing.selection import Selection
from worldschool.files import write_atomic
from worldschool.progress import Advance, progress

SHOWN = 200
"""Episodes of a page, if nothing else is asked for."""
PAGE_BYTES = 10_000_000
"""What a page may take, if nothing else is asked for: a mail's attachment, and quick to read on a phone."""


@dataclass(frozen=True)
class ViewReport:
    """What a page holds.

    Attributes:
        page: where it is.
        bytes: its size.
        episodes: how many episodes it shows.
        available: how many there were to choose from.
        too_large: of those chosen, how many were left out to keep the page small.
        with_pictures: how many are shown with pictures.
        without_pictures: how many could be drawn and are not, to keep the page small.
        differing: how many were not the same when they were executed again.
    """

    page: Path
    bytes: int
    episodes: int
    available: int
    too_large: int
    with_pictures: int
    without_pictures: int
    differing: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return {**asdict(self), "page": str(self.page)}

    def told(self) -> str:
        """Return what a terminal shows."""
        lines = [
            f"{counted(self.episodes, 'episode')} of {self.available:,} in {self.page} ({self.bytes / 1e6:.1f} MB)"
        ]
        lines[0] += f", {self.with_pictures:,} with pictures" if self.with_pictures else ", without pictures"
        if self.differing:
            lines.append(
                f"{counted(self.differing, 'episode')} gave something else when executed again; the page says what"
            )
        if self.too_large or self.without_pictures:
            what = [f"{self.too_large:,} of those asked for"] * bool(self.too_large)
            what += [f"the pictures of {self.without_pictures:,}"] * bool(self.without_pictures)
            lines.append(f"left out to keep the page small (--max-mb): {' and '.join(what)}")
        return "\n".join(lines)


def view(
    dataset: Path | str,
    out: Path | str | None = None,
    *,
    episodes: int = SHOWN,
    split: str | None = None,
    sample: int | None = None,
    replay: bool = True,
    page_bytes: int = PAGE_BYTES,
    on_progress: Advance | None = None,
) -> ViewReport:
    """Write a page to browse a dataset's episodes: one HTML file without network, which shows a list without scripts.

    Episodes are executed again from their seeds, which tells what held of the goal after each step, why actions were
    refused, and gives pictures where the world can draw itself. Pictures are left away first where the page would grow
    too large, then episodes; the page says so.

    Args:
        dataset: a dataset directory.
        out: the page; None: `view.html` in the dataset directory. Only a page of ours is overwritten.
        episodes: show at most so many.
        split: show this split only.
        sample: draw the episodes with this seed, in place of taking the first ones.
        replay: execute episodes again. If not, goals are followed through events and there are no pictures.
        page_bytes: about how large the page may become.
        on_progress: told of every episode; None shows a progress bar on standard error.

    Raises:
        DatasetError: the dataset is missing, empty or damaged, or has no episode of the split.
        ConfigError: there is no such split.
        OutputError: `out` is a directory, or a file that is no such page, or cannot be written.
    """
    store = EpisodeStore.open(dataset)
    page = Path(out) if out is not None else store.directory / "view.html"
    _check_output(page)
    chosen = Selection(store, episodes, split, sample)
    gathered = Gathering(page_bytes - empty_page_bytes(), Reliver() if replay else None)
    with (
        progress("view", len(chosen), "episodes")
        if on_progress is None
        else nullcontext(on_progress) as advance
    ):
        for episode in chosen:
            if not gathered.take(episode):
                break
            advance(1)
    pictures = gathered.pictures()
    with_pictures = sum(row["frames"] is not None for row in gathered.rows)
    report = ViewReport(
        page=page,
        bytes=0,
        episodes=len(gathered.rows),
        available=chosen.available,
        too_large=len(chosen) - len(gathered.rows),
        with_pictures=with_pictures,
        without_pictures=gathered.drawable - with_pictures,
        differing=sum(row["differs"] is not None for row in gathered.rows),
    )
    summary = [_of_dataset(store), _of_page(report, split, sample), *_left_out(report, page_bytes)]
    name = store.directory.resolve().name
    html = html_page(name, summary, gathered.rows, gathered.texts.texts, pictures).encode()
    try:
        write_atomic(page, html)
    except OSError as error:
        raise OutputError(f"the page cannot be written: {error.strerror}", where=str(page)) from None
    return replace(report, bytes=len(html))


def _check_output(page: Path) -> None:
    mend = "Give the name of a new file with --out."
    if page.is_dir():
        raise OutputError("this is a directory", where=str(page), mend=mend)
    if not page.exists():
        return
    try:
        with page.open("rb") as file:
            ours = MARK.encode() in file.read(500)
    except OSError as error:
        raise OutputError(f"the file cannot be read: {error.strerror}", where=str(page)) from None
    if not ours:
        raise OutputError("this file is no page of ours and is left as it is", where=str(page), mend=mend)


def _of_dataset(store: EpisodeStore) -> str:
    totals = store.totals()
    told = f"{counted(totals.episodes, 'episode')} with {counted(totals.steps, 'step')}; "
    told += f"{totals.successes:,} reached their goal"
    return told + (f", {totals.errors:,} ended by an error." if totals.errors else ".")


def _of_page(report: ViewReport, split: str | None, sample: int | None) -> str:
    of_split = f" of the split {split}" if split else ""
    if report.episodes == report.available:
        return (
            f"This page shows all {report.episodes:,}{of_split}." if split else "This page shows all of them."
        )
    chosen = "the first" if sample is None else "a sample of"
    seed = "" if sample is None else f" (drawn with seed {sample})"
    return f"This page shows {chosen} {report.episodes:,} of {report.available:,}{of_split}{seed}."


def _left_out(report: ViewReport, page_bytes: int) -> list[str]:
    """Return what the page does not hold for want of space."""
    parts = []
    if report.too_large:
        parts.append(f"{counted(report.too_large, 'episode')} of those asked for")
    if report.without_pictures:
        parts.append(f"the pictures of {counted(report.without_pictures, 'episode')}")
    if not parts:
        return []
    return [
        f"To keep it under {page_bytes / 1e6:g} MB, {' and '.join(parts)} were left out (--max-mb gives more)."
    ]


def counted(number: int, one: str) -> str:
    """Return a number with its noun: "1 episode", "1,000 episodes"."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"
