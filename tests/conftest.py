"""Fixtures that every room's tests share."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

# Before torch is imported: one worker a core, each with a thread a core, makes small models twenty times slower.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts what runs in its background with interrupts ignored, and so are they in every process the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest

import worldschool.envs.world

FAKES = "worldschool_fakes"
TINY_MODELS = "worldschool_tiny_models"


def _load(name: str, file: str) -> ModuleType:
    # importlib import mode puts no test folder on sys.path; under a name of its own the fake world can be an entry point.
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(file))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fakes() -> ModuleType:
    """The module tests/fakes.py."""
    return sys.modules.get(FAKES) or _load(FAKES, "fakes.py")


@pytest.fixture(scope="session")
def tiny_models() -> ModuleType:
    """The module tests/tiny_models.py."""
    return sys.modules.get(TINY_MODELS) or _load(TINY_MODELS, "tiny_models.py")


@pytest.fixture(scope="session")
def tiny_llama(tiny_models: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a tiny Llama with its tokenizer; not to be written to."""
    made: Path = tiny_models.save(tmp_path_factory.mktemp("tiny") / "llama")
    return made


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


@pytest.fixture(scope="session")
def roomy_llama(tiny_models: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama whose context holds a three-shot prompt in its small vocabulary; not to be written to."""
    made: Path = tiny_models.save(tmp_path_factory.mktemp("tiny") / "roomy", context=4096)
    return made
