"""How one answer is scored, in [0, 1]."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from worldschool.probes.rouge import rouge

_SENTENCE_END = re.compile(r"\.(?=\s|$)")


def longest_common_run(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest run of consecutive elements that both sequences contain."""
    best = 0
    row = [0] * (len(other) + 1)
    for left in one:
        previous = 0
        for at, right in enumerate(other, start=1):
            previous, row[at] = row[at], previous + 1 if left == right else 0
            best = max(best, row[at])
    return best


def run_share(prediction: Sequence[str], answer: Sequence[str]) -> float:
    """Return the longest common run over the longer sequence's length: E2WM's path metric (Xiang et al. 2023)."""
    longer = max(len(prediction), len(answer))
    return longest_common_run(prediction, answer) / longer if longer else 1.0


def split_path(text: str) -> list[str]:
    """Read a list of rooms: split at ", ", lower case, without a leading "the" or a final full stop."""
    parts = [part.strip().strip(".").lower() for part in text.split(", ")]
    return [part.removeprefix("the ").strip() for part in parts if part]


def split_plan(text: str) -> list[str]:
    """Read a plan: its sentences in lower case. A full stop inside a word ("1.5 inch") ends none."""
    return [part.strip().lower() for part in _SENTENCE_END.split(text) if part.strip()]


def path_score(prediction: str, answer: str) -> float:
    """Score a path of rooms by `run_share`."""
    return run_share(split_path(prediction), split_path(answer))


def plan_score(prediction: str, answer: str) -> float:
    """Score a plan by `run_share` over its sentences."""
    return run_share(split_plan(prediction), split_plan(answer))


def exact_score(prediction: str, answer: str) -> float:
    """Score 1.0 for the answer itself, case and white space aside."""
    return float(prediction.lower().split() == answer.lower().split())


def rouge_score(prediction: str, answer: str) -> float:
    """Score a text by ROUGE-L's F1, words stemmed."""
    return rouge(prediction, answer)["rouge_l"]


def e2wm_path_score(prediction: str, answer: str) -> float:
    """Score a path of rooms as E2WM does: `run_share` of what ", " parts, as it is written."""
    return run_share(prediction.split(", "), answer.split(", "))


def list_score(prediction: str, answer: str) -> float:
    """Score 1.0 for the answer itself, case, articles, a final full stop and spaces about commas aside."""
    return float(split_path(prediction.replace(",", ", ")) == split_path(answer.replace(",", ", ")))


class Metric(NamedTuple):
    """How answers are scored that a model writes, and that in words."""

    score: Callable[[str, str], float]
    about: str


_PLAN = Metric(plan_score, "longest common run of steps over the longer plan's length")
WRITTEN = {
    "object_path": Metric(path_score, "longest common run of rooms over the longer path's length"),
    "plan_generation": _PLAN,
    "plan_generation_confusing": _PLAN,
    "shopping_plan": _PLAN,
    "robothow_plans": _PLAN,
    "e2wm_obj_move_path": Metric(
        e2wm_path_score, "longest common run of rooms over the longer path's length, as written"
    ),
    **dict.fromkeys(
        (
            "e2wm_plan_gen",
            "e2wm_plan_gen_confusing",
            "e2wm_plan_gen_unseen",
            "e2wm_plan_gen_unseen_confusing",
        ),
        Metric(rouge_score, "ROUGE-L, F1 of stemmed words"),
    ),
    **{
        f"babi_qa{task}": Metric(list_score, "share of items answered with the answer itself")
        for task in range(1, 21)
    },
}
"""Task to metric, of tasks without options."""
EXACT = Metric(exact_score, "share of items answered with the answer itself, case and spaces aside")
"""Of any other task without options."""
