"""What skills there are: merged, counted, bounded, and found by what they make true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from worldschool.agents.skills.patterns import Pattern, kinds_of, named_skill, pattern_of, with_kinds
from worldschool.records import Goal, Predicate, Skill

EPISODES_KEPT = 4
"""Ids of episodes that a skill keeps: the first ones that showed it."""


@dataclass(frozen=True)
class Learned:
    """A skill and how often it was part of a success.

    Attributes:
        skill: the skill.
        successes: episodes' successes that its plan was part of, the one it was learned from included.
        last: the number of the learning that last saw it; what is forgotten first is what was seen least and longest ago.
    """

    skill: Skill
    successes: int
    last: int


@dataclass(frozen=True)
class SkillLibrary:
    """Skills by the key of their pattern; never changed, `with_skills` returns another.

    Attributes:
        learned: pattern key to skill.
        limit: most skills that are kept.
        clock: how many skills were ever added; counts learnings, not time.
    """

    learned: Mapping[str, Learned] = field(default_factory=dict)
    limit: int = 256
    clock: int = 0

    def __len__(self) -> int:
        """Return how many skills there are."""
        return len(self.learned)

    def with_skills(self, skills: Sequence[Skill]) -> SkillLibrary:
        """Return a library that has seen some more skills, in order.

        One whose pattern is known already is merged with it: what was not so both times is no precondition, each
        parameter takes the kinds of both, and its successes are counted up. Beyond the limit those of fewest successes
        go, of equals the longest unseen.
        """
        learned = dict(self.learned)
        clock = self.clock
        for skill in skills:
            clock += 1
            key = pattern_of(skill).key
            known = learned.get(key)
            if known is None:
                learned[key] = Learned(skill, 1, clock)
            else:
                learned[key] = Learned(merged(known.skill, skill), known.successes + 1, clock)
        for key in sorted(learned, key=lambda key: (learned[key].successes, learned[key].last)):
            if len(learned) <= self.limit:
                break
            del learned[key]
        return replace(self, learned=learned, clock=clock)

    def has(self, pattern: Pattern) -> bool:
        """Return whether there is a skill of this pattern."""
        return pattern.key in self.learned

    def making(self, relations: tuple[str, ...]) -> tuple[Learned, ...]:
        """Return the skills that make true predicates of exactly these names (sorted), most successes first.

        Of equals the one of fewer actions comes first, then by pattern.
        """
        return self._by_relations.get(relations, ())

    @cached_property
    def _by_relations(self) -> dict[tuple[str, ...], tuple[Learned, ...]]:
        found: dict[tuple[str, ...], list[tuple[str, Learned]]] = {}
        for key, learned in self.learned.items():
            names = tuple(sorted(name for name, _, _ in learned.skill.goal.predicates))
            found.setdefault(names, []).append((key, learned))
        return {
            names: tuple(
                learned
                for _, learned in sorted(
                    rows, key=lambda row: (-row[1].successes, len(row[1].skill.actions), row[0])
                )
            )
            for names, rows in found.items()
        }

    def __iter__(self) -> Iterator[Learned]:
        """Yield the skills, most successes first."""
        order = sorted(self.learned.items(), key=lambda row: (-row[1].successes, row[0]))
        return (learned for _, learned in order)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the skills by key."""
        return {
            "clock": self.clock,
            "skills": [_row(self.learned[key]) for key in sorted(self.learned)],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], limit: int) -> SkillLibrary:
        """Read what `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: the values are not such a library.
        """
        learned = [_learned(row) for row in values["skills"]]
        return cls({pattern_of(one.skill).key: one for one in learned}, limit, int(values["clock"]))


def merged(one: Skill, other: Skill) -> Skill:
    """Return what two skills of one pattern are together: only preconditions of both, and the kinds of either."""
    mine, theirs = kinds_of(one), kinds_of(other)
    kinds = {parameter: found | theirs.get(parameter, frozenset()) for parameter, found in mine.items()}
    asked = set(other.preconditions)
    episodes = tuple(dict.fromkeys((*one.episode_ids, *other.episode_ids)))[:EPISODES_KEPT]
    return replace(
        one,
        name=named_skill(pattern_of(one), kinds),
        parameters=with_kinds(kinds),
        preconditions=tuple(found for found in one.preconditions if found in asked),
        episode_ids=episodes,
    )


def _row(learned: Learned) -> dict[str, Any]:
    skill = learned.skill
    return {
        "parameters": list(skill.parameters),
        "preconditions": [list(found) for found in skill.preconditions],
        "actions": list(skill.actions),
        "goal": [list(found) for found in skill.goal.predicates],
        "episode_ids": list(skill.episode_ids),
        "successes": learned.successes,
        "last": learned.last,
    }


def _learned(row: Mapping[str, Any]) -> Learned:
    goal = Goal("", tuple(_predicate(found) for found in row["goal"]))
    skill = Skill(
        "",
        tuple(map(str, row["parameters"])),
        tuple(_predicate(found) for found in row["preconditions"]),
        tuple(map(str, row["actions"])),
        goal,
        tuple(map(str, row["episode_ids"])),
    )
    skill = replace(skill, name=named_skill(pattern_of(skill), kinds_of(skill)))
    return Learned(skill, int(row["successes"]), int(row["last"]))


def _predicate(values: Sequence[Any]) -> Predicate:
    name, subject, target = values
    return str(name), str(subject), None if target is None else str(target)
