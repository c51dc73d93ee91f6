"""Many houses stacked into arrays, for the environments that see and act in numbers: drawing them, and letting time pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household import goals
from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.forms import FORMS
from worldschool.envs.household.houses import House, draw_episode, draw_house
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene import batches
from worldschool.envs.household.scene.batches import Houses, Lives, Shape, Terms
from worldschool.envs.household.scene.goals import GOAL_WIDTH
from worldschool.envs.household.scene.observations import COLUMNS
from worldschool.errors import WorldError
from worldschool.records import Goal

MOST_ACTIONS = 2048
"""Actions that a house may have in numbers: action k is `Premises.candidates[k]`, of effective forms only."""
MOST_GOAL_ROWS = 3
LOG_ENTRIES = 1024
SAMPLE = 16
"""Houses that are drawn when an environment is made, to see whether its settings give too many actions."""
_TEXT_ONLY = {
    "actions": ("useful", "the numbers are of the useful actions"),
    "wording": ("plain", "there are no words"),
    "info_legal": (False, 'info["action_mask"] tells what is legal'),
}


class Drawn(NamedTuple):
    """A house drawn for an episode and compiled, with what the episode is drawn from (`houses.Drawn`)."""

    premises: Premises
    goal_rows: int
    generator: int


def numeric_config(settings: Mapping[str, Any]) -> HouseholdConfig:
    """Check the settings of a numeric household; `observe` is accepted, and changes nothing: all of the state is seen.

    Raises:
        WorldError: a setting is unknown, not accepted, for text only, or gives houses of more than 2,048 actions.
    """
    config = HouseholdConfig.build(settings)
    for name, (accepted, reason) in _TEXT_ONLY.items():
        if getattr(config, name) != accepted:
            raise WorldError(
                f"found {getattr(config, name)!r}, but {reason}",
                where=f"Household: {name}",
                mend=f"Leave it at {accepted!r} in numeric households.",
            )
    if config.goal == "activity":
        raise WorldError(
            "found 'activity', but activities are drawn in text only",
            where="Household: goal",
            mend="Accepted in numeric households: 'none', 'random'.",
        )
    _check_number_of_actions(config)
    return config


@lru_cache(maxsize=64)
def _check_number_of_actions(config: HouseholdConfig) -> None:
    """Draw some of the largest houses, unless no house can have too many actions.

    Raises:
        WorldError: one of them has too many.
    """
    forms = [form for form in FORMS if form.effective]
    pairs = sum(form.y is not None for form in forms)
    if places_of(config) * (len(forms) + pairs * config.objects[1]) <= MOST_ACTIONS:
        return
    rooms, furniture, objects = ((most, most) for _, most in (config.rooms, config.furniture, config.objects))
    largest = dataclasses.replace(config, rooms=rooms, furniture=furniture, objects=objects)
    for seed in range(SAMPLE):
        check_premises(Premises(draw_house(largest, Random(seed))))


def check_premises(premises: Premises) -> Premises:
    """Return a house that has no more than 2,048 actions.

    Raises:
        WorldError: it has more.
    """
    if premises.effective > MOST_ACTIONS:
        raise WorldError(
            f"a house has {premises.effective:,} actions, more than {MOST_ACTIONS:,}",
            where="Household",
            mend="Lower the most of objects, furniture or rooms.",
        )
    return premises


def places_of(config: HouseholdConfig) -> int:
    """Return how many things a house of these settings can have at most."""
    rooms = config.rooms[1]
    furniture = rooms + 2 if config.focus else rooms * config.furniture[1]
    return config.characters + rooms + furniture + config.objects[1]


def draw(config: HouseholdConfig, numbers: np.random.Generator) -> Drawn:
    """Draw a house as HouseholdEnv does: equal numbers give the same house, start and goal.

    Raises:
        WorldError: the house has more than 2,048 actions.
    """
    house, goal_size, generator, _ = draw_episode(config, numbers)
    return Drawn(check_premises(Premises(house, places_of(config))), goal_size, generator)


class StackedHouses:
    """Environments that each live in a house, all of one shape.

    Attributes:
        config: their settings.
        premises: the house of each environment; empty before the first are moved in.
        lives: what changes.

    Args:
        config: checked by `numeric_config`.
        count: how many environments.
        masks: whether `lives.masks` is written.
        keep_last: whether an episode that ends begins anew in the same step, its last observation kept.
    """

    def __init__(self, config: HouseholdConfig, count: int, masks: bool, keep_last: bool) -> None:
        self.config = config
        self.premises: list[Premises] = []
        self.places = places_of(config)
        least, most = config.goal_size if config.goal == "random" else (0, 0)
        self._terms = Terms(config.max_steps, least, most, int(config.control == "self"))
        self._houses: Houses | None = None
        self.lives = new_lives(self.places, count, masks, keep_last)

    def move_in(self, drawn: Mapping[int, Drawn]) -> None:
        """Give environments new houses, all of them the first time; their episodes are yet to begin."""
        for e, (premises, goal_rows, generator) in sorted(drawn.items()):
            self.premises[e : e + 1] = [premises]
            self.lives.generators[e], self.lives.wanted[e] = generator, goal_rows
            self.lives.masks[e : e + 1] = 0
        memory = (len(self.premises), len(self.premises[0].bare))
        if self.lives.memory.shape != memory:
            words = self.premises[0].layout.words
            self.lives = self.lives._replace(
                memory=np.zeros(memory, np.uint64), bits=np.zeros((3, words), np.uint64)
            )
        self._houses = stack(self.premises, np.arange(len(self.premises)))

    def advance(self, commands: NDArray[np.uint8], actions: NDArray[np.int64]) -> None:
        """Let each environment do what it is told (`batches.ACT`, BEGIN, WAIT, LOOK): one compiled call."""
        table = self.premises[0].rules.table
        batches.advance(self._houses, self.lives, table, self._terms, commands, actions)

    def house(self, e: int) -> House:
        """Return the house of an environment."""
        return self.premises[e].house

    def goal(self, e: int) -> Goal:
        """Return an environment's goal in names and English."""
        house, rows = self.house(e), self.lives.goals[e, : self.lives.sizes[e]]
        return goals.from_rows(house, rows, house.characters[0])


