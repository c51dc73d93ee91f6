"""External memory: experience kept outside the model's weights."""

from worldschool.learners.memory.comparing import compare_failures
from worldschool.learners.memory.consolidation import Consolidated, Consolidation
from worldschool.learners.memory.entries import (
    KINDS,
    Change,
    Entry,
    Kind,
    Recalled,
    trajectory_entries,
    trajectory_entry,
)
from worldschool.learners.memory.insights import Insights
from worldschool.learners.memory.memory import DEFAULT_EMBEDDER, Memory, MemoryStats
from worldschool.learners.memory.ranking import Ranking
from worldschool.learners.memory.recalling import MemoryRecall, credit_followed
from worldschool.learners.memory.skills import Learning, known_skills, learn_skills, skill_entry
from worldschool.learners.memory.store import MEMORY_SCHEMA
from worldschool.learners.memory.telling import quoted, told
from worldschool.learners.memory.verbs import Remembered, recall, remember

__all__ = [
    "DEFAULT_EMBEDDER",
    "KINDS",
    "MEMORY_SCHEMA",
    "Change",
    "Consolidated",
    "Consolidation",
    "Entry",
    "Insights",
    "Kind",
    "Learning",
    "Memory",
    "MemoryRecall",
    "MemoryStats",
    "Ranking",
    "Recalled",
    "Remembered",
    "compare_failures",
    "credit_followed",
    "known_skills",
    "learn_skills",
    "quoted",
    "recall",
    "remember",
    "skill_entry",
    "told",
    "trajectory_entries",
    "trajectory_entry",
]
