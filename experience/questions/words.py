"""A bag of words that answers: how much can be learned from words alone, whatever their order?

For each option a linear score over words; options compete by softmax (conditional logistic regression, McFadden 1974),
learned item by item with AdaGrad steps (Duchi, Hazan and Singer 2011). Where options are always the same (yes or no,
numbers), each has weights of its own for the words of story and question. Where they differ, an option is seen as its
own words, those with the question's words, and the words of the story's sentences that name it. Words are hashed
(Weinberger et al. 2009), so that nothing but numbers is kept.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter, deque
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Any, TypeAlias

import numpy
from numpy.typing import NDArray

from worldschool.experience.questions.shortcuts import Surface
from worldschool.records import Example

Bag: TypeAlias = tuple[NDArray[numpy.int64], NDArray[numpy.float64]]
"""Hashed words, and how often each occurs (int64 [words], float64 [words])."""
Cues: TypeAlias = tuple[Bag, ...]
"""A bag of words for each option."""

SIZE = 1 << 16
"""Hash buckets."""
PRIME = 4294967291
MOST = 4.0
"""A word counts at most so often."""
RATE = 0.3
SHORT = 3
"""Options of at most so many letters are classes: "yes", "no", numbers."""
LONG = 80
"""Options with more characters are whole texts, of which the question's words say nothing."""
FOLDS, EPOCHS = 4, 3
REMEMBERED, AGAIN = 3000, 3
"""Questions that a `Reader` keeps, and how many of them it learns again with each new one."""


class WordModel:
    """Weights of hashed words; learns from one question after another."""

    def __init__(self) -> None:
        self._weights = numpy.zeros(SIZE)
        self._squares = numpy.full(SIZE, 1e-2)

    def scores(self, cues: Cues) -> NDArray[numpy.float64]:
        """Return a score for each option, float64 [options]."""
        return numpy.array([self._weights[ids] @ counts for ids, counts in cues])

    def credit(self, cues: Cues, right: int) -> float:
        """Return 1 / (options that share the highest score) if the right one is among them, else 0."""
        scores = self.scores(cues)
        best = scores >= scores.max() - 1e-9
        return float(best[right]) / float(best.sum())

    def learn(self, cues: Cues, right: int) -> None:
        """Make the right option a little more likely."""
        scores = self.scores(cues)
        likely = numpy.exp(scores - scores.max())
        likely /= likely.sum()
        for at, (ids, counts) in enumerate(cues):
            slope = (likely[at] - (at == right)) * counts
            self._squares[ids] += slope * slope
            self._weights[ids] -= RATE * slope / numpy.sqrt(self._squares[ids])


class Reader:
    """Learns from a stream of questions, some of them again with each new one: a single pass would teach it less than
    `words_right` learns from all of them.
    """

    def __init__(self) -> None:
        self.model = WordModel()
        self._random = Random(0)
        self._kept: deque[tuple[Cues, int]] = deque(maxlen=REMEMBERED)

    def learn(self, cues: Cues, right: int) -> None:
        """Learn a question."""
        self._kept.append((cues, right))
        self.model.learn(cues, right)
        for _ in range(AGAIN):
            self.model.learn(*self._kept[self._random.randrange(len(self._kept))])


def words_right(examples: Sequence[Example], asked: int, seed: int, *, story: bool) -> float:
    """Return the share of questions that words answer, each by what was learned from other episodes' questions.

    Args:
        examples: of one task, with options; the first `asked` of them are answered, all are learned from.
        asked: how many are answered.
        seed: of the order of learning.
        story: whether the story's words are read, or the question and the options only.
    """
    cues = [cues_of(example, json.loads(example.meta), story=story) for example in examples]
    fold = folds_of(examples)
    credit = 0.0
    for left_out in range(FOLDS):
        others = [at for at in range(len(examples)) if fold[at] != left_out]
        rng, model = Random(f"{seed}:{left_out}"), WordModel()
        for _ in range(EPOCHS):
            rng.shuffle(others)
            for at in others:
                model.learn(cues[at], examples[at].answer_index or 0)
        credit += sum(
            model.credit(cues[at], examples[at].answer_index or 0)
            for at in range(asked)
            if fold[at] == left_out
        )
    return credit / asked


def folds_of(examples: Sequence[Example]) -> list[int]:
    """Return for each example which part it belongs to, of `FOLDS`; one episode's are in one part."""
    episodes = {name: at for at, name in enumerate(sorted({example.episode_id for example in examples}))}
    return [episodes[example.episode_id] % FOLDS for example in examples]


def cues_of(example: Example, meta: dict[str, Any], *, story: bool) -> Cues:
    """Return what the bag of words sees of a question with options."""
    options = example.options or ()
    told = str(meta.get("story", ""))
    asked = _bag(_words(example.prompt.replace(told, "", 1) if told else example.prompt), "asked")
    if all(len(option) <= SHORT for option in options):
        seen = _joined([asked, _bag(_words(told), "told")]) if story else asked
        return tuple(_crossed(seen, _number(option)) for option in options)
    surface = Surface(example, meta)
    return tuple(_option_cues(surface, at, asked, story=story and bool(told)) for at in range(len(options)))


def _option_cues(surface: Surface, at: int, asked: Bag, *, story: bool) -> Bag:
    """Return an option's words, alone and with the question's, and those of the sentences that name it."""
    own = sorted(set(_words(surface.options[at])))
    found = [_bag(own, "option")]
    if len(surface.options[at]) <= LONG:
        found += [_crossed(asked, _number(word)) for word in own]
    if story:
        text, beside = surface.text, []
        for sentence in text.sentences(surface.keys[at]):
            end = text.starts[sentence + 1] if sentence + 1 < len(text.starts) else len(text.text)
            beside += sorted(set(_words(text.text[text.starts[sentence] : end])))
        found.append(_bag(beside, "beside"))
    return _joined(found)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _bag(words: Sequence[str], kind: str) -> Bag:
    """Return hashed words and how often each occurs; `kind` tells the same word of question and story apart."""
    counts = Counter(words)
    ids = numpy.array([_number(f"{kind}:{word}") % SIZE for word in counts], numpy.int64)
    return ids, numpy.minimum(numpy.array(list(counts.values()), numpy.float64), MOST)


@lru_cache(maxsize=1 << 16)
def _number(word: str) -> int:
    return zlib.crc32(word.encode())


def _crossed(bag: Bag, other: int) -> Bag:
    """Return the words of a bag, each together with another one."""
    return (bag[0] * 31 + other * 17) % PRIME % SIZE, bag[1]


def _joined(bags: Sequence[Bag]) -> Bag:
    return numpy.concatenate([ids for ids, _ in bags]), numpy.concatenate([counts for _, counts in bags])
