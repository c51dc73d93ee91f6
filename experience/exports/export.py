"""`worldschool export`: a dataset or a file of examples, written for another tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worldschool.errors import ConfigError, DatasetError, nearest
from worldschool.experience.exports.chat import (
    episode_messages,
    example_messages,
    prompt_completion,
    write_by_split,
)
from worldschool.experience.exports.lines import write_episodes
from worldschool.experience.exports.minari import export_minari
from worldschool.experience.questions.example_files import iterate_examples
from worldschool.experience.storage.datasets import described
from worldschool.experience.storage.description import DESCRIPTION_FILE
from worldschool.experience.storage.writing import writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import sha256_file
from worldschool.progress import Advance, silent
from worldschool.records import Example
from worldschool.runs import claim_output

FORMATS = ("minari", "jsonl", "trl", "chat")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        to: the format.
        out: the directory.
        written: episodes or examples.
        skipped: episodes without a step, which the format has no place for.
        name: the Minari dataset's id.
    """

    to: str
    out: str
    written: int
    skipped: int
    name: str | None = None


def export(
    source: Path | str, to: str, out: Path | str, name: str | None = None, advance: Advance = silent
) -> Exported:
    """Write episodes or examples for another tool.

    Args:
        source: a dataset directory; for "trl" and "chat" also a file of examples or an output of `worldschool examples`.
        to: "minari": a Minari dataset. "jsonl": every episode with all its fields, which `import_episodes` reads again.
            "trl": examples as prompt and completion. "chat": examples or episodes as messages. The last two have a file
            for each split.
        out: a new directory, or that of the same call before.
        name: the Minari dataset's id.
        advance: told of every episode or example.

    Raises:
        ConfigError: there is no such format, or a name is given to one that has none.
        DatasetError: the source is missing, damaged or of the wrong kind.
        OutputError: `out` belongs to something else.
    """
    source, out = Path(source), Path(out)
    if to not in FORMATS:
        known = ", ".join(FORMATS)
        raise ConfigError(
            f"there is no format {to!r}", where="--to", mend=f"Known formats: {known}.{nearest(to, FORMATS)}"
        )
    if name is not None and to != "minari":
        raise ConfigError(f"{to} has no name", where="--name", mend="Give --name with --to minari only.")
    with writing(out):
        return _export(source, to, out, name, advance)


def _export(source: Path, to: str, out: Path, name: str | None, advance: Advance) -> Exported:
    if to in ("trl", "chat") and not _is_dataset(source):
        return _examples(source, to, out, advance)
    if to == "trl":
        raise DatasetError(
            "episodes have no prompt and completion",
            where=str(source),
            mend="Build examples with `worldschool examples`, and export these; or export the episodes with --to chat.",
        )
    store = EpisodeStore.open(source)
    claim_output(out, "export", {"to": to, "source": described(store), **({"name": name} if name else {})})
    if to == "jsonl":
        return Exported(to, str(out), write_episodes(store, out, advance), 0)
    if to == "chat":
        return Exported(to, str(out), *write_by_split(store, episode_messages, out, advance))
    dataset_id, written, skipped = export_minari(store, out, name, advance)
    return Exported(to, str(out), written, skipped, dataset_id)


def _examples(source: Path, to: str, out: Path, advance: Advance) -> Exported:
    examples = iterate_examples(source)
    first = next(examples)  # an unreadable file is told before the output is begun
    digests = {path.name: sha256_file(path) for path in _files(source)}
    claim_output(out, "export", {"to": to, "source": {"examples": str(source), "sha256": digests}})
    form: Callable[[Example], dict[str, Any]] = prompt_completion if to == "trl" else example_messages
    del first
    return Exported(to, str(out), *write_by_split(iterate_examples(source), form, out, advance))


def _files(source: Path) -> list[Path]:
    return sorted(source.glob("examples.*")) if source.is_dir() else [source]


def _is_dataset(source: Path) -> bool:
    return (source / DESCRIPTION_FILE).exists() or (source / "manifest.jsonl").exists()
