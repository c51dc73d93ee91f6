"""VirtualHome's scene graph: reading it, checking it, writing it out again.

A graph is what VirtualHome keeps as JSON: nodes with states and properties, and directed edges of eight relations.
Everything else in this folder works on the compiled form (`compiled.py`); this module is the border where a user's
file is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from worldschool.errors import UserError, nearest

RELATIONS = ("ON", "INSIDE", "BETWEEN", "CLOSE", "FACING", "HOLDS_RH", "HOLDS_LH", "SITTING")
"""VirtualHome's relations. Actions read and change all but BETWEEN and SITTING."""
STATES = (
    "CLOSED", "OPEN", "ON", "OFF", "SITTING", "DIRTY", "CLEAN", "LYING", "PLUGGED_IN", "PLUGGED_OUT",
)  # fmt: skip
PROPERTIES = (
    "SURFACES", "GRABBABLE", "SITTABLE", "LIEABLE", "HANGABLE", "DRINKABLE", "EATABLE", "RECIPIENT", "CUTTABLE",
    "POURABLE", "CAN_OPEN", "HAS_SWITCH", "READABLE", "LOOKABLE", "CONTAINERS", "CLOTHES", "PERSON", "BODY_PART",
    "COVER_OBJECT", "HAS_PLUG", "HAS_PAPER", "MOVABLE", "CREAM",
)  # fmt: skip
ROOM_CATEGORY = "Rooms"
CHARACTER_CLASS = "character"


def states_word(*names: str) -> int:
    """Return states as the bits of a word, in the order of STATES."""
    return sum(1 << STATES.index(name) for name in names)


class GraphError(UserError):
    """A scene graph is malformed."""


@dataclass(frozen=True)
class Node:
    """One thing of a scene; `extra` are fields that VirtualHome carries along and never reads."""

    id: int
    class_name: str
    category: str | None
    properties: frozenset[str]
    states: frozenset[str]
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def is_room(self) -> bool:
        """Whether VirtualHome takes it for a room."""
        return self.category == ROOM_CATEGORY


Edge = tuple[int, str, int]
"""(from_id, relation_type, to_id)."""


@dataclass(frozen=True)
class SceneGraph:
    """Nodes in ascending order of id, and the set of edges."""

    nodes: tuple[Node, ...]
    edges: frozenset[Edge]

    @classmethod
    def from_dict(cls, graph: Any, where: str = "graph") -> SceneGraph:
        """Read VirtualHome's JSON form: {"nodes": [...], "edges": [...]}.

        Equal edges collapse. States, properties and relations may be written in any case.

        Raises:
            GraphError: a field is missing or of the wrong type, an id is used twice, an edge hangs in the air, or a state,
                property or relation is unknown; the message names the place.
        """
        nodes: dict[int, Node] = {}
        for index, row in enumerate(_rows(graph, "nodes", where)):
            node = _node(row, f"{where}: nodes[{index}]")
            if node.id in nodes:
                raise GraphError(
                    f"id {node.id} is used twice",
                    where=f"{where}: nodes[{index}].id",
                    mend="Give every node an id of its own.",
                )
            nodes[node.id] = node
        edges = frozenset(
            _edge(row, nodes, f"{where}: edges[{index}]")
            for index, row in enumerate(_rows(graph, "edges", where))
        )
        return cls(tuple(nodes[id_] for id_ in sorted(nodes)), edges)

    def to_dict(self) -> dict[str, Any]:
        """Return VirtualHome's JSON form, nodes and edges in ascending order, lists sorted."""
        return {
            "nodes": [
                {
                    "id": node.id,
                    "class_name": node.class_name,
                    "category": node.category,
                    "properties": sorted(node.properties),
                    "states": sorted(node.states),
                    **dict(node.extra),
                }
                for node in self.nodes
            ],
            "edges": [
                {"from_id": source, "relation_type": relation, "to_id": target}
                for source, relation, target in sorted(self.edges)
            ],
        }


def _rows(graph: Any, field: str, where: str) -> list[Any]:
    if not isinstance(graph, dict):
        raise GraphError(
            f"a scene graph is an object, this is {_kind(graph)}",
            where=where,
            mend='Give {"nodes": [...], "edges": [...]}, as VirtualHome writes it.',
        )
    rows = graph.get(field)
    if not isinstance(rows, list):
        raise GraphError(
            f"{field} is {'missing' if rows is None else _kind(rows)}",
            where=where,
            mend=f'Give "{field}" as a list.',
        )
    return rows


def _node(row: Any, where: str) -> Node:
    if not isinstance(row, dict):
        raise GraphError(f"a node is an object, this is {_kind(row)}", where=where)
    known = {"id", "class_name", "category", "properties", "states"}
    return Node(
        _integer(row, "id", where),
        _string(row, "class_name", where),
        None if row.get("category") is None else _string(row, "category", where),
        _names(row, "properties", PROPERTIES, where),
        _names(row, "states", STATES, where),
        tuple((key, value) for key, value in row.items() if key not in known),
    )


def _edge(row: Any, nodes: dict[int, Node], where: str) -> Edge:
    if not isinstance(row, dict):
        raise GraphError(f"an edge is an object, this is {_kind(row)}", where=where)
    source, target = _integer(row, "from_id", where), _integer(row, "to_id", where)
    relation = _string(row, "relation_type", where).upper()
    if relation not in RELATIONS:
        raise GraphError(
            f"there is no relation {relation!r}",
            where=f"{where}.relation_type",
            mend=f"Relations are {', '.join(RELATIONS)}.{nearest(relation, RELATIONS)}",
        )
    for field, id_ in (("from_id", source), ("to_id", target)):
        if id_ not in nodes:
            raise GraphError(
                f"there is no node {id_}", where=f"{where}.{field}", mend="Remove the edge, or add the node."
            )
    return source, relation, target


def _integer(row: dict[str, Any], field: str, where: str) -> int:
    value = row.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise GraphError(
            f"{field} is {'missing' if value is None else repr(value)}",
            where=f"{where}.{field}",
            mend="Give an integer from 0 to 2147483647.",
        )
    return value


def _string(row: dict[str, Any], field: str, where: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise GraphError(
            f"{field} is {'missing' if value is None else _kind(value)}",
            where=f"{where}.{field}",
            mend="Give a string.",
        )
    return value


def _names(row: dict[str, Any], field: str, known: tuple[str, ...], where: str) -> frozenset[str]:
    values: Iterable[Any] = row.get(field, ())
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise GraphError(f"{field} is no list of strings", where=f"{where}.{field}")
    names = frozenset(value.upper() for value in values)
    for name in sorted(names):
        if name not in known:
            raise GraphError(
                f"there is no {field[:-1] if field == 'states' else 'property'} {name!r}",
                where=f"{where}.{field}",
                mend=f"Known: {', '.join(known)}.{nearest(name, known)}",
            )
    return names


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"
