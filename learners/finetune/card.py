"""The model card of an adapter: what was trained on what, held by what, and how it is loaded."""

from __future__ import annotations

from pathlib import Path

from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.finetune.retaining import KINDS
from worldschool.learners.finetune.trainer import Trainer
from worldschool.models.pull import PULLABLE


def model_card(trainer: Trainer, excluded: int, config: FinetuneConfig, kept: int) -> str:
    """Return the card as Markdown, with the metadata that model hubs read.

    Args:
        trainer: after training.
        excluded: examples that were left out.
        config: the run's settings.
        kept: the step whose adapter it is.
    """
    strengths = config.retention.strengths()
    held = " and ".join(f"{KINDS[kind]} (strength {strength:g})" for kind, strength in strengths.items())
    last = trainer.curve[kept - 1]
    wanted = config.lora.target_modules
    targets = f"{wanted} layers" if isinstance(wanted, str) else ", ".join(wanted)
    return f"""---
{_base(config.model)}library_name: peft
tags: [{", ".join(["worldschool", "lora", *strengths])}]
---
# A LoRA adapter trained on simulated experience

Made by `worldschool finetune` for {config.model}: {trainer.state.global_step} steps, {trainer.examples} examples,
{trainer.tokens} tokens, learning rate {config.learning_rate:g}, rank {config.lora.r} on
{targets}. Held near the base model by {held or "nothing (plain LoRA)"}. Of step {kept}, the one
kept, the loss was {last.loss:.3f} nats and its penalty {last.penalty:.3g}. {excluded} examples were left out.
`training.json` has everything, `run.json` the configuration.

In this directory, where the base model is found by the name or path in `adapter_config.json`:

```python
from peft import AutoPeftModelForCausalLM

model = AutoPeftModelForCausalLM.from_pretrained(".")
merged = model.merge_and_unload()
```
"""


def _base(model: str) -> str:
    """Return the line that names the base model, if hubs know it by this name: neither a pulled model's nor a path."""
    known = model not in PULLABLE and not Path(model).expanduser().exists()
    return f"base_model: {model}\n" if known else ""
