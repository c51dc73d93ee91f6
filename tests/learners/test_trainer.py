"""The Trainer on rows: steps, learning rate, checkpoints, several processes, what ends a run."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.learners.test_finetune import config, make_examples
from worldschool.errors import ConfigError, ModelError
from worldschool.learners.finetune.adapter import add_adapter, trainable
from worldschool.learners.finetune.arguments import learning_rate, training_arguments
from worldschool.learners.finetune.checkpoints import MARK, newest_complete
from worldschool.learners.finetune.config import RetentionSettings
from worldschool.learners.finetune.data import batches, build_rows, text_row
from worldschool.learners.finetune.retaining import Remembering, make_retention
from worldschool.learners.finetune.run import kept_step
from worldschool.learners.finetune.trainer import Trainer
from worldschool.learners.finetune.watching import NLL, RISE, Watch, mean_nll
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters
from worldschool.learners.retention.ewc import EWC

PIECES = [[5, 9, 30, 31], [12, 13, 40, 41], [8, 80, 81, 82], [9, 1, 2, 3], [7, 7, 60, 61]]


@pytest.fixture(scope="module")
def tokenizer(tiny_models):
    return tiny_models.tokenizer()


def fisher_of(model):
    return compute_fisher(model, PIECES, matching_parameters(model, ("q_proj", "k_proj", "v_proj", "o_proj")))


def make_trainer(tiny_models, tokenizer, out, strength=None, kind="ewc", watched=None, also=None, **changes):
    """Return a trainer on nine examples about three stories; `watched`: rows of held-out examples and of texts."""
    settings = config(**changes)
    arguments = training_arguments(settings, out)
    llama = tiny_models.llama()
    fisher = fisher_of(llama) if strength is not None and kind == "ewc" else None
    model = add_adapter(llama, settings)
    remembering = Remembering()
    if strength is not None:
        retention = RetentionSettings(kind=kind, strength=strength, also=also or {})
        remembering = make_retention(model, fisher, PIECES, retention)
    rows = build_rows(tokenizer, make_examples(), 512).rows
    watch = Watch(model, *watched, settings.validation, 0) if watched else None
    return Trainer(model, rows, remembering, settings, 0, arguments, watch)


def weights(trainer):
    return [parameter.detach().clone() for parameter in trainable(trainer.model)]


def assert_equal_weights(one, other):
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def measured(trainer):
    """Return the curve without its seconds."""
    return [(point.step, point.loss, point.penalty, point.learning_rate) for point in trainer.curve]


# -- steps and learning rate -----------------------------------------------------------------------------------------


def test_batches_are_deterministic_and_go_through_every_row_in_each_round(tokenizer):
    rows = build_rows(tokenizer, make_examples(), 512).rows
    first = list(itertools.islice(batches(rows, 2, seed=5), 40))
    assert first == list(itertools.islice(batches(rows, 2, seed=5), 40))
    assert first != list(itertools.islice(batches(rows, 2, seed=6), 40))
    assert all(sum(row.examples for row in batch) >= 2 for batch in first)
    assert all(sum(row.examples for row in batch[:-1]) < 2 for batch in first)
    order = [row for batch in first for row in batch]
    rounds = [order[at : at + len(rows)] for at in range(0, len(order) - len(rows), len(rows))]
    assert len(rounds) > 5
    assert all({id(row) for row in one} == {id(row) for row in rows} for one in rounds)
    assert len({tuple(map(id, one)) for one in rounds}) > 1


def test_the_learning_rate_rises_and_falls_in_straight_lines():
    settings = config(learning_rate=1.0, warmup=0.2, max_steps=10)
    found = [learning_rate(step, settings) for step in range(10)]
    assert found == pytest.approx([1 / 2, 1, 8 / 9, 7 / 9, 6 / 9, 5 / 9, 4 / 9, 3 / 9, 2 / 9, 1 / 9])
    assert [learning_rate(step, config(learning_rate=3.0, warmup=0.0, max_steps=3)) for step in range(3)] == (
        pytest.approx([3, 2, 1])
    )
    assert learning_rate(0, config(learning_rate=2.0, max_steps=1)) == 2.0


# -- training --------------------------------------------------------------------------------------------------------


def test_the_loss_goes_down_and_only_the_adapter_moves(tiny_models, tokenizer, tmp_path):
    trainer = make_trainer(tiny_models, tokenizer, tmp_path, max_steps=25)
    frozen = {n: p.detach().clone() for n, p in trainer.model.named_parameters() if not p.requires_grad}
    done = []
    trainer.run(advance=lambda n=1, note="": done.append(note))
    losses = [point.loss for point in trainer.curve]
    assert len(losses) == len(done) == 25 and done[-1] == f"loss {losses[-1]:.3f}"
    assert sum(losses[-5:]) / 5 < 0.6 * losses[0]
    assert [point.step for point in trainer.curve] == list(range(1, 26))
    assert [point.learning_rate for point in trainer.curve] == pytest.approx(
        [learning_rate(step, trainer.config) for step in range(25)]
    )
    assert trainer.examples >= 25 * 4 and trainer.tokens > trainer.examples
    assert trainer.seconds == sum(point.seconds for point in trainer.curve) > 0
    for name, parameter in trainer.model.named_parameters():
        if name in frozen:
            assert torch.equal(parameter, frozen[name])


def test_training_takes_adamw_steps_on_the_gradient_of_each_batch(tiny_models, tokenizer, tmp_path):
    changes = {"max_steps": 5, "weight_decay": 0.1, "gradient_clip": 0.7, "lora": {"r": 4, "alpha": 8.0}}
    trainer = make_trainer(tiny_models, tokenizer, tmp_path / "a", **changes)
    by_hand = make_trainer(tiny_models, tokenizer, tmp_path / "b", **changes)
    trainer.run()
    parameters = trainable(by_hand.model)
    optimizer = torch.optim.AdamW(parameters, lr=1.0, weight_decay=0.1)
    for step, rows in enumerate(itertools.islice(batches(build_rows(tokenizer, make_examples(), 512).rows, 4, 0), 5)):  # fmt: skip
        by_hand.training_step(by_hand.model, rows)
        torch.nn.utils.clip_grad_norm_(parameters, 0.7)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, by_hand.config)
        optimizer.step()
        optimizer.zero_grad()
    for a, b in zip(weights(trainer), weights(by_hand), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("at", [1, 4, 7])
@pytest.mark.parametrize("kind", ["ewc", "replay"])
def test_a_killed_run_ends_where_an_uninterrupted_one_does(tiny_models, tokenizer, tmp_path, at, kind):
    changes = {
        "lora": {"r": 4, "alpha": 8.0, "dropout": 0.3},
        "weight_decay": 0.1,
        "max_steps": 8,
        "checkpoint_steps": at,
        "strength": 5.0,
        "kind": kind,
    }
    whole = make_trainer(tiny_models, tokenizer, tmp_path / "whole", **changes)
    whole.run()
    first = make_trainer(tiny_models, tokenizer, tmp_path / "killed", **changes)

    class Killed(Exception):
        pass

    seen, last = [], min(at + 2, 8)  # steps are told of before they are kept

    def killing(n=1, note=""):
        seen.append(note)
        if len(seen) == last:
            raise Killed

    with pytest.raises(Killed):
        first.run(killing)
    torch.manual_seed(12345)
    second = make_trainer(tiny_models, tokenizer, tmp_path / "killed", **changes)
    told = []
    second.run(lambda n=1, note="": told.append(n))
    kept = (last - 1) // at * at
    assert told == [kept, *[1] * (8 - kept)]
    assert_equal_weights(whole, second)
    assert measured(whole) == measured(second) and len(second.curve) == 8
    assert (whole.examples, whole.tokens) == (second.examples, second.tokens)
    other = make_trainer(tiny_models, tokenizer, tmp_path / "other", **changes, seed=1)
    other.run()
    assert not all(torch.equal(a, b) for a, b in zip(weights(whole), weights(other), strict=True))


def test_a_checkpoint_that_was_not_written_to_its_end_is_passed_over(tiny_models, tokenizer, tmp_path):
    trainer = make_trainer(tiny_models, tokenizer, tmp_path, max_steps=7, checkpoint_steps=3)
    trainer.run()
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["checkpoint-6", "checkpoint-7"]
    (tmp_path / "checkpoints" / "checkpoint-7" / MARK).unlink()
    (tmp_path / "checkpoints" / "checkpoint-7" / "optimizer.pt").write_bytes(b"half")
    assert newest_complete(tmp_path / "checkpoints").name == "checkpoint-6"
    again = make_trainer(tiny_models, tokenizer, tmp_path, max_steps=7, checkpoint_steps=3)
    again.run()
    assert_equal_weights(trainer, again)
    assert newest_complete(tmp_path / "nowhere") is None


def test_a_high_lambda_holds_the_adapter_back(tiny_models, tokenizer, tmp_path):
    free, held = (
        make_trainer(tiny_models, tokenizer, tmp_path / str(strength), strength=strength, max_steps=15)
        for strength in (1e-9, 300.0)
    )
    for trainer in (free, held):
        trainer.run()
    ends = [float(EWC(t.model, fisher_of(tiny_models.llama()), 1.0).penalty().detach()) for t in (free, held)]
    assert 0 < ends[1] < 0.5 * ends[0]
    assert held.curve[0].penalty == 0.0 < held.curve[-1].penalty
    assert held.curve[-1].loss > free.curve[-1].loss


def test_a_gradient_is_the_same_with_activations_computed_again(tiny_models, tokenizer, tmp_path):
    ends = []
    for name, again in (("kept", False), ("again", True)):
        trainer = make_trainer(
            tiny_models, tokenizer, tmp_path / name, max_steps=3, gradient_checkpointing=again
        )
        trainer.run()
        assert trainer.model.is_gradient_checkpointing == again
        ends.append(weights(trainer))
    for one, other in zip(*ends, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_no_number_ends_the_run(tiny_models, tokenizer, tmp_path):
    trainer = make_trainer(tiny_models, tokenizer, tmp_path, max_steps=3)
    next(p for n, p in trainer.model.named_parameters() if "embed" in n).data.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"the loss of step 1 is not a number\. Lower `learning_rate`"):
        trainer.run()


def test_a_new_adapter_is_seeded_and_changes_nothing_yet(tiny_models):
    models = [add_adapter(tiny_models.llama(), config(seed=seed)) for seed in (3, 3, 4)]
    first, same, other = ([p.detach() for p in trainable(model)] for model in models)
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(p.dtype == torch.float32 for p in first) and len(first) == 16
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        torch.testing.assert_close(models[0](input_ids=ids).logits, tiny_models.llama()(input_ids=ids).logits)


def test_target_modules_that_the_model_lacks_are_refused(tiny_models):
    with pytest.raises(ConfigError, match=r"^lora\.target_modules: "):
        add_adapter(tiny_models.llama(), config(lora={"target_modules": ("query_key_value",)}))


def test_a_report_that_is_not_known_is_refused(tiny_models, tokenizer, tmp_path):
    with pytest.raises(ConfigError, match=r"^report_to: .*telegraph"):
        make_trainer(tiny_models, tokenizer, tmp_path, report_to=("telegraph",))


def test_tensorboards_curves_are_in_the_output_directory(tiny_models, tokenizer, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer = make_trainer(
        tiny_models, tokenizer, tmp_path, strength=1.0, max_steps=3, report_to=("tensorboard",)
    )
    trainer.run()
    (written,) = (tmp_path / "logs").glob("events.*")
    events = EventAccumulator(str(written)).Reload()
    assert [event.value for event in events.Scalars("train/loss")] == pytest.approx(
        [point.loss for point in trainer.curve], rel=1e-5
    )
    assert len(events.Scalars("train/ewc_penalty")) == 3


# -- what is measured on the way -------------------------------------------------------------------------------------


def watched(tokenizer, texts=PIECES):
    rows = build_rows(tokenizer, make_examples()[:3], 512).rows
    return rows, {"text": [text_row(piece) for piece in texts]}


def test_a_texts_row_has_the_loss_of_the_text(tiny_models):
    llama = tiny_models.llama()
    by_hand = [llama(input_ids=torch.tensor([p]), labels=torch.tensor([p])).loss.item() for p in PIECES]
    found = mean_nll(llama, [text_row(piece) for piece in PIECES], 0)
    assert found == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-5)


def test_the_adapter_with_the_lowest_held_out_loss_is_kept_and_patience_ends_a_run(
    tiny_models, tokenizer, tmp_path
):
    # So high a rate learns, and then overshoots.
    changes = {
        "learning_rate": 0.3,
        "warmup": 0.5,
        "max_steps": 40,
        "validation": {"examples": ("x",), "steps": 2, "patience": 3},
    }
    trainer = make_trainer(tiny_models, tokenizer, tmp_path, watched=watched(tokenizer), **changes)
    trainer.run()
    measured = {entry["step"]: entry[NLL] for entry in trainer.state.log_history if NLL in entry}
    best = min(measured, key=measured.get)
    assert trainer.state.global_step == best + 6 < 40
    assert trainer.state.best_global_step == best
    assert mean_nll(trainer.model, watched(tokenizer)[0], 0) == pytest.approx(measured[best], rel=1e-5)


def test_a_run_ends_where_too_much_is_forgotten_and_keeps_the_last_that_was_within(
    tiny_models, tokenizer, tmp_path
):
    changes = {"max_steps": 40, "validation": {"forgetting": 0.02, "steps": 1}, "learning_rate": 3e-3}
    _, texts = watched(tokenizer)
    trainer = make_trainer(tiny_models, tokenizer, tmp_path, watched=((), texts), **changes)
    trainer.run()
    rises = {entry["step"]: entry[RISE] for entry in trainer.state.log_history if RISE in entry}
    last = trainer.state.global_step
    assert 1 < last < 40 and rises[last] > 0.02 and all(rise <= 0.02 for s, rise in rises.items() if s < last)
    assert trainer.state.best_global_step == last - 1
    after = mean_nll(trainer.model, texts["text"], 0)
    with trainer.model.disable_adapter():
        before = mean_nll(trainer.model, texts["text"], 0)
    assert after - before == pytest.approx(torch.tensor(1 + rises[last - 1]).log().item(), abs=1e-5)


@pytest.mark.parametrize("forgetting", [0.02, 1e-9])
def test_a_run_that_was_ended_by_a_measurement_is_not_trained_on(
    forgetting, tiny_models, tokenizer, tmp_path
):
    """Killed before its adapter was written, or repeated after no adapter was kept; its directory may have been moved."""
    _, texts = watched(tokenizer)
    changes = {"max_steps": 40, "validation": {"forgetting": forgetting, "steps": 1}, "learning_rate": 3e-3}
    first = make_trainer(tiny_models, tokenizer, tmp_path / "a", watched=((), texts), **changes)
    first.run()
    assert first.state.global_step < 40
    (tmp_path / "a").rename(tmp_path / "b")
    again = make_trainer(tiny_models, tokenizer, tmp_path / "b", watched=((), texts), **changes)
    again.run()
    assert again.state.global_step == first.state.global_step
    assert again.state.best_global_step == first.state.best_global_step
    assert again.curve == first.curve
    if again.state.best_global_step:
        assert_equal_weights(again, first)
        assert kept_step(again) == first.state.global_step - 1
    else:
        with pytest.raises(ModelError, match=r"no adapter was kept"):
            kept_step(again)


def test_the_last_step_is_measured_and_checkpoints_are_kept_between_measurements(
    tiny_models, tokenizer, tmp_path
):
    changes = {"max_steps": 7, "checkpoint_steps": 2, "validation": {"examples": ("x",), "steps": 5}}
    trainer = make_trainer(tiny_models, tokenizer, tmp_path, watched=watched(tokenizer), **changes)
    saved = []
    whole = trainer._save_checkpoint

    def noted(*given):
        saved.append(trainer.state.global_step)
        whole(*given)

    trainer._save_checkpoint = noted
    trainer.run()
    assert [entry["step"] for entry in trainer.state.log_history if NLL in entry] == [5, 7]
    assert saved == [2, 4, 5, 6, 7]


def test_patience_without_examples_is_refused():
    with pytest.raises(ValueError, match=r"`patience` waits for a lower loss on `examples`"):
        config(validation={"patience": 2})


# -- several processes -----------------------------------------------------------------------------------------------


WORKER = """
import json, sys, torch
from pathlib import Path
from tests import tiny_models
from tests.learners import test_trainer as shared

