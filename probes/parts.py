"""What one model was asked already: kept as it comes, so that an interrupted run goes on where it stopped.

Kept answers are of one model and one list of items. A model that was exchanged under its name since, or items that are
not those that were asked, would mix two runs in one result: both are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from worldschool.errors import OutputError
from worldschool.files import read_json, write_json
from worldschool.models.scoring import TextLoss
from worldschool.probes.ask import Answer
from worldschool.probes.config import slug
from worldschool.progress import say
from worldschool.records import Example

FOLDER = "parts"
PRINTS = {
    "fingerprint": "the base model",
    "adapter_fingerprint": "the adapter",
    "shots": "what is shown before the questions",
}
"""What tells one contender from another, and whose it is."""


class Parts:
    """The files of one contender in a run's folder `parts`.

    Args:
        out: the run's output directory.
        name: the contender's.
        model: what it is: "fingerprint" of the base model (of a server's model of its URL and name),
            "adapter_fingerprint", None without an adapter, and "shots", of the worked examples if there are any.

    Raises:
        OutputError: another model was asked under this name before.
    """

    def __init__(self, out: Path, name: str, model: Mapping[str, str | None]) -> None:
        self._folder = out / FOLDER
        self._slug = slug(name)
        record = self._folder / f"{self._slug}.model.json"
        if record.exists():
            self._check(name, model, record)
            return
        if any(self._folder.glob(f"{self._slug}.*.json")):
            say(f"what {name} was asked here before does not say of which model; it is taken to be this one")
        write_json(record, dict(model))

    def _check(self, name: str, model: Mapping[str, str | None], record: Path) -> None:
        before = read_json(record, what="which model was asked before")
        known = before if isinstance(before, dict) else {}
        changed = [about for key, about in PRINTS.items() if known.get(key) != model.get(key)]
        if changed:
            raise OutputError(
                f"{' and '.join(changed)} of {name!r} changed since this run began: its results would be of both",
                where=str(record),
                mend=f"Give another --out; or put back what was there; or delete {self._slug}.* in {self._folder}, "
                "and it is asked everything again.",
            )

    def answers(
        self, task: str, items: Sequence[Example], ask: Callable[[], Sequence[Answer]]
    ) -> list[Answer]:
        """Return the answers to a suite; `ask` gives them where they are not kept yet.

        Raises:
            OutputError: those that are kept are answers to other items.
        """
        kept = self._folder / f"{self._slug}.{task}.json"
        if not kept.exists():
            write_json(kept, [answer.to_json() for answer in ask()])
        found = [Answer(**row) for row in read_json(kept, what="answers of an earlier run")]
        if [answer.item_id for answer in found] != [item.example_id for item in items]:
            raise OutputError(
                f"these are answers to other items than {task!r} has now: the examples changed since this run began",
                where=str(kept),
                mend=f"Give another --out; or delete {self._folder}, and everything is asked again.",
            )
        return found

    def loss(self, text: str, measure: Callable[[], TextLoss]) -> TextLoss:
        """Return the losses on a text; `measure` gives them where they are not kept yet."""
        kept = self._folder / f"{self._slug}.text.{slug(text)}.json"
        if not kept.exists():
            loss = measure()
            write_json(kept, {"nll": loss.nll, "tokens": loss.tokens, "bytes": loss.bytes})
        row = read_json(kept, what="a text's loss of an earlier run")
        return TextLoss(tuple(row["nll"]), tuple(row["tokens"]), tuple(row["bytes"]))
