"""Fixtures of the tests of experience."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

import worldschool.agents.base
import worldschool.envs.world


@pytest.fixture
def collecting_fakes(fakes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module collecting_fakes.py; the agent "learner" and the corridor are registered for one test."""
    path = Path(__file__).with_name("collecting_fakes.py")
    spec = importlib.util.spec_from_file_location("worldschool_collecting_fakes", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    monkeypatch.setattr(worldschool.agents.base, "AGENTS", dict(worldschool.agents.base.AGENTS))
    monkeypatch.setattr(worldschool.envs.world, "WORLDS", worldschool.envs.world.WORLDS)
    spec.loader.exec_module(module)
    module.register()
    return module


@pytest.fixture
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let writes rest in the page cache: for many small runs in this process, of which none is killed."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
