"""Every label derived again by a reader of the story's text alone: how many disagree?

python -m benchmarks.labels

Episodes are collected for it, questions built by all builders whose answers follow from the text, and each is answered by
tests/experience/solvers, which reads the prompt and nothing else: of lives in houses, and of shopping.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, arguments, report
from tests.experience.solvers import shopping
from tests.experience.solvers.answering import READABLE, answer
from worldschool.experience.builders.base import builder_settings
from worldschool.experience.questions.asking import Asking, asked_of
from worldschool.experience.questions.example_report import Tally
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Example

ACTED = ("containment", "desk")
SETTINGS: dict[str, dict[str, Any]] = {
    "object_location": {"every_moment": True},
    "counting": {"of": ["place", "visits", "rooms", "held"]},
}
STYLES = ("plain", "varied", "brief")
RARE = dict.fromkeys(("plug", "unplug", "wash", "wipe", "sit", "lie", "wear", "pour", "take", "stand"), 0.2)
WEIGHTS = {"walk": 5, "grab": 8, "put": 6, "drop": 2, "open": 1, "close": 0.5, "switch": 0.5, **RARE}
SHOWN = 5
PER_EPISODE = 4
SHOPPING_PER_EPISODE = 16


def main() -> None:
    """Build, answer again, compare."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--items", type=int, default=20_000, help="how many questions, over all tasks")
    options = parser.parse_args()
    items = options.items // 20 if options.quick else options.items
    limit = -(-items // (len(READABLE) + len(shopping.READABLE)))
    agreed: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for acted in (False, True):
            tasks = [task for task in READABLE if (task in ACTED) == acted]
            store = _collected(Path(folder) / str(acted), acted, limit, options.seed)
            for number, style in enumerate(STYLES):
                share = (limit + len(STYLES) - 1 - number) // len(STYLES)
                settings = {
                    task: builder_settings(
                        task, {"style": style, "per_episode": PER_EPISODE, **SETTINGS.get(task, {})}, task
                    )
                    for task in tasks
                }
                asking = Asking(settings, options.seed + number, limit=share)
                for example in asked_of(store, asking, Tally(tasks)):
                    _compare(example, agreed, wrong)
        _ask_of_shopping(Path(folder) / "shop", limit, options.seed, agreed, wrong)
    print(f"{'task':<20}{'questions':>10}{'disagree':>10}")
    for task in (*READABLE, *shopping.READABLE):
        print(f"{task:<20}{agreed[task] + wrong[task]:>10}{wrong[task]:>10}")
    print()
    figures = {
        "labels_derived_again": Figure(agreed.total() + wrong.total(), "questions", True),
        "labels_disagreeing": Figure(wrong.total(), "questions", False),
    }
    report(figures, options.seed, options.json)


def _ask_of_shopping(out: Path, limit: int, seed: int, agreed: Counter[str], wrong: Counter[str]) -> None:
    """Compare questions about a scripted shopper's episodes; stories, which one task tells, in all styles."""
    settings: dict[str, Any] = {"products": 5000, "max_steps": 40}
    config = CollectConfig(
        world="worldschool/Shop-v0",
        world_config=settings,
        agent={"name": "shopper"},
        episodes=max(12, limit // 12),
        seed=seed,
        split="heldout",
    )
    collect(config, out, silent)
    for number, style in enumerate(STYLES):
        share = (limit + len(STYLES) - 1 - number) // len(STYLES)
        values = {"style": style, "per_episode": SHOPPING_PER_EPISODE}
        asked = {task: builder_settings(task, values, task) for task in shopping.READABLE}
        asking = Asking(asked, seed + number, limit=share)
        for example in asked_of(EpisodeStore.open(out), asking, Tally(list(asked))):
            _compare(example, agreed, wrong)


def _collected(out: Path, acted: bool, limit: int, seed: int) -> EpisodeStore:
    """Return random lives, or, for what is acted out, houses with many things in which next to nothing happened."""
    world: dict[str, Any] = {"characters": 2, "control": "all", "rooms": [3, 5]}
    world |= {"objects": [16, 24], "max_steps": 1} if acted else {"objects": [5, 8], "focus": True}
    agent = {"name": "random", "settings": {"verb_weights": {} if acted else WEIGHTS}}
    episodes = max(12, limit // 3)
    collect(
        CollectConfig(world_config=world, agent=agent, episodes=episodes, seed=seed, split="heldout"),
        out,
        silent,
    )
    return EpisodeStore.open(out)


def _compare(example: Example, agreed: Counter[str], wrong: Counter[str]) -> None:
    options = None if example.options is None else list(example.options)
    try:
        if example.task in shopping.READABLE:
            derived = shopping.answer(example.prompt)
        else:
            derived = answer(example.prompt, options)
    except ValueError as error:
        derived = f"({error})"
    if derived == example.answer:
        agreed[example.task] += 1
        return
    wrong[example.task] += 1
    if wrong.total() <= SHOWN:
        print(f"{example.prompt}\nlabel: {example.answer}\nderived: {derived}\n")


if __name__ == "__main__":
    main()
