"""Decoding that can only write one of given answers."""

from __future__ import annotations

from collections.abc import Sequence

from worldschool.models.likelihood import ScoredTokens


def walk(candidates: Sequence[ScoredTokens]) -> int:
    """Return which candidate greedy decoding writes when only the candidates may be written.

    The candidates' tokens make a tree. From its root, the likeliest of the tokens that continue at least one
    candidate is taken until one candidate is left. All that is compared at one node has the same tokens before it, so the
    log-probabilities of whole sequences, each scored once, hold every decision (no token is generated). No candidate's tokens may
    be the beginning of another's: let each end in a token of its own, such as a line's end. Of equally likely tokens
    that of the earlier candidate is taken.

    Raises:
        ValueError: there are no candidates.
    """
    if not candidates:
        raise ValueError("walk: no candidates")
    left = list(range(len(candidates)))
    depth = 0
    while len(left) > 1:
        going = [index for index in left if len(candidates[index].tokens) > depth]
        if not going:
            return left[0]  # the same tokens throughout
        best = max(going, key=lambda index: candidates[index].logprobs[depth])  # the first of equals
        taken = candidates[best].tokens[depth]
        left = [index for index in going if candidates[index].tokens[depth] == taken]
        depth += 1
    return left[0]
