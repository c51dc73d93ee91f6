"""EWC for transformers.Trainer and what is built on it (TRL's SFTTrainer): one line, and the trainer stays as it is.

    trainer = SFTTrainer(model, train_dataset=..., peft_config=..., callbacks=[EWCCallback("fisher", strength=1e4)])

Once an optimizer step the penalty's gradient, in closed form, is added to the adapter's gradients: after accumulation, after the
gradients of several processes were averaged, and after clipping, so that `max_grad_norm` bounds the task's gradient alone and
the hold is as strong at every step. No autograd graph is built, and the loss that the trainer logs stays the task's;
`ewc_penalty`, before lambda, stands beside it in `trainer.state.log_history`. Trainer puts reports (TensorBoard, W&B) before the
callbacks it is given; for them, have this one called first: `trainer.callback_handler.callbacks.insert(0, trainer.pop_callback(EWCCallback))`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from worldschool.errors import ConfigError
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.retention.base import Held
from worldschool.learners.retention.ewc import EWC
from worldschool.learners.retention.full import FullEWC

LOGGED = "ewc_penalty"


class HeldCallback(TrainerCallback):  # type: ignore[misc]
    """Adds the gradient of a penalty in closed form once an optimizer step, after clipping, and logs its value.

    Args:
        held: the penalty; None: found when training begins.
        logged: what its value, before lambda, is called in the logs.
    """

    def __init__(self, held: Held | None, logged: str) -> None:
        self._held, self._logged = held, logged
        self._penalty: torch.Tensor | None = None

    @property
    def penalty(self) -> float:
        """The penalty of the last step, before lambda."""
        return 0.0 if self._penalty is None else float(self._penalty)

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Add the penalty's gradient."""
        if self._held is not None:
            self._penalty = self._held.add_gradients()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Log the penalty of the last step beside the trainer's loss, for whatever reads the logs after this callback."""
        if self._penalty is None or logs is None or "loss" not in logs:
            return
        logs[self._logged] = float(self._penalty)
        if state.log_history:
            state.log_history[-1][self._logged] = logs[self._logged]


class EWCCallback(HeldCallback):
    """Holds a model near its old self by elastic weight consolidation while a Trainer trains it.

    Works for LoRA and rsLoRA adapters, and for full fine-tuning; with gradient accumulation, bf16, fp16 (with clipping) and
    DistributedDataParallel, where every process adds the same gradient.

    Args:
        fisher: measured on the model before training, or its directory.
        strength: lambda, >= 0.

    Raises:
        ConfigError: `strength` is negative or no number. When training begins: the model is sharded (FSDP, DeepSpeed ZeRO), or
            fp16 is trained without clipping.
        FisherError: when training begins: the Fisher is of another model, or lacks what is trained.
        ModelError: when training begins: the adapter's update is not s B A.
    """

    def __init__(self, fisher: Fisher | str | Path, strength: float) -> None:
        if not 0 <= strength < float("inf"):
            raise ConfigError(
                f"EWC's strength is {strength}", where="strength", mend="Give lambda, a number from 0 up."
            )
        self._where = "fisher" if isinstance(fisher, Fisher) else str(fisher)
        self._fisher = fisher if isinstance(fisher, Fisher) else Fisher.load(Path(fisher))
        self._strength = strength
        super().__init__(None, LOGGED)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Look whether what is trained can be held, before a step is taken."""
        _check_arguments(args)
        model = kwargs["model"]
        if hasattr(model, "peft_config"):
            self._held = EWC(model, self._fisher, self._strength, self._where)
        else:
            resumed = state.global_step > 0
            # Of several processes one keeps the start; all read it when they go on.
            keeps = bool(args.output_dir) and (resumed or args.should_save)
            start = Path(args.output_dir) / FullEWC.FILE if keeps else None
            self._held = FullEWC(model, self._fisher, self._strength, self._where, start, resumed)


def refuse_sharding(args: TrainingArguments | None = None) -> None:
    """Refuse FSDP and DeepSpeed, whether a Trainer's arguments or `accelerate launch` asks for them.

    FSDP gives each process a part of the weights. DeepSpeed steps within the backward pass, before a penalty's gradient is there.

    Raises:
        ConfigError: either is asked for.
    """
    for name in ("fsdp", "deepspeed"):
        launched = os.environ.get(f"ACCELERATE_USE_{name.upper()}", "").lower() in ("true", "1", "yes", "on")
        if launched or getattr(args, name, None):
            raise ConfigError(
                "models shared out among processes are not held yet: each has a part of the weights, or steps too early",
                where=name,
                mend="Train on one device, or on several with DistributedDataParallel.",
            )


def _check_arguments(args: TrainingArguments) -> None:
    refuse_sharding(args)
    if args.fp16 and not args.max_grad_norm:
        raise ConfigError(
            "fp16 without clipping: gradients are still scaled where the penalty's would be added",
            where="max_grad_norm",
            mend="Set `max_grad_norm` (1.0 is usual), or train in bf16.",
        )
