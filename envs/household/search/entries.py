"""The compiled functions of the search that Python calls; kept on disk until any file here or of the dynamics changes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from worldschool.envs.household.scene.memory import SOURCES, said
from worldschool.envs.household.search.plans import shorten
from worldschool.envs.household.search.progress import potential
from worldschool.envs.household.search.tree import actor_at, add_node, attempt, copy, let_others_act, simulate


def _sources() -> int:
    digest = hashlib.sha256(str(SOURCES).encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")


RUN, TRIM, GO = range(3)


def _entries(sources: int) -> tuple[Any, Any]:
    # Closing over `sources` makes Numba compile again when a file that is called from here has changed.
    @said
    def measure(scene, state, actor, goal, shaping):
        return potential(scene, state, actor, goal, shaping) if sources else 0.0

    @said
    def work(what, scene, table, state, task, terms, tree, found, scratch, actions, count):
        # One function for three verbs: what they call is most of what is compiled, and is compiled once.
        if what == TRIM and sources:
            return shorten(scene, table, state, task, scratch, actions, count)
        if what == GO:
            scratch.generator[0] = scratch.begun[0]
            for i in range(count):
                attempt(scene, table, state, task, actions[i], actor_at(scene, task, i))
                let_others_act(scene, table, state, task, scratch)
            scratch.begun[0] = scratch.generator[0]
            state.top[0] = 0
            return count
        if tree.sizes[0] == 0:
            found.potentials[0] = potential(scene, state, actor_at(scene, task, 0), task.goal, terms.shaping)
            add_node(tree, np.uint64(0), found.potentials[0])
        for _ in range(count):
            arrived = simulate(scene, table, state, task, terms, tree, found, scratch)
            shortest = found.lengths[0]
            # Random plans are long: one of more than twice the length is hardly ever the shortest without its detours.
            if arrived and (shortest == 0 or arrived < 2 * shortest):
                left = shorten(scene, table, state, task, scratch, found.path, arrived)
                if left and (shortest == 0 or left < shortest):
                    copy(found.path, found.plan, left)
                    found.lengths[0] = left
            if terms.stop_at_first and found.lengths[0]:
                break
        return tree.sizes[2]

    return measure, work


measure, work = _entries(_sources())
"""measure(scene, state, actor, goal, shaping): `progress.potential`.
work(what, scene, table, state, task, terms, tree, found, scratch, actions int64 [n], count): RUN: make up to `count` simulations,
and the root before the first; TRIM: shorten a plan of `count` actions (`plans.shorten`); GO: do them for good."""
