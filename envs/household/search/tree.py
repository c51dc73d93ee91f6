"""Monte Carlo tree search over a household's states, compiled: the tree in arrays, states by doing and undoing.

No node keeps a state. Each simulation does the actions of its path from the root, and takes everything back by the undo
log; doing an action again costs less than copying a state. The formulas are those of `agents.mcts`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from worldschool.envs.household.scene.draws import choose_legal, next_number
from worldschool.envs.household.scene.kernel import do
from worldschool.envs.household.scene.masks import legal
from worldschool.envs.household.scene.memory import borrowing, undo
from worldschool.envs.household.search.progress import potential, reached

ROOT = 0
NONE, GOAL, DEAD_END = -1, -1, -2
"""No edge; and what an edge leads to that leads to no node: the goal, or the end of the episode without it."""
TRIES = 64
"""Draws of a rollout until one is legal, before it ends."""
UCT, PUCT = range(2)


class Task(NamedTuple):
    """What is searched.

    Attributes:
        goal: `progress.Wanted`.
        candidates: int16 [c, 3]: what may be tried: row of the table, places of X and Y.
        weights: float64 [c]: how likely a rollout tries each, above 0; the priors of PUCT.
        sums: float64 [c]: their running sums.
        others: int64: of `candidates`, so many may be done by scripted characters; 0: nobody else acts.
        turns: int64: characters that take turns; 1: the first alone acts.
        turn: int64: who acts first.
        horizon: int64: steps after which the episode is truncated.
    """

    goal: Any
    candidates: Any
    weights: Any
    sums: Any
    others: Any
    turns: Any
    turn: Any
    horizon: Any


class Terms(NamedTuple):
    """The search's settings: the fields of `envs.search.SearchTerms` as numbers; `widening` is infinite where focus is off."""

    rule: int
    exploration: float
    discount: float
    rollout_depth: int
    max_depth: int
    shaping: int
    transpositions: int
    stop_at_first: int
    widening: float


class Tree(NamedTuple):
    """Nodes and edges in arrays; the edges of a node are a linked list.

    Attributes:
        visits, children, legal: int32 [n]: how often an action was chosen at a node, how many edges it has, and how many
            actions are legal (-1: not asked yet).
        first: int32 [n]: a node's first edge.
        potentials: float64 [n].
        keys: uint64 [n]: hash of a node's state against the root's.
        stamps: int64 [n]: the last simulation that came by.
        slots: int64 [h]: node + 1 by hash; h is a power of two.
        actions, child, following, edge_visits: int32 [e]: candidate, node it leads to (or GOAL, DEAD_END), next edge.
        rewards, totals, priors: float64 [e].
        sizes: int64 [3]: nodes, edges, simulations.

    The arrays of nodes and edges may be of any length: when they are full, the tree grows no more.
    """

    visits: Any
    children: Any
    legal: Any
    first: Any
    potentials: Any
    keys: Any
    stamps: Any
    slots: Any
    actions: Any
    child: Any
    following: Any
    edge_visits: Any
    rewards: Any
    totals: Any
    priors: Any
    sizes: Any


class Found(NamedTuple):
    """What the search has found, in arrays that it writes to.

    Attributes:
        plan: int64 [depth]: the shortest sequence of actions seen that reaches the goal; `lengths[0]` of them, 0: none.
        best: int64 [depth]: a sequence to the state of the highest potential seen; `lengths[1]` of them.
        lengths: int64 [2].
        potentials: float64 [1]: that potential.
        path, nodes, edges: int64 [depth]: of the simulation under way.
    """

    plan: Any
    best: Any
    lengths: Any
    potentials: Any
    path: Any
    nodes: Any
    edges: Any


class Scratch(NamedTuple):
    """Generators, and room to work in.

    Attributes:
        dice: uint64 [1]: what the search draws from.
        generator: uint64 [1]: what the world draws from; `begun` uint64 [1] is where it stands at the root.
        bits: uint64 [3, W]; allowed, theirs: int8 [c].
    """

    dice: Any
    generator: Any
    begun: Any
    bits: Any
    allowed: Any
    theirs: Any


@borrowing
def uniform(dice):
    """Return a number from [0, 1)."""
    return np.float64(next_number(dice) >> np.uint64(11)) * (1.0 / (1 << 53))


@borrowing
def attempt(scene, table, state, task, choice, actor):
    """Let a character do a candidate; returns whether it could."""
    x = np.int64(task.candidates[choice, 1])
    if x == actor:
        return False
    action, y = np.int64(task.candidates[choice, 0]), np.int64(task.candidates[choice, 2])
    return do(scene, table, state, action, actor, x, y) == 0


@borrowing
def let_others_act(scene, table, state, task, scratch):
    """Let the scripted characters act at random, as the world does; returns whether the goal is reached."""
    if reached(scene, state, task.goal):
        return True
    for other in range(1, len(scene.holders) if task.others else 1):
        actor = scene.holders[other]
        found = legal(scene, table, state, actor, task.candidates, task.others, scratch.bits, scratch.theirs)
        choice = choose_legal(scratch.theirs, task.others, found, scratch.generator)
        if choice >= 0:
            attempt(scene, table, state, task, choice, actor)
        if reached(scene, state, task.goal):
            return True
    return False


