"""A replay in words, for a person."""

from __future__ import annotations

from typing import Any

from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.program import Line
from worldschool.envs.household.scene.reasons import REASONS
from worldschool.envs.household.scene.replay import Replay


def tell_replay(outcome: Replay, graph: SceneGraph, program: list[Line]) -> str:
    """Return each step with what became of it, then what is different in the graph, CLOSE and FACING left out."""
    done = len(program) if outcome.failed_step is None else outcome.failed_step
    width = max((len(str(line)) for line in program), default=0)
    lines = [f"  {line!s:<{width}}  done" for line in program[:done]]
    if outcome.reason is not None:
        lines.append(f"  {program[done]!s:<{width}}  FAILED, {outcome.reason}: {REASONS[outcome.reason]}")
        lines += [f"  {line!s:<{width}}  not tried" for line in program[done + 1 :]]
    verdict = "Executable." if outcome.executable else f"Not executable: step {done} (from 0) cannot be done."
    return "\n".join(
        [
            *lines,
            "",
            verdict,
            "",
            *(_changes(graph.to_dict(), outcome.graph) or ["Nothing moved or changed."]),
        ]
    )


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    names = {node["id"]: f"{node['class_name']} ({node['id']})" for node in after["nodes"]}
    old, new = _edges(before), _edges(after)
    lines = [f"- {names[a]} {relation} {names[b]}" for a, relation, b in sorted(old - new)]
    lines += [f"+ {names[a]} {relation} {names[b]}" for a, relation, b in sorted(new - old)]
    states = {node["id"]: set(node["states"]) for node in before["nodes"]}
    for node in after["nodes"]:
        now, was = set(node["states"]), states[node["id"]]
        if now != was:
            lines.append(f"  {names[node['id']]}: {_list(was - now)} -> {_list(now - was)}")
    return lines


def _edges(graph: dict[str, Any]) -> set[tuple[int, str, int]]:
    edges = ((edge["from_id"], edge["relation_type"], edge["to_id"]) for edge in graph["edges"])
    return {edge for edge in edges if edge[1] not in ("CLOSE", "FACING")}


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
