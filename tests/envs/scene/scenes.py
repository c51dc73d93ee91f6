"""Random scenes: any graph at all, or one in which everything is somewhere."""

from __future__ import annotations

import numpy as np

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.graph import PROPERTIES, STATES

CLASSES = (
    "apple",
    "fridge",
    "chair",
    "couch",
    "water",
    "kitchen_knife",
    "desk",
    "computer",
    "soap",
    "character",
)
COUNT = 12


def random_scene(seed, sound=False):
    """A scene of 12 things with random traits and edges; a sound one has a room, and everything is somewhere."""
    rng = np.random.default_rng(seed)
    nodes = [
        {
            "id": int(id_),
            "class_name": "kitchen"
            if place < 2
            else ("character" if place in (2, 3) else str(rng.choice(CLASSES))),
            "category": "Rooms" if place < 2 else "Objects",
            "properties": [name for name in PROPERTIES if rng.random() < 0.5],
            "states": [name for name in STATES if rng.random() < 0.2],
        }
        for place, id_ in enumerate(sorted(rng.choice(3000, COUNT, replace=False)))
    ]
    ids = [node["id"] for node in nodes]
    edges = [
        {"from_id": ids[a], "relation_type": relation, "to_id": ids[b]}
        for relation in op.DYNAMIC
        for a, b in rng.integers(0, COUNT, (4, 2))
    ]
    if sound:
        edges += [{"from_id": id_, "relation_type": "INSIDE", "to_id": ids[0]} for id_ in ids[1:]]
    return {"nodes": nodes, "edges": edges}
