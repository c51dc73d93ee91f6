"""The answers of the worked examples in a prompt, which can be learned as well as the last one."""

from __future__ import annotations

from typing import Any


def answer_spans(prompt: str) -> list[tuple[int, int]]:
    """Return where in a prompt the worked examples' answers are: each begins behind its label, and its line break is the end.

    Worked examples end with a blank line, and the last line of each begins as the whole prompt ends: with "Answer:", say.
    """
    label = prompt[prompt.rfind("\n") + 1 :].rstrip(" ")
    if not label:
        return []
    found, start = [], 0
    while (end := prompt.find("\n\n", start)) >= 0:
        line = prompt.rfind("\n", start, end) + 1
        if prompt.startswith(label, max(line, start)):
            found.append((max(line, start) + len(label), end + 1))
        start = end + 2
    return found


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
