"""Skills: named plans with preconditions, learned from episodes that are lived again, and kept in a memory.

An episode that reached its goal is executed anew in its world; what its parts made true becomes a skill of the curriculum's kind
(`agents.skills`), each tried out where it was learned. One that was seen before is merged with what is known: its preconditions
are those of every time, and the new entry stands for the old one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from worldschool.agents.curriculum.tasks import task_generator
from worldschool.agents.skills.learning import relive, skills_of
from worldschool.agents.skills.library import Learned, SkillLibrary
from worldschool.agents.skills.patterns import kinds_of, pattern_of
from worldschool.canonical import canonical_json
from worldschool.envs import World, make
from worldschool.errors import WorldError
from worldschool.learners.memory.entries import Entry
from worldschool.learners.memory.memory import Memory
from worldschool.progress import Advance, silent
from worldschool.records import Episode, Predicate, Skill

MOST = 100_000
"""Skills of a library that is not to forget any."""
RELATIONS = {"ON": "{} on {}", "INSIDE": "{} inside {}", "HOLDS": "{} holds {}", "AT": "{} in {}"}


class Learning(NamedTuple):
    """What `learn_skills` did.

    Attributes:
        skills: how many the memory has now.
        new: of these, how many it had not before.
        episodes: how many showed something.
        passed_over: how many were not looked at, or did not reach their goal again, by reason.
    """

    skills: int
    new: int
    episodes: int
    passed_over: dict[str, int]


def learn_skills(memory: Memory, episodes: Iterable[Episode], on_progress: Advance = silent) -> Learning:
    """Add the skills that episodes show to a memory.

    Args:
        memory: open; its earlier skills are merged with what is found.
        episodes: of any worlds that can be made here.
        on_progress: told of each episode.

    Raises:
        MemoryStoreError: another process is writing.
    """
    libraries: dict[str, SkillLibrary] = {}
    worlds: dict[tuple[str, str], World] = {}
    seen: set[str] = {id_ for entry in memory.listed("skill") for id_ in _episodes(entry)}
    used, passed_over = 0, dict[str, int]()
    for episode in episodes:
        on_progress(1)
        library = libraries.setdefault(episode.world, known_skills(memory, episode.world))
        reason = "known already" if episode.episode_id in seen else _why_not(episode)
        if reason is None:
            try:
                libraries[episode.world] = _after(worlds, episode, library)
                used += 1
                continue
            except _NotAgainError as error:
                reason = str(error)
        passed_over[reason] = passed_over.get(reason, 0) + 1
    new = sum(_keep(memory, world, library) for world, library in libraries.items())
    return Learning(len(memory.listed("skill")), new, used, passed_over)


def known_skills(memory: Memory, world: str) -> SkillLibrary:
    """Return the skills of one world in a memory, as agents use them."""
    learned = {}
    for entry in memory.listed("skill", world=world):
        one = learned_of(entry)
        learned[pattern_of(one.skill).key] = one
    return SkillLibrary(learned, MOST, sum(one.successes for one in learned.values()))


def learned_of(entry: Entry) -> Learned:
    """Return the skill of an entry, and how often it was part of a success."""
    (found,) = SkillLibrary.from_json(json.loads(entry.provenance)["library"], MOST)
    return found


def skill_entry(world: str, learned: Learned) -> Entry:
    """Tell a skill as an entry: the key says what it makes true, the body what it needs and its plan."""
    skill = learned.skill
    library = SkillLibrary({pattern_of(skill).key: learned}, MOST, learned.last).to_json()
    needs = "; ".join(_said(skill, one) for one in skill.preconditions) or "nothing that was seen"
    wanted, of_kinds = (
        " and ".join(_said(skill, one, numbered) for one in skill.goal.predicates)
        for numbered in (True, False)
    )
    plan = [f"{number}. {action}" for number, action in enumerate(skill.actions, start=1)]
    names = [f"{parameter}: {' or '.join(sorted(kinds))}" for parameter, kinds in kinds_of(skill).items()]
    pattern = f"{world} {pattern_of(skill).key}"
    content = hashlib.sha256(canonical_json(library["skills"]).encode()).hexdigest()[:8]
    return Entry(
        id=f"skill:{hashlib.sha256(pattern.encode()).hexdigest()[:12]}:{content}",
        kind="skill",
        key=of_kinds,
        body="\n".join([f"Makes true: {wanted}", f"Needs: {needs}", *names, *plan]),
        world=world,
        success=True,
        value=float(learned.successes),
        provenance=canonical_json({"library": library}),
    )


class _NotAgainError(Exception):
    """An episode that cannot be lived again, or ends otherwise; the message is the reason."""


def _why_not(episode: Episode) -> str | None:
    if episode.error is not None:
        return "broke off"
    if episode.goal_predicates == "[]":
        return "no goal"
    return None if episode.success else "goal not reached"


def _after(worlds: dict[tuple[str, str], World], episode: Episode, library: SkillLibrary) -> SkillLibrary:
    """Return the library after an episode that reached its goal.

    Raises:
        _NotAgainError: it did not, lived again.
    """
    key = episode.world, episode.world_config
    try:
        if key not in worlds:
            worlds[key] = make(episode.world, **json.loads(episode.world_config))
        if worlds[key].version != episode.world_version:
            raise _NotAgainError("another version of the world")
        lived = relive(worlds[key], episode)
    except (WorldError, ValueError, TypeError):
        raise _NotAgainError("no such world here") from None
    if lived.missing:
        raise _NotAgainError("goal not reached again")
    kind = task_generator(worlds[key]).kind
    return library.with_skills(skills_of(worlds[key], lived, library, kind, episode.episode_id))


def _keep(memory: Memory, world: str, library: SkillLibrary) -> int:
    """Add the skills that are new or say more now; return how many are new."""
    before = {pattern_of(learned_of(entry).skill).key: entry for entry in memory.listed("skill", world=world)}
    new = 0
    for key, learned in library.learned.items():
        old = before.get(key)
        # When it was last seen says nothing about the skill.
        entry = skill_entry(world, replace(learned, last=0))
        if old is None:
            new += memory.add([entry])
        elif old.id != entry.id:
            memory.add([entry])
            memory.merge(entry.id, old.id, f"seen {learned.successes} times now")
    return new


def _episodes(entry: Entry) -> tuple[str, ...]:
    return learned_of(entry).skill.episode_ids


def _said(skill: Skill, predicate: Predicate, numbered: bool = True) -> str:
    """Say a predicate with kinds in the place of parameters: "container ?1 on surface ?2", or "container on surface"."""
    kinds = kinds_of(skill)

    def part(name: str | None) -> str:
        if name is None or name not in kinds:
            return name or ""
        return " or ".join(sorted(kinds[name])) + (f" {name}" if numbered else "")

    relation, subject, target = predicate
    if relation.startswith("STATE:"):
        return f"{part(subject)} is {relation.removeprefix('STATE:').lower()}"
    return (
        RELATIONS.get(relation, f"{relation.lower()} {{}} {{}}").format(part(subject), part(target)).strip()
    )
