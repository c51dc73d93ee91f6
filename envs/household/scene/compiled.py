"""Scenes and action tables as the arrays that the kernel works on, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.actions import Check, Row, Seats, Trait
from worldschool.envs.household.scene.dialects import DIALECTS, Dialect
from worldschool.envs.household.scene.graph import (
    CHARACTER_CLASS,
    STATES,
    Edge,
    Node,
    SceneGraph,
    states_word,
)
from worldschool.envs.household.scene.memory import NOWHERE, Scene, State, Table, where_word
from worldschool.envs.household.scene.places import one_place_each
from worldschool.envs.household.scene.program import Line

ROOM_EFFECTS = {op.ENTER_ROOM_OF, op.CARRY, op.GRAB, op.LEAVE_IN_ROOM_OF_C, op.PLACE_IN_ROOM_OF_C}
ROOM_CHECKS = {op.HAS_NO_CYCLE, op.IS_IN_ROOM, op.IS_IN_SAME_ROOM}
OWN_TRAITS = (  # after ROOM, in the order of `operations`
    Trait(frozenset({"BODY_PART"})),
    Trait(frozenset({"CAN_OPEN"})),
    Trait(frozenset({"SURFACES"})),
    Trait(classes=frozenset({"water"})),
)


@dataclass(frozen=True)
class Rules:
    """A dialect's action table as numbers.

    Attributes:
        table: what the kernel reads.
        actions: name to row.
        reasons: number to reason; 0 is success.
        traits: what each row of `Scene.traits` means, after ROOM.
        seats: what each row of `Scene.seats` means.
        dialect: the dialect.
    """

    table: Table
    actions: dict[str, int]
    reasons: tuple[str, ...]
    traits: tuple[Trait, ...]
    seats: tuple[Seats, ...]
    dialect: Dialect

    def trait_checks(self, action: int, argument: int) -> list[int]:
        """Return the rows of `Scene.traits` that an action asks for in X or Y."""
        checks = self.table.checks[action].tolist()
        return [value for check, of, value, _ in checks if check == op.HAS_TRAIT and of == argument]


@cache
def rules_of(dialect: str) -> Rules:
    """Return a dialect's rules, compiled once a process."""
    return _Compiler(DIALECTS[dialect]).rules()