def new_lives(
    places: int, count: int, masks: bool = False, keep_last: bool = False, memory: int = 0, words: int = 1
) -> Lives:
    """Return the changing arrays of environments whose episodes are yet to begin.

    Args:
        places: of their houses.
        count: how many environments.
        masks, keep_last: as of `StackedHouses`.
        memory: words of one house's memory.
        words: words of a row of it.
    """
    masked, kept = count * masks, count * keep_last
    goals_shape = (MOST_GOAL_ROWS, GOAL_WIDTH)
    return Lives(
        memory=np.zeros((count, memory), np.uint64),
        generators=np.zeros(count, np.uint64),
        goals=np.full((count, *goals_shape), -1, np.int16),
        sizes=np.zeros(count, np.int64),
        wanted=np.full(count, -1),
        turns=np.zeros(count, np.int64),
        steps=np.zeros(count, np.int64),
        rewards=np.zeros(count),
        terminated=np.zeros(count, np.bool_),
        truncated=np.zeros(count, np.bool_),
        observations=np.full((count, places, COLUMNS), -1, np.int16),
        masks=np.zeros((masked, MOST_ACTIONS), np.int8),
        last_observations=np.zeros((kept, places, COLUMNS), np.int16),
        last_masks=np.zeros((kept * masks, MOST_ACTIONS), np.int8),
        last_goals=np.zeros((kept, *goals_shape), np.int16),
        last_turns=np.zeros(kept, np.int64),
        log=np.zeros((LOG_ENTRIES, 2), np.uint64),
        top=np.zeros(1, np.int64),
        bits=np.zeros((3, words), np.uint64),
        legal=np.zeros(MOST_ACTIONS, np.int8),
    )


def stack(premises: Sequence[Premises], which: NDArray[np.int64]) -> Houses:
    """Return houses of one shape as arrays.

    Args:
        premises: the houses, all of the same number of places and characters.
        which: int64 [E]: the house of each environment.
    """
    first = premises[0].scene
    places = len(first.ids)
    chances = [one.chances for one in premises]
    shape = Shape(**{name: getattr(first, name) for name in Shape._fields})
    return Houses(
        which=which,
        shape=shape,
        traits=np.stack([one.scene.traits for one in premises]),
        seats=np.stack([one.scene.seats for one in premises]),
        bare=np.stack([one.bare for one in premises]),
        classes=_padded([one.numbers for one in premises], np.int16, places, fill=-1),
        candidates=_padded([one.candidates[: one.effective] for one in premises], np.int16),
        counts=np.array([one.effective for one in premises]),
        movable=_padded([one.movable for one in chances], np.int16),
        movables=np.array([len(one.movable) for one in chances]),
        starts=_padded([one.starts for one in chances], np.int32),
        holders=_padded([one.holders for one in chances], np.int16),
        adjustable=_padded([one.adjustable for one in chances], np.int8, places),
        rooms=_padded([one.rooms for one in chances], np.int16),
        room_counts=np.array([len(one.rooms) for one in chances]),
        offers=_padded([one.offers for one in chances], np.int16),
        offer_starts=_padded([one.offer_starts for one in chances], np.int32),
        relations=chances[0].relations,
        weights=chances[0].weights,
        offer_weights=chances[0].offer_weights,
        people=chances[0].people,
    )


def _padded(rows: Sequence[NDArray[Any]], dtype: Any, length: int = 0, fill: int = 0) -> NDArray[Any]:
    """Return arrays that differ in their first axis as one, [rows, longest, ...]."""
    longest = max(length, *(len(row) for row in rows)) if rows else length
    array = np.full((len(rows), longest, *rows[0].shape[1:]), fill, dtype)
    for e, row in enumerate(rows):
        array[e, : len(row)] = row
    return array
