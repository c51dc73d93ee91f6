"""Searching VirtualHome's own scenes: goals at class level, and which things and verbs are left out.

The searcher is told the scene and the goal and nothing else. `RULE` says what it leaves aside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.goals import GOAL_HOLDS, GOAL_INSIDE, GOAL_ON, GOAL_STATE, GOAL_WIDTH
from worldschool.envs.household.scene.graph import Edge, SceneGraph, states_word
from worldschool.envs.household.search.progress import Wanted
from worldschool.envs.household.search.space import Space
from worldschool.errors import WorldError
from worldschool.records import Predicate

VERBS = (
    "WALK", "GRAB", "PUTBACK", "PUTIN", "DROP", "OPEN", "CLOSE", "SWITCHON", "SWITCHOFF", "PLUGIN", "PLUGOUT", "POUR",
    "WASH", "WIPE", "PUTON", "PUTOFF", "SIT", "LIE", "STANDUP",
)  # fmt: skip
RULE = """What the planner leaves aside, from the scene and the goal alone:
- verbs that change nothing a goal can ask for (LOOKAT, WATCH, READ, TOUCH, TURNTO and so on), and those that do what another
  does (RUN and FIND as WALK, RELEASE as DROP, RINSE and SCRUB as WASH);
- things of no class that the goal names, unless such a thing is INSIDE them at the start; rooms can only be walked to;
- actions that the action table's properties rule out, and putting or pouring what cannot be grabbed."""
_STATE = "STATE:"
_KINDS = {"ON": GOAL_ON, "INSIDE": GOAL_INSIDE, "HOLDS": GOAL_HOLDS}


def changes(before: SceneGraph, after: SceneGraph) -> tuple[Predicate, ...]:
    """Return what is true after and was not before, at class level, sorted: states, ON, INSIDE and HOLDS.

    A predicate is (name, class, class or None). It was not true before of the things that it is true of after; of others of
    their classes it may have been.
    """
    class_of = {node.id: node.class_name for node in before.nodes}
    states = {node.id: node.states for node in before.nodes}
    found: set[Predicate] = set()
    for node in after.nodes:
        found |= {(_STATE + state, node.class_name, None) for state in node.states - states[node.id]}
    for source, relation, target in after.edges - before.edges:
        name = _name(relation)
        if name in _KINDS:
            found.add((name, class_of[source], class_of[target]))
    return tuple(sorted(found, key=lambda predicate: tuple(part or "" for part in predicate)))


def _name(relation: str) -> str:
    return "HOLDS" if relation.startswith("HOLDS") else relation


def wanted(scene: CompiledScene, predicates: Sequence[Predicate]) -> Wanted:
    """Return class-level predicates as rows: each of a pair of things of these classes of which it is not true at first.

    Raises:
        WorldError: a predicate is unknown, or there is nothing in the scene that could make it true.
    """
    by_class = _by_class(scene)
    held = {(source, _name(relation), target) for source, relation, target in scene.graph.edges}
    nodes = scene.graph.nodes
    rows: list[tuple[int, int, int]] = []
    starts = [0]
    for name, one, other in predicates:
        xs = by_class[one]
        if name.startswith(_STATE):
            state = name.removeprefix(_STATE)
            rows += [(GOAL_STATE, x, states_word(state)) for x in xs if state not in nodes[x].states]
        elif name in _KINDS:
            pairs = [(x, y) for x in xs for y in by_class[other or ""]]
            rows += [(_KINDS[name], x, y) for x, y in pairs if (nodes[x].id, name, nodes[y].id) not in held]
        if len(rows) == starts[-1]:
            raise WorldError(
                "nothing in this scene could make it true",
                where=f"goal {[name, one, other]}",
                mend=f"Give predicates {', '.join(_KINDS)} or STATE:NAME of classes of the scene.",
            )
        starts.append(len(rows))
    return Wanted(np.array(rows, np.int16).reshape(-1, GOAL_WIDTH), np.array(starts, np.int64))


def _by_class(scene: CompiledScene) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, node in enumerate(scene.graph.nodes):
        found[node.class_name].append(place)
    return found


def space_of_scene(
    scene: CompiledScene, predicates: Sequence[Predicate], *, character: int = 0, horizon: int = 60
) -> Space:
    """Return the search for class-level predicates in a scene's initial state.

    Args:
        scene: the scene, in any dialect.
        predicates: as `changes` gives them.
        character: which of the scene's characters acts.
        horizon: steps at most.

    Raises:
        WorldError: see `wanted`.
    """
    rows = wanted(scene, predicates)
    candidates = _candidates(scene, _relevant(scene, predicates))
    actor = int(np.flatnonzero(np.asarray(scene.scene.holders) == scene.characters[character])[0])
    names = [f"<{node.class_name}> ({node.id})" for node in scene.graph.nodes]
    verbs = {row: name for name, row in scene.rules.actions.items()}

    def text(candidate: int, place: int) -> str:
        action, x, y = candidates[candidate].tolist()
        return " ".join([f"[{verbs[action]}]", *(names[thing] for thing in (x, y) if thing >= 0)])

    return Space(
        scene=scene.scene,
        table=scene.rules.table,
        memory=scene.memory,
        rows=rows.rows,
        starts=rows.starts,
        candidates=candidates,
        weights=np.ones(len(candidates)),
        horizon=horizon,
        text=text,
        turn=actor,
    )


def _relevant(scene: CompiledScene, predicates: Sequence[Predicate]) -> list[int]:
    """Return the places of the things that may be acted upon (`RULE`), ascending."""
    classes = {class_ for _, *named in predicates for class_ in named if class_ is not None}
    found = {place for place, node in enumerate(scene.graph.nodes) if node.class_name in classes}
    edges: frozenset[Edge] = scene.graph.edges
    found |= {
        scene.index[target]
        for source, relation, target in edges
        if relation == "INSIDE" and scene.index[source] in found
    }
    return sorted(found - set(scene.characters))


def _candidates(scene: CompiledScene, things: Sequence[int]) -> NDArray[np.int16]:
    rows: list[tuple[int, int, int]] = []
    nodes = scene.graph.nodes
    pieces = [thing for thing in things if not nodes[thing].is_room]
    grab = scene.rules.actions["GRAB"]
    for verb in VERBS:
        action = scene.rules.actions[verb]
        arity = int(scene.rules.table.arity[action])
        if arity == 0:
            rows.append((action, -1, -1))
            continue
        xs = [x for x in (things if verb == "WALK" else pieces) if _passes(scene, action, 0, x)]
        if arity == 1:
            rows += [(action, x, -1) for x in xs]
            continue
        ys = [y for y in pieces if _passes(scene, action, 1, y)]
        carried = [x for x in xs if _passes(scene, grab, 0, x)]
        rows += [(action, x, y) for x in carried for y in ys if x != y]
    return np.array(rows, np.int16).reshape(-1, 3)


def _passes(scene: CompiledScene, action: int, argument: int, thing: int) -> bool:
    """Return whether a thing has the traits that an action's checks ask of X (0) or Y (1)."""
    traits = scene.scene.traits
    return all(
        int(traits[trait, thing >> 6]) >> (thing & 63) & 1
        for trait in scene.rules.trait_checks(action, argument)
    )
