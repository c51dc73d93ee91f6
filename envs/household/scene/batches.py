"""Many houses lived in at once: one compiled call lets each environment of a batch act, looks at its goal, begins its next
episode and writes what is seen.

Houses of one batch have the same number of places (`Premises(house, places=N)`), so that each array of one is a slice of
an array of all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from worldschool.envs.household.scene.draws import Chances, below, choose_legal, draw_goal, draw_start
from worldschool.envs.household.scene.goals import holds_goal
from worldschool.envs.household.scene.kernel import do
from worldschool.envs.household.scene.masks import close_row, legal
from worldschool.envs.household.scene.memory import SOURCES, Scene, State, borrowing, inlined, said
from worldschool.envs.household.scene.observations import observe_all, observe_changes, observe_reach

ACT, BEGIN, WAIT, LOOK = range(4)
"""What an environment is to do in a step: act, begin an episode, nothing, or only write anew what is seen."""


class Shape(NamedTuple):
    """What the scenes of a batch have in common: the fields of `Scene` by these names."""

    ids: Any
    slots: Any
    block: int
    symmetric: int
    holders: Any
    initial_states: Any
    scratch: Any
    stale: int
    one_place: int


class Houses(NamedTuple):
    """What never changes within an episode, of H houses of N places, lived in by E environments.

    Attributes:
        which: int64 [E]: the house of each environment.
        shape: what they have in common.
        traits, seats: of each `Scene`: uint64 [H, traits, W], int64 [H, kinds, N].
        bare: uint64 [H, N * block]: the memory with furniture and nothing else.
        classes: int16 [H, N]: class numbers, -1 where a house has no thing.
        candidates: int16 [H, c, 3]: actions, and `counts` int64 [H] how many.
        movable, starts, holders, adjustable, rooms, offers, offer_starts: as in `draws.Chances`, one row a house, with
            `movables` and `room_counts` int64 [H] how many.
        relations, weights, offer_weights: as in `draws.Chances`, for all.
        people: how many characters a house has.
    """

    which: Any
    shape: Shape
    traits: Any
    seats: Any
    bare: Any
    classes: Any
    candidates: Any
    counts: Any
    movable: Any
    movables: Any
    starts: Any
    holders: Any
    adjustable: Any
    rooms: Any
    room_counts: Any
    offers: Any
    offer_starts: Any
    relations: Any
    weights: Any
    offer_weights: Any
    people: int


class Lives(NamedTuple):
    """What changes, of E environments. Where an array is not wanted, it has no rows.

    Attributes:
        memory: uint64 [E, N * block].
        generators: uint64 [E].
        goals, sizes: int16 [E, 3, 3], -1 in rows that are none, and int64 [E] how many rows there are.
        wanted: int64 [E]: how many rows the next goal is to have; -1: to be drawn.
        turns: int64 [E]: which character acts next.
        steps: int64 [E]: steps of this episode.
        rewards, terminated, truncated: float64 [E], bool [E], bool [E]: of the last step.
        observations: int16 [E, N, COLUMNS].
        masks: int8 [E, c].
        last_observations, last_masks, last_goals, last_turns: the same of episodes that ended in this step, kept before
            the next began.
        log, top: an undo log for all: what one environment's action changed.
        bits, legal: uint64 [3, W], int8 [c]: scratch.
    """

    memory: Any
    generators: Any
    goals: Any
    sizes: Any
    wanted: Any
    turns: Any
    steps: Any
    rewards: Any
    terminated: Any
    truncated: Any
    observations: Any
    masks: Any
    last_observations: Any
    last_masks: Any
    last_goals: Any
    last_turns: Any
    log: Any
    top: Any
    bits: Any
    legal: Any


class Terms(NamedTuple):
    """The settings that the dynamics follow.

    Attributes:
        max_steps: after which an episode is truncated.
        least_goal, most_goal: how many rows a drawn goal has; 0: none is drawn.
        scripted: 1: the other characters act at random after the first; 0: characters take turns.
    """

    max_steps: int
    least_goal: int
    most_goal: int
    scripted: int


@inlined
def scene_of(houses, house):
    """Return a house's `Scene`."""
    shape = houses.shape
    return Scene(
        shape.ids,
        houses.traits[house],
        shape.slots,
        shape.block,
        shape.symmetric,
        shape.holders,
        houses.seats[house],
        shape.initial_states,
        shape.scratch,
        shape.stale,
        shape.one_place,
    )


@inlined
def _chances_of(houses, house):
    return Chances(
        houses.movable[house, : houses.movables[house]],
        houses.starts[house],
        houses.holders[house],
        houses.relations,
        houses.weights,
        houses.adjustable[house],
        houses.people,
        houses.rooms[house, : houses.room_counts[house]],
        houses.offers[house],
        houses.offer_starts[house],
        houses.offer_weights,
    )


