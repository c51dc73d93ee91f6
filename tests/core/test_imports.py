"""Imports point one way: cli -> recipes -> probes -> learners -> experience -> agents -> {envs, models} -> core."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEIGHT = {
    "core": 0,
    "configs": 1,
    "envs": 1,
    "models": 1,
    "agents": 2,
    "experience": 3,
    "learners": 4,
    "probes": 5,
    "recipes": 6,
    "cli": 7,
}
SOURCES = sorted(
    path for room in HEIGHT for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts
)
ENTRY_POINT = re.compile(r"worldschool(\.\w+)+(:\w+)?")


def module_of(path: Path) -> tuple[str, bool]:
    """Return the module's importable name and whether it is a package ("envs/household/env.py")."""
    room, *rest = path.with_suffix("").parts
    parts = ["worldschool", *([] if room == "core" else [room]), *rest]
    is_package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package


def room_of(name: str) -> str:
    """Return the room of a dotted name of ours ("worldschool.envs.world": envs; "worldschool.errors": core)."""
    second = (name.split(".") + [""])[1]
    return second if second in HEIGHT and second != "core" else "core"


def imported(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything imported, inside functions too, and of entry points in strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            base = base[: len(base) - node.level + is_package] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{source}.{alias.name}"
        elif isinstance(node, ast.Constant) and ENTRY_POINT.fullmatch(str(node.value)):
            yield node.lineno, str(node.value).replace(":", ".")


def faults(path: Path, source: str) -> list[str]:
    """Return what is wrong with a module's imports; `path` is relative to the repository."""
    module, is_package = module_of(path)
    here = room_of(module)
    found = []
    for line, name in imported(ast.parse(source), module, is_package):
        place = f"{path}:{line}"
        first, *rest = name.split(".")
        if first in HEIGHT:
            found.append(f"{place}: {name} is a room by its bare folder name")
        if first != "worldschool":
            continue
        there = room_of(name)
        if there == here:
            continue
        if HEIGHT[there] >= HEIGHT[here]:
            found.append(f"{place}: {here} imports {name}")
        if any(part.startswith("_") and not part.startswith("__") for part in rest):
            found.append(f"{place}: {name} is private to {there}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    assert faults(path.relative_to(ROOT), path.read_text(encoding="utf-8")) == []


def test_the_rooms_are_those_of_pyproject():
    import tomllib

    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    assert set(table.values()) == set(HEIGHT)
    assert len(SOURCES) > 60


@pytest.mark.parametrize(
    "path, source, expected",
    [
        ("envs/shop.py", "import worldschool.models.language", "envs imports worldschool.models.language"),
        ("models/x.py", "from worldschool import envs", "models imports worldschool.envs"),
        ("core/x.py", "def f():\n    from worldschool.envs import make", "core/x.py:2: core imports"),
        ("envs/household/x.py", "from ...agents import base", "envs imports worldschool.agents.base"),
        ("envs/household/__init__.py", "from ...agents import base", "envs imports worldschool.agents.base"),
        ("envs/household/__init__.py", "from .. import world", None),
        ("envs/__init__.py", "from ..probes import x", "envs imports worldschool.probes.x"),
        ("learners/x.py", "class A:\n  def f(self):\n    import worldschool.probes", "learners imports"),
        ("experience/x.py", "TABLE = ('worldschool.learners.memory:Memory',)", "experience imports"),
        ("experience/x.py", "'''See worldschool.learners.memory for more.'''", None),
        ("agents/x.py", "if 0:\n  from envs import make", "bare folder name"),
        ("agents/x.py", "import core.records", "bare folder name"),
        ("agents/x.py", "from worldschool.envs.world import _hidden", "private to envs"),
        ("agents/x.py", "from worldschool.envs._world import make", "private to envs"),
        ("agents/x.py", "from worldschool.agents.base import _load", None),
        ("agents/x.py", "from worldschool import __version__", None),
        ("cli/x.py", "from worldschool.recipes import quickstart\nimport worldschool.probes.run, json", None),
        ("probes/x.py", "from worldschool import recipes", "probes imports worldschool.recipes"),
        ("agents/x.py", "from environs import core\nimport probes_of_others", None),
    ],
)
def test_the_check_itself(path, source, expected):
    found = faults(Path(path), source)
    if expected is None:
        assert found == []
    else:
        assert len(found) == 1 and expected in found[0]
