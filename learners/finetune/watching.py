"""What a run measures on the way: the loss on held-out examples, the perplexity of general text; and when that ends it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import Any, NamedTuple

import torch
from transformers import EarlyStoppingCallback, TrainerCallback, TrainerControl, TrainerState

from worldschool.errors import ConfigError
from worldschool.experience.examples import read_examples
from worldschool.experience.overlap import Overlap
from worldschool.learners.finetune.config import FinetuneConfig, ValidationSettings
from worldschool.learners.finetune.data import (
    Row,
    build_rows,
    collate_rows,
    tell_excluded,
    text_row,
    weight_of,
)
from worldschool.learners.finetune.loss import completion_losses, forward_passes
from worldschool.learners.finetune.retaining import check_piece_length, text_pieces
from worldschool.models.causal import without_dropout
from worldschool.records import Example

ROWS_AT_ONCE = 128
"""Rows that are grouped into forward passes together."""
NLL, RISE, SCORE = "eval_nll", "eval_perplexity_rise", "eval_score"
"""Names in the logs: nats a token on held-out examples; the largest rise of a text's perplexity, a share; what is smallest of
the adapter that is kept (not logged)."""


@dataclass(frozen=True)
class Measured:
    """One measurement: what is logged of it, and its score, infinite where too much was forgotten."""

    logged: Mapping[str, float]
    score: float


class Watched(NamedTuple):
    """What is measured on the way: rows of held-out examples; by general text, its pieces as rows."""

    examples: Sequence[Row]
    texts: Mapping[str, Sequence[Row]]


class Watch:
    """Measures a model that is being trained.

    Args:
        model: with its new adapter; without it, it is what forgetting is measured from.
        examples: rows of held-out examples; none: only texts are measured.
        texts: of each general text, its pieces as rows.
        settings: the limit.
        pad: the token that fills rows up.
    """

    def __init__(
        self,
        model: Any,
        examples: Sequence[Row],
        texts: Mapping[str, Sequence[Row]],
        settings: ValidationSettings,
        pad: int,
    ) -> None:
        self._examples, self._texts, self._settings, self._pad = examples, texts, settings, pad
        with model.disable_adapter():
            self._before = {name: mean_nll(model, rows, pad) for name, rows in texts.items()}

    def measure(self, model: Any, step: int) -> Measured:
        """Measure after `step` optimizer steps."""
        logged: dict[str, float] = {}
        score = float(-step)
        if self._examples:
            logged[NLL] = score = mean_nll(model, self._examples, self._pad)
        rises = {
            name: math.expm1(mean_nll(model, rows, self._pad) - self._before[name])
            for name, rows in self._texts.items()
        }
        if rises:
            logged[RISE] = max(rises.values())
            logged |= {f"{RISE}_{name}": rise for name, rise in rises.items() if len(rises) > 1}
        return Measured(logged, math.inf if too_much(logged, self._settings) else score)


def mean_nll(model: Any, rows: Sequence[Row], pad: int) -> float:
    """Return the weighted mean negative log-likelihood, in nats, of the rows' targets."""
    return float(nll_of_rows(model, rows, pad).sum()) / weight_of(rows)


def nll_of_rows(model: Any, rows: Sequence[Row], pad: int) -> torch.Tensor:
    """Return the weighted sum of every row's negative log-likelihoods, in nats, float64 [rows]; dropout is off.

    Args:
        model: a transformers causal language model, with an adapter or without.
        rows: in any order.
        pad: the token that fills rows up.
    """
    found = torch.zeros(len(rows), dtype=torch.float64)
    numbers = {id(row): number for number, row in enumerate(rows)}
    with torch.no_grad(), without_dropout(model):
        for start in range(0, len(rows), ROWS_AT_ONCE):
            for part in forward_passes(
                sorted(rows, key=lambda row: -len(row.packed))[start : start + ROWS_AT_ONCE]
            ):
                losses = completion_losses(model, collate_rows(part, pad, model.device)).cpu().double()
                own = torch.split(losses, [len(row.targets) for row in part])
                for row, some in zip(part, own, strict=True):
                    found[numbers[id(row)]] = some.sum()
    return found


