"""What was summed so far, kept in a file, so that an interrupted measurement goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from worldschool.learners.fisher.information import read_tensors
from worldschool.learners.fisher.squares import Squares


class Partial:
    """The sums of a measurement and how many texts are in them.

    Args:
        path: a safetensors file; None: nothing is kept.
        sums: by parameter; what the file holds is added to them.
        of: what is measured (model, data, form); a file of anything else is not gone on with.

    Raises:
        FisherError: the file cannot be read.
    """

    def __init__(self, path: Path | None, sums: Mapping[str, Squares], of: Mapping[str, str]) -> None:
        self._path, self._sums, self._of = path, sums, dict(of)
        self.done = 0
        """Texts that are in the sums."""
        if path is not None and path.exists():
            self._go_on(path)

    def keep(self) -> None:
        """Write the sums; what was kept before is replaced at once."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f".{self._path.name}")
        tensors = {
            name + end: one for name, sums in self._sums.items() for end, one in sums.tensors().items()
        }
        save_file(tensors, beside, {"of": json.dumps(self._of), "done": str(self.done)})
        beside.replace(self._path)

    def forget(self) -> None:
        """Remove the file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _go_on(self, path: Path) -> None:
        tensors = read_tensors(
            path, "what was measured so far", "Remove this file; the measurement then begins again."
        )
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
        if json.loads(about.get("of", "{}")) != self._of:
            return
        for name, sums in self._sums.items():
            for end, one in sums.tensors().items():
                one.copy_(tensors[name + end])
        self.done = int(about["done"])
