"""The diagonal Fisher information of a language model on general text, at its original weights.

For N texts, with L_j the mean token negative log-likelihood of text j in nats (Kirkpatrick et al. 2017; Xiang et al.
2023, eq. for F):

    F_i = (1/N) sum_j (dL_j / dtheta_i)^2        at theta = theta*

Labels are the text's own next tokens (the empirical Fisher). The reduction matters for the scale of lambda: with the
mean over a text's T tokens, as here, F is T^2 times smaller than with their sum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from worldschool.errors import FisherError, UserError
from worldschool.files import read_json, write_json
from worldschool.models.causal import base_of, base_parameters, model_fingerprint
from worldschool.progress import Advance, silent
from worldschool.runs import package_versions

FISHER_SCHEMA = "worldschool.fisher/1"


@dataclass(frozen=True)
class Fisher:
    """Diagonal Fisher information by parameter name.

    Attributes:
        values: name (as in the base model) -> float32 tensor of the parameter's shape, all >= 0.
        model_fingerprint: of the model it was made for (`models.language.model_fingerprint`).
        data_fingerprint: sha256 (hex) of the token ids it was made from.
        samples: N, texts.
        tokens: tokens predicted over all texts.
        texts: names of the texts, for the record.
    """

    values: dict[str, torch.Tensor]
    model_fingerprint: str
    data_fingerprint: str
    samples: int
    tokens: int
    texts: tuple[str, ...] = field(default=())

    def save(self, directory: Path) -> None:
        """Write `fisher.safetensors` and, last, `fisher.json`."""
        directory.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: tensor.contiguous() for name, tensor in self.values.items()},
            directory / "fisher.safetensors",
        )
        write_json(
            directory / "fisher.json",
            {
                "schema": FISHER_SCHEMA,
                "form": "exact",
                "rank": None,
                "samples": self.samples,
                "tokens": self.tokens,
                "labels": "data",
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
            FisherError: a file is missing or damaged, or the format is of an unknown version.
        """
        if not (directory / "fisher.json").exists():
            raise FisherError(
                "there is no fisher.json here",
                where=str(directory),
                mend="Leave `retention.fisher` out: `worldschool finetune` then makes one in OUT/fisher.",
            )
        try:
            about = read_json(directory / "fisher.json", what="a Fisher description")
        except UserError as error:
            raise FisherError(error.problem, where=error.where, mend="Make the Fisher again.") from None
        if about.get("schema") != FISHER_SCHEMA:
            raise FisherError(
                f"its schema is {about.get('schema')!r}, this release reads {FISHER_SCHEMA!r}",
                where=str(directory / "fisher.json"),
                mend="Use the release that wrote it, or make the Fisher again.",
            )
        try:
            values = load_file(directory / "fisher.safetensors")
        except (OSError, SafetensorError) as error:
            raise FisherError(
                f"the file cannot be read: {error}",
                where=str(directory / "fisher.safetensors"),
                mend="Make the Fisher again.",
            ) from None
        return cls(
            values,
            about["model_fingerprint"],
            about["data_fingerprint"],
            about["samples"],
            about["tokens"],
            tuple(about.get("texts", ())),
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
    """Return a Fisher of zeros for these modules: it holds nothing, and costs a training step what a real one does.

    Raises:
        FisherError: the model has no such modules.
    """
    weights = base_parameters(model)
    values = {name: torch.zeros(weights[name].shape) for name in matching_parameters(model, target_modules)}
    return Fisher(values, model_fingerprint(model), "", 0, 0)


def compute_fisher(
    model: Any,
    texts: Sequence[Sequence[int]],
    parameters: Sequence[str],
    advance: Advance = silent,
    names: Sequence[str] = (),
) -> Fisher:
    """Compute the exact diagonal Fisher information of `model` over `texts`, one text at a time.

    Args:
        model: a transformers causal language model; its weights are left as they are.
        texts: token ids of N texts of two or more tokens each.
        parameters: names of the parameters wanted (see `matching_parameters`).
        advance: told after each text.
        names: what the texts are called, for the record.

    Returns:
        The Fisher information in float32.

    Raises:
        FisherError: there are no texts.
    """
    import hashlib

    usable = [list(text) for text in texts if len(text) > 1]
    if not usable:
        raise FisherError(
            "there is no text of two or more tokens to measure the Fisher information on",
            where=", ".join(names) or "texts",
            mend="Give a longer text, or lower `tokens`.",
        )
    base = base_of(model)
    weights = base_parameters(base)
    wanted = {name: weights[name] for name in parameters}
    before = {name: tensor.requires_grad for name, tensor in weights.items()}
    sums = {
        name: torch.zeros(tensor.shape, dtype=torch.float32, device=tensor.device)
        for name, tensor in wanted.items()
    }
    try:
        for name, tensor in weights.items():
            tensor.requires_grad_(name in wanted)
        for text in usable:
            loss = _mean_nll(base, text)
            gradients = torch.autograd.grad(loss, list(wanted.values()))
            for name, gradient in zip(wanted, gradients, strict=True):
                sums[name].addcmul_(gradient.float(), gradient.float())
            advance(1)
    finally:
        for name, tensor in weights.items():
            tensor.requires_grad_(before[name])
    data = hashlib.sha256(repr(usable).encode()).hexdigest()
    return Fisher(
        {name: (total / len(usable)).cpu() for name, total in sums.items()},
        model_fingerprint(base),
        data,
        len(usable),
        sum(len(text) - 1 for text in usable),
        tuple(names),
    )


def _mean_nll(base: Any, text: Sequence[int]) -> torch.Tensor:
    ids = torch.tensor([list(text)], device=base.device)
    hidden = base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[0, :-1]
    logits = base.get_output_embeddings()(hidden).float()
    return torch.nn.functional.cross_entropy(logits, ids[0, 1:])
