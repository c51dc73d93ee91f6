"""The furniture of the household: one table per role, from VirtualHome properties to classes and their rooms.

`vocabulary.py` makes FurnitureClass of these rows. Furniture stays where it is; what can be carried is in `things.py`.
"""

from __future__ import annotations

from typing import TypeAlias

Rows: TypeAlias = dict[str, dict[str, str]]
"""Properties, parted by blanks, to classes, and those to their rooms, parted by commas."""

SURFACES: Rows = {
    "SURFACES": {
        "bookshelf": "living room, home office, hallway",
        "coat rack": "hallway, bedroom",
        "coffee table": "living room",
        "counter": "kitchen",
        "desk": "home office, bedroom",
        "dining table": "dining room",
        "dressing table": "bedroom",
        "garden table": "garden",
        "kitchen island": "kitchen",
        "kitchen table": "kitchen",
        "mantelpiece": "living room",
        "nightstand": "bedroom",
        "picnic table": "garden",
        "shelf": "pantry, garage, laundry room",
        "shoe rack": "hallway",
        "side table": "hallway, living room",
        "sideboard": "dining room",
        "spice rack": "kitchen, pantry",
        "washstand": "bathroom",
        "windowsill": "bedroom, dining room, kitchen, home office",
        "workbench": "garage",
    },
    "SURFACES MOVABLE": {
        "drying rack": "laundry room, garden",
        "ironing board": "laundry room",
        "serving cart": "dining room, kitchen",
    },
    "SURFACES SITTABLE MOVABLE": {"stool": "bathroom, pantry"},
    "SURFACES SITTABLE LIEABLE": {
        "bed": "bedroom",
        "bench": "garden, hallway",
        "rug": "living room, bedroom",
        "sofa": "living room",
    },
}

CONTAINERS: Rows = {
    "CONTAINERS CAN_OPEN": {
        "cabinet": "kitchen, bathroom",
        "cupboard": "pantry, dining room, laundry room",
        "drawer": "home office, bedroom",
        "filing cabinet": "home office",
        "hamper": "laundry room, bathroom",
        "locker": "garage",
        "mailbox": "garden, hallway",
        "medicine cabinet": "bathroom",
        "safe": "home office, bedroom",
        "shed": "garden",
        "trash can": "kitchen, bathroom, garage",
        "wardrobe": "bedroom",
    },
    "CONTAINERS CAN_OPEN SURFACES": {
        "chest": "living room, hallway",
        "dresser": "bedroom",
        "shoe cabinet": "hallway",
        "trunk": "bedroom, garage, living room",
    },
    "CONTAINERS CAN_OPEN LOOKABLE": {"china cabinet": "dining room"},
    # These run all the time: no switch.
    "CONTAINERS CAN_OPEN HAS_PLUG": {
        "freezer": "pantry, garage",
        "fridge": "kitchen",
    },
    "CONTAINERS CAN_OPEN HAS_SWITCH HAS_PLUG": {
        "dishwasher": "kitchen",
        "microwave": "kitchen",
        "oven": "kitchen",
        "washing machine": "laundry room",
    },
}

SWITCHES: Rows = {
    "HAS_SWITCH": {
        "faucet": "kitchen, bathroom, garden",
        "sprinkler": "garden",
    },
    "HAS_SWITCH SURFACES": {"stove": "kitchen"},
    "HAS_SWITCH LOOKABLE": {
        "ceiling light": "pantry, garage, bathroom",
        "chandelier": "dining room",
        "lantern": "garden",
    },
    "HAS_SWITCH HAS_PLUG": {
        "air conditioner": "bedroom, living room, home office",
        "coffee maker": "kitchen, dining room",
        "radio": "kitchen, garage, living room",
        "stereo": "living room",
        "toaster": "kitchen",
    },
    "HAS_SWITCH HAS_PLUG MOVABLE": {
        "dehumidifier": "pantry, laundry room",
        "fan": "bedroom, home office, laundry room",
        "heater": "bathroom, garage",
        "vacuum cleaner": "laundry room, hallway",
    },
    "HAS_SWITCH HAS_PLUG HAS_PAPER": {"printer": "home office"},
    "HAS_SWITCH HAS_PLUG CAN_OPEN CONTAINERS": {"dryer": "laundry room"},
    "HAS_SWITCH HAS_PLUG LOOKABLE": {
        "aquarium": "living room, dining room",
        "computer": "home office",
        "lamp": "living room, bedroom, home office, hallway",
        "projector": "living room, home office",
        "television": "living room, bedroom",
    },
}

SEATS: Rows = {
    "SITTABLE": {"toilet": "bathroom"},
    "SITTABLE MOVABLE": {
        "armchair": "living room, bedroom",
        "chair": "dining room, kitchen, bedroom",
        "folding chair": "garage, garden, laundry room",
        "office chair": "home office",
        "rocking chair": "living room, hallway",
    },
    "SITTABLE SURFACES MOVABLE": {"step stool": "pantry, garage"},
    "SITTABLE LIEABLE": {
        "hammock": "garden",
        "loveseat": "living room",
        "recliner": "living room",
    },
}

# Open at the top, so that they hold things and never close.
BASINS: Rows = {
    "CONTAINERS": {
        "umbrella stand": "hallway",
        "wastebasket": "home office, bedroom",
    },
    "CONTAINERS LOOKABLE": {"fireplace": "living room"},
    "CONTAINERS MOVABLE": {"wheelbarrow": "garden, garage"},
    "CONTAINERS RECIPIENT": {"sink": "kitchen, bathroom, laundry room"},
    "CONTAINERS RECIPIENT SITTABLE LIEABLE": {"bathtub": "bathroom"},
}
