"""A household's goal as a search of its own: predicates as rows, actions weighed by what matters to the goal."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.engine import Engine
from worldschool.envs.household.goals import members
from worldschool.envs.household.houses import House
from worldschool.envs.household.scene.goals import (
    GOAL_AT,
    GOAL_HOLDS,
    GOAL_INSIDE,
    GOAL_ON,
    GOAL_STATE,
    GOAL_WIDTH,
)
from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.scene.memory import State
from worldschool.envs.household.search import entries
from worldschool.envs.household.search.progress import ESTIMATE, Wanted
from worldschool.envs.household.search.space import Space
from worldschool.records import Goal, Predicate

_KINDS = {"ON": GOAL_ON, "INSIDE": GOAL_INSIDE, "HOLDS": GOAL_HOLDS, "AT": GOAL_AT}
_STATE = "STATE:"


def wanted(house: House, goal: Goal) -> Wanted:
    """Return a goal in numbers: one row for each pair of things that would make a predicate true."""
    rows: list[tuple[int, int, int]] = []
    starts = [0]
    for predicate in goal.predicates:
        rows += _rows(house, predicate)
        starts.append(len(rows))
    return Wanted(np.array(rows, np.int16).reshape(-1, GOAL_WIDTH), np.array(starts, np.int64))


def _rows(house: House, predicate: Predicate) -> Iterable[tuple[int, int, int]]:
    name, subject, target = predicate
    xs = [house.place_of[one] for one in members(house, subject)]
    if name.startswith(_STATE):
        word = states_word(name.removeprefix(_STATE).upper())
        return [(GOAL_STATE, x, word) for x in xs]
    ys = [house.place_of[one] for one in members(house, target or "")]
    return [(_KINDS[name], x, y) for x in xs for y in ys]


def weights(engine: Engine, goal: Wanted, candidates: NDArray[np.int16], focus: float) -> NDArray[np.float64]:
    """Return focus ** (how many things that a candidate names matter): float64 [c].

    What matters is what the goal names, and now: whatever contains, bears or holds it, up to the room.
    """
    count = engine.premises.count
    matters = np.zeros(count + 1, np.int64)  # the last place stands for no thing
    words = engine.premises.place_words(engine.memory)
    for kind, x, y in goal.rows.tolist():
        for thing in (x,) if kind == GOAL_STATE else (x, y):
            place = thing
            while place >= 0 and not matters[place]:
                matters[place] = 1
                place = (words[place] - 1) >> 3 if words[place] else -1
    found: NDArray[np.float64] = np.power(focus, matters[candidates[:, 1]] + matters[candidates[:, 2]])
    return found


def space_of(engine: Engine, goal: Goal, focus: float, *, turn: int, take_turns: bool, horizon: int) -> Space:
    """Return the search for a goal from the engine's state.

    Args:
        engine: the house.
        goal: one that fits the house (`goals.check`).
        focus: see `weights`.
        turn: which character acts first.
        take_turns: whether the characters take turns; otherwise the first acts, and after it the others at random.
        horizon: steps until the episode is truncated.
    """
    premises = engine.premises
    people = premises.house.characters
    candidates = premises.candidates[: premises.effective]
    rows = wanted(premises.house, goal)

    def text(candidate: int, place: int) -> str:
        action = premises.texts[candidate]
        return f"{people[(turn + place) % len(people)]}: {action}" if take_turns else action

    return Space(
        scene=premises.scene,
        table=premises.rules.table,
        memory=engine.memory.copy(),
        rows=rows.rows,
        starts=rows.starts,
        candidates=candidates,
        weights=weights(engine, rows, candidates, focus),
        horizon=horizon,
        text=text,
        others=len(candidates) if len(people) > 1 and not take_turns else 0,
        turns=len(people) if take_turns else 1,
        turn=turn,
        generator=engine.generator,
    )


def progress(engine: Engine, goal: Goal, turn: int) -> float:
    """Return how far the house is on its way to a goal, in [0, 1] (`progress.potential`), seen by the character who acts next."""
    state = State(engine.memory, np.zeros((0, 2), np.uint64), np.zeros(1, np.int64))
    scene = engine.premises.scene
    rows = wanted(engine.premises.house, goal)
    return float(entries.measure(scene, state, int(scene.holders[turn]), rows, ESTIMATE))
