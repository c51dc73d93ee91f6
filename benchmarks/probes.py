"""How fast probes score multiple choice, against scoring each option alone, one sequence at a time.

python -m benchmarks.probes --model smollm2-135m

Items: questions with 4 to 6 options about long household stories, made by the builders. Both ways score the same items in
turns, five rounds; medians are shown. What takes part in the comparison is the forward pass: scoring alone, too, computes the
output layer at the option's tokens only. The log-likelihoods must be equal within 1e-4 nats, or it fails. --quick takes a tiny
random model (tests/tiny_models.py), whose speed says little about a real one's.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.harness import Figure, Peer, arguments, report
from worldschool.experience.builders.base import builder_settings
from worldschool.experience.examples import build_examples
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.models.causal import encode_pair
from worldschool.models.language import LocalModel
from worldschool.progress import silent
from worldschool.records import Example

ROUNDS = 5
LARGEST_DIFFERENCE = 1e-4
BUILDERS = {
    "object_location": {"options": 6, "every_moment": True, "per_episode": 1},
    "counting": {"per_episode": 1},
}
WORLD = {
    "characters": 2,
    "control": "all",
    "focus": True,
    "rooms": [6, 7],
    "objects": [6, 8],
    "max_steps": 60,
}


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--model", help="a pulled name or a directory; smollm2-135m, or with --quick a tiny model"
    )
    parser.add_argument("--items", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        items = long_questions(Path(folder) / "episodes", options.items, options.seed)
        model = LocalModel.load(options.model or (_tiny(Path(folder)) if options.quick else "smollm2-135m"))
    report(measured(model, items), options.seed, options.json)


def _tiny(folder: Path) -> str:
    from tests.tiny_models import save

    return str(save(folder / "model", context=8192))


def long_questions(out: Path, count: int, seed: int) -> list[Example]:
    """Return `count` questions with 4 to 6 options, at most one of a kind about each of the episodes collected for it."""
    config = CollectConfig(world_config=WORLD, episodes=count + 8, seed=seed, split="heldout", workers=1)
    collect(config, out, silent)
    builders = {name: builder_settings(name, values, name) for name, values in BUILDERS.items()}
    found = [
        example
        for example in build_examples(EpisodeStore.open(out), builders, seed)
        if 4 <= len(example.options or ()) <= 6
    ]
    longest = sorted(found, key=lambda example: (-len(example.prompt), example.example_id))
    return longest[:count]


def measured(model: LocalModel, items: Sequence[Example]) -> dict[str, Figure]:
    """Score the items both ways in turns and compare.

    Raises:
        SystemExit: a log-likelihood differs by `LARGEST_DIFFERENCE` or more.
    """
    prompts = [item.prompt for item in items]
    completions = [[f" {option}" for option in item.options or ()] for item in items]
    lengths = model.count_tokens(prompts)
    choices = sum(map(len, completions)) / len(items)
    print(f"{model.name}: {len(items)} items, {min(lengths)} to {max(lengths)} tokens, {choices:.1f} options")
    model.score(prompts[:1], completions[:1])  # the first call warms up
    shared, alone, difference = [], [], 0.0
    for number in range(ROUNDS):
        started = time.perf_counter()
        together = [[score.logprob for score in row] for row in model.score(prompts, completions)]
        middle = time.perf_counter()
        apart = [
            [score_alone(model, prompt, text) for text in texts]
            for prompt, texts in zip(prompts, completions, strict=True)
        ]
        shared.append(middle - started)
        alone.append(time.perf_counter() - middle)
        difference = max(
            difference,
            *(
                abs(a - b)
                for one, other in zip(together, apart, strict=True)
                for a, b in zip(one, other, strict=True)
            ),
        )
        print(f"round {number + 1}: {shared[-1]:.2f} s; each option alone {alone[-1]:.2f} s", flush=True)
    print(f"largest difference of a log-likelihood: {difference:.2e} nats")
    if difference >= LARGEST_DIFFERENCE:
        raise SystemExit(f"the two ways differ by {difference:.2e} nats, more than {LARGEST_DIFFERENCE}")
    pace, peer = len(items) / statistics.median(shared), len(items) / statistics.median(alone)
    speedup = statistics.median(b / a for a, b in zip(shared, alone, strict=True))
    return {
        "scoring_speedup": Figure(speedup, "times each option alone", True),
        "items_per_s": Figure(pace, "items/s", True, Peer("each option alone", peer)),
        "largest_difference": Figure(difference, "nats", False),
    }


@torch.inference_mode()
def score_alone(model: LocalModel, prompt: str, completion: str) -> float:
    """Return the log-likelihood (nats) of one completion, from one forward pass over one sequence without any sharing."""
    head, tail = encode_pair(model.tokenizer, prompt, completion)
    ids = torch.tensor([head + tail], device=model.device)
    hidden = model.decoder(input_ids=ids, use_cache=False).last_hidden_state[0, -len(tail) - 1 : -1]
    logprobs = model.logits(hidden).log_softmax(-1)
    return float(logprobs.gather(1, ids[0, -len(tail) :, None]).sum())


if __name__ == "__main__":
    main()
