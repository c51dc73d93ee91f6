"""An episode lived again: what events do not say (states, whether another order would do) is asked of the world."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from worldschool.envs import World, make
from worldschool.errors import WorldError
from worldschool.experience.builders.base import Skipped
from worldschool.experience.builders.latest import Latest
from worldschool.experience.executing import executed
from worldschool.records import Episode, Fact, Goal, Snapshot

CHANGED = Skipped("lived again, the episode ends otherwise: other dynamics, or edited")


@dataclass(frozen=True)
class Relived:
    """An episode's world, and what it went through.

    Attributes:
        world: to try things in; restore `start` before.
        start: the world at the episode's start, without a goal, so that it does not end before its step limit.
        facts: what held at the start and after every step: one more than there are steps.
    """

    world: World
    start: Snapshot
    facts: tuple[tuple[Fact, ...], ...]

    def succeeds(self, actions: Sequence[str], goal: Goal) -> bool:
        """Return whether every one of `actions` can be done from the start, in this order, and the goal then holds."""
        self.world.restore(self.start)
        for done, action in enumerate(actions, start=1):
            _, _, terminated, truncated, info = self.world.step(action)
            if info["error"] is not None:
                return False
            if terminated or truncated:
                return done == len(actions) and all(self.world.satisfied(goal))
        return all(self.world.satisfied(goal))


_latest: Latest[Relived | None] = Latest()


def relive(episode: Episode) -> Relived | None:
    """Live an episode again; None if this release's world does not end as it did then.

    Raises:
        WorldError: there is no such world.
    """
    return _latest.get(episode, None, lambda: _relive(episode))


def _relive(episode: Episode) -> Relived | None:
    if episode.error is not None:
        return None
    try:
        world = kept_world(episode.world, episode.world_config)
        world.reset(seed=episode.seed)
        world.set_goal(Goal("", ()))
        start = world.snapshot()
        if world.facts() != episode.initial_facts:
            return None
        facts = [world.facts() for _ in executed(world, episode)]
    except (WorldError, RuntimeError):  # an edited episode may go on after its end
        return None
    hashes = episode.steps[-1].state_hash if episode.steps else episode.initial_state_hash
    return Relived(world, start, tuple(facts)) if world.snapshot().position == hashes else None


@lru_cache(maxsize=2)
def kept_world(world_id: str, config: str) -> World:
    """Return a world to reset; two are kept, since making one costs more than an episode."""
    return make(world_id, **json.loads(config))
