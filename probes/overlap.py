"""Suites that overlap with what a model was trained on are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from worldschool.errors import DatasetError, UserError
from worldschool.experience.examples import iterate_examples
from worldschool.files import read_json
from worldschool.probes.paths import find_from
from worldschool.progress import say
from worldschool.records import Example

TRAINING_FILE = "training.json"
NAMED = 5
"""Items that the error names; it counts the others."""


def training_record(adapter: Path) -> dict[str, Any] | None:
    """Return what `worldschool finetune` wrote about an adapter; None for an adapter of other make.

    Raises:
        UserError: the record is damaged.
    """
    path = adapter / TRAINING_FILE
    if not path.exists():
        return None
    record = read_json(path, what="a training record")
    if not isinstance(record, dict):
        raise UserError("a training record is expected, a JSON object", where=str(path))
    return record


def trained(record: Mapping[str, Any]) -> dict[str, int]:
    """Return how much was trained on: "steps", "examples", "tokens", as far as the record says."""
    return {
        name: record[name] for name in ("steps", "examples", "tokens") if isinstance(record.get(name), int)
    }


def refuse_trained_on(suites: Mapping[str, Sequence[Example]], adapters: Mapping[str, str]) -> None:
    """Check that no adapter was trained on an item: the examples named in its training record are read.

    Examples that are not where the record says are told on standard error: nothing can be checked then.

    Args:
        suites: name to items, published ones too.
        adapters: name to directory.

    Raises:
        DatasetError: an item was trained on; the items are named.
        UserError: a training record, or a file of examples, is damaged.
    """
    read: dict[Path, Overlap] = {}
    for name, directory in adapters.items():
        record = training_record(Path(directory))
        config = record.get("config") if record else None
        files = config.get("examples") if isinstance(config, dict) else None
        if not files:
            say(
                f"probe: what the adapter {name} was trained on is not recorded in {directory}, so whether the "
                "suites overlap with it was not checked"
            )
            continue
        for named in map(str, files):
            file = find_from(named, Path(directory) / TRAINING_FILE)
            if file is None:
                say(
                    f"probe: the adapter {name} was trained on {named}, which is not there, so whether the suites "
                    "overlap with it was not checked"
                )
                continue
            if file not in read:
                read[file] = Overlap(suites)
                read[file].add(iterate_examples(file))
            read[file].refuse(f"{name} was trained on ({file})", f"adapters.{name}")


def check_overlap(items: Sequence[Example], trained: Iterable[Example]) -> None:
    """Refuse items that were trained on, or that are shown as worked examples.

    Raises:
        DatasetError: an item is among them (see `Overlap`); the first is named.
    """
    overlap = Overlap({"": items})
    overlap.add(trained)
    among = {name for _, name in overlap.found}
    for item in items:
        if item.example_id in among:
            raise DatasetError(
                f"the item {item.example_id} is also in the training examples",
                where="examples",
                mend="Probe on examples of another split.",
            )


class Overlap:
    """Which items are among other examples: the same prompt, alone or behind worked examples, or the same episode.

    Args:
        suites: name to items.
    """

    def __init__(self, suites: Mapping[str, Sequence[Example]]) -> None:
        self._by_prompt: dict[str, list[tuple[str, Example]]] = {}
        self._by_episode: dict[str, list[tuple[str, Example]]] = {}
        self._found: dict[tuple[str, str], None] = {}
        for suite, items in suites.items():
            for item in items:
                # The item itself may stand behind worked examples that the trained-on one was without.
                for prompt in _endings(item.prompt):
                    self._by_prompt.setdefault(prompt, []).append((suite, item))
                self._by_episode.setdefault(item.episode_id, []).append((suite, item))
        self._prompts = {item.prompt for items in suites.values() for item in items}

    def add(self, examples: Iterable[Example]) -> None:
        """Look for the items among these."""
        for example in examples:
            hits = [*self._by_episode.get(example.episode_id, ()), *self._by_prompt.get(example.prompt, ())]
            for ending in _endings(example.prompt):
                if ending in self._prompts:
                    hits += self._by_prompt[ending]
            self._found.update({(suite, item.example_id): None for suite, item in hits})

    @property
    def found(self) -> tuple[tuple[str, str], ...]:
        """The suite and id of every item that was found so far, in the order of finding."""
        return tuple(self._found)

    def refuse(self, what: str, where: str) -> None:
        """Raise if an item was found.

        Args:
            what: says what the items are among, behind "items that".
            where: the setting at fault.

        Raises:
            DatasetError: the suites and items are named.
        """
        if not self._found:
            return
        suites = sorted({suite for suite, _ in self._found})
        named = ", ".join(item for _, item in list(self._found)[:NAMED])
        more = f" and {len(self._found) - NAMED} more" if len(self._found) > NAMED else ""
        raise DatasetError(
            f"{', '.join(suites)}: items that {what} are asked, {len(self._found)} of them: {named}{more}",
            where=where,
            mend="Probe on examples of another split, or leave these suites out.",
        )


def _endings(prompt: str) -> Iterable[str]:
    """Yield a prompt, and what stands in it behind each blank line: worked examples end with one."""
    yield prompt
    start = prompt.find("\n\n")
    while start >= 0:
        yield prompt[start + 2 :]
        start = prompt.find("\n\n", start + 1)
