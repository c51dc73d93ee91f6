"""What benchmarks/household.py measures of the compiled household: batches, masks, rollouts, and taking back.

Batches are measured on recorded actions: first they are drawn, half of them legal by the masks of the moment and half at
random from all of the house, and then replayed from the same state without masks.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.engine import Engine
from worldschool.envs.household.forms import FORMS
from worldschool.envs.household.houses import draw_house
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.rollouts import LOG_ENTRIES, Rollouts
from worldschool.envs.household.scene import batches, rollouts
from worldschool.envs.household.scene.batches import Houses, Lives, Shape, Terms
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.memory import State
from worldschool.envs.household.stacked import MOST_ACTIONS, new_lives, stack
from worldschool.envs.household.vector import HouseholdVectorEnv

SETTINGS: dict[str, Any] = {"rooms": (5, 5), "furniture": (4, 4), "objects": (32, 32)}
"""58 things: 5 rooms, 20 pieces of furniture, 32 objects and a character."""
TERMS = Terms(max_steps=40, least_goal=0, most_goal=0, scripted=1)
DEPTH = 20


class VectorRates(NamedTuple):
    """Steps a second of the vector environment, and which share of the replayed actions succeeded."""

    steps: float
    masked: float
    share: float


def vector_rates(count: int, runs: int, steps: int, seed: int) -> VectorRates:
    """Measure the vector environment with autoreset included: replaying actions, and drawing them from masks."""
    masked = HouseholdVectorEnv(count, action_masks=True, goal="random", **SETTINGS)
    plain = HouseholdVectorEnv(count, goal="random", **SETTINGS)
    _, info = masked.reset(seed=seed)
    plain.reset(seed=seed)
    rng, most = np.random.default_rng(seed), [len(actions) for actions in masked.actions]
    shares, replayed, drawn = [], [], []
    for _ in range(runs + 1):
        actions = np.zeros((steps, count), np.int64)
        for step in range(steps):
            actions[step] = _mixed(info["action_mask"], np.array(most), rng)
            shares.append(np.take_along_axis(info["action_mask"], actions[step][:, None], 1).mean())
            *_, info = masked.step(actions[step])
        began = time.perf_counter()
        for step in range(steps):
            plain.step(actions[step])
        replayed.append(count * steps / (time.perf_counter() - began))
    for _ in range(runs + 1):
        began = time.perf_counter()
        for _ in range(steps):
            *_, info = masked.step(_legal(info["action_mask"], rng))
        drawn.append(count * steps / (time.perf_counter() - began))
    return VectorRates(statistics.median(replayed[1:]), statistics.median(drawn[1:]), float(np.mean(shares)))


def _legal(masks: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a legal action for each row of masks."""
    counts = masks.sum(axis=1, dtype=np.int64)
    found, ends = np.flatnonzero(masks.view(np.bool_)), np.cumsum(counts)
    return found[ends - counts + rng.integers(counts)] - np.arange(len(masks)) * masks.shape[1]


