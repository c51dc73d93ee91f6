"""Few-shot forms: worked examples before a question, from other houses of the train split."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random

from worldschool.canonical import canonical_json, short_digest
from worldschool.records import Episode, Example

POOL = 128
"""Worked examples that are kept of each task, each of another house."""


def house_of(episode: Episode) -> str:
    """Return a digest of the world and everything in it; episodes in one house share it."""
    return short_digest([episode.world, [entity.to_json() for entity in episode.entities]])


class ShotPool:
    """Worked examples of each task to draw from; the same episodes give the same pool."""

    def __init__(self) -> None:
        self._pool: dict[str, list[tuple[str, Example]]] = defaultdict(list)

    def fill(
        self,
        episodes: Iterable[Episode],
        tasks: Sequence[str],
        build: Callable[[str, Episode], Sequence[Example]],
    ) -> None:
        """Take one example a task and house, from the train split, until there are `POOL` of each.

        Args:
            episodes: read until the pool is full.
            tasks: which tasks are wanted.
            build: gives the examples of one task about one episode.
        """
        houses: dict[str, set[str]] = {task: set() for task in tasks}
        for episode in episodes:
            wanted = [task for task in tasks if len(houses[task]) < POOL]
            if not wanted:
                return
            if episode.split != "train":
                continue
            house = house_of(episode)
            for task in wanted:
                if house not in houses[task] and (built := build(task, episode)):
                    houses[task].add(house)
                    self._pool[task].append((house, built[0]))

    def sizes(self) -> Mapping[str, int]:
        """Return how many worked examples there are of each task."""
        return {task: len(pool) for task, pool in self._pool.items()}

    def shown_with(self, example: Example, house: str, count: int, longest: int | None) -> Example:
        """Return an example behind up to `count` worked ones of other houses.

        Which ones are shown depends on the example alone. Those that would make prompt and completion longer than
        `longest` characters are left out, the last first: nothing is ever cut.
        """
        if count == 0:
            return example
        pool = [one for home, one in self._pool[example.task] if home != house]
        rng = Random(f"{example.seed}:{example.example_id}:shots")
        shots = rng.sample(pool, min(count, len(pool)))
        while shots:
            prompt = with_shots(example.prompt, shots)
            if longest is None or len(prompt) + len(example.completion) <= longest:
                break
            shots.pop()
        else:
            return example
        dials = {**json.loads(example.dials), "shots": len(shots)}
        meta = {**json.loads(example.meta), "shots": [shot.example_id for shot in shots]}
        return replace(
            example,
            example_id=f"{example.example_id}-{len(shots)}shot",
            prompt=prompt,
            dials=canonical_json(dials),
            meta=canonical_json(meta),
        )


def with_shots(prompt: str, shots: Sequence[Example]) -> str:
    """Return a prompt behind worked examples, a blank line between any two."""
    return "".join(f"{shot.prompt}{shot.completion}\n" for shot in shots) + prompt


def answer_spans(prompt: str) -> list[tuple[int, int]]:
    """Return where in a prompt the worked examples' answers are: each begins behind its label, and its line break is the end.

    Worked examples end with a blank line, and the last line of each begins as the whole prompt ends: with "Answer:", say.
    """
    label = prompt[prompt.rfind("\n") + 1 :].rstrip(" ")
    if not label:
        return []
    found, start = [], 0
    while (end := prompt.find("\n\n", start)) >= 0:
        line = prompt.rfind("\n", start, end) + 1
        if prompt.startswith(label, max(line, start)):
            found.append((max(line, start) + len(label), end + 1))
        start = end + 2
    return found
