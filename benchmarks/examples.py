"""What shortcuts score on questions about episodes, as they come and balanced, and how fast questions are built.

python -m benchmarks.examples

Episodes are collected for it: two characters and one at random, and everyday activities reached by MCTS. Rules are those
of worldschool.experience.questions.shortcuts; "words" is naive Bayes over the question and its options (never the story), learned
from one half of the episodes and asked about the other.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, arguments, report
from worldschool.experience.builders.base import builder_settings
from worldschool.experience.builders.plan_generation import MOST_SUBGOALS
from worldschool.experience.examples import with_activities
from worldschool.experience.questions.asking import Asking, asked_of
from worldschool.experience.questions.example_report import Tally
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Episode, Example

RARE = dict.fromkeys(("plug", "unplug", "wash", "wipe", "sit", "lie", "wear", "pour", "take", "stand"), 0.1)
WANDERING = {"walk": 5, "grab": 8, "put": 6, "drop": 2, "open": 1, "close": 0.5, "switch": 0.5, **RARE}
SETTINGS: dict[str, dict[str, Any]] = {
    "object_location": {"every_moment": True},
    "counting": {"of": ["place", "visits", "rooms", "held"]},
    "plan_generation": {"subgoals": MOST_SUBGOALS // 2},
}
KINDS = {
    "two": ("object_path", "object_location", "counting", "which_came_first", "character_action", "negation",
            "witness", "next_observation"),
    "one": ("plan_generation", "plan_generation_confusing", "missing_step", "order_validity"),
    "activities": ("activity_recognition", "activity_inference"),
}  # fmt: skip


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__ or "").parse_args()
    share = 0.1 if options.quick else 1.0
    figures: dict[str, Figure] = {}
    print(f"{'task':<28}{'as it comes':>34}{'balanced':>34}\n{'':<28}{_HEAD}{_HEAD}{'chance':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for kind, tasks in KINDS.items():
            store = _collected(kind, Path(folder) / kind, share, options.seed)
            episodes = list(store)
            for task in tasks:
                figures |= _measured(task, episodes, store, options.seed)
    print()
    report(figures, options.seed, options.json)


_HEAD = f"{'examples':>10}{'best rule':>12}{'words':>7}{'ms':>5}"


def _collected(kind: str, out: Path, share: float, seed: int) -> EpisodeStore:
    world: dict[str, Any] = {"rooms": [3, 5], "objects": [4, 7], "max_steps": 36}
    agent: dict[str, Any] = {"name": "random", "settings": {"verb_weights": WANDERING}}
    count = {"two": 1000, "one": 400, "activities": 400}[kind]
    if kind == "two":
        world |= {"characters": 2, "control": "all", "focus": True}
    elif kind == "activities":
        world = {"goal": "activity", "rooms": [3, 5], "objects": [8, 14]}
        agent = {"name": "mcts", "settings": {"simulations": 400}}
    config = CollectConfig(
        world_config=world, agent=agent, episodes=max(8, int(count * share)), seed=seed, workers=2
    )
    collect(config, out, silent)
    return EpisodeStore.open(out)


def _measured(task: str, episodes: Sequence[Episode], store: EpisodeStore, seed: int) -> dict[str, Figure]:
    style = (
        {} if task.startswith(("plan", "missing", "order", "next", "activity_inf")) else {"style": "brief"}
    )
    settings = with_activities(
        {task: builder_settings(task, {**style, **SETTINGS.get(task, {})}, task)}, [store]
    )
    cells, figures, chance = [], {}, None
    for name, balance in (("unbalanced", False), ("balanced", True)):
        tally = Tally([task])
        began = time.process_time()
        found = list(asked_of(episodes, Asking(settings, seed, balance), tally))
        spent = 1000 * (time.process_time() - began) / len(episodes)
        row = tally.to_json()["tasks"][task]
        chance = row["chance"]
        above = [one["right"] - one["chance"] for one in row["shortcuts"].values()]
        if task == "plan_generation" or not found:
            above = []
        best = None if not above else (chance or 0.0) + max(above)
        words = _words_right(found) if chance is not None and len(found) > 20 else None
        cells.append(f"{len(found):>10}{_cell(best):>12}{_cell(words):>7}{spent:>5.1f}")
        if best is not None:
            figures[f"{task}_{name}_best_rule_above_chance"] = Figure(max(above), "share", False)
        if words is not None and chance is not None:
            figures[f"{task}_{name}_words_above_chance"] = Figure(words - chance, "share", False)
        figures[f"{task}_{name}_ms_per_episode"] = Figure(spent, "ms CPU", False)
    print(f"{task:<28}{''.join(cells)}{_cell(chance):>8}", flush=True)
    return figures


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _words_right(examples: Sequence[Example]) -> float:
    """Return the share of one half of the episodes' questions that words learned from the other half answer."""
    houses = sorted({example.episode_id for example in examples})
    half = set(houses[::2])
    right = total = 0.0
    for learned in (True, False):
        seen: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for example in examples:
            if (example.episode_id in half) == learned:
                for at, cues in enumerate(_cues(example)):
                    seen[at == example.answer_index].update(cues)
        sums = {which: counts.total() + 1 for which, counts in seen.items()}
        for example in examples:
            if (example.episode_id in half) != learned:
                scores = [
                    sum(
                        math.log((seen[True][cue] + 0.5) / sums[True])
                        - math.log((seen[False][cue] + 0.5) / sums[False])
                        for cue in cues
                    )
                    for cues in _cues(example)
                ]
                best = max(scores)
                right += (scores[example.answer_index or 0] == best) / scores.count(best)
                total += 1
    return right / total


def _cues(example: Example) -> Iterator[set[str]]:
    """Yield, for each option, its words; where options are the same for all questions, with each of the question's."""
    asked = example.prompt.rpartition("Question: ")[2] if "Question: " in example.prompt else ""
    for option in example.options or ():
        if len(option) <= 3:
            yield {f"{option}: {word}" for word in {"", *asked.split()}}
        else:
            yield set(option.split())


if __name__ == "__main__":
    main()
