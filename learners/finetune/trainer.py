"""transformers' Trainer on rows: a step's examples share their stories' tokens, and only answers pay for the output layer.

What the Trainer brings stays as its documentation has it: the optimizer, clipping, checkpoints, reports, several processes. The rows
of a step are shared out among the processes; every process divides by the whole step's weight, so that the average of their
gradients is the gradient that one process would find.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PrinterCallback, TrainerCallback, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from worldschool.errors import ModelError
from worldschool.learners.finetune.arguments import learning_rate
from worldschool.learners.finetune.checkpoints import mark_complete, newest_complete
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.finetune.data import Row, batches, collate_rows, tokens_of, weight_of
from worldschool.learners.finetune.loss import completion_loss, forward_passes
from worldschool.learners.finetune.retaining import Remembering
from worldschool.learners.finetune.watching import SCORE, Watch, callbacks_for
from worldschool.learners.retention.callback import HeldCallback
from worldschool.models.causal import base_of
from worldschool.progress import Advance, silent

LOGS = "logs"
"""The folder of what TensorBoard shows, in the output directory."""


@dataclass(frozen=True)
class Curve:
    """What one optimizer step measured.

    Attributes:
        step: its number, from 1.
        loss: L_V, in nats a token.
        penalty: of the one way to remember, before it is multiplied by its strength; of several, their sum, each times its own.
        learning_rate: of this step.
        seconds: that it took.
    """

    step: int
    loss: float
    penalty: float
    learning_rate: float
    seconds: float


class Trainer(transformers.Trainer):  # type: ignore[misc]
    """Trains an adapter on steps of rows.

    Args:
        model: a PEFT model.
        rows: from `data.build_rows`.
        remembering: what holds the model near its old self.
        config: the run's settings.
        pad: the token that fills rows up.
        arguments: from `arguments.training_arguments`.
        watch: what is measured on the way, if anything is.
    """

    def __init__(
        self,
        model: Any,
        rows: Sequence[Row],
        remembering: Remembering,
        config: FinetuneConfig,
        pad: int,
        arguments: TrainingArguments,
        watch: Watch | None = None,
    ) -> None:
        self.config, self.remembering, self.watch = config, remembering, watch
        self.steps = list(
            itertools.islice(batches(rows, config.batch_examples, config.seed), config.max_steps)
        )
        self._pad, self._base = pad, base_of(model)
        self._since = time.monotonic()
        self._in_loss: dict[str, float] = {}
        if config.gradient_checkpointing:
            model.enable_input_require_grads()
        self._held = {kind: HeldCallback(held, _logged(kind)) for kind, held in remembering.held.items()}
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=self.steps,
            eval_dataset=[] if watch else None,
            callbacks=[
                _Several(list(self._held.values())),
                *(callbacks_for(config.validation, config.checkpoint_steps) if watch else []),
            ],
        )
        if self.args.world_size > 1:
            atexit.register(_leave_processes)
        self.remove_callback(PrinterCallback)
        for callback in self.callback_handler.callbacks:
            if hasattr(callback, "logging_dir"):  # TensorBoard's, beside the checkpoints otherwise
                callback.logging_dir = str(Path(arguments.output_dir).parent / LOGS)

    # -- what transformers' Trainer asks for ----------------------------------------------------------------------

    def get_train_dataloader(self) -> torch.utils.data.DataLoader[Any]:
        """Return every step's rows in order, the same in every process."""
        return torch.utils.data.DataLoader(self.steps, batch_size=1, collate_fn=_only)  # type: ignore[arg-type]

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Return `learning_rate` as a scheduler."""
        if getattr(self, "lr_scheduler", None) is None:
            config = self.config
            # A function of the step: checkpoints keep no more of the scheduler than the step.
            self.lr_scheduler: Any = torch.optim.lr_scheduler.LambdaLR(
                self.optimizer if optimizer is None else optimizer,
                lambda step: learning_rate(step, config) / config.learning_rate,
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def training_step(
        self, model: Any, inputs: Sequence[Row], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Add the gradient of one step's loss; return this process's share of L_V, times the number of processes.

        Raises:
            ModelError: the loss is not a number.
        """
        model.train()
        for kind, retention in self.remembering.in_loss.items():
            with self.accelerator.no_sync(model):
                penalty = retention.penalty(self.state.global_step)
                self.accelerator.backward(retention.strength * penalty)
            self._in_loss[kind] = float(penalty.detach())
        # A process that got no row goes through one whose loss counts nothing: the others wait for its gradients.
        own = list(inputs[self.args.process_index :: self.args.world_size])
        scale = (self.args.world_size if own else 0.0) / weight_of(inputs)
        passes = forward_passes(own or inputs[:1])
        value = torch.zeros((), device=self.args.device)
        for number, part in enumerate(passes, start=1):
            alone = self.accelerator.no_sync(model) if number < len(passes) else contextlib.nullcontext()
            with alone:
                batch = collate_rows(part, self._pad, self.args.device)
                loss = scale * completion_loss(model, batch, self._base)
                self.accelerator.backward(loss)
            value += loss.detach()
        if not torch.isfinite(value):
            raise ModelError(
                f"the loss of step {self.state.global_step + 1} is not a number",
                where=self.config.model,
                mend="Lower `learning_rate`, or load the model in float32 and look whether its weights are numbers.",
            )
        return value

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Measure what is watched, and log it."""
        assert self.watch is not None
        measured = self.watch.measure(self.model, self.state.global_step)
        self.log(dict(measured.logged))
        metrics = {**measured.logged, SCORE: measured.score}
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self._since = time.monotonic()
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log with the seconds of the step and every penalty, for all who read the logs."""
        if "loss" in logs:
            now = time.monotonic()
            logs["seconds"], self._since = now - self._since, now
            penalties = self._in_loss | {kind: one.penalty for kind, one in self._held.items()}
            logs.update({_logged(kind): value for kind, value in penalties.items()})
        super().log(logs)

    def floating_point_ops(self, inputs: Any) -> int:
        """Return 0: rows are not what this is counted of."""
        return 0

    def _load_best_model(self) -> None:
        # Where it was written the directory may have had another name.
        best = Path(self.args.output_dir) / f"checkpoint-{self.state.best_global_step}"
        self.state.best_model_checkpoint = str(best)
        super()._load_best_model()

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            mark_complete(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")

    # -- what the rest of worldschool asks for --------------------------------------------------------------------

    def run(self, advance: Advance = silent) -> None:
        """Train to the end, from the newest complete checkpoint where there is one; `advance` is told of every step."""
        checkpoint = newest_complete(Path(self.args.output_dir))
        if checkpoint is not None:
            advance(int(checkpoint.name.rpartition("-")[2]))
            if self._had_been_stopped(checkpoint):
                return
        else:
            self._try_heaviest()
        self.add_callback(_Told(advance))
        self._since = time.monotonic()
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    def _had_been_stopped(self, checkpoint: Path) -> bool:
        """Take up the end of a run that a measurement ended, if it was; transformers would train on."""
        state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
        control = (state.stateful_callbacks or {}).get("TrainerControl", {})
        if self.watch is None or not control.get("args", {}).get("should_training_stop"):
            return False
        self.state = state
        if state.best_global_step:
            self._load_best_model()
        return True

    def _try_heaviest(self) -> None:
        """Go forward and back over the step with the most tokens, so that too little memory shows before hours are spent.

        Raises:
            ModelError: it does not fit.
        """
        drawn = torch.get_rng_state()
        try:
            self.training_step(self.model, max(self.steps, key=tokens_of))
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "memory" not in str(error):
                raise
            raise ModelError(
                f"the step with the most tokens does not fit into memory: {str(error).splitlines()[0]}",
                where=self.config.model,
                mend="Lower `batch_examples` or `max_length`, or set `gradient_checkpointing: true`.",
            ) from None
        self.model.zero_grad()
        torch.set_rng_state(drawn)

    @property
    def curve(self) -> list[Curve]:
        """What every step so far measured."""
        strengths = {kind: one.strength for kind, one in self.remembering.held.items()}
        strengths |= {kind: one.strength for kind, one in self.remembering.in_loss.items()}
        return [
            Curve(
                entry["step"],
                entry["loss"],
                _penalty(entry, strengths),
                entry["learning_rate"],
                entry["seconds"],
            )
            for entry in self.state.log_history
            if "loss" in entry
        ]

    @property
    def rows_seen(self) -> list[Row]:
        """The rows of the steps done."""
        return [row for step in self.steps[: self.state.global_step] for row in step]

    @property
    def examples(self) -> int:
        """Examples of the steps done."""
        return sum(row.examples for row in self.rows_seen)

    @property
    def tokens(self) -> int:
        """Tokens of the steps done."""
        return tokens_of(self.rows_seen)

    @property
    def seconds(self) -> float:
        """Seconds that the steps done took, interrupted runs' among them."""
        return sum(point.seconds for point in self.curve)


class _Several(TrainerCallback):  # type: ignore[misc]
    """Several penalties as one callback: transformers warns of a second one of a class."""

    def __init__(self, callbacks: Sequence[HeldCallback]) -> None:
        self._callbacks = list(callbacks)

    def on_pre_optimizer_step(self, *given: Any, **named: Any) -> None:
        for callback in self._callbacks:
            callback.on_pre_optimizer_step(*given, **named)


class _Told(TrainerCallback):  # type: ignore[misc]
    """Tells of every step."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self._advance(1, f"loss {logs['loss']:.3f}")


def curve_json(curve: Sequence[Curve]) -> list[dict[str, float]]:
    """Return a curve as plain JSON values."""
    return [asdict(point) for point in curve]


def _logged(kind: str) -> str:
    return f"{kind}_penalty"


def _penalty(entry: Mapping[str, float], strengths: Mapping[str, float]) -> float:
    found = {kind: entry.get(_logged(kind), 0.0) for kind in strengths}
    if len(found) == 1:
        return next(iter(found.values()))
    return sum(strengths[kind] * value for kind, value in found.items())


def _leave_processes() -> None:
    # gloo's threads let go of the tensors of the last exchange a moment after it, and need the interpreter for that: one that is
    # being taken down by then ends them, and the process aborts after all was written.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        time.sleep(0.1)


def _only(items: Sequence[Any]) -> Any:
    (item,) = items
    return item
