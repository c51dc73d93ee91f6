"""What EWC with LoRA costs: measuring the Fisher information, a step of training, memory; and what factors lose.

python -m benchmarks.ewc --model smollm2-135m

- Fisher information of the attention matrices over pieces of general text, in both forms, against one backward pass a text.
- An optimizer step of LoRA (r 16, attention) on about 2,000 tokens, and what EWC adds to it: exact and factored in closed form, and
  as E2WM does it, a dense penalty in the loss that autograd goes through; and what divergence from the base model (`kl`) and `replay`
  of general text add, 4 pieces of 64 tokens a step. Steps take turns; medians are shown.
- Bytes of each form against the model's.
- Cosine of the two forms' gradients on an adapter: `--adapter DIR`, or one trained here on general text for 30 steps; with the Fisher
  information of 64 texts of 256 tokens, as few texts leave a noise in the exact form that no factors can follow.
--quick takes a tiny random model (tests/tiny_models.py), whose figures say little about a real one's.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.learners.fisher.forms import Importance
from worldschool.learners.fisher.information import Fisher
from worldschool.learners.fisher.measuring import compute_fisher
from worldschool.learners.fisher.parameters import matching_parameters, short_names
from worldschool.learners.retention.adapted import adapted_matrices
from worldschool.learners.retention.ewc import EWC
from worldschool.learners.retention.general import KLToBase, Replay
from worldschool.models.causal import add_adapter, base_parameters, load_causal_lm
from worldschool.models.texts import chunks, load_text

LENGTHS = {256: 6, 128: 12, 32: 48}
"""Tokens of a text, and how many texts of that length the Fisher information is measured on."""
FORMS_COMPARED = 256, 64
"""Tokens of a text, and how many texts, for the two forms whose gradients are compared."""
ROUNDS = 5
STEP_ROWS, STEP_TOKENS = 16, 125
GENERAL_TOKENS = 64
"""Of the pieces that `kl` and `replay` look at, as `worldschool finetune` takes them."""
STRENGTH = 1e6


def main() -> None:
    """Measure and report."""
    options = _options()
    torch.manual_seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        name = options.model or (_tiny(Path(folder)) if options.quick else "smollm2-135m")
        model, tokenizer = load_causal_lm(name, options.dtype)
        if model.device.type == "cpu":
            model.set_attn_implementation("eager")
        documents = load_text("pydoc:fisher").documents
        lengths = {32: 6, 16: 6} if options.quick else LENGTHS
        texts = {t: chunks(tokenizer, documents, t, count, options.seed) for t, count in lengths.items()}
        figures = {} if options.steps_only else fisher_figures(model, texts)
        exact, factored = fishers(model, tokenizer, documents, options)
        rows = chunks(tokenizer, documents, min(STEP_TOKENS, max(lengths)), STEP_ROWS, options.seed + 1)
        adapted = adapter_for(model, rows, options)
        if not options.steps_only:
            figures |= forgetting_figures(adapted, exact, factored)
        pieces = chunks(tokenizer, documents, 16 if options.quick else GENERAL_TOKENS, 96, options.seed)
        ways = ways_to_remember(adapted, exact, factored, pieces)
        figures |= step_figures(adapted, rows, exact, ways, 2 if options.quick else ROUNDS)
    report(figures, options.seed, options.json)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--model", help="a pulled name or a directory; smollm2-135m, or with --quick a tiny model"
    )
    parser.add_argument("--adapter", type=Path, help="a LoRA adapter of the model, to compare gradients on")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--steps-only", action="store_true", help="time steps, and nothing else")
    return parser.parse_args()


def _tiny(folder: Path) -> str:
    from tests.tiny_models import save

    return str(save(folder / "model"))


def fishers(
    model: Any, tokenizer: Any, documents: Sequence[str], options: argparse.Namespace
) -> list[Fisher]:
    """Return both forms of the same texts."""
    tokens, count = (16, 6) if options.quick else FORMS_COMPARED
    count = 2 if options.steps_only else count  # a step takes as long, whatever the values are
    texts = chunks(tokenizer, documents, tokens, count, options.seed)
    names = matching_parameters(model, "attention")
    return [compute_fisher(model, texts, names, form=form) for form in ("exact", "factored")]


def fisher_figures(model: Any, texts: dict[int, list[list[int]]]) -> dict[str, Figure]:
    """Measure both forms and one backward pass a text, in turns."""
    names = matching_parameters(model, "attention")
    figures: dict[str, Figure] = {}
    for length, pieces in texts.items():
        compute_fisher(model, pieces[:1], names)  # the first pass warms up
        seconds: dict[str, list[float]] = {"alone": [], "exact": [], "factored": []}
        for _ in range(3):
            seconds["alone"].append(_timed(lambda pieces=pieces: one_backward_a_text(model, pieces, names)))
            for form in ("exact", "factored"):
                started = time.perf_counter()
                compute_fisher(model, pieces, names, form=form)
                seconds[form].append(time.perf_counter() - started)
        thousand = 1000 / (length * len(pieces))
        alone, exact, factored = (statistics.median(seconds[one]) for one in ("alone", "exact", "factored"))
        peer = Peer("one backward a text", alone * thousand)
        print(
            f"{length} tokens: alone {peer.value:.2f}, exact {exact * thousand:.2f}, factored {factored * thousand:.2f} s/1k"
        )
        if length == max(texts):
            figures["fisher_s_per_1k_tokens"] = Figure(factored * thousand, "s", False, peer)
            figures["fisher_s_per_1k_tokens_exact"] = Figure(exact * thousand, "s", False, peer)
        figures[f"fisher_speedup_{length}_tokens"] = Figure(
            alone / factored, "times one backward a text", True
        )
        figures[f"fisher_speedup_{length}_tokens_exact"] = Figure(
            alone / exact, "times one backward a text", True
        )
    return figures


def one_backward_a_text(
    model: Any, texts: Sequence[Sequence[int]], names: Sequence[str]
) -> dict[str, torch.Tensor]:
    """Return the same as `compute_fisher`, exact, in the usual few lines."""
    weights = base_parameters(model)
    for name, tensor in weights.items():
        tensor.requires_grad_(name in names)
    sums = {name: torch.zeros(weights[name].shape) for name in names}
    for text in texts:
        ids = torch.tensor([text], device=model.device)
        logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits, ids[0, 1:])
        for name, gradient in zip(
            names, torch.autograd.grad(loss, [weights[one] for one in names]), strict=True
        ):
            sums[name] += gradient.float().cpu() ** 2
    return sums


def adapter_for(model: Any, rows: Sequence[Sequence[int]], options: argparse.Namespace) -> Any:
    """Return the model with the adapter asked for, or one that learned these rows."""
    if options.adapter is not None:
        adapted = add_adapter(model, options.adapter)
        for name, tensor in adapted.named_parameters():
            tensor.requires_grad_(".lora_" in name)
        return adapted
    from peft import LoraConfig, get_peft_model

    for tensor in model.parameters():
        tensor.requires_grad_(False)
    settings = LoraConfig(
        r=16, lora_alpha=32, target_modules=short_names(model, "attention"), task_type="CAUSAL_LM"
    )
    adapted = get_peft_model(model, settings)
    optimizer = torch.optim.AdamW(_trained(adapted), lr=1e-3)
    for _ in range(3 if options.quick else 30):
        _task_gradients(adapted, rows[: len(rows) // 2])
        optimizer.step()
        optimizer.zero_grad()
    return adapted


def forgetting_figures(adapted: Any, exact: Fisher, factored: Fisher) -> dict[str, Figure]:
    """Compare the two forms' gradients on an adapter, and their sizes with the model's."""
    gradients: dict[str, dict[str, torch.Tensor]] = {}
    for form, fisher in (("exact", exact), ("factored", factored)):
        for tensor in _trained(adapted):
            tensor.grad = None
        EWC(adapted, fisher, STRENGTH).add_gradients()
        held = adapted_matrices(adapted)
        gradients[form] = {
            side: torch.cat([getattr(one, side).grad.flatten() for one in held]) for side in ("a", "b")
        }
        print(f"{form}: penalty {float(EWC(adapted, fisher, 1.0).penalty().detach()):.3e}")
    cosines = {
        side: float(
            torch.nn.functional.cosine_similarity(
                gradients["exact"][side], gradients["factored"][side], dim=0
            )
        )
        for side in ("a", "b")
    }
    size = sum(t.numel() * t.element_size() for t in base_parameters(adapted).values())
    return {
        "gradient_cosine_factored": Figure(
            min(cosines.values()), f"A {cosines['a']:.4f}, B {cosines['b']:.4f}", True
        ),
        "fisher_bytes_share_factored": Figure(
            factored.bytes / size, "of the model's bytes", False, Peer("exact", exact.bytes / size)
        ),
    }


def ways_to_remember(
    adapted: Any, exact: Fisher, factored: Fisher, pieces: Sequence[Sequence[int]]
) -> dict[str, Callable[[], object]]:
    """Return what each way to remember adds to a step's gradients."""
    kl, replay = KLToBase(adapted, pieces, 1.0), Replay(adapted, pieces, 1.0)
    return {
        "exact": EWC(adapted, exact, STRENGTH).add_gradients,
        "factored": EWC(adapted, factored, STRENGTH).add_gradients,
        "kl": lambda: kl.penalty().backward(),  # type: ignore[no-untyped-call]
        "replay": lambda: replay.penalty().backward(),  # type: ignore[no-untyped-call]
    }


