"""Items that cannot be asked: refused by name where the data is at fault, left out and counted where they are too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from worldschool.errors import DatasetError
from worldschool.models.language import ProbedModel
from worldschool.probes.ask import candidates
from worldschool.probes.config import SuiteSettings
from worldschool.probes.suites import with_shots
from worldschool.records import Example

LONGEST_CANDIDATES = 4
"""Candidates, those of most tokens, that are tried behind every item: a token may join the prompt's end to one of them."""


def check_items(items: Sequence[Example], settings: SuiteSettings, where: str) -> None:
    """Refuse items that have no one right answer, or nothing to ask.

    Args:
        items: of one suite.
        settings: how it is asked.
        where: the file and suite, for errors.

    Raises:
        DatasetError: an item has no prompt or answer, an empty option, one option twice, or an answer that is not among
            the options; or a candidate of constrained decoding cannot be written, or the answer is not among them.
    """
    for item in items:
        problem = _problem(item)
        if problem:
            raise DatasetError(
                f"the item {item.example_id} {problem}",
                where=where,
                mend="Mend it in the file, or leave it out.",
            )
    if settings.decoding == "constrained":
        _check_candidates(items, settings, where)


def _problem(item: Example) -> str | None:
    if not item.prompt.strip():
        return "has an empty prompt"
    if item.options is None:
        return None if item.answer.strip() else "has an empty answer"
    if len(item.options) < 2:
        return f"has {len(item.options)} options, where two or more are expected"
    if any(not option.strip() for option in item.options):
        return "has an empty option"
    ((most, count),) = Counter(" ".join(option.split()) for option in item.options).most_common(1)
    if count > 1:
        return f"has the option {most!r} {count} times"
    if item.answer not in item.options:
        return f"has the answer {item.answer!r}, which is not among its options: {', '.join(item.options)}"
    if item.answer_index is not None and (
        not 0 <= item.answer_index < len(item.options) or item.options[item.answer_index] != item.answer
    ):
        return f"has answer_index {item.answer_index}, which is not the place of its answer {item.answer!r}"
    return None


def _check_candidates(items: Sequence[Example], settings: SuiteSettings, where: str) -> None:
    others = candidates(items, settings)
    for item in items:
        allowed = item.options or others
        broken = [text for text in allowed if "\n" in text or not text.strip()]
        if broken:
            raise DatasetError(
                f"{broken[0]!r} cannot be written on one line, as constrained decoding of {item.example_id} would",
                where=where,
                mend="Set decoding: free, or give other candidates.",
            )
        if item.answer not in allowed:
            raise DatasetError(
                f"the answer {item.answer!r} of {item.example_id} is not among the candidates",
                where=where,
                mend="Add it to `candidates`.",
            )


def fitting(
    model: ProbedModel,
    items: Sequence[Example],
    settings: SuiteSettings,
    shots: Sequence[Sequence[Example]],
    where: str,
) -> list[Example]:
    """Return the items that fit the model's context however they are asked, in their order; nothing is cut.

    An item fits when its prompt, bare or behind any of the lists of `shots`, does so together with its longest option or
    with `max_new_tokens`. All models compared are asked the same items. Where only a server knows the number of
    tokens, all items are returned, and the server will refuse those that are too long.

    Raises:
        DatasetError: none fits.
    """
    if not items:
        return []
    longest = []
    for item in items:
        variants = [item.prompt, *(with_shots(item, one) for one in shots)]
        counts = model.count_tokens(variants)
        if counts is None:
            return list(items)
        longest.append(variants[counts.index(max(counts))])
    others = _longest(model, candidates(items, settings)) if settings.decoding == "constrained" else ()
    lengths = [
        _length(model, item, prompt, others, settings) for item, prompt in zip(items, longest, strict=True)
    ]
    kept = [item for item, length in zip(items, lengths, strict=True) if length <= model.context_length]
    if not kept:
        raise DatasetError(
            f"none of the {len(items)} items fits the context of {model.name} ({model.context_length} tokens); "
            f"the shortest takes {min(lengths)}",
            where=where,
            mend="Ask shorter questions or show fewer shots, or use a model with a longer context.",
        )
    return kept


def _length(
    model: ProbedModel, item: Example, prompt: str, others: tuple[str, ...], settings: SuiteSettings
) -> int:
    """Return the tokens of a prompt with its longest completion."""
    written = settings.decoding == "constrained"
    if item.options is None and not written or settings.decoding == "free":
        return _counts(model, [prompt])[0] + settings.max_new_tokens
    end = "\n" if written else ""
    texts = [f" {text}{end}" for text in item.options or others]
    return max(_counts(model, [prompt + text for text in texts]))


def _longest(model: ProbedModel, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the few texts of most tokens: each item with each text would be too many to tokenise."""
    counts = _counts(model, [f" {text}" for text in texts])
    order = sorted(range(len(texts)), key=lambda index: (-counts[index], index))
    return tuple(texts[index] for index in order[:LONGEST_CANDIDATES])


def _counts(model: ProbedModel, texts: list[str]) -> list[int]:
    return model.count_tokens(texts) or [0] * len(texts)
