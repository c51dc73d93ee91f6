"""Running a VirtualHome program on a scene graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.dialects import DIALECTS
from worldschool.envs.household.scene.graph import GraphError, SceneGraph
from worldschool.envs.household.scene.kernel import apply
from worldschool.envs.household.scene.memory import State
from worldschool.envs.household.scene.program import Line, ProgramError, parse_program
from worldschool.errors import UserError, nearest
from worldschool.files import read_json


@dataclass(frozen=True)
class Replay:
    """What became of a program.

    Attributes:
        executable: whether every step could be done.
        failed_step: index of the first line that could not, from 0; None if all could.
        reason: why not, one of the words of `reasons.REASONS` ("not_close", "no_free_hand", ...).
        graph: the final graph, or the graph before the failing step, in VirtualHome's JSON form.
    """

    executable: bool
    failed_step: int | None
    reason: str | None
    graph: dict[str, Any]


def replay(graph: dict[str, Any], program: Sequence[str], dialect: str = "eai", character: int = 0) -> Replay:
    """Run a program in instance mode: an instance number is a node id, whatever the name beside it.

    Args:
        graph: a scene in VirtualHome's JSON form.
        program: its lines; those that do not begin with "[" are left out.
        dialect: whose rules hold (see `dialects`).
        character: which of the scene's characters acts, in ascending order of id.

    Raises:
        GraphError: the graph is malformed or has no such character.
        ProgramError: a line cannot be read.
        UserError: there is no such dialect.
    """
    return replay_lines(SceneGraph.from_dict(graph), parse_program(program), dialect, character)


def replay_lines(
    graph: SceneGraph, lines: Sequence[Line], dialect: str = "eai", character: int = 0
) -> Replay:
    """`replay` of a graph and a program that were read already.

    Raises:
        GraphError: the graph has no such character, or a thing that is nowhere (dialect `house`).
        UserError: there is no such dialect.
    """
    if dialect not in DIALECTS:
        raise UserError(
            f"there is no dialect {dialect!r}",
            where="dialect",
            mend=f"Dialects are {', '.join(DIALECTS)}.{nearest(dialect, DIALECTS)}",
        )
    scene = CompiledScene.compile(graph, dialect)
    if not 0 <= character < len(scene.characters):
        raise GraphError(
            f"there is no character {character}: the scene has {len(scene.characters)}",
            where="graph: nodes",
            mend='Characters are the nodes with class_name "character".',
        )
    state = scene.new_state()
    failed_step, reason = run_program(scene, state, scene.characters[character], lines)
    return Replay(failed_step is None, failed_step, reason, scene.to_graph(state.memory).to_dict())


def run_program(
    scene: CompiledScene, state: State, actor: int, lines: Sequence[Line]
) -> tuple[int | None, str | None]:
    """Let a character (its place in the scene) do a program, changing `state`.

    Returns:
        (None, None), or the index of the first step that cannot be done, and why; nothing is changed by that one.
    """
    for step, line in enumerate(lines):
        action, x, y = scene.encode(line)
        code = apply(scene.scene, scene.rules.table, state, action, actor, x, y)
        if code:
            return step, scene.rules.reasons[code]
    return None, None


def read_scene(path: Path) -> SceneGraph:
    """Read a scene's JSON file; VirtualHome's init_graph/final_graph files give their initial graph.

    Raises:
        GraphError: the graph is malformed.
        UserError: there is no such file, or it is no JSON.
    """
    graph = read_json(path, what="a scene graph")
    if isinstance(graph, dict) and "nodes" not in graph and "init_graph" in graph:
        graph = graph["init_graph"]
    return SceneGraph.from_dict(graph, str(path))


def read_program(path: Path) -> list[Line]:
    """Read a program's lines.

    Raises:
        ProgramError: a line cannot be read, or there is none.
        UserError: there is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"this program cannot be read: {error}", where=str(path)) from None
    lines = parse_program(text.splitlines(), str(path))
    if not lines:
        raise ProgramError(
            "there is no step in it", where=str(path), mend="Write lines such as [WALK] <fridge> (12)."
        )
    return lines
