"""Probe items and the worked examples before them: drawn from examples, and balanced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from worldschool.errors import DatasetError
from worldschool.probes.config import SuiteSettings
from worldschool.records import Example


def draw_items(examples: Sequence[Example], task: str, settings: SuiteSettings, seed: int) -> list[Example]:
    """Draw a suite's items: distinct prompts, and for multiple choice balanced over answers and right positions.

    Raises:
        DatasetError: there is no example of this task.
    """
    distinct = {example.prompt: example for example in examples if example.task == task}
    pool = [distinct[prompt] for prompt in sorted(distinct)]
    if not pool:
        known = sorted({example.task for example in examples})
        raise DatasetError(
            f"there is no example of the task {task!r}",
            where="suites",
            mend=f"The file holds: {', '.join(known)}.",
        )
    rng = Random(f"{seed}:{task}")
    rng.shuffle(pool)
    if settings.balance and pool[0].options is not None:
        pool = _balanced(pool)
    return pool[: settings.items]


def _balanced(pool: list[Example]) -> list[Example]:
    """Take turns among answers (where the options are always the same) or right positions, until one runs out."""
    fixed = len({example.options for example in pool}) == 1
    groups: dict[object, list[Example]] = defaultdict(list)
    for example in pool:
        groups[example.answer if fixed else (len(example.options or ()), example.answer_index)].append(
            example
        )
    # Answers too rare to balance (a count of 4, say) would shrink the whole suite: they are left out.
    enough = [group for group in groups.values() if len(group) * 4 * len(groups) >= len(pool)]
    shortest = min(len(group) for group in enough)
    return [group[turn] for turn in range(shortest) for group in enough]


def draw_shots(
    examples: Sequence[Example], task: str, count: int, sets: int, seed: int
) -> list[list[Example]]:
    """Draw `sets` lists of `count` examples to show, no two of one list from the same episode.

    Raises:
        DatasetError: there are too few.
    """
    pool = [example for example in examples if example.task == task]
    Random(f"{seed}:{task}:shots").shuffle(pool)
    found: list[list[Example]] = []
    for example in pool:
        if not found or len(found[-1]) == count:
            if len(found) == sets:
                return found
            found.append([])
        if example.episode_id not in {shown.episode_id for shown in found[-1]}:
            found[-1].append(example)
    if not found or len(found[-1]) < count:
        found = found[:-1]
    if not found:
        raise DatasetError(
            f"{len(pool)} examples of {task!r} are too few to show {count} of them", where="shots"
        )
    return found


def with_shots(item: Example, shots: Sequence[Example]) -> str:
    """Return the item's prompt behind worked examples, a blank line between any two."""
    shown = "\n".join(shot.prompt + shot.completion for shot in shots)
    return f"{shown}\n{item.prompt}"