class _Compiler:
    """Gives numbers to everything that a dialect's rows name."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.reasons = [""]
        self.traits: list[Trait] = list(OWN_TRAITS)
        self.seats: list[Seats] = []
        self.actions = {row.name: index for index, row in enumerate(dialect.rows)}

    def rules(self) -> Rules:
        rows = self.dialect.rows
        table = Table(
            checks=_padded([[self._check(check) for check in row.checks] for row in rows]),
            effects=_padded(
                [
                    [
                        (effect.operation, effect.argument, effect.other, effect.value)
                        for effect in row.effects
                    ]
                    for row in rows
                ]
            ),
            choices=_padded(
                [[self._check(check) for check in row.choice.any_of] if row.choice else [] for row in rows]
            ),
            otherwise=np.array([self._otherwise(row) for row in rows], np.int32),
            unknown=np.array([self._reason(row.unknown) for row in rows], np.int32),
            arity=np.array([row.arity for row in rows], np.int32),
            needs_rooms=np.array(
                [
                    any(effect.operation in ROOM_EFFECTS for effect in row.effects)
                    or any(check.operation in ROOM_CHECKS for check in row.checks)
                    for row in rows
                ],
                np.bool_,
            ),
        )
        return Rules(
            table, self.actions, tuple(self.reasons), tuple(self.traits), tuple(self.seats), self.dialect
        )

    def _check(self, check: Check) -> tuple[int, int, int, int]:
        return check.operation, check.argument, self._value(check.value), self._reason(check.reason)

    def _value(self, value: int | Trait | Seats) -> int:
        if isinstance(value, Trait):
            return 1 + _index(self.traits, value)  # ROOM comes first
        return _index(self.seats, value) if isinstance(value, Seats) else value

    def _reason(self, reason: str) -> int:
        return _index(self.reasons, reason)

    def _otherwise(self, row: Row) -> int:
        if row.choice is None:
            return -1
        name = row.choice.otherwise
        return self.actions[name] if name in self.actions else -2 - self._reason(name)


def _index(known: list[Any], value: Any) -> int:
    if value not in known:
        known.append(value)
    return known.index(value)


def _padded(rows: list[list[tuple[int, int, int, int]]]) -> NDArray[np.int32]:
    most = max(1, max(len(row) for row in rows))
    array = np.zeros((len(rows), most, 4), np.int32)
    for index, row in enumerate(rows):
        for position, entry in enumerate(row):
            array[index, position] = entry
    return array


@dataclass(frozen=True)
class CompiledScene:
    """A scene graph as arrays, under one dialect's traits.

    Attributes:
        graph: what it was compiled from.
        rules: whose traits and seats it has.
        scene: what never changes.
        layout: where in a state's memory everything is.
        memory: the initial changing part; never written to (`new_state` copies it).
        index: node id to place.
        characters: places of the characters, by id.
    """

    graph: SceneGraph
    rules: Rules
    scene: Scene
    layout: Layout
    memory: NDArray[np.uint64]
    index: dict[int, int]
    characters: tuple[int, ...]

    @classmethod
    def compile(cls, graph: SceneGraph, dialect: str) -> CompiledScene:
        """Compile a graph once; states of it are then copies of one array."""
        rules = rules_of(dialect)
        places: dict[int, Edge] = {}
        if rules.dialect.one_place:
            graph, places = one_place_each(graph)
        n = len(graph.nodes)
        words = max(1, -(-n // 64))
        index = {node.id: place for place, node in enumerate(graph.nodes)}
        layout = Layout.of(graph, words)
        memory = layout.memory(graph, index)
        for id_, (source, relation, target) in places.items():
            holder = target if source == id_ else source
            memory[(index[id_] + 1) * layout.block - 1] = where_word(
                index[holder], op.DYNAMIC.index(relation)
            )
        slots = 16
        while slots <= 8 * n:
            slots *= 2
        scene = Scene(
            ids=np.array([node.id for node in graph.nodes], np.int64),
            traits=_trait_rows(graph.nodes, rules.traits, words),
            slots=np.array(layout.slots, np.int64),
            block=layout.block,
            symmetric=int(layout.symmetric),
            holders=np.array(_holders(graph, index), np.int64),
            seats=np.array(
                [
                    [dict(seats.of_class).get(node.class_name, 1) for node in graph.nodes]
                    for seats in rules.seats
                ],
                np.int64,
            ).reshape(len(rules.seats), n),
            initial_states=memory[layout.block - 3 :: layout.block].copy(),
            scratch=np.zeros(2 * slots, np.int64),
            stale=int(rules.dialect.stale_posture),
            one_place=int(rules.dialect.one_place),
        )
        characters = tuple(index[node.id] for node in graph.nodes if node.class_name == CHARACTER_CLASS)
        return cls(graph, rules, scene, layout, memory, index, characters)

    def new_state(self, log_entries: int = 0) -> State:
        """Return the initial state, with an undo log of this capacity."""
        return State(self.memory.copy(), np.zeros((log_entries, 2), np.uint64), np.zeros(1, np.int64))

    def same_graph(self, memory: NDArray[np.uint64], graph: SceneGraph) -> bool:
        """Return whether a state's memory holds exactly this graph of the same nodes."""
        block = self.layout.block
        wanted = self.layout.memory(graph, self.index).reshape(-1, block)
        return np.array_equal(memory.reshape(-1, block)[:, : block - 2], wanted[:, : block - 2])

    def encode(self, line: Line) -> tuple[int, int, int]:
        """Return a program line as the kernel takes it: row of the table, places of X and Y, NOWHERE for none."""
        x, y = ([self.index.get(id_, NOWHERE) for id_ in line.ids] + [NOWHERE, NOWHERE])[:2]
        return self.rules.actions[line.action], x, y

    def to_graph(self, memory: NDArray[np.uint64]) -> SceneGraph:
        """Return the scene graph of a state's memory."""
        ids = self.scene.ids.tolist()
        edges: set[Edge] = {edge for edge in self.graph.edges if edge[1] not in op.DYNAMIC}
        for relation, kind in enumerate(op.DYNAMIC):
            for one, other in np.argwhere(self.layout.rows(memory, relation)).tolist():
                edges.add((ids[one], kind, ids[other]))
        states = memory[self.layout.block - 3 :: self.layout.block].tolist()
        nodes = tuple(
            replace(node, states=state_names(now)) for node, now in zip(self.graph.nodes, states, strict=True)
        )
        return SceneGraph(nodes, frozenset(edges))