def step_figures(
    adapted: Any,
    rows: Sequence[Sequence[int]],
    exact: Fisher,
    ways: dict[str, Callable[[], object]],
    rounds: int,
) -> dict[str, Figure]:
    """Time a step of plain LoRA, one that remembers in each way, and one with a dense penalty in the loss, in turns."""
    dense = [(one, exact.values[one.weight]) for one in adapted_matrices(adapted)]
    seconds: dict[str, list[float]] = {name: [] for name in ("plain", *ways, "in the loss")}
    optimizer = torch.optim.AdamW(_trained(adapted), lr=0.0)
    for _ in range(rounds):
        seconds["plain"].append(_timed(lambda: _step(adapted, rows, optimizer, None)))
        for name, add in ways.items():
            seconds[name].append(_timed(lambda add=add: _step(adapted, rows, optimizer, add)))
        seconds["in the loss"].append(_timed(lambda: _step(adapted, rows, optimizer, None, dense)))
    plain = statistics.median(seconds["plain"])
    tokens = sum(map(len, rows))
    print(
        f"a step of {tokens} tokens: "
        + ", ".join(f"{name} {statistics.median(all_):.3f} s" for name, all_ in seconds.items())
    )
    # What is added is timed alone too: a difference of whole steps is lost in their noise.
    alone = {name: statistics.median([_timed(add) for _ in range(4 * rounds)]) for name, add in ways.items()}
    in_loss = Peer("in the loss, whole steps", statistics.median(seconds["in the loss"]) / plain - 1)
    return {
        f"step_overhead_{name}": Figure(alone[name] / plain, "of a plain step", False, in_loss)
        for name in ways
    } | {
        f"step_overhead_{name}_whole_steps": Figure(
            statistics.median(seconds[name]) / plain - 1, "of a plain step", False
        )
        for name in ways
    }


def _step(
    adapted: Any,
    rows: Sequence[Sequence[int]],
    optimizer: torch.optim.Optimizer,
    add: Callable[[], object] | None,
    dense: Sequence[tuple[Any, Importance]] = (),
) -> None:
    _task_gradients(adapted, rows, dense)
    torch.nn.utils.clip_grad_norm_(_trained(adapted), 1.0)
    if add is not None:
        add()
    optimizer.step()
    optimizer.zero_grad()


def _task_gradients(
    adapted: Any, rows: Sequence[Sequence[int]], dense: Sequence[tuple[Any, Importance]] = ()
) -> None:
    """Go forward and back over the rows; `dense` puts the penalty into the loss, matrix by matrix, for autograd."""
    ids = torch.tensor([list(row) for row in rows], device=adapted.device)
    loss = adapted(input_ids=ids, labels=ids, use_cache=False).loss
    for one, importance in dense:
        loss = loss + STRENGTH * (importance.dense() * (one.scale * one.b @ one.a) ** 2).sum()
    loss.backward()


def _trained(adapted: Any) -> list[torch.nn.Parameter]:
    return [tensor for tensor in adapted.parameters() if tensor.requires_grad]


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