@borrowing
def play(
    scene, table, state, turn, choice, candidates, count, goal, size, scripted, generator, bits, allowed
):
    """Let a character do a candidate, and then, if `scripted`, the others something legal; returns whether the goal holds.

    The goal is looked at after each action, and nobody acts once it holds. A choice that is no candidate, or cannot be
    done now, changes nothing.
    """
    others = len(scene.holders) if scripted else 0
    actor, other = scene.holders[turn], 1
    while True:
        if 0 <= choice < count and candidates[choice, 1] != actor:
            action, x, y = candidates[choice, 0], candidates[choice, 1], candidates[choice, 2]
            do(scene, table, state, np.int64(action), actor, np.int64(x), np.int64(y))
        if holds_goal(scene, state, goal, size):
            return True
        if other >= others:
            return False
        actor = scene.holders[other]
        found = legal(scene, table, state, actor, candidates, count, bits, allowed)
        choice = choose_legal(allowed, count, found, generator)
        other += 1


@borrowing
def _begin(houses, lives, terms, scene, state, e):
    """Begin an episode: everything is put somewhere, and a goal drawn."""
    house, generator = houses.which[e], lives.generators[e : e + 1]
    chances = _chances_of(houses, house)
    for i in range(lives.memory.shape[1]):
        lives.memory[e, i] = houses.bare[house, i]
    draw_start(scene, state, chances, generator)
    goal = lives.goals[e]
    goal[:] = -1
    size = lives.wanted[e]
    lives.wanted[e] = -1
    if size < 0:
        size = terms.least_goal
        if terms.most_goal > terms.least_goal:
            size += below(generator, terms.most_goal - terms.least_goal + 1)
    lives.sizes[e] = 0
    if terms.most_goal > 0:
        drawn = draw_goal(scene, state, chances, generator, size, goal)
        lives.sizes[e] = drawn
    lives.turns[e] = lives.steps[e] = 0
    observe_all(scene, state, houses.classes[house], houses.people, lives.observations[e])


@borrowing
def _look(houses, lives, table, scene, state, e):
    """Write what the next character reaches, and what it could do if masks are wanted."""
    house, actor = houses.which[e], scene.holders[lives.turns[e]]
    if lives.masks.shape[0]:
        count = houses.counts[house]
        legal(scene, table, state, actor, houses.candidates[house], count, lives.bits, lives.masks[e])
    else:
        close_row(scene, state, actor, lives.bits[0])
    observe_reach(scene, lives.bits[0], lives.observations[e])


@borrowing
def _keep_last(lives, e):
    for thing in range(lives.observations.shape[1]):
        for column in range(lives.observations.shape[2]):
            lives.last_observations[e, thing, column] = lives.observations[e, thing, column]
    for i in range(lives.goals.shape[1]):
        for k in range(lives.goals.shape[2]):
            lives.last_goals[e, i, k] = lives.goals[e, i, k]
    lives.last_turns[e] = lives.turns[e]
    if lives.masks.shape[0]:
        for i in range(lives.masks.shape[1]):
            lives.last_masks[e, i] = lives.masks[e, i]


@borrowing
def _advance(houses, lives, table, terms, commands, actions):
    state_top = lives.top
    for e in range(len(commands)):
        command = commands[e]
        if command == WAIT:
            continue
        house = houses.which[e]
        scene = scene_of(houses, house)
        state = State(lives.memory[e], lives.log, state_top)
        state_top[0] = 0
        if command == LOOK:
            observe_all(scene, state, houses.classes[house], houses.people, lives.observations[e])
            _look(houses, lives, table, scene, state, e)
            continue
        lives.rewards[e] = 0.0
        lives.terminated[e] = lives.truncated[e] = False
        if command == BEGIN:
            _begin(houses, lives, terms, scene, state, e)
            _look(houses, lives, table, scene, state, e)
            continue
        reached = play(
            scene, table, state, lives.turns[e], actions[e], houses.candidates[house], houses.counts[house],
            lives.goals[e], lives.sizes[e], terms.scripted, lives.generators[e : e + 1], lives.bits, lives.legal,
        )  # fmt: skip
        lives.steps[e] += 1
        if not terms.scripted:
            lives.turns[e] = (lives.turns[e] + 1) % len(scene.holders)
        lives.rewards[e] = 1.0 if reached else 0.0
        lives.terminated[e] = reached
        lives.truncated[e] = not reached and lives.steps[e] >= terms.max_steps
        classes, out = houses.classes[house], lives.observations[e]
        observe_changes(scene, state, classes, houses.people, lives.bits[1], out)
        _look(houses, lives, table, scene, state, e)
        if lives.last_observations.shape[0] and (lives.terminated[e] or lives.truncated[e]):
            _keep_last(lives, e)
            state_top[0] = 0
            _begin(houses, lives, terms, scene, state, e)
            _look(houses, lives, table, scene, state, e)


def _entry(sources: int) -> Any:
    @said
    def advance(houses, lives, table, terms, commands, actions):
        if sources:
            _advance(houses, lives, table, terms, commands, actions)

    return advance


advance = _entry(SOURCES)
"""advance(houses, lives, table, terms, commands uint8 [E], actions int64 [E]): one step of every environment."""
