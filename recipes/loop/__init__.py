"""`worldschool loop`: rounds of collecting, learning and probing."""

from worldschool.recipes.loop.config import LoopConfig, MemoryLearning
from worldschool.recipes.loop.report import rounds_table
from worldschool.recipes.loop.rounds import Round, loop

__all__ = ["LoopConfig", "MemoryLearning", "Round", "loop", "rounds_table"]
