"""Browsing on behalf of an episode: clicks carried out in its shop, for moments and orders of events that few shoppers give.

What happens is executed, so that truth still comes from pages, events and the reward.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from worldschool.canonical import canonical_json
from worldschool.envs.shop.env import ShopEnv
from worldschool.envs.shop.session import Visit
from worldschool.experience.builders.reliving import kept_world
from worldschool.experience.builders.shopping.visits import Shopping
from worldschool.records import Event, Goal

ENDLESS = 100_000
"""Step limit of a shop that is browsed in."""


class Results(NamedTuple):
    """A page of results that was seen: what was searched for, its number, and the rows of its products."""

    keywords: str
    number: int
    rows: tuple[int, ...]

    def opened(self) -> list[str]:
        """Return the actions that lead there from the search page."""
        return [f"search[{self.keywords}]", *["click[next >]"] * (self.number - 1)]


@dataclass(frozen=True)
class Browsed:
    """What came of some actions.

    Attributes:
        world: as they left it; the next browsing changes it.
        visits: the page at the start and after each action.
        events: what happened, in order.
        rewards: one an action.
    """

    world: ShopEnv
    visits: tuple[Visit, ...]
    events: tuple[Event, ...]
    rewards: tuple[float, ...]


def results_of(lived: Shopping) -> list[Results]:
    """Return the pages of results that an episode saw, each once, in the order first seen."""
    found: dict[tuple[str, int], Results] = {}
    for visit in lived.visits:
        if visit.session.page == "results" and visit.rows_shown:
            key = " ".join(visit.session.keywords), visit.session.number
            found.setdefault(key, Results(*key, visit.rows_shown))
    return list(found.values())


def browse(lived: Shopping, actions: Sequence[str], goal: Goal | None = None) -> Browsed | None:
    """Carry out actions from the search page; None if one of them cannot be done.

    Args:
        lived: the episode.
        actions: what is done.
        goal: whose instruction the pages show; None: the episode's own.
    """
    settings = json.loads(lived.episode.world_config) | {"max_steps": ENDLESS}
    world = kept_world(lived.episode.world, canonical_json(settings))
    assert isinstance(world, ShopEnv)
    world.reset(seed=lived.episode.seed, options={"goal": lived.episode.wanted if goal is None else goal})
    visits, events, rewards = [world.visit], [], []
    for action in actions:
        if world.visit.session.page == "done":
            return None
        _, reward, _, _, info = world.step(action)
        if info["error"] is not None:
            return None
        visits.append(world.visit)
        events += info["events"]
        rewards.append(float(reward))
    return Browsed(world, tuple(visits), tuple(events), tuple(rewards))


def click_on(visit: Visit, name: str, value: str) -> str | None:
    """Return the click that chooses an option's value on a product's page; None if there is none."""
    label = next((label for label, pair in visit.labels.items() if pair == (name, value)), None)
    return None if label is None else f"click[{label.lower()}]"
