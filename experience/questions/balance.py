"""Balancing: of the questions that could be asked about each episode, those are asked that keep shortcuts at chance.

Questions come in a stream, so nothing is drawn again: for every rule that must not pay, every answer, every word of an
option and every position of the right one, a deviation is kept, the sum of what it got minus what chance would have
got. A question is asked if it leaves every deviation within its bound, or brings it nearer to zero; among an episode's
questions that one is asked first that makes the sum of squared deviations smallest (online vector balancing; Spencer
1977, "Balancing games", Journal of Combinatorial Theory B 23). As long as that holds, no rule is right more than
`TOLERANCE` above chance (nor, of more than two options, less than half as often as chance).

Not every dataset has what it takes: where little is left, bounds widen, and at least `LEAST` of what could be asked is
asked, whatever the deviations.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from worldschool.experience.questions.shortcuts import WRITTEN_RULES, chance_of, rule_credits
from worldschool.experience.questions.words import Cues, Reader, cues_of
from worldschool.records import Example

TOLERANCE = 0.02
"""How far from chance a rule may get, as a share of the questions asked alike."""
SLACK = 2.0
"""How far it may get in questions, while there are few."""
ENOUGH, WIDEST = 0.5, 1.25
"""With less than this share of what could be asked being asked, bounds widen, up to so many times at `LEAST`: still less
than the 3 points over chance for which a task is refused (`judging`)."""
LEAST = 0.2
"""Share of what could be asked that is asked in any case; answers rarer than that allows for stay as rare as they are."""
WORDS = {"words": True, "words of the question": False}
"""Rules that are learned from the questions asked so far, to whether they read the story: bags of words, which must not
answer the next (as Zellers et al. 2018, "SWAG", filter questions by models that learn from the others)."""
ONE_SIDED = (*WRITTEN_RULES, *WORDS)
"""Rules that may be wrong as often as they like: of many answers that could be written one is ruled out, and words are
learned anew with each question."""
LONG = 80
"""Options with more characters are whole texts: how often their words are right is not balanced."""

Deviation: TypeAlias = tuple[tuple[Hashable, ...], float]


class Balancer:
    """Chooses one task's questions; what it chose before decides what it chooses next, and nothing else does.

    Args:
        rules: names from `worldschool.experience.questions.shortcuts` that must not pay.
    """

    def __init__(self, rules: Sequence[str]) -> None:
        self._rules = tuple(rules)
        self._groups: dict[str, _Group] = defaultdict(_Group)
        self._offered = self._asked = 0
        self._readers = {name: Reader() for name in WORDS}

    def choose(self, candidates: Sequence[Example], most: int) -> list[Example]:
        """Return at most `most` of the questions that could be asked about one episode."""
        left = [self._seen(example) for example in candidates]
        for key in sorted({key for one in left for key in one.groups}):
            self._groups[key].offer([one.example for one in left if key in one.groups])
        self._offered += min(most, len(left))
        chosen: list[Example] = []
        while left and len(chosen) < most:
            costs = [self._cost(one) for one in left]
            best = min(range(len(left)), key=lambda at: (not costs[at][0], costs[at][1]))
            if not costs[best][0] and self._asked + 1 > LEAST * self._offered:
                break
            taken = left.pop(best)
            for key in taken.groups:
                self._groups[key].take(taken)
            for name, cues in taken.cues.items():
                self._readers[name].learn(cues, taken.example.answer_index or 0)
            self._asked += 1
            chosen.append(taken.example)
        return chosen

    def _seen(self, example: Example) -> _Candidate:
        meta = json.loads(example.meta)
        options = f"{len(example.options or ())} options"
        groups = (options, f"{options}, {meta['cue']}") if meta.get("cue") else (options,)
        credits = rule_credits(example, self._rules, meta)
        cues = {}
        if example.options is not None and self._rules:
            cues = {name: cues_of(example, meta, story=story) for name, story in WORDS.items()}
            right = example.answer_index or 0
            credits |= {name: self._readers[name].model.credit(seen, right) for name, seen in cues.items()}
        return _Candidate(example, groups, credits, _level(example), tuple(_words(example)), cues)

    def _cost(self, candidate: _Candidate) -> tuple[bool, float]:
        share = self._asked / max(1, self._offered)
        wide = 1 + (WIDEST - 1) * min(1.0, max(0.0, ENOUGH - share) / (ENOUGH - LEAST))
        costs = [self._groups[key].cost(candidate, wide) for key in candidate.groups]
        return all(fits for fits, _ in costs), sum(growth for _, growth in costs)


class _Candidate(NamedTuple):
    """A question, the groups that it is in (as many options; asked alike too), credits, answer, words of options, and
    what bags of words see of it."""

    example: Example
    groups: tuple[str, ...]
    credits: dict[str, float]
    level: str
    words: tuple[tuple[str, float], ...]
    cues: dict[str, Cues]


def _words(example: Example) -> Iterator[tuple[str, float]]:
    """Yield each word that some options have and others not: is it in the right one, less the share that have it?

    With these at zero, how often words are in right answers tells nothing: a bag of words learns no answer.
    """
    options = example.options or ()
    if any(len(one) > LONG for one in options):
        return
    of = [set(one.split()) for one in options]
    right = set(example.answer.split())
    for word in sorted(set().union(*of)):
        share = sum(word in one for one in of) / len(of)
        if share < 1:
            yield word, (word in right) - share


class _Group:
    """Questions that are alike: how many were asked, and the deviation of everything that is kept at chance."""

    def __init__(self) -> None:
        self.asked = 0
        self.sets = 0
        self.offered: Counter[str] = Counter()
        self.options: set[tuple[str, ...] | None] = set()
        self.sums: dict[tuple[Hashable, ...], float] = defaultdict(float)

    def offer(self, candidates: Sequence[Example]) -> None:
        """Take note of the answers that an episode has questions for."""
        self.sets += 1
        self.options.update(example.options for example in candidates if len(self.options) < 2)
        if len(self.options) == 1:
            self.offered.update({_level(example) for example in candidates})

    def cost(self, candidate: _Candidate, wide: float) -> tuple[bool, float]:
        """Return whether deviations stay within their bounds (`wide` times), and by how much their squares grow."""
        bound = wide * max(SLACK, TOLERANCE * (self.asked + 1))
        number = len(candidate.example.options or ())
        # A rule that is often wrong rules out one of several options, no more; of two it tells the other.
        low = max(bound, (self.asked + 1) / (2 * number)) if number > 2 else bound
        fits, growth = True, 0.0
        for key, change in self._deviations(candidate):
            before = self.sums.get(key, 0.0)
            after = before + change
            if key[0] == "too good":  # being wrong more often tells nothing
                before, after = max(before, 0.0), max(after, 0.0)
            lowest = -low if key[0] == "rule" else -bound
            highest = max(2 * SLACK, bound / 2) if key[1] in WORDS else bound
            within = lowest <= after <= highest or abs(after) < abs(before)
            fits = fits and (
                within or key[0] == "length"
            )  # lengths are evened out, and nothing is lost for it
            growth += after**2 - before**2
        return fits, growth

    def take(self, candidate: _Candidate) -> None:
        """Ask it."""
        self.asked += 1
        for key, change in self._deviations(candidate):
            self.sums[key] += change

    def _deviations(self, candidate: _Candidate) -> list[Deviation]:
        example, options = candidate.example, candidate.example.options
        chance = chance_of(example)
        found: list[Deviation] = [
            (("too good" if name in ONE_SIDED else "rule", name), credit - chance)
            for name, credit in candidate.credits.items()
        ]
        if options is None or len(self.options) == 1:  # the same answers are offered each time
            kind = "length" if options is None else "answer"
            targets = self._targets(options).items()
            return found + [((kind, one), (one == candidate.level) - target) for one, target in targets]
        found += [(("position", at), (at == example.answer_index) - chance) for at in range(len(options))]
        return found + [(("word", word), change) for word, change in candidate.words]

    def _targets(self, options: Sequence[str] | None) -> dict[str, float]:
        """Return the share that each answer is to have: the same for all but those of which there is not enough.

        Of two answers each has half: with one of them alone there is nothing to ask.
        """
        levels = list(options) if options else sorted(self.offered)
        shares = {level: self.offered[level] / self.sets for level in levels}
        least = LEAST / len(levels) if len(levels) > 2 else 0.0
        thin = {level: share for level, share in shares.items() if share < least}
        even = (1 - sum(thin.values())) / max(1, len(levels) - len(thin))
        return {level: thin.get(level, even) for level in levels}


def _level(example: Example) -> str:
    """Return the answer; of questions without options the length, since nearly every answer is another."""
    if example.options is not None:
        return example.answer
    return f"length {json.loads(example.dials).get('length', 0)}"
