"""The answers of the worked examples in a prompt, which can be learned as well as the last one."""

from __future__ import annotations

from typing import Any

from worldschool.experience.questions.shots import answer_spans


def answer_tokens(tokenizer: Any, prompt: str) -> list[int]:
    """Return which of a prompt's tokens belong to worked answers: their indices, ascending. A token belongs where it begins.

    Args:
        tokenizer: one that tells where in the text a token is (a fast one).
        prompt: with worked examples or without.
    """
    spans = answer_spans(prompt)
    if not spans:
        return []
    encoded = tokenizer(prompt, return_offsets_mapping=True)
    found = []
    for at, (begin, end) in enumerate(encoded["offset_mapping"]):
        if end > begin and any(low <= begin < high for low, high in spans):
            found.append(at)
    return found
