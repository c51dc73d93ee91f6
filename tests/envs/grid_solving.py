"""Reaching drawn goals by MiniGrid's moves, as somebody who knows where everything is."""

from __future__ import annotations

from tests.envs.grid_house import is_in_state
from worldschool.envs.household.grid.env import HouseholdGridEnv
from worldschool.envs.household.grid.floor import ahead
from worldschool.envs.household.grid.moves import (
    DROP,
    PICKUP,
    TOGGLE,
    TURN_RIGHT,
)
from worldschool.records import Goal


class Solved(Exception):
    """The goal was reached."""


def solve(env: HouseholdGridEnv) -> None:
    """Reach the goal by moves, one predicate after the other."""
    wanted = sorted(env.goal.predicates, key=lambda predicate: predicate[0] == "HOLDS")
    try:
        for predicate in wanted * 3:  # reaching one may undo another: what lies in the way is put elsewhere
            if env.satisfied(Goal("", (predicate,))) == (False,) or predicate[0] == "HOLDS":
                bring_about(env, *predicate)
    except Solved:
        return


def bring_about(env: HouseholdGridEnv, name: str, subject: str, target: str | None) -> None:
    if name.startswith("STATE:"):
        set_state(env, subject, name.removeprefix("STATE:").upper())
    elif name == "HOLDS" and len(set(env.life.hands(0)) & {row[2] for row in env.goal.predicates}) == 0:
        fetch_alone(env, target)
    elif name == "HOLDS":
        fetch(env, target)
    elif env.life.floor.house.kind_of[target] == "room":
        fetch(env, subject)
        walk(env, target)
        put_down(env)  # or another thing that is fetched next would bring it elsewhere
    else:
        if env.life.floor.house.kind_of[target] == "object":
            fetch(env, target)
            put_down(env)
        elif is_in_state(env, target, "OPEN" if name == "ON" else "CLOSED"):
            set_state(env, target, "CLOSED" if name == "ON" else "OPEN")
        fetch(env, subject)
        walk(env, target)
        if name == "ON" and is_in_state(env, target, "OPEN"):  # the thing was inside
            set_state(env, target, "CLOSED")
        go(env, DROP)


def go(env: HouseholdGridEnv, *moves: int) -> str | None:
    error = None
    for move in moves:
        _, _, terminated, truncated, info = env.step(move)
        error = info["error"]
        if terminated or truncated:
            raise Solved
    return error


def walk(env: HouseholdGridEnv, name: str) -> None:
    go(env, *env.path_to(name))


def put_down(env: HouseholdGridEnv) -> None:
    """Drop what was taken last onto a free cell of this room."""
    floor, room = env.life.floor, env.life.place(0)[0]

    def is_free(pose):
        cell = ahead(pose)
        return floor.room_at.get(pose[:2]) == floor.room_at.get(cell, -1) == room and not floor.things_at(
            cell
        )

    go(env, *floor.shortest_path(floor.poses[0], is_free))
    assert go(env, DROP) is None


def set_state(env: HouseholdGridEnv, name: str, state: str) -> None:
    if env.life.floor.house.kind_of[name] == "object":
        fetch(env, name)
        put_down(env)
    else:
        walk(env, name)
    if len(env.life.hands(0)) == 2 and state != "CLOSED":
        put_down(env)
        walk(env, name)
    for _ in range(4):
        if not is_in_state(env, name, state):
            assert go(env, TOGGLE) is None


def fetch(env: HouseholdGridEnv, name: str) -> None:
    """Bring a thing into the hand that is emptied first."""
    life = env.life
    if name in life.hands(0):
        while life.hands(0)[-1] != name:
            put_down(env)
        return
    if len(life.hands(0)) == 2:
        put_down(env)
    holder = life.engine.view.holder(name)
    is_nested = life.floor.house.kind_of[holder] == "object"
    if is_nested:
        fetch_alone(env, holder)
    elif is_in_state(env, holder, "CLOSED") and life.engine.view.relation(name) == "INSIDE":
        set_state(env, holder, "OPEN")
    for _ in range(20):
        if len(life.hands(0)) == 2:
            put_down(env)
        if not is_nested:
            walk(env, name)
        while (
            is_nested and life.in_front(0)[1]
        ):  # where nothing lies in front, it is taken out of what is held
            go(env, TURN_RIGHT)
        assert go(env, PICKUP) is None
        if name in life.hands(0):
            return
    raise AssertionError(name)


def fetch_alone(env: HouseholdGridEnv, name: str) -> None:
    """Bring a thing into one hand, and nothing into the other."""
    fetch(env, name)
    if env.life.hands(0) != [name]:
        put_down(env)
        put_down(env)
        fetch(env, name)
