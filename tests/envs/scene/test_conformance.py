"""The dynamics against VirtualHome's own executors: verdict, failing step, reason and final graph of every recorded case."""

from __future__ import annotations

from functools import cache

import pytest

from tests.envs.scene.recorded import cases, expected, final_graph, initial_graph, needs_recordings
from worldschool.envs.household.scene.compiled import CompiledScene
from worldschool.envs.household.scene.graph import SceneGraph
from worldschool.envs.household.scene.program import parse_program
from worldschool.envs.household.scene.replay import run_program


@cache
def compiled(init: str, dialect: str) -> CompiledScene:
    return CompiledScene.compile(SceneGraph.from_dict(initial_graph(init)), dialect)


@needs_recordings
@pytest.mark.parametrize("dialect", ["eai", "vh", "stored2018"])
def test_every_recorded_case_is_reproduced(dialect):
    seen = 0
    for case in cases():
        recorded = expected(case, dialect)
        if recorded is None:
            continue
        seen += 1
        scene = compiled(case["init"], dialect)
        state = scene.new_state()
        failed_step, reason = run_program(scene, state, scene.characters[0], parse_program(case["program"]))
        verdict = (failed_step is None, failed_step, reason)
        same = scene.same_graph(state.memory, final_graph(scene.graph, case, dialect))
        if not same or verdict != (recorded["ok"], recorded.get("fail"), recorded.get("why")):
            assert case["order"] == "history", (dialect, case["id"], verdict, recorded.get("why"))
    assert seen > 300
