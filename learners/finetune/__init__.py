"""Fine-tuning a causal language model on examples."""

from worldschool.learners.finetune.config import (
    FinetuneConfig,
    FisherSettings,
    LoraSettings,
    RetentionSettings,
)
from worldschool.learners.finetune.retaining import measure_fisher
from worldschool.learners.finetune.run import finetune

__all__ = [
    "FinetuneConfig",
    "FisherSettings",
    "LoraSettings",
    "RetentionSettings",
    "finetune",
    "measure_fisher",
]
