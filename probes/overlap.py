"""Suites that overlap with what a model was trained on are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from worldschool.errors import DatasetError, UserError
from worldschool.experience.examples import iterate_examples
from worldschool.experience.overlap import Overlap
from worldschool.files import read_json
from worldschool.probes.paths import find_from
from worldschool.progress import say
from worldschool.records import Example

TRAINING_FILE = "training.json"


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
