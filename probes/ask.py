"""Asking one model a suite's items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from worldschool.models.language import LanguageModel
from worldschool.probes.config import SuiteSettings
from worldschool.probes.metrics import EXACT, WRITTEN
from worldschool.probes.suites import with_shots
from worldschool.progress import Advance, silent
from worldschool.records import Example

CHOICE_METRIC = "share of items whose right option has the highest mean token log-likelihood"


@dataclass(frozen=True)
class Answer:
    """What a model answered to one item, its score in [0, 1], and whether it is exactly right."""

    item_id: str
    prediction: str
    score: float
    correct: bool

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self)


def score_prediction(item: Example, prediction: str) -> Answer:
    """Score a generated or chosen answer."""
    if item.options is not None:
        score = float(prediction == item.answer)
    else:
        score = WRITTEN.get(item.task, EXACT).score(prediction, item.answer)
    return Answer(item.example_id, prediction, score, score == 1.0)


def ask(
    model: LanguageModel,
    items: Sequence[Example],
    settings: SuiteSettings,
    shots: Sequence[Sequence[Example]] = (),
    advance: Advance = silent,
) -> list[Answer]:
    """Ask every item; with `shots`, item i is asked behind the list i modulo their number.

    Multiple choice is answered by the option with the highest mean token log-likelihood, anything else by greedy
    generation up to the end of the line.
    """
    answers: list[Answer | None] = [None] * len(items)
    for turn in range(max(1, len(shots))):
        indices = list(range(turn, len(items), max(1, len(shots))))
        asked = [items[i] for i in indices]
        prompts = [with_shots(item, shots[turn]) if shots else item.prompt for item in asked]
        for index, answer in zip(
            indices, _ask_prompts(model, asked, prompts, settings, advance), strict=True
        ):
            answers[index] = answer
    return [answer for answer in answers if answer is not None]


def _ask_prompts(
    model: LanguageModel, items: list[Example], prompts: list[str], settings: SuiteSettings, advance: Advance
) -> list[Answer]:
    if not items:
        return []
    if items[0].options is None:
        texts = model.generate(prompts, settings.max_new_tokens, advance)
        return [score_prediction(item, text) for item, text in zip(items, texts, strict=True)]
    options = [[f" {option}" for option in item.options or ()] for item in items]
    scores = model.score(prompts, options, advance)
    chosen = []
    for item, row in zip(items, scores, strict=True):
        means = [score.logprob / max(score.tokens, 1) for score in row]
        chosen.append((item.options or ())[means.index(max(means))])
    return [score_prediction(item, option) for item, option in zip(items, chosen, strict=True)]
