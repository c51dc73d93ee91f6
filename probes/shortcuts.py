"""What can be had without understanding, scored as models are: a probe's score means something where it is above these.

The rules are those of `worldschool.experience.questions`, by which questions were balanced; here they answer the very
items that models are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worldschool.experience.questions.judging import judge, written_answers
from worldschool.records import Example

POOL = 1000
"""Other questions of the task that words are learned from, at most."""


def shortcut_scores(
    items: Sequence[Example],
    others: Sequence[Example] = (),
    score: Callable[[Example, str], float] | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """Return the mean score of each shortcut that applies to a suite's items.

    Options are chosen by the rules and learned words of `judging.judge`. Written paths are written by the rules, and
    scored as a model's answers are.

    Args:
        items: of one suite.
        others: more questions of the task, which the shortcuts that learn may learn from.
        score: scores a written answer in [0, 1]; None: 1 for the answer itself.
        seed: of the order of learning.
    """
    if not items:
        return {}
    asked = {item.example_id for item in items}
    pool = [other for other in others if other.example_id not in asked][:POOL]
    found = dict(judge(items, seed, pool=pool).shortcuts)
    if items[0].options is None and score is not None:
        found |= {
            name: sum(score(item, text) for item, text in zip(items, texts, strict=True)) / len(items)
            for name, texts in written_answers(items).items()
        }
    return found
