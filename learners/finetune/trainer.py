"""Fine-tuning with LoRA, under a retention penalty or none; interrupted runs go on from their last checkpoint."""

from __future__ import annotations

import itertools
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from worldschool.errors import ConfigError
from worldschool.files import read_json, write_json
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.finetune.data import Row, batches
from worldschool.learners.finetune.loss import accumulate_gradients
from worldschool.learners.retention.base import Retention
from worldschool.progress import Advance, silent


@dataclass(frozen=True)
class Curve:
    """What one optimizer step measured: L_V in nats, the penalty before lambda, the learning rate."""

    step: int
    loss: float
    penalty: float
    learning_rate: float


def add_adapter(model: Any, config: FinetuneConfig) -> Any:
    """Attach a new LoRA adapter with seeded initial values; only it is trainable.

    Raises:
        ConfigError: the model has no such target modules.
    """
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(config.seed)
    settings = LoraConfig(
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=list(config.lora.target_modules),
        task_type="CAUSAL_LM",
        bias="none",
    )
    try:
        with warnings.catch_warnings():  # peft asks transformers for a name that is on its way out
            warnings.simplefilter("ignore", FutureWarning)
            adapted = get_peft_model(model, settings)
    except ValueError as error:
        raise ConfigError(str(error).splitlines()[0], where="lora.target_modules") from None
    for parameter in trainable(adapted):
        parameter.data = parameter.data.float()
    return adapted


def trainable(model: Any) -> list[torch.nn.Parameter]:
    """Return the parameters that training changes, in a fixed order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


class Trainer:
    """AdamW on the adapter, one `step()` at a time.

    Args:
        model: a PEFT model from `add_adapter`.
        rows: from `data.build_rows`.
        retention: adds `strength * penalty()` to the loss.
        config: the run's settings.
        pad: the token that fills rows up.
    """

    def __init__(
        self, model: Any, rows: Sequence[Row], retention: Retention, config: FinetuneConfig, pad: int
    ) -> None:
        self.model, self.retention, self.config, self.pad = model, retention, config, pad
        self.curve: list[Curve] = []
        self.examples = self.tokens = 0
        self.seconds = 0.0
        self._device = next(model.parameters()).device
        self._optimizer = torch.optim.AdamW(
            trainable(model), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self._batches = batches(rows, config.batch_examples, config.seed)

    @property
    def steps_done(self) -> int:
        """How many optimizer steps were taken."""
        return len(self.curve)

    def step(self) -> Curve:
        """Take one optimizer step."""
        began = time.monotonic()
        # Dropout is drawn from the step's own seed, so that a resumed run draws what an uninterrupted one would.
        torch.manual_seed((self.config.seed << 20) + self.steps_done)
        rate = learning_rate(self.steps_done, self.config)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        rows = next(self._batches)
        self.model.train()
        loss, penalty = accumulate_gradients(
            self.model, rows, self.retention, self.pad, self._device, self.steps_done
        )
        torch.nn.utils.clip_grad_norm_(trainable(self.model), self.config.gradient_clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.examples += sum(row.examples for row in rows)
        self.tokens += sum(len(row.packed) for row in rows)
        self.seconds += time.monotonic() - began
        self.curve.append(Curve(self.steps_done + 1, loss, penalty, rate))
        return self.curve[-1]

    def train(self, out: Path, advance: Advance = silent) -> None:
        """Step until `max_steps`, keeping a checkpoint in `out/checkpoint` on the way."""
        while self.steps_done < self.config.max_steps:
            done = self.step()
            advance(1, f"loss {done.loss:.3f}")
            if done.step % self.config.checkpoint_steps == 0 and done.step < self.config.max_steps:
                self.save(out / "checkpoint")

    def save(self, directory: Path) -> None:
        """Write everything that `restore` needs: adapter, optimizer moments, curve. `state.json` is written last."""
        tensors: dict[str, torch.Tensor] = {}
        for index, parameter in enumerate(trainable(self.model)):
            tensors[f"{index}.value"] = parameter.detach()
            for name, value in self._optimizer.state.get(parameter, {}).items():
                tensors[f"{index}.{name}"] = torch.as_tensor(value)
        name = f"step-{self.steps_done:06d}.safetensors"
        directory.mkdir(parents=True, exist_ok=True)
        save_file(tensors, directory / f".{name}")
        (directory / f".{name}").rename(directory / name)
        state = {
            "file": name,
            "curve": [asdict(point) for point in self.curve],
            "examples": self.examples,
            "tokens": self.tokens,
            "seconds": self.seconds,
        }
        write_json(directory / "state.json", state)
        for old in directory.glob("step-*.safetensors"):
            if old.name != name:
                old.unlink()

    def restore(self, directory: Path) -> bool:
        """Go back to the checkpoint in `directory`; return False if there is none."""
        if not (directory / "state.json").exists():
            return False
        state = read_json(directory / "state.json", what="a training checkpoint")
        tensors = load_file(directory / state["file"])
        for index, parameter in enumerate(trainable(self.model)):
            parameter.data.copy_(tensors[f"{index}.value"])
            prefix = f"{index}."
            moments = {
                key.removeprefix(prefix): value.to(parameter.device) if value.ndim else value
                for key, value in tensors.items()
                if key.startswith(prefix) and key != f"{index}.value"
            }
            self._optimizer.state[parameter] = moments
        self.curve = [Curve(**point) for point in state["curve"]]
        self.examples, self.tokens, self.seconds = state["examples"], state["tokens"], state["seconds"]
        for _ in itertools.islice(self._batches, self.steps_done):
            pass
        return True


def learning_rate(step: int, config: FinetuneConfig) -> float:
    """Return the rate of a 0-based step: a linear rise over `warmup * max_steps` steps, then a linear fall to zero."""
    rising = max(1, round(config.warmup * config.max_steps))
    if step < rising:
        return config.learning_rate * (step + 1) / rising
    return config.learning_rate * (config.max_steps - step) / max(1, config.max_steps - rising + 1)


def curve_json(curve: Sequence[Curve]) -> list[dict[str, float]]:
    """Return a curve as plain JSON values."""
    return json.loads(json.dumps([asdict(point) for point in curve]))  # type: ignore[no-any-return]
