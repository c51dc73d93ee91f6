"""The compiled functions that Python calls for one house at a time; each is kept on disk until any file here changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from worldschool.envs.household.scene.draws import choose_legal, draw_goal, draw_start
from worldschool.envs.household.scene.kernel import do
from worldschool.envs.household.scene.masks import legal
from worldschool.envs.household.scene.memory import SOURCES, announced, kept


def said(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep a function compiled, and say so if its first call has to compile it."""
    compiled = kept(function)

    def call(*arguments: Any) -> Any:
        with nullcontext() if compiled.overloads else announced():
            return compiled(*arguments)

    return call


def _entries(sources: int) -> tuple[Any, Any, Any, Any, Any]:
    # Closing over `sources` makes Numba compile again when another file of this folder has changed.
    @said
    def act(scene, table, state, action, actor, x, y):
        state.top[0] = 0
        return do(scene, table, state, action, actor, x, y) if sources else 0

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

    return act, find_legal, begin, ask, choose


act, find_legal, begin, ask, choose = _entries(SOURCES)
"""act(scene, table, state, action, actor, x, y): `kernel.do` without keeping what it undoes.
find_legal(...): `masks.legal`. begin(scene, state, chances, generator): `draws.draw_start`.
ask(scene, state, chances, generator, size, goal): `draws.draw_goal`.
choose(..., generator): the index of a random legal candidate, or -1."""
