"""A model's Fisher information: one form a parameter, with fingerprints of the model and the data it was measured on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from worldschool.errors import FisherError, UserError
from worldschool.files import read_json, write_json
from worldschool.learners.fisher.forms import Exact, Factored, Importance
from worldschool.models.causal import model_fingerprint
from worldschool.runs import package_versions

FISHER_SCHEMA = "worldschool.fisher/1"
TENSORS, ABOUT = "fisher.safetensors", "fisher.json"
AGAIN = "Make the Fisher again."


@dataclass(frozen=True)
class Fisher:
    """Diagonal Fisher information by parameter name.

    Attributes:
        values: name (as in the base model) to its `Exact` or `Factored` values, all >= 0.
        model_fingerprint: of the model it was made for (`models.causal.model_fingerprint`).
        data_fingerprint: sha256 (hex) of the token ids it was made from, and of what labels were.
        samples: N, texts.
        tokens: tokens predicted over all texts.
        texts: names of the texts, for the record.
        labels: "data": the texts' own next tokens (the empirical Fisher); "model": drawn from the model (the true one).
    """

    values: dict[str, Importance]
    model_fingerprint: str
    data_fingerprint: str
    samples: int
    tokens: int
    texts: tuple[str, ...] = field(default=())
    labels: str = "data"

    @property
    def form(self) -> str:
        """ "exact", "factored", or "mixed": vectors have no factors."""
        kinds = {"exact" if isinstance(one, Exact) else "factored" for one in self.values.values()}
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def bytes(self) -> int:
        """Of all tensors, as they are kept in memory and on disk."""
        tensors = (tensor for one in self.values.values() for tensor in one.tensors().values())
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def save(self, directory: Path) -> None:
        """Write `fisher.safetensors` and, last, `fisher.json`."""
        directory.mkdir(parents=True, exist_ok=True)
        tensors = {
            name + end: tensor.contiguous()
            for name, one in self.values.items()
            for end, tensor in one.tensors().items()
        }
        save_file(tensors, directory / TENSORS)
        ranks = {one.rank for one in self.values.values() if one.rank is not None}
        write_json(
            directory / ABOUT,
            {
                "schema": FISHER_SCHEMA,
                "form": self.form,
                "rank": max(ranks, default=None),
                "samples": self.samples,
                "tokens": self.tokens,
                "labels": self.labels,
                "loss_reduction": "mean token NLL of each text",
                "model_fingerprint": self.model_fingerprint,
                "data_fingerprint": self.data_fingerprint,
                "texts": list(self.texts),
                "parameters": len(self.values),
                "versions": package_versions(),
            },
        )

    @classmethod
    def load(cls, directory: Path) -> Fisher:
        """Read a Fisher directory.

        Raises:
            FisherError: a file is missing or damaged, the format is of an unknown version, or a value is not a number or
                negative.
        """
        about = read_about(directory)
        tensors = read_tensors(directory / TENSORS, "the file", AGAIN)
        values = {name: _form(tensors, name, directory) for name in _names(tensors)}
        _check_numbers(values, str(directory / TENSORS))
        return cls(
            values,
            about["model_fingerprint"],
            about["data_fingerprint"],
            about["samples"],
            about["tokens"],
            tuple(about.get("texts", ())),
            about.get("labels", "data"),
        )

    def check_model(self, model: Any, where: str) -> None:
        """Refuse a Fisher that was made for another model.

        Raises:
            FisherError: the fingerprints differ.
        """
        found = model_fingerprint(model)
        if found != self.model_fingerprint:
            raise FisherError(
                f"this Fisher was made for another model (fingerprint {self.model_fingerprint[:12]}, "
                f"this model's is {found[:12]})",
                where=where,
                mend="Leave `retention.fisher` out, and one is made for this model.",
            )


def read_tensors(path: Path, what: str, mend: str) -> dict[str, torch.Tensor]:
    """Read a safetensors file.

    Args:
        path: of the file.
        what: the file is called in the error.
        mend: what the user can do.

    Raises:
        FisherError: it is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise FisherError(f"{what} cannot be read: {error}", where=str(path), mend=mend) from None


def read_about(directory: Path) -> dict[str, Any]:
    """Return what a Fisher directory says of itself; its values are not read.

    Raises:
        FisherError: it is missing or damaged, or of an unknown version.
    """
    if not (directory / ABOUT).exists():
        raise FisherError(
            "there is no fisher.json here",
            where=str(directory),
            mend="Leave `retention.fisher` out: `worldschool finetune` then makes one in OUT/fisher.",
        )
    try:
        about: dict[str, Any] = read_json(directory / ABOUT, what="a Fisher description")
    except UserError as error:
        raise FisherError(error.problem, where=error.where, mend=AGAIN) from None
    if about.get("schema") != FISHER_SCHEMA:
        raise FisherError(
            f"its schema is {about.get('schema')!r}, this release reads {FISHER_SCHEMA!r}",
            where=str(directory / ABOUT),
            mend="Use the release that wrote it, or make the Fisher again.",
        )
    return about


def _names(tensors: dict[str, torch.Tensor]) -> list[str]:
    return sorted({name.removesuffix(".row").removesuffix(".col") for name in tensors})


def _form(tensors: dict[str, torch.Tensor], name: str, directory: Path) -> Importance:
    if name in tensors:
        return Exact(tensors[name])
    rows, columns = tensors.get(f"{name}.row"), tensors.get(f"{name}.col")
    if rows is None or columns is None or rows.shape[1:] != columns.shape[1:]:
        raise FisherError(
            f"the factors of {name} do not go together", where=str(directory / TENSORS), mend=AGAIN
        )
    return Factored(rows, columns)


def _check_numbers(values: dict[str, Importance], where: str) -> None:
    """Refuse what no square can be.

    Raises:
        FisherError: a value is NaN, infinite or negative.
    """
    for name, one in values.items():
        for tensor in one.tensors().values():
            least = float(tensor.min()) if tensor.numel() else 0.0
            if not math.isfinite(float(tensor.sum())) or least < 0:
                raise FisherError(
                    f"the values of {name} are not all numbers from 0 up", where=where, mend=AGAIN
                )