@dataclass(frozen=True)
class Layout:
    """Where in a thing's block of memory its rows of edges are, and its three words behind them.

    Attributes:
        words: words of a row.
        slots: for each relation, out then in, where its row begins; -1 where there is none.
        block: words of a thing's block.
        symmetric: whether CLOSE has one row for both directions.
    """

    words: int
    slots: tuple[int, ...]
    block: int
    symmetric: bool

    @classmethod
    def of(cls, graph: SceneGraph, words: int) -> Layout:
        """Return the layout that fits a graph."""
        close = {(source, target) for source, relation, target in graph.edges if relation == "CLOSE"}
        symmetric = all((target, source) in close for source, target in close)
        return cls.of_shape(words, symmetric)

    @classmethod
    def of_shape(cls, words: int, symmetric: bool) -> Layout:
        """Return the layout of rows of so many words."""
        slots, end = [], 0
        for relation in range(len(op.DYNAMIC)):
            out = end
            end += words
            back = -1 if relation >= op.HOLDS_RH else out if relation == op.CLOSE and symmetric else end
            end += words if back > out else 0
            slots += [out, back]
        return cls(words, tuple(slots), end + 3, symmetric)

    def memory(self, graph: SceneGraph, index: dict[int, int]) -> NDArray[np.uint64]:
        """Return a graph as memory, without grabs and places."""
        blocks = np.zeros((len(graph.nodes), self.block), np.uint64)
        edges = [
            (op.DYNAMIC.index(relation), index[source], index[target])
            for source, relation, target in graph.edges
            if relation in op.DYNAMIC
        ]
        kind, one, other = np.array(edges, np.int64).reshape(-1, 3).T
        slots = np.array(self.slots).reshape(-1, 2)
        for start, thing, bit in ((slots[kind, 0], one, other), (slots[kind, 1], other, one)):
            there = start >= 0
            words = (np.uint64(1) << (bit & 63).astype(np.uint64))[there]
            np.bitwise_or.at(blocks, (thing[there], (start + (bit >> 6))[there]), words)
        blocks[:, -3] = [states_word(*node.states) for node in graph.nodes]
        return blocks.ravel()

    def rows(self, memory: NDArray[np.uint64], relation: int, direction: int = 0) -> NDArray[np.uint8]:
        """Return a relation's edges, out (0) or in (1), as zeros and ones: uint8 [n, 64 W]."""
        start = self.slots[2 * relation + direction]
        blocks = np.ascontiguousarray(memory.reshape(-1, self.block)[:, start : start + self.words])
        return np.unpackbits(blocks.view(np.uint8), axis=-1, bitorder="little")


def state_names(word: int) -> frozenset[str]:
    """Return the names of the states that are bits of a word."""
    return frozenset(name for bit, name in enumerate(STATES) if word >> bit & 1)


def _holders(graph: SceneGraph, index: dict[int, int]) -> list[int]:
    holding = {source for source, relation, _ in graph.edges if relation in ("HOLDS_RH", "HOLDS_LH")}
    holding |= {node.id for node in graph.nodes if node.class_name == CHARACTER_CLASS}
    return sorted(index[id_] for id_ in holding)


def _trait_rows(nodes: tuple[Node, ...], traits: tuple[Trait, ...], words: int) -> NDArray[np.uint64]:
    """Return which nodes have each trait: first ROOM, then `traits`, last a trait that everything has."""
    rows = np.zeros((len(traits) + 2, words), np.uint64)
    for place, node in enumerate(nodes):
        have = [node.is_room, *(has_trait_of(node, trait) for trait in traits), True]
        for row, yes in enumerate(have):
            if yes:
                rows[row, place >> 6] |= np.uint64(1 << (place & 63))
    return rows


def has_trait_of(node: Node, trait: Trait) -> bool:
    """Return whether a node has one of a trait's properties or is of one of its classes."""
    return bool(
        node.properties & trait.properties
        or node.class_name in trait.classes
        or (trait.class_part and trait.class_part in node.class_name)
    )
