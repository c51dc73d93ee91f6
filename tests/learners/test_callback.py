"""EWCCallback inside transformers.Trainer: what it adds, when, what it refuses, on one process and on two."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import Trainer, TrainingArguments

from worldschool.errors import ConfigError, FisherError, ModelError
from worldschool.learners.finetune.arguments import training_arguments
from worldschool.learners.finetune.config import FinetuneConfig
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters
from worldschool.learners.retention.adapted import adapted_matrices
from worldschool.learners.retention.callback import LOGGED, EWCCallback
from worldschool.learners.retention.ewc import EWC
from worldschool.learners.retention.full import FullEWC
from worldschool.models.causal import base_parameters

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
TEXTS = [[5, 9, 30, 31, 7, 4], [12, 13, 14, 40, 41, 42], [8, 80, 81, 8, 82, 3], [9, 9, 1, 2, 3, 4]]


def fisher_of(model, form="factored", names=None):
    return compute_fisher(model, TEXTS, names or matching_parameters(model, ATTENTION), form=form)


def arguments(out, **values):
    settings = {
        "max_steps": 3, "per_device_train_batch_size": 2, "learning_rate": 1e-2, "logging_steps": 1, "save_steps": 10**6,
        "report_to": [], "use_cpu": True, "seed": 1, "disable_tqdm": True, "lr_scheduler_type": "constant",
        "gradient_accumulation_steps": 2,
    }  # fmt: skip
    return TrainingArguments(output_dir=str(out), **(settings | values))


def rows():
    return [{"input_ids": text, "labels": text} for text in TEXTS * 4]


def train(model, out, callbacks=(), **values):
    trainer = Trainer(model, arguments(out, **values), train_dataset=rows(), callbacks=list(callbacks))
    trainer.train(resume_from_checkpoint=values.get("resume_from_checkpoint"))
    return trainer


def trained(model):
    return {
        name: tensor.detach().clone() for name, tensor in model.named_parameters() if tensor.requires_grad
    }


class Noted:
    """Gradients as the optimizer sees them, and the weights then."""

    def __init__(self):
        from transformers import TrainerCallback

        noted = self.seen = []

        class Note(TrainerCallback):
            def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
                noted.append(
                    {
                        n: (p.grad.clone(), p.detach().clone())
                        for n, p in model.named_parameters()
                        if p.requires_grad
                    }
                )

        self.callback = Note()


def test_the_penaltys_gradient_is_added_once_a_step_after_clipping(tiny_models, tmp_path):
    model = tiny_models.adapt(tiny_models.llama())
    fisher = fisher_of(tiny_models.llama())
    before, after = Noted(), Noted()
    callback = EWCCallback(fisher, 1e5)
    trainer = train(model, tmp_path, [before.callback, callback, after.callback], max_grad_norm=0.01)
    assert len(before.seen) == len(after.seen) == 3  # a step is two batches
    for task, whole in zip(before.seen, after.seen, strict=True):
        clipped = math.sqrt(sum(float(gradient.norm()) ** 2 for gradient, _ in task.values()))
        assert clipped == pytest.approx(0.01, rel=1e-3)
        again = tiny_models.adapt(tiny_models.llama())
        for name, parameter in again.named_parameters():
            if name in task:
                parameter.data.copy_(task[name][1])
        (1e5 * EWC(again, fisher, 1e5).penalty()).backward()
        for name, parameter in again.named_parameters():
            if name in task:
                torch.testing.assert_close(
                    whole[name][0] - task[name][0], parameter.grad, rtol=1e-3, atol=1e-5
                )
    logged = [entry[LOGGED] for entry in trainer.state.log_history if "loss" in entry]
    assert len(logged) == 3 and logged[-1] < logged[0]


def test_strength_zero_changes_nothing_and_a_strong_hold_keeps_the_adapter_small(tiny_models, tmp_path):
    fisher, found = fisher_of(tiny_models.llama()), {}
    for name, callbacks in (
        ("plain", []),
        ("zero", [EWCCallback(fisher, 0)]),
        ("strong", [EWCCallback(fisher, 1e7)]),
    ):
        model = tiny_models.adapt(tiny_models.llama(), seed=None)
        torch.manual_seed(0)
        train(model, tmp_path / name, callbacks, max_steps=8)
        found[name] = trained(model), float(EWC(model, fisher, 1.0).penalty().detach())
    assert all(torch.equal(found["plain"][0][name], tensor) for name, tensor in found["zero"][0].items())
    assert found["strong"][1] < found["plain"][1] / 10


def test_variants_of_lora_that_are_linear_are_held_and_others_refused(tiny_models, tmp_path):
    from peft import IA3Config, LoraConfig, get_peft_model

    fisher = fisher_of(tiny_models.llama())
    rs = get_peft_model(
        tiny_models.llama(), LoraConfig(r=4, lora_alpha=8, use_rslora=True, target_modules=["q_proj"])
    )
    assert {one.scale for one in adapted_matrices(rs)} == {4.0}
    train(rs, tmp_path, [EWCCallback(fisher, 1.0)], max_steps=1)
    refused = {
        r"variant of LoRA \(Dora\w+\)": LoraConfig(use_dora=True, target_modules=["q_proj"]),
        "adapter is of the kind IA3": IA3Config(target_modules=["q_proj"], feedforward_modules=[]),
        "2 trained parameters are no LoRA factors.*embed_tokens": LoraConfig(
            target_modules=["q_proj", "embed_tokens"]
        ),
        "trained parameters are no LoRA factors.*norm": LoraConfig(
            target_modules=["q_proj"], modules_to_save=["norm"]
        ),
    }
    for message, config in refused.items():
        model = get_peft_model(tiny_models.llama(), config)
        with pytest.raises(ModelError, match=f"(?s){message}.*update is s B A"):
            train(model, tmp_path, [EWCCallback(fisher, 1.0)], max_steps=1)


def test_what_cannot_be_held_is_refused_before_a_step_is_taken(tiny_models, tmp_path):
    fisher = fisher_of(tiny_models.llama())
    for strength in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match=r"strength: EWC's strength is"):
            EWCCallback(fisher, strength)
    with pytest.raises(FisherError, match="made for another model"):
        train(tiny_models.adapt(tiny_models.llama(seed=5)), tmp_path, [EWCCallback(fisher, 1.0)])
    with pytest.raises(FisherError, match=r"no values for the adapted matrix .*q_proj"):
        few = fisher_of(tiny_models.llama(), names=matching_parameters(tiny_models.llama(), ["o_proj"]))
        train(tiny_models.adapt(tiny_models.llama()), tmp_path, [EWCCallback(few, 1.0)])
    with pytest.raises(FisherError, match=r"there is no fisher.json here"):
        EWCCallback(tmp_path / "nowhere", 1.0)
    callback, args = EWCCallback(fisher, 1.0), arguments(tmp_path)
    model = tiny_models.adapt(tiny_models.llama())
    args.fp16, args.max_grad_norm = True, 0.0
    with pytest.raises(ConfigError, match=r"max_grad_norm: fp16 without clipping"):
        callback.on_train_begin(args, None, None, model=model)
    args.max_grad_norm = 1.0
    callback.on_train_begin(args, None, None, model=model)
    args.fp16, args.fsdp = False, True
    with pytest.raises(ConfigError, match=r"fsdp: models shared out among processes are not held yet"):
        callback.on_train_begin(args, None, None, model=model)


@pytest.mark.parametrize("name", ["fsdp", "deepspeed"])
def test_sharding_that_accelerate_was_launched_with_is_refused(name, tiny_models, tmp_path, monkeypatch):
    callback, args = EWCCallback(fisher_of(tiny_models.llama()), 1.0), arguments(tmp_path)
    monkeypatch.setenv(f"ACCELERATE_USE_{name.upper()}", "true")
    for refused in (
        lambda: callback.on_train_begin(args, None, None, model=tiny_models.adapt(tiny_models.llama())),
        lambda: training_arguments(FinetuneConfig(examples=("x",)), tmp_path),
    ):
        with pytest.raises(ConfigError, match=rf"{name}: models shared out among processes are not held yet"):
            refused()


def test_an_adapter_put_on_by_transformers_itself_is_held(tiny_models, tmp_path):
    from peft import LoraConfig

    model = tiny_models.llama()
    torch.manual_seed(0)
    model.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"]))
    trainer = train(model, tmp_path, [EWCCallback(fisher_of(tiny_models.llama()), 1e3)])
    penalties = [entry[LOGGED] for entry in trainer.state.log_history if "loss" in entry]
    assert len(penalties) == 3 and penalties[0] == 0 < penalties[-1]


def test_matrices_of_an_adapter_that_is_not_active_are_left_out(tiny_models):
    from peft import LoraConfig

    model = tiny_models.adapt(tiny_models.llama())
    expected = [one.weight for one in adapted_matrices(model)]
    model.add_adapter("other", LoraConfig(r=2, target_modules=["gate_proj", "q_proj"]))
    model.set_adapter("default")
    assert [one.weight for one in adapted_matrices(model)] == expected


def test_the_penalty_is_reported_where_the_callback_is_called_first(tiny_models, tmp_path):
    """As the module's docstring has it: Trainer calls its reports before the callbacks that it is given."""
    from transformers import TrainerCallback

    told = []

    class Report(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            told.append(dict(logs))

    callback = EWCCallback(fisher_of(tiny_models.llama()), 1e3)
    model = tiny_models.adapt(tiny_models.llama())
    trainer = Trainer(model, arguments(tmp_path), train_dataset=rows(), callbacks=[Report(), callback])
    trainer.callback_handler.callbacks.insert(0, trainer.pop_callback(EWCCallback))
    trainer.train()
    assert sum(LOGGED in logs for logs in told) == 3


def test_full_fine_tuning_is_held_at_its_start_also_when_it_goes_on(tiny_models, tmp_path):
    llama = tiny_models.llama()
    names = list(base_parameters(llama))
    fisher = fisher_of(llama, "exact", names)
    free, held = tiny_models.llama(), tiny_models.llama()
    train(free, tmp_path / "free", max_steps=6)
    train(held, tmp_path / "held", [EWCCallback(fisher, 1e6)], max_steps=6, save_steps=3)
    start = base_parameters(tiny_models.llama())
    moved = [
        sum(
            float((fisher.values[n].dense() * (p - start[n]) ** 2).sum())
            for n, p in base_parameters(m).items()
        )
        for m in (free, held)
    ]
    assert 0 < moved[1] < moved[0] / 5
    again = tiny_models.llama()
    train(again, tmp_path / "held", [EWCCallback(fisher, 1e6)], max_steps=6,
          resume_from_checkpoint=str(tmp_path / "held" / "checkpoint-3"))  # fmt: skip
    for name, tensor in base_parameters(again).items():
        torch.testing.assert_close(tensor, base_parameters(held)[name], rtol=1e-5, atol=1e-7)
    (tmp_path / "held" / FullEWC.FILE).unlink()
    with pytest.raises(FisherError, match=r"where it began was not kept"):
        train(tiny_models.llama(), tmp_path / "held", [EWCCallback(fisher, 1e6)], max_steps=6,
              resume_from_checkpoint=str(tmp_path / "held" / "checkpoint-3"))  # fmt: skip
    with pytest.raises(FisherError, match=r"no values for \d+ trained parameters; the first is"):
        train(tiny_models.llama(), tmp_path / "few", [EWCCallback(fisher_of(llama), 1.0)])
    with pytest.raises(FisherError, match=r"is of shape"):
        wrong = {
            name: one.transposed() if one.values.ndim == 2 else one for name, one in fisher.values.items()
        }
        FullEWC(tiny_models.llama(), replace(fisher, values=wrong), 1.0)


WORKER = """
import json, sys, torch
from tests import tiny_models
from tests.learners import test_callback as shared
from worldschool.learners.retention.callback import EWCCallback

model = tiny_models.adapt(tiny_models.llama())
callback = EWCCallback(shared.fisher_of(tiny_models.llama()), 1e5)
batch = int(sys.argv[2])
trainer = shared.train(model, sys.argv[1], [callback], per_device_train_batch_size=batch, max_grad_norm=0.05, max_steps=4)
if trainer.is_world_process_zero():
    torch.save(shared.trained(trainer.model), sys.argv[1] + "/weights.pt")
    print(json.dumps({"processes": trainer.args.world_size, "backend": str(trainer.args.parallel_mode)}))
if torch.distributed.is_initialized():  # threads that still hold the last exchange's tensors would abort the end
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
"""


def test_two_processes_end_where_one_does(tmp_path):
    root = Path(__file__).parents[2]
    (tmp_path / "worker.py").write_text(WORKER)
    ends = {}
    for processes, batch in ((1, 4), (2, 2)):
        out = tmp_path / str(processes)
        out.mkdir()
        launch = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            f"--nproc-per-node={processes}",
            "--standalone",
        ]
        command = [
            *(launch if processes > 1 else [sys.executable]),
            str(tmp_path / "worker.py"),
            str(out),
            str(batch),
        ]
        done = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True, timeout=240,
                              env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"})  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        assert json.loads(done.stdout.strip().splitlines()[-1])["processes"] == processes
        ends[processes] = torch.load(out / "weights.pt")
    for name, tensor in ends[1].items():
        torch.testing.assert_close(tensor, ends[2][name], rtol=1e-4, atol=1e-5)
