"""VirtualHome's recorded cases, read from WORLDSCHOOL_CONFORMANCE_DATA (schema vh-vectors-1)."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from worldschool.envs.household.scene.graph import SceneGraph

VARIABLE = "WORLDSCHOOL_CONFORMANCE_DATA"
needs_recordings = pytest.mark.skipif(
    VARIABLE not in os.environ, reason=f"{VARIABLE} does not name the folder of recorded cases"
)


@cache
def _read(name: str) -> Any:
    with gzip.open(Path(os.environ[VARIABLE]) / "virtualhome" / name) as file:
        return json.load(file)


def cases() -> list[dict[str, Any]]:
    """Every recorded case that is here."""
    names = sorted(path.name for path in (Path(os.environ[VARIABLE]) / "virtualhome").glob("cases_*.json.gz"))
    return [case for name in names for case in _read(name)]


def decoded_edges(rows: list[list[int]]) -> set[tuple[int, str, int]]:
    relations = _read("base_scene.json.gz")["relations"]
    return {(source, relations[relation], target) for source, relation, target in rows}


@cache
def initial_graph(name: str) -> dict[str, Any]:
    """A program's initial graph in VirtualHome's JSON form."""
    base, init = _read("base_scene.json.gz"), _read("inits.json.gz")[name]
    edges = (decoded_edges(base["edges"]) - decoded_edges(init["del"])) | decoded_edges(init["add"])
    nodes = [
        {
            "id": id_,
            "class_name": class_name,
            "category": category,
            "properties": properties,
            "states": init["states"].get(str(id_), states),
        }
        for id_, class_name, category, properties, states in base["nodes"] + init["nodes"]
    ]
    return {
        "nodes": nodes,
        "edges": [{"from_id": a, "relation_type": relation, "to_id": b} for a, relation, b in sorted(edges)],
    }


def expected(case: dict[str, Any], dialect: str) -> dict[str, Any] | None:
    """What was recorded under a dialect: ok, fail, why and diff; None if nothing was."""
    if dialect == "stored2018":
        return {"ok": True, "diff": case["stored_final"]} if "stored_final" in case else None
    found: dict[str, Any] = case.get(dialect, case["vh"])
    return found


def final_graph(initial: SceneGraph, case: dict[str, Any], dialect: str) -> SceneGraph | None:
    """The graph that a case was recorded to reach (for a failure: the one before the failing step)."""
    recorded = expected(case, dialect)
    if recorded is None:
        return None
    diff = recorded["diff"]
    changed = {int(id_): frozenset(states) for id_, states in diff["s"].items()}
    return SceneGraph(
        tuple(replace(node, states=changed.get(node.id, node.states)) for node in initial.nodes),
        (initial.edges | decoded_edges(diff["a"])) - decoded_edges(diff["d"]),
    )
