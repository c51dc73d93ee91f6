"""What an agent that consults earlier experience needs of a memory."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from worldschool.agents.language.config import RecallSettings
from worldschool.agents.skills.library import SkillLibrary
from worldschool.errors import ConfigError
from worldschool.records import Predicate


class Note(NamedTuple):
    """A piece of earlier experience.

    Attributes:
        id: by which it can be credited.
        text: as a part of a prompt; quoted already, it is never taken for an instruction.
        plan: actions that it tells of, () if it tells of none.
        success: whether they reached what they were for; None if nobody knows.
        goal: the predicates that they were for.
    """

    id: str
    text: str
    plan: tuple[str, ...] = ()
    success: bool | None = None
    goal: tuple[Predicate, ...] = ()


class Recall(Protocol):
    """Finds notes."""

    def recall(self, goal: str, observation: str, world: str) -> Sequence[Note]:
        """Return notes that may help with a goal, the best first.

        Args:
            goal: in English, "" if there is none.
            observation: what is seen at first.
            world: the world's id.
        """
        ...

    def credit(self, note: Note, success: bool) -> None:
        """Count that a note was acted on, and whether the episode reached its goal."""
        ...


@runtime_checkable
class SkillSource(Protocol):
    """A `Recall` that keeps skills, too."""

    def skills(self, world: str) -> SkillLibrary:
        """Return the skills that are known for a world, by its id."""
        ...


def make_recall(settings: RecallSettings) -> Recall:
    """Make what the settings name.

    Raises:
        ConfigError: there is no such class, or it does not take these settings.
    """
    module, _, name = settings.use.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{settings.use} cannot be imported: {error}",
            where="recall.use",
            mend="Write it as module:Class; a memory of worldschool's is learners.memory's MemoryRecall.",
        ) from None
    try:
        made: Recall = found(**settings.settings)
    except TypeError as error:
        raise ConfigError(f"{name} does not take these settings: {error}", where="recall.settings") from None
    return made
