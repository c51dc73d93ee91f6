"""A small house whose contents the tests know by heart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from worldschool.envs.household.engine import Engine
from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.floorplan import Area, Door, FloorPlan
from worldschool.envs.household.houses import House
from worldschool.envs.household.premises import Premises, premises_of
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.operations import CLOSE, HOLDS_LH, HOLDS_RH, INSIDE, ON
from worldschool.records import Snapshot

HOUSE = House(
    split="heldout",
    characters=("Emily", "Olga"),
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
    plan=FloorPlan(
        width=11,
        height=6,
        areas=(("home office", Area(1, 1, 4, 4)), ("kitchen", Area(6, 1, 4, 4))),
        doors=(Door((5, 2), ("home office", "kitchen")),),
        furniture=(
            ("desk", (2, 1)),
            ("lamp", (1, 3)),
            ("counter", (7, 1)),
            ("fridge", (9, 2)),
            ("cabinet", (7, 4)),
            ("stove", (8, 1)),
        ),
    ),
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
STATES = {"lamp": "off", "fridge": "open", "cabinet": "closed", "stove": "on", "counter": "dirty"}

MakeKnown = Callable[..., HouseholdEnv]


@pytest.fixture
def known() -> MakeKnown:
    """Return a function that makes the known house; keywords are settings, `places` and `states` change it.

    Everybody stands close to all the furniture and floor of their room, but for those in `aloof`.
    """

    def make_known(
        places: dict[str, str] | None = None,
        states: dict[str, str] | None = None,
        aloof: tuple[str, ...] = (),
        **settings: object,
    ) -> HouseholdEnv:
        settings = {"control": "all", "characters": 2, "split": "heldout", **settings}
        env = HouseholdEnv(**settings)
        changes = _changes({**PLACES, **(places or {})}, {**STATES, **(states or {})}, aloof)
        env.restore(Snapshot(env.world_id, (HOUSE.text, changes, 0, "", ()), (12345, 0, False, False)))
        return env

    return make_known


def _changes(places: dict[str, str], states: dict[str, str], aloof: tuple[str, ...]) -> str:
    engine = Engine(premises_of(HOUSE))
    premises, memory, place_of = engine.premises, engine.memory, HOUSE.place_of
    full_hands = dict.fromkeys(HOUSE.characters, 0)
    for thing, holder in places.items():
        relation = _relation(holder)
        if holder in HOUSE.characters:
            relation = (HOLDS_RH, HOLDS_LH)[full_hands[holder]]
            full_hands[holder] += 1
        premises.put(memory, place_of[thing], relation, place_of[holder])
        if thing not in HOUSE.characters:
            premises.link(memory, place_of[thing], CLOSE, place_of[holder])
    for character in HOUSE.characters:
        if character not in aloof:
            _stand_in_the_middle(premises, memory, character, places)
    for thing, state in states.items():
        memory[(place_of[thing] + 1) * premises.layout.block - 3] = states_word(state.upper())
    return engine.changes()


def _relation(holder: str) -> int:
    return ON if holder in ("desk", "counter") else INSIDE


def _stand_in_the_middle(premises: Premises, memory, character: str, places: dict[str, str]) -> None:
    room = places[character]
    on_the_floor = [
        thing for thing, place in places.items() if place == room and thing not in HOUSE.characters
    ]
    for name in [*HOUSE.furniture_in[room], *on_the_floor]:
        premises.link(memory, HOUSE.place_of[character], CLOSE, HOUSE.place_of[name])