@borrowing
def actor_at(scene, task, depth):
    """Return who acts after so many steps."""
    return scene.holders[(task.turn + depth) % task.turns if task.turns > 1 else task.turn]


@borrowing
def _change_of(state, start):
    """Return a hash of all that the log says was changed since it had `start` entries, and take it back."""
    key = np.uint64(0)
    for i in range(state.top[0] - 1, start - 1, -1):
        place = state.log[i, 0]
        at = np.int64(place)
        key ^= _mixed(place, state.memory[at]) ^ _mixed(place, state.log[i, 1])
        state.memory[at] = state.log[i, 1]
    state.top[0] = start
    return key


@borrowing
def _mixed(place, word):
    z = (place + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) ^ word
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@borrowing
def add_node(tree, key, shape):
    """Add a node; returns its number."""
    node = tree.sizes[0]
    tree.sizes[0] += 1
    tree.visits[node] = tree.children[node] = 0
    tree.legal[node] = tree.first[node] = NONE
    tree.potentials[node], tree.keys[node], tree.stamps[node] = shape, key, -1
    mask = len(tree.slots) - 1
    slot = np.int64(key & np.uint64(mask))
    while tree.slots[slot]:
        slot = (slot + 1) & mask
    tree.slots[slot] = node + 1
    return node


@borrowing
def find_node(tree, key):
    """Return the node of a state, or NONE."""
    mask = len(tree.slots) - 1
    slot = np.int64(key & np.uint64(mask))
    while tree.slots[slot]:
        node = tree.slots[slot] - 1
        if tree.keys[node] == key:
            return node
        slot = (slot + 1) & mask
    return NONE


@borrowing
def _best_edge(tree, terms, node):
    """Return the edge of the highest UCT or PUCT score; NONE where there is none."""
    best, highest = NONE, -np.inf
    edge = tree.first[node]
    spread = math.log(max(tree.visits[node], 1)) if terms.rule == UCT else math.sqrt(tree.visits[node])
    while edge != NONE:
        visits = tree.edge_visits[edge]
        score = tree.totals[edge] / max(visits, 1)
        if terms.rule == UCT:
            score += terms.exploration * math.sqrt(spread / max(visits, 1))
        else:
            score += terms.exploration * tree.priors[edge] * spread / (1 + visits)
        if score > highest:
            best, highest = edge, score
        edge = tree.following[edge]
    return best


@borrowing
def _may_grow(tree, terms, node):
    if tree.legal[node] >= 0 and tree.children[node] >= tree.legal[node]:
        return False
    if tree.sizes[0] >= len(tree.visits) or tree.sizes[1] >= len(tree.actions):
        return False  # the arrays are full
    if terms.widening == np.inf:
        return True
    return tree.children[node] < max(2.0, 2.0 * tree.visits[node] ** terms.widening)


@borrowing
def _draw_untried(scene, table, state, task, tree, scratch, node, actor):
    """Draw one of the actions that are legal at a node and have no edge, by weight; returns it and its prior, or NONE."""
    count = len(task.candidates)
    found = legal(scene, table, state, actor, task.candidates, count, scratch.bits, scratch.allowed)
    tree.legal[node] = found
    everything = 0.0
    for i in range(count):
        if scratch.allowed[i]:
            everything += task.weights[i]
    left = everything
    edge = tree.first[node]
    while edge != NONE:
        scratch.allowed[tree.actions[edge]] = 0
        left -= task.weights[tree.actions[edge]]
        edge = tree.following[edge]
    at = uniform(scratch.dice) * left
    chosen = NONE
    for i in range(count):
        if scratch.allowed[i]:
            chosen = i
            at -= task.weights[i]
            if at < 0:
                break
    return chosen, (task.weights[chosen] / everything if chosen != NONE else 0.0)


