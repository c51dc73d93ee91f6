"""What a run's retention settings ask for: general texts, the Fisher information, the penalty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worldschool.errors import FisherError
from worldschool.learners.finetune.config import (
    FinetuneConfig,
    FisherSettings,
    GeneralSettings,
    RetentionSettings,
)
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters
from worldschool.learners.retention.base import Combined, NoRetention, Retention
from worldschool.learners.retention.ewc import EWC, L2
from worldschool.learners.retention.general import KLToBase, Replay
from worldschool.models.texts import chunks, load_text, sample_texts
from worldschool.progress import progress

KINDS = {
    "ewc": "elastic weight consolidation",
    "l2": "the squared distance from its weights",
    "kl": "the divergence from its predictions on general text",
    "replay": "general text that is learned, too",
}
"""What each kind of retention is called in a model card."""


def make_retention(
    adapted: Any, fisher: Fisher | None, pieces: Sequence[Sequence[int]], settings: RetentionSettings
) -> Retention:
    """Return what is added to the loss.

    Args:
        adapted: the model with its adapter.
        fisher: where EWC is asked for; without one EWC is left out.
        pieces: of general text, where `kl` or `replay` is asked for.
        settings: which kinds, and how strong.

    Raises:
        FisherError: the Fisher is for another model or lacks an adapted matrix.
        ModelError: the adapter's update is not s B A.
    """
    parts: list[Retention] = []
    general = settings.general
    for kind, strength in settings.strengths().items():
        if kind == "ewc" and fisher is not None:
            parts.append(EWC(adapted, fisher, strength, settings.fisher or "fisher"))
        elif kind == "l2":
            parts.append(L2(adapted, strength))
        elif kind == "kl":
            parts.append(KLToBase(adapted, pieces, strength, general.batch, general.seed))
        elif kind == "replay":
            parts.append(Replay(adapted, pieces, strength, general.batch, general.seed))
    if len(parts) > 1:
        return Combined(parts)
    return parts[0] if parts else NoRetention()


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
    target_modules: Sequence[str],
    keep: Path | None = None,
) -> Fisher:
    """Measure the Fisher information of `model` on general text.

    Args:
        model: a transformers causal language model.
        tokenizer: the model's.
        settings: which texts, how much of them, and what is kept.
        target_modules: last names of the modules whose weights are measured.
        keep: a file that an interrupted measurement goes on from.

    Raises:
        UserError: a text is missing or too short, or the model has no such modules.
    """
    parameters = matching_parameters(model, target_modules)
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
        UserError: a text is missing or too short.
    """
    share, rest = divmod(settings.samples, len(settings.texts))
    pieces: list[list[int]] = []
    for number, name in enumerate(settings.texts):
        count = share + (number < rest)
        if count == 0:
            continue
        if name == "sampled":
            with progress("sample general text", settings.tokens, "tokens each") as advance:
                pieces += sample_texts(model, tokenizer, count, settings.tokens, settings.seed, advance)
            continue
        found = chunks(tokenizer, load_text(name).documents, settings.tokens, count, settings.seed)
        if not found:
            raise FisherError(
                f"no document in it has {settings.tokens} tokens", where=name, mend="Lower `tokens`."
            )
        pieces += found
    return pieces
