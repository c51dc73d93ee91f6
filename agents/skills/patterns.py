"""Plans with parameters in place of names.

A parameter is written "?1", "?2" and so on wherever it stands: in an action's text ("put ?1 in ?2"), in a predicate and,
with its kinds, in `Skill.parameters` ("?2 basin|container").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from worldschool.canonical import canonical_json
from worldschool.records import Fact, Goal, Predicate, Skill

PARAMETER = re.compile(r"\?\d+")
ANY_CLASS = "class:"


class Pattern(NamedTuple):
    """A plan with parameters and what it makes true: two skills are one when this is equal.

    Attributes:
        wanted: predicates about parameters, in the order of `Goal`.
        actions: the plan's texts with parameters.
    """

    wanted: tuple[Predicate, ...]
    actions: tuple[str, ...]

    @property
    def key(self) -> str:
        """The canonical JSON of the pattern."""
        return canonical_json([[list(one) for one in self.wanted], list(self.actions)])


class Occurrence(NamedTuple):
    """One time that a plan was carried out: its pattern, which names the parameters had, and what held before.

    Attributes:
        pattern: the plan.
        names: parameter to name, in the order of numbers.
        before: facts about the parameters that held when the plan began, as predicates about parameters, sorted.
    """

    pattern: Pattern
    names: dict[str, str]
    before: tuple[Predicate, ...]


def predicate_of(fact: Fact) -> Predicate:
    """Return a fact as a predicate of `records.Goal`."""
    if fact.relation == "STATE":
        return f"STATE:{fact.object}", fact.subject, None
    return fact.relation, fact.subject, fact.object


def name_pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Return what finds names in an action's text; longest first, so that "apple 2" is not read as "apple"."""
    known = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)")


def abstracted(
    wanted: Sequence[Predicate], actions: Sequence[str], facts: Sequence[Fact], names: re.Pattern[str]
) -> Occurrence:
    """Put parameters in place of every name in a plan and in what it makes true.

    What holds one of the things that the plan is about (somebody's hand) becomes a parameter too, so that having
    the thing in hand shows among what held before.

    Args:
        wanted: the predicates that the plan makes true.
        actions: the plan.
        facts: what held when it began.
        names: finds the names in an action's text (`name_pattern`).
    """
    numbers: dict[str, str] = {}

    def number(name: str) -> str:
        return numbers.setdefault(name, f"?{len(numbers) + 1}")

    goal = [
        _renamed(one, lambda name: name if name.startswith(ANY_CLASS) else number(name)) for one in wanted
    ]
    texts = tuple(names.sub(lambda found: number(found.group()), action) for action in actions)
    for fact in facts:
        if fact.relation == "HOLDS" and fact.object in numbers:
            number(fact.subject)
    before = {
        _renamed(predicate_of(fact), numbers.__getitem__)
        for fact in facts
        if fact.subject in numbers and (fact.relation == "STATE" or fact.object in numbers)
    }
    found = {parameter: name for name, parameter in numbers.items()}
    return Occurrence(
        Pattern(Goal("", tuple(goal)).predicates, texts), found, tuple(sorted(before, key=_order))
    )


def filled(text: str, names: Mapping[str, str]) -> str:
    """Return an action's text with names in place of parameters."""
    return PARAMETER.sub(lambda found: names[found.group()], text)


def filled_predicate(predicate: Predicate, names: Mapping[str, str]) -> Predicate:
    """Return a predicate with names in place of parameters; parameters that have none stay."""
    return _renamed(predicate, lambda part: names.get(part, part))


def parameters_in(predicate: Predicate) -> tuple[str, ...]:
    """Return the parameters of a predicate, in order."""
    return tuple(part for part in predicate[1:] if part is not None and PARAMETER.fullmatch(part))


def kinds_of(skill: Skill) -> dict[str, frozenset[str]]:
    """Return each parameter's kinds: those of the entities it stood for when the skill was learned."""
    return {
        parameter: frozenset(kinds.split("|"))
        for parameter, _, kinds in (one.partition(" ") for one in skill.parameters)
    }


def with_kinds(kinds: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return parameters as `Skill.parameters` writes them."""
    return tuple(f"{parameter} {'|'.join(sorted(found))}" for parameter, found in kinds.items())


def pattern_of(skill: Skill) -> Pattern:
    """Return a skill's pattern. Its goal's predicates are about parameters, in the order of names and numbers."""
    return Pattern(skill.goal.predicates, skill.actions)


def named_skill(pattern: Pattern, kinds: Mapping[str, Iterable[str]]) -> str:
    """Return what a skill is called: what it makes true of which kinds, and its actions: no two are called the same."""

    def said(part: str | None) -> str:
        if part is None:
            return ""
        return f" {part} {'|'.join(sorted(kinds[part]))}" if part in kinds else f" {part}"

    wanted = " and ".join(f"{name}{said(subject)}{said(target)}" for name, subject, target in pattern.wanted)
    return f"{wanted} ({', '.join(pattern.actions)})"


def make_skill(occurrence: Occurrence, kind: Callable[[str], str], episode_id: str) -> Skill:
    """Return the skill that one occurrence shows; `kind` gives an entity's kind."""
    kinds = {parameter: frozenset((kind(name),)) for parameter, name in occurrence.names.items()}
    pattern = occurrence.pattern
    return Skill(
        name=named_skill(pattern, kinds),
        parameters=with_kinds(kinds),
        preconditions=occurrence.before,
        actions=pattern.actions,
        goal=Goal("", pattern.wanted),
        episode_ids=(episode_id,),
    )


def _renamed(predicate: Predicate, rename: Callable[[str], str]) -> Predicate:
    name, subject, target = predicate
    return name, rename(subject), None if target is None else rename(target)


def _order(predicate: Predicate) -> tuple[str, ...]:
    return tuple(part or "" for part in predicate)
