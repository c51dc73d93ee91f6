"""`dataset.json`: what a dataset is, read and checked before anything else of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from worldschool.errors import DatasetError, UserError
from worldschool.experience.storage.salvage import decoded
from worldschool.experience.storage.schema import READERS, check_version
from worldschool.files import read_json
from worldschool.records import EPISODE_SCHEMA
from worldschool.runs import package_versions

DATASET_SCHEMA = "worldschool.dataset/1"
DESCRIPTION_FILE = "dataset.json"


def describe(
    config: dict[str, Any],
    run_seed: int,
    shard_size: int,
    dynamics: dict[str, str],
    gaps: bool,
    sources: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return what `dataset.json` holds; see `EpisodeStore.create` for what the arguments mean."""
    description = {
        "schema": DATASET_SCHEMA,
        "episode_schema": EPISODE_SCHEMA,
        "config": config,
        "run_seed": run_seed,
        "shard_size": shard_size,
        "versions": package_versions(),
        "dynamics": dynamics,
    }
    return {**description, "gaps": gaps, "sources": sources} if gaps or sources else description


def read_description(directory: Path) -> dict[str, Any]:
    """Read and check a dataset's description.

    Raises:
        DatasetError: there is no dataset, its description is damaged, or a newer release made it.
    """
    path = directory / DESCRIPTION_FILE
    if not directory.is_dir():
        raise DatasetError(
            "there is no such directory"
            if not directory.exists()
            else "this is a file, not a dataset directory",
            where=str(directory),
            mend="Make one with `worldschool collect`.",
        )
    if not path.exists():
        begun = (directory / "manifest.jsonl").exists()
        raise DatasetError(
            f"this directory is no dataset: {DESCRIPTION_FILE} is missing",
            where=str(directory),
            mend=f"Run `worldschool repair {directory}`: it makes it again from run.json."
            if begun
            else "Give the directory that `worldschool collect` wrote.",
        )
    try:
        description = read_json(path, what="a dataset description")
    except UserError as error:
        raise DatasetError(
            error.problem,
            where=str(path),
            mend=f"Run `worldschool repair {directory}`: it makes it again from run.json.",
        ) from None
    return checked_description(description, path)


def recovered_description(directory: Path) -> tuple[dict[str, Any], bool]:
    """Return the dataset's description, and whether it was lost and is made again from run.json.

    Raises:
        DatasetError: it cannot be made again, it is of a newer release, or there is no dataset.
    """
    path = directory / DESCRIPTION_FILE
    try:
        return read_description(directory), False
    except DatasetError:
        readable = path.exists() and _is_json(path)
        if readable or not (directory / "shards").is_dir():
            raise  # a newer release's, or no dataset at all
    try:
        run = read_json(directory / "run.json", what="a run record")
        config, seed = run["config"], run["seed"]
        size = config["shard_size"]
        assert isinstance(seed, int) and isinstance(size, int) and size > 0
    except (UserError, LookupError, TypeError, AssertionError):
        raise DatasetError(
            f"{DESCRIPTION_FILE} is lost, and there is no run.json of `worldschool collect` to make it again from",
            where=str(directory),
            mend="Put back a copy of it; shards/*.parquet can be read by pandas and others as they are.",
        ) from None
    dynamics = _dynamics(directory / "shards")
    return describe(config, seed, size, dynamics, gaps=False, sources=[]), True


def release_of(description: dict[str, Any]) -> str | None:
    """Return the release of worldschool that began the dataset, if that is told."""
    versions = description.get("versions")
    found = versions.get("worldschool") if isinstance(versions, dict) else None
    return found if isinstance(found, str) else None


def checked_description(description: Any, path: Path) -> dict[str, Any]:
    """Return a description if it is one that this release reads; `path` names it in the errors.

    Raises:
        DatasetError: it is damaged, or a newer release made it.
    """
    if not isinstance(description, dict):
        raise DatasetError("a JSON object is expected", where=str(path))
    release = release_of(description)
    check_version(description.get("schema"), (DATASET_SCHEMA,), str(path), release)
    check_version(description.get("episode_schema", EPISODE_SCHEMA), tuple(READERS), str(path), release)
    for key in ("run_seed", "shard_size"):
        if not isinstance(description.get(key), int):
            raise DatasetError(f"{key} is missing or no integer", where=str(path))
    if description["shard_size"] < 1:
        raise DatasetError(f"shard_size is {description['shard_size']}, not at least 1", where=str(path))
    if not isinstance(description.get("config"), dict):
        raise DatasetError("config is missing or no JSON object", where=str(path))
    values: dict[str, Any] = description
    return values


def _is_json(path: Path) -> bool:
    try:
        read_json(path, what="a dataset description")
    except UserError:
        return False
    return True


def _dynamics(folder: Path) -> dict[str, str]:
    """Return world to version of its dynamics, as the shards' episodes tell."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("[0-9]*.parquet")):
        table = decoded(path)
        if table is not None:
            worlds, versions = (table.column(name).to_pylist() for name in ("world", "world_version"))
            found.update(zip(worlds, versions, strict=True))
    return found
