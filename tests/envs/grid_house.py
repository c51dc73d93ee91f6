"""A house on the grid whose cells and contents the tests know by heart, and settings to try."""

from __future__ import annotations

from worldschool.envs.household.engine import Engine
from worldschool.envs.household.floorplan import Area, Door, FloorPlan
from worldschool.envs.household.grid.env import HouseholdGridEnv
from worldschool.envs.household.grid.floor import Floor
from worldschool.envs.household.grid.moves import (
    GridHousehold,
)
from worldschool.envs.household.houses import House
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.operations import CLOSE, INSIDE, ON
from worldschool.records import Goal, Snapshot

MODES = [
    {},
    {"characters": 3, "objects": (10, 20)},
    {"characters": 6, "rooms": (2, 2), "objects": (30, 64), "split": "heldout"},
    {"furniture": (6, 8), "rooms": (6, 8), "split": "validation"},
    {"focus": True, "goal": "none"},
]
DONE = 6


#   0 1 2 3 4 5 6 7 8 9      . floor, D door, # wall; (x, y)
# 0 # # # # # # # # # #
# 1 # . t . . # . f . #      t kitchen table, c chest; f fridge
# 2 # . . . . D . . . #
# 3 # . . . . # . . . #
# 4 # . c o l # . . w #      o oven, l lamp; w wardrobe
# 5 # # # # # # # # # #
HOUSE = House(
    split="train",
    characters=("Mary", "John"),
    rooms=("living room", "kitchen"),
    furniture=(
        ("kitchen table", "kitchen table", "living room"),
        ("chest", "chest", "living room"),
        ("oven", "oven", "living room"),
        ("lamp", "lamp", "living room"),
        ("fridge", "fridge", "kitchen"),
        ("wardrobe", "wardrobe", "kitchen"),
    ),
    objects=(
        ("box", "box"), ("bowl", "bowl"), ("banana", "banana"), ("egg", "egg"), ("flashlight", "flashlight"),
        ("plate", "plate"), ("egg 2", "egg"),
    ),
    plan=FloorPlan(
        10,
        6,
        (("living room", Area(1, 1, 4, 4)), ("kitchen", Area(6, 1, 3, 4))),
        (Door((5, 2), ("living room", "kitchen")),),
        (
            ("kitchen table", (2, 1)), ("chest", (2, 4)), ("oven", (3, 4)), ("lamp", (4, 4)), ("fridge", (7, 1)),
            ("wardrobe", (8, 4)),
        ),
    ),
)  # fmt: skip
PLACES = {
    "Mary": (INSIDE, "living room"),
    "John": (INSIDE, "kitchen"),
    "box": (INSIDE, "kitchen"),
    "bowl": (ON, "kitchen table"),
    "banana": (INSIDE, "bowl"),
    "egg": (ON, "kitchen table"),
    "flashlight": (INSIDE, "kitchen"),
    "plate": (INSIDE, "fridge"),
    "egg 2": (INSIDE, "chest"),
}
SWITCHED = {
    "chest": ("OPEN",),
    "oven": ("CLOSED", "OFF", "PLUGGED_OUT"),
    "lamp": ("OFF", "PLUGGED_IN"),
    "fridge": ("CLOSED", "PLUGGED_IN"),
    "wardrobe": ("CLOSED",),
    "flashlight": ("OFF",),
}
LYING = {"box": (7, 3), "flashlight": (6, 2)}
MARY, JOHN = (2, 2, 3), (8, 1, 1)
"""Mary faces the table; John stands beside the fridge."""
PREMISES = Premises(HOUSE)
NO_GOAL = Goal("")


def known(mary=MARY, john=JOHN, lying=None, goal=NO_GOAL, places=None, **options) -> HouseholdGridEnv:
    """Return the known house, with somebody or something elsewhere."""
    engine, place_of = Engine(PREMISES), HOUSE.place_of
    engine.memory[:] = PREMISES.bare
    rooms = {
        name: (INSIDE, HOUSE.rooms[x > 5]) for name, (x, _, _) in (("Mary", mary), ("John", john)) if x != 5
    }
    for name, (relation, holder) in {**PLACES, **rooms, **(places or {})}.items():
        PREMISES.put(engine.memory, place_of[name], relation, place_of[holder])
        PREMISES.link(engine.memory, place_of[name], CLOSE, place_of[holder])
    for name, states in SWITCHED.items():
        engine.memory[(place_of[name] + 1) * PREMISES.layout.block - 3] = states_word(*states)
    engine.changed()
    life = GridHousehold(engine, Floor(HOUSE))
    life.floor.poses = [mary, john]
    life.floor.lying = {place_of[name]: cell for name, cell in sorted({**LYING, **(lying or {})}.items())}
    life.stand()
    env = HouseholdGridEnv(characters=2, **options)
    state = (HOUSE.text, engine.changes(), life.floor.to_json(), goal.text, goal.predicates)
    env.restore(Snapshot(env.world_id, state, (5, 0, 0, False, False)))
    return env


def alone(env: HouseholdGridEnv, *moves: int) -> str | None:
    """Let Mary make moves while John stands still; returns the last error."""
    error = None
    for move in moves:
        error, _ = env.life.do(0, move, 0)
    env._show()
    return error


def where(env: HouseholdGridEnv, name: str) -> tuple[str, str]:
    view = env.life.engine.view
    return view.relation(name), view.holder(name)


def is_in_state(env: HouseholdGridEnv, name: str, state: str) -> bool:
    return env.life.engine.view.has_state(name, states_word(state))
