"""Which parameters the Fisher information is measured of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from worldschool.errors import FisherError
from worldschool.learners.fisher.forms import Factored
from worldschool.learners.fisher.information import Fisher
from worldschool.models.causal import base_parameters, model_fingerprint


def matching_parameters(model: Any, target_modules: Sequence[str]) -> list[str]:
    """Return the names of the weight matrices whose module's last name is in `target_modules`.

    Raises:
        FisherError: none matches.
    """
    pattern = re.compile(rf"(^|\.)({'|'.join(map(re.escape, target_modules))})\.weight$")
    found = [
        name for name, tensor in base_parameters(model).items() if pattern.search(name) and tensor.ndim == 2
    ]
    if not found:
        kinds = sorted({name.split(".")[-2] for name in base_parameters(model) if name.endswith(".weight")})
        raise FisherError(
            f"no weight matrix of this model is called {', '.join(target_modules)}",
            where="target_modules",
            mend=f"This model has: {', '.join(kinds)}.",
        )
    return found


def blank_fisher(model: Any, target_modules: Sequence[str]) -> Fisher:
    """Return a factored Fisher of zeros for these modules: it holds nothing, and costs a step what a real one does.

    Raises:
        FisherError: the model has no such modules.
    """
    weights = base_parameters(model)
    names = matching_parameters(model, target_modules)
    return Fisher(
        {name: Factored(*(torch.zeros(size, 1) for size in weights[name].shape)) for name in names},
        model_fingerprint(model),
        "",
        0,
        0,
    )
