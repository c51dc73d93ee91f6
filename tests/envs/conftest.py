"""A small house whose contents the tests know by heart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.state import House, State
from worldschool.records import Snapshot

HOUSE = House(
    split="heldout",
    rooms=("home office", "kitchen"),
    furniture=(
        ("desk", "desk", "home office"),
        ("lamp", "lamp", "home office"),
        ("counter", "counter", "kitchen"),
        ("fridge", "fridge", "kitchen"),
        ("cabinet", "cabinet", "kitchen"),
        ("stove", "stove", "kitchen"),
    ),
    objects=(
        ("apple", "apple"),
        ("apple 2", "apple"),
        ("bucket", "bucket"),
        ("vase", "vase"),
        ("lime", "lime"),
        ("phone", "phone"),
        ("ring", "ring"),
        ("camera", "camera"),
    ),
    characters=("Emily", "Olga"),
)
PLACES = {
    "apple": "counter",
    "apple 2": "fridge",
    "bucket": "kitchen",
    "vase": "bucket",
    "lime": "vase",
    "phone": "cabinet",
    "ring": "Olga",
    "camera": "desk",
    "Emily": "kitchen",
    "Olga": "kitchen",
}
SETTINGS = {"lamp": "off", "fridge": "open", "cabinet": "closed", "stove": "on"}

MakeKnown = Callable[..., HouseholdEnv]


@pytest.fixture
def known() -> MakeKnown:
    """Return a function that makes the known house; keywords are settings, `places` and `switched` change it."""

    def make_known(
        places: dict[str, str] | None = None, switched: dict[str, str] | None = None, **settings: object
    ) -> HouseholdEnv:
        settings = {"control": "all", "characters": 2, "split": "heldout", **settings}
        env = HouseholdEnv(**settings)
        state = State.from_values(
            HOUSE,
            tuple({**PLACES, **(places or {})}.values()),
            tuple({**SETTINGS, **(switched or {})}.values()),
        )
        env.restore(
            Snapshot(env.world_id, (HOUSE.layout, *state.values, 0, "", ()), (12345, 0, False, False))
        )
        return env

    return make_known
