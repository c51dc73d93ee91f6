"""Which option a model picks: how log-likelihoods are normalised, and how a written answer is read as an option."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from worldschool.models.language import CompletionScore, LanguageModel
from worldschool.probes.config import Normalization

OPTIONS_PER_PASS = 64
"""Options scored behind the neutral context at once."""
_ARTICLE = re.compile(r"^(?:the|an|a) ")
_OUTER = " .,;:!?\"'"


def metric_text(normalization: Normalization, neutral: str) -> str:
    """Return in words what the score of a choice is, for results and reports."""
    highest = "share of items whose right option has the highest"
    return {
        "sum": f"{highest} log-likelihood",
        "tokens": f"{highest} mean token log-likelihood",
        "bytes": f"{highest} log-likelihood per byte",
        "unconditional": f"{highest} log-likelihood less that after {neutral!r} alone",
    }[normalization]


def neutral_logprobs(model: LanguageModel, options: Sequence[str], neutral: str) -> dict[str, float]:
    """Return the log-likelihood (nats) of each distinct option after the neutral context, each computed once."""
    distinct = sorted(set(options))
    groups = [distinct[at : at + OPTIONS_PER_PASS] for at in range(0, len(distinct), OPTIONS_PER_PASS)]
    scores = model.score([neutral] * len(groups), [[f" {option}" for option in group] for group in groups])
    return {
        option: score.logprob
        for group, row in zip(groups, scores, strict=True)
        for option, score in zip(group, row, strict=True)
    }


def normalised(
    options: Sequence[str],
    scores: Sequence[CompletionScore],
    normalization: Normalization,
    neutral: Mapping[str, float],
) -> list[float]:
    """Return what options are compared by, in nats: higher is better.

    Args:
        options: as the item gives them; bytes are counted of these, without the space put before them.
        scores: of " " + option after the prompt.
        normalization: which one. "tokens" and "unconditional" are the `ln` and `un` of Xiang et al. 2023
            (arXiv:2305.10626); "bytes" is the harness's `acc_bytes` (Gao et al., lm-evaluation-harness).
        neutral: option to its log-likelihood after the neutral context; read for "unconditional" only.
    """
    if normalization == "sum":
        return [score.logprob for score in scores]
    if normalization == "tokens":
        return [score.logprob / max(score.tokens, 1) for score in scores]
    if normalization == "bytes":
        return [
            score.logprob / max(len(option.encode()), 1)
            for option, score in zip(options, scores, strict=True)
        ]
    return [score.logprob - neutral[option] for option, score in zip(options, scores, strict=True)]


def best(values: Sequence[float]) -> int:
    """Return the index of the highest value; of equal ones the first, as the options stand in the item."""
    return max(range(len(values)), key=lambda index: values[index])


def read_choice(text: str, options: Sequence[str]) -> str | None:
    """Return the option that a freely written line names, or None.

    Case, white space, a leading article and punctuation at the ends are left aside. The line names the option that it
    equals, or else the longest one that it begins with, at the end of a word. Nothing further in is looked for: "not the
    kitchen" is no answer.
    """
    said = _plain(text)
    plain = {option: _plain(option) for option in options}
    equal = [option for option in options if plain[option] == said]
    if equal:
        return equal[0]
    begun = [
        option for option in options if plain[option] and re.match(rf"{re.escape(plain[option])}\b", said)
    ]
    return max(begun, key=lambda option: len(plain[option])) if begun else None


def _plain(text: str) -> str:
    return _ARTICLE.sub("", " ".join(text.casefold().split()).strip(_OUTER))
