"""External memory: experience kept outside the model's weights."""

from worldschool.learners.memory.entries import KINDS, Entry, Kind, Recalled, trajectory_entry
from worldschool.learners.memory.memory import DEFAULT_EMBEDDER, Memory, MemoryStats
from worldschool.learners.memory.store import MEMORY_SCHEMA
from worldschool.learners.memory.verbs import Remembered, recall, remember

__all__ = [
    "DEFAULT_EMBEDDER",
    "KINDS",
    "MEMORY_SCHEMA",
    "Entry",
    "Kind",
    "Memory",
    "MemoryStats",
    "Recalled",
    "Remembered",
    "recall",
    "remember",
    "trajectory_entry",
]
