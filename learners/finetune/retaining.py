"""What a run's retention settings ask for: general texts, the Fisher information, the penalty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worldschool.errors import ConfigError, FisherError
from worldschool.learners.finetune.config import (
    FinetuneConfig,
    FisherSettings,
    GeneralSettings,
    RetentionSettings,
)
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import Targets, matching_parameters
from worldschool.learners.retention.base import Held, Retention
from worldschool.learners.retention.ewc import EWC, L2
from worldschool.learners.retention.general import KLToBase, Replay
from worldschool.models.causal import base_parameters, context_of, without_adapter
from worldschool.models.texts import chunks, load_text, sample_texts
from worldschool.progress import progress

KINDS = {
    "ewc": "elastic weight consolidation",
    "l2": "the squared distance from its weights",
    "kl": "the divergence from its predictions on general text",
    "replay": "general text that is learned, too",
}
"""What each kind of retention is called in a model card."""


@dataclass(frozen=True)
class Remembering:
    """The ways to remember of one run, by kind.

    Attributes:
        held: those whose gradient is written out; it is added after clipping.
        in_loss: those that go through the model, as the examples do.
    """

    held: Mapping[str, Held] = field(default_factory=dict)
    in_loss: Mapping[str, Retention] = field(default_factory=dict)


def make_retention(
    adapted: Any, fisher: Fisher | None, pieces: Sequence[Sequence[int]], settings: RetentionSettings
) -> Remembering:
    """Return what holds a model.

    Args:
        adapted: the model with its adapter.
        fisher: where EWC is asked for; without one EWC is left out.
        pieces: of general text, where `kl` or `replay` is asked for.
        settings: which kinds, and how strong.

    Raises:
        FisherError: the Fisher is for another model or lacks an adapted matrix.
        ModelError: the adapter's update is not s B A.
    """
    held: dict[str, Held] = {}
    in_loss: dict[str, Retention] = {}
    general = settings.general
    for kind, strength in settings.strengths().items():
        if kind == "ewc" and fisher is not None:
            held[kind] = EWC(adapted, fisher, strength, settings.fisher or "fisher")
        elif kind == "l2":
            held[kind] = L2(adapted, strength)
        elif kind == "kl":
            in_loss[kind] = KLToBase(adapted, pieces, strength, general.batch, general.seed)
        elif kind == "replay":
            in_loss[kind] = Replay(adapted, pieces, strength, general.batch, general.seed)
    return Remembering(held, in_loss)


def fisher_for(model: Any, tokenizer: Any, config: FinetuneConfig, out: Path) -> Fisher | None:
    """Return the Fisher information that a run uses: the one it names, the one it made before, or a new one; None without EWC.

    Raises:
        UserError: it cannot be read or measured.
    """
    retention = config.retention
    if "ewc" not in retention.strengths():
        return None
    if retention.fisher is not None:
        return Fisher.load(Path(retention.fisher))
    if (out / "fisher" / "fisher.json").exists():
        return Fisher.load(out / "fisher")
    keep = out / "fisher" / "partial.safetensors"
    fisher = measure_fisher(model, tokenizer, retention.measure, config.lora.target_modules, keep)
    fisher.save(out / "fisher")
    return fisher


def measure_fisher(
    model: Any,
    tokenizer: Any,
    settings: FisherSettings,
    target_modules: Targets,
    keep: Path | None = None,
) -> Fisher:
    """Measure the Fisher information of `model` on general text.

    Args:
        model: a transformers causal language model; adapters are off meanwhile.
        tokenizer: the model's.
        settings: which texts, how much of them, and what is kept.
        target_modules: which layers' weights are measured.
        keep: a file that an interrupted measurement goes on from.

    Raises:
        UserError: a text is missing or too short, or the model has no such modules.
    """
    parameters = matching_parameters(model, target_modules)
    with without_adapter(model):
        pieces = general_pieces(model, tokenizer, settings)
    with progress("Fisher information", len(pieces), "texts") as advance:
        return compute_fisher(
            model,
            pieces,
            parameters,
            advance,
            settings.texts,
            form=settings.form,
            labels=settings.labels,
            seed=settings.seed,
            keep=keep,
        )


def pieces_for(model: Any, tokenizer: Any, settings: RetentionSettings) -> list[list[int]]:
    """Return the general text that `kl` and `replay` remember by, if either is asked for.

    Raises:
        UserError: a text is missing or too short.
    """
    if not {"kl", "replay"} & set(settings.strengths()):
        return []
    return general_pieces(model, tokenizer, settings.general)


def general_pieces(model: Any, tokenizer: Any, settings: FisherSettings | GeneralSettings) -> list[list[int]]:
    """Return pieces of general texts, shared evenly among them, each of `settings.tokens` tokens.

    Raises:
        UserError: a text is missing or too short, or its pieces are longer than the model's context.
    """
    _check_pieces(model, settings)
    pieces: list[list[int]] = []
    for name, count in _shares(settings):
        if name == "sampled":
            with progress("sample general text", settings.tokens, "tokens each") as advance:
                pieces += sample_texts(model, tokenizer, count, settings.tokens, settings.seed, advance)
            continue
        pieces += text_pieces(tokenizer, name, settings.tokens, count, settings.seed)
    return pieces


def check_pieces(model: Any, retention: RetentionSettings) -> None:
    """Check, before anything is measured, that the general texts of a run are there and their pieces fit the model's context.

    Raises:
        UserError: a text is missing, or pieces do not fit.
    """
    kinds = set(retention.strengths())
    wanted: list[FisherSettings | GeneralSettings] = []
    if "ewc" in kinds and retention.fisher is None:
        wanted.append(retention.measure)
    if {"kl", "replay"} & kinds:
        wanted.append(retention.general)
    for settings in wanted:
        _check_pieces(model, settings)
        for name, _ in _shares(settings):
            if name != "sampled":
                load_text(name)


def _check_pieces(model: Any, settings: FisherSettings | GeneralSettings) -> None:
    where = "measure" if isinstance(settings, FisherSettings) else "general"
    check_piece_length(model, settings.tokens, f"retention.{where}.tokens")


def check_piece_length(model: Any, tokens: int, where: str) -> None:
    """Check that pieces of text fit the model's context.

    Raises:
        ConfigError: they do not.
    """
    context = context_of(model)
    if tokens > context:
        raise ConfigError(
            f"pieces of {tokens} tokens do not fit the model's context of {context}",
            where=where,
            mend=f"Give {context} or fewer.",
        )


def text_pieces(tokenizer: Any, name: str, tokens: int, count: int, seed: int) -> list[list[int]]:
    """Return at most `count` pieces of a general text, drawn, each of `tokens` tokens.

    Raises:
        UserError: the text is missing, or no document in it is long enough.
    """
    found = chunks(tokenizer, load_text(name).documents, tokens, count, seed)
    if not found:
        raise FisherError(f"no document in it has {tokens} tokens", where=name, mend="Lower `tokens`.")
    return found


def _shares(settings: FisherSettings | GeneralSettings) -> list[tuple[str, int]]:
    """Return every text's name and how many of the pieces are of it; texts that none is of are left out."""
    share, rest = divmod(settings.samples, len(settings.texts))
    found = [(name, share + (number < rest)) for number, name in enumerate(settings.texts)]
    return [(name, count) for name, count in found if count]


def sampled_share(settings: FisherSettings | GeneralSettings) -> int:
    """Return how many pieces are sampled from the model itself."""
    return sum(count for name, count in _shares(settings) if name == "sampled")


def fisher_bytes(model: Any, config: FinetuneConfig) -> int:
    """Return the bytes of the sums while the Fisher information is measured."""
    weights = base_parameters(model)
    names = matching_parameters(model, config.lora.target_modules)
    return 4 * sum(
        sum(weights[name].shape) if config.retention.measure.form == "factored" else weights[name].numel()
        for name in names
    )
