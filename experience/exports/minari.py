"""A dataset in Minari's format, written and read by Minari itself.

Minari: https://minari.farama.org/content/dataset_standards. An episode has one observation more than actions: the first
is what was seen after the reset. Seeds are kept as the episodes' seeds.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worldschool.errors import ConfigError, UserError
from worldschool.experience.store import EpisodeStore
from worldschool.progress import Advance, silent
from worldschool.records import Episode

DATASET_ID = re.compile(r"([-_\w]+/)*[-_\w]+-v\d+")
NO_MINARI = "Install it with `pip install 'worldschool[minari]'`."


@dataclass(frozen=True)
class Texts:
    """What a Text space must allow for: the shortest and longest text, and every character in any."""

    shortest: int
    longest: int
    characters: str


def export_minari(
    store: EpisodeStore, out: Path, dataset_id: str | None = None, advance: Advance = silent
) -> tuple[str, int, int]:
    """Write a dataset as `out/ID/data`, so that `minari.load_dataset(ID)` finds it with MINARI_DATASETS_PATH=out.

    Spaces are Text, as wide as the texts that occur. Each step's rewards, terminations and truncations are Minari's; an
    episode that ended otherwise (its agent had nothing more to do, or an exception) counts as truncated. `infos` carry
    the state hash before the first action and after each. Each episode's metadata carries its id, goal, split and
    success. Where all episodes were lived in one world with one configuration, `recover_environment` makes it again.

    Args:
        store: the dataset.
        out: the root of the Minari datasets.
        dataset_id: "NAMESPACE/NAME-vN"; None makes it of world and agent ("worldschool/household-random-v0").
        advance: told of every episode, twice: their texts are looked through first.

    Returns:
        The dataset's id, how many episodes were written, and how many without a step were left out.

    Raises:
        ConfigError: the id is none that Minari accepts.
        UserError: Minari is not installed.
    """
    minari = _minari()
    dataset_id = dataset_id or _default_id(store)
    if not DATASET_ID.fullmatch(dataset_id):
        raise ConfigError(
            f"{dataset_id!r} is no Minari dataset id",
            where="--name",
            mend="Write it like household/random-v0.",
        )
    target = out.resolve() / dataset_id  # Minari measures folders by their whole paths only
    skipped = sum(length == 0 for row in store.rows(["length"]) for length in row.values())
    if target.exists():
        return dataset_id, len(store) - skipped, skipped
    part = out.resolve() / f".{target.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    (part / "data").mkdir(parents=True)
    try:
        _write(store, part / "data", dataset_id, minari, advance)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return dataset_id, len(store) - skipped, skipped


def _minari() -> Any:
    try:
        import minari
        import minari.dataset.minari_storage
    except ImportError as error:
        raise UserError(f"the export needs Minari: {error}", where="--to minari", mend=NO_MINARI) from None
    return minari


def _write(store: EpisodeStore, folder: Path, dataset_id: str, minari: Any, advance: Advance) -> None:
    from gymnasium.spaces import Text
    from minari.dataset.minari_storage import MinariStorage

    seen, done = _texts(store, advance)
    storage = MinariStorage.new(
        folder,
        observation_space=Text(seen.longest, min_length=seen.shortest, charset=seen.characters),
        action_space=Text(done.longest, min_length=done.shortest, charset=done.characters),
        env_spec=_environment(store),
        data_format="parquet",
    )
    described = store.description
    storage.update_metadata(
        {
            "dataset_id": dataset_id,
            "minari_version": minari.__version__,
            "algorithm_name": ", ".join(sorted({row["agent"] for row in store.rows(["agent"])})),
            "description": f"Exported from a worldschool dataset: {json.dumps(described['config'])[:2000]}",
            "requirements": [f"worldschool=={described['versions']['worldschool']}"],
            "run_seed": store.run_seed,
        }
    )
    # Minari measures the whole folder after every episode, which grows with the square of their number: once will do.
    storage.get_size = lambda: 0.0
    storage.update_episodes(_buffers(store, advance))
    storage.update_episode_metadata(_metadata(store))
    del storage.get_size
    storage.update_metadata({"dataset_size": float(storage.get_size())})


def _buffers(store: EpisodeStore, advance: Advance) -> Iterator[Any]:
    from minari.data_collector.episode_buffer import EpisodeBuffer

    for episode in _with_steps(store):
        steps = episode.steps
        before = len(steps) - 1
        yield EpisodeBuffer(
            seed=episode.seed,
            observations=[episode.initial_observation, *(step.observation for step in steps)],
            actions=[step.action for step in steps],
            rewards=[step.reward for step in steps],
            terminations=[False] * before + [episode.terminated],
            truncations=[False] * before + [episode.truncated or not episode.terminated],
            infos={"state_hash": [episode.initial_state_hash, *(step.state_hash for step in steps)]},
        )
        advance(1)


def _metadata(store: EpisodeStore) -> Iterator[dict[str, Any]]:
    names = (
        "episode_id",
        "index",
        "goal",
        "goal_predicates",
        "activity",
        "split",
        "success",
        "error",
        "length",
    )
    for row in store.rows(names):
        if row.pop("length"):
            yield row


def _with_steps(store: EpisodeStore) -> Iterator[Episode]:
    return (episode for episode in store if episode.steps)


def _texts(store: EpisodeStore, advance: Advance) -> tuple[Texts, Texts]:
    """Return what occurs among observations and among actions."""
    seen, done = _Looking(), _Looking()
    for row in store.rows(["initial_observation", "steps.observation", "steps.action"]):
        seen.at(row["initial_observation"])
        for step in row["steps"]:
            seen.at(step["observation"])
            done.at(step["action"])
        advance(1)
    return seen.found(), done.found()


class _Looking:
    def __init__(self) -> None:
        self._lengths: set[int] = set()
        self._characters: set[str] = set()

    def at(self, text: str) -> None:
        self._lengths.add(len(text))
        self._characters.update(text)

    def found(self) -> Texts:
        lengths = self._lengths or {0}
        return Texts(min(lengths), max(1, *lengths), "".join(sorted(self._characters)) or " ")


def _worlds(store: EpisodeStore) -> set[tuple[str, str]]:
    return {(row["world"], row["world_config"]) for row in store.rows(["world", "world_config"])}


def _default_id(store: EpisodeStore) -> str:
    worlds = {re.sub(r"-v\d+$", "", world.rpartition("/")[2]).lower() for world, _ in _worlds(store)}
    agents = {row["agent"] for row in store.rows(["agent"])}
    world, agent = (min(names) if len(names) == 1 else "mixed" for names in (worlds, agents))
    return f"worldschool/{re.sub('[^-_0-9A-Za-z]', '-', f'{world}-{agent}')}-v0"


def _environment(store: EpisodeStore) -> Any:
    """Return the Gymnasium specification of the one world of a dataset; None if there are several or it is not known."""
    import gymnasium

    from worldschool.envs.world import register_worlds

    worlds = _worlds(store)
    if len(worlds) != 1:
        return None
    ((world, config),) = worlds
    register_worlds()
    if world not in gymnasium.registry:
        return None
    spec = copy.deepcopy(gymnasium.registry[world])
    spec.kwargs = json.loads(config)
    return spec
