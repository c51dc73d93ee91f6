"""Elastic weight consolidation of full fine-tuning: penalty = sum_i F_i (theta_i - theta*_i)^2 (Kirkpatrick et al. 2017)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file

from worldschool.errors import FisherError
from worldschool.learners.fisher.forms import Importance
from worldschool.learners.fisher.information import Fisher, read_tensors
from worldschool.learners.retention.base import add_to_gradient


class _Weight(NamedTuple):
    weight: torch.Tensor
    start: torch.Tensor
    importance: Importance


class FullEWC:
    """Holds every trained parameter near its start.

    Args:
        model: a transformers model; every parameter that asks for a gradient is held.
        fisher: made for it before training, covering all of these.
        strength: lambda, >= 0.
        where: what the Fisher is called in errors.
        kept: a safetensors file for the start, so that a resumed run is held where the first one began; None: not kept.
        resumed: whether the model was trained already; its start is then read from `kept`.

    Raises:
        FisherError: the Fisher is for another model, lacks a trained parameter or has it in another shape, or a resumed
            run's start is missing or damaged.
    """

    FILE = "ewc-start.safetensors"

    def __init__(
        self,
        model: Any,
        fisher: Fisher,
        strength: float,
        where: str = "fisher",
        kept: Path | None = None,
        resumed: bool = False,
    ) -> None:
        self.strength = strength
        trained = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
        missing = sorted(set(trained) - set(fisher.values))
        if missing:
            raise FisherError(
                f"it has no values for {len(missing)} trained parameters; the first is {missing[0]}",
                where=where,
                mend="Measure it over all parameters that are trained, or freeze the others.",
            )
        if resumed:
            start = _read(kept)
        else:
            fisher.check_model(model, where)
            start = {name: tensor.detach().clone() for name, tensor in trained.items()}
            if kept is not None:
                kept.parent.mkdir(parents=True, exist_ok=True)
                save_file({name: tensor.contiguous().cpu() for name, tensor in start.items()}, kept)
        self._held = []
        for name, tensor in trained.items():
            if name not in start or not (start[name].shape == fisher.values[name].shape == tensor.shape):
                raise FisherError(
                    f"{name} is of shape {tuple(tensor.shape)}, "
                    f"its values here of {tuple(fisher.values[name].shape)}",
                    where=where,
                    mend="Make the Fisher again, of this model.",
                )
            importance = fisher.values[name].to(tensor.device)
            self._held.append(_Weight(tensor, start[name].to(tensor.device), importance))

    def add_gradients(self) -> torch.Tensor:
        """See `base.Held`."""
        total = torch.zeros((), device=self._held[0].weight.device)
        for weight, start, importance in self._held:
            value, gradient = importance.pull(weight.detach().float() - start.float())
            total = total + value
            add_to_gradient(weight, gradient.mul_(self.strength))
        return total


def _read(kept: Path | None) -> dict[str, torch.Tensor]:
    if kept is None or not kept.exists():
        raise FisherError(
            "training goes on from a checkpoint, and where it began was not kept",
            where=str(kept or FullEWC.FILE),
            mend="Train again from the beginning.",
        )
    return read_tensors(kept, "where training began", "Train again from the beginning.")
