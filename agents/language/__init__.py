"""Language models that act: by scoring the legal actions, or by writing one."""

from worldschool.agents.language.agent import LanguageAgent
from worldschool.agents.language.config import LanguageConfig, RecallSettings
from worldschool.agents.language.recall import Note, Recall
from worldschool.agents.language.usage import Usage

__all__ = ["LanguageAgent", "LanguageConfig", "Note", "Recall", "RecallSettings", "Usage"]
