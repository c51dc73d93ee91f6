"""Judging a task: what would shortcuts score on its questions, and is the best of them too good?

A task's questions are of no use where a shortcut answers them: whoever is right may have followed it. So a task is
rejected when its best shortcut is more than `MARGIN` over chance, judged on `ENOUGH` questions or more: with so many, a
share is known to within 1.4 points (95%). Fewer are not judged.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from worldschool.errors import DatasetError
from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.questions.shortcuts import (
    RULES,
    WRITTEN_AS,
    WRITTEN_RULES,
    Surface,
    chance_of,
)
from worldschool.experience.questions.words import FOLDS, folds_of, words_right
from worldschool.records import Example

MARGIN = 0.03
"""How far over chance a shortcut may be."""
ENOUGH = 5000
"""Questions from which on a task is judged."""
MOST_KEPT = 6000
"""Questions of a task that are kept to be judged, drawn evenly from all."""
LEARNED_FROM = 8
"""With fewer questions nothing is learned from some for the others."""
SHOWN = (
    "majority",
    "recency",
    "last_place",
    "last_two",
    "most_mentioned",
    "nearest_mention",
    "question_only",
    "bag_of_words",
)
"""Shortcuts shown of every task to which they apply; a task's own rules come behind them."""
CHOICE_RULES = ("recency", "last_place", "most_mentioned", "nearest_mention")


@dataclass(frozen=True)
class Judgement:
    """What shortcuts score on one task's questions.

    Attributes:
        n: questions.
        chance: share that guessing gets right: 1 / options; of written answers see `chance_of`.
        shortcuts: name to share right, `SHOWN` first.
    """

    n: int
    chance: float
    shortcuts: Mapping[str, float]

    @property
    def best(self) -> str | None:
        """The shortcut with the highest share, the first of equals."""
        return max(self.shortcuts, key=lambda name: self.shortcuts[name], default=None)

    @property
    def over(self) -> float:
        """How far the best shortcut is over chance."""
        return self.shortcuts[self.best] - self.chance if self.best is not None else 0.0

    @property
    def judged(self) -> bool:
        """Whether there are enough questions."""
        return self.n >= ENOUGH

    @property
    def rejected(self) -> bool:
        """Whether there are enough questions, and the best shortcut is too good."""
        return self.judged and self.over > MARGIN

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; "ci95" is half the width of the best shortcut's interval."""
        share = self.shortcuts[self.best] if self.best is not None else 0.0
        return {
            "n": self.n,
            "chance": self.chance,
            "shortcuts": dict(self.shortcuts),
            "best": self.best,
            "over": self.over,
            "ci95": 1.96 * math.sqrt(share * (1 - share) / self.n) if self.n else None,
            "judged": self.judged,
            "rejected": self.rejected,
        }


class Kept:
    """Questions of each task, drawn evenly from a stream (reservoir sampling, Vitter 1985).

    Args:
        seed: of the draws.
        most: questions kept of each task.
    """

    def __init__(self, seed: int, most: int = MOST_KEPT) -> None:
        self._most, self._rng = most, Random(f"{seed}:kept")
        self._seen: Counter[str] = Counter()
        self.tasks: dict[str, list[Example]] = defaultdict(list)

    def add(self, example: Example) -> None:
        """Keep an example, or not."""
        kept = self.tasks[example.task]
        self._seen[example.task] += 1
        if len(kept) < self._most:
            kept.append(example)
        elif (at := self._rng.randrange(self._seen[example.task])) < self._most:
            kept[at] = example


def judge(examples: Sequence[Example], seed: int = 0, *, pool: Sequence[Example] = ()) -> Judgement:
    """Return what shortcuts score on one task's questions.

    Args:
        examples: of one task.
        seed: of the order in which words are learned.
        pool: more questions of the task, to learn words from only.
    """
    if not examples:
        return Judgement(0, 0.0, {})
    chance = sum(chance_of(example) for example in examples) / len(examples)
    every = [*examples, *pool]
    learned = len({example.episode_id for example in every}) >= LEARNED_FROM
    if examples[0].options is None:
        found = _written(examples)
        if learned:
            found["question_only"] = _asked_alike(every, len(examples))
    else:
        found = _chosen(examples)
        if learned:
            found["question_only"] = words_right(every, len(examples), seed, story=False)
            found["bag_of_words"] = words_right(every, len(examples), seed, story=True)
    order = [*SHOWN, *sorted(set(found) - set(SHOWN))]
    return Judgement(len(examples), chance, {name: found[name] for name in order if name in found})


