"""One place for everything: a scene graph as dialect `house` has it."""

from __future__ import annotations

from worldschool.envs.household.scene.graph import Edge, GraphError, SceneGraph

PLACING = ("ON", "INSIDE", "HOLDS_RH", "HOLDS_LH")


def one_place_each(graph: SceneGraph) -> tuple[SceneGraph, dict[int, Edge]]:
    """Leave everything but rooms one place; returns the graph and, for each thing, the edge that says where it is.

    A thing's place is the nearest one that the graph gives: a hand, else a container, else what it is on, else a room;
    of equals the one with the lower id. An edge that would close a circle is passed over. VirtualHome's graphs
    put what is in the fridge into the kitchen too: that follows from the fridge's own place, and is left out here.

    Raises:
        GraphError: a thing is nowhere, so that no room can be found for it.
    """
    rooms = {node.id for node in graph.nodes if node.is_room}
    candidates: dict[int, list[tuple[int, int, Edge]]] = {}
    for edge in graph.edges:
        source, relation, target = edge
        if relation not in PLACING:
            continue
        thing, holder = (target, source) if relation.startswith("HOLDS") else (source, target)
        if thing not in rooms and thing != holder:
            candidates.setdefault(thing, []).append((_distance(relation, holder in rooms), holder, edge))
    places: dict[int, Edge] = {}
    holders: dict[int, int] = {}
    hands: set[tuple[int, str]] = set()
    for node in graph.nodes:
        if node.id in rooms:
            continue
        for _, holder, edge in sorted(candidates.get(node.id, ())):
            hand = (holder, edge[1]) if edge[1].startswith("HOLDS") else None
            if hand in hands or _leads_to(holder, node.id, holders):
                continue
            places[node.id], holders[node.id] = edge, holder
            if hand:
                hands.add(hand)
            break
        else:
            raise GraphError(
                f"{node.class_name} ({node.id}) is nowhere",
                where=f"graph: node {node.id}",
                mend="Put it INSIDE a room, or run with another dialect than house.",
            )
    kept = frozenset(edge for edge in graph.edges if edge[1] not in PLACING)
    return SceneGraph(graph.nodes, kept | frozenset(places.values())), places


def _distance(relation: str, in_room: bool) -> int:
    if relation.startswith("HOLDS"):
        return 0
    if in_room:
        return 3
    return 1 if relation == "INSIDE" else 2


def _leads_to(thing: int, goal: int, holders: dict[int, int]) -> bool:
    while thing != goal and thing in holders:
        thing = holders[thing]
    return thing == goal