@borrowing
def _expand(scene, table, state, task, terms, tree, found, scratch, node, depth, choice, prior):
    """Take a new action from a node, where the state stands; returns its edge, and whether it led to a new node."""
    actor = actor_at(scene, task, depth)
    edge = tree.sizes[1]
    tree.sizes[1] += 1
    tree.actions[edge], tree.following[edge], tree.priors[edge] = choice, tree.first[node], prior
    tree.edge_visits[edge], tree.totals[edge] = 0, 0.0
    tree.first[node] = edge
    tree.children[node] += 1
    start, before = state.top[0], scratch.generator[0]
    attempt(scene, table, state, task, choice, actor)
    tree.rewards[edge] = -tree.potentials[node]
    if let_others_act(scene, table, state, task, scratch):
        tree.child[edge] = GOAL
        tree.rewards[edge] += 1.0
        return edge, False
    if depth + 1 >= task.horizon:
        tree.child[edge] = DEAD_END
        return edge, False
    if terms.transpositions:
        after = scratch.generator[0]
        key = tree.keys[node] ^ _change_of(state, start)
        if task.turns > 1:  # whose turn it is belongs to the state
            turns = np.uint64(task.turns)
            key ^= _mixed(np.uint64(depth) % turns, turns) ^ _mixed(np.uint64(depth + 1) % turns, turns)
        scratch.generator[0] = before
        attempt(scene, table, state, task, choice, actor)
        let_others_act(scene, table, state, task, scratch)
        scratch.generator[0] = after
        child = find_node(tree, key)
    else:
        key, child = np.uint64(edge + 1), NONE
    is_new = child == NONE
    if is_new:
        shape = potential(scene, state, actor_at(scene, task, depth + 1), task.goal, terms.shaping)
        child = add_node(tree, key, shape)
        found.path[depth] = choice
        if shape > found.potentials[0]:
            found.potentials[0] = shape
            copy(found.path, found.best, depth + 1)
            found.lengths[1] = depth + 1
    tree.child[edge] = child
    tree.rewards[edge] += terms.discount * tree.potentials[child]
    return edge, is_new


@borrowing
def copy(source, target, count):
    """Copy the first `count` numbers."""
    for i in range(count):
        target[i] = source[i]


@borrowing
def _draw_and_do(scene, table, state, task, scratch, actor):
    """Do a random legal candidate, drawn by weight; returns it, or NONE if none was found."""
    count = len(task.candidates)
    for _ in range(TRIES):
        at = uniform(scratch.dice) * task.sums[count - 1]
        low, high = 0, count - 1
        while low < high:
            middle = (low + high) >> 1
            if task.sums[middle] > at:
                high = middle
            else:
                low = middle + 1
        if attempt(scene, table, state, task, low, actor):
            return low
    return NONE


@borrowing
def _roll_out(scene, table, state, task, terms, found, scratch, shape, depth):
    """Act at random from a state of potential `shape`; returns the shaped return, and the steps if the goal was reached."""
    power, made = 1.0, 0
    for step in range(min(terms.rollout_depth, task.horizon - depth)):
        actor = actor_at(scene, task, depth + step)
        choice = _draw_and_do(scene, table, state, task, scratch, actor)
        if choice == NONE:
            break
        found.path[depth + step] = choice
        made = step + 1
        if let_others_act(scene, table, state, task, scratch):
            return power - shape, made
        power *= terms.discount
    if depth + made >= task.horizon:
        return -shape, 0
    actor = actor_at(scene, task, depth + made)
    return power * potential(scene, state, actor, task.goal, terms.shaping) - shape, 0


@borrowing
def simulate(scene, table, state, task, terms, tree, found, scratch):
    """One simulation: walk down the tree, grow it by one action, roll out from there, back the return up.

    Returns how many actions it took to reach the goal, if it did; they are then in `found.path`.
    """
    number = tree.sizes[2]
    tree.sizes[2] += 1
    scratch.generator[0] = scratch.begun[0]
    node, depth, leaf, arrived = ROOT, 0, 0.0, 0
    tree.stamps[ROOT] = number
    if terms.max_depth == 0:  # no tree at all: random shooting
        _, arrived = _roll_out(scene, table, state, task, terms, found, scratch, 0.0, 0)
        undo(state, 0)
        return arrived
    while depth < min(terms.max_depth, task.horizon):
        edge, is_new = NONE, False
        actor = actor_at(scene, task, depth)
        if _may_grow(tree, terms, node):
            choice, prior = _draw_untried(scene, table, state, task, tree, scratch, node, actor)
            if choice != NONE:
                edge, is_new = _expand(
                    scene, table, state, task, terms, tree, found, scratch, node, depth, choice, prior
                )
                found.path[depth] = choice
        if edge == NONE:
            edge = _best_edge(tree, terms, node)
            if edge == NONE:  # nothing can be done here
                leaf = -tree.potentials[node]
                break
            found.path[depth] = tree.actions[edge]
            if tree.child[edge] >= 0:
                attempt(scene, table, state, task, tree.actions[edge], actor)
                let_others_act(scene, table, state, task, scratch)
        found.nodes[depth], found.edges[depth] = node, edge
        depth += 1
        child = tree.child[edge]
        if child < 0:
            if child == GOAL:
                arrived = depth
            break
        node = child
        if is_new:
            leaf, tail = _roll_out(
                scene, table, state, task, terms, found, scratch, tree.potentials[node], depth
            )
            arrived = depth + tail if tail else 0
            break
        if tree.stamps[node] == number:  # going round in a circle reaches nothing
            leaf = -tree.potentials[node]
            break
        tree.stamps[node] = number
    for i in range(depth - 1, -1, -1):
        edge = found.edges[i]
        leaf = tree.rewards[edge] + terms.discount * leaf
        tree.totals[edge] += leaf
        tree.edge_visits[edge] += 1
        tree.visits[found.nodes[i]] += 1
    undo(state, 0)
    return arrived
