"""Asking one model a suite's items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from worldschool.errors import DatasetError, ModelError
from worldschool.models.language import LanguageModel, ProbedModel
from worldschool.models.likelihood import NotFiniteError
from worldschool.probes.choice import best, metric_text, neutral_logprobs, normalised, read_choice
from worldschool.probes.config import Normalization, SuiteSettings
from worldschool.probes.metrics import EXACT, WRITTEN
from worldschool.probes.suites import with_shots
from worldschool.progress import Advance, silent
from worldschool.records import Example

FOR_FREE: tuple[Normalization, ...] = ("sum", "tokens", "bytes")
"""Normalisations that need nothing but the scores that any of them needs."""


@dataclass(frozen=True)
class Answer:
    """What a model answered to one item, its score in [0, 1], and whether it is exactly right.

    `by_normalization` says, of scored options, whether each normalisation's best option is right.
    """

    item_id: str
    prediction: str
    score: float
    correct: bool
    by_normalization: dict[str, bool] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)


def score_prediction(
    item: Example, prediction: str, by_normalization: dict[str, bool] | None = None
) -> Answer:
    """Score a generated or chosen answer."""
    if item.options is not None:
        score = float(prediction == item.answer)
    else:
        score = WRITTEN.get(item.task, EXACT).score(prediction, item.answer)
    return Answer(item.example_id, prediction, score, score == 1.0, by_normalization or {})


def suite_metric(item: Example, settings: SuiteSettings) -> str:
    """Return in words how a suite of items such as this one is asked and scored."""
    if item.options is None:
        written = WRITTEN.get(item.task, EXACT).about
        return f"{written}; constrained decoding" if settings.decoding == "constrained" else written
    if settings.decoding is None:
        return metric_text(settings.normalization, settings.neutral)
    how = "among the options" if settings.decoding == "constrained" else "freely"
    return f"share of items whose right option is written, decoding {how}"


def by_normalization(answers: Sequence[Answer]) -> dict[str, float]:
    """Return the share of items that each normalisation's best option gets right."""
    kinds = answers[0].by_normalization if answers else {}
    return {kind: sum(one.by_normalization[kind] for one in answers) / len(answers) for kind in kinds}


def ask(
    model: LanguageModel,
    items: Sequence[Example],
    settings: SuiteSettings,
    shots: Sequence[Sequence[Example]] = (),
    advance: Advance = silent,
) -> list[Answer]:
    """Ask every item; with `shots`, item i is asked behind the list i modulo their number.

    Multiple choice is answered by the option with the highest normalised log-likelihood (the first of equals), anything
    else by greedy generation up to the end of the line; `settings.decoding` has options generated too.

    Raises:
        DatasetError: an option has no token.
        ModelError: a prompt is empty or too long, or the model's logits at an item are not finite.
    """
    answers: list[Answer | None] = [None] * len(items)
    neutral: dict[str, float] = {}
    if settings.normalization == "unconditional" and settings.decoding is None:
        options = [option for item in items for option in item.options or ()]
        neutral = neutral_logprobs(model, options, settings.neutral) if options else {}
    for turn in range(max(1, len(shots))):
        indices = list(range(turn, len(items), max(1, len(shots))))
        asked = [items[i] for i in indices]
        prompts = [with_shots(item, shots[turn]) if shots else item.prompt for item in asked]
        try:
            found = _ask_prompts(model, asked, prompts, settings, neutral, advance, items)
        except NotFiniteError as error:
            item = asked[error.prompt]
            raise ModelError(
                f"the model's logits at the item {item.example_id} of {item.task!r} are not finite numbers",
                where=model.name,
                mend=error.mend,
            ) from None
        for index, answer in zip(indices, found, strict=True):
            answers[index] = answer
    return [answer for answer in answers if answer is not None]


def _ask_prompts(
    model: LanguageModel,
    items: list[Example],
    prompts: list[str],
    settings: SuiteSettings,
    neutral: dict[str, float],
    advance: Advance,
    suite: Sequence[Example],
) -> list[Answer]:
    if not items:
        return []
    if settings.decoding == "constrained":
        return _write_one_of(cast(ProbedModel, model), items, prompts, candidates(suite, settings), advance)
    if items[0].options is None or settings.decoding == "free":
        texts = model.generate(prompts, settings.max_new_tokens, advance)
        if items[0].options is not None:
            pairs = zip(items, texts, strict=True)
            texts = [read_choice(text, item.options or ()) or text for item, text in pairs]
        return [score_prediction(item, text) for item, text in zip(items, texts, strict=True)]
    options = [[f" {option}" for option in item.options or ()] for item in items]
    scores = model.score(prompts, options, advance)
    kinds = (*FOR_FREE, *(("unconditional",) if neutral else ()))
    found = []
    for item, row in zip(items, scores, strict=True):
        given = item.options or ()
        _check_tokens(model, item, [score.tokens for score in row])
        chosen = {
            kind: given[best(normalised(given, row, cast(Normalization, kind), neutral))] for kind in kinds
        }
        right = {kind: option == item.answer for kind, option in chosen.items()}
        found.append(score_prediction(item, chosen[settings.normalization], right))
    return found


def _check_tokens(model: LanguageModel, item: Example, tokens: list[int]) -> None:
    if 0 in tokens:
        raise DatasetError(
            f"the option {(item.options or ())[tokens.index(0)]!r} of the item {item.example_id} has no token at all "
            f"for {model.name}",
            where=item.task,
            mend="Leave the item out, or write the option in letters that the model's tokenizer knows.",
        )


def candidates(items: Sequence[Example], settings: SuiteSettings) -> tuple[str, ...]:
    """Return what constrained decoding may write for items without options."""
    return settings.candidates or tuple(sorted({item.answer for item in items}))


def _write_one_of(
    model: ProbedModel,
    items: list[Example],
    prompts: list[str],
    otherwise: tuple[str, ...],
    advance: Advance,
) -> list[Answer]:
    """Decode among an item's options, or `otherwise` where it has none."""
    lists = [item.options or otherwise for item in items]
    # Each ends in a line's end, as completions do: no candidate is the beginning of another.
    written = [[f" {text}\n" for text in texts] for texts in lists]
    chosen = model.choose(prompts, written, advance)
    return [
        score_prediction(item, texts[index]) for item, texts, index in zip(items, lists, chosen, strict=True)
    ]