def _mixed(masks: NDArray[np.int8], most: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for each row of masks a legal action or, as often, any below `most`."""
    return np.where(rng.random(len(masks)) < 0.5, _legal(masks, rng), rng.integers(most))


# -- batches of scenes ------------------------------------------------------------------------------------------------


class Stage(NamedTuple):
    """A batch's scenes, the memory words of each, words of a row, and the action table."""

    houses: Houses
    memory: int
    words: int
    table: Any

    def lives(self, count: int, masks: bool = False) -> Lives:
        """Return `count` lives in these houses."""
        return new_lives(self.houses.classes.shape[1], count, masks, memory=self.memory, words=self.words)

    def of(self, count: int) -> Houses:
        """Return the houses as `count` environments live in them, each in the next."""
        return self.houses._replace(which=np.arange(count) % len(self.houses.bare))


def procedural(count: int, seed: int) -> Stage:
    """Return procedural houses as a batch."""
    config = HouseholdConfig(**SETTINGS)
    premises = [Premises(draw_house(config, random.Random(seed + e))) for e in range(count)]
    first = premises[0]
    return Stage(stack(premises, np.arange(count)), len(first.bare), first.layout.words, first.rules.table)


def virtualhome(graph: dict[str, Any], seed: int) -> Stage:
    """Return a recorded scene under dialect "house", with 2,048 of its actions; episodes begin as it was recorded."""
    scene = CompiledScene.compile(SceneGraph.from_dict(graph), "house")
    candidates = _candidates(scene, np.random.default_rng(seed))
    n = len(scene.scene.ids)
    nothing = np.zeros((1, 0), np.int16)
    houses = Houses(
        which=np.zeros(1, np.int64),
        shape=Shape(**{name: getattr(scene.scene, name) for name in Shape._fields})._replace(
            holders=np.array(scene.characters[:1])
        ),
        traits=scene.scene.traits[None],
        seats=scene.scene.seats[None],
        bare=scene.memory[None],
        classes=np.zeros((1, n), np.int16),
        candidates=candidates[None],
        counts=np.array([len(candidates)]),
        movable=nothing,
        movables=np.zeros(1, np.int64),
        starts=np.zeros((1, 0, 7), np.int32),
        holders=nothing,
        adjustable=np.zeros((1, n), np.int8),
        rooms=nothing,
        room_counts=np.zeros(1, np.int64),
        offers=np.zeros((1, 0, 3), np.int16),
        offer_starts=np.zeros((1, 6), np.int32),
        relations=np.zeros(6, np.int8),
        weights=np.zeros(6),
        offer_weights=np.zeros(5),
        people=0,
    )
    return Stage(houses, len(scene.memory), scene.layout.words, scene.rules.table)


def _candidates(scene: CompiledScene, rng: np.random.Generator) -> NDArray[np.int16]:
    """Return every action on one thing that traits do not rule out, and as many of those on two as there is room for."""
    bits = np.ascontiguousarray(scene.scene.traits).view(np.uint8)
    traits = np.unpackbits(bits, axis=1, bitorder="little")[:, : len(scene.scene.ids)].astype(np.bool_)
    single, pairs = [], []
    for form in FORMS:
        if not form.effective:
            continue
        action = scene.rules.actions[form.row]
        of_x, of_y = (
            np.flatnonzero(np.all(traits[[-1, *scene.rules.trait_checks(action, argument)]], axis=0))
            for argument in (0, 1)
        )
        if form.y is not None:
            pairs += [(action, x, y) for x in of_x for y in of_y]
        elif form.x is not None:
            single += [(action, x, -1) for x in of_x]
        else:
            single.append((action, -1, -1))
    single = single[:MOST_ACTIONS]
    kept = sorted(rng.choice(len(pairs), min(len(pairs), MOST_ACTIONS - len(single)), replace=False).tolist())
    return np.array(single + [pairs[k] for k in kept], np.int16)


def batch_rate(stage: Stage, count: int, transitions: int, seed: int) -> Callable[[], float]:
    """Return a rate of transitions of a batch through the compiled step, replaying recorded actions from their start."""
    houses, steps = stage.of(count), max(1, transitions // count)
    commands, actions = zip(*_recorded(stage, houses, count, steps, seed), strict=True)
    lives = stage.lives(count)

    def rate() -> float:
        lives.generators[:] = seed
        batches.advance(
            houses, lives, stage.table, TERMS, np.full(count, batches.BEGIN, np.uint8), actions[0]
        )
        began = time.perf_counter()
        for command, action in zip(commands, actions, strict=True):
            batches.advance(houses, lives, stage.table, TERMS, command, action)
        return steps * count / (time.perf_counter() - began)

    return rate


def _recorded(
    stage: Stage, houses: Houses, count: int, steps: int, seed: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield what each environment does in each step: half of the actions are legal, and ended episodes begin anew."""
    lives, rng = stage.lives(count, masks=True), np.random.default_rng(seed)
    lives.generators[:] = seed
    most = houses.counts[houses.which]
    commands, actions = np.full(count, batches.BEGIN, np.uint8), np.zeros(count, np.int64)
    batches.advance(houses, lives, stage.table, TERMS, commands, actions)
    for _ in range(steps):
        commands = np.where(lives.terminated | lives.truncated, batches.BEGIN, batches.ACT).astype(np.uint8)
        actions = _mixed(lives.masks, most, rng)
        yield commands, actions
        batches.advance(houses, lives, stage.table, TERMS, commands, actions)


# -- rollouts and taking back -----------------------------------------------------------------------------------------


def rollout_rate(stage: Stage, count: int, seed: int) -> Callable[[], float]:
    """Return a rate of transitions in random legal rollouts of 20 steps, each taken back."""
    houses = stage.of(1)
    lives = stage.lives(1)
    lives.generators[:] = seed
    batches.advance(
        houses, lives, stage.table, TERMS, np.array([batches.BEGIN], np.uint8), np.zeros(1, np.int64)
    )
    scene = batches.scene_of(houses, 0)
    state = State(lives.memory[0], np.zeros((LOG_ENTRIES, 2), np.uint64), np.zeros(1, np.int64))
    generator = np.array([seed], np.uint64)

    def rate() -> float:
        reached = np.zeros(count, np.int32)
        began = time.perf_counter()
        steps = rollouts.play_out(
            scene, stage.table, state, 0, np.full(count, -1), DEPTH, houses.candidates[0], houses.counts[0],
            np.zeros((0, 3), np.int16), 0, 1, generator, lives.bits, lives.legal, lives.memory[0].copy(), reached,
        )  # fmt: skip
        rate: float = steps / (time.perf_counter() - began)
        return rate

    return rate


def snapshot_restore_us(times: int, seed: int) -> float:
    """Return microseconds of a snapshot, a legal action, a look at the goal, and the return to the snapshot, in rollouts."""
    engine = Engine(Premises(draw_house(HouseholdConfig(**SETTINGS), random.Random(seed))), seed)
    engine.begin()
    for _ in range(30):  # so that hands are full
        engine.act(0, engine.choose(0))
    legal = np.flatnonzero(engine.legal(0))
    futures = Rollouts(engine, np.zeros((0, 3), np.int16), generator=seed)
    firsts = np.tile(legal, max(1, times // len(legal)))
    futures.run(firsts, 1)
    began = time.perf_counter()
    futures.run(firsts, 1)
    return 1e6 * (time.perf_counter() - began) / len(firsts)
