"""A memory as agents consult it: `agents.language.Recall`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from worldschool.agents.follower import adapted
from worldschool.agents.language.recall import Note
from worldschool.agents.skills.library import SkillLibrary
from worldschool.learners.memory.entries import Entry
from worldschool.learners.memory.insights import Insights
from worldschool.learners.memory.memory import Memory
from worldschool.learners.memory.ranking import Ranking
from worldschool.learners.memory.skills import known_skills
from worldschool.learners.memory.telling import told_one
from worldschool.records import Episode

PLAN = re.compile(r"^\d+\. (?P<action>.+?)(?P<failed> \(failed\))?$", re.MULTILINE)


class MemoryRecall:
    """Recalls entries of a memory.

    Args:
        path: the memory's directory.
        k: how many notes, at most.
        kind: of entries; None: all.
        failures: whether failures are recalled, too, as warnings.
        value: weight of what entries were worth, beside similarity's 1.
        characters: of one note, at most.
        rules: of the strongest insights about a world that are told first, whatever the goal.
        least: cosine that a note's key has with the goal, at least: a small model follows a note that is about something else.

    Raises:
        MemoryStoreError: there is no memory, or it cannot be read.
    """

    def __init__(
        self,
        path: str | Path,
        k: int = 2,
        kind: str | None = None,
        failures: bool = True,
        value: float = 0.1,
        characters: int = 600,
        rules: int = 0,
        least: float = -1.0,
    ) -> None:
        self._memory = Memory.open(path)
        self._k, self._kind, self._success = k, kind, None if failures else True
        self._ranking = Ranking(value=value)
        self._characters, self._rules, self._least = characters, rules, least

    def recall(self, goal: str, observation: str, world: str) -> Sequence[Note]:
        """See `Recall.recall`; without a goal, by what is seen."""
        found = self._memory.search(
            goal or observation,
            self._k,
            self._kind,
            world=world,
            success=self._success,
            ranking=self._ranking,
            least=self._least,
        )
        rules = Insights(self._memory, world).rules()[: self._rules] if self._rules else []
        told = {one.id for one in rules}
        notes = [*rules, *(one.entry for one in found if one.entry.id not in told)]
        return [self._note(entry) for entry in notes]

    def _note(self, entry: Entry) -> Note:
        plan = tuple(found["action"] for found in PLAN.finditer(entry.body) if not found["failed"])
        goal = json.loads(json.loads(entry.provenance).get("goal_predicates") or "[]")
        predicates = tuple((str(name), str(subject), target) for name, subject, target in goal)
        return Note(entry.id, told_one(entry, self._characters), plan, entry.success, predicates)

    def credit(self, note: Note, success: bool) -> None:
        """See `Recall.credit`."""
        self._memory.credit(note.id, success)

    def skills(self, world: str) -> SkillLibrary:
        """See `SkillSource.skills`."""
        return known_skills(self._memory, world)

    def close(self) -> None:
        """Close the memory."""
        self._memory.close()


def credit_followed(recall: MemoryRecall, memory: Memory, episodes: Iterable[Episode]) -> int:
    """Count for the notes of episodes whether acting on them went well; return how many uses were counted.

    What an episode recalled is recalled again, from the memory that it was lived with; a note was acted on if a step of its plan, about
    the episode's own things, was done.

    Args:
        recall: of the memory that the episodes were lived with.
        memory: gets the counts.
        episodes: lived by an agent that consults notes.

    Raises:
        MemoryStoreError: a memory cannot be read or written.
    """
    counted = 0
    for episode in episodes:
        done = {step.action for step in episode.steps}
        for note in recall.recall(episode.goal, episode.initial_observation, episode.world):
            if note.success is not False and done & set(adapted(note, episode.wanted.predicates)):
                memory.credit(note.id, episode.success)
                counted += 1
    return counted
