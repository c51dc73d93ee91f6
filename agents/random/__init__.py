"""Random exploration: agents that cover a world and give the raw material for counting and tracking questions."""

from worldschool.agents.random.agent import RandomAgent
from worldschool.agents.random.config import BabbleConfig, CountConfig, RandomConfig
from worldschool.agents.random.verbs import ACTOR_MARK, verb_of

__all__ = ["ACTOR_MARK", "BabbleConfig", "CountConfig", "RandomAgent", "RandomConfig", "verb_of"]