out = Path(sys.argv[1])
trainer = shared.make_trainer(
    tiny_models, tiny_models.tokenizer(), out, strength=5.0, also={"kl": 3.0}, max_steps=5, batch_examples=2
)
trainer.run()
if trainer.is_world_process_zero():
    torch.save(shared.weights(trainer), out / "weights.pt")
    print(json.dumps({"processes": trainer.args.world_size, "losses": [point.loss for point in trainer.curve]}))
"""


def test_two_processes_end_where_one_does(tmp_path):
    """Under a penalty of either sort; a step has one row or two, so that there are steps in which a process has none."""
    root = Path(__file__).parents[2]
    (tmp_path / "worker.py").write_text(WORKER)
    ends, losses = {}, {}
    for processes in (1, 2):
        out = tmp_path / str(processes)
        launch = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone"]
        command = [
            sys.executable,
            *(launch if processes > 1 else []),
            str(tmp_path / "worker.py"),
            str(out),
        ]
        done = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True, timeout=240,
                              env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"})  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        told = json.loads(done.stdout.strip().splitlines()[-1])
        assert told["processes"] == processes
        ends[processes], losses[processes] = torch.load(out / "weights.pt"), told["losses"]
    assert losses[1] == pytest.approx(losses[2], rel=1e-4)
    for one, two in zip(ends[1], ends[2], strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-5)