def written_answers(examples: Sequence[Example]) -> dict[str, list[str]]:
    """Return what each rule writes to each of one task's questions; nothing where none has rooms to write."""
    metas = [json.loads(example.meta) for example in examples]
    if not any(meta.get("rooms") for meta in metas):
        return {}
    surfaces = [Surface(example, meta) for example, meta in zip(examples, metas, strict=True)]
    return {name: [WRITTEN_RULES[rule](one) for one in surfaces] for name, rule in WRITTEN_AS.items()}


def refuse(judgements: Mapping[str, Judgement], *, balanced: bool) -> None:
    """Refuse tasks whose best shortcut is too good.

    Raises:
        DatasetError: naming each task, the shortcut, its score and chance, and the mend.
    """
    told = [
        f"{task}: {_name(one.best)} is right {one.shortcuts[str(one.best)]:.1%} of the time, chance is {one.chance:.1%}"
        for task, one in judgements.items()
        if one.rejected
    ]
    if told:
        mend = (
            "Ask less of each episode (`per_episode`), or about longer and more varied ones"
            if balanced
            else "Set `balance: true`"
        )
        raise DatasetError(
            f"a shortcut pays by more than {100 * MARGIN:.0f} points ({'; '.join(told)})",
            where="examples",
            mend=f"{mend}; with `refuse: none` they are built as they are.",
        )


def _chosen(examples: Sequence[Example]) -> dict[str, float]:
    task = examples[0].task
    rules = dict.fromkeys((*CHOICE_RULES, *(BUILDERS[task].rules if task in BUILDERS else ())))
    credits = dict.fromkeys((name for name in rules if name in RULES), 0.0)
    spoke: Counter[str] = Counter()
    for example in examples:
        surface = Surface(example, json.loads(example.meta))
        for name in credits:
            scores = RULES[name](surface)
            if scores is None:  # where a rule says nothing, whoever follows it guesses
                credits[name] += chance_of(example)
                continue
            spoke[name] += 1
            best = max(scores)
            credits[name] += (scores[example.answer_index or 0] == best) / scores.count(best)
    found = {name: credits[name] / len(examples) for name in credits if spoke[name]}
    return found | {"majority": _majority(examples)}


def _majority(examples: Sequence[Example]) -> float:
    """Return the share of the most frequent answer; where options differ, of the most frequent place of the right one."""
    if len({example.options for example in examples}) == 1:
        return Counter(example.answer for example in examples).most_common(1)[0][1] / len(examples)
    by_number: dict[int, Counter[int | None]] = defaultdict(Counter)
    for example in examples:
        by_number[len(example.options or ())][example.answer_index] += 1
    return sum(counts.most_common(1)[0][1] for counts in by_number.values()) / len(examples)


def _written(examples: Sequence[Example]) -> dict[str, float]:
    usual = Counter(example.answer for example in examples).most_common(1)[0][1]
    found = {"majority": usual / len(examples)}
    for name, texts in written_answers(examples).items():
        right = sum(text == example.answer for text, example in zip(texts, examples, strict=True))
        found[name] = right / len(examples)
    return found


def _asked_alike(examples: Sequence[Example], asked: int) -> float:
    """Return the share right of the most frequent answer to the same question about other episodes, or of all answers.

    Args:
        examples: the first `asked` of them are answered, all are learned from.
    """
    fold = folds_of(examples)
    questions = [
        example.prompt.replace(str(json.loads(example.meta).get("story", "")), "", 1) for example in examples
    ]
    right = 0
    for left_out in range(FOLDS):
        overall: Counter[str] = Counter()
        alike: dict[str, Counter[str]] = defaultdict(Counter)
        for at, example in enumerate(examples):
            if fold[at] != left_out:
                overall[example.answer] += 1
                alike[questions[at]][example.answer] += 1
        if not overall:
            continue
        for at in range(asked):
            if fold[at] == left_out:
                told = alike.get(questions[at], overall)
                right += told.most_common(1)[0][0] == examples[at].answer
    return right / asked


def _name(rule: str | None) -> str:
    return (rule or "").replace("_", " ")
