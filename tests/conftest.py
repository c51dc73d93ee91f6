"""Fixtures that every room's tests share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import worldschool.envs.world

FAKES = "worldschool_fakes"


def _load_fakes() -> ModuleType:
    # importlib import mode puts no test folder on sys.path; under a name of its own the fake world can be an entry point.
    spec = importlib.util.spec_from_file_location(FAKES, Path(__file__).with_name("fakes.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[FAKES] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fakes() -> ModuleType:
    """The module tests/fakes.py."""
    return sys.modules.get(FAKES) or _load_fakes()


@pytest.fixture
def fake_world_class(fakes: ModuleType) -> type:
    """CorridorWorld: a corridor, a key and a chest."""
    found: type = fakes.CorridorWorld
    return found


@pytest.fixture
def registered_fake(fakes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> str:
    """Register CorridorWorld for one test; gives its id."""
    world = worldschool.envs.world
    spec = world.WorldSpec(fakes.CorridorWorld.world_id, f"{FAKES}:CorridorWorld")
    monkeypatch.setattr(world, "WORLDS", (*world.WORLDS, spec))
    return spec.id
