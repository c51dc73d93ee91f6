"""Replay certification: what was collected passes, and what was edited is caught."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

from benchmarks.harness import Figure
from worldschool.experience.replay import Replayer, replay_dataset
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.store import EpisodeStore
from worldschool.progress import silent
from worldschool.records import Episode, Step

EPISODES_EDITED = 64
"""Episodes of a preset that are tampered with, again and again."""
TRIES = 50
"""Draws in one episode until another is taken."""
Edit = Callable[[Episode, list[Episode], Random], Episode]


def replays(presets: dict[str, CollectConfig], episodes: int, workers: int) -> dict[str, Figure]:
    """Collect so many episodes of each preset and execute them again; the figures count what differs."""
    figures = {}
    for name, preset in presets.items():
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            config = preset.model_copy(update={"episodes": episodes, "workers": workers})
            made = collect(config, folder, silent)
            middle = time.monotonic()
            found = replay_dataset(EpisodeStore.open(folder), workers)
            for problem in (*found.damaged, *found.differences)[:5]:
                print(f"  {problem}")
            print(
                f"  {name}: {made.episodes} episodes, {made.errors} errors, {made.success_rate:.0%} succeeded, "
                f"{middle - began:.0f} s; replayed {found.episodes} ({found.steps} steps) in "
                f"{time.monotonic() - middle:.0f} s, {len(found.differences)} differences",
                flush=True,
            )
        failed = len({one.index for one in found.differences}) + len(found.damaged)
        figures[f"{name}_replays_that_fail"] = Figure(failed, f"of {found.episodes} episodes", False)
    return figures


def tampering(presets: dict[str, CollectConfig], trials: int, seed: int) -> dict[str, Figure]:
    """Edit episodes at random and count what replaying misses, by preset: with the digest left as it was, and made anew.

    An edit takes its value from elsewhere in the same dataset (another step's observation, another episode's seed), so
    that it is one that might stand there.
    """
    figures = {}
    for name, preset in presets.items():
        with tempfile.TemporaryDirectory() as folder:
            collect(preset.model_copy(update={"episodes": EPISODES_EDITED}), folder, silent)
            episodes = [one for one in EpisodeStore.open(folder) if one.steps]
        missed: Counter[tuple[str, bool]] = Counter()
        replayer, random = Replayer(), Random(seed)
        for kind, edit in EDITS.items():
            for _ in range(trials):
                edited = edit(random.choice(episodes), episodes, random)
                for sealed in (False, True):
                    found = replayer.replay(edited.sealed() if sealed else edited)
                    missed[kind, sealed] += not found
            print(
                f"  {name}: {kind:<16} missed {missed[kind, False]} of {trials}, with a new digest "
                f"{missed[kind, True]}",
                flush=True,
            )
        for sealed, label in ((False, "tampering_missed"), (True, "tampering_missed_with_new_digest")):
            worst = max(missed[kind, sealed] for kind in EDITS)
            figures[f"{name}_{label}"] = Figure(worst, f"of {trials} trials of the worst kind", False)
    return figures


def _edit_step(change: Callable[[Step, list[Step], Random], Step]) -> Edit:
    """Return the edit that changes one step; an episode in which nothing can be changed is left for another."""

    def edit(episode: Episode, others: list[Episode], random: Random) -> Episode:
        pool = [step for other in random.sample(others, min(8, len(others))) for step in other.steps]
        while True:
            for _ in range(TRIES):
                t = random.randrange(len(episode.steps))
                changed = change(episode.steps[t], pool, random)
                if changed != episode.steps[t]:
                    steps = (*episode.steps[:t], changed, *episode.steps[t + 1 :])
                    return replace(episode, steps=steps)
            episode = random.choice(others)

    return edit


def _event(step: Step, pool: list[Step], random: Random) -> Step:
    """Take one field of an event from another event, or drop the event."""
    donors = [event for other in pool for event in other.events]
    if not step.events or not donors:
        return step
    which, donor = random.randrange(len(step.events)), random.choice(donors)
    field = random.choice(
        ["actor", "verb", "object", "source", "target", "relation", "succeeded", "t", "drop"]
    )
    events = list(step.events)
    if field == "drop":
        del events[which]
    else:
        events[which] = replace(events[which], **{field: getattr(donor, field)})
    return replace(step, events=tuple(events))


def _seed(episode: Episode, others: list[Episode], random: Random) -> Episode:
    seeds = [other.seed for other in others if other.seed != episode.seed]
    return replace(episode, seed=random.choice(seeds))


EDITS: dict[str, Edit] = {
    "action": _edit_step(lambda step, pool, random: replace(step, action=random.choice(pool).action)),
    "observation": _edit_step(
        lambda step, pool, random: replace(step, observation=random.choice(pool).observation)
    ),
    "reward": _edit_step(
        lambda step, pool, random: replace(step, reward=random.choice([1.0, 0.0, -1.0, 0.5]))
    ),
    "event": _edit_step(_event),
    "state hash": _edit_step(
        lambda step, pool, random: replace(step, state_hash=random.choice(pool).state_hash)
    ),
    "legal actions": _edit_step(
        lambda step, pool, random: replace(step, legal_actions=random.choice(pool).legal_actions)
    ),
    "seed": _seed,
    "dynamics version": lambda episode, others, random: replace(
        episode, world_version=f"{episode.world_version}.{random.randrange(100)}"
    ),
}
"""Kind of edit to what makes it."""
