"""What is shipped: every folder of code and every data file, one version, a light import."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import worldschool
import worldschool.envs

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
ROOMS = {name: ROOT / folder for name, folder in SETUPTOOLS["package-dir"].items()}
MIRROR = ROOT / ".typing" / "worldschool"


def folder_of(package):
    """Return the folder of a package in pyproject's list."""
    for room in sorted(ROOMS, key=len, reverse=True):
        if package == room or package.startswith(f"{room}."):
            return ROOMS[room].joinpath(*package.removeprefix(room).split("."))
    raise AssertionError(package)


def files_in(room):
    return [path for path in room.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_every_folder_of_code_is_named():
    named = {folder_of(package) for package in SETUPTOOLS["packages"]}
    assert len(named) == len(SETUPTOOLS["packages"])
    assert named == {path.parent for room in ROOMS.values() for path in room.rglob("__init__.py")}
    modules = {path.parent for room in ROOMS.values() for path in room.rglob("*.py")}
    assert modules <= named, "a folder of modules has no __init__.py"


def test_every_file_that_is_no_code_is_shipped():
    shipped = {
        path
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in folder_of(package).glob(pattern)
    }
    data = {path for room in ROOMS.values() for path in files_in(room) if path.suffix != ".py"}
    assert data == shipped
    assert {"py.typed", "letters.txt", "stories.yaml"} <= {path.name for path in shipped}


def test_the_version_is_stated_once():
    assert PROJECT["project"]["version"] == worldschool.__version__


def test_the_mirror_for_type_checkers_is_complete():
    expected = {name.partition(".")[2]: folder for name, folder in ROOMS.items() if name != "worldschool"}
    expected |= {
        path.name: path for path in ROOMS["worldschool"].iterdir() if path.is_file()
    }  # fmt: skip
    found = {path.name: path for path in MIRROR.iterdir() if path.suffix != ".pyc"}
    assert set(found) == set(expected)
    for name, link in found.items():
        assert link.is_symlink() and not Path(link.readlink()).is_absolute(), name
        assert link.resolve() == expected[name].resolve(), name


def test_the_package_says_that_it_is_typed():
    assert (ROOMS["worldschool"] / "py.typed").is_file()
    assert "py.typed" in SETUPTOOLS["package-data"]["worldschool"]


def run(script, folder):
    """Run a script outside the repository, in a new process; returns its standard output."""
    file = folder / "script.py"
    file.write_text(script)
    done = subprocess.run(
        [sys.executable, str(file)], check=False, capture_output=True, text=True, cwd=folder, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "module, heavy",
    [
        (
            "worldschool",
            ["torch", "transformers", "faiss", "numba", "gymnasium", "pyarrow", "numpy", "pydantic"],
        ),
        ("worldschool.envs", ["torch", "transformers", "faiss", "numba", "pyarrow"]),
        ("worldschool.experience.store", ["torch", "transformers", "faiss", "numba"]),
    ],
)
def test_imports_stay_light(tmp_path, module, heavy):
    loaded = json.loads(run(f"import sys, json, {module}\nprint(json.dumps(sorted(sys.modules)))", tmp_path))
    assert module in loaded
    assert set(heavy) & set(loaded) == set()


def test_any_text_is_found_on_demand_and_nothing_else_is_invented():
    from worldschool.spaces import AnyText

    assert worldschool.AnyText is AnyText
    assert all(getattr(worldschool, name) is not None for name in worldschool.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Anything'"):
        worldschool.Anything  # noqa: B018


def test_a_spawned_process_can_use_a_world(tmp_path):
    script = """
import multiprocessing

def live(seed):
    import worldschool.envs
    world = worldschool.envs.make("worldschool/Household-v0")
    world.reset(seed=seed)
    world.step(world.legal_actions()[0])
    return worldschool.envs.__file__, world.snapshot().digest

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(live, (3,))
    assert there == live(3)
    print(there[0])
"""
    assert Path(run(script, tmp_path).strip()) == Path(worldschool.envs.__file__), "the same package as here"