def too_much(logged: Mapping[str, float], settings: ValidationSettings) -> bool:
    """Return whether a measurement says that more was forgotten than is allowed."""
    return settings.forgetting is not None and not logged.get(RISE, 0.0) <= settings.forgetting


def callbacks_for(settings: ValidationSettings, checkpoint_steps: int) -> list[TrainerCallback]:
    """Return what ends a run early, and what has the last step measured and a checkpoint kept every so many steps."""
    patience = [EarlyStoppingCallback(settings.patience)] if settings.patience is not None else []
    return [*patience, _ForgettingLimit(settings), _Also(checkpoint_steps)]


class _Also(TrainerCallback):  # type: ignore[misc]
    """What the Trainer leaves out: it keeps checkpoints where it measures only, and early releases of version 5 did not measure the end."""

    def __init__(self, checkpoint_steps: int) -> None:
        self._checkpoint_steps = checkpoint_steps

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
        if state.global_step % self._checkpoint_steps == 0:
            control.should_save = True
        return control


class _ForgettingLimit(TrainerCallback):  # type: ignore[misc]
    def __init__(self, settings: ValidationSettings) -> None:
        self._settings = settings

    def on_evaluate(
        self, args: Any, state: Any, control: TrainerControl, metrics: Mapping[str, float], **_: Any
    ) -> None:
        if too_much(metrics, self._settings):
            control.should_training_stop = True


def read_watched(
    model: Any,
    tokenizer: Any,
    trained: Sequence[Example],
    config: FinetuneConfig,
    longest: int,
    tell: bool = True,
) -> Watched | None:
    """Return what a run will measure on the way, if it does.

    Args:
        model: to be trained.
        tokenizer: the model's.
        trained: the examples that are trained on.
        config: the run's settings.
        longest: held-out examples of more tokens are left out.
        tell: whether it says on standard error how many were.

    Raises:
        DatasetError: the held-out examples are trained on, or cannot be used.
        UserError: a text is missing or too short, or its pieces are longer than the model's context.
    """
    settings = config.validation
    if not settings.wanted:
        return None
    examples: Sequence[Row] = ()
    if settings.examples:
        found = [example for path in settings.examples for example in read_examples(path)]
        refuse_overlap(found, trained)
        drawn = draw_episodes(found, settings.items, config.seed)
        held_out = build_rows(tokenizer, drawn, longest, where="validation.examples")
        if tell:
            tell_excluded(held_out, "held-out examples")
        examples = held_out.rows
    texts: dict[str, list[Row]] = {}
    if settings.forgetting is not None:
        check_piece_length(model, settings.tokens, "validation.tokens")
        for name in settings.texts:
            pieces = text_pieces(tokenizer, name, settings.tokens, settings.samples, config.seed)
            texts[name] = [text_row(piece) for piece in pieces]
        if not texts:
            raise ConfigError(
                "`forgetting` has no text to be measured on", where="validation.texts", mend="Name one."
            )
    return Watched(examples, texts)


def refuse_overlap(held_out: Sequence[Example], trained: Sequence[Example]) -> None:
    """Check that no held-out example is trained on: not its prompt, alone or behind others, nor its episode.

    Raises:
        DatasetError: naming those that are.
    """
    overlap = Overlap({"validation": held_out})
    overlap.add(trained)
    overlap.refuse("are trained on", "validation.examples", "Validate on examples of another split.")


def draw_episodes(examples: Sequence[Example], items: int, seed: int) -> list[Example]:
    """Return `items` examples of drawn episodes, each whole but for the last: an episode's share their story's tokens."""
    episodes = [list(group) for _, group in groupby(examples, key=lambda example: example.episode_id)]
    Random(f"validation:{seed}").shuffle(episodes)
    drawn: list[Example] = []
    for episode in episodes:
        if len(drawn) >= items:
            break
        drawn += episode
    return drawn[:items]
