"""The compiled functions that Python calls for one house at a time; each is kept on disk until any file here changes."""

from __future__ import annotations

from typing import Any

from worldschool.envs.household.scene.draws import choose_legal, draw_goal, draw_start
from worldschool.envs.household.scene.masks import legal
from worldschool.envs.household.scene.memory import SOURCES, said


def _entries(sources: int) -> tuple[Any, Any, Any, Any]:
    # Closing over `sources` makes Numba compile again when another file of this folder has changed.
    @said
    def find_legal(scene, table, state, actor, candidates, count, bits, out):
        return legal(scene, table, state, actor, candidates, count, bits, out) if sources else 0

    @said
    def begin(scene, state, chances, generator):
        if sources:
            draw_start(scene, state, chances, generator)
        state.top[0] = 0

    @said
    def ask(scene, state, chances, generator, size, goal):
        return draw_goal(scene, state, chances, generator, size, goal) if sources else 0

    @said
    def choose(scene, table, state, actor, candidates, count, bits, out, generator):
        found = legal(scene, table, state, actor, candidates, count, bits, out) if sources else 0
        return choose_legal(out, count, found, generator)

    return find_legal, begin, ask, choose


find_legal, begin, ask, choose = _entries(SOURCES)
"""find_legal(...): `masks.legal`. begin(scene, state, chances, generator): `draws.draw_start`.
ask(scene, state, chances, generator, size, goal): `draws.draw_goal`.
choose(..., generator): the index of a random legal candidate, or -1."""
