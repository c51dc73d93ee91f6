"""Which things of this house a skill could be about: parameters bound to names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, permutations
from typing import NamedTuple

from worldschool.agents.skills.library import SkillLibrary
from worldschool.agents.skills.patterns import (
    PARAMETER,
    filled,
    filled_predicate,
    kinds_of,
    parameters_in,
    predicate_of,
)
from worldschool.records import Fact, Predicate, Skill

MOST_BINDINGS = 6
"""Bindings of one skill to one target that are looked at."""


class Scene:
    """What there is at one moment, found by name and by kind.

    Args:
        facts: what holds.
        names: every entity.
        kind: gives an entity's kind.
    """

    def __init__(self, facts: Iterable[Fact], names: Iterable[str], kind: Callable[[str], str]) -> None:
        self.facts = frozenset(predicate_of(fact) for fact in facts)
        self.kind = kind
        self._names = sorted(names)
        self._related: dict[tuple[str, int, str], list[Predicate]] = {}
        for fact in sorted(one for one in self.facts if one[2] is not None):
            for place, name in enumerate(("", *fact[1:])):
                self._related.setdefault((fact[0], place, name or ""), []).append(fact)

    def alike(self, wanted: Predicate) -> list[Predicate]:
        """Return the facts that a predicate about parameters and at most one name could be, sorted."""
        for place, part in ((1, wanted[1]), (2, wanted[2])):
            if part is not None and not PARAMETER.fullmatch(part):
                return self._related.get((wanted[0], place, part), [])
        return self._related.get((wanted[0], 0, ""), [])

    def of_kinds(self, kinds: frozenset[str]) -> list[str]:
        """Return the entities of some kinds, sorted."""
        return [name for name in self._names if self.kind(name) in kinds]


class Bound(NamedTuple):
    """A skill about things of this house.

    Attributes:
        skill: the skill.
        actions: its plan with names in place of parameters.
        doubts: how many preconditions do not hold, and how many things are of another kind than before.
        successes: the skill's.
    """

    skill: Skill
    actions: tuple[str, ...]
    doubts: int
    successes: int


def bound_skills(library: SkillLibrary, wanted: Sequence[Predicate], scene: Scene) -> list[Bound]:
    """Return the ways to bind skills so that they make all of `wanted` true, the most promising first.

    A parameter that `wanted` leaves open is bound by the preconditions: by "?1 INSIDE ?3", ?3 is whatever ?1 is inside.
    One that they leave open too ("sit down": on what?) is any thing of its kinds. Preconditions that do not hold, and
    things of other kinds, are doubts: they put a skill behind others, but do not rule it out, since it is tried out
    before it is used in any case.

    Args:
        library: the skills.
        wanted: the predicates, about names of this house.
        scene: the house now.
    """
    found: dict[tuple[str, ...], Bound] = {}
    for learned in library.making(tuple(sorted(name for name, _, _ in wanted))):
        skill = learned.skill
        kinds = kinds_of(skill)
        for names in islice(_bindings(skill, kinds, wanted, scene), MOST_BINDINGS):
            actions = tuple(filled(action, names) for action in skill.actions)
            missing = sum(filled_predicate(one, names) not in scene.facts for one in skill.preconditions)
            others = sum(scene.kind(name) not in kinds[part] for part, name in names.items())
            known = found.get(actions)
            if known is None or missing + others < known.doubts:
                found[actions] = Bound(skill, actions, missing + others, learned.successes)
    return sorted(found.values(), key=lambda one: (one.doubts, -one.successes, len(one.actions), one.actions))


def _bindings(
    skill: Skill, kinds: Mapping[str, frozenset[str]], wanted: Sequence[Predicate], scene: Scene
) -> Iterator[dict[str, str]]:
    """Yield the ways to name every parameter that the skill's actions need."""
    needed = dict.fromkeys(part for action in skill.actions for part in PARAMETER.findall(action))
    for names in _unified(skill.goal.predicates, wanted):
        for linked in _linked(skill.preconditions, names, scene):
            yield from _chosen([part for part in needed if part not in linked], kinds, linked, scene)


def _unified(templates: Sequence[Predicate], wanted: Sequence[Predicate]) -> Iterator[dict[str, str]]:
    """Yield the ways to name parameters so that the templates become the wanted predicates, one each."""
    for order in permutations(wanted):
        names: dict[str, str] | None = {}
        for template, target in zip(templates, order, strict=True):
            names = None if names is None else _matched(template, target, names)
        if names is not None:
            yield names


def _matched(template: Predicate, target: Predicate, names: Mapping[str, str]) -> dict[str, str] | None:
    """Return `names` with what makes a template into a predicate, or None if nothing does."""
    found = dict(names)
    if template[0] != target[0]:
        return None
    parameters = parameters_in(template)
    for part, name in zip(template[1:], target[1:], strict=True):
        if part in parameters and part is not None and name is not None:
            if found.setdefault(part, name) != name:
                return None
        elif part != name:
            return None
    # Two parameters are two things.
    return found if len(set(found.values())) == len(found) else None


def _linked(
    preconditions: Sequence[Predicate], names: dict[str, str], scene: Scene
) -> Iterator[dict[str, str]]:
    """Yield `names` with the parameters added that preconditions link to them, or to each other, where they hold."""
    open_in = {
        template: sum(part not in names for part in parameters_in(template))
        for template in preconditions
        if template[2] is not None
    }
    # What is linked to a name is sought before what is linked to nothing ("somebody holds something").
    for count in (1, 2):
        for template in (one for one, is_open in open_in.items() if is_open == count):
            found = [
                _matched(template, fact, names) for fact in scene.alike(filled_predicate(template, names))
            ]
            extended = [one for one in found if one is not None]
            if extended:
                for more in extended:
                    yield from _linked(preconditions, more, scene)
                return
    yield names


def _chosen(
    left: Sequence[str], kinds: Mapping[str, frozenset[str]], names: dict[str, str], scene: Scene
) -> Iterator[dict[str, str]]:
    """Yield `names` with any thing of its kinds for each parameter that is left."""
    if not left:
        yield names
        return
    for name in scene.of_kinds(kinds[left[0]]):
        if name not in names.values():
            yield from _chosen(left[1:], kinds, {**names, left[0]: name}, scene)
